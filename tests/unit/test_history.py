"""The history: versions of its tables, runs whole or not at all, and what is said of findings that are gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text

from replguard.errors import ConfigError, ServerError
from replguard.history.compare import compare
from replguard.history.schema import STEPS, migrate, version_of
from replguard.history.store import History, default_url

ROOT = Path(__file__).resolve().parents[2]
ROW = {"code": "row.differs", "severity": "fail", "cluster": None, "link": None, "schema": "st", "table": "account"}


def row(key: int, **parts: Any) -> dict[str, Any]:
    return {**ROW, "key": {"id": key}, "message": f"row {key} differs", **parts}


def document(*findings: dict[str, Any], blind: bool = False, compared: bool = True, at: int = 1) -> dict[str, Any]:
    told = [*findings, *([{**ROW, "code": "check.not_run", "message": "?", "severity": "unknown"}] if blind else [])]
    return {
        "clusters": {"blue": {"identity": "a"}, "green": {"identity": "b"}},
        "started_at": f"2026-01-{at:02}T01:00:00+00:00",
        "finished_at": f"2026-01-{at:02}T01:00:02+00:00",
        "verdict": "fail" if findings else "pass",
        "checks": [{"id": "diff.data", "findings": told}],
        "coverage": {"tables": [{"schema": "st", "table": "account", "class": "config", "compared": compared}]},
    }


@pytest.fixture
def url(tmp_path: Path) -> str:
    return default_url(tmp_path)


def add(url: str, *documents: dict[str, Any]) -> list[Any]:
    with History(url) as history:
        return [history.add(one) for one in documents]


def told(stored: Any) -> list[tuple[str, int]]:
    return [(one.state, one.since_run) for one in stored.findings]


def test_a_finding_is_new_then_persists_since_then_and_is_resolved(url: str) -> None:
    first, second, third, fourth = add(
        url, document(row(7)), document(row(7, message="else"), row(8), at=2), document(at=3), document(row(7), at=4)
    )
    assert told(first) == [("new", 1)]
    assert sorted(told(second)) == [("new", 2), ("persisting", 1)]
    assert [one.state for one in third.gone] == ["resolved", "resolved"]
    assert {one.since_at for one in third.gone} == {"2026-01-01T01:00:00+00:00", "2026-01-02T01:00:00+00:00"}
    assert told(fourth) == [("new", 4)], "what comes back begins anew"


@pytest.mark.parametrize("parts", [{"blind": True}, {"compared": False}])
def test_what_could_not_be_looked_at_is_not_resolved(url: str, parts: dict[str, bool]) -> None:
    _, second, third, fourth = add(
        url, document(row(7)), document(at=2, **parts), document(row(7), at=3), document(at=4)
    )
    assert [one.state for one in second.gone] == ["unseen"]
    assert ("persisting", 1) in told(third)
    assert "resolved" in {one.state for one in fourth.gone}


def test_a_check_that_is_not_there_any_more_resolves_nothing() -> None:
    now = {**document(), "checks": []}
    seen, _ = compare(document(row(7)), (), "then")
    _, gone = compare(now, seen, "now")
    assert [one.state for one in gone] == ["unseen"]


def test_pairs_do_not_mix(url: str) -> None:
    other = {**document(row(7)), "clusters": {"x": {"identity": "c"}, "y": {"identity": "d"}}}
    first, second = add(url, document(row(7)), other)
    assert (first.previous, second.previous) == (None, None)
    assert told(second) == [("new", 2)]


def test_tables_come_step_by_step_and_newer_ones_are_refused(url: str) -> None:
    engine = create_engine(url)
    for count in range(len(STEPS) + 1):
        migrate(engine, STEPS[:count])
        assert version_of(engine) == count
    migrate(engine)
    add(url, document(row(7)))
    more = (*STEPS, lambda connection: connection.execute(text("ALTER TABLE replguard_run ADD COLUMN note TEXT")))
    migrate(engine, more)
    assert "note" in {column["name"] for column in inspect(engine).get_columns("replguard_run")}
    with pytest.raises(ConfigError, match=f"has version {len(STEPS) + 1} of its tables"), History(url):
        pass
    engine.dispose()


def test_a_step_that_fails_leaves_the_version_before(url: str) -> None:
    add(url, document(row(7)))

    def broken(connection: Any) -> None:
        connection.execute(text("CREATE TABLE half (a INTEGER)"))
        connection.execute(text("NO SQL"))

    with History(url) as history:
        engine = history._engine
        with pytest.raises(Exception, match="NO"):
            migrate(engine, (*STEPS, broken))
        assert version_of(engine) == len(STEPS)
        assert not inspect(engine).has_table("half")
        assert len(history.runs()) == 1


def test_two_runs_at_once_are_both_kept(url: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        stored = [
            one for made in pool.map(lambda day: add(url, document(row(day), at=day)), range(1, 13)) for one in made
        ]
    assert sorted(one.id for one in stored) == list(range(1, 13))
    assert sorted(one.previous or 0 for one in stored) == list(range(12)), "each was held against the one before"


KILLED = """
import os, signal, sys
from sqlalchemy import event
from replguard.history.store import History
from tests.unit.test_history import document, row
with History(sys.argv[1]) as history:
    seen = []
    def die(*arguments):
        seen.append(arguments[2])
        if "replguard_finding" in arguments[2] and arguments[2].startswith("INSERT"):
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(history._engine, "after_cursor_execute", die)
    history.add(document(row(7), row(8)))
"""


def test_a_run_that_is_killed_half_way_is_not_there(url: str) -> None:
    add(url, document(row(1)))
    done = subprocess.run([sys.executable, "-c", KILLED, url], check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == -signal.SIGKILL
    with History(url) as history:
        assert [run.id for run in history.runs()] == [1]
    (after,) = add(url, document(row(1), at=3))
    assert told(after) == [("persisting", 1)]


def test_the_newest_run_of_each_pair_outlives_pruning(url: str) -> None:
    add(url, *(document(row(day), at=day) for day in range(1, 6)))
    with History(url) as history:
        assert history.prune(before="2026-01-03") == 2
        assert history.prune(keep=2) == 1
        assert history.prune(before="2099-01-01") == 1
        assert [run.id for run in history.runs()] == [5]
        assert history.run().findings[0].finding["key"] == {"id": 5}
        with pytest.raises(ConfigError, match="no run 1"):
            history.run(1)


def test_counts_are_those_of_each_run(url: str) -> None:
    stored = add(url, document(row(1), row(2, severity="warn")), document(row(1), at=2))
    with History(url) as history:
        (first, one), (second, other) = history.counts(history.run().pair, 10)
    assert ([first.id, second.id], one, other) == ([item.id for item in stored], {"fail": 1, "warn": 1}, {"fail": 1})


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").write_text("no database at all, but long enough to be looked at " * 40)
    with pytest.raises(ServerError, match="cannot be used"), History(default_url(tmp_path)):
        pass
