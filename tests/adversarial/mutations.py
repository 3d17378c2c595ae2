"""Damage done to a binlog file: by chance (bits, torn ends) and by a forger who mends what he can compute.

The small forger recomputes the checksum of the event that he touched. The large forger also moves every later event to
where it now belongs, so that sizes, places and checksums of the whole file agree; only meaning can betray him.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.events import HEADER, HEADER_SIZE
from tests.adversarial.reading import HEAD, events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FIELDS = ("timestamp", "type", "server_id", "size", "end_pos", "flags")
_CRC = 4
FORMAT_DESCRIPTION = 15


@dataclass(frozen=True)
class Event:
    """An event taken apart; ``crc`` says whether a checksum is to be put behind it."""

    timestamp: int
    type: int
    server_id: int
    size: int
    end_pos: int
    flags: int
    body: bytes
    crc: bool

    @property
    def raw(self) -> bytes:
        head = HEADER.pack(*(getattr(self, name) for name in _FIELDS))
        whole = head + self.body
        return whole + struct.pack("<I", zlib.crc32(whole)) if self.crc else whole

    @property
    def length(self) -> int:
        return HEADER_SIZE + len(self.body) + _CRC * self.crc

    def but(self, **changes: Any) -> Event:
        """The event with these fields changed and its checksum made anew."""
        return replace(self, **changes)

    def at(self, offset: int) -> Event:
        """The event as it would stand at this offset."""
        return replace(self, size=self.length, end_pos=offset + self.length)


def parsed(data: bytes) -> list[Event]:
    """The events of a sound file."""
    found: list[Event] = []
    crc = True
    for raw in events(data):
        fields = HEADER.unpack_from(raw)
        if fields[1] == FORMAT_DESCRIPTION:
            crc = raw[-_CRC - 1] == 1
        mine = crc or fields[1] == FORMAT_DESCRIPTION
        body = raw[HEADER_SIZE : len(raw) - _CRC * mine]
        found.append(Event(**dict(zip(_FIELDS, fields, strict=True)), body=body, crc=mine))
    return found


def written(found: Iterable[Event], magic: bytes = b"\xfebin") -> bytes:
    """A file of these events as they are."""
    return magic + b"".join(event.raw for event in found)


def laid(found: Iterable[Event]) -> bytes:
    """A file of these events, each moved to where it stands now: the large forger's."""
    out, at = [], HEAD
    for event in found:
        placed = event.at(at)
        out.append(placed)
        at = placed.end_pos
    return written(out)


def without(found: Sequence[Event], index: int) -> list[Event]:
    return [*found[:index], *found[index + 1 :]]


def doubled(found: Sequence[Event], index: int) -> list[Event]:
    return [*found[: index + 1], *found[index:]]


def swapped(found: Sequence[Event], index: int, other: int) -> list[Event]:
    order = list(found)
    order[index], order[other] = order[other], order[index]
    return order


def changed(found: Sequence[Event], index: int, **fields: Any) -> list[Event]:
    """One event with other fields, its checksum mended."""
    return [*found[:index], found[index].but(**fields), *found[index + 1 :]]


def flipped(data: bytes, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)
