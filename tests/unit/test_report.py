"""A report as JSON follows its schema and the contract, and as text it says the same."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jsonschema
import pytest
from rich.console import Console

from replguard.model.findings import (
    Check,
    ClusterFacts,
    Coverage,
    Finding,
    LinkFacts,
    Report,
    Severity,
    StreamCoverage,
    Strength,
    TableCoverage,
    TableRelaxation,
)
from replguard.model.plain import plain
from replguard.report.document import document, dumps
from replguard.report.text import render

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "schemas/report.schema.json").read_text())
NOW = datetime(2027, 6, 30, 12, tzinfo=UTC)
ROW = Finding(
    "row.differs",
    Severity.fail,
    "st.account (id=7) differs in [email]",
    cluster="green",
    schema="st",
    table="account",
    key={"id": 7, "name": "é", "n": None},
    remedy="mend it",
    evidence={"columns": {"email": ["a@x", None]}},
)
FULL = Report(
    "diff",
    "0.1.0",
    NOW,
    NOW,
    clusters={"blue": ClusterFacts("mariadb", "10.11.19", "id", "0-1-7"), "green": ClusterFacts("mariadb", "1", "x")},
    checks=(
        Check("diff.data", "1 of 37 tables differs", (ROW, Finding("x", Severity.info, "y", link="blue->green"))),
        Check("none", "not used here", applicable=False),
        Check.not_run("links.state", "why", "remedy"),
    ),
    coverage=Coverage(
        (TableCoverage("st", "account", "config", compared=True, rows={"blue": 1, "green": 1}, columns=("id",)),),
        (StreamCoverage("blue", None, "binlog", None, "b.1:4", 3, ("DDL",)),),
    ),
    links=(LinkFacts("blue->green", "", "blue", "green", "running", None, "0-1-7", None, ("e",), {"a": 1}),),
    strength=Strength.exact,
    data={"when": NOW, "day": date(2027, 6, 30), "sets": frozenset({1}), "nested": MappingProxyType({"a": (1, 2)})},
)


def check_schema(data: Any) -> None:
    jsonschema.validate(data, SCHEMA, format_checker=jsonschema.FormatChecker())


@pytest.mark.parametrize("report", [FULL, Report("gate", "0", NOW, NOW), replace(FULL, strength=None)])
def test_a_report_follows_the_schema(report: Report) -> None:
    data = json.loads(dumps(report))
    check_schema(data)
    assert data == document(report)


def test_the_schema_refuses_what_the_contract_does_not_know() -> None:
    changes: list[dict[str, Any]] = [{"verdict": "ok"}, {"schema": "replguard.report/2"}, {"more": 1}, {"checks": [{}]}]
    for change in changes:
        with pytest.raises(jsonschema.ValidationError):
            check_schema(document(FULL) | change)


EXAMPLE: dict[str, Any] = {
    "schema": "replguard.report/1", "command": "diff", "verdict": "fail", "started_at": "...", "finished_at": "...",
    "version": "0.1.0",
    "clusters": {"blue": {"engine": "mariadb", "version": "10.11.19", "identity": "...", "position": "..."}},
    "checks": [
        {
            "id": "diff.data", "verdict": "fail", "summary": "1 of 37 tables differs",
            "findings": [
                {
                    "code": "row.differs", "severity": "fail", "cluster": "green", "link": None, "schema": "st",
                    "table": "account", "key": {"id": 7}, "message": "...", "remedy": "...",
                    "evidence": {"columns": {"email": ["a@x", "b@x"]}},
                }
            ],
        }
    ],
    "coverage": {
        "tables": [
            {
                "schema": "st", "table": "account", "class": "config", "compared": True,
                "rows": {"blue": 1000, "green": 1000}, "columns": ["..."],
            }
        ]
    },
}  # fmt: skip


def same_keys(example: Any, found: Any, where: str = "") -> None:
    if isinstance(example, Mapping):
        for key, value in example.items():
            assert key in found, f"{where}.{key}"
            same_keys(value, found[key], f"{where}.{key}")
    elif isinstance(example, list) and example:
        same_keys(example[0], found[0], f"{where}[0]")


def test_every_key_of_the_contract_s_example_is_there_by_that_name() -> None:
    found = document(FULL)
    same_keys(EXAMPLE, found)
    assert found["verdict"] == "fail"
    assert found["checks"][0]["findings"][0]["key"] == {"id": 7, "name": "é", "n": None}
    assert [check["verdict"] for check in found["checks"]] == ["fail", "pass", "inconclusive"]


class Word(StrEnum):
    a = "letter"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Word.a, "letter"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1.5, 1.5),
        (2**70, 2**70),
        (True, True),
        (Path("/a"), "/a"),
        ({1: {"a": (Word.a,)}}, {"1": {"a": ["letter"]}}),
        (MappingProxyType({"a": None}), {"a": None}),
        (NOW, "2027-06-30T12:00:00+00:00"),
    ],
)
def test_values(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    json.loads(json.dumps(plain(value), allow_nan=False))


def test_a_lone_surrogate_does_not_break_the_output() -> None:
    text = dumps(replace(FULL, data={"path": "/tmp/\udcff"}))
    assert json.loads(text.encode("utf-8"))["data"]["path"]


def rendered(report: Report, *, verbose: bool = False) -> str:
    out = io.StringIO()
    render(report, Console(file=out, width=200, no_color=True), verbose=verbose)
    return out.getvalue()


def test_the_text_tells_verdict_findings_and_remedies() -> None:
    text = rendered(FULL)
    for words in (
        "verdict: FAIL",
        "row.differs",
        "differs in [email]",
        "-> mend it",
        "not used here",
        "unknown",
        "exact",
    ):
        assert words in text
    assert "1 more (1 info)" in text
    assert "1 more" not in rendered(FULL, verbose=True)


def test_markup_in_names_is_shown_and_not_obeyed() -> None:
    odd = Finding("x", Severity.fail, "table [bold]x[/bold] [/]", remedy="[red]r", cluster="[/]")
    report = replace(FULL, checks=(Check("[/]", "[bold]s", (odd,)), Check("[/]", "[/]", applicable=False)))
    clusters = {"[/x]": ClusterFacts("mariadb", "[/x]", "i")}
    text = rendered(replace(report, clusters=clusters))
    for words in ("[bold]x[/bold] [/]", "[red]r", "[bold]s", "[/x]"):
        assert words in text


def test_many_findings_are_cut_and_counted() -> None:
    report = replace(FULL, checks=(Check("c", "s", (ROW,) * 50),))
    assert "30 more (30 fail)" in rendered(report)
    assert rendered(report, verbose=True).count("row.differs") == 50


def test_text_shows_some_of_each_table_and_counts_the_rest() -> None:
    many = tuple(replace(ROW, table="a", message=f"a{number}") for number in range(40))
    few = tuple(replace(ROW, table="b", severity=Severity.warn, message=f"b{number}") for number in range(3))
    console = Console(file=io.StringIO(), width=200)
    render(Report("diff", "0", NOW, NOW, checks=(Check("diff.data", "both", (*many, *few)),)), console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert [f"a{number}" in text for number in (0, 9, 10)] == [True, True, False]
    assert all(f"b{number}" in text for number in range(3))
    assert "30 more (30 fail)" in text


def test_what_was_relaxed_is_told_with_what_it_excused() -> None:
    rule = TableRelaxation("relax", "as json", ("opaque1",), "keys in [any] order", "2027-06-30", 2)
    left_out = TableRelaxation("ignore_columns", "not compared", ("LastLogin",))
    tables = (
        TableCoverage("st", "a", "config", compared=True, relaxed=(rule, left_out)),
        TableCoverage("st", "b", "config", compared=True, relaxed=(replace(rule, columns=("other",), rows=1),)),
        TableCoverage("st", "c", "config", compared=True),
    )
    report = replace(FULL, coverage=Coverage(tables))
    check_schema(document(report))
    lines = rendered(report).splitlines()
    assert "relaxed: 2 tables: relax (opaque1, other) as json, 3 differences excused: keys in [any] order" in lines
    assert "relaxed: st.a: ignore_columns (LastLogin) not compared" in lines
    assert "relaxed" not in rendered(FULL)
