"""The main job, the same on every engine: status, audit, watch, diff, pause, resume, gate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from replguard.control.pause import Options as PauseOptions
from replguard.control.resume import Options as ResumeOptions
from replguard.diff.run import Options as DiffOptions
from replguard.gates.base import Options as GateOptions
from replguard.gates.base import Purpose
from replguard.model.findings import Severity, Strength, Verdict
from replguard.watch.run import Options as WatchOptions
from tests.conformance.application import CONFIG_TABLES, Application, codes, of, told
from tests.conformance.writing import writing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.workspace import Workspace

TODAY = datetime.now(UTC).date()
QUICK = DiffOptions(TODAY, settle=10.0)


def test_a_sound_pair_is_silent(app: Application) -> None:
    with app.clusters() as clusters:
        reports = [
            clusters.status(),
            clusters.classify(),
            clusters.audit(),
            clusters.watch(WatchOptions(seconds=0.5)),
            clusters.diff(QUICK),
            clusters.gate(options=GateOptions(TODAY, window=0.5)),
        ]
    for report in reports:
        assert (report.command, report.verdict, codes(report)) == (report.command, Verdict.passed, [])


def test_status_shows_the_link_by_the_names_of_the_config(app: Application) -> None:
    with app.clusters() as clusters:
        (link,) = clusters.status().links
    assert (link.source, link.target, link.state) == ("blue", "green", "running")
    assert link.applied is not None
    assert link.lag_seconds is not None
    assert link.lag_seconds < 60


def test_every_table_is_in_the_coverage(app: Application) -> None:
    with app.clusters() as clusters:
        tables = {table.table: table for table in clusters.diff(QUICK).coverage.tables}
    assert set(tables) == {*CONFIG_TABLES, "event", "auditlog"}
    assert all(tables[name].compared for name in CONFIG_TABLES)
    assert tables["account"].rows == {"blue": 20, "green": 20}
    assert set(tables["account"].columns) == {"id", "name", "email"}
    assert (tables["event"].class_, tables["event"].compared) == ("must_not_sync", False)


def test_a_filter_that_lets_a_forbidden_table_through_is_found(app: Application) -> None:
    app.let_cross("event")
    with app.clusters() as clusters:
        report = clusters.audit()
    assert report.verdict is Verdict.failed
    (leak,) = of(report, "leak.configured")
    assert (leak.schema, leak.table, leak.severity) == (app.schema, "event", Severity.fail)
    assert leak.remedy


def test_a_config_table_that_does_not_cross_is_found(app: Application) -> None:
    if app.family == "postgresql":
        app.db.run("blue", "ALTER PUBLICATION from_blue DROP TABLE public.account")
        app.refresh()
    else:
        app.keep_apart("event", "auditlog", "account")
    with app.clusters() as clusters:
        report = clusters.audit()
    assert [(item.table, item.severity) for item in of(report, "link.incomplete")] == [("account", Severity.fail)]


def test_a_leak_is_seen_sent_and_applied(app: Application) -> None:
    app.let_cross("event")
    with app.clusters() as clusters, writing(app, "INSERT INTO event VALUES ({number}, 'leak')", start=100):
        report = clusters.watch(WatchOptions(seconds=3.0))
    assert report.verdict is Verdict.failed
    assert {item.table for item in of(report, "leak.sent")} == {"event"}
    assert {item.table for item in of(report, "leak.applied")} == {"event"}
    assert all(item.severity is Severity.fail for item in told(report))


def test_the_same_traffic_kept_apart_is_no_leak(app: Application) -> None:
    traffic = "INSERT INTO event VALUES ({number}, 'x'); INSERT INTO account VALUES ({number}, 'n', 'e')"
    with app.clusters() as clusters, writing(app, traffic, start=100):
        report = clusters.watch(WatchOptions(seconds=2.0))
    assert (report.verdict, codes(report)) == (Verdict.passed, [])
    assert sum(stream.changes for stream in report.coverage.streams) > 0


def test_until_caught_up_reads_what_was_there(app: Application) -> None:
    app.let_cross("event")
    app.stop_applying()
    app.db.run("blue", "INSERT INTO event VALUES (500, 'leak')")
    with app.clusters() as clusters:
        report = clusters.watch(WatchOptions(seconds=None, since="start"))
    assert {item.table for item in of(report, "leak.sent")} == {"event"}


def test_a_watch_that_is_stopped_before_it_caught_up_is_inconclusive(app: Application) -> None:
    app.stop_applying()
    app.db.run("blue", "INSERT INTO account VALUES (600, 'n', NULL)")
    with app.clusters() as clusters:
        report = clusters.watch(WatchOptions(seconds=None, since="start", stopped=lambda: True))
    assert report.verdict is Verdict.inconclusive
    assert "check.not_run" in codes(report)


@pytest.mark.parametrize(
    "planted",
    [
        {
            "UPDATE account SET email = 'other' WHERE id = 7": ("row.differs", "account", {"id": 7}),
            "DELETE FROM account WHERE id = 20": ("row.missing", "account", {"id": 20}),
            "INSERT INTO account VALUES (0, 'x', '')": ("row.extra", "account", {"id": 0}),
            "UPDATE setting SET value = '' WHERE value IS NULL": (
                "row.differs",
                "setting",
                {"name": "Größe", "node": "a"},
            ),
            "DELETE FROM setting WHERE node = 'b'": ("row.missing", "setting", {"name": "size", "node": "b"}),
            "UPDATE token SET label = 'second'": ("row.differs", "token", {"id": "0x00ff"}),
            "INSERT INTO rule VALUES ('*.xml', 'keep')": ("row.extra", "rule", None),
        },
        {
            "UPDATE account SET email = NULL WHERE id = 7": ("row.differs", "account", {"id": 7}),
            "DELETE FROM rule WHERE pattern = '*.tmp'": ("row.missing", "rule", None),
        },
    ],
    ids=["many", "few"],
)
def test_planted_drift_is_found_by_key(app: Application, planted: dict[str, tuple[str, str, object]]) -> None:
    app.db.run_local("green", *planted)
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
    assert report.verdict is Verdict.failed
    found = [(item.code, item.table, item.key) for item in told(report)]
    assert sorted(found, key=repr) == sorted(planted.values(), key=repr)
    assert all(item.severity is Severity.fail for item in told(report))


def test_missing_and_extra_tables_and_columns_are_found(app: Application) -> None:
    app.db.run_local(
        "green", "CREATE TABLE extra (id int PRIMARY KEY)", "ALTER TABLE account ADD COLUMN phone varchar(9)"
    )
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
    assert {(item.table, item.cluster) for item in of(report, "table.missing")} == {("extra", "blue")}
    (differs,) = of(report, "schema.differs")
    assert differs.table == "account"
    assert "phone" in differs.message
    assert report.verdict is Verdict.failed


def test_no_row_on_its_way_is_called_drift(app: Application) -> None:
    traffic = "UPDATE account SET email = 'e{number}' WHERE id = 1 + {number} % 20"
    app.db.run_local("green", "UPDATE setting SET value = 'drift' WHERE name = 'size' AND node = 'a'")
    with app.clusters() as clusters, writing(app, traffic, pause=0.0):
        report = clusters.diff(DiffOptions(TODAY, settle=3.0))
    failing = [(item.code, item.table, item.key) for item in told(report) if item.severity is Severity.fail]
    assert failing == [("row.differs", "setting", {"name": "size", "node": "a"})]


def test_pause_drains_and_the_diff_is_exact(app: Application) -> None:
    with app.clusters() as clusters, writing(app, "INSERT INTO event VALUES ({number}, 'x')", start=1000):
        app.db.run("blue", "INSERT INTO account VALUES (777, 'last', 'x')")
        paused = clusters.pause(PauseOptions(timeout=30.0, reason="test"))
        assert (paused.verdict, codes(paused)) == (Verdict.passed, [])
        assert paused.data["receipt"]["reason"] == "test"
        assert app.db.query("green", "SELECT count(*) FROM account WHERE id = 777") == [(1,)]
        compared = clusters.diff(QUICK)
        cutover = clusters.gate(Purpose.cutover, GateOptions(TODAY, window=0.5))
        (link,) = clusters.status().links
    assert (compared.verdict, compared.strength) == (Verdict.passed, Strength.exact)
    assert (cutover.verdict, codes(cutover)) == (Verdict.passed, [])
    assert link.state == "paused"


def test_what_is_written_during_a_pause_flows_on_resume(app: Application) -> None:
    with app.clusters() as clusters:
        clusters.pause(PauseOptions(timeout=30.0))
        app.db.run("blue", "UPDATE account SET email = 'new' WHERE id = 3")
        compared = clusters.diff(QUICK)
        again = clusters.pause(PauseOptions(timeout=30.0))
        stopped = clusters.resume(PauseOptions(timeout=30.0))
        resumed = clusters.resume(ResumeOptions(timeout=30.0, accept_changes=True))
        after = clusters.diff(QUICK)
    assert compared.verdict is Verdict.inconclusive, "a change that waits is neither drift nor identical"
    assert of(compared, "change.pending")
    assert again.verdict is Verdict.failed, "configuration changed while replication was paused"
    assert stopped.verdict is Verdict.failed, "nobody has accepted that change"
    assert resumed.verdict is Verdict.passed
    assert app.db.query("green", "SELECT email FROM account WHERE id = 3") == [("new",)]
    assert after.verdict is Verdict.passed


def test_pausing_twice_and_resuming_twice_is_no_error(app: Application) -> None:
    with app.clusters() as clusters:
        first = clusters.pause(PauseOptions(timeout=30.0, reason="first"))
        second = clusters.pause(PauseOptions(timeout=30.0, reason="second"))
        running = [clusters.resume(PauseOptions(timeout=30.0)) for _ in range(2)]
    assert [first.verdict, second.verdict, *(report.verdict for report in running)] == [Verdict.passed] * 4
    assert second.data["receipt"] == first.data["receipt"]


def test_the_gate_for_a_cutover_refuses_a_running_link(app: Application) -> None:
    with app.clusters() as clusters:
        report = clusters.gate(Purpose.cutover, GateOptions(TODAY, window=0.5))
    assert report.verdict is Verdict.failed
    assert "link.running" in codes(report)


def test_both_directions_are_found_and_paused(two_way_db: Workspace, tmp_path: Path) -> None:
    application = Application(two_way_db, tmp_path)
    application.create_two_way()
    with application.clusters() as clusters:
        status = clusters.status()
        paused = clusters.pause(PauseOptions(timeout=30.0))
        states = {link.state for link in clusters.status().links}
        resumed = clusters.resume(PauseOptions(timeout=30.0))
    assert {(link.source, link.target) for link in status.links} == {("blue", "green"), ("green", "blue")}
    assert (paused.verdict, codes(paused)) == (Verdict.passed, [])
    assert states == {"paused"}
    assert (resumed.verdict, codes(resumed)) == (Verdict.passed, [])
