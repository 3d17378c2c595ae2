"""kill -9 at any statement: nothing stays on a server, and one more call brings the pair to the wanted state."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from replguard.demo.servers import until
from tests.adversarial.victim import kill_at, started, statements_of
from tests.cli.runs import shell_for

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.demo.servers import Side
    from tests.conformance.application import Application

ENGINES = ("mariadb", "mysql", "postgresql-18")
SAMPLE = 1
LOOKS = [("watch", "--for", "1s"), ("gate", "--window", "0.5s"), ("diff",)]
_LOCK = {
    "mariadb": "LOCK TABLES account WRITE",
    "mysql": "LOCK TABLES account WRITE",
    "postgresql": "LOCK TABLE account IN ACCESS EXCLUSIVE MODE",
}
_WAITS = {
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE user = 'replguard' AND state LIKE '%lock%'",
    "mysql": "SELECT count(*) FROM performance_schema.processlist WHERE user = 'replguard' AND state LIKE '%lock%'",
    "postgresql": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'replguard' AND wait_event_type = 'Lock'",
}
_SLOTS = "SELECT count(*) FROM pg_replication_slots WHERE temporary OR slot_name LIKE 'replguard%'"
_PUBLICATIONS = "SELECT count(*) FROM pg_publication WHERE pubname LIKE 'replguard%'"
_THREADS = {
    "mariadb": "SELECT count(*) FROM information_schema.processlist WHERE user = 'replguard'",
    "mysql": "SELECT count(*) FROM performance_schema.processlist WHERE user = 'replguard'",
    "postgresql": "SELECT count(*) FROM pg_stat_activity "
    "WHERE usename = 'replguard' AND backend_type = 'client backend'",
}


def _points(count: int, *, thorough: bool) -> list[int]:
    """At which statements to kill: all of them, or a seeded sample that holds the last ones, where servers change."""
    if thorough:
        return list(range(1, count + 1))
    return sorted({*random.Random(count).sample(range(1, count + 1), SAMPLE), count - 1})


@pytest.mark.engines(*ENGINES)
def test_a_killed_pause_is_mended_by_pausing_again(app: Application, tmp_path: Path, thorough: bool) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    count = statements_of(shell, "pause")
    assert shell.run("resume").code == 0
    for number, point in enumerate(_points(count, thorough=thorough)):
        app.db.run("blue", f"INSERT INTO account VALUES ({1000 + number}, 'n', NULL)")
        kill_at(shell, point, "pause")
        shell.json("status")
        paused = shell.json("pause")
        assert (paused.code, paused.document["links"][0]["state"]) == (0, "paused"), (point, str(paused))
        assert app.db.query("green", f"SELECT count(*) FROM account WHERE id = {1000 + number}") == [(1,)], point
        resumed = shell.json("resume")
        assert resumed.code == 0, (point, str(resumed))
        assert not shell.json("status").found("journal.unfinished"), point


@pytest.mark.engines(*ENGINES)
def test_a_killed_resume_is_mended_by_resuming_again(app: Application, tmp_path: Path, thorough: bool) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    shell.run("pause")
    count = statements_of(shell, "resume", "--accept-changes")
    for number, point in enumerate(_points(count, thorough=thorough)):
        assert shell.run("pause").code == 0
        app.db.run("blue", f"INSERT INTO account VALUES ({2000 + number}, 'n', NULL)")
        kill_at(shell, point, "resume", "--accept-changes")
        resumed = shell.json("resume", "--accept-changes")
        assert resumed.code == 0, (point, str(resumed))
        app.db.wait_caught_up()
        assert app.db.query("green", f"SELECT count(*) FROM account WHERE id = {2000 + number}") == [(1,)], point


@pytest.mark.engines(*ENGINES)
@pytest.mark.parametrize("command", LOOKS)
def test_a_killed_look_leaves_nothing_behind(
    app: Application, tmp_path: Path, command: tuple[str, ...], thorough: bool
) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    for point in _points(statements_of(shell, *command), thorough=thorough):
        kill_at(shell, point, *command)
    until(lambda: not _left(app, "blue"), "nothing of replguard on blue")
    until(lambda: not _left(app, "green"), "nothing of replguard on green")
    assert shell.run(*command).code == 0


def _left(app: Application, side: Side) -> int:
    queries = [_THREADS[app.db.engine], *([_SLOTS, _PUBLICATIONS] if app.family == "postgresql" else [])]
    return sum(int(app.db.query(side, query)[0][0]) for query in queries)


@pytest.mark.engines(*ENGINES)
def test_a_comparison_that_waits_for_a_lock_ends_when_it_is_interrupted(app: Application, tmp_path: Path) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    with app.db.pair.green.connect(app.db.name) as holder:
        if app.family == "postgresql":
            holder.run("BEGIN")
        holder.run(_LOCK[app.db.engine])
        process = started(shell, "diff")
        try:
            waits = _WAITS[app.db.engine]
            until(lambda: app.db.query("green", waits) != [(0,)], "the comparison to wait for the lock")
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 3
        finally:
            process.kill()
            process.communicate()
        until(lambda: app.db.query("green", waits) == [(0,)], "nobody to wait for the lock any more")
