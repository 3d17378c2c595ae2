"""One change against policy and filters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from replguard.model.changes import Operation, Trouble, TroubleKind
from replguard.model.findings import Severity
from replguard.model.tables import TableName
from replguard.watch.gather import Gathered
from replguard.watch.judge import Judge
from tests.unit.builders import HERE, LINK, ListedFilters, change, name, policy, table, table_map

if TYPE_CHECKING:
    from replguard.model.changes import Change
    from replguard.model.findings import Finding

ROWS = [Operation.insert, Operation.update, Operation.delete, Operation.truncate]
USED = policy(must_not_sync=["event", "log"], local=["mine"], config=["account"])
TABLES = [table(name) for name in ("event", "mine", "account", "strange")] + [table("log_1", ancestors=("log",))]


def judge(filters: ListedFilters | None = None) -> Judge:
    return Judge(table_map(TABLES, TABLES, USED), LINK, filters or ListedFilters())


def sent(event: Change, filters: ListedFilters | None = None) -> list[tuple[str, str, str | None]]:
    return told(judge(filters).sent(event))


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str, str | None]]:
    return [(finding.code, finding.severity.value, finding.table) for finding in findings]


@pytest.mark.parametrize("operation", [*ROWS, Operation.ddl])
@pytest.mark.parametrize("forbidden", ["event", "EVENT", "log_1"])
def test_a_forbidden_change_is_a_leak(operation: Operation, forbidden: str) -> None:
    assert sent(change(operation, forbidden)) == [("leak.sent", "fail", forbidden)]


@pytest.mark.parametrize(
    ("filters", "severity"),
    [(ListedFilters(("event",)), None), (ListedFilters(unclear=("event",)), "unknown"), (ListedFilters(), "fail")],
)
def test_filters_decide_whether_it_leaks(filters: ListedFilters, severity: str | None) -> None:
    expected = [("leak.sent", severity, "event")] if severity else []
    assert sent(change(Operation.insert, "event"), filters) == expected


@pytest.mark.parametrize("operation", ROWS)
def test_a_change_that_lands_on_a_forbidden_table_is_a_leak(operation: Operation) -> None:
    elsewhere = TableName("before", "event")
    rewriting = ListedFilters(rewritten={elsewhere: name("event")})
    written = replace(change(operation, "event"), tables=(elsewhere,), default_schema="before")
    assert sent(written) == []
    assert sent(written, rewriting) == [("leak.sent", "fail", "event")]


@pytest.mark.parametrize("allowed", ["account", "mine"])
def test_what_may_travel_is_no_finding(allowed: str) -> None:
    assert sent(change(Operation.update, allowed)) == []


@pytest.mark.parametrize("operation", ROWS)
@pytest.mark.parametrize("unnamed", ["strange", "made_since"])
def test_rows_of_a_table_without_a_class_are_asked_about(operation: Operation, unnamed: str) -> None:
    assert sent(change(operation, unnamed)) == [("table.unclassified", "unknown", unnamed)]


def test_what_ddl_names_need_not_be_a_table() -> None:
    assert sent(change(Operation.ddl, "an_index")) == []
    assert sent(change(Operation.ddl, "strange")) == [("table.unclassified", "unknown", "strange")]


def test_a_name_that_is_only_guessed_is_no_certain_leak() -> None:
    event = change(Operation.ddl, "account", "event", detail={"guessed": (name("event"),)})
    assert sent(event) == [("stream.opaque", "unknown", None)]
    [found] = judge().applied(replace(event, origin="blue-id"), frozenset({"blue-id"}))
    assert (found.code, found.severity) == ("leak.applied", Severity.unknown)
    assert sent(event, ListedFilters(("event", "account"))) == []


def test_every_table_of_a_ddl_is_judged() -> None:
    assert sent(change(Operation.ddl, "account", "event", "log_1")) == [
        ("leak.sent", "fail", "event"),
        ("leak.sent", "fail", "log_1"),
    ]


@pytest.mark.parametrize(
    ("event", "findings"),
    [
        (change(Operation.statement, "account"), 1),
        (change(Operation.statement, default_schema="st"), 1),
        (change(Operation.statement, "other.t", default_schema="st"), 1),
        (change(Operation.statement), 1),
        (change(Operation.statement, "other.t", default_schema="other"), 0),
    ],
)
def test_a_statement_is_opaque_wherever_it_may_reach_the_scope(event: Change, findings: int) -> None:
    assert sent(event) == [("stream.opaque", "unknown", None)] * findings


def test_a_statement_that_is_certainly_dropped_is_no_finding() -> None:
    assert sent(change(Operation.statement, "account"), ListedFilters(("account",))) == []


def test_nothing_outside_the_scope_is_watched() -> None:
    assert sent(change(Operation.insert, "other.event")) == []


def test_the_evidence_says_where_and_what() -> None:
    event = change(Operation.insert, "event", transaction="uuid:7", key={"id": 1}, origin="3", statement="x" * 999)
    (found,) = judge().sent(event)
    assert (found.cluster, found.link, found.key) == ("blue", "blue->green", {"id": 1})
    assert found.evidence | {"statement": ""} == {
        "operation": "insert",
        "position": "0/10",
        "transaction": "uuid:7",
        "origin": "3",
        "statement": "",
    }
    assert len(found.evidence["statement"]) <= 200
    assert found.message.startswith("an insert of st.event")
    assert judge().sent(change(Operation.delete, "event"))[0].message.startswith("a delete of")


@pytest.mark.parametrize(
    ("event", "leaks"),
    [
        (change(Operation.insert, "event", origin="blue-id"), 1),
        (change(Operation.insert, "event", origin="green-id"), 0),
        (change(Operation.insert, "account", origin="blue-id"), 0),
        (change(Operation.ddl, "event", "log_1", origin="blue-id"), 2),
        (change(Operation.insert, "other.event", origin="blue-id"), 0),
    ],
)
def test_what_was_applied_and_came_from_the_other_cluster(event: Change, leaks: int) -> None:
    found = judge().applied(event, frozenset({"blue-id"}))
    assert [(finding.code, finding.severity, finding.cluster) for finding in found] == [
        ("leak.applied", Severity.fail, "green")
    ] * leaks


def test_what_was_applied_and_came_from_nowhere_known_is_unknown() -> None:
    (finding,) = judge().applied(change(Operation.insert, "event"), frozenset({"blue-id"}))
    assert (finding.code, finding.severity) == ("leak.applied", Severity.unknown)
    assert judge().applied(change(Operation.insert, "account"), frozenset({"blue-id"})) == ()


def test_dropping_a_database_hits_every_forbidden_table_in_it() -> None:
    dropped = change(Operation.ddl, "st.*")
    assert "event" in {finding.table for finding in judge().sent(dropped)}
    assert judge().sent(change(Operation.ddl, "other.*")) == ()


@pytest.mark.parametrize("kind", list(TroubleKind))
def test_trouble_is_never_silent(kind: TroubleKind) -> None:
    found = judge().trouble(Trouble(kind, "what it was", HERE, {"type": 99}), "blue")
    assert (found.code, found.severity) == (kind.value, Severity.unknown)
    assert found.evidence == {"position": "0/10", "type": 99}
    assert judge().trouble(Trouble(kind, "what"), "blue").evidence == {"position": None}


def test_many_findings_of_one_kind_are_gathered_and_counted() -> None:
    gathered = Gathered()
    events: list[Any] = [change(Operation.insert, "event")] * 3 + [change(Operation.delete, "event")]
    for event in events:
        for finding in judge().sent(event):
            gathered.add(finding)
    found = gathered.findings()
    assert [(finding.evidence["operation"], finding.evidence["count"]) for finding in found] == [
        ("insert", 3),
        ("delete", 1),
    ]
    assert {finding.evidence["last_position"] for finding in found} == {"0/10"}
