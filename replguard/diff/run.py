"""The comparison of two clusters: every config table, schema and rows, and how strongly the result holds.

Nothing is stopped and nothing locked. Rows are compared within aligned views (:mod:`replguard.diff.window`), the tables
themselves beside that. What moved between the views is settled (:mod:`replguard.diff.rounds`); if nothing did, the
result is exact.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from replguard.audit.classes import expired
from replguard.audit.links import between
from replguard.diff import natural, pending, result, schema, sequences
from replguard.diff.jobs import to_read
from replguard.diff.progress import Progress, silent
from replguard.diff.reader import TableReader
from replguard.diff.rounds import settle
from replguard.diff.throttle import Limits
from replguard.diff.window import Window
from replguard.errors import ServerError
from replguard.model.findings import Check, Coverage, Finding, Severity, Strength, TableCoverage
from replguard.model.links import LinkState
from replguard.policy import Rule, TableClass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from datetime import date

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.checkpoint import Checkpoint
    from replguard.diff.settled import Settled
    from replguard.diff.trace import Tracing
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.tables import TableName
    from replguard.policy import ExpectedDifference

STATEMENT_TIMEOUT = 600.0
SNAPSHOT_AGE = 900.0
LIMIT = 1000
"""Differences listed a table. The verdict never depends on it: no fewer are judged, however few are listed."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare. ``settle`` is how many seconds moving rows are given; ``today`` decides about expiry.

    ``trace`` says from where to look who changed the rows that differ. ``statement_timeout`` bounds each statement and
    ``snapshot_age`` the snapshots of a comparison, in seconds; ``limits`` say when to wait for the servers, of which
    ``say`` is told. An ``executor`` carries the work on chunks, in this process or in others; tasks and answers are
    pickled where it does that, passwords among them. ``resume`` goes on with a comparison that was interrupted.
    """

    today: date
    tables: str | None = None
    limit: int = LIMIT
    mask: bool = False
    settle: float = 30.0
    trace: Tracing | None = None
    progress: Callable[[Progress], None] = silent
    statement_timeout: float | None = STATEMENT_TIMEOUT
    snapshot_age: float | None = SNAPSHOT_AGE
    limits: Limits = field(default_factory=Limits)
    executor: Executor | None = None
    resume: bool = False
    say: Callable[[str], None] = field(default=lambda _line: None)

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


def diff(
    pair: Pair, tables: TableMap, links: tuple[Link, ...], options: Options, checkpoint: Checkpoint | None = None
) -> Comparison:
    """Compare the config tables of the pair; ``links`` are all into either cluster, read just before.

    With a ``checkpoint`` the comparison writes down how far it is, and goes on from what the checkpoint holds.
    """
    wanted = [table for table in tables.of(TableClass.config) if options.wants(table)]
    roots = to_read(wanted)
    reader = TableReader(pair, tables, options, checkpoint)
    since = checkpoint.starts if checkpoint and checkpoint.data else None
    watched = natural.with_parents(tables, roots)
    with (
        ThreadPoolExecutor(1, "schema") as beside,
        Window(pair, tables, links, watched, options.statement_timeout, since) as window,
    ):
        schemas = beside.submit(_schema_checks, pair, tables, wanted, links)
        with window.views(options.settle) as views:
            if checkpoint:
                checkpoint.starts = window.starts
            results = reader.compare(views.of, roots, partial(window.renew, views))
            positions = {name: view.lower.text for name, view in views.of.items()}
            if reader.elsewhere:
                window.extend(views)
        settled = settle(window, views, results, reader, options.settle)
    waiting = _waiting(pair, tables, links)
    teller = _teller(tables, settled, options)
    drift = tuple((item.result, teller.failing(item.result, item.drift)) for item in settled if item.drift)
    listed = [(one, identities[: options.limit]) for one, identities in drift if identities]
    if listed:
        from replguard.diff.trace import trace  # noqa: PLC0415 - most comparisons find nothing

        teller.traced = trace(pair, tables, listed, options.trace, mask=options.mask)
    data = _data_check(teller, settled, window.strength, options)
    checks = (
        *schemas.result(),
        Check(
            data.id,
            data.summary,
            (
                *data.findings,
                *teller.traced.findings,
                *waiting,
                *window.findings,
                *expired(tables, options.today),
                *_nothing(roots, options),
            ),
        ),
    )
    return Comparison(checks, Coverage(_coverage(tables, settled, options, positions)), window.strength, drift)


def _schema_checks(
    pair: Pair, tables: TableMap, wanted: list[PairedTable], links: tuple[Link, ...]
) -> tuple[Check, Check]:
    """The tables themselves; asked while rows are compared."""
    return schema.check(pair, tables, wanted), sequences.check(pair, tables, wanted, links)


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


def _told(teller: result.Teller, item: Settled, limit: int) -> list[Finding]:
    """The findings of a table, the gravest first, and one that counts those that are not listed.

    What is not listed is as grave as the gravest of its findings; of what was not even kept, more than that it differs
    is not known.
    """
    failing = teller.failing(item.result, item.drift)
    certain = set(failing)
    others = [identity for identity in item.drift if identity not in certain]
    doubtful = [identity for identity in others if teller.is_open(item.result, identity)]
    expected = [identity for identity in others if identity not in set(doubtful)]
    makers: list[Callable[[], Finding]] = [
        *(partial(teller.difference, item.result, identity) for identity in failing),
        *(partial(teller.difference, item.result, identity) for identity in doubtful),
        *(partial(teller.unsettled, item.result, identity, why) for identity, why in item.unsettled.items()),
        *(partial(teller.difference, item.result, identity) for identity in expected),
        *(partial(teller.moved, item.result, identity, why) for identity, why in item.in_flight.items()),
    ]
    told = [item.result.problem] if item.result.problem else []
    told += result.unusable(item.result)
    told += [make() for make in makers[:limit]]
    told += [teller.open(item.result, item.open)] if item.open else []
    left = len(makers) - limit
    if left > 0 or item.unlisted:
        open_ = len(failing) + len(doubtful) + len(item.unsettled) > limit
        rest = Severity.unknown if item.unlisted or open_ else Severity.info
        told.append(teller.unlisted(item.result, max(left, 0) + item.unlisted, Severity.fail if failing else rest))
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


def _waiting(pair: Pair, tables: TableMap, links: tuple[Link, ...]) -> list[Finding]:
    """Changes of config tables that wait in a paused link."""
    found: list[Finding] = []
    for link in between(links, tables.clusters):
        if link.state is LinkState.paused:
            try:
                found += pending.config_changes(pair, tables, link)
            except ServerError as error:
                found.append(_tail_unread(link, error))
    return found


def _tail_unread(link: Link, error: ServerError) -> Finding:
    return Finding(
        "check.not_run",
        Severity.info,
        f"what waits in {link.label} could not be read: {error.message}",
        cluster=link.source,
        link=link.label,
        remedy=error.remedy,
    )


def _coverage(
    tables: TableMap, settled: list[Settled], options: Options, positions: dict[str, str]
) -> tuple[TableCoverage, ...]:
    """Every table of either side, compared or not."""
    done = {item.result.table.name: result.coverage(item.result, positions) for item in settled}
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
