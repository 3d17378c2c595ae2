"""What a comparison did with each table, as a table for people."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table as Grid

from replguard.model.findings import Severity

if TYPE_CHECKING:
    from rich.console import Console

    from replguard.model.findings import Report, TableCoverage

SHOWN = 15
"""Tables that are shown without ``verbose``: those that tell something first."""
_ORDER = (Severity.fail, Severity.unknown, Severity.warn, Severity.info)
_STYLES = {Severity.fail: "red", Severity.unknown: "yellow", Severity.warn: "magenta"}
_WORDS = {
    "row.missing": "missing",
    "row.extra": "extra",
    "row.differs": "differ",
    "row.in_flight": "were in flight",
    "row.unsettled": "unsettled",
    "row.indeterminate": "indeterminate",
    "schema.differs": "schema differs",
    "table.missing": "is on one side only",
}
_WHOLE = {"schema.differs", "table.missing"}


def render(report: Report, console: Console, *, verbose: bool) -> None:
    """Print one line a table: rows on both sides, what they were hashed with, and what came of it."""
    found = _found(report)
    tables = sorted(report.coverage.tables, key=lambda table: _rank(table, found))
    shown = tables if verbose else tables[:SHOWN]
    if not shown:
        return
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for heading in ("table", "class"):
        grid.add_column(heading, overflow="fold")
    for name in report.clusters:
        grid.add_column(f"rows on {escape(name)}", justify="right")
    for heading in ("by", "result"):
        grid.add_column(heading, overflow="fold")
    for table in shown:
        words, style = _result(table, found)
        counts = [f"{table.rows[name]:,}" if name in table.rows else "" for name in report.clusters]
        cells = (f"{table.schema}.{table.table}", table.class_, *counts, table.function or "", words)
        grid.add_row(*map(escape, cells), style=style)
    console.print(grid)
    if left := len(tables) - len(shown):
        console.print(f"[dim]{left} more tables: --verbose or --format json shows them[/]")


def ranked(report: Report) -> list[tuple[TableCoverage, str, Severity | None]]:
    """All tables, what is worst first: what came of each in words, and the gravest finding about it."""
    found = _found(report)
    listed = []
    for table in sorted(report.coverage.tables, key=lambda table: _rank(table, found)):
        severities = [severity for severity, _ in found.get((table.schema, table.table), ())]
        gravest = min(severities, key=_ORDER.index) if severities else None
        listed.append((table, _result(table, found)[0], gravest))
    return listed


def _found(report: Report) -> dict[tuple[str | None, str | None], Counter[tuple[Severity, str]]]:
    """By table how many findings there are of each code; differences that are not listed are counted too."""
    found: dict[tuple[str | None, str | None], Counter[tuple[Severity, str]]] = defaultdict(Counter)
    for check in report.checks:
        for item in check.findings:
            if item.table and item.code in _WORDS:
                count = item.evidence.get("not_listed", item.evidence.get("count", 1))
                found[item.schema, item.table][item.severity, item.code] += count
    return found


def _rank(
    table: TableCoverage, found: dict[tuple[str | None, str | None], Counter[tuple[Severity, str]]]
) -> tuple[int, bool, str, str]:
    severities = [_ORDER.index(severity) for severity, _ in found.get((table.schema, table.table), ())]
    missing = table.class_ == "config" and not table.compared
    return min([*severities, 1 if missing else len(_ORDER)]), not table.compared, table.schema, table.table


def _result(
    table: TableCoverage, found: dict[tuple[str | None, str | None], Counter[tuple[Severity, str]]]
) -> tuple[str, str]:
    """What came of it, in words, and how to print it."""
    counts = found.get((table.schema, table.table), Counter())
    told = sorted(counts.items(), key=lambda one: _ORDER.index(one[0][0]))
    words = [
        (_WORDS[code] if code in _WHOLE else f"{count:,} {_WORDS[code]}")
        + (" as expected" if severity is Severity.info and code in ("row.missing", "row.extra", "row.differs") else "")
        for (severity, code), count in told
    ]
    if not table.compared:
        words.append(table.note or "not compared")
    elif all(severity is Severity.info for severity, _ in counts):
        words.insert(0, "the same" + ("" if not table.relaxed else ", by the policy"))
    gravest = told[0][0][0] if told else Severity.info
    if not table.compared:
        return "; ".join(words), _STYLES.get(gravest, "yellow" if table.class_ == "config" else "dim")
    return "; ".join(words), _STYLES.get(gravest, "")
