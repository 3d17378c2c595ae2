"""How far a comparison is, in tables and rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from replguard.diff.jobs import Job
    from replguard.model.chunks import KeyRange


@dataclass(frozen=True, slots=True)
class Progress:
    """Tables and rows that are done, of how many; ``rows`` is of the first cluster, and how many there are an estimate
    by the server's statistics, which is never less than what is done. ``table`` is the one in work.
    """

    table: str
    tables: int
    all_tables: int
    rows: int
    all_rows: int


def silent(_progress: Progress) -> None:
    """Nobody looks on."""


@dataclass(slots=True)
class Meter:
    """Counts what is summed, and tells it."""

    tell: Callable[[Progress], None]
    all_tables: int = 0
    expected: int = 0
    rows: int = 0
    _by_job: dict[int, int] = field(default_factory=dict)

    def expect(self, jobs: Iterable[Job]) -> None:
        """What lies ahead."""
        found = list(jobs)
        self.all_tables = len(found)
        self.expected = sum(job.estimate or 0 for job in found)

    def summed(self, job: Job, _within: KeyRange, rows: int) -> None:
        """Some more rows of a table were summed."""
        self.rows += rows
        self._by_job[id(job)] = self._by_job.get(id(job), 0) + rows
        done = max(len(self._by_job) - 1, 0)
        self.tell(Progress(job.name, done, self.all_tables, self.rows, max(self.expected, self.rows)))

    def end(self) -> None:
        self.tell(Progress("", self.all_tables, self.all_tables, self.rows, self.rows))
