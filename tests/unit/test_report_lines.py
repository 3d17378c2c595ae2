"""Lines of JSON: each fits the schema, holds no values unless asked for, and the last is the verdict."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from replguard.model.changes import Operation, TransactionEnd, Trouble, TroubleKind
from replguard.model.findings import Check, Coverage, Finding, Report, Severity, StreamCoverage
from replguard.report.lines import Place, closing_lines, lines
from tests.unit.builders import HERE, change

if TYPE_CHECKING:
    from replguard.model.changes import StreamItem

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "schemas/line.schema.json").read_text())
BLUE = Place("blue", "sent", "blue->green")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LEAK = Finding("leak.sent", Severity.fail, "a leak", "blue", "blue->green", "st", "event", {"id": 1})
ROW = change(
    Operation.update,
    "event",
    key={"id": 1},
    before={"id": 1, "token": "s3cret"},
    after={"id": 1, "token": "s3cret2"},
    changed=frozenset({"token"}),
    committed_at=NOW,
    transaction="t:1",
)


def parsed(told: list[str]) -> list[dict[str, Any]]:
    for line in told:
        assert "\n" not in line
        jsonschema.validate(json.loads(line), SCHEMA)
    return [json.loads(line) for line in told]


@pytest.mark.parametrize(
    "item",
    [
        ROW,
        change(Operation.ddl, "event", "log", statement="DROP TABLE event, log", default_schema="st"),
        change(Operation.statement, statement="UPDATE x", pending=True),
        change(Operation.truncate, "event", rows=0),
        TransactionEnd("t:1", committed=False, position=HERE),
        TransactionEnd("t:1", committed=True, position=HERE, committed_at=NOW),
    ],
)
@pytest.mark.parametrize("rows", [False, True])
def test_every_line_fits_the_schema(item: StreamItem, rows: bool) -> None:
    told = parsed(lines(BLUE, item, (LEAK,), rows=rows))
    assert [line["type"] for line in told] == [
        "transaction" if isinstance(item, TransactionEnd) else "change",
        "finding",
    ]


def test_values_stand_in_a_line_only_where_they_are_asked_for() -> None:
    (hidden,), (shown,) = parsed(lines(BLUE, ROW)), parsed(lines(BLUE, ROW, rows=True))
    assert "s3cret" not in json.dumps(hidden)
    assert shown["after"] == {"id": 1, "token": "s3cret2"}
    assert (hidden["table"], hidden["key"], hidden["changed"]) == ("event", {"id": 1}, ["token"])


def test_a_trouble_is_a_finding_and_no_change() -> None:
    trouble = Trouble(TroubleKind.gap, "a hole", HERE)
    found = Finding("stream.gap", Severity.unknown, "a hole")
    assert [line["type"] for line in parsed(lines(BLUE, trouble, (found,)))] == ["finding"]


def test_the_last_line_is_the_verdict() -> None:
    other = Finding("check.not_run", Severity.unknown, "cut short")
    stream = StreamCoverage("blue", "blue->green", "binlog (sent)", None, None, 3, ("DDL",), 9, 99, {"st.event": 3})
    report = Report(
        "watch",
        "0",
        NOW,
        NOW,
        checks=(Check("watch.sent", "one", (LEAK, other)),),
        coverage=Coverage(streams=(stream,)),
    )
    told = parsed(closing_lines(report, (LEAK,)))
    assert [line["type"] for line in told] == ["finding", "verdict"]
    assert told[0]["code"] == "check.not_run"
    assert (told[-1]["verdict"], told[-1]["coverage"][0]["tables"]) == ("fail", {"st.event": 3})


def test_a_name_that_is_no_text_is_escaped() -> None:
    told = lines(BLUE, change(Operation.insert, "ev\udcffent"))
    assert parsed(told)[0]["table"] == "ev\udcffent"
    assert b"\\udcff" in told[0].encode()
