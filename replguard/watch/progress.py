"""How a watch is getting on, for whoever looks on while it runs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from replguard.model.findings import Finding
    from replguard.watch.readings import Reading

EVERY = 0.25
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """One stream now. ``heard_seconds`` is since when nothing came, heartbeats included; None while it is lost."""

    name: str
    cluster: str
    position: str | None
    events: int
    bytes: int
    tables: dict[str, int]
    last_commit: datetime | None
    caught_up: bool
    heard_seconds: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """All streams, and what was found so far, by severity and by the table of a leak."""

    seconds: float
    streams: tuple[StreamProgress, ...]
    found: dict[str, int]
    leaks: dict[str, int]
    suspected: int


@dataclass(slots=True)
class Looker:
    """Counts what was found, and tells how it goes at most every ``EVERY`` seconds."""

    tell: Callable[[Progress], None]
    begun: float = field(default_factory=time.monotonic)
    found: Counter[str] = field(default_factory=Counter)
    leaks: Counter[str] = field(default_factory=Counter)
    _told_at: float = 0.0

    def count(self, finding: Finding) -> None:
        if finding.evidence.get("suspected"):
            return
        times = int(finding.evidence.get("count", 1))
        self.found[finding.severity.value] += times
        if finding.code.startswith("leak."):
            self.leaks[f"{finding.schema}.{finding.table}"] += times

    def look(self, readings: Iterable[Reading], *, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now - self._told_at < EVERY:
            return
        self._told_at = now
        listed = tuple(readings)
        suspected = sum(len(reading.suspects) for reading in listed)
        streams = tuple(_stream(reading, now) for reading in listed)
        self.tell(Progress(now - self.begun, streams, dict(self.found), dict(self.leaks), suspected))


def _stream(reading: Reading, now: float) -> StreamProgress:
    tally = reading.stream.tally if reading.stream else None
    tables = Counter(reading.tables)
    if tally:
        tables.update({str(name): count for name, count in tally.changes.items()})
    return StreamProgress(
        reading.name,
        reading.cluster,
        reading.position.text if reading.position else None,
        reading.events + (tally.events if tally else 0),
        reading.bytes + (tally.bytes if tally else 0),
        dict(tables),
        tally.last_commit if tally else None,
        bool(reading.stream and reading.stream.caught_up),
        max(now - tally.heard, 0.0) if tally else None,
    )
