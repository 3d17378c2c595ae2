"""What a comparison did with each table, as people read it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from replguard.model.findings import Check, ClusterFacts, Coverage, Finding, Report, Severity, Strength, TableCoverage
from replguard.report.text import render

NOW = datetime(2027, 6, 30, 12, tzinfo=UTC)


def covered(name: str, *, compared: bool = True, class_: str = "config", note: str | None = None) -> TableCoverage:
    rows = {"blue": 1234, "green": 1230} if compared else {}
    return TableCoverage("st", name, class_, compared, rows, note=note, function="sha2-64" if compared else None)


def found(table: str, code: str, severity: Severity = Severity.fail, **evidence: Any) -> Finding:
    return Finding(code, severity, "why", schema="st", table=table, evidence=evidence)


def lines(*findings: Finding, tables: list[TableCoverage], verbose: bool = False) -> dict[str, str]:
    facts = ClusterFacts("mariadb", "10.11.19", "id")
    report = Report(
        "diff",
        "0.1.0",
        NOW,
        NOW,
        clusters={"blue": facts, "green": facts},
        checks=(Check("diff.data", "x", findings),),
        coverage=Coverage(tuple(tables)),
        strength=Strength.settled,
    )
    out = io.StringIO()
    render(report, Console(file=out, width=200), verbose=verbose)
    shown = [line for line in out.getvalue().splitlines() if line.startswith("st.")]
    return {line.split()[0]: " ".join(line.split()[1:]) for line in shown}


def test_each_table_has_its_rows_its_function_and_its_result() -> None:
    told = lines(
        found("account", "row.differs"),
        found("account", "row.missing"),
        found("account", "row.differs", not_listed=9),
        found("moves", "row.in_flight", Severity.info),
        found("open", "row.unsettled", Severity.unknown),
        found("meant", "row.differs", Severity.info),
        tables=[covered(name) for name in ("account", "meant", "moves", "open", "same")],
    )
    assert told == {
        "st.account": "config 1,234 1,230 sha2-64 10 differ; 1 missing",
        "st.open": "config 1,234 1,230 sha2-64 1 unsettled",
        "st.meant": "config 1,234 1,230 sha2-64 the same; 1 differ as expected",
        "st.moves": "config 1,234 1,230 sha2-64 the same; 1 were in flight",
        "st.same": "config 1,234 1,230 sha2-64 the same",
    }
    assert [*told][:2] == ["st.account", "st.open"], "the gravest come first"


def test_a_table_that_was_not_compared_is_never_called_the_same() -> None:
    told = lines(
        tables=[
            covered("same"),
            covered("no_right", compared=False, note="may not be read"),
            covered("event", compared=False, class_="must_not_sync", note="not compared: must_not_sync"),
        ]
    )
    assert told["st.no_right"] == "config may not be read"
    assert told["st.event"] == "must_not_sync not compared: must_not_sync"
    assert next(iter(told)) == "st.no_right"


def test_many_tables_are_cut_unless_all_are_wanted() -> None:
    many = [covered(f"t{number:03}") for number in range(40)]
    assert len(lines(tables=many)) == 15
    assert next(iter(lines(found("t039", "row.extra"), tables=many))) == "st.t039"
    assert len(lines(tables=many, verbose=True)) == 40
