"""A pair at its daily work is in nobody's way, and what sessions run is told without the values that it holds."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from replguard.demo.servers import until
from replguard.gates.base import Options, Purpose
from replguard.model.findings import Severity, Verdict
from tests.conformance.writing import writing

if TYPE_CHECKING:
    from replguard.model.findings import Report
    from tests.conformance.application import Application

CHECKS = frozenset(
    {"activity.transactions", "activity.prepared", "activity.backups", "passive.read_only", "passive.writers"}
    | {"tools.others", "tools.operators"}
)
SECRET = "correct horse"
SLOW = {
    "postgresql": f"CREATE TABLE aside AS SELECT '{SECRET}' AS word FROM pg_sleep(60)",
    "mysql": f"CREATE TABLE {{aside}}.t AS SELECT '{SECRET}' AS word, SLEEP(60) AS slept",
}
RUNS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'CREATE TABLE aside%'",
    "mysql": "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'CREATE TABLE %aside.t%'",
}


def gate(app: Application) -> Report:
    with app.clusters() as clusters:
        return clusters.gate(Purpose.switchover, Options(datetime.now(UTC).date(), window=0.0, only=CHECKS))


def test_daily_work_is_in_nobodys_way_and_no_value_of_a_statement_is_told(app: Application) -> None:
    with writing(app, "INSERT INTO account VALUES ({number}, 'name', 'mail')", start=1000, pause=0.0):
        busy = gate(app)
    findings = [item for check in busy.checks for item in check.findings if item.severity is not Severity.info]
    assert (findings, busy.verdict) == ([], Verdict.passed)

    unlogged, aside = "", f"{app.db.name}_aside"
    if app.family == "mysql":
        # Elsewhere, since the lock on a new table keeps MariaDB's catalog from being read.
        unlogged = "SET sql_log_bin = 0; "
        app.db.run_local("blue", f"CREATE DATABASE {aside}")
    with app.db.pair.blue.connect(app.db.name) as connection:
        thread = threading.Thread(target=_run, args=(connection, unlogged + SLOW[app.family].format(aside=aside)))
        thread.start()
        until(lambda: bool(app.db.query("blue", RUNS[app.family])), "the statement runs")
        report = gate(app)
        ((number,),) = app.db.query("blue", RUNS[app.family])
        app.db.run("blue", f"SELECT pg_cancel_backend({number})" if not unlogged else f"KILL QUERY {number}")
        thread.join()
    if app.family == "mysql":
        app.db.run_local("blue", f"DROP DATABASE {aside}")
    told = [item for check in report.checks for item in check.findings if item.code == "activity.ddl"]
    assert [item.severity for item in told] == [Severity.fail], report
    assert f"session {number}" in told[0].message
    assert "CREATE TABLE" in told[0].message
    assert SECRET not in repr(report)


def _run(connection: object, text: str) -> None:
    """It is cancelled, and says so."""
    try:
        connection.run(text)  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - each driver has its own
        assert "cancel" in str(error) or "interrupted" in str(error)  # noqa: PT017
