"""Both sides' sums over the same portions of all tables: which ranges of which tables are not the same.

Small tables go many in one statement, large ones range by range. Both sides work at the same time, and while they do
the next portions are made ready. No more than a few statements' portions are ever under way.

What cannot be summed, since a row is too large for the function, is done anew with the next safer function; a job that
is left without any is compared by whole rows, elsewhere. A table that cannot be read at all carries its problem.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.diff import asking, result
from replguard.diff.jobs import NULLS
from replguard.diff.ranges import ROWS, Cuts
from replguard.errors import ConnectionLost, DeadlineError, ServerError, StatementError, Unsupported
from replguard.model.chunks import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from replguard.diff.jobs import Job
    from replguard.diff.tasks import Answer, Carrier
    from replguard.engines.base import Row
    from replguard.model.chunks import Function, KeyRange, Sum

STATEMENT_ROWS = 64_000
"""About how many rows one statement sums."""
STATEMENT_PORTIONS = 40
SMALL_BYTES = 1_000_000
"""A table of which no more is known than that it takes no more bytes than this is summed in one portion."""
UNDER_WAY = 3
"""Statements asked of each side and not yet judged."""
_SLOW = 1.0
"""Seconds that a statement may take, waiting for others included, before ranges are made smaller."""
_FEWEST = 50


@dataclass(slots=True)
class _Statement:
    """Portions that are summed by one statement a side."""

    work: list[tuple[Job, KeyRange]] = field(default_factory=list)
    rows: int = 0
    attempts: list[int] = field(default_factory=list)
    asked: list[Future[Answer[list[Sum]]]] = field(default_factory=list)
    at: float = 0.0


@dataclass(slots=True)
class Survey:
    """Sums jobs.

    ``pause`` is called before each statement and may wait; what it raises ends the survey, and is the problem of all
    jobs that are not whole by then. ``told`` hears of each range that was summed and how many rows it has. ``is_old``
    says that the snapshots have come of age: then ``renew`` is called as soon as nothing is asked of them.
    """

    carrier: Carrier
    clusters: tuple[str, str]
    pause: Callable[[], None] = field(default=lambda: None)
    told: Callable[[Job, KeyRange, int], None] = field(default=lambda _job, _within, _rows: None)
    is_old: Callable[[], bool] = field(default=lambda: False)
    renew: Callable[[], None] = field(default=lambda: None)
    renewed: bool = field(default=False, init=False)
    """Whether not all sums are of the same snapshots."""
    _anew: list[Job] = field(default_factory=list, init=False)
    _large: set[int] = field(default_factory=set, init=False)

    def negotiate(self, jobs: Sequence[Job]) -> None:
        """Settle by which functions each job's rows are hashed: those of both sides that make the same of the golden
        rows, in the first side's order.
        """
        asked = [
            self.carrier.ask(
                name, asking.means_of, [(job.halves[side].table, job.halves[side].columns) for job in jobs]
            )
            for side, name in enumerate(self.clusters)
        ]
        ours, theirs = (self.carrier.of(future) for future in asked)
        agreed: dict[str, bool] = {}
        for job, left, right in zip(jobs, ours, theirs, strict=True):
            if isinstance(left, ServerError):
                job.problem = result.problem_of(job.paired, left)
                continue
            if isinstance(right, ServerError):
                job.problem = result.problem_of(job.paired, right)
                continue
            common = [function for function in left[0] if function in right[0]]
            for function in common:
                if function.name not in agreed:
                    agreed[function.name] = self._agree(function)
            job.functions = [function for function in common if agreed[function.name]]
            job.ranged = bool(job.width) and left[1] and right[1]

    def _agree(self, function: Function) -> bool:
        """Whether both servers make the same of the same rows. What fails on one of them is no agreement."""
        try:
            first, second = self.carrier.both(asking.golden_of, dict.fromkeys(self.clusters, (function,)))
        except ConnectionLost:
            raise
        except ServerError:
            return False
        return first == second

    def run(self, jobs: Iterable[Job]) -> None:
        """Sum everything. Afterwards a job has its rows and differing ranges, or its problem, or no function left."""
        everything = waiting = list(jobs)
        try:
            while waiting:
                self._run(waiting)
                waiting, self._anew = self._anew, []
        except DeadlineError as error:
            given_up: ServerError = error
        else:
            given_up = StatementError("not all of its ranges were summed")
        for job in everything:
            if job.functions and not job.problem and not job.whole:
                job.problem = result.problem_of(job.paired, given_up)

    def sums(self, job: Job, ranges: Sequence[KeyRange]) -> list[tuple[Sum, Sum]]:
        """Both sides' sums of ranges of one job, at once."""
        asked = [
            self.carrier.ask(name, asking.sums_of, [job.portion(side, within) for within in ranges])
            for side, name in enumerate(self.clusters)
        ]
        ours, theirs = (self.carrier.of(future) for future in asked)
        return list(zip(ours, theirs, strict=True))

    def _run(self, jobs: Iterable[Job]) -> None:
        under_way: deque[_Statement] = deque()
        try:
            for statement in self._statements(jobs):
                self.pause()
                self._renew(under_way)
                self._ask(statement)
                under_way.append(statement)
                if len(under_way) >= UNDER_WAY:
                    self._judge(under_way.popleft())
        finally:
            while under_way:
                self._judge(under_way.popleft())

    def _renew(self, under_way: deque[_Statement]) -> None:
        """Take new snapshots, once the old ones have given all their answers."""
        if not self.is_old():
            return
        while under_way:
            self._judge(under_way.popleft())
        self.renew()
        self.renewed = True

    def _statements(self, jobs: Iterable[Job]) -> Iterator[_Statement]:
        statement = _Statement()
        for job in jobs:
            for within, rows in self._ranges(job):
                full = statement.rows + rows > STATEMENT_ROWS or len(statement.work) >= STATEMENT_PORTIONS
                if statement.work and full:
                    yield statement
                    statement = _Statement()
                statement.work.append((job, within))
                statement.rows += rows
        if statement.work:
            yield statement

    def _ranges(self, job: Job) -> Iterator[tuple[KeyRange, int]]:
        """The ranges of a job, each with about how many rows it has. They end early once the job has a problem."""
        if job.problem or not job.functions:
            return
        attempt = job.attempt
        try:
            for within, rows in self._all_ranges(job):
                if job.problem or job.attempt != attempt:
                    return
                job.asked += 1
                yield within, rows
        except ServerError as error:
            self._failed(job, error)
        else:
            job.ended = job.attempt == attempt

    def _all_ranges(self, job: Job) -> Iterator[tuple[KeyRange, int]]:
        if job.ended:
            return
        if job.nullable and job.ranged and not job.nulls_done:
            yield NULLS, ROWS
        if not job.ranged or (_is_small(job) and id(job) not in self._large and job.reached is None):
            yield WHOLE, job.estimate or ROWS
            return
        job.cuts = self._cuts(job)
        for within in job.cuts.ranges():
            yield within, job.cuts.rows

    def _cuts(self, job: Job) -> Cuts:
        first, table = self.clusters[0], job.halves[0].table

        def boundary(lower: Row | None, rows: int) -> Row | None:
            return self.carrier.of(self.carrier.ask(first, asking.boundary_of, table, lower, rows))

        return Cuts(
            table, boundary, self.carrier.of(self.carrier.ask(first, asking.highest_of, table)), ROWS, job.reached
        )

    def _ask(self, statement: _Statement) -> None:
        statement.at = time.monotonic()
        statement.attempts = [job.attempt for job, _ in statement.work]
        statement.asked = [
            self.carrier.ask(name, asking.sums_of, [job.portion(side, within) for job, within in statement.work])
            for side, name in enumerate(self.clusters)
        ]

    def _judge(self, statement: _Statement) -> None:
        """Take what both sides say. Where a statement failed, each of its portions is tried by itself."""
        try:
            ours, theirs = (self.carrier.of(future) for future in statement.asked)
        except ConnectionLost:
            raise
        except ServerError as error:
            if len(statement.work) == 1:
                if statement.work[0][0].attempt == statement.attempts[0]:
                    self._failed(statement.work[0][0], error)
                return
            for (job, within), attempt in zip(statement.work, statement.attempts, strict=True):
                if not job.problem and job.attempt == attempt:
                    self._alone(job, within)
            return
        for (job, within), attempt, *sums in zip(statement.work, statement.attempts, ours, theirs, strict=True):
            # What was asked before a job was begun anew is of no use.
            if not job.problem and job.attempt == attempt:
                self._take(job, within, (sums[0], sums[1]))
        took = time.monotonic() - statement.at
        for job, _ in statement.work:
            if job.cuts and took > _SLOW * UNDER_WAY:
                job.cuts.rows = max(job.cuts.rows // 2, _FEWEST)

    def _alone(self, job: Job, within: KeyRange) -> None:
        """One portion in a statement of its own."""
        try:
            ((left, right),) = self.sums(job, [within])
        except ServerError as error:
            self._failed(job, error)
        else:
            self._take(job, within, (left, right))

    def _take(self, job: Job, within: KeyRange, sums: tuple[Sum, Sum]) -> None:
        if not job.take(within, sums):
            job.functions = job.functions[1:]
            self._begin_anew(job)
            return
        if job.cuts:
            job.cuts.counted(within, max(one.rows for one in sums))
        self.told(job, within, sums[0].rows)

    def _begin_anew(self, job: Job) -> None:
        job.forget()
        if job.functions:
            self._anew.append(job)

    def _failed(self, job: Job, error: ServerError) -> None:
        """A table thought small that took too long in one piece is cut, and what cannot be summed is compared by whole
        rows; for all else the job is at its end.
        """
        if isinstance(error, ConnectionLost):
            raise error
        if isinstance(error, DeadlineError) and job.ranged and not job.cuts and id(job) not in self._large:
            self._large.add(id(job))
            self._begin_anew(job)
            return
        if isinstance(error, Unsupported):
            # What cannot be summed can perhaps be read.
            job.functions = []
            job.forget()
            return
        job.problem = result.problem_of(job.paired, error)


def _is_small(job: Job) -> bool:
    """Whether a table can be summed in one portion, by statistics that may be old."""
    if job.estimate is not None and job.estimate > 2 * ROWS:
        return False
    if job.size is not None:
        return job.size <= SMALL_BYTES or (job.estimate is not None and job.size <= 16 * SMALL_BYTES)
    return job.estimate is not None
