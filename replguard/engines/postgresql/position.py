"""Log sequence numbers: their text, their order, and the end of a server's WAL."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from replguard.engines.postgresql.session import Session


def number(lsn: str | Position) -> int:
    """An LSN as a number, for comparing.

    >>> number("16/B374D848")
    97500059720
    """
    high, _, low = str(lsn).partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def lsn(value: int | str) -> Position:
    """A position from a number or from the server's text.

    >>> lsn(97500059720).text
    '16/B374D848'
    """
    text = value if isinstance(value, str) else f"{value >> 32:X}/{value & 0xFFFFFFFF:X}"
    return Position(PositionKind.lsn, text)


def wal_end(session: Session) -> Position:
    """The end of the WAL that holds every commit that any session was told of so far."""
    return flushed_end(session)[0]


def flushed_now(session: Session) -> Position:
    """The end of what is on disk: all commits below that do not wait for a standby are visible."""
    return lsn(session.row("wal_end", doing="reading the end of the WAL")["flushed"])


def flushed_end(session: Session) -> tuple[Position, bool]:
    """The same, and whether a record ends there: else it lies within one that is not on disk yet.

    An asynchronous commit is visible before it is on disk, and only what is on disk is sent. The WAL writer flushes it
    within three of its rounds; what is still not on disk then is no commit (an open transaction's rows), and nobody
    needs to wait for it. StatementError on a standby.
    """
    first = session.row("wal_end", doing="reading the end of the WAL")
    wanted = number(first["inserted"])
    deadline = time.monotonic() + 3.5 * first["writer_delay_ms"] / 1000
    now = first
    while number(now["flushed"]) < wanted and time.monotonic() < deadline:
        time.sleep(0.02)
        now = session.row("wal_end", doing="reading the end of the WAL")
    return lsn(now["flushed"]), number(now["flushed"]) >= wanted
