"""A server that goes away, a link that breaks: told as such, never as a pass."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from replguard.control.pause import Options as PauseOptions
from replguard.demo.servers import until
from replguard.diff.run import Options as DiffOptions
from replguard.model.findings import Severity, Verdict
from tests.cli.runs import shell_for
from tests.conformance.application import codes, of, told
from tests.conformance.test_main_job import TODAY

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.api import Clusters
    from tests.conformance.application import Application

ENGINES = ("mariadb", "mysql", "postgresql-18")
_CUT = {
    "mariadb": "SELECT id FROM information_schema.processlist WHERE user = 'replguard'",
    "mysql": "SELECT id FROM performance_schema.processlist WHERE user = 'replguard'",
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE usename = 'replguard' AND backend_type = 'client backend'",
}


@pytest.mark.engines(*ENGINES)
def test_connections_cut_again_and_again_never_give_a_pass(app: Application, tmp_path: Path) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    ended = threading.Event()
    cut = threading.Thread(target=_cut_all, args=(app, ended))
    cut.start()
    try:
        run = shell.json("gate", "--window", "2s")
    finally:
        ended.set()
        cut.join()
    assert run.code == 3, str(run)
    assert run.found("check.not_run", "unknown")
    assert shell.run("gate", "--window", "0.5s").code == 0


def _cut_all(app: Application, ended: threading.Event) -> None:
    """Kill every connection of replguard's user on green, until told to stop."""
    kill = "SELECT pg_terminate_backend({})" if app.family == "postgresql" else "KILL {}"
    with app.db.pair.green.connect(app.db.name) as connection:
        while not ended.wait(0.01):
            for (number,) in connection.query(_CUT[app.db.engine]):
                try:
                    connection.run(kill.format(number))
                except Exception:  # noqa: BLE001 - it went away by itself
                    continue


@pytest.mark.engines(*ENGINES)
def test_a_server_that_is_down_is_inconclusive(app: Application, tmp_path: Path) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    app.db.pair.green.stop()
    run = shell.json("gate")
    assert run.code == 3
    assert "green" in run.error


@pytest.mark.engines(*ENGINES)
def test_a_link_that_broke_is_told_and_cannot_be_drained(app: Application) -> None:
    """The applier meets a row that is there already and stops with an error."""
    app.db.run_local("green", "INSERT INTO account VALUES (900, 'in the way', NULL)")
    app.db.run("blue", "INSERT INTO account VALUES (900, 'x', NULL)")
    with app.clusters() as clusters:
        until(lambda: _state(clusters) != "running", "the link to break")
        status = clusters.status()
        audit = clusters.diff(DiffOptions(TODAY, settle=2.0))
        paused = clusters.pause(PauseOptions(timeout=5.0))
    assert status.verdict is not Verdict.passed
    assert set(codes(status)) <= {"link.broken", "link.lagging"}
    assert paused.verdict is not Verdict.passed
    assert audit.verdict is not Verdict.passed
    assert not [item for item in told(audit) if item.severity is Severity.fail], (
        "what waits behind a broken link is not drift"
    )
    assert of(audit, "row.unsettled")


def _state(clusters: Clusters) -> str:
    return clusters.status().links[0].state
