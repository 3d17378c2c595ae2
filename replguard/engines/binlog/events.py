"""Events of a binlog: framing, header, checksum, and the format description that says how a file is written.

Source: the servers' public descriptions of the binlog format, version 4. An event is 19 bytes of header, a body, and
four bytes of CRC32 where the file's format description says so. What bodies mean is read elsewhere.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Flavour = Literal["mysql", "mariadb"]

HEADER = struct.Struct("<IBIIIH")
HEADER_SIZE = HEADER.size
CRC_SIZE = 4
FLAG_IN_USE = 0x0001
FLAG_ARTIFICIAL = 0x0020
FLAG_RELAY = 0x0040
FLAG_IGNORABLE = 0x0080
FLAG_SKIP_REPLICATION = 0x8000
"""MariaDB's @@skip_replication; MySQL does not set it."""


class MySQLEvent(IntEnum):
    """Event types of MySQL 5.6 to 9.x; the first 32 are MariaDB's too."""

    QUERY = 2
    STOP = 3
    ROTATE = 4
    INTVAR = 5
    APPEND_BLOCK = 9
    DELETE_FILE = 11
    RAND = 13
    USER_VAR = 14
    FORMAT_DESCRIPTION = 15
    XID = 16
    BEGIN_LOAD_QUERY = 17
    EXECUTE_LOAD_QUERY = 18
    TABLE_MAP = 19
    WRITE_ROWS_V1 = 23
    UPDATE_ROWS_V1 = 24
    DELETE_ROWS_V1 = 25
    INCIDENT = 26
    HEARTBEAT = 27
    IGNORABLE = 28
    ROWS_QUERY = 29
    WRITE_ROWS = 30
    UPDATE_ROWS = 31
    DELETE_ROWS = 32
    GTID = 33
    ANONYMOUS_GTID = 34
    PREVIOUS_GTIDS = 35
    TRANSACTION_CONTEXT = 36
    VIEW_CHANGE = 37
    XA_PREPARE = 38
    PARTIAL_UPDATE_ROWS = 39
    TRANSACTION_PAYLOAD = 40
    HEARTBEAT_V2 = 41
    GTID_TAGGED = 42


class MariaDBEvent(IntEnum):
    """Event types that MariaDB has of its own."""

    ANNOTATE_ROWS = 160
    BINLOG_CHECKPOINT = 161
    GTID = 162
    GTID_LIST = 163
    START_ENCRYPTION = 164
    QUERY_COMPRESSED = 165
    WRITE_ROWS_COMPRESSED_V1 = 166
    UPDATE_ROWS_COMPRESSED_V1 = 167
    DELETE_ROWS_COMPRESSED_V1 = 168
    WRITE_ROWS_COMPRESSED = 169
    UPDATE_ROWS_COMPRESSED = 170
    DELETE_ROWS_COMPRESSED = 171


EventType = MySQLEvent | MariaDBEvent

# MySQL's numbers 33 to 42 mean nothing in a MariaDB binlog, but for the XA prepare, which both share.
_MARIADB_TYPES: dict[int, EventType] = {
    **{kind.value: kind for kind in MySQLEvent if kind < MySQLEvent.GTID or kind is MySQLEvent.XA_PREPARE},
    **{kind.value: kind for kind in MariaDBEvent},
}
_TYPES: dict[Flavour, dict[int, EventType]] = {
    "mysql": {kind.value: kind for kind in MySQLEvent},
    "mariadb": _MARIADB_TYPES,
}


class Damage(Exception):  # noqa: N818 - turned into a Trouble before it leaves the reader
    """The bytes are not what the format promises."""


class NotUnderstood(Exception):  # noqa: N818 - likewise
    """The bytes may be sound, but nobody here knows what they mean."""


def event_type(flavour: Flavour, number: int) -> EventType | None:
    """The type by its number; ``None`` where this flavour has none that is known here."""
    return _TYPES[flavour].get(number)


@dataclass(frozen=True, slots=True)
class Header:
    """The 19 bytes before every event; ``end_pos`` is where the next one begins, and 0 in artificial ones."""

    timestamp: int
    type: int
    server_id: int
    size: int
    end_pos: int
    flags: int

    @classmethod
    def of(cls, raw: bytes) -> Header:
        """Read and frame: raises Damage for an event that is torn."""
        if len(raw) < HEADER_SIZE:
            raise Damage(f"an event of {len(raw)} bytes is shorter than its header")
        header = cls(*HEADER.unpack_from(raw))
        if header.size != len(raw):
            raise Damage(f"an event says that it has {header.size} bytes, and {len(raw)} are there")
        return header

    @property
    def artificial(self) -> bool:
        return bool(self.flags & FLAG_ARTIFICIAL) or self.end_pos == 0


@dataclass(frozen=True, slots=True)
class Format:
    """A file's format description: checksum or not, and how long the fixed heads of bodies are, by type."""

    server_version: str
    checksum: bool
    head_lengths: bytes

    @property
    def plain(self) -> bool:
        """Whether tables have numbers of six bytes everywhere, as all but very old servers write them."""
        return 6 not in (self.head_length(kind) for kind in (19, *range(23, 26), *range(30, 33), 39, *range(166, 172)))

    def head_length(self, kind: int) -> int:
        return self.head_lengths[kind - 1] if 0 < kind <= len(self.head_lengths) else 0

    @classmethod
    def of(cls, raw: bytes) -> Format:
        """Read a whole format description event, which always carries a checksum of its own.

        Raises Damage, and NotUnderstood for a binlog that is not version 4 or has a checksum of another kind.
        """
        body = raw[HEADER_SIZE:]
        if len(body) < 57 + 1 + CRC_SIZE:
            raise Damage("the format description is too short")
        _verify(_as_closed(raw))
        version = int.from_bytes(body[:2], "little")
        if version != 4 or body[56] != HEADER_SIZE:
            raise NotUnderstood(f"binlog version {version} with headers of {body[56]} bytes")
        algorithm = body[-1 - CRC_SIZE]
        if algorithm not in (0, 1):
            raise NotUnderstood(f"checksum algorithm {algorithm}")
        server = body[2:52].rstrip(b"\0").decode("ascii", "replace")
        return cls(server, algorithm == 1, body[57 : -1 - CRC_SIZE])


def _as_closed(raw: bytes) -> bytes:
    """The event as it was when its checksum was made: without the mark of a file that is still written to."""
    flags = int.from_bytes(raw[17:19], "little") & ~FLAG_IN_USE
    return raw[:17] + flags.to_bytes(2, "little") + raw[19:]


def _verify(raw: bytes) -> None:
    view = memoryview(raw)
    if zlib.crc32(view[:-CRC_SIZE]) != int.from_bytes(view[-CRC_SIZE:], "little"):
        raise Damage("the checksum of an event is wrong")


def body_of(raw: bytes, *, checksum: bool) -> bytes:
    """The body between header and checksum; raises Damage for a wrong checksum."""
    if not checksum:
        return raw[HEADER_SIZE:]
    if len(raw) < HEADER_SIZE + CRC_SIZE:
        raise Damage("an event is too short for its checksum")
    _verify(raw)
    return raw[HEADER_SIZE:-CRC_SIZE]


def body_of_unknown_mode(raw: bytes) -> bytes:
    """The body of the artificial rotate before a file's format description: with a checksum or without."""
    try:
        return body_of(raw, checksum=True)
    except Damage:
        return raw[HEADER_SIZE:]


class Fields:
    """A walk over a body that raises Damage where the body ends too early."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def ended(self) -> bool:
        return self.at >= len(self.data)

    def take(self, size: int) -> bytes:
        end = self.at + size
        if size < 0 or end > len(self.data):
            raise Damage("the body of an event ends too early")
        found = self.data[self.at : end]
        self.at = end
        return found

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def packed(self) -> int:
        """A length-encoded integer of the client protocol."""
        first = self.number(1)
        if first < 251:
            return first
        sizes = {252: 2, 253: 3, 254: 8}
        if first not in sizes:
            raise Damage(f"{first} does not begin a length-encoded integer")
        return self.number(sizes[first])

    def varint(self) -> int:
        """MySQL's serialised integer: as many trailing ones in the first byte as bytes follow."""
        first = self.number(1)
        more = 0
        while more < 8 and first >> more & 1:
            more += 1
        if more == 8:
            return self.number(8)
        return (self.number(more) << (8 - more - 1)) | (first >> (more + 1))

    def signed_varint(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def text(self, size: int) -> str:
        try:
            return self.take(size).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Damage("a name in an event is not UTF-8") from error
