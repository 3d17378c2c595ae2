"""What a policy says of columns, rows and partitions, on real servers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from replguard import config
from replguard.control.pause import Options as PauseOptions
from replguard.gates.base import Options as GateOptions
from replguard.model.findings import Severity, Strength, Verdict
from replguard.watch.run import Options as WatchOptions
from tests.conformance.application import codes, of, told
from tests.conformance.test_main_job import QUICK, TODAY

if TYPE_CHECKING:
    from tests.conformance.application import Application

_PARTITIONED = (
    "CREATE TABLE {0} (day date, id int, PRIMARY KEY (day, id)) PARTITION BY RANGE (day)",
    "CREATE TABLE {0}_1v2 PARTITION OF {0} FOR VALUES FROM ('2026-01-01') TO ('2026-01-02')",
    "CREATE TABLE {0}_2v3 PARTITION OF {0} FOR VALUES FROM ('2026-01-02') TO ('2026-01-03')",
)


def _policy(app: Application, **policy: Any) -> None:
    """Let the application's config have this policy."""
    path = app.folder / "replguard.yaml"
    clusters = {"blue": {"url": app.db.blue_url}, "green": {"url": app.db.green_url}}
    policy.setdefault("must_not_sync", ["event", "auditlog"])
    path.write_text(yaml.safe_dump({"clusters": clusters, "policy": policy}))
    app.config = replace(config.load(path), state_dir=app.folder / "state")


def test_ignored_columns_are_not_compared(app: Application) -> None:
    app.db.run_local("green", "UPDATE account SET email = 'other' WHERE id = 7")
    _policy(app, ignore_columns={"ACCOUNT": ["Email"]})
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
    assert report.verdict is Verdict.passed
    assert "email" not in next(table for table in report.coverage.tables if table.table == "account").columns
    app.db.run_local("green", "UPDATE account SET name = 'other' WHERE id = 7")
    with app.clusters() as clusters:
        assert codes(clusters.diff(QUICK)) == ["row.differs"]


def test_expected_differences_inform_until_they_expire(app: Application) -> None:
    app.db.run_local("green", "UPDATE setting SET value = 'secondary' WHERE name = 'size'")
    expected = {"table": "setting", "where": "name = 'size' AND node IN ('a', 'b')", "reason": "names the site"}
    _policy(app, expected_differences=[expected])
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
    assert report.verdict is Verdict.passed
    assert [(item.severity, item.table) for item in of(report, "row.differs")] == [(Severity.info, "setting")] * 2
    _policy(app, expected_differences=[{**expected, "until": TODAY - timedelta(days=1)}])
    with app.clusters() as clusters:
        assert codes(clusters.diff(QUICK)) == ["row.differs"] * 2
    app.db.run_local("green", "UPDATE setting SET value = '1' WHERE node = 'a' AND name = 'size'")
    app.db.run_local("green", "UPDATE setting SET value = '2' WHERE node = 'b'")
    _policy(app, expected_differences=[expected])
    with app.clusters() as clusters:
        assert [item.code for item in told(clusters.diff(QUICK))] == ["expected.unused"]


def test_a_lookalike_and_a_table_without_rule_are_inconclusive(app: Application) -> None:
    app.db.both("CREATE TABLE auditlog_old (id int PRIMARY KEY)")
    _policy(app, lookalikes=["auditlog_*"])
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
    assert (report.verdict, codes(report)) == (Verdict.inconclusive, ["table.unclassified"])
    _policy(app, config=["account", "setting", "token", "rule"])
    with app.clusters() as clusters:
        assert [item.table for item in of(clusters.diff(QUICK), "table.unclassified")] == ["auditlog_old"]


@pytest.mark.engines("postgresql")
def test_partitions_follow_their_table(app: Application) -> None:
    """A forbidden table's partitions are forbidden, found through the catalog; a config table's are read with it."""
    for name in ("transferdata", "plan"):
        app.db.both(*(text.format(name) for text in _PARTITIONED))
    app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE plan")
    app.refresh()
    _policy(app, must_not_sync=["event", "auditlog", "transferdata"])
    app.db.run("blue", "INSERT INTO plan VALUES ('2026-01-01', 1), ('2026-01-02', 2)")
    app.db.run("blue", "INSERT INTO transferdata VALUES ('2026-01-01', 1)")
    app.db.wait_caught_up()
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
        assert (report.verdict, codes(report)) == (Verdict.passed, [])
        covered = {table.table: table for table in report.coverage.tables}
        assert covered["plan"].rows == {"blue": 2, "green": 2}
        assert covered["plan_1v2"].compared
        assert covered["transferdata_1v2"].class_ == "must_not_sync"
        assert clusters.audit().verdict is Verdict.passed
    app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE transferdata_1v2")
    app.refresh()
    app.db.run_local("green", "DELETE FROM plan WHERE id = 2")
    with app.clusters() as clusters:
        assert {item.table for item in of(clusters.audit(), "leak.configured")} >= {"transferdata_1v2"}
        assert [item.key for item in of(clusters.diff(QUICK), "row.missing")] == [{"day": "2026-01-02", "id": 2}]


@pytest.mark.engines("postgresql")
def test_a_leak_through_one_partition_is_seen(app: Application) -> None:
    app.db.both(*(text.format("transferdata") for text in _PARTITIONED))
    app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE transferdata_2v3")
    app.refresh()
    _policy(app, must_not_sync=["event", "auditlog", "transferdata"])
    app.stop_applying()
    app.db.run("blue", "INSERT INTO transferdata VALUES ('2026-01-01', 1), ('2026-01-02', 2)")
    with app.clusters() as clusters:
        report = clusters.watch(WatchOptions(since="start"))
    assert {item.table for item in of(report, "leak.sent")} == {"transferdata_2v3"}


@pytest.mark.engines("mariadb", "mysql")
def test_a_statement_that_waits_as_text_takes_exactness_away(app: Application) -> None:
    with app.clusters() as clusters:
        assert clusters.pause(PauseOptions(timeout=30.0)).verdict is Verdict.passed
        with app.db.pair.blue.connect(app.db.name) as connection:
            connection.run("SET SESSION binlog_format = 'STATEMENT'")
            connection.run("UPDATE account SET email = 'text' WHERE id = 1")
        report = clusters.diff(QUICK)
        gate = clusters.gate(options=GateOptions(TODAY, window=0.2, settle=1.0))
    waiting = next(check for check in gate.checks if check.id == "watch.waiting")
    assert waiting.verdict is Verdict.inconclusive, "nobody knows what that statement writes"
    assert report.strength is Strength.unaligned
    assert report.verdict is Verdict.inconclusive
    assert "stream.opaque" in codes(report)


@pytest.mark.engines("mariadb", "mysql")
@pytest.mark.parametrize("command", ["diff", "filter audit", "gate"])
def test_a_schema_that_is_not_there_is_no_pass(app: Application, command: str) -> None:
    clusters = {
        side: {"url": app.db.url(side), "schemas": [app.schema, "no_such_schema"]} for side in ("blue", "green")
    }
    path = app.folder / "replguard.yaml"
    path.write_text(yaml.safe_dump({"clusters": clusters, "policy": {"must_not_sync": ["event", "auditlog"]}}))
    app.config = replace(config.load(path), state_dir=app.folder / "state")
    with app.clusters() as connected:
        report = {"diff": lambda: connected.diff(QUICK), "filter audit": connected.audit, "gate": connected.gate}[
            command
        ]()
    assert report.verdict is Verdict.inconclusive
    assert ("green", "no_such_schema") in [(item.cluster, item.schema) for item in of(report, "check.not_run")]
