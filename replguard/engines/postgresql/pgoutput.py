"""The wire format of ``pgoutput``, protocol versions 1 to 4: bytes in, messages out, no connection.

Source: "Logical Replication Message Formats" in PostgreSQL's documentation. A message that is not of the version asked
for, is cut short or runs on is an error, never skipped. Between :class:`StreamStart` and :class:`StreamStop` most
messages carry the id of the (sub)transaction behind their first byte, so a decoder must be given every message, in
order, but for rows of tables that nobody wants to know about.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from replguard.engines.postgresql.messages import (
    Begin,
    BeginPrepare,
    Commit,
    LogicalMessage,
    Message,
    Origin,
    Prepare,
    PreparedEnd,
    RelationColumn,
    RelationMessage,
    RowChange,
    StreamAbort,
    StreamCommit,
    StreamStart,
    StreamStop,
    Truncate,
    Tuple,
    TypeMessage,
)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
IDENTITY_FULL = "f"
_IN_STREAMS = frozenset("RYIUDTM")
"""Kinds that carry a transaction id inside a stream."""
_NEEDS = {"S": 2, "E": 2, "c": 2, "A": 2, "b": 3, "P": 3, "K": 3, "r": 3, "p": 3}
_BETWEEN_STREAMS = frozenset("SBCcAbPKrp")
"""Kinds that cannot stand inside a stream."""


class MalformedMessage(Exception):  # noqa: N818 - said to the stream, never shown as a traceback
    """The bytes are no message of the protocol version asked for."""


class UnknownMessage(MalformedMessage):
    """The first byte names no message that this version has."""


def moment(micros: int) -> datetime:
    """A time of the wire: microseconds since 2000. OverflowError for what no calendar has."""
    return _EPOCH + timedelta(microseconds=micros)


def skim(data: bytes, at: int, columns: int, places: tuple[int, ...]) -> list[bytes | None] | None:
    """The values at some places of the tuple that ends ``data``; None where one of them is an unchanged TOAST value.

    The short way through a tuple for who only wants its key: it is walked to its end all the same.
    """
    size = len(data)
    if size < at + 2 or data[at] << 8 | data[at + 1] != columns:
        raise MalformedMessage("a tuple of another number of columns")
    at += 2
    found: dict[int, bytes | None] = {}
    for place in range(columns):
        mark = data[at] if at < size else 0
        if mark in (0x74, 0x62):
            start = at + 5
            at = start + int.from_bytes(data[at + 1 : start], "big")
            if start > size:
                break
            if place in places:
                found[place] = data[start:at]
        elif mark == 0x6E:
            at += 1
            found[place] = None
        elif mark == 0x75:
            at += 1
        else:
            raise MalformedMessage(f"a value of kind {mark:#x}")
    if at != size:
        raise MalformedMessage("a tuple does not end where its message ends")
    return [found[place] for place in places] if all(place in found for place in places) else None


class _Reader:
    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise MalformedMessage("the message is cut short")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def integer(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def time(self) -> datetime:
        return moment(int.from_bytes(self.take(8), "big", signed=True))

    def text(self) -> str:
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise MalformedMessage("a name has no end")
        piece = self._data[self._at : end]
        self._at = end + 1
        return piece.decode("utf-8", "surrogateescape")

    def no_flags(self) -> None:
        flags = self.integer(1)
        if flags:
            raise MalformedMessage(f"flags {flags:#x}, of which none is known")

    def flags(self, known: int) -> int:
        flags = self.integer(1)
        if flags & ~known:
            raise MalformedMessage(f"flags {flags:#x}, of which only {known:#x} are known")
        return flags

    def row(self, relation: RelationMessage) -> Tuple:
        """One tuple. The hot path for rows that somebody wants to see."""
        data, at = self._data, self._at
        values: Tuple = {}
        count = int.from_bytes(data[at : at + 2], "big")
        if count != len(relation.columns):
            raise MalformedMessage(f"{count} values for {len(relation.columns)} columns of {relation.name}")
        at += 2
        for column in relation.columns:
            mark = data[at : at + 1]
            if mark in (b"t", b"b"):
                start = at + 5
                at = start + int.from_bytes(data[at + 1 : start], "big")
                if at > len(data) or start > len(data):
                    raise MalformedMessage("the message is cut short")
                values[column.name] = data[start:at]
                continue
            at += 1
            if mark == b"n":
                values[column.name] = None
            elif mark != b"u":
                raise MalformedMessage(f"a value of kind {mark!r}")
        self._at = at
        return values

    def finish(self) -> None:
        if self._at != len(self._data):
            raise MalformedMessage(f"{len(self._data) - self._at} bytes follow the message's end")


class Decoder:
    """Messages of one stream; it remembers the relations that were described, and whether a stream is open."""

    def __init__(self, version: int = 1, *, parallel: bool = False) -> None:
        self._version = version
        self._parallel = parallel
        self._relations: dict[int, RelationMessage] = {}
        self.streamed: int | None = None
        """The transaction whose part is being streamed."""

    def decode(self, data: bytes) -> Message:
        """One message. MalformedMessage for anything that is not exactly one of the version."""
        if not data:
            raise MalformedMessage("the message is empty")
        kind = chr(data[0])
        reader = _Reader(data, 1)
        if self._version < _NEEDS.get(kind, 1):
            raise UnknownMessage(f"a message of kind {kind!r} is not known in protocol version {self._version}")
        if self.streamed is not None and kind in _BETWEEN_STREAMS:
            raise MalformedMessage(f"a message of kind {kind!r} within a streamed part of transaction {self.streamed}")
        xid = reader.integer(4) if self.streamed is not None and kind in _IN_STREAMS else None
        try:
            message = self._message(kind, reader, xid)
        except (ValueError, OverflowError) as error:
            raise MalformedMessage(str(error)) from error
        reader.finish()
        self._remember(message)
        return message

    def _remember(self, message: Message) -> None:
        """Only a message that was whole changes what is known."""
        if isinstance(message, RelationMessage):
            self._relations[message.oid] = message
        elif isinstance(message, StreamStart):
            self.streamed = message.xid
        elif isinstance(message, StreamStop):
            self.streamed = None

    def _message(self, kind: str, reader: _Reader, xid: int | None) -> Message:
        if kind in "IUD":
            return self._row(kind, reader, xid)
        if kind == "B":
            return Begin(reader.integer(8), reader.time(), reader.integer(4))
        if kind == "C":
            reader.no_flags()
            reader.take(8)
            return Commit(reader.integer(8), reader.time())
        if kind == "R":
            return _relation(reader)
        if kind == "T":
            return self._truncate(reader, xid)
        if kind == "O":
            reader.take(8)
            return Origin(reader.text())
        if kind == "Y":
            oid = reader.integer(4)
            reader.text()
            reader.text()
            return TypeMessage(oid)
        if kind == "M":
            return _logical(reader)
        return self._stream_message(kind, reader)

    def _stream_message(self, kind: str, reader: _Reader) -> Message:
        if kind == "S":
            return StreamStart(reader.integer(4), bool(reader.flags(1)))
        if kind == "E" and self.streamed is None:
            raise MalformedMessage("a streamed part ends that has not begun")
        if kind == "E":
            return StreamStop()
        if kind == "c":
            xid = reader.integer(4)
            reader.no_flags()
            reader.take(8)
            return StreamCommit(xid, reader.integer(8), reader.time())
        if kind == "A":
            abort = StreamAbort(reader.integer(4), reader.integer(4))
            reader.take(16 if self._parallel else 0)
            return abort
        return _two_phase(kind, reader)

    def _known(self, oid: int) -> RelationMessage:
        if oid not in self._relations:
            raise MalformedMessage(f"relation {oid} was never described")
        return self._relations[oid]

    def _row(self, kind: str, reader: _Reader, xid: int | None) -> RowChange:
        relation = self._known(reader.integer(4))
        old = new = None
        whole = False
        mark = chr(reader.integer(1))
        if mark in "KO" and kind != "I":
            whole = mark == "O"
            old = reader.row(relation)
            if not whole:
                old = {column.name: old[column.name] for column in relation.columns if _in_key(column, old)}
            mark = chr(reader.integer(1)) if kind == "U" else ""
        if mark == "N" and kind != "D":
            new = reader.row(relation)
        elif mark:
            raise MalformedMessage(f"a tuple of kind {mark!r} in a message {kind!r}")
        return RowChange(kind, relation, old, new, whole, xid)

    def _truncate(self, reader: _Reader, xid: int | None) -> Truncate:
        count, options = reader.integer(4), reader.flags(3)
        relations = tuple(self._known(reader.integer(4)) for _ in range(count))
        return Truncate(relations, bool(options & 1), bool(options & 2), xid)


def _in_key(column: RelationColumn, values: Tuple) -> bool:
    return column.in_identity and column.name in values


def _relation(reader: _Reader) -> RelationMessage:
    oid = reader.integer(4)
    schema = reader.text() or "pg_catalog"
    name, identity = reader.text(), chr(reader.integer(1))
    if identity not in "dnfi":
        raise MalformedMessage(f"a replica identity of kind {identity!r}")
    columns = []
    for _ in range(reader.integer(2)):
        flags = reader.flags(1)
        column, type_oid = reader.text(), reader.integer(4)
        reader.take(4)
        columns.append(RelationColumn(column, type_oid, bool(flags)))
    return RelationMessage(oid, schema, name, identity, tuple(columns))


def _logical(reader: _Reader) -> LogicalMessage:
    flags = reader.flags(1)
    reader.take(8)
    prefix = reader.text()
    reader.take(reader.integer(4))
    return LogicalMessage(prefix, bool(flags))


def _two_phase(kind: str, reader: _Reader) -> Message:
    if kind == "b":
        begin, end, at = reader.integer(8), reader.integer(8), reader.time()
        return BeginPrepare(begin, end, at, reader.integer(4), reader.text())
    if kind not in "PpKr":
        raise UnknownMessage(f"a message of kind {kind!r} is not known")
    reader.no_flags()
    reader.take(8)
    end = reader.integer(8)
    if kind == "r":
        reader.take(8)
    at, xid, gid = reader.time(), reader.integer(4), reader.text()
    if kind in "Pp":
        return Prepare(end, xid, gid, kind == "p")
    return PreparedEnd(kind == "K", end, at, xid, gid)
