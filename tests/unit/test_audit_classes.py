"""Rules that find nothing, and rules that are over."""

from __future__ import annotations

from datetime import date

import pytest

from replguard.audit.classes import check
from replguard.model.findings import Finding, Severity
from replguard.policy import (
    Equality,
    ExpectedDifference,
    NaturalKey,
    Policy,
    Relaxation,
    RowFilter,
    Rule,
    TableClass,
)
from replguard.predicate import parse
from tests.unit.builders import rules, table, table_map

TODAY = date(2027, 6, 30)


def found(**parts) -> list[Finding]:
    tables = table_map([table("t")], [table("t")], Policy(rules=rules(config=["*"]), **parts))
    return list(check(tables, TODAY).findings)


def on(pattern: str) -> Rule:
    return Rule(pattern, TableClass.config, "policy")


def relaxation(pattern: str, *columns: str, until: date | None = None) -> dict:
    return {"relaxations": (Relaxation(on(pattern), columns, Equality.trim, "r", until=until),)}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (relaxation("t", "VAL*"), None),
        (relaxation("u", "value"), "relax 'u' (value) as trim (policy) matches no table on either side"),
        (relaxation("t", "valeu"), "matches no table that has these columns"),
        ({"row_filters": (RowFilter(on("t"), parse("value = 'x' AND id = 1"), "r"),)}, None),
        ({"row_filters": (RowFilter(on("t"), parse("value = 'x' AND node = 1"), "r"),)}, "has these columns"),
        ({"natural_keys": (NaturalKey(on("t"), ("value",), "r", ("id",)),)}, None),
        ({"natural_keys": (NaturalKey(on("t"), ("name",), "r", ("id",)),)}, "has these columns"),
        ({"natural_keys": (NaturalKey(on("x*"), ("value",), "r"),)}, "natural_keys 'x*' (value) (policy) matches no"),
    ],
)
def test_a_relaxation_that_finds_nothing_is_told(parts: dict, words: str | None) -> None:
    told = found(**parts)
    assert [(item.code, item.severity) for item in told] == [("policy.unmatched", Severity.info)] * bool(words)
    assert all(words in item.message for item in told if words)


def test_a_rule_that_is_over_is_a_warning() -> None:
    yesterday = date(2027, 6, 29)
    assert found(**relaxation("t", "value", until=TODAY)) == []
    (told,) = found(**relaxation("t", "value", until=yesterday))
    assert (told.code, told.severity, told.evidence["until"]) == ("policy.expired", Severity.warn, yesterday)
    expected = ExpectedDifference(on("t"), parse("id = 1"), "r", yesterday)
    assert [item.code for item in found(expected=(expected,))] == ["policy.expired"]
