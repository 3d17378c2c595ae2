"""A report as text for people: verdict first, then each check with what was found and what to do about it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from replguard.model.findings import Severity, Verdict
from replguard.report import conflicts
from replguard.report import tables as by_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rich.console import Console

    from replguard.model.findings import Check, Finding, Report, TableCoverage, TableRelaxation

_STYLES = {Verdict.passed: "bold green", Verdict.failed: "bold red", Verdict.inconclusive: "bold yellow"}
_SEVERITIES = {Severity.fail: "red", Severity.unknown: "yellow", Severity.warn: "magenta", Severity.info: "dim"}
_ORDER = (Severity.fail, Severity.unknown, Severity.warn, Severity.info)
SHOWN = 20
"""Findings of one check shown in full; the rest is counted, and stands in the JSON."""


def render(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Print the report. ``verbose`` shows every finding, information included."""
    if report.clusters:
        facts = [(name, escape(f"{fact.engine} {fact.version}")) for name, fact in report.clusters.items()]
        console.print("   ".join(f"[bold]{escape(name)}[/] {what}" for name, what in facts))
    if report.links:
        _links(report, console)
    for check in report.checks:
        _check(check, console, verbose=verbose)
        if check.id == conflicts.CHECK and report.data.get("conflicts"):
            conflicts.render(report.data["conflicts"], console)
    if report.strength:
        by_table.render(report, console, verbose=verbose)
    _coverage(report, console)
    console.print(Text.assemble("verdict: ", (report.verdict.value.upper(), _STYLES[report.verdict])))


def _links(report: Report, console: Console) -> None:
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for heading in ("link", "state", "lag", "applied", "received"):
        grid.add_column(heading, overflow="fold")
    for link in report.links:
        lag = "unknown" if link.lag_seconds is None else f"{link.lag_seconds:.1f} s"
        grid.add_row(*map(escape, (link.link, link.state, lag, link.applied or "unknown", link.received or "unknown")))
    console.print(grid)


def _check(check: Check, console: Console, *, verbose: bool) -> None:
    if not check.applicable:
        console.print(f"[dim]n/a[/]   [bold]{escape(check.id)}[/]  {escape(check.summary)}")
        return
    word = {Verdict.passed: "pass", Verdict.failed: "FAIL", Verdict.inconclusive: "????"}[check.verdict]
    console.print(
        Text.assemble((word, _STYLES[check.verdict]), "  ", (check.id, "bold"), "  ", check.summary), soft_wrap=True
    )
    told = [finding for finding in check.findings if verbose or not conflicts.shows(check.id, finding)]
    findings = sorted(told, key=lambda finding: _ORDER.index(finding.severity))
    shown = findings if verbose else _some([item for item in findings if item.severity is not Severity.info])
    for finding in shown:
        _finding(finding, console)
    if hidden := len(findings) - len(shown):
        counts = Counter(item.severity.value for item in findings)
        counts.subtract(item.severity.value for item in shown)
        what = ", ".join(f"{count} {severity}" for severity, count in counts.items() if count)
        console.print(f"      [dim]{hidden} more ({what}): --verbose or --format json shows them[/]")


def _some(findings: list[Finding]) -> list[Finding]:
    """The first findings, a few of each table where there are several, so that one does not hide the others."""
    tables = {(item.code, item.schema, item.table) for item in findings}
    share = max(SHOWN // max(len(tables), 1), 1)
    taken: Counter[tuple[str, str | None, str | None]] = Counter()
    shown = []
    for item in findings:
        kind = (item.code, item.schema, item.table)
        taken[kind] += 1
        if taken[kind] <= share:
            shown.append(item)
    return shown[:SHOWN]


def _finding(finding: Finding, console: Console) -> None:
    head = Text.assemble(
        (finding.severity.value, _SEVERITIES[finding.severity]), " ", (finding.code, "bold"), "  ", finding.message
    )
    console.print(Padding(head, (0, 0, 0, 6), expand=False))
    for column, (first, second) in dict(finding.evidence.get("columns") or {}).items():
        console.print(Padding(Text(f"{column}: {first!r} | {second!r}", style="cyan"), (0, 0, 0, 10), expand=False))
    for line in writers(finding):
        console.print(Padding(Text(line, style="cyan"), (0, 0, 0, 10), expand=False))
    if finding.remedy:
        console.print(Padding(Text(f"-> {finding.remedy}", style="dim"), (0, 0, 0, 10), expand=False))


def writers(finding: Finding) -> Iterator[str]:
    """Who changed a row last on each side, where it is known."""
    for cluster, change in dict(finding.evidence.get("last_change") or {}).items():
        parts = (
            change["operation"] or "written",
            f"by {change['origin']}" if change["origin"] else None,
            f"at {change['committed_at']}" if change["committed_at"] else None,
            f"in transaction {change['transaction']}" if change["transaction"] else None,
        )
        yield f"last changed on {cluster}: {' '.join(filter(None, parts))}"
    for cluster, values in dict(finding.evidence.get("changed_by") or {}).items():
        yield f"changed on {cluster}: {_values(values)}"
    for cluster, line in dict(finding.evidence.get("audited") or {}).items():
        yield f"{line['table']} on {cluster}: {_values(line['row'])}"


def _values(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{column} {value!r}" for column, value in values.items())


def _coverage(report: Report, console: Console) -> None:
    covered = report.coverage.tables
    if covered:
        compared = [table for table in covered if table.compared]
        rows = sum(max(table.rows.values(), default=0) for table in compared)
        others = Counter(table.class_ for table in covered if not table.compared)
        left = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
        strength = f", {report.strength.value}" if report.strength else ""
        console.print(
            f"[dim]coverage: {len(compared)} of {len(covered)} tables compared, {rows} rows{strength}"
            + (f"; not compared: {left}" if left else "")
            + "[/]"
        )
        _relaxed(compared, console)
    for stream in report.coverage.streams:
        console.print(
            f"[dim]coverage: {escape(' '.join(filter(None, (stream.cluster, stream.link))))} by {escape(stream.kind)}, "
            f"{stream.changes} changes from {escape(stream.from_position or '?')} to "
            f"{escape(stream.to_position or '?')}[/]",
            soft_wrap=True,
        )
        for blind in stream.cannot_see:
            console.print(f"[dim]          cannot see: {escape(blind)}[/]", soft_wrap=True)


def _relaxed(compared: list[TableCoverage], console: Console) -> None:
    """What was compared less than exactly: one line a rule."""
    reached: dict[tuple[str, str, str | None], list[tuple[TableCoverage, TableRelaxation]]] = {}
    for table in compared:
        for item in table.relaxed:
            reached.setdefault((item.kind, item.rule, item.reason), []).append((table, item))
    for (kind, rule, reason), places in reached.items():
        where = f"{places[0][0].schema}.{places[0][0].table}" if len(places) == 1 else f"{len(places)} tables"
        columns = sorted({column for _, item in places for column in item.columns})
        counts = [item.rows for _, item in places if item.rows is not None]
        excused = f", {sum(counts)} difference{'s' * (sum(counts) != 1)} excused" if counts else ""
        named = f" ({', '.join(columns)})" if columns else ""
        why = f": {reason}" if reason else ""
        console.print(f"[dim]relaxed: {escape(f'{where}: {kind}{named} {rule}{excused}{why}')}[/]", soft_wrap=True)
