"""Tables compared within one view a side: sums first, then what differs, by the cheapest way that is safe for each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.diff import drill, result, wholerows
from replguard.diff.jobs import NULLS, Half, Job, job
from replguard.diff.judging import Judge, expected
from replguard.diff.natural import Natural
from replguard.diff.result import Difference
from replguard.diff.wholerows import Side
from replguard.errors import ConnectionLost, ServerError, Unsupported
from replguard.model.chunks import WHOLE, KeyRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.drill import Keys
    from replguard.diff.result import Identity, TableResult
    from replguard.diff.survey import Survey
    from replguard.engines.base import Snapshot


@dataclass(slots=True)
class Tables:
    """Compares tables within ``views``. ``kept`` is how many differing rows of a table are kept whole."""

    tables: TableMap
    survey: Survey
    views: Mapping[str, Snapshot]
    kept: int
    today: date
    ready: Callable[[list[Job]], None] = field(default=lambda _jobs: None)
    """Called with what lies ahead, before anything is summed."""

    def compare(self, paired: Iterable[PairedTable]) -> list[TableResult]:
        """The result of each table, in their order. A table that could not be compared says so in its result."""
        wanted = list(paired)
        work = {
            id(table): found for table in wanted if not self._is_natural(table) and (found := job(table, self.tables))
        }
        jobs = [*work.values()]
        self.survey.negotiate(jobs)
        self.ready(jobs)
        self.survey.run(jobs)
        natural = Natural(self.tables, self.views, self.today)
        return [self._result(table, work.get(id(table)), natural) for table in wanted]

    def _is_natural(self, table: PairedTable) -> bool:
        return self.tables.policy.natural_key(table.name) is not None

    def _result(self, table: PairedTable, found: Job | None, natural: Natural) -> TableResult:
        """One table's result, what failed among them."""
        try:
            if self._is_natural(table):
                return self._by_names(table, natural)
            if found is None:
                raise Unsupported("no column is the same on both sides")
            if found.problem:
                return result.TableResult(table, problem=found.problem)
            return self._compared(found, Judge.of(found, self.tables.policy, self.today))
        except ConnectionLost:
            raise
        except ServerError as error:
            return result.not_compared(table, error.message, error.remedy)

    def _compared(self, found: Job, judge: Judge) -> TableResult:
        if not found.functions:
            return self._by_rows(found, judge)
        if not found.differing:
            return self._made(found, judge, {}, 0)
        return self._by_key(found, judge) if found.width else self._by_rows(found, judge)

    def _by_names(self, table: PairedTable, natural: Natural) -> TableResult:
        """Rows paired by their natural key."""
        matched = natural.match(table)
        halves = [Half(name, matched.table.sides[name], matched.columns) for name in self.survey.clusters]
        found = Job(matched.table, (halves[0], halves[1]), matched.width, nullable=False, rows=list(matched.rows))
        judge = Judge(
            found, self.tables.policy, self.today, matched.relaxed, expected(self.tables.policy, table, self.today)
        )
        differences: dict[Identity, Difference] = {}
        for key, left, right in matched.unlike:
            difference = judge.judge(left, right)
            if difference:
                differences[key] = difference if len(differences) < self.kept else result.without_rows(difference)
        made = self._made(found, judge, differences, len(differences))
        function = f"natural key ({', '.join(matched.columns[: matched.width])})"
        return replace(made, function=function, parents=matched.parents)

    def _made(self, found: Job, judge: Judge, differences: dict[Identity, Difference], total: int) -> TableResult:
        same = found.total[0] == found.total[1] and bool(found.functions)
        return result.TableResult(
            found.paired,
            found.halves[0].columns,
            found.width,
            dict(zip(self.survey.clusters, found.rows, strict=True)),
            differences,
            total,
            function=found.function,
            sum=f"{found.total[0]:x}" if same else None,
            relaxed=judge.described(),
            unusable=judge.unusable,
        )

    def _by_key(self, found: Job, judge: Judge) -> TableResult:
        """What differs, found by words and read by key."""
        try:
            keys = drill.keys_of(self.survey, found)
        except Unsupported:
            return self._by_rows(found, judge)
        differences, equal, excused = self._differences(found, judge, keys)
        if equal and not self.survey.renewed:
            # Sums said that rows differ which do not, as where servers sort differently: counts would be wrong.
            return self._by_rows(found, Judge.of(found, self.tables.policy, self.today))
        total = keys.total - equal - excused
        for within, _ in found.differing:
            if within == NULLS:
                more, count = self._multiset(found, judge, NULLS)
                differences |= more
                total += count
        if not total and not excused and not self.survey.renewed:
            # Sums that differ without a row that does: a key that is there twice, say. Only whole rows can tell.
            return self._by_rows(found, Judge.of(found, self.tables.policy, self.today))
        return self._made(found, judge, differences, total)

    def _differences(self, found: Job, judge: Judge, keys: Keys) -> tuple[dict[Identity, Difference], int, int]:
        """The rows behind differing keys; how many turned out to be the same, and how many a rule excuses.

        Of rows that are not kept the kind is known.
        """
        wanted = sorted(keys.sides)
        read, rest = (wanted, []) if judge.needed else (wanted[: self.kept], wanted[self.kept :])
        differences: dict[Identity, Difference] = {}
        equal = excused = 0
        for key, left, right in drill.read(self.survey, found, read):
            if left == right:
                equal += 1
                continue
            difference = judge.judge(left, right)
            if difference is None:
                excused += 1
                continue
            differences[key] = difference if len(differences) < self.kept else result.without_rows(difference)
        differences |= {key: Difference(_KINDS[keys.sides[key]], None, None) for key in rest}
        return differences, equal, excused

    def _by_rows(self, found: Job, judge: Judge) -> TableResult:
        """What differs, found by reading all rows: by their key, as multisets where they have none."""
        if not found.width or found.nullable:
            differences, total = self._multiset(found, judge, WHOLE)
            return self._made(found, judge, differences, total)
        here, there = self._sides(found)
        joined = wholerows.keyed(here, there, found.width, self.kept, judge.excuses)
        found.rows = list(joined.rows)
        made = self._made(found, judge, {}, joined.total)
        differences = {key: judge.judge(item.left, item.right) or item for key, item in result.keyed(joined).items()}
        return replace(made, differences=differences)

    def _multiset(self, found: Job, judge: Judge, within: KeyRange) -> tuple[dict[Identity, Difference], int]:
        here, there = self._sides(found, within, judge)
        surplus = wholerows.keyless(here, there, self.kept)
        if within == WHOLE:
            found.rows = list(surplus.rows)
        wanted = set(surplus.surplus)
        examples = {**wholerows.rows_of(there, wanted), **wholerows.rows_of(here, wanted)} if wanted else {}
        return result.multiset(surplus, examples), surplus.missing + surplus.extra

    def _sides(self, found: Job, within: KeyRange = WHOLE, judge: Judge | None = None) -> tuple[Side, Side]:
        form = judge.form if judge and judge.relaxed else None
        first, second = (
            Side(self.views[half.cluster], half.table, half.columns, within, form) for half in found.halves
        )
        return first, second


_KINDS: dict[int, result.Kind] = {1: "missing", 2: "extra", 3: "differs"}
