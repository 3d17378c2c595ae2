"""Changes of config tables during a freeze: what fails, what is information, what nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from replguard.model.changes import Operation
from replguard.model.links import Identity, LinkState
from replguard.policy import ExpectedDifference, Policy, Rule, TableClass
from replguard.predicate import parse
from replguard.watch.freeze import Freezer
from tests.unit.builders import LINK, change, rules, table, table_map

if TYPE_CHECKING:
    from replguard.model.changes import Change
    from replguard.watch.known import Known

TODAY = date(2026, 3, 1)
POLICY = Policy(
    rules=rules(must_not_sync=["event"], config=["*"]),
    ignored=((Rule("account", TableClass.config), frozenset({"lastlogin"})),),
    expected=(
        ExpectedDifference(Rule("setting", TableClass.config), parse("name = 'Site'"), "names the site"),
        ExpectedDifference(Rule("setting", TableClass.config), parse("name = 'Old'"), "expired", date(2026, 2, 28)),
    ),
)
TABLES = [table(name) for name in ("event", "account", "setting")]


class Sides:
    """A pair of servers that only say who they are."""

    def server(self, name: str) -> Any:
        return SimpleNamespace(identity=Identity("mysql", "9", name, origins=frozenset({f"{name}-id"})))

    def other(self, name: str) -> Any:
        return self.server("green" if name == "blue" else "blue")


def freezer(state: LinkState = LinkState.paused) -> Freezer:
    link = replace(LINK, state=state)
    known = SimpleNamespace(
        tables=table_map(TABLES, TABLES, POLICY), rules={"l": SimpleNamespace(link=link)}, pair=Sides()
    )
    return Freezer(cast("Known", known), TODAY)


def told(
    event: Change, cluster: str = "green", state: LinkState = LinkState.paused
) -> list[tuple[str, str, str | None]]:
    found = freezer(state).judge(cluster, event)
    return [(finding.code, finding.severity.value, finding.table) for finding in found]


@pytest.mark.parametrize("operation", [Operation.insert, Operation.update, Operation.delete, Operation.truncate])
def test_a_change_of_a_config_table_fails(operation: Operation) -> None:
    assert told(change(operation, "account", origin="green-id")) == [("freeze.changed", "fail", "account")]
    assert told(change(operation, "event", origin="green-id")) == []
    assert told(change(operation, "other.account", origin="green-id")) == []


def test_what_a_running_link_brings_is_told_where_it_was_written() -> None:
    event = change(Operation.insert, "account", origin="blue-id")
    assert told(event, state=LinkState.running) == []
    assert told(event, "blue", LinkState.running) == [("freeze.changed", "fail", "account")]
    assert told(event, state=LinkState.paused) == [("freeze.changed", "fail", "account")]


def test_a_change_of_which_nobody_knows_who_made_it_is_unknown_while_a_link_runs() -> None:
    event = change(Operation.insert, "account")
    assert told(event, state=LinkState.running) == [("freeze.changed", "unknown", "account")]
    assert told(event) == [("freeze.changed", "fail", "account")]


def test_ddl_on_a_config_table_fails_and_on_what_is_no_table_is_unknown() -> None:
    assert told(change(Operation.ddl, "account", "event")) == [("freeze.changed", "fail", "account")]
    assert told(change(Operation.ddl, "gone")) == [("freeze.changed", "unknown", "gone")]
    guessed = change(Operation.ddl, "account", detail={"guessed": (TABLES[1].name,)})
    assert told(guessed) == [("freeze.changed", "unknown", "account")]


def test_a_statement_is_opaque() -> None:
    assert told(change(Operation.statement, default_schema="st")) == [("stream.opaque", "unknown", None)]
    assert told(change(Operation.statement, "other.t", default_schema="other")) == []


@pytest.mark.parametrize(
    ("changed", "severity"),
    [({"LastLogin"}, "info"), ({"LastLogin", "email"}, "fail"), ({"email"}, "fail"), (None, "fail")],
)
def test_only_ignored_columns_are_information(changed: set[str] | None, severity: str) -> None:
    event = change(Operation.update, "account", changed=None if changed is None else frozenset(changed))
    assert told(event) == [("freeze.changed", severity, "account")]


def test_an_insert_is_never_excused_by_ignored_columns() -> None:
    assert told(change(Operation.insert, "account", changed=frozenset())) == [("freeze.changed", "fail", "account")]


@pytest.mark.parametrize(
    ("operation", "before", "after", "severity"),
    [
        (Operation.update, {"name": "Site", "value": "a"}, {"name": "Site", "value": "b"}, "info"),
        (Operation.update, {"name": "Site"}, {"name": "Else"}, "fail"),
        (Operation.update, None, {"name": "Site"}, "fail"),
        (Operation.insert, None, {"name": "Site"}, "info"),
        (Operation.delete, {"name": "Site"}, None, "info"),
        (Operation.delete, {"value": "a"}, None, "fail"),
        (Operation.update, {"name": "Old"}, {"name": "Old"}, "fail"),
        (Operation.truncate, None, None, "fail"),
    ],
)
def test_rows_that_are_expected_to_differ_are_information(
    operation: Operation, before: dict[str, Any] | None, after: dict[str, Any] | None, severity: str
) -> None:
    assert told(change(operation, "setting", before=before, after=after)) == [("freeze.changed", severity, "setting")]


def test_the_finding_says_which_row_and_when() -> None:
    event = change(Operation.update, "account", key={"id": 7}, transaction="t:1", changed=frozenset({"email"}))
    (found,) = freezer().judge("green", event)
    assert found.key == {"id": 7}
    assert "(id=7)" in found.message
    assert found.evidence["transaction"] == "t:1"
