"""The decoder of pgoutput's messages: every kind, and nothing that is not one."""

from __future__ import annotations

import struct
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replguard.engines.postgresql.pgoutput import (
    Begin,
    Commit,
    Decoder,
    LogicalMessage,
    MalformedMessage,
    Origin,
    RelationMessage,
    RowChange,
    Truncate,
    TypeMessage,
    UnknownMessage,
)


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


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data):
    decoder = Decoder()
    decoder.decode(relation())
    with suppress(MalformedMessage):
        decoder.decode(data)
