"""Streams as lines of JSON: one object a change, end of a pending transaction or finding, and the verdict at the end.

The schema is ``schemas/line.schema.json``. Values of rows stand in a line only where they were asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.model.changes import Change, TransactionEnd
from replguard.model.plain import encodable, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.model.changes import StreamItem
    from replguard.model.findings import Finding, Report


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line comes from: whose stream, which one (``sent``, ``own``, ``pending``, ``scan``), over which link."""

    cluster: str | None = None
    stream: str | None = None
    link: str | None = None


def lines(place: Place, item: StreamItem, findings: Iterable[Finding] = (), *, rows: bool = False) -> list[str]:
    """The lines of what came out of a stream: the item itself, then what was found by it.

    A trouble has no line of its own: it is a finding.
    """
    told: list[dict[str, Any]] = []
    if isinstance(item, Change):
        told.append(_change(place, item, rows=rows))
    elif isinstance(item, TransactionEnd):
        told.append(_end(place, item))
    return [_text(line) for line in told] + [finding_line(finding) for finding in findings]


def finding_line(finding: Finding) -> str:
    return _text({"type": "finding", **plain(finding)})


def verdict_line(report: Report) -> str:
    """The last line: the verdict, and what each check says."""
    checks = [{"id": one.id, "verdict": one.verdict.value, "summary": one.summary} for one in report.checks]
    return _text(
        {
            "type": "verdict",
            "command": report.command,
            "verdict": report.verdict.value,
            "started_at": report.started_at.isoformat(),
            "finished_at": report.finished_at.isoformat(),
            "checks": checks,
            "coverage": plain(report.coverage.streams),
        }
    )


def closing_lines(report: Report, told: Iterable[Finding]) -> list[str]:
    """The findings of a report that have no line yet, and the verdict."""
    known = {(item.code, item.cluster, item.link, item.schema, item.table) for item in told}
    rest = [
        finding
        for check in report.checks
        for finding in check.findings
        if (finding.code, finding.cluster, finding.link, finding.schema, finding.table) not in known
    ]
    return [*map(finding_line, rest), verdict_line(report)]


def _change(place: Place, change: Change, *, rows: bool) -> dict[str, Any]:
    alone = change.tables[0] if len(change.tables) == 1 else None
    line: dict[str, Any] = {
        "type": "change",
        "cluster": place.cluster,
        "stream": place.stream,
        "link": place.link,
        "operation": change.operation.value,
        "schema": alone.schema if alone else change.default_schema,
        "table": alone.name if alone else None,
        "tables": [{"schema": name.schema, "table": name.name} for name in change.tables],
        "key": plain(change.key),
        "rows": change.rows,
        "changed": sorted(change.changed) if change.changed is not None else None,
        "transaction": change.transaction,
        "position": change.position.text,
        "committed_at": plain(change.committed_at),
        "origin": change.origin,
        "pending": change.pending,
    }
    if rows:
        line |= {"before": plain(change.before), "after": plain(change.after), "statement": change.statement}
    return line


def _end(place: Place, end: TransactionEnd) -> dict[str, Any]:
    return {
        "type": "transaction",
        "cluster": place.cluster,
        "stream": place.stream,
        "link": place.link,
        "transaction": end.transaction,
        "committed": end.committed,
        "position": end.position.text,
        "committed_at": plain(end.committed_at),
    }


def _text(line: dict[str, Any]) -> str:
    """One line that any stream takes: a lone surrogate, as in the name of a file, is escaped."""
    text = json.dumps(line, ensure_ascii=False, allow_nan=False)
    return encodable(text)
