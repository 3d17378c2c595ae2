"""How the work of a comparison is cut, carried and taken up again, on real servers."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

from replguard.diff import ranges, survey
from replguard.diff.run import Options
from replguard.diff.throttle import Limits
from replguard.errors import UsageError
from replguard.model.findings import Strength
from tests.conformance.application import of, told

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from replguard.api import Clusters
    from replguard.model.findings import Report
    from tests.conformance.application import Application

ROWS = 2_000
_FILL = {
    "postgresql": "INSERT INTO account SELECT n, 'name' || n, 'mail' FROM generate_series(1000, 2999) n",
    "mysql": "INSERT INTO account SELECT 1000 + a.n * 100 + b.n, 'name', 'mail' FROM "
    "(SELECT t.i * 5 + u.i AS n FROM digits t, digits u WHERE t.i < 4 AND u.i < 5) a, "
    "(SELECT t.i * 10 + u.i AS n FROM digits t, digits u) b",
}


def compare(clusters: Clusters, **given: Any) -> Report:
    return clusters.diff(Options(datetime.now(UTC).date(), **given))


@pytest.fixture
def large(app: Application, monkeypatch: pytest.MonkeyPatch) -> Application:
    """The application with a table of many ranges."""
    for module in (ranges, survey):
        monkeypatch.setattr(module, "ROWS", 100)
    monkeypatch.setattr(survey, "STATEMENT_ROWS", 200)
    monkeypatch.setattr(survey, "_is_small", lambda _job: False)
    if app.family == "mysql":
        app.db.run(
            "blue",
            "CREATE TABLE digits (i INT PRIMARY KEY)",
            "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
        )
    app.db.run("blue", _FILL[app.family])
    app.db.wait_caught_up()
    return app


def executors() -> dict[str, Any]:
    return {
        "threads": lambda: ThreadPoolExecutor(3),
        "processes": lambda: ProcessPoolExecutor(2, get_context("spawn")),
    }


@pytest.mark.engines("mariadb", "mysql", "postgresql-18")
@pytest.mark.parametrize("kind", executors())
def test_any_executor_can_carry_the_work(large: Application, kind: str) -> None:
    large.db.run_local("green", "UPDATE account SET email = 'drift' WHERE id IN (1007, 2998)")
    with executors()[kind]() as executor, large.clusters() as clusters:
        report = compare(clusters, executor=executor)
        assert sorted(str(item.key) for item in of(report, "row.differs")) == ["{'id': 1007}", "{'id': 2998}"]
        large.db.run_local("green", "UPDATE account SET email = 'mail' WHERE id IN (1007, 2998)")
        large.db.run_local("blue", "UPDATE account SET email = 'mail' WHERE id IN (1007, 2998)")
        assert told(compare(clusters, executor=executor)) == []


class Interrupting(ThreadPoolExecutor):
    """An executor at which somebody presses Ctrl-C after some tasks."""

    def __init__(self, after: int) -> None:
        super().__init__(1)
        self.after = after

    def submit(self, *arguments: Any, **named: Any) -> Any:
        self.after -= 1
        if self.after < 0:
            raise KeyboardInterrupt
        return super().submit(*arguments, **named)


def interrupted(clusters: Clusters, after: int) -> None:
    with pytest.raises(KeyboardInterrupt), Interrupting(after) as executor:
        compare(clusters, executor=executor)


class Counting(ThreadPoolExecutor):
    """Counts the sums that are asked for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.sums = 0

    def submit(self, *arguments: Any, **named: Any) -> Any:
        self.sums += "sums_of" in str(arguments)
        return super().submit(*arguments, **named)


@pytest.mark.engines("mariadb", "mysql", "postgresql-18")
def test_a_comparison_that_was_interrupted_goes_on(large: Application) -> None:
    large.db.run_local("green", "UPDATE account SET email = 'drift' WHERE id IN (1007, 2998)")
    with large.clusters() as clusters:
        with pytest.raises(UsageError, match="no comparison"):
            compare(clusters, resume=True)
        interrupted(clusters, 30)
        # Moved meanwhile, among the rows that were compared already and among those that were not.
        large.db.run("blue", "UPDATE account SET email = 'moved' WHERE id IN (1011, 2990)")
        large.db.wait_caught_up()
        with Counting() as rest:
            report = compare(clusters, executor=_as_executor(rest), resume=True)
        assert sorted(str(item.key) for item in of(report, "row.differs")) == ["{'id': 1007}", "{'id': 2998}"]
        assert {item.code for item in told(report)} == {"row.differs"}
        counted = {table.table: table.rows for table in report.coverage.tables}
        assert counted["account"] == {"blue": 20 + ROWS, "green": 20 + ROWS}
        with Counting() as whole:
            compare(clusters, executor=_as_executor(whole))
        assert 0 < rest.sums < whole.sums
        with pytest.raises(UsageError, match="no comparison"):
            compare(clusters, resume=True)


def _as_executor(counting: Counting) -> Executor:
    return counting


@pytest.mark.engines("mariadb")
def test_what_a_link_brought_that_was_not_read_then_is_not_known(large: Application) -> None:
    with large.clusters() as clusters:
        interrupted(clusters, 30)
        path = clusters.receipt_path.parent / "diff-checkpoint.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "starts": {}}))
        report = compare(clusters, resume=True)
        assert report.strength is Strength.unaligned
        assert any("was not read" in item.message for item in of(report, "check.not_run"))


@pytest.mark.engines("mariadb")
def test_it_does_not_go_on_with_another_question(large: Application) -> None:
    with large.clusters() as clusters:
        interrupted(clusters, 30)
        with pytest.raises(UsageError, match="something else"):
            compare(clusters, tables="setting", resume=True)
        large.db.run("blue", "ALTER TABLE account ADD COLUMN more INT")
        large.db.wait_caught_up()
        with pytest.raises(UsageError, match="something else"):
            compare(clusters, resume=True)


@pytest.mark.engines("mariadb", "mysql", "postgresql-18")
def test_snapshots_are_renewed_and_nothing_is_lost(large: Application) -> None:
    large.db.run_local("green", "UPDATE account SET email = 'drift' WHERE id IN (1007, 2998)")
    with large.clusters() as clusters:
        report = compare(clusters, snapshot_age=0.01)
    assert sorted(str(item.key) for item in of(report, "row.differs")) == ["{'id': 1007}", "{'id': 2998}"]
    assert {item.code for item in told(report)} == {"row.differs"}


@pytest.mark.engines("mariadb", "postgresql-18")
def test_busy_servers_are_waited_for_and_no_longer_than_said(
    large: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("replguard.diff.throttle.LOOK_EVERY", 0.0)
    said: list[str] = []
    with large.clusters() as clusters:
        limits = Limits(lag=None, running=-1, patience=0.2)
        report = compare(clusters, limits=limits, say=said.append)
    assert said
    assert "statements run on blue" in said[0]
    codes = {item.code for item in told(report)}
    assert codes == {"table.not_compared"}
    assert report.verdict.value == "inconclusive"
