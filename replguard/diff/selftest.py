"""A negative control: differences of every kind, planted into copies of the rows that are compared, must be found.

The copies are temporary tables, which the servers read and hash like any other; each plant is compared alone, by the
very code that compares the tables themselves, and what is found must be what was planted and not one row more. Where a
server takes no temporary tables, the copies are kept here: that puts our own half of the comparison to the test, and
says so.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, cast

from replguard.audit.tables import PairedTable, TableMap
from replguard.diff.jobs import job, to_read
from replguard.diff.plants import Plant, plants
from replguard.diff.survey import Survey
from replguard.diff.tables import Tables
from replguard.diff.tasks import Carrier, station
from replguard.engines.base import Sample
from replguard.errors import ConnectionLost, PrivilegeError, ServerError
from replguard.model.chunks import WHOLE, KeyRange
from replguard.model.findings import Check, Finding, Severity
from replguard.model.tables import TableName
from replguard.policy import Classification, Policy, TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from replguard.diff.jobs import Job
    from replguard.diff.result import TableResult
    from replguard.engines.base import Row, Server, Snapshot
    from replguard.engines.pair import Pair
    from replguard.model.chunks import Function
    from replguard.model.tables import Table

CHECK = "diff.self_test"
TABLES = 12
"""So many tables are planted into: those that together have most of the types of columns that occur."""
ROWS = 40
"""So many rows of each are copied."""
KEPT = 100


@dataclass(frozen=True, slots=True)
class _Trial:
    """One plant with the two sides of its table."""

    job: Job
    plant: Plant

    @property
    def name(self) -> str:
        return f"{self.job.name} ({self.plant.kind})"

    def sample(self, side: int) -> Sample:
        half = self.job.halves[side]
        return Sample(half.table, half.columns, self.plant.right if side else self.plant.left)


@dataclass(slots=True)
class _Outcome:
    """What was planted and found by kind, what was missed, and what could not be tried."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[_Trial, str]] = field(default_factory=list)
    functions: set[str] = field(default_factory=set)
    problems: dict[str, str] = field(default_factory=dict)
    apart: dict[TableName, ServerError] = field(default_factory=dict)
    """Tables whose copies no server would take, and why."""

    def judge(self, trial: _Trial, result: TableResult) -> None:
        if result.problem:
            self.problems[trial.name] = result.problem.message
            return
        self.planted[trial.plant.kind] += 1
        self.functions.add(result.function or "rows")
        wrong = _wrong(trial, result)
        if wrong:
            self.missed.append((trial, wrong))
        else:
            self.found[trial.plant.kind] += 1


def self_test(pair: Pair, tables: TableMap, today: date) -> Check:
    """Plant, compare, and say by kind how much was planted and found: what is missed fails the check."""
    outcome = _Outcome()
    clusters = tables.clusters
    try:
        trials = [*_trials(pair.first, tables), *_of_specimen(pair, clusters)]
        left = _in_copies(pair, clusters, trials, today, outcome)
        _in_memory(pair, clusters, left, today, outcome)
    except ConnectionLost:
        raise
    except ServerError as error:
        return Check.not_run(CHECK, f"the self-test could not run: {error.message}", error.remedy, error.cluster)
    return _told(outcome)


def _trials(first: Server, tables: TableMap) -> Iterator[_Trial]:
    """All plants into the chosen tables, which are read on the first cluster."""
    wanted = to_read(tables.of(TableClass.config))
    jobs = [found for table in wanted if (found := job(table, tables)) and not found.nullable]
    with first.rows.snapshot() as view:
        for chosen in _chosen(jobs):
            half = chosen.halves[0]
            try:
                rows = list(islice(view.read(half.table, half.columns), ROWS))
            except ConnectionLost:
                raise
            except ServerError:
                continue  # the comparison itself tells of it
            for plant in plants(half.table, half.columns, chosen.width, rows):
                yield _Trial(chosen, plant)


def _of_specimen(pair: Pair, clusters: tuple[str, str]) -> Iterator[_Trial]:
    """Plants into rows of all kinds, whatever the tables hold."""
    samples = {server.name: server.rows.specimen() for server in pair}
    sample = samples[clusters[0]]
    paired = PairedTable(
        sample.table.name,
        {name: samples[name].table for name in clusters},
        Classification(TableClass.config),
        folds_names=pair.first.capabilities.folds_names,
    )
    made = job(paired, TableMap(clusters, (paired,), Policy()))
    if made:
        for plant in plants(sample.table, sample.columns, made.width, sample.rows):
            yield _Trial(made, plant)


def _chosen(jobs: Iterable[Job]) -> list[Job]:
    """Tables one by one that bring most types not seen yet; among equals by name."""
    left = {found.name: found for found in jobs}
    types = {name: {_type(found, column) for column in found.halves[0].columns} for name, found in left.items()}
    chosen: list[Job] = []
    seen: set[str] = set()
    while left and len(chosen) < TABLES:
        name = max(sorted(left), key=lambda one: len(types[one] - seen))
        seen |= types[name]
        chosen.append(left.pop(name))
    return chosen


def _type(found: Job, column: str) -> str:
    return found.halves[0].table.column(column).type.partition("(")[0].lower()


def _in_copies(
    pair: Pair, clusters: tuple[str, str], trials: Sequence[_Trial], today: date, outcome: _Outcome
) -> list[_Trial]:
    """Compare temporary copies on both servers. The trials for which there are none are returned."""
    with ExitStack() as stack:
        views: dict[str, Snapshot] = {}
        made: list[Sequence[Table | ServerError]] = []
        for side, server in enumerate(pair):
            try:
                view, copies = stack.enter_context(server.rows.copies([trial.sample(side) for trial in trials]))
            except ConnectionLost:
                raise
            except ServerError as error:
                outcome.apart |= dict.fromkeys((trial.job.paired.name for trial in trials), error)
                return list(trials)
            views[server.name] = view
            made.append(copies)
        ready: list[tuple[_Trial, tuple[Table, Table]]] = []
        left: list[_Trial] = []
        for trial, ours, theirs in zip(trials, *made, strict=True):
            if not isinstance(ours, ServerError) and not isinstance(theirs, ServerError):
                ready.append((trial, (ours, theirs)))
                continue
            why = ours if isinstance(ours, ServerError) else theirs
            outcome.apart[trial.job.paired.name] = why
            left.append(trial)
        _compare(pair, clusters, views, ready, today, outcome)
        return left


def _in_memory(pair: Pair, clusters: tuple[str, str], trials: Sequence[_Trial], today: date, outcome: _Outcome) -> None:
    """Compare copies that are kept here."""
    views: dict[str, _Kept] = {name: _Kept({}) for name in clusters}
    ready = []
    for number, trial in enumerate(trials):
        sides = []
        for side, name in enumerate(clusters):
            sample = trial.sample(side)
            table = sample.described(TableName(sample.table.name.schema, f"{sample.table.name.name}#{number}"))
            views[name].rows[table.name] = sample
            sides.append(table)
        ready.append((trial, (sides[0], sides[1])))
    # Nothing but reading is asked of a view that has no function.
    _compare(pair, clusters, cast("dict[str, Snapshot]", views), ready, today, outcome)


def _compare(
    pair: Pair,
    clusters: tuple[str, str],
    views: Mapping[str, Snapshot],
    ready: Sequence[tuple[_Trial, tuple[Table, Table]]],
    today: date,
    outcome: _Outcome,
) -> None:
    """Compare the pairs of copies as tables are compared, by a policy that forgives nothing."""
    paired = [
        PairedTable(
            TableName(trial.job.paired.name.schema, f"{trial.job.paired.name.name}#{number}"),
            dict(zip(clusters, sides, strict=True)),
            Classification(TableClass.config),
            folds_names=trial.job.paired.folds_names,
        )
        for number, (trial, sides) in enumerate(ready)
    ]
    with ExitStack() as stack:
        stations = {server.name: stack.enter_context(station(server, views[server.name])) for server in pair}
        survey = Survey(stack.enter_context(Carrier(stations)), clusters)
        compared = Tables(TableMap(clusters, tuple(paired), Policy()), survey, views, KEPT, today)
        for (trial, _), result in zip(ready, compared.compare(paired), strict=True):
            outcome.judge(trial, result)


@dataclass(slots=True)
class _Kept:
    """A view on copies that are kept here, which can only be read."""

    rows: dict[TableName, Sample]
    awaits: bool = False

    def functions(self, _table: Table, _columns: Sequence[str]) -> tuple[Function, ...]:
        return ()

    def has_ranges(self, _table: Table) -> bool:
        return False

    def read(self, table: Table, columns: Sequence[str], _within: KeyRange = WHOLE) -> Iterator[Row]:
        sample = self.rows[table.name]
        places = [sample.columns.index(name) for name in columns]
        yield from (tuple(row[place] for place in places) for row in sample.rows)


def _wrong(trial: _Trial, result: TableResult) -> str:
    """What was found in place of what was planted; nothing where it is that."""
    found: Counter[str] = Counter()
    for difference in result.differences.values():
        found[difference.kind] += difference.count
    keys = {identity for identity in result.differences if isinstance(identity, tuple)}
    if found == trial.plant.found and keys == trial.plant.keys and result.total == found.total():
        return ""
    return f"found {_words(found)} in place of {_words(trial.plant.found)}"


def _words(found: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()) if count) or "nothing"


def _told(outcome: _Outcome) -> Check:
    findings = [
        Finding(
            "selftest.missed",
            Severity.fail,
            f"a planted difference was not found as it was planted: {trial.name}: {wrong}",
            schema=trial.job.paired.name.schema,
            table=trial.job.paired.name.name,
            remedy="report this, and do not rely on the comparison of tables like this one",
        )
        for trial, wrong in outcome.missed
    ]
    findings += [_not_tried(name, why) for name, why in outcome.problems.items()]
    if not outcome.planted:
        findings.append(_not_tried("any table", "nothing could be planted"))
    findings += [_apart(name, why) for name, why in outcome.apart.items()]
    planted, found = outcome.planted.total(), outcome.found.total()
    findings.append(
        Finding(
            "selftest.done",
            Severity.info,
            f"{found} of {planted} planted differences were found",
            evidence={
                "kinds": {
                    kind: {"planted": count, "found": outcome.found[kind]}
                    for kind, count in sorted(outcome.planted.items())
                },
                "functions": sorted(outcome.functions),
            },
        )
    )
    return Check(CHECK, f"{found} of {planted} planted differences found", tuple(findings))


def _not_tried(name: str, why: str) -> Finding:
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"the self-test could not be made on {name}: {why}",
        remedy="mend the cause and run it again",
    )


def _apart(name: TableName, why: ServerError) -> Finding:
    """Inconclusive where a grant is all that is lacking."""
    lacking = isinstance(why, PrivilegeError)
    return Finding(
        "selftest.partial",
        Severity.unknown if lacking else Severity.warn,
        f"the servers' hashes of {name} were not put to the test, only our own half of the comparison: {why.message}",
        cluster=why.cluster,
        schema=name.schema,
        table=name.name,
        remedy=why.remedy or "let the servers make temporary tables, which nobody else sees and no log holds",
    )
