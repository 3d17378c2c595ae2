"""Changes that wait in a paused link and will flow when it is resumed: of config tables, and of forbidden ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.model.changes import Change, Operation, Trouble, TroubleKind
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.tables import TableName


CODE = "change.pending"
LEAK = "leak.sent"


def config_changes(pair: Pair, tables: TableMap, link: Link) -> list[Finding]:
    """One finding for each config table with changes waiting, one for each thing that could not be judged.

    Raises ServerError where the link's stream cannot be read.
    """
    return [finding for finding in waiting(pair, tables, link) if finding.code != LEAK]


def leaks(pair: Pair, tables: TableMap, link: Link) -> list[Finding]:
    """One finding for each table that must not sync with changes waiting, however it came into the backlog.

    What could not be judged is told as well: it may be such a change. Raises ServerError where the link's stream cannot
    be read.
    """
    return [finding for finding in waiting(pair, tables, link) if finding.code != CODE]


def waiting(pair: Pair, tables: TableMap, link: Link) -> list[Finding]:
    """Both at once."""
    source, target = pair.server(str(link.source)), pair.server(link.target)
    filters = target.filters.of(link, source)
    counts: Counter[TableName] = Counter()
    forbidden: Counter[TableName] = Counter()
    findings: list[Finding] = []
    with source.streams.pending(link, target) as stream:
        while True:
            for event in stream.poll(0.5):
                if isinstance(event, Trouble):
                    findings.append(_trouble(link, event))
                elif isinstance(event, Change) and filters.applies(event).crosses is not False:
                    counts.update(_tables(tables, link, filters, event, TableClass.config))
                    forbidden.update(_tables(tables, link, filters, event, TableClass.must_not_sync))
                    findings += _opaque(link, event)
            if stream.caught_up:
                break
    findings += [_leak(link, table, count) for table, count in sorted(forbidden.items())]
    return findings + [_waiting(link, table, count) for table, count in sorted(counts.items())]


def _opaque(link: Link, change: Change) -> list[Finding]:
    """A statement that waits as text can write config tables that it does not name."""
    if change.operation is not Operation.statement:
        return []
    what = "a statement waits as text and can write more tables than it names"
    return [_trouble(link, Trouble(TroubleKind.opaque, what, change.position))]


def _tables(tables: TableMap, link: Link, filters: LinkFilters, change: Change, wanted: TableClass) -> list[TableName]:
    """The tables of this class that the change is of, by the names at the source and by those at the target."""
    source = str(link.source)
    landing = tables.landing(link.target, filters, change.tables)
    lands_on = [name for name in landing if tables.classify(name).table_class is wanted]
    return lands_on + [
        tables.read_as(source, name)
        for written in change.tables
        for name in tables.meant(source, written)
        if tables.in_scope(source, name.schema) and tables.classify(name).table_class is wanted
    ]


def _waiting(link: Link, table: TableName, count: int) -> Finding:
    return Finding(
        CODE,
        Severity.warn,
        f"{count} change{'s' * (count != 1)} of config table {table} wait{'s' * (count == 1)} in {link.label}",
        cluster=link.source,
        link=link.label,
        schema=table.schema,
        table=table.name,
        remedy="resume, let it arrive, and pause again; or find out who changed configuration during the pause",
        evidence={"changes": count},
    )


def _leak(link: Link, table: TableName, count: int) -> Finding:
    return Finding(
        LEAK,
        Severity.fail,
        f"{count} change{'s' * (count != 1)} of {table}, which must not sync, wait{'s' * (count == 1)} in "
        f"{link.label}: resuming applies what waits, whatever was done about the filters meanwhile",
        cluster=link.source,
        link=link.label,
        schema=table.schema,
        table=table.name,
        remedy=f"keep {table} out on {link.target} before the link is resumed, or remove the rows afterwards",
        evidence={"changes": count},
    )


def _trouble(link: Link, trouble: Trouble) -> Finding:
    return Finding(
        trouble.kind.value,
        Severity.unknown,
        f"{link.label}: {trouble.message}",
        cluster=link.source,
        link=link.label,
        remedy="look at this position of the stream by hand",
        evidence={"position": trouble.position.text if trouble.position else None, **trouble.evidence},
    )


def as_failure(finding: Finding) -> Finding:
    """The same finding where a config change that waits is a failure, not a warning."""
    return replace(finding, severity=Severity.fail) if finding.code == CODE else finding
