"""The wire format of ``pgoutput``, protocol version 1: bytes in, messages out, no connection.

Source: "Logical Replication Message Formats" in PostgreSQL's documentation. A message that is not of this version, is
cut short or runs on is an error, never skipped.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
IDENTITY_FULL = "f"

Tuple: TypeAlias = "dict[str, bytes | None]"
"""A tuple by column name; unchanged TOAST values are absent."""


class MalformedMessage(Exception):  # noqa: N818 - said to the stream, never shown as a traceback
    """The bytes are no message of protocol version 1."""


class UnknownMessage(MalformedMessage):
    """The first byte names no message that this version has."""


@dataclass(frozen=True, slots=True)
class RelationColumn:
    name: str
    type_oid: int
    in_identity: bool


@dataclass(frozen=True, slots=True)
class RelationMessage:
    oid: int
    schema: str
    name: str
    identity: str
    columns: tuple[RelationColumn, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """``final_lsn`` is where the transaction's commit stands."""

    final_lsn: int
    committed_at: datetime
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    end_lsn: int


@dataclass(frozen=True, slots=True)
class Origin:
    name: str


@dataclass(frozen=True, slots=True)
class TypeMessage:
    oid: int


@dataclass(frozen=True, slots=True)
class LogicalMessage:
    """Written by ``pg_logical_emit_message``: no table's change."""

    prefix: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """``kind`` is I, U or D; ``old`` holds the old key (or whole old row), ``new`` the new row."""

    kind: str
    relation: RelationMessage
    old: Tuple | None
    new: Tuple | None


@dataclass(frozen=True, slots=True)
class Truncate:
    relations: tuple[RelationMessage, ...]
    cascade: bool
    restart_identity: bool


Message: TypeAlias = "Begin | Commit | Origin | RelationMessage | TypeMessage | LogicalMessage | RowChange | Truncate"


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, length: int) -> bytes:
        end = self._at + length
        if length < 0 or end > len(self._data):
            raise MalformedMessage("the message is cut short")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def integer(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def signed(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big", signed=True)

    def text(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise MalformedMessage("a name has no end")
        piece = self._data[self._at : end]
        self._at = end + 1
        return piece.decode("utf-8", "surrogateescape")

    def finish(self) -> None:
        if self._at != len(self._data):
            raise MalformedMessage(f"{len(self._data) - self._at} bytes follow the message's end")


class Decoder:
    """Messages of one stream; it remembers the relations that were described."""

    def __init__(self) -> None:
        self._relations: dict[int, RelationMessage] = {}

    def decode(self, data: bytes) -> Message:
        """One message. MalformedMessage for anything that is not exactly one of version 1."""
        reader = _Reader(data)
        try:
            message = self._message(chr(reader.integer(1)), reader)
        except (UnicodeDecodeError, struct.error, OverflowError) as error:
            raise MalformedMessage(str(error)) from error
        reader.finish()
        return message

    def _message(self, kind: str, reader: _Reader) -> Message:
        if kind in "IUD":
            return self._row(kind, reader)
        if kind == "B":
            return Begin(reader.integer(8), _EPOCH + timedelta(microseconds=reader.signed(8)), reader.integer(4))
        if kind == "C":
            reader.take(1 + 8)
            end = reader.integer(8)
            reader.take(8)
            return Commit(end)
        if kind == "R":
            return self._relation(reader)
        if kind == "T":
            return self._truncate(reader)
        if kind == "O":
            reader.take(8)
            return Origin(reader.text())
        if kind == "Y":
            oid = reader.integer(4)
            reader.text()
            reader.text()
            return TypeMessage(oid)
        if kind == "M":
            reader.take(1 + 8)
            prefix = reader.text()
            reader.take(reader.integer(4))
            return LogicalMessage(prefix)
        raise UnknownMessage(f"a message of kind {kind!r} is not known")

    def _relation(self, reader: _Reader) -> RelationMessage:
        oid = reader.integer(4)
        schema = reader.text() or "pg_catalog"
        name, identity = reader.text(), chr(reader.integer(1))
        columns = []
        for _ in range(reader.integer(2)):
            flags = reader.integer(1)
            column, type_oid = reader.text(), reader.integer(4)
            reader.take(4)
            columns.append(RelationColumn(column, type_oid, bool(flags & 1)))
        message = RelationMessage(oid, schema, name, identity, tuple(columns))
        self._relations[oid] = message
        return message

    def _known(self, oid: int) -> RelationMessage:
        if oid not in self._relations:
            raise MalformedMessage(f"relation {oid} was never described")
        return self._relations[oid]

    def _row(self, kind: str, reader: _Reader) -> RowChange:
        relation = self._known(reader.integer(4))
        old = new = None
        mark = chr(reader.integer(1))
        if mark in "KO" and kind != "I":
            old = self._tuple(relation, reader)
            mark = chr(reader.integer(1)) if kind == "U" else ""
        if mark == "N" and kind != "D":
            new = self._tuple(relation, reader)
        elif mark:
            raise MalformedMessage(f"a tuple of kind {mark!r} in a message {kind!r}")
        return RowChange(kind, relation, old, new)

    def _tuple(self, relation: RelationMessage, reader: _Reader) -> Tuple:
        count = reader.integer(2)
        if count != len(relation.columns):
            raise MalformedMessage(f"{count} values for {len(relation.columns)} columns of {relation.name}")
        values: Tuple = {}
        for column in relation.columns:
            mark = chr(reader.integer(1))
            if mark == "n":
                values[column.name] = None
            elif mark in "tb":
                values[column.name] = reader.take(reader.integer(4))
            elif mark != "u":
                raise MalformedMessage(f"a value of kind {mark!r}")
        return values

    def _truncate(self, reader: _Reader) -> Truncate:
        count, options = reader.integer(4), reader.integer(1)
        relations = tuple(self._known(reader.integer(4)) for _ in range(count))
        return Truncate(relations, bool(options & 1), bool(options & 2))
