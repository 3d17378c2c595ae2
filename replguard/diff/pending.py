"""Changes of config tables that wait in a paused link: they will flow when it is resumed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.model.changes import Change, Operation, Trouble, TroubleKind
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from replguard.audit.tables import TableMap
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.tables import TableName


CODE = "change.pending"


def config_changes(pair: Pair, tables: TableMap, link: Link) -> list[Finding]:
    """One finding for each config table with changes waiting, one for each thing that could not be judged.

    Raises ServerError where the link's stream cannot be read.
    """
    source, target = pair.server(str(link.source)), pair.server(link.target)
    filters = target.filters.of(link, source)
    counts: Counter[TableName] = Counter()
    findings: list[Finding] = []
    with source.streams.pending(link, target) as stream:
        while True:
            for event in stream.poll(0.5):
                if not isinstance(event, Change):
                    findings.append(_trouble(link, event))
                elif filters.applies(event).crosses is not False:
                    counts.update(_config_tables(tables, link, event))
                    findings += _opaque(link, event)
            if stream.caught_up:
                break
    return findings + [_waiting(link, table, count) for table, count in sorted(counts.items())]


def _opaque(link: Link, change: Change) -> list[Finding]:
    """A statement that waits as text can write config tables that it does not name."""
    if change.operation is not Operation.statement:
        return []
    what = "a statement waits as text and can write more tables than it names"
    return [_trouble(link, Trouble(TroubleKind.opaque, what, change.position))]


def _config_tables(tables: TableMap, link: Link, change: Change) -> list[TableName]:
    source = str(link.source)
    return [
        tables.read_as(source, name)
        for written in change.tables
        for name in tables.meant(source, written)
        if tables.in_scope(source, name.schema) and tables.classify(source, name).table_class is TableClass.config
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
