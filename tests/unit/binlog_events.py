"""Binlog events made by hand, for tests of what real servers do not write on demand: damage and the unknown."""

from __future__ import annotations

import struct
import zlib
from uuid import UUID

from replguard.engines.binlog.events import HEADER, HEADER_SIZE

SOURCE = UUID("3e11fa47-71ca-11e1-9e33-c80aa9429562")


class Writer:
    """A file of events; ``at`` is where the next one goes."""

    def __init__(self, *, checksum=True, mariadb=False):
        self.at = 4
        self.checksum = checksum
        self.mariadb = mariadb

    def event(self, kind, body=b"", *, flags=0, server_id=1, artificial=False, checksum=None):
        crc = self.checksum if checksum is None else checksum
        size = HEADER_SIZE + len(body) + (4 if crc else 0)
        if not artificial:
            self.at += size
        raw = HEADER.pack(1_700_000_000, kind, server_id, size, 0 if artificial else self.at & 0xFFFFFFFF, flags) + body
        return raw + struct.pack("<I", zlib.crc32(raw)) if crc else raw

    def inner(self, kind, body=b""):
        return HEADER.pack(1_700_000_000, kind, 1, HEADER_SIZE + len(body), 77, 0) + body

    def format(self):
        version = b"10.11.19-MariaDB-log" if self.mariadb else b"9.7.4"
        lengths = bytes([13] * 18 + [8] + [10] * 150)
        body = struct.pack("<H50sIB", 4, version, 0, HEADER_SIZE) + lengths + bytes([self.checksum])
        return self.event(15, body, checksum=True)

    def rotate(self, name="b.000001", position=4, *, artificial=True):
        self.at = 4 if artificial else self.at
        return self.event(
            4, struct.pack("<Q", position) + name.encode(), flags=0x20 * artificial, artificial=artificial
        )

    def gtid(self, number=1, *, flags=0, kind=33):
        if self.mariadb:
            return self.event(162, struct.pack("<QIB", number, 7, flags) + bytes(6))
        return self.event(
            kind,
            b"\1"
            + SOURCE.bytes
            + struct.pack("<Q", number)
            + b"\2"
            + bytes(16)
            + struct.pack("<Q", (1 << 55) + 1_700_000_000_123_456)[:7],
        )

    def query(self, text, schema="st", *, kind=2, status=b"", compressed=False):
        data = text if isinstance(text, bytes) else text.encode()
        if compressed:
            data = bytes([0x84]) + struct.pack(">I", len(data)) + zlib.compress(data)
        return self.event(kind, self.query_body(data, schema, status))

    @staticmethod
    def query_body(data, schema="st", status=b""):
        head = struct.pack("<IIBHH", 1, 0, len(schema), 0, len(status))
        return head + status + schema.encode() + b"\0" + data

    @staticmethod
    def map_body(table="event", number=5):
        name = table.encode()
        return struct.pack("<IHH", number, 0, 1) + b"\2st\0" + bytes([len(name)]) + name + b"\0\1\3\0\0"

    def table_map(self, table="event", number=5):
        return self.event(19, self.map_body(table, number))

    @staticmethod
    def rows_body(number=5, *, ends=True):
        return struct.pack("<IHH", number, 0, int(ends)) + b"\2\0\1\1\0"

    def rows(self, kind=30, number=5, *, ends=True):
        return self.event(kind, self.rows_body(number, ends=ends))

    def xid(self):
        return self.event(16, bytes(8))

    def start(self):
        return [self.rotate(), self.format()]

    def insert(self, number=1, table="event"):
        begin = [self.gtid(number), *([] if self.mariadb else [self.query("BEGIN")])]
        return [*begin, self.table_map(table), self.rows(), self.xid()]
