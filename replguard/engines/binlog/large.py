"""Events that are too large to be held in memory: checksummed as they come, of which only the beginning is kept.

A row may have gigabytes, and an event holds at least one row. Its head tells the table, and its first megabyte nearly
always the key.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from replguard.engines.binlog.events import HEADER_SIZE, Damage, Header
from replguard.engines.binlog.quick import RESIDUE

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = 1 << 20
WHOLE_PACKET = 0xFFFFFF
PACKET_MARK = 4


class LargeEvent:
    """Takes the bytes of one event, header included. ``sink`` is given the body's, checksum excluded, as they come."""

    def __init__(self, header: Header, *, checksum: bool, sink: Callable[[memoryview], None] | None = None) -> None:
        self.header = header
        self.checksum = checksum
        self.had = 0
        self._crc = 0
        self._kept = bytearray()
        self._sink = sink
        self._body_ends = header.size - (4 if checksum else 0)

    @property
    def missing(self) -> int:
        return self.header.size - self.had

    def take(self, part: memoryview) -> None:
        if self.checksum:
            self._crc = zlib.crc32(part, self._crc)
        if len(self._kept) < KEPT:
            self._kept += part[: KEPT - len(self._kept)]
        if self._sink is not None:
            first, last = max(0, HEADER_SIZE - self.had), self._body_ends - self.had
            if last > first:
                self._sink(part[first:last])
        self.had += len(part)

    def body(self) -> bytes:
        """The beginning of the body, when all is there. Raises Damage."""
        if self.missing:
            raise Damage(f"an event says that it has {self.header.size} bytes, and {self.had} are there")
        if self.checksum and self._crc != RESIDUE:
            raise Damage("the checksum of an event is wrong")
        return bytes(memoryview(self._kept)[HEADER_SIZE:])


class Packets:
    """The rest of an event that comes in several packets, the last of which is shorter than the others.

    ``left`` is what the current packet still has, its first byte (the mark of an event) already taken.
    """

    def __init__(self, size: int) -> None:
        self.left = size - 1
        self._last = size < WHOLE_PACKET

    def take(self, data: bytes, at: int, event: LargeEvent) -> tuple[int, bool]:
        """Hand the event its bytes; return where they end, and whether the event's last packet does too."""
        view = memoryview(data)
        while True:
            part = view[at : at + self.left]
            event.take(part)
            at += len(part)
            self.left -= len(part)
            if self.left or (not self._last and len(data) - at < PACKET_MARK):
                return at, False
            if self._last:
                return at, True
            self.left = int.from_bytes(data[at : at + 3], "little")
            self._last = self.left < WHOLE_PACKET
            at += PACKET_MARK
