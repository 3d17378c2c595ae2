"""One operator at a time: a lock on both servers, whatever a config calls them; a killed owner blocks nobody."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replguard import api, config
from replguard.control.locking import OperatorLock, name_of
from replguard.control.pause import Options as PauseOptions
from replguard.demo.servers import until
from replguard.errors import ControlError
from replguard.journal import by_whom
from replguard.model.findings import Verdict
from tests.conformance.application import Application, codes

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.demo.servers import Side

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-18")
HOLDS = """
import sys, time
from replguard import api, config
from replguard.control.locking import OperatorLock
clusters = dict(zip(("one", "two"), sys.argv[1:], strict=True))
with api.connect(config.from_options(clusters, None, ())) as found, OperatorLock(found.pair, "filter apply"):
    print("held", flush=True)
    time.sleep(600)
"""


def end_lock(app: Application, side: Side, name: str) -> None:
    """End the connection that holds the lock on one server, as an administrator may."""
    if app.family == "postgresql":
        app.db.run(
            side,
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'",
        )
    else:
        ((holder,),) = app.db.query(side, f"SELECT IS_USED_LOCK('{name}')")
        app.db.run(side, f"KILL {holder}")


def test_the_second_operator_is_told_who_is_at_work_and_changes_nothing(app: Application, tmp_path: Path) -> None:
    # The other one calls the clusters otherwise, names them the other way round, and keeps its state elsewhere.
    theirs = config.from_options({"new": app.db.green_url, "old": app.db.blue_url}, None, ("event", "auditlog"))
    theirs = replace(theirs, state_dir=tmp_path / "elsewhere")
    with app.clusters() as mine, api.connect(theirs) as other:
        with OperatorLock(mine.pair, "filter apply"):
            for change in (other.pause, other.resume, mine.pause):
                with pytest.raises(ControlError) as refused:
                    change()
                words = refused.value.message
                assert "another operator is at work" in words
                assert refused.value.exit_code == 3
                if app.db.engine == "mariadb":
                    # Without its performance schema MariaDB keeps no attributes: account and address must do.
                    assert f"of {app.db.pair.blue.user.user}@" in words
                else:
                    assert f"filter apply by {by_whom()}"[:45] in words
                    assert " since 20" in words
            assert {link.state.value for link in mine.links()[0]} == {"running"}
            assert not (tmp_path / "elsewhere").exists()
        assert other.pause(PauseOptions(timeout=30.0)).verdict is Verdict.passed
        assert other.resume(PauseOptions(timeout=30.0)).verdict is Verdict.passed


def test_a_killed_owner_blocks_nobody(app: Application) -> None:
    command = [sys.executable, "-c", HOLDS, app.db.green_url, app.db.blue_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner, app.clusters() as clusters:
        try:
            assert owner.stdout
            assert owner.stdout.readline() == "held\n"
            with pytest.raises(ControlError, match="another operator is at work"):
                clusters.pause()
        finally:
            owner.kill()
            owner.wait()

        def free() -> bool:
            try:
                with OperatorLock(clusters.pair, "pause"):
                    return True
            except ControlError:
                return False

        until(free, "the lock of the killed owner to be gone", timeout=5.0)


def test_a_lost_lock_is_noticed_before_the_next_change(app: Application) -> None:
    ended: list[str] = []

    def on_statement(_cluster: str, text: str) -> None:
        if not ended and ("STOP" in text or "DISABLE" in text):
            ended.append(text)
            end_lock(app, "blue", name)

    with app.clusters() as clusters, OperatorLock(clusters.pair, "pause") as lock:
        name = name_of(clusters.pair)
        lock.still()
        end_lock(app, "green", name)
        with pytest.raises(ControlError, match="lost"):
            lock.still()
        lock.still()
    with api.connect(app.config, on_statement) as clusters:
        stopped = clusters.pause(PauseOptions(timeout=30.0))
        assert codes(stopped) == ["pause.given_up"]
        assert "operators' lock was lost" in stopped.checks[0].findings[0].message
        assert ended
        assert "everything is as it was" in stopped.checks[0].summary
        assert {link.state.value for link in clusters.links()[0]} == {"running"}
        assert clusters.receipt_path.exists() is False
