"""The decoder of pgoutput's messages: every kind, and nothing that is not one."""

from __future__ import annotations

import struct
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replguard.engines.base import Wanted
from replguard.engines.postgresql.messages import (
    Begin,
    BeginPrepare,
    Commit,
    LogicalMessage,
    Origin,
    Prepare,
    PreparedEnd,
    RelationMessage,
    RowChange,
    StreamAbort,
    StreamCommit,
    StreamStart,
    StreamStop,
    Truncate,
    TypeMessage,
)
from replguard.engines.postgresql.pgoutput import Decoder, MalformedMessage, UnknownMessage
from replguard.engines.postgresql.translation import Translation
from replguard.model.changes import Change, Interest, TransactionEnd, Trouble
from replguard.model.tables import TableName


def relation(oid=7, name="event"):
    columns = b"\x01id\0" + struct.pack(">ii", 23, -1) + b"\x00v\0" + struct.pack(">ii", 25, -1)
    return b"R" + struct.pack(">I", oid) + b"st\0" + name.encode() + b"\0d" + struct.pack(">H", 2) + columns


def row(*values):
    body = struct.pack(">H", len(values))
    for value in values:
        body += value if value in (b"n", b"u") else b"t" + struct.pack(">I", len(value)) + value
    return body


INSERT = b"I" + struct.pack(">I", 7) + b"N" + row(b"1", b"n")
UPDATE = b"U" + struct.pack(">I", 7) + b"K" + row(b"1", b"n") + b"N" + row(b"2", b"u")
PLAIN_UPDATE = b"U" + struct.pack(">I", 7) + b"N" + row(b"2", b"x")
DELETE = b"D" + struct.pack(">I", 7) + b"O" + row(b"1", b"old")
TRUNCATE = b"T" + struct.pack(">IB", 2, 3) + struct.pack(">II", 7, 8)
BEGIN = b"B" + struct.pack(">QqI", 0x16B374D848, 86_400_000_000, 777)
COMMIT = b"C\0" + struct.pack(">QQq", 1, 0x2A, 0)
ORIGIN = b"O" + struct.pack(">Q", 5) + b"pg_16390\0"
TYPE = b"Y" + struct.pack(">I", 99) + b"st\0mood\0"
LOGICAL = b"M\x01" + struct.pack(">Q", 5) + b"pre\0" + struct.pack(">I", 3) + b"abc"
ALL = [relation(), INSERT, UPDATE, PLAIN_UPDATE, DELETE, TRUNCATE, BEGIN, COMMIT, ORIGIN, TYPE, LOGICAL]


@pytest.fixture
def decoder():
    made = Decoder()
    made.decode(relation())
    made.decode(relation(8, "other"))
    return made


def test_relation():
    message = Decoder().decode(relation())
    assert isinstance(message, RelationMessage)
    assert (message.schema, message.name, message.identity) == ("st", "event", "d")
    assert [(column.name, column.type_oid, column.in_identity) for column in message.columns] == [
        ("id", 23, True),
        ("v", 25, False),
    ]


def test_rows(decoder):
    def change(data):
        message = decoder.decode(data)
        assert isinstance(message, RowChange)
        return message.kind, message.old, message.new

    assert change(INSERT) == ("I", None, {"id": b"1", "v": None})
    assert change(UPDATE) == ("U", {"id": b"1"}, {"id": b"2"})
    assert change(PLAIN_UPDATE) == ("U", None, {"id": b"2", "v": b"x"})
    assert change(DELETE) == ("D", {"id": b"1", "v": b"old"}, None)


def test_others(decoder):
    truncate = decoder.decode(TRUNCATE)
    assert isinstance(truncate, Truncate)
    assert [one.name for one in truncate.relations] == ["event", "other"]
    assert (truncate.cascade, truncate.restart_identity) == (True, True)
    assert decoder.decode(BEGIN) == Begin(0x16B374D848, datetime(2000, 1, 2, tzinfo=UTC), 777)
    assert decoder.decode(COMMIT) == Commit(0x2A, datetime(2000, 1, 1, tzinfo=UTC))
    assert decoder.decode(ORIGIN) == Origin("pg_16390")
    assert decoder.decode(TYPE) == TypeMessage(99)
    assert decoder.decode(LOGICAL) == LogicalMessage("pre", transactional=True)


@pytest.mark.parametrize("kind", [byte for byte in range(256) if chr(byte) not in "BCORYIUDTM"])
def test_unknown_kinds_are_never_skipped(decoder, kind):
    with pytest.raises(UnknownMessage):
        decoder.decode(bytes([kind]) + b"\0" * 30)


@pytest.mark.parametrize("data", ALL, ids=lambda data: chr(data[0]))
def test_cut_short_or_too_long_is_an_error(decoder, data):
    for end in range(len(data)):
        with pytest.raises(MalformedMessage):
            decoder.decode(data[:end])
    with pytest.raises(MalformedMessage):
        decoder.decode(data + b"x")


def test_a_relation_that_was_not_described_is_an_error():
    with pytest.raises(MalformedMessage):
        Decoder().decode(INSERT)


XID = struct.pack(">I", 777)
SUB = struct.pack(">I", 779)
TIMES = struct.pack(">QQq", 5, 9, 86_400_000_000)
START = b"S" + XID + b"\x01"
STOP = b"E"
STREAM_COMMIT = b"c" + XID + b"\0" + TIMES
ABORT = b"A" + XID + SUB
ABORT_PLACED = ABORT + struct.pack(">Qq", 5, 6)
BEGIN_PREPARE = b"b" + TIMES + XID + b"gid\0"
PREPARE = b"P\0" + TIMES + XID + b"gid\0"
STREAM_PREPARE = b"p\0" + TIMES + XID + b"gid\0"
COMMIT_PREPARED = b"K\0" + TIMES + XID + b"gid\0"
ROLLBACK_PREPARED = b"r\0" + struct.pack(">QQqq", 5, 9, 0, 86_400_000_000) + XID + b"gid\0"
LATER = {START, STREAM_COMMIT, ABORT, BEGIN_PREPARE, PREPARE, STREAM_PREPARE, COMMIT_PREPARED, ROLLBACK_PREPARED}
DAY = datetime(2000, 1, 2, tzinfo=UTC)


def with_xid(message, xid=XID):
    """As it stands inside a streamed part."""
    return message[:1] + xid + message[1:]


def test_messages_of_later_versions():
    decoder = Decoder(4)
    assert decoder.decode(STREAM_COMMIT) == StreamCommit(777, 9, DAY)
    assert decoder.decode(ABORT) == StreamAbort(777, 779)
    assert Decoder(4, parallel=True).decode(ABORT_PLACED) == StreamAbort(777, 779)
    assert decoder.decode(BEGIN_PREPARE) == BeginPrepare(5, 9, DAY, 777, "gid")
    assert decoder.decode(PREPARE) == Prepare(9, 777, "gid", streamed=False)
    assert decoder.decode(STREAM_PREPARE) == Prepare(9, 777, "gid", streamed=True)
    assert decoder.decode(COMMIT_PREPARED) == PreparedEnd(True, 9, DAY, 777, "gid")
    assert decoder.decode(ROLLBACK_PREPARED) == PreparedEnd(False, 9, DAY, 777, "gid")
    assert decoder.decode(START) == StreamStart(777, first=True)
    decoder.decode(with_xid(relation()))
    message = decoder.decode(with_xid(INSERT, SUB))
    assert isinstance(message, RowChange)
    assert message.xid == 779
    assert decoder.decode(ORIGIN) == Origin("pg_16390")
    assert decoder.decode(STOP) == StreamStop()
    assert decoder.decode(COMMIT) == Commit(0x2A, datetime(2000, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("data", sorted(LATER), ids=lambda data: chr(data[0]))
def test_later_messages_are_unknown_before_and_exact_after(data):
    with pytest.raises(UnknownMessage):
        Decoder(1).decode(data)
    for changed in [data[:end] for end in range(len(data))] + [data + b"x"]:
        with pytest.raises(MalformedMessage):
            Decoder(4).decode(changed)


@pytest.mark.parametrize("data", [BEGIN, COMMIT, START, STREAM_COMMIT, ABORT, BEGIN_PREPARE, PREPARE])
def test_what_cannot_stand_inside_a_streamed_part_is_refused(data):
    decoder = Decoder(4)
    decoder.decode(START)
    with pytest.raises(MalformedMessage):
        decoder.decode(data)
    with pytest.raises(MalformedMessage):
        Decoder(4).decode(STOP)


TRANSACTION = [BEGIN, relation(), INSERT, UPDATE, PLAIN_UPDATE, DELETE, relation(8, "other"), TRUNCATE, COMMIT]
STREAMED = [
    START,
    with_xid(relation()),
    with_xid(INSERT),
    with_xid(PLAIN_UPDATE, SUB),
    STOP,
    b"S" + XID + b"\0",
    with_xid(DELETE),
    STOP,
    ABORT,
    STREAM_COMMIT,
]
PREPARED = [BEGIN_PREPARE, relation(), INSERT, PREPARE, COMMIT_PREPARED]
EVENT = TableName("st", "event")


def translated(messages, interest=Interest.keyed):
    feed = Translation(Decoder(4), Wanted(interest=lambda _: interest), {EVENT: ("id",)}, 1000)
    for number, message in enumerate(messages):
        view = memoryview(b"w" + struct.pack(">QQQ", 100 + number, 0, 0) + message)
        cell = feed.cells.get(view[25 : feed.width].tobytes())
        if cell is None:
            feed.message(view)
        else:
            cell[0] += 1
    feed.settle_tally()
    return feed


def test_a_streamed_transaction_is_told_and_ended_label_by_label():
    items = translated(STREAMED).items
    told = [(item.transaction, item.pending) for item in items if isinstance(item, Change)]
    ended = [(item.transaction, item.committed) for item in items if isinstance(item, TransactionEnd)]
    assert told == [("777", True), ("777/779", True), ("777", True)]
    assert ended == [("777/779", False), ("777", True)]
    rolled_back = translated([*STREAMED[:-2], b"A" + XID + XID]).items
    ended = [(item.transaction, item.committed) for item in rolled_back if isinstance(item, TransactionEnd)]
    assert ended == [("777", False), ("777/779", False)]


def test_a_prepared_transaction_is_pending_until_its_end():
    change, end = translated(PREPARED).items
    assert isinstance(change, Change)
    assert isinstance(end, TransactionEnd)
    assert (change.pending, change.committed_at, end.transaction, end.committed) == (True, None, "777", True)
    assert translated(PREPARED, Interest.counted).items == []


def test_a_message_that_nobody_asked_for_is_told():
    """A damaged row could be read as one."""
    [trouble] = translated([BEGIN, LOGICAL, COMMIT]).items
    assert isinstance(trouble, Trouble)


@pytest.mark.parametrize("messages", [TRANSACTION, STREAMED, PREPARED])
def test_the_short_way_tells_what_the_long_way_tells(messages):
    def shown(interest):
        items = [item for item in translated(messages, interest).items if isinstance(item, Change)]
        return [(one.operation, one.tables, one.transaction, one.committed_at, one.key, one.pending) for one in items]

    assert shown(Interest.named) == shown(Interest.keyed) == shown(Interest.whole)
    counted = {name: 5 if messages is TRANSACTION else translated(messages).tally.changes[name] for name in [EVENT]}
    tally = translated(messages, Interest.counted).tally
    assert tally.changes[EVENT] == counted[EVENT]
    assert tally.transactions == 1


@given(st.sampled_from([TRANSACTION, STREAMED, PREPARED]), st.data())
def test_damage_is_told_or_changes_nothing_but_values(messages, data):
    """A message that is cut, or has a byte flipped, is told, or hides no row."""
    place = data.draw(st.integers(0, len(messages) - 1))
    whole = messages[place]
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    broken = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    feed = translated([*messages[:place], broken, *messages[place + 1 :]])
    if any(isinstance(item, Trouble) for item in feed.items):
        return
    assert not cut, "a message that is cut is told"
    fine = translated(messages)
    rows = [item for item in fine.items if isinstance(item, Change)]
    assert len([item for item in feed.items if isinstance(item, Change)]) == len(rows)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data):
    decoder = Decoder()
    decoder.decode(relation())
    with suppress(MalformedMessage):
        decoder.decode(data)
