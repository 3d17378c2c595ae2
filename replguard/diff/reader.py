"""Tables compared within views of both sides, as often as it takes: first all of them, later what differed or moved."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.diff import drill, result
from replguard.diff.jobs import job
from replguard.diff.judging import Judge
from replguard.diff.progress import Meter
from replguard.diff.survey import Survey
from replguard.diff.tables import Tables
from replguard.diff.tasks import Carrier, station
from replguard.diff.throttle import Throttle
from replguard.errors import ConnectionLost, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.checkpoint import Checkpoint
    from replguard.diff.jobs import Job
    from replguard.diff.result import Difference, Identity, TableResult
    from replguard.diff.run import Options
    from replguard.engines.base import Row, Snapshot
    from replguard.engines.pair import Pair
    from replguard.model.chunks import KeyRange

    Views = Mapping[str, Snapshot]
    """A snapshot of each cluster."""


def _nothing(_jobs: list[Job]) -> None:
    """Nothing is to be done before sums are asked for."""


@dataclass(slots=True)
class TableReader:
    """Compares tables of the pair within views that are given."""

    pair: Pair
    tables: TableMap
    options: Options
    checkpoint: Checkpoint | None = None
    elsewhere: bool = field(default=False, init=False)
    """Whether rows were also read in snapshots of other processes, taken later."""

    def compare(
        self, views: Views, paired: Iterable[PairedTable], renew: Callable[[], None] = lambda: None
    ) -> list[TableResult]:
        """All these tables for the first time, with progress and checkpoints.

        ``renew`` puts new snapshots into ``views``, once the old ones have come of age.
        """
        meter, point = Meter(self.options.progress), self.checkpoint

        def ready(jobs: list[Job]) -> None:
            meter.expect(jobs)
            if point:
                point.restore(jobs)

        def summed(found: Job, within: KeyRange, rows: int) -> None:
            meter.summed(found, within, rows)
            if point:
                point.note()

        try:
            with self._survey(views) as survey:
                survey.told = summed
                self._watch_age(survey, views, renew)
                results = self._tables(survey, views, ready).compare(paired)
        except BaseException:
            if point:
                point.write()
            raise
        meter.end()
        return results

    def recompare(self, views: Views, paired: Iterable[PairedTable]) -> list[TableResult]:
        """These tables whole again."""
        with self._survey(views) as survey:
            return self._tables(survey, views).compare(paired)

    def reread(self, views: Views, table: PairedTable, keys: Sequence[Row]) -> dict[Row, Difference]:
        """Those of these rows that differ now; what is not there is equal. Raises ServerError."""
        found = job(table, self.tables)
        if found is None or not keys:
            return {}
        with self._survey(views) as survey:
            return self._differing(survey, found, keys, Judge.of(found, self.tables.policy, self.options.today))

    def again(self, views: Views, before: Iterable[TableResult]) -> list[TableResult]:
        """Tables that differed: by the keys that did where all of them are known, else whole."""
        with self._survey(views) as survey:
            return [self._again(survey, views, one) for one in before]

    def _watch_age(self, survey: Survey, views: Views, renew: Callable[[], None]) -> None:
        age = self.options.snapshot_age
        taken = time.monotonic()

        def is_old() -> bool:
            return age is not None and time.monotonic() - taken >= age

        def renewed() -> None:
            nonlocal taken
            renew()
            survey.carrier.renew(views)
            taken = time.monotonic()

        survey.is_old, survey.renew = is_old, renewed

    @contextmanager
    def _survey(self, views: Views) -> Iterator[Survey]:
        with ExitStack() as stack:
            places = {
                server.name: stack.enter_context(station(server, views[server.name], self.options.statement_timeout))
                for server in self.pair
            }
            carrier = stack.enter_context(Carrier(places, self.options.executor))
            throttle = Throttle(self.pair, self.options.limits, self.options.say)
            try:
                yield Survey(carrier, self.tables.clusters, throttle)
            finally:
                self.elsewhere = self.elsewhere or carrier.elsewhere

    def _tables(self, survey: Survey, views: Views, ready: Callable[[list[Job]], None] = _nothing) -> Tables:
        return Tables(self.tables, survey, views, self.options.kept, self.options.today, ready)

    def _again(self, survey: Survey, views: Views, before: TableResult) -> TableResult:
        found = job(before.table, self.tables)
        keys = [identity for identity in before.differences if isinstance(identity, tuple)]
        keyed = before.parents is None and len(keys) == len(before.differences)
        if not found or not keyed or before.listed != before.total:
            (whole,) = self._tables(survey, views).compare([before.table])
            return whole
        judge = Judge.of(found, self.tables.policy, self.options.today)
        try:
            rows = list(drill.read(survey, found, keys))
        except ConnectionLost:
            raise
        except ServerError as error:
            return result.not_compared(before.table, error.message, error.remedy)
        gone = [key for key, left, right in rows if left is None and right is None]
        if not all(result.has_rows(before.differences[key]) for key in gone):
            # A key that no side has, of a row that was never read: whether there is such a row only all rows can tell.
            (whole,) = self._tables(survey, views).compare([before.table])
            return whole
        now = {key: one for key, left, right in rows if (one := judge.judge(left, right))}
        differences: dict[Identity, Difference] = {
            key: one if result.has_rows(before.differences[key]) else result.without_rows(one)
            for key, one in now.items()
        }
        # What is excused was not read again: what the whole comparison counted stands.
        return replace(before, differences=differences, total=len(differences))

    @staticmethod
    def _differing(survey: Survey, found: Job, keys: Sequence[Row], judge: Judge) -> dict[Row, Difference]:
        rows = drill.read(survey, found, keys)
        return {key: one for key, left, right in rows if (one := judge.judge(left, right))}
