"""kill -9 at any statement of a command that looks: nothing stays on a server.

What changes a server is killed in :mod:`tests.adversarial.test_faults`.
"""

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
@pytest.mark.parametrize("command", LOOKS)
def test_a_killed_look_leaves_nothing_behind(
    app: Application, tmp_path: Path, command: tuple[str, ...], thorough: bool
) -> None:
    if app.family != "postgresql" and command[0] != "gate" and not thorough:
        pytest.skip("a gate does what the others do, and only PostgreSQL has anything that could stay: run whole")
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
