"""Scanning the log files of real servers: every forbidden change in them is told, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import replguard
from replguard import api, config
from replguard.demo.servers.access import identifier
from replguard.errors import StreamError, UsageError
from replguard.model.findings import Severity, Verdict
from replguard.watch.scan import Options
from tests.cli.runs import keep_apart
from tests.conformance.application import codes, of
from tests.conformance.log_files import STOP_APPLIER, Logs, copied, folder_of
from tests.conformance.mysql_mariadb_sides import eventually
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from replguard.model.findings import Report
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql")
TABLES = (
    "CREATE TABLE account (id INT PRIMARY KEY, v VARCHAR(50))",
    "CREATE TABLE event (id INT PRIMARY KEY, v VARCHAR(50))",
    "INSERT INTO event VALUES (1, 'there already')",
)


@pytest.fixture
def logs(db: Workspace, tmp_path: Path) -> Logs:
    db.run("blue", *TABLES)
    return Logs(db, tmp_path / "logs")


def scanned(logs: Logs, *forbidden: str, **options: Any) -> Report:
    policy = replguard.load_policy(must_not_sync=forbidden or ("EVENT",))
    return replguard.scan(logs.files(), policy, Options(**options))


def test_what_may_travel_passes_and_is_counted(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO account VALUES (1, 'a'), (2, 'event')", "UPDATE account SET v = 'event'")
    logs.db.run("blue", "CREATE TABLE `other` (event INT)", "DELETE FROM account", "FLUSH BINARY LOGS")
    report = scanned(logs)
    assert (report.verdict, report.exit_code, codes(report)) == (Verdict.passed, 0, [])
    (coverage,) = report.coverage.streams
    assert coverage.tables == {f"{logs.db.name}.account": 3}
    assert (coverage.changes, report.data["assumes"]) == (4, "no filter")
    assert len(report.data["files"]) == 2
    assert coverage.from_position == f"{logs.first}:4"


@pytest.mark.parametrize(
    ("statement", "operation"),
    [
        ("INSERT INTO event VALUES (2, 'x')", "insert"),
        ("UPDATE event SET v = 'y'", "update"),
        ("DELETE FROM event", "delete"),
        ("TRUNCATE TABLE event", "truncate"),
        ("ALTER TABLE event ADD COLUMN w INT", "ddl"),
        ("RENAME TABLE event TO no_event", "ddl"),
        ("CREATE TABLE copy LIKE event", "ddl"),
        ("DROP TABLE event, account", "ddl"),
    ],
)
def test_every_kind_of_forbidden_change_is_a_leak(logs: Logs, statement: str, operation: str) -> None:
    logs.db.run("blue", "INSERT INTO account VALUES (7, 'before')", statement)
    report = scanned(logs)
    (leak,) = of(report, "leak.sent")
    assert (report.exit_code, leak.severity, leak.table) == (1, Severity.fail, "event")
    assert leak.evidence["operation"] == operation
    assert leak.evidence["assumes"] == "no filter"
    assert leak.evidence["transaction"]
    assert leak.evidence["at"].startswith(f"{logs.first}:")
    assert (leak.cluster, leak.link) == (None, None)


def test_a_schema_that_is_dropped_is_asked_about(logs: Logs) -> None:
    logs.db.run("blue", "CREATE DATABASE IF NOT EXISTS short_lived", "DROP DATABASE short_lived")
    report = scanned(logs)
    assert report.verdict is Verdict.inconclusive
    assert [(one.schema, one.severity) for one in of(report, "table.unclassified")] == [
        ("short_lived", Severity.unknown)
    ]
    assert scanned(logs, "elsewhere.event").verdict is Verdict.passed


def test_a_statement_that_travels_as_text_is_opaque(logs: Logs) -> None:
    logs.db.run("blue", "SET SESSION binlog_format = STATEMENT; INSERT INTO account VALUES (5, 'x')")
    report = scanned(logs)
    assert (report.verdict, codes(report)) == (Verdict.inconclusive, ["stream.opaque"])


def test_compressed_changes_are_judged(logs: Logs) -> None:
    name = "log_bin_compress" if logs.db.engine == "mariadb" else "binlog_transaction_compression"
    logs.db.run("blue", f"SET GLOBAL {name} = ON")
    try:
        logs.db.run("blue", "INSERT INTO event VALUES (2, REPEAT('x', 50)), (3, REPEAT('y', 50))")
    finally:
        logs.db.run("blue", f"SET GLOBAL {name} = OFF")
    assert codes(scanned(logs)) == ["leak.sent"]


def test_keys_are_told_where_the_binlog_names_columns_and_values_only_if_asked_for(logs: Logs) -> None:
    logs.db.run("blue", "SET GLOBAL binlog_row_metadata = FULL")
    try:
        logs.db.run("blue", "INSERT INTO event VALUES (7, 'of the row'), (8, 'too')")
    finally:
        logs.db.run("blue", "SET GLOBAL binlog_row_metadata = DEFAULT")
    told: list[Any] = []
    report = scanned(logs, on_told=lambda one: told.append(one.item))
    (leak,) = of(report, "leak.sent")
    assert (leak.key, leak.evidence["count"]) == ({"id": 7}, 2)
    assert [(item.key, item.after) for item in told] == [({"id": 7}, None), ({"id": 8}, None)]
    told.clear()
    assert "of the row" not in repr(scanned(logs, rows=True, on_told=lambda one: told.append(one.item)))
    assert told[0].after == {"id": 7, "v": "of the row"}


def test_names_that_hurt(logs: Logs) -> None:
    names = ("tick`s ``", "100%s %(x)s {{x}}", "new\nline: - x", "Ünïcode ☃ 表", "we[ird].t*ble")
    for name in names:
        quoted = identifier("mysql", name)
        logs.db.run("blue", f"CREATE TABLE {quoted} (id INT PRIMARY KEY)", f"INSERT INTO {quoted} VALUES (1)")
    report = scanned(logs, *names)
    assert {leak.table for leak in of(report, "leak.sent")} == set(names)
    assert {leak.evidence["operation"] for leak in of(report, "leak.sent")} == {"ddl", "insert"}


def test_given_filters_decide(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (2, 'x')")
    dropped = {"replicate_ignore_table": [f"{logs.db.name}.event"]}
    report = scanned(logs, filters=dropped)
    assert (report.verdict, codes(report), report.data["assumes"]) == (Verdict.passed, [], None)
    kept = scanned(logs, filters={"replicate_ignore_table": [f"{logs.db.name}.other"]})
    (leak,) = of(kept, "leak.sent")
    assert "assumes" not in leak.evidence


def test_filters_of_the_wrong_server_are_refused(logs: Logs) -> None:
    """As the writer's own they would drop everything: nothing would be judged."""
    logs.db.run("blue", "INSERT INTO event VALUES (2, 'x')")
    ((own,),) = logs.db.query("blue", "SELECT @@server_id")
    with pytest.raises(UsageError, match="wrote this binlog itself"):
        scanned(logs, filters={"server_id": own})
    assert scanned(logs, filters={"server_id": own, "replicate_same_server_id": True}).verdict is Verdict.failed
    assert scanned(logs, filters={"server_id": own + 1}).verdict is Verdict.failed


def test_a_name_that_is_in_no_change_is_told(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (2, 'x')")
    unmatched = of(scanned(logs, "evnt", "acount", "event"), "policy.unmatched")
    assert [word for word in ("evnt", "acount") if any(f"'{word}'" in one.message for one in unmatched)] == [
        "evnt",
        "acount",
    ]
    assert len(unmatched) == 2
    assert of(scanned(logs, "event"), "policy.unmatched") == []


def leaks_in(paths: list[Path], schema: str) -> int:
    """How many changes of ``event`` in the schema these files hold."""
    report = replguard.scan(paths, replguard.load_policy(must_not_sync=[f"{schema}.event"]))
    return sum(leak.evidence["count"] for leak in of(report, "leak.sent"))


def test_the_filters_of_the_link_decide(logs: Logs, tmp_path: Path) -> None:
    db = logs.db
    given = config.from_options({"blue": db.blue_url, "green": db.green_url}, None, ("event",))
    db.wait_caught_up()
    db.run("green", STOP_APPLIER[db.engine])
    before = leaks_in(logs.received(), db.name)
    db.run("blue", "INSERT INTO event VALUES (2, 'x')")
    eventually(lambda: leaks_in(logs.received(), db.name) == before + 1)
    with api.connect(given) as clusters:
        files, received = logs.files(), logs.received()
        for paths in (files, received):
            leaks = of(clusters.scan(paths), "leak.sent")
            assert {(leak.cluster, leak.link, leak.table) for leak in leaks} == {("blue", "blue->green", "event")}
        assert db.query("green", "SELECT * FROM event WHERE id = 2") == []
        foreign = copied(folder_of(db.pair.green), tmp_path / "green", "binlog.")
        with pytest.raises(StreamError, match="blue->green"):
            clusters.scan(foreign)
        assert clusters.scan(files, link="blue->green").verdict is Verdict.failed
        with pytest.raises(StreamError, match="no link is called 'other'"):
            clusters.scan(files, link="other")
    keep_apart(db, "event")
    with api.connect(given) as clusters:
        for paths in (files, received):
            report = clusters.scan(paths)
            assert (report.verdict, codes(report)) == (Verdict.passed, [])
    db.wait_caught_up()
    assert db.query("green", "SELECT * FROM event WHERE id = 2") == []


def test_parts_say_what_they_leave_out(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (2, 'x')")
    second = logs.rotate()
    logs.db.run("blue", "INSERT INTO account VALUES (2, 'x')")
    report = scanned(logs, since=f"{second}:4")
    assert (report.verdict, codes(report)) == (Verdict.passed, [])
    assert f"changes before {second}:4 (--since)" in report.coverage.streams[0].cannot_see
    assert scanned(logs, until=f"{second}:4").verdict is Verdict.failed


@pytest.mark.engines("mariadb")
def test_an_encrypted_binlog_is_refused_and_never_passes(make_pair: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("1;" + "ab" * 32 + "\n")
    key = ("--plugin-load-add=file_key_management", f"--file-key-management-filename={keys}")
    pair = make_pair(direction="none", options=(*key, "--encrypt-binlog=ON"))
    with workspace(pair) as db:
        db.run("blue", *TABLES)
        logs = Logs(db, tmp_path / "logs")
        db.run("blue", "INSERT INTO account VALUES (1, 'x')")
        report = scanned(logs)
    (finding,) = of(report, "stream.unknown")
    assert (report.verdict, len(codes(report))) == (Verdict.inconclusive, 1)
    assert "encrypted" in finding.message
    assert "read-from-remote-server" in finding.message


def test_encrypted_files_and_pages_are_known_by_their_magic(logs: Logs) -> None:
    whole, *_ = logs.files()
    for magic in (b"\xfdbin", b"\xfe\xfe\x0d\x01"):
        path = Path(whole).with_name("binlog.999999")
        path.write_bytes(magic + bytes(600))
        report = replguard.scan([path], replguard.load_policy(must_not_sync=["event"]))
        assert (report.verdict, codes(report)) == (Verdict.inconclusive, ["stream.unknown"])
        assert "replguard watch" in of(report, "stream.unknown")[0].message
