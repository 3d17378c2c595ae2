"""What may be called resolved: only what would have been told, were it still there."""

from __future__ import annotations

from typing import Any

import pytest

from replguard.history.compare import compare

DRIFT = {"code": "row.differs", "severity": "fail", "schema": "st", "table": "account", "key": {"id": 7}, "message": ""}
LAG = {"code": "link.lagging", "severity": "warn", "link": "blue -> green", "message": "61 s behind"}


def told(code: str, severity: str = "unknown", table: str | None = None, **parts: Any) -> dict[str, Any]:
    return {"code": code, "severity": severity, "schema": table and "st", "table": table, "message": code, **parts}


def document(*findings: dict[str, Any], links: tuple[dict[str, Any], ...] = (), **coverage: Any) -> dict[str, Any]:
    table = {"schema": "st", "table": "account", "class": "config", "compared": True, **coverage}
    checks = [{"id": "diff.data", "findings": list(findings)}, {"id": "links.state", "findings": list(links)}]
    return {"checks": checks, "coverage": {"tables": [table]}}


def gone(*findings: dict[str, Any], **parts: Any) -> dict[str, str]:
    seen, _ = compare(document(DRIFT, links=(LAG,)), (), "then")
    _, left = compare(document(*findings, **parts), seen, "now")
    return {one.finding["code"]: one.state for one in left}


@pytest.mark.parametrize(
    ("findings", "coverage", "state"),
    [
        ((), {}, "resolved"),
        ((told("row.unsettled", table="other"),), {}, "resolved"),
        ((told("row.in_flight", "info", "account"),), {}, "resolved"),
        ((), {"compared": False, "class": "local"}, "resolved"),
        ((), {"compared": False}, "unseen"),
        ((told("row.unsettled", table="account"),), {}, "unseen"),
        ((told("table.not_compared", table="account"),), {}, "unseen"),
        ((told("check.not_run"),), {}, "unseen"),
        ((told("diff.not_exact"),), {}, "unseen"),
        ((told("row.differs", "fail", "account", evidence={"not_listed": 3}),), {}, "unseen"),
    ],
)
def test_drift_is_resolved_only_where_it_would_have_been_told(
    findings: tuple[dict[str, Any], ...], coverage: dict[str, Any], state: str
) -> None:
    assert gone(*findings, **coverage)["row.differs"] == state
    assert gone(*findings, **coverage)["link.lagging"] == "resolved", "another check says nothing of it"


def test_what_is_waived_is_still_there() -> None:
    waived = {**DRIFT, "severity": "info", "evidence": {"waived": {"severity": "fail"}}}
    seen, _ = compare(document(DRIFT), (), "then")
    now, left = compare(document(waived), seen, "now")
    assert ([(one.state, one.since_at) for one in now], left) == ([("persisting", "then")], [])


def test_an_open_question_is_answered_by_a_check_that_runs() -> None:
    seen, _ = compare(document(told("check.not_run")), (), "then")
    _, left = compare(document(DRIFT), seen, "now")
    assert [one.state for one in left] == ["resolved"]
