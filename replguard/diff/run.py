"""The comparison of two clusters: every config table, schema and rows, and how strongly the result holds.

Nothing is stopped and nothing locked. Tables are read within one snapshot a side. Where links run, a row that differs
need not be drift: the change may be on its way (:mod:`replguard.diff.settle`). With all links paused nothing moves
between the clusters; if then no change of a config table waits in a link either, the result is exact.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.audit.classes import expired
from replguard.audit.links import between
from replguard.diff import pending, result, schema, sequences
from replguard.diff.compare import Side, keyed, keyless, ordered_columns, rows_of
from replguard.diff.settle import Settled, settle
from replguard.diff.trace import Tracing, trace
from replguard.errors import ServerError
from replguard.model.findings import Check, Coverage, Finding, Severity, Strength, TableCoverage
from replguard.model.links import LinkState
from replguard.policy import Rule, TableClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff import join
    from replguard.engines.base import Row, Snapshot
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.tables import TableName
    from replguard.policy import ExpectedDifference

LIMIT = 1000
"""Differences listed a table. The verdict never depends on it: no fewer are judged, however few are listed."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare. ``settle`` is how many seconds moving rows are given; ``today`` decides about expiry.

    ``trace`` says from where to look who changed the rows that differ.
    """

    today: date
    tables: str | None = None
    limit: int = LIMIT
    mask: bool = False
    settle: float = 30.0
    progress: Callable[[str, int, int], None] = field(default=lambda _table, _done, _all: None)
    trace: Tracing | None = None

    @property
    def kept(self) -> int:
        """Differences that are kept and judged a table."""
        return max(self.limit, LIMIT)

    def wants(self, table: PairedTable) -> bool:
        """Whether the table is among those asked for."""
        if self.tables is None:
            return True
        return Rule(self.tables, TableClass.config, "--tables").matches(table.name)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found, and how strongly it holds; ``drift`` holds the rows that fail it, table by table."""

    checks: tuple[Check, ...]
    coverage: Coverage
    strength: Strength
    drift: tuple[tuple[result.TableResult, tuple[result.Identity, ...]], ...] = ()


def diff(pair: Pair, tables: TableMap, links: tuple[Link, ...], options: Options) -> Comparison:
    """Compare the config tables of the pair; ``links`` are all into either cluster, read just before."""
    wanted = [table for table in tables.of(TableClass.config) if options.wants(table)]
    roots = _to_read(wanted)
    runner = _Runner(pair, tables, options)
    with ExitStack() as stack:
        results = runner.compare(stack, roots, first_time=True)
    running = tuple(link for link in between(links, tables.clusters) if link.state is not LinkState.paused)
    settled = settle(pair, running, results, runner.again, options.settle)
    strength, waiting = _strength(pair, tables, links)
    _explain_by(waiting, settled)
    teller = _teller(tables, settled, options)
    drift = tuple((item.result, teller.failing(item.result, item.drift)) for item in settled if item.drift)
    listed = [(one, identities[: options.limit]) for one, identities in drift if identities]
    teller.traced = trace(pair, tables, listed, options.trace, mask=options.mask)
    data = _data_check(teller, settled, strength, options)
    checks = (
        schema.check(pair, tables, wanted),
        sequences.check(pair, tables, wanted, links),
        Check(
            data.id,
            data.summary,
            (
                *data.findings,
                *teller.traced.findings,
                *waiting,
                *expired(tables, options.today),
                *_nothing(roots, options),
            ),
        ),
    )
    return Comparison(checks, Coverage(_coverage(tables, settled, options)), strength, drift)


def _to_read(wanted: list[PairedTable]) -> list[PairedTable]:
    """The tables to read. A partition is read with the table above it, by itself where that one is not wanted."""
    both = [table for table in wanted if len(table.sides) == 2]
    read = {side.name for table in both for side in table.sides.values() if side.partitioned}
    return [
        table
        for table in both
        if not table.partition or any(read.isdisjoint(side.ancestors) for side in table.sides.values())
    ]


def _nothing(roots: list[PairedTable], options: Options) -> tuple[Finding, ...]:
    """A comparison of no table at all proves nothing."""
    if roots:
        return ()
    what = (
        f"no config table on both sides matches --tables {options.tables}"
        if options.tables
        else ("there is no config table that exists on both sides")
    )
    return (
        Finding(
            "check.not_run",
            Severity.unknown,
            what,
            remedy="check the databases of the URLs and the policy with `replguard policy show`",
        ),
    )


def _explain_by(waiting: list[Finding], settled: list[Settled]) -> None:
    """A difference in a table with changes waiting in a paused link may be one of those: it is not called drift."""
    tables = {(finding.schema, finding.table) for finding in waiting if finding.code == pending.CODE}
    for item in settled:
        if (item.result.table.name.schema, item.result.table.name.name) in tables and item.drift:
            item.unsettled += item.drift
            item.drift = []
            item.why = "changes of this table wait in a paused link"


class _Runner:
    """Reads and compares tables within snapshots, as often as it takes."""

    def __init__(self, pair: Pair, tables: TableMap, options: Options) -> None:
        self.pair = pair
        self.tables = tables
        self.options = options

    def compare(
        self, stack: ExitStack, tables: Iterable[PairedTable], *, first_time: bool = False
    ) -> list[result.TableResult]:
        # The second cluster's view first: in the usual pair it is the target, and a target seen before its source is
        # never ahead of what the source shows.
        views = {server.name: stack.enter_context(server.rows.snapshot()) for server in reversed([*self.pair])}
        wanted = list(tables)
        results = []
        for index, table in enumerate(wanted):
            if first_time:
                self.options.progress(str(table.name), index, len(wanted))
            results.append(self._table(table, views))
        if first_time:
            self.options.progress("", len(wanted), len(wanted))
        return results

    def again(self, stack: ExitStack, results: Iterable[result.TableResult]) -> list[result.TableResult]:
        return self.compare(stack, [item.table for item in results])

    def _table(self, table: PairedTable, views: dict[str, Snapshot]) -> result.TableResult:
        first, second = self.tables.clusters
        left, right = table.sides[first], table.sides[second]
        columns = schema.comparable_columns(table, first, second, self.tables.policy.ignored_columns(table.name))
        if not columns:
            return result.not_compared(table, "no column is the same on both sides")
        ordered, width = ordered_columns(left, columns)
        if [*map(table.fold, left.key)] != [*map(table.fold, right.key)]:
            ordered, width = columns, 0
        theirs = {table.fold(column.name): column.name for column in right.columns}
        here = Side(views[first], left, ordered)
        there = Side(views[second], right, tuple(theirs[table.fold(name)] for name in ordered))
        try:
            if width:
                found = keyed(here, there, width, self.options.kept)
                return result.keyed(table, ordered, width, found, self.tables.clusters)
            surplus = keyless(here, there, self.options.kept)
            return result.keyless(table, ordered, surplus, self._examples(here, there, surplus), self.tables.clusters)
        except ServerError as error:
            return result.not_compared(table, error.message, error.remedy)

    def _examples(self, here: Side, there: Side, found: join.MultisetDifferences) -> dict[bytes, Row]:
        """The rows themselves, for the first differences of a table without a key."""
        wanted = set(found.surplus)
        if not wanted:
            return {}
        return {**rows_of(there, wanted), **rows_of(here, wanted)}


def _teller(tables: TableMap, settled: list[Settled], options: Options) -> result.Teller:
    expected = {
        item.result.table.name: tuple(
            rule for rule in tables.policy.expected_for(item.result.table.name) if rule.valid_on(options.today)
        )
        for item in settled
    }
    return result.Teller(tables, expected, mask=options.mask)


def _data_check(teller: result.Teller, settled: list[Settled], strength: Strength, options: Options) -> Check:
    findings = [finding for item in settled for finding in _told(teller, item, options.limit)]
    whole = {item.result.table.name for item in settled if not item.result.problem and not item.unlisted}
    findings += _not_met({name: rules for name, rules in teller.expected.items() if name in whole}, teller.used)
    failing = {(finding.schema, finding.table) for finding in findings if finding.severity is Severity.fail}
    summary = f"{len(failing)} of {len(settled)} tables differ{'s' * (len(failing) == 1)} ({strength.value})"
    return Check("diff.data", summary, tuple(findings))


_GRAVEST = (Severity.fail, Severity.unknown, Severity.warn, Severity.info)


def _told(teller: result.Teller, item: Settled, limit: int) -> list[Finding]:
    """The findings of a table, the gravest first, and one that counts those that are not listed.

    What is not listed is as grave as the gravest of its findings; of what was not even kept, more than that it differs
    is not known.
    """
    found = [
        *teller.drift(item.result, item.drift),
        *(teller.unsettled(item.result, key, item.why) for key in item.unsettled),
        *(teller.moved(item.result, key, position) for key, position in item.in_flight.items()),
    ]
    found.sort(key=lambda finding: _GRAVEST.index(finding.severity))
    left = found[limit:]
    told = [item.result.problem] if item.result.problem else []
    told += found[:limit]
    if left or item.unlisted:
        failing = bool(found) and found[0].severity is Severity.fail
        rest = Severity.unknown if item.unlisted else left[0].severity
        hidden = Severity.fail if failing else rest
        told.append(teller.unlisted(item.result, len(left) + item.unlisted, hidden))
    return told


def _not_met(expected: Mapping[TableName, tuple[ExpectedDifference, ...]], used: set[int]) -> list[Finding]:
    """An expected difference that is not there any more should leave the policy."""
    return [
        Finding(
            "expected.unused",
            Severity.warn,
            f"{table}: the expected difference {item.where.text!r} ({item.reason}) does not exist",
            schema=table.schema,
            table=table.name,
            remedy="take it out of expected_differences",
        )
        for table, items in expected.items()
        for item in items
        if id(item) not in used
    ]


def _strength(pair: Pair, tables: TableMap, before: tuple[Link, ...]) -> tuple[Strength, list[Finding]]:
    """Exact where all links stood still throughout and no config change waits in one; else unaligned.

    A link whose source is not known may hold anything back: with one there, nothing is called exact.
    """
    now = pair.links()
    if not before or not _stood(before, now):
        return Strength.unaligned, []
    waiting: list[Finding] = []
    for link in between(now, tables.clusters):
        try:
            waiting += pending.config_changes(pair, tables, link)
        except ServerError as error:
            return Strength.unaligned, [_tail_unread(link, error)]
    return (Strength.unaligned if waiting else Strength.exact), waiting


def _stood(before: tuple[Link, ...], now: tuple[Link, ...]) -> bool:
    """Whether every link is known, was paused before and is paused at the same place now."""
    if any(link.source is None for link in (*before, *now)):
        return False
    places = [{(link.target, link.name): link.applied for link in links} for links in (before, now)]
    return places[0] == places[1] and all(link.state is LinkState.paused for link in (*before, *now))


def _tail_unread(link: Link, error: ServerError) -> Finding:
    return Finding(
        "check.not_run",
        Severity.info,
        f"what waits in {link.label} could not be read, so the result is not called exact: {error.message}",
        cluster=link.source,
        link=link.label,
        remedy=error.remedy,
    )


def _coverage(tables: TableMap, settled: list[Settled], options: Options) -> tuple[TableCoverage, ...]:
    """Every table of either side, compared or not."""
    done = {item.result.table.name: result.coverage(item.result) for item in settled}
    return tuple(done.get(table.name) or _uncompared(table, done, options) for table in tables)


def _uncompared(table: PairedTable, done: dict[TableName, TableCoverage], options: Options) -> TableCoverage:
    root = next((name for side in table.sides.values() for name in reversed(side.ancestors) if name in done), None)
    compared = bool(root and done[root].compared) and table.table_class is TableClass.config
    if compared:
        note = f"compared as a part of {root}"
    elif table.table_class is not TableClass.config:
        note = f"not compared: {table.table_class.value}"
    elif not options.wants(table):
        note = "not compared: not asked for"
    else:
        note = f"not compared: only on {next(iter(table.sides))}"
    return TableCoverage(table.name.schema, table.name.name, table.table_class.value, compared, note=note)
