"""Who changed rows that differ last, on every engine: as streams tell, the rows themselves, and their columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from replguard.demo.servers import until
from replguard.diff.run import Options
from replguard.diff.trace import Tracing
from replguard.model.findings import Severity, Verdict
from replguard.policy import AuditTable, NaturalKey, Rule, TableClass
from tests.conformance.application import Application, of, told
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from replguard.demo.servers import Pair
    from replguard.model.findings import Report

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-15")
TODAY = datetime.now(UTC).date()
UNTRACED = Options(TODAY, settle=5.0)
TRACED = replace(UNTRACED, trace=Tracing())


def keep_setting_apart(app: Application) -> None:
    """From now on changes of ``setting`` do not cross."""
    if app.family == "postgresql":
        app.db.run("blue", "ALTER PUBLICATION from_blue DROP TABLE public.setting")
        app.refresh()
    else:
        app.keep_apart("event", "auditlog", "setting")


def transaction_of_last(app: Application, side: Any, row: str) -> str:
    """The transaction that was committed last on a server, as its stream names it; ``row`` is one that it wrote."""
    if app.family == "postgresql":
        return str(app.db.query(side, f"SELECT xmin::text FROM {row}")[0][0])
    if app.db.engine == "mariadb":
        return str(app.db.query(side, "SELECT @@global.gtid_binlog_pos")[0][0])
    own = app.db.query(side, "SELECT @@global.server_uuid, @@global.gtid_executed")[0]
    (numbers,) = (part.partition(":")[2] for part in own[1].replace("\n", "").split(",") if own[0] in part)
    return f"{own[0]}:{numbers.rpartition(':')[2].rpartition('-')[2]}"


def by_key(report: Report) -> dict[tuple[str, tuple[Any, ...]], dict[str, Any]]:
    found = (item for item in told(report) if item.code.startswith("row."))
    return {(str(item.table), tuple((item.key or {}).values())): item.evidence for item in found}


def last(found: dict[tuple[str, tuple[Any, ...]], dict[str, Any]], table: str, *key: Any) -> dict[str, dict[str, Any]]:
    changes: dict[str, dict[str, Any]] = found[table, key].get("last_change", {})
    return changes


@pytest.mark.engines("mariadb", "mysql", "postgresql-15", "postgresql-18")
def test_last_changes_are_told_by_stream_or_row(app: Application) -> None:
    keep_setting_apart(app)
    app.db.run("green", "UPDATE account SET email = 'other' WHERE id = 7")
    known = transaction_of_last(app, "green", "account WHERE id = 7")
    app.db.run("green", "UPDATE account SET id = 1000 WHERE id = 19", "DELETE FROM account WHERE id = 20")
    app.db.run("green", "UPDATE token SET label = 'second'")
    app.db.run("blue", "UPDATE setting SET value = 'new' WHERE name = 'Größe'")
    with app.clusters() as clusters:
        report = clusters.diff(TRACED)
    assert report.verdict is Verdict.failed
    found = by_key(report)
    assert len(found) == 6
    for_seven = last(found, "account", 7)
    assert for_seven["green"]["transaction"] in known
    assert for_seven["green"]["origin"] == "green"
    assert datetime.now(UTC) - datetime.fromisoformat(for_seven["green"]["committed_at"]) < timedelta(minutes=5)
    assert for_seven["blue"]["origin"] == "blue"
    assert last(found, "account", 1000)["green"]["origin"] == "green"
    assert last(found, "token", "0x00ff")["green"]["origin"] == "green"
    changed_on_blue = last(found, "setting", "Größe", "a")
    assert {side: changed_on_blue[side]["origin"] for side in changed_on_blue} == {"blue": "blue", "green": "blue"}
    assert changed_on_blue["blue"]["transaction"] != changed_on_blue["green"]["transaction"]
    if app.family == "postgresql":
        tells_by_row(report, for_seven)
    else:
        tells_by_stream(report, found)


def tells_by_stream(report: Report, found: dict[tuple[str, tuple[Any, ...]], dict[str, Any]]) -> None:
    """A binlog reaches back: it has deletes, both keys of a changed key, and which columns differ."""
    seven, gone = last(found, "account", 7)["green"], last(found, "account", 20)
    assert (seven["operation"], seven["columns"], seven["told_by"]) == ("update", ["email"], "stream")
    assert seven["position"]
    assert (gone["green"]["operation"], gone["green"]["origin"]) == ("delete", "green")
    assert (gone["blue"]["operation"], gone["blue"]["origin"]) == ("insert", "blue")
    assert last(found, "account", 19)["green"] == last(found, "account", 1000)["green"]
    assert last(found, "account", 1000)["blue"]["operation"] == "ddl"  # the table was created, and no such row since
    assert not of(report, "trace.incomplete")


def tells_by_row(report: Report, seven: dict[str, dict[str, Any]]) -> None:
    """Without a slot the past cannot be read, but the rows that stand tell; and what is not known is said."""
    assert seven["green"]["told_by"] == "row"
    assert {item.cluster for item in of(report, "trace.incomplete")} >= {"green"}
    assert all(item.severity is Severity.info for item in of(report, "trace.incomplete"))


@pytest.mark.engines("mariadb", "mysql")
def test_truncates_and_ddl_count_for_all_keys(app: Application) -> None:
    keep_setting_apart(app)
    app.db.run("blue", "UPDATE setting SET value = 'new' WHERE node = 'b'", "ALTER TABLE setting COMMENT = 'x'")
    app.db.run("green", "TRUNCATE TABLE setting")
    with app.clusters() as clusters:
        found = by_key(clusters.diff(TRACED))
    for key in (("size", "a"), ("size", "b"), ("Größe", "a")):
        changes = last(found, "setting", *key)
        assert (changes["green"]["operation"], changes["green"]["origin"]) == ("truncate", "green")
        assert changes["blue"]["operation"] == "ddl"
    assert last(found, "setting", "size", "b")["blue"]["row_before"]["columns"] == ["value"]
    assert last(found, "setting", "size", "a")["blue"]["row_before"]["operation"] == "insert"


def test_what_is_not_read_is_said_and_changes_no_verdict(app: Application) -> None:
    app.db.run("green", "UPDATE account SET email = 'other' WHERE id = 7")
    paired = NaturalKey(Rule("account", TableClass.config), ("name",), "numbered on each site", ("id",))
    later = replace(TRACED, trace=Tracing(begins=datetime.now(UTC) + timedelta(hours=1)))
    nowhere = replace(TRACED, trace=Tracing({}))
    hasty = replace(TRACED, trace=Tracing(seconds=0.0))
    with app.clusters() as clusters:
        reports = [clusters.diff(options) for options in (UNTRACED, later, nowhere, hasty)]
    app.config = replace(app.config, policy=replace(app.config.policy, natural_keys=(paired,)))
    with app.clusters() as clusters:
        natural = clusters.diff(TRACED)
    assert [item.code for item in told(natural)] == ["row.differs"]
    assert ["paired by a natural key" in item.message for item in of(natural, "trace.incomplete")] == [True]
    assert [report.verdict for report in reports] == [Verdict.failed] * 4
    assert all(len(told(report)) == 1 for report in reports)
    assert not of(reports[0], "trace.incomplete")
    assert "last_change" not in by_key(reports[0])["account", (7,)]
    for report in reports[1:]:
        assert all(item.severity is Severity.info for item in of(report, "trace.incomplete"))
        assert all(change["told_by"] == "row" for change in last(by_key(report), "account", 7).values())
    assert {item.cluster for item in of(reports[2], "trace.incomplete")} == {"blue", "green"}
    if app.family == "mysql":
        assert "read for 0 s" in of(reports[3], "trace.incomplete")[0].message


def test_a_position_is_where_reading_begins(app: Application) -> None:
    """What lies before is not told; on PostgreSQL no slot reaches back at all, which is said."""
    with app.clusters() as clusters:
        before = {server.name: server.replication.position() for server in clusters.pair}
        app.db.run("green", "UPDATE account SET email = 'other' WHERE id = 7")
        after = {server.name: server.replication.position() for server in clusters.pair}
        reports = [clusters.diff(replace(TRACED, trace=Tracing(since))) for since in (before, after)]
    told_by = [
        {side: change["told_by"] for side, change in last(by_key(report), "account", 7).items()} for report in reports
    ]
    if app.family == "mysql":
        assert told_by == [{"green": "stream"}, {}]
    else:
        assert told_by == [{"blue": "row", "green": "row"}] * 2
        said = [item.message for item in of(reports[0], "trace.incomplete") if item.cluster == "green"]
        assert any("no slot" in message or "could not be read" in message for message in said)


def is_purged(app: Application) -> bool:
    """Purge what is not written to; MariaDB keeps for a moment what it may need to recover."""
    newest = app.db.query("green", "SHOW BINARY LOGS")[-1][0]
    app.db.run("green", f"PURGE BINARY LOGS TO '{newest}'")
    return len(app.db.query("green", "SHOW BINARY LOGS")) == 1


@pytest.mark.engines("mariadb", "mysql")
def test_a_stream_that_is_purged_is_said_to_be(app: Application) -> None:
    with app.clusters() as clusters:
        begin = {server.name: server.replication.position() for server in clusters.pair}
        app.db.run("green", "UPDATE account SET email = 'other' WHERE id = 7", "FLUSH BINARY LOGS")
        until(lambda: is_purged(app), "the server to let its oldest log go")
        report = clusters.diff(replace(TRACED, trace=Tracing(begin)))
    assert report.verdict is Verdict.failed
    assert "last_change" not in by_key(report)["account", (7,)]
    (unread,) = (item.message for item in of(report, "trace.incomplete") if item.cluster == "green")
    assert "purged" in unread


def test_columns_that_tell_who_changed_a_row_are_shown(app: Application) -> None:
    rule = Rule("account", TableClass.config)
    policy = replace(
        app.config.policy,
        ignored=((rule, frozenset({"email"})),),
        changed_by=((rule, ("EMAIL", "nobody")), (Rule("setting", TableClass.config), ("value",))),
    )
    app.config = replace(app.config, policy=policy)
    app.db.run_local(
        "green",
        "UPDATE account SET name = 'x', email = 'ann' WHERE id = 7",
        "DELETE FROM account WHERE id = 8",
        "UPDATE account SET email = 'ignored' WHERE id = 9",
        "UPDATE setting SET value = 'bob' WHERE node = 'b'",
    )
    with app.clusters() as clusters:
        report, masked = clusters.diff(UNTRACED), clusters.diff(replace(UNTRACED, mask=True))
    found = by_key(report)
    assert {place: evidence["changed_by"] for place, evidence in found.items()} == {
        ("account", (7,)): {"blue": {"email": "n7@example.com"}, "green": {"email": "ann"}},
        ("account", (8,)): {"blue": {"email": "n8@example.com"}},
        ("setting", tuple(key_of_b(found))): {"blue": {"value": "2"}, "green": {"value": "bob"}},
    }
    assert {item.cluster for item in of(report, "trace.incomplete")} == {"blue", "green"}
    shown = repr(by_key(masked))
    assert "ann" not in shown
    assert "bob" not in shown
    assert "masked (3 bytes" in shown


def test_the_last_line_of_an_audit_table_is_shown(app: Application) -> None:
    of_account, audit = Rule("account", TableClass.config), Rule("AUDITLOG", TableClass.config)
    asked = AuditTable(of_account, audit, ("LINE",), "id", ("id",))
    wrong = AuditTable(Rule("token", TableClass.config), audit, ("who",), "id", ("id",))
    app.config = replace(app.config, policy=replace(app.config.policy, audit_tables=(asked, wrong)))
    app.db.run_local("green", "UPDATE account SET email = 'x' WHERE id = 7", "DELETE FROM account WHERE id = 8")
    app.db.run_local("green", "INSERT INTO auditlog VALUES (9, '7'), (10, '7'), (8, '8'), (11, '1')")
    app.db.run_local("green", "UPDATE token SET label = 'second'")
    app.db.run("blue", "INSERT INTO auditlog VALUES (3, '7')")
    with app.clusters() as clusters:
        report, untraced = clusters.diff(TRACED), clusters.diff(UNTRACED)
    found = {place: evidence.get("audited") for place, evidence in by_key(report).items()}
    name = f"{app.schema}.auditlog"
    assert found == {
        ("account", (7,)): {"blue": {"table": name, "row": {"id": 3}}, "green": {"table": name, "row": {"id": 10}}},
        ("account", (8,)): {"green": {"table": name, "row": {"id": 8}}},
        ("token", ("0x00ff",)): None,
    }
    assert sum("no column who" in item.message for item in of(report, "trace.incomplete")) == 2
    assert not any("audited" in evidence for evidence in by_key(untraced).values())


def key_of_b(found: dict[tuple[str, tuple[Any, ...]], dict[str, Any]]) -> tuple[Any, ...]:
    """As the report shows it: the text key of ``setting``."""
    (key,) = (key for table, key in found if table == "setting")
    return key


@pytest.mark.engines("mariadb")
def test_what_was_written_on_a_server_is_told_where_it_logs_nothing_it_applies(
    make_pair: Callable[..., Pair], tmp_path: Path
) -> None:
    with workspace(make_pair(options=("--log-slave-updates=OFF",))) as db:
        app = Application(db, tmp_path)
        app.create()
        app.db.run("green", "UPDATE account SET email = 'other' WHERE id = 7")
        with app.clusters() as clusters:
            report = clusters.diff(TRACED)
    changes = last(by_key(report), "account", 7)
    assert {side: change["operation"] for side, change in changes.items()} == {"blue": "insert", "green": "update"}
    parts = [item.message for item in of(report, "trace.incomplete")]
    assert [
        f"only what was written on {side} itself" in part for side, part in zip(("blue", "green"), parts, strict=True)
    ] == [True] * 2
