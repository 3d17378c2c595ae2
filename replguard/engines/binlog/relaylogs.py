"""A relay log as the stream that its server received: what that server wrote into it itself is taken out.

A relay log is the source's events as they came, with the source's own places (``end_pos``), between a format
description, PREVIOUS_GTIDS, rotate and stop of the relay log's own, which carry a flag (see
:data:`~replguard.engines.binlog.events.FLAG_RELAY`). A new file in the middle of what is received repeats the
source's format description, marked as artificial: the table maps of an open statement hold across it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from replguard.engines.binlog.events import (
    CRC_SIZE,
    FLAG_ARTIFICIAL,
    FLAG_RELAY,
    HEADER,
    HEADER_SIZE,
    MariaDBEvent,
    MySQLEvent,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN_TYPES = frozenset(
    {
        MySQLEvent.FORMAT_DESCRIPTION,
        MySQLEvent.PREVIOUS_GTIDS,
        MariaDBEvent.GTID_LIST,
        MySQLEvent.ROTATE,
        MySQLEvent.STOP,
    }
)
_LARGEST_OWN = 16 << 20
_FOR_EVER = 1 << 62
"""Where an event is shorter than its header nobody knows where the next begins: the reader gets the rest, and tells."""


class Piece(NamedTuple):
    """Bytes of a relay log: one whole event of its own, or a run of the source's events (cut anywhere)."""

    at: int
    own: bool
    data: bytes


@dataclass(slots=True)
class Splitter:
    """Splits one relay log, in portions, into what is its own and what came from the source.

    ``format`` is the source's last format description, handed on from file to file. ``torn`` says that an event has not
    ended yet.
    """

    at: int
    format: bytes = b""
    _rest: bytes = b""
    _left: int = 0

    @property
    def torn(self) -> bool:
        return bool(self._left or self._rest)

    def take(self, portion: bytes) -> Iterator[Piece]:
        """The pieces of the next portion."""
        data, base = self._rest + portion, self.at
        begin, at = 0, min(self._left, len(data))
        self._left -= at
        while len(data) - at >= HEADER_SIZE:
            _, kind, _, size, end_pos, flags = HEADER.unpack_from(data, at)
            if size < HEADER_SIZE:
                at += _FOR_EVER
            elif not _is_special(kind, size, flags):
                at += size
            elif at + size > len(data):
                break
            else:
                # What came before is told first: a format description holds for what follows it.
                yield from _run(base, begin, data[begin:at])
                begin = at
                if self._is_own(kind, data[at : at + size], flags, end_pos):
                    yield Piece(base + at, own=True, data=data[at : at + size])
                    begin = at + size
                at += size
        self._left = max(self._left, at - len(data))
        at = min(at, len(data))
        yield from _run(base, begin, data[begin:at])
        self._rest = data[at:]
        self.at = base + at

    def rest(self) -> bytes:
        """What came and could not be told yet: the beginning of an event that has not ended."""
        rest, self._rest = self._rest, b""
        return rest

    def _is_own(self, kind: int, event: bytes, flags: int, end_pos: int) -> bool:
        if flags & FLAG_RELAY:
            return True
        body = event[HEADER_SIZE:-CRC_SIZE]
        repeated = flags & FLAG_ARTIFICIAL and not end_pos and body == self.format
        self.format = body if kind == MySQLEvent.FORMAT_DESCRIPTION else self.format
        return bool(repeated)


def _run(base: int, begin: int, data: bytes) -> Iterator[Piece]:
    if data:
        yield Piece(base + begin, own=False, data=data)


def _is_special(kind: int, size: int, flags: int) -> bool:
    """Whether the event must be looked at as a whole: it may be the relay log's own, or repeated by it."""
    if size > _LARGEST_OWN:
        return False
    return kind == MySQLEvent.FORMAT_DESCRIPTION or bool(flags & FLAG_RELAY and kind in _OWN_TYPES)
