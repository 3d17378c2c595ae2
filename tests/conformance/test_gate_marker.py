"""The marker of the gate: the one thing that it writes, where it is asked to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from replguard.gates.base import Options, Purpose
from replguard.journal import Journal
from replguard.model.findings import Verdict

if TYPE_CHECKING:
    from replguard.model.findings import Check, Report
    from tests.conformance.application import Application

ONLY = frozenset({"replication.caught_up"})


def caught_up(report: Report) -> Check:
    return next(check for check in report.checks if check.id == "replication.caught_up")


def test_a_token_is_shown_written_journalled_and_arrives(app: Application) -> None:
    kind = "text" if app.family == "postgresql" else "VARCHAR(64)"
    app.db.both(f"CREATE TABLE marker (id int PRIMARY KEY, token {kind})")
    if app.family == "postgresql":
        app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE public.marker")
        app.refresh()
    given = Options(datetime.now(UTC).date(), window=0.0, settle=10.0, only=ONLY, marker=True)
    named = replace(app.config, gate=app.config.gate.model_copy(update={"marker": f"{app.schema}.marker"}))
    unnamed, app.config = app.config, named
    shown: list[str] = []
    if app.family != "postgresql":
        with app.clusters() as clusters:
            (lacking,) = caught_up(clusters.gate(Purpose.switchover, given)).findings
            assert (lacking.code, "INSERT" in str(lacking.remedy)) == ("replication.no_marker", True)
            assert Journal(clusters.receipt_path.parent).unfinished() == ()
        app.db.run("blue", f"GRANT INSERT, DELETE ON {app.db.name}.marker TO replguard@'%'")
    with app.clusters() as clusters:
        Journal(clusters.receipt_path.parent).begin("marker")
        for _ in range(2):
            assert caught_up(clusters.gate(Purpose.switchover, given, show=shown.append)).verdict is Verdict.passed
        assert Journal(clusters.receipt_path.parent).unfinished() == (), "one that was killed is closed by the next"
        quiet = clusters.gate(Purpose.switchover, replace(given, marker=False), show=shown.append)
    assert caught_up(quiet).verdict is Verdict.passed
    assert len(shown) == 2
    ((token,),) = app.db.query("blue", "SELECT token FROM marker")
    assert shown[-1].startswith("on blue: ")
    assert token in shown[-1]
    assert app.db.query("green", "SELECT token FROM marker") == [(token,)]

    app.config = unnamed
    with app.clusters() as clusters:
        found = caught_up(clusters.gate(Purpose.switchover, given))
    assert [item.code for item in found.findings] == ["replication.no_marker"]
    assert found.verdict is Verdict.inconclusive
