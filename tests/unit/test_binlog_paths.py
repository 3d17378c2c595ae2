"""The quick path and the careful path over the same bytes: the same is told, counted and known after every event."""

from __future__ import annotations

import random
import struct

import pytest
import zstandard

from replguard.engines.base import Wanted
from replguard.engines.binlog import quick
from replguard.engines.binlog.gtid import MySQLGtidSet
from replguard.engines.binlog.large import KEPT
from replguard.engines.binlog.reader import BinlogReader
from replguard.model.changes import Change, Interest, TransactionEnd, Trouble, TroubleKind
from tests.unit.binlog_events import SOURCE, Writer

FLAVOURS = ("mysql", "mariadb")


def reader(flavour, **options):
    return BinlogReader(flavour, "b.000001", **options)


def wanted(interest):
    """Of tables called ``event`` so much, of all others nothing but their number."""
    return Wanted(lambda table: interest if table.name == "event" else Interest.counted)


def traffic(writer, seed, transactions=40):
    """Transactions of every plain shape, and some that are not."""
    chosen = random.Random(seed)
    for number in range(1, transactions + 1):
        shape = chosen.randrange(10)
        flags = 1 if writer.mariadb and shape == 0 else chosen.choice([0, 2, 4, 8])
        yield writer.gtid(number + chosen.choice([0, 0, 0, 1000]), flags=flags)
        if shape == 0:
            yield writer.query(f"ALTER TABLE event ADD c{number} INT")
            continue
        if not writer.mariadb:
            yield writer.query("BEGIN", status=b"\1" + struct.pack("<Q", chosen.randrange(3)))
        for _ in range(chosen.randrange(1, 4)):
            yield writer.event(160 if writer.mariadb else 29, b"\3abc")
            tables = chosen.sample(["event", "account", "other"], chosen.randrange(1, 3))
            for place, table in enumerate(tables):
                yield writer.table_map(table, 5 + place)
            for place, _ in enumerate(tables):
                ends = place == len(tables) - 1
                kind = chosen.choice([23, 24, 25] if writer.mariadb else [30, 31, 32])
                yield writer.event(kind, sound_rows(kind, 5 + place, ends=ends))
            if shape == 1:
                yield writer.query("SAVEPOINT x")
        yield writer.query("COMMIT") if shape == 2 else writer.xid()


def everywhere(interest):
    return Wanted(lambda _: interest)


def sound_rows(kind, number, *, ends):
    """One row of one integer; an update has it twice."""
    updates = kind in (24, 31)
    extra = b"\2\0" if kind >= 30 else b""
    images = b"".join(b"\0" + struct.pack("<i", value) for value in range(1 + updates))
    return struct.pack("<IHH", number, 0, int(ends)) + extra + b"\1" + b"\1" * (1 + updates) + images


def state(read):
    tally = read.tally
    counted = (tally.events, tally.bytes, tally.transactions, dict(tally.changes), tally.last_commit)
    return (str(read.position), read.file, read.offset, *counted)


def as_packets(events):
    return [(len(event) + 1).to_bytes(3, "little") + b"\0\0" + event for event in events]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("interest", [Interest.counted, Interest.named, Interest.keyed])
@pytest.mark.parametrize("known", [False, True])
def test_both_paths_tell_the_same_after_every_event(flavour, interest, known):
    for seed in range(4):
        writer = Writer(mariadb=flavour == "mariadb", checksum=seed != 3)
        events = [writer.format(), *traffic(writer, seed)]
        options = {"gtids": MySQLGtidSet()} if known and flavour == "mysql" else {}
        careful, plain, packets = (reader(flavour, wanted=wanted(interest), **options) for _ in range(3))
        for event, packet in zip(events, as_packets(events), strict=True):
            expected = careful.feed(event)
            assert plain.take(event) == expected
            assert packets.take_packets(packet) == expected
            assert state(plain) == state(packets) == state(careful)
            assert not [found for found in expected if isinstance(found, Trouble)]


def test_the_time_of_commit_is_the_one_that_mysql_tells():
    writer = Writer()
    changes = reader("mysql").take(b"".join([writer.format(), *writer.insert(1), *writer.insert(2)]))
    assert [change.committed_at.timestamp() for change in changes] == [pytest.approx(1_700_000_000.123456)] * 2


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_portions_of_any_size_tell_the_same(flavour):
    writer = Writer(mariadb=flavour == "mariadb")
    events = [writer.format(), *traffic(writer, 7)]
    careful = reader(flavour)
    expected = [found for event in events for found in careful.feed(event)]
    assert len(expected) > 20
    for packets in (False, True):
        data = b"".join(as_packets(events) if packets else events)
        for size in (1, 7, 64, 1000, len(data)):
            portions = reader(flavour)
            take = portions.take_packets if packets else portions.take
            found = [item for at in range(0, len(data), size) for item in take(data[at : at + size])]
            assert (found, state(portions)) == (expected, state(careful))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_quick_path_does_the_bulk(flavour, monkeypatch):
    writer = Writer(mariadb=flavour == "mariadb")
    events = [writer.format(), *(event for number in range(1, 101) for event in writer.insert(number, "account"))]
    judged = []
    careful = BinlogReader._judge

    def judge(self, *given):
        judged.append(given)
        careful(self, *given)

    monkeypatch.setattr(BinlogReader, "_judge", judge)
    read = reader(flavour, gtids=None, wanted=wanted(Interest.counted))
    assert read.take(b"".join(events)) == []
    assert read.tally.events == len(events)
    assert read.tally.transactions == 100
    assert len(judged) < 10


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_any_damage_that_the_careful_path_sees_the_quick_one_sees(flavour):
    """Every event of a plain transaction in turn: dropped, doubled, swapped, of another type, with another byte."""
    writer = Writer(mariadb=flavour == "mariadb")
    start = [writer.format(), *writer.insert(1, "account")]
    middle, rest = writer.insert(2, "account"), writer.insert(3, "account")
    for index, event in enumerate(middle):
        retyped = event[:4] + bytes([99]) + event[5:]
        for damaged in ([], [event, event], [retyped], [event[:20] + bytes([event[20] ^ 1]) + event[21:]]):
            data = b"".join([*start, *middle[:index], *damaged, *middle[index + 1 :], *rest])
            read = reader(flavour, wanted=wanted(Interest.counted))
            found = [*read.take(data), *read.end()]
            assert any(isinstance(item, Trouble) for item in found), (index, damaged)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("missing", ["gtid", "begin", "map", "rows", "end"])
def test_what_is_left_out_is_seen_though_the_places_fit(flavour, missing):
    """As a forger or a broken copier would leave it."""
    writer = Writer(mariadb=flavour == "mariadb")
    if writer.mariadb and missing == "begin":
        missing = "end"
    events = [writer.format(), *writer.insert(1, "account")]
    parts = {
        "gtid": lambda: writer.gtid(2),
        "begin": lambda: writer.query("BEGIN"),
        "map": lambda: writer.table_map("account"),
        "rows": writer.rows,
        "end": writer.xid,
    }
    events += [make() for part, make in parts.items() if part != missing and (part != "begin" or not writer.mariadb)]
    events += writer.insert(3, "account")
    read = reader(flavour, wanted=wanted(Interest.counted))
    assert any(isinstance(item, Trouble) for item in read.take(b"".join(events)))


def test_after_damage_a_file_is_read_on_only_where_that_is_certain():
    writer = Writer()
    events = [writer.format(), *writer.insert(1), *writer.insert(2), *writer.insert(3)]
    damaged = bytearray(events[3])
    damaged[-1] ^= 1
    read = reader("mysql")
    found = [*read.take(b"".join([*events[:3], bytes(damaged), *events[4:]])), *read.end()]
    assert [item.transaction for item in found if isinstance(item, Change)] == [f"{SOURCE}:2", f"{SOURCE}:3"]
    sized = bytearray(events[3])
    sized[9] += 1
    read = reader("mysql")
    before = read.take(b"".join(events[:2]))
    boundary = str(read.position)
    found = [*read.take(b"".join([events[2], bytes(sized), *events[4:]])), *read.end()]
    assert before == []
    assert [item for item in found if isinstance(item, Change)] == []
    assert TroubleKind.corrupt in [item.kind for item in found]
    assert any("the rest of this file is not read" in item.message for item in found)
    assert str(read.position) == boundary
    following = Writer()
    assert [type(item) for item in read.next_file("b.000002")] == []
    found = read.take(b"".join([following.format(), *following.insert(4)]))
    assert [type(item) for item in found] == [Change]


def large_row(writer, size, *, kind=30):
    return writer.event(kind, Writer.rows_body() + bytes(size))


@pytest.mark.parametrize("packets", [False, True])
@pytest.mark.parametrize("size", [quick.LARGE + 100, 0xFFFFFF - 32, 40 << 20])
def test_a_large_row_is_read_in_portions(packets, size):
    writer = Writer()
    begin = [writer.format(), writer.gtid(1), writer.query("BEGIN"), writer.table_map()]
    events = [*begin, large_row(writer, size), writer.xid(), *writer.insert(2)]
    data = b"".join(map(in_packets, events) if packets else events)
    read = reader("mysql")
    take = read.take_packets if packets else read.take
    found = [item for at in range(0, len(data), 100_000) for item in take(data[at : at + 100_000])]
    assert [(item.transaction, item.tables[0].name) for item in found] == [
        (f"{SOURCE}:1", "event"),
        (f"{SOURCE}:2", "event"),
    ]
    assert str(read.position) == f"b.000001:{writer.at}"
    assert read.end() == []
    damaged = bytearray(data)
    damaged[len(data) // 2] ^= 4
    read = reader("mysql")
    take = read.take_packets if packets else read.take
    found = [item for at in range(0, len(data), 1 << 20) for item in take(bytes(damaged[at : at + (1 << 20)]))]
    assert TroubleKind.corrupt in [item.kind for item in found if isinstance(item, Trouble)]
    torn = reader("mysql")
    (torn.take_packets if packets else torn.take)(data[: len(data) // 2])
    assert TroubleKind.corrupt in [item.kind for item in torn.end()]


def in_packets(event):
    """As a server sends it: in parts of 16 MB, the last of which is shorter."""
    payload = b"\0" + event
    parts: list[bytes] = []
    while True:
        part, payload = payload[:0xFFFFFF], payload[0xFFFFFF:]
        parts.append(len(part).to_bytes(3, "little") + bytes([len(parts) % 256]) + part)
        if len(part) < 0xFFFFFF:
            return b"".join(parts)


def test_a_large_statement_is_told_and_called_opaque():
    writer = Writer()
    text = "DROP TABLE event /* " + "x" * (quick.LARGE + 10) + " */"
    events = [writer.format(), writer.gtid(1), writer.query(text), *writer.insert(2)]
    found = reader("mysql").take(b"".join(events))
    assert [item.kind for item in found if isinstance(item, Trouble)] == [TroubleKind.opaque]
    changes = [item for item in found if isinstance(item, Change)]
    assert [change.tables[0].name for change in changes] == ["event", "event"]
    assert len(changes[0].statement or "") <= KEPT


def payload(events, plain_size=None):
    plain = b"".join(events)
    data = zstandard.ZstdCompressor(write_content_size=False).compress(plain)
    fields = b"\2\1\0" + b"\1\x09\xfe" + struct.pack("<Q", len(data))
    size = len(plain) if plain_size is None else plain_size
    return fields + b"\3\x09\xfe" + struct.pack("<Q", size) + b"\0" + data


def inside(writer, *, rows, size=0, noise=False):
    body = Writer.rows_body() + (random.Random(1).randbytes(size) if noise else bytes(size))
    events = [writer.inner(2, Writer.query_body(b"BEGIN")), writer.inner(19, Writer.map_body())]
    return [*events, *[writer.inner(30, body)] * rows, writer.inner(16, bytes(8))]


@pytest.mark.parametrize(("size", "noise"), [(60 << 20, False), (9 << 20, True)])
def test_a_compressed_transaction_of_any_size_is_read(size, noise):
    """A few bytes that unpack to very many, and an event that is too large to be held itself."""
    writer = Writer()
    whole = payload(inside(writer, rows=1, size=size, noise=noise))
    assert (len(whole) > quick.LARGE) is noise
    events = [writer.format(), writer.gtid(1), writer.event(40, whole), *writer.insert(2)]
    data = b"".join(events)
    read = reader("mysql", gtids=MySQLGtidSet())
    found = [item for at in range(0, len(data), 300_000) for item in read.take(data[at : at + 300_000])]
    assert [item.transaction for item in found] == [f"{SOURCE}:1", f"{SOURCE}:2"]
    assert str(read.position) == f"{SOURCE}:1-2"


def test_what_a_compressed_transaction_lacks_is_seen():
    for size in (-1, 1):
        writer = Writer()
        events = inside(writer, rows=2)
        body = payload(events, sum(map(len, events)) + size)
        found = reader("mysql").take(b"".join([writer.format(), writer.gtid(1), writer.event(40, body)]))
        assert TroubleKind.corrupt in [item.kind for item in found if isinstance(item, Trouble)]


def test_places_wrap_at_four_gigabytes():
    for distance in range(0, 400, 3):
        writer = Writer()
        form = writer.format()
        writer.at = begins = (1 << 32) - distance
        events = writer.insert(1, "account")
        for interest in (Interest.counted, Interest.named):
            read = reader("mysql", wanted=everywhere(interest))
            read.take(form)
            read._standing.offset = begins
            found = read.take(b"".join(events))
            assert not [item for item in found if isinstance(item, Trouble)], distance
            assert read.offset == writer.at


@pytest.mark.parametrize(("flavour", "counted", "hole"), [
    ("mysql", "1-3", False), ("mysql", "1-4", True), ("mysql", "1-2", True),
    ("mariadb", 3, False), ("mariadb", 4, True), ("mariadb", 2, True),
])  # fmt: skip
def test_a_file_whose_head_counts_something_else_is_a_gap(flavour, counted, hole):
    def head(writer, known):
        if flavour == "mysql":
            return writer.event(35, MySQLGtidSet.parse(f"{SOURCE}:{known}").encode())
        return writer.event(163, struct.pack("<I", 1) + struct.pack("<IIQ", 7, 1, known))

    first, second = (Writer(mariadb=flavour == "mariadb") for _ in range(2))
    start = [
        first.format(),
        head(first, 1),
        *first.insert(2),
        *first.insert(3),
        first.rotate("b.000002", artificial=False),
    ]
    read = reader(flavour)
    assert not [
        item for item in [*read.take(b"".join(start)), *read.next_file("b.000002")] if isinstance(item, Trouble)
    ]
    found = read.take(b"".join([second.format(), head(second, counted), *second.insert(5)]))
    assert [item.kind for item in found if isinstance(item, Trouble)] == [TroubleKind.gap] * hole


@pytest.mark.parametrize("rotates", [False, True])
def test_a_file_that_is_left_out_is_a_gap(rotates):
    writer = Writer()
    events = [writer.format(), *writer.insert(1), *([writer.rotate("b.000002", artificial=False)] if rotates else [])]
    for name, hole in (("b.000002", False), ("b.000003", True)):
        read = reader("mysql")
        read.take(b"".join(events))
        assert [item.kind for item in read.next_file(name)] == [TroubleKind.gap] * hole


def prepared(writer, number, *, at_once=False, kind=33):
    """MariaDB's GTID says that it is prepared, MySQL has it said by a statement."""
    xid = "X'78',X'',1"
    begin = (
        [writer.gtid(number, flags=0x40)]
        if writer.mariadb
        else [writer.gtid(number, kind=kind), writer.query(f"XA START {xid}")]
    )
    end = struct.pack("<BIII", at_once, 1, 1, 0) + b"x"
    return [*begin, writer.table_map(), writer.rows(), writer.query(f"XA END {xid}"), writer.event(38, end)]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("word", ["COMMIT", "ROLLBACK"])
def test_what_becomes_of_a_prepared_transaction_is_told(flavour, word):
    writer = Writer(mariadb=flavour == "mariadb")
    name = "7-1-1" if writer.mariadb else f"{SOURCE}:1"
    events = [writer.format(), *prepared(writer, 1), *writer.insert(2)]
    events += [writer.gtid(3, flags=1), writer.query(f"XA {word} X'78',X'',1")]
    change, other, end = reader(flavour).take(b"".join(events))
    assert (change.pending, change.transaction, other.pending) == (True, name, False)
    assert isinstance(end, TransactionEnd)
    assert (end.transaction, end.committed) == (name, word == "COMMIT")
    late = Writer(mariadb=writer.mariadb)
    events = [late.format(), late.gtid(3, flags=1), late.query(f"XA {word} X'78',X'',1")]
    found = reader(flavour).take(b"".join(events))
    assert [item.kind for item in found] == [TroubleKind.opaque] * (word == "COMMIT")


def test_a_prepared_transaction_without_gtid_goes_by_its_own_name():
    writer = Writer()
    events = [writer.format(), *prepared(writer, 0, kind=34), writer.gtid(0, kind=34)]
    change, end = reader("mysql").take(b"".join([*events, writer.query("XA ROLLBACK X'78',X'',1")]))
    assert (change.pending, change.transaction, end.transaction) == (True, "XA X'78',X'',1", change.transaction)
    assert end.committed is False


def test_a_transaction_that_is_prepared_and_committed_at_once_is_told_so():
    writer = Writer()
    events = [writer.format(), *prepared(writer, 1, at_once=True)]
    change, end = reader("mysql").take(b"".join(events))
    assert (change.pending, end.transaction, end.committed) == (True, change.transaction, True)


def test_nothing_at_or_behind_the_stop_is_taken_in():
    for interest in (Interest.counted, Interest.named):
        writer = Writer()
        start = [writer.format(), *writer.insert(1)]
        stop = writer.at
        read = reader("mysql", wanted=wanted(interest))
        read.stop_at("b.000001", stop)
        found = read.take(b"".join([*start, *writer.insert(2)]))
        assert (len(found), read.offset, read.tally.transactions) == (int(interest), stop, 1)
