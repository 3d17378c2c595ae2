"""What MySQL and MariaDB do behind the back of their filters, and what of it the audit tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replguard import config
from replguard.demo.servers import until
from replguard.model.findings import Severity, Verdict
from replguard.watch.run import Options as WatchOptions
from tests.conformance.application import codes, of

if TYPE_CHECKING:
    from tests.conformance.application import Application

_REWRITE = {
    "mariadb": ("STOP SLAVE", "START SLAVE", "SET GLOBAL replicate_rewrite_db = '{}->{}'"),
    "mysql": (
        "STOP REPLICA SQL_THREAD",
        "START REPLICA SQL_THREAD",
        "CHANGE REPLICATION FILTER REPLICATE_REWRITE_DB = (({}, {})) FOR CHANNEL ''",
    ),
}
_REWRITE_NOTHING = {
    "mariadb": "SET GLOBAL replicate_rewrite_db = ''",
    "mysql": "CHANGE REPLICATION FILTER REPLICATE_REWRITE_DB = () FOR CHANNEL ''",
}


@pytest.mark.engines("mariadb")
def test_triggers_that_an_applier_runs(app: Application) -> None:
    """With slave_run_triggers_for_rbr a trigger on the target writes a table that the filters keep out."""
    app.db.run_local(
        "green", "CREATE TRIGGER t1 AFTER INSERT ON account FOR EACH ROW INSERT INTO `event` VALUES (9, 9)"
    )
    with app.clusters() as clusters:
        assert clusters.audit().verdict is Verdict.passed
    app.db.run("green", "STOP SLAVE", "SET GLOBAL slave_run_triggers_for_rbr = YES", "START SLAVE")
    try:
        app.db.run("blue", "INSERT INTO account VALUES (99, 'new', NULL)")
        app.db.wait_caught_up()
        assert (9,) in app.db.query("green", "SELECT id FROM event")
        with app.clusters() as clusters:
            found = of(clusters.audit(), "leak.configured")
        assert [(item.table, item.severity) for item in found] == [("event", Severity.fail)]
    finally:
        app.db.run("green", "STOP SLAVE", "SET GLOBAL slave_run_triggers_for_rbr = NO", "START SLAVE")


@pytest.mark.engines("mariadb", "mysql")
def test_events_that_the_target_runs(app: Application) -> None:
    """An event writes on the target by itself what the filters keep out; the audit says so before it does."""
    [(before,)] = app.db.query("green", "SELECT @@GLOBAL.event_scheduler")
    [(rows,)] = app.db.query("green", "SELECT COUNT(*) FROM event")
    try:
        app.db.run("green", "SET GLOBAL event_scheduler = ON")
        with app.clusters() as clusters:
            assert clusters.audit().verdict is Verdict.passed
        schedule = "ON SCHEDULE EVERY 1 SECOND ON COMPLETION PRESERVE"
        body = "INSERT INTO `event` SELECT COALESCE(MAX(id), 0) + 1, 1 FROM `event`"
        app.db.run_local("green", f"CREATE EVENT fill {schedule} DO {body}")
        with app.clusters() as clusters:
            found = of(clusters.audit(), "leak.configured")
        assert [(item.table, item.severity, item.evidence["path"][-1]) for item in found] == [
            ("event", Severity.fail, f"{app.db.name}.event")
        ]
        until(lambda: app.db.query("green", "SELECT COUNT(*) FROM event") > [(rows,)], "the event to write")
        app.db.run_local("green", "ALTER EVENT fill DISABLE")
        with app.clusters() as clusters:
            assert clusters.audit().verdict is Verdict.passed
    finally:
        app.db.run_local("green", "DROP EVENT IF EXISTS fill", f"SET GLOBAL event_scheduler = {before}")


@pytest.mark.engines("mariadb")
@pytest.mark.parametrize(
    ("rule", "number"), [("IGNORE_SERVER_IDS", "@@server_id"), ("IGNORE_DOMAIN_IDS", "@@gtid_domain_id")]
)
def test_a_link_that_drops_what_its_source_writes_is_incomplete(app: Application, rule: str, number: str) -> None:
    [(dropped,)] = app.db.query("blue", f"SELECT {number}")
    app.db.run("green", "STOP SLAVE", f"CHANGE MASTER TO {rule} = ({dropped})", "START SLAVE")
    try:
        with app.clusters() as clusters:
            report = clusters.audit()
        assert report.verdict is Verdict.failed
        assert codes(report) == ["link.incomplete"] * 4
        assert rule in of(report, "link.incomplete")[0].message
    finally:
        app.db.run("green", "STOP SLAVE", f"CHANGE MASTER TO {rule} = ()", "START SLAVE")


@pytest.mark.engines("mysql")
def test_another_database_that_is_rewritten_into_the_application(app: Application) -> None:
    """Every change of the application's own event table is dropped; that of its namesake elsewhere lands on it."""
    name = app.db.name
    setting = "CHANGE REPLICATION FILTER REPLICATE_REWRITE_DB = ({}) FOR CHANNEL ''"
    app.db.both(f"CREATE DATABASE {name}_x", f"CREATE TABLE {name}_x.event LIKE {name}.event")
    rules = f"({name}_x, {name}), ({name}, {name}_y)"
    app.keep_apart("nothing")
    app.db.run("green", "STOP REPLICA SQL_THREAD", setting.format(rules), "START REPLICA SQL_THREAD")
    try:
        app.db.run(
            "green",
            "STOP REPLICA SQL_THREAD",
            f"CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ('{name}_y.%') FOR CHANNEL ''",
            "START REPLICA SQL_THREAD",
        )
        app.db.run("blue", f"INSERT INTO {name}_x.event VALUES (9, 'elsewhere')")
        app.db.wait_caught_up()
        assert (9,) in app.db.query("green", f"SELECT id FROM {name}.event")
        with app.clusters() as clusters:
            found = of(clusters.audit(), "leak.configured")
        assert ("event", Severity.unknown) in [(item.table, item.severity) for item in found]
    finally:
        app.db.run(
            "green",
            "STOP REPLICA SQL_THREAD",
            setting.format(""),
            "CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = () FOR CHANNEL ''",
            "START REPLICA SQL_THREAD",
        )
        app.db.both(f"DROP DATABASE {name}_x")


@pytest.mark.engines("mariadb", "mysql")
def test_what_is_rewritten_into_a_forbidden_table_is_a_leak(app: Application) -> None:
    """The source's table has another database, which no rule speaks of; the target applies it to the forbidden one."""
    app.let_cross("event")
    elsewhere, here = f"{app.db.name}_old", app.db.name
    stop, start, rewrite = _REWRITE[app.db.engine]
    app.db.run_local("blue", f"CREATE DATABASE {elsewhere}", f"CREATE TABLE {elsewhere}.event LIKE {here}.event")
    try:
        app.db.run("green", stop, rewrite.format(f"{elsewhere}", here), start)
        rules = config.from_options({"blue": app.db.blue_url, "green": app.db.green_url}, None, (f"{here}.event",))
        app.config = replace(rules, state_dir=app.config.state_dir)
        with app.clusters() as clusters:
            before = {server.name: server.replication.position() for server in clusters.pair}
            app.db.run("blue", f"INSERT INTO {elsewhere}.event VALUES (77, 'moved')")
            app.db.wait_caught_up()
            assert app.db.query("green", "SELECT id FROM event WHERE id = 77") == [(77,)]
            report = clusters.watch(WatchOptions(seconds=None, since=before))
        found = {item.evidence.get("operation") for item in of(report, "leak.sent") if item.table == "event"}
        assert "insert" in found
        assert of(report, "leak.applied")
        app.stop_applying()
        app.db.run("blue", f"INSERT INTO {elsewhere}.event VALUES (78, 'waits')")
        with app.clusters() as clusters:
            assert "leak.sent" in codes(clusters.pause())
    finally:
        app.db.run("green", stop, _REWRITE_NOTHING[app.db.engine], start)
        app.db.run_local("blue", f"DROP DATABASE {elsewhere}")
