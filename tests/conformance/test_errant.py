"""Writes on the passive side itself are judged by the tables they touch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from replguard.demo.servers import until
from replguard.gates import base as gates
from replguard.model.findings import Severity
from replguard.policy import TableClass
from replguard.watch import errant
from tests.conformance.application import Application

if TYPE_CHECKING:
    from pathlib import Path

    from replguard import api
    from replguard.model.findings import Check, Finding
    from tests.servers.workspace import Workspace

TODAY = datetime.now(UTC).date()
GATE = gates.Options(TODAY, window=0.2, settle=2.0)


def look(clusters: api.Clusters, **options: Any) -> Check:
    links, _ = clusters.links()
    return errant.check(clusters.pair, clusters.tables(), links, errant.Options(TODAY, **options))


def told(check: Check, code: str = errant.CODE) -> dict[tuple[str | None, str], Finding]:
    return {(item.table, item.severity.value): item for item in check.findings if item.code == code}


@pytest.mark.engines("mariadb", "mysql")
def test_own_writes_are_told_by_the_log(app: Application) -> None:
    db = app.db
    with app.clusters() as clusters:
        assert look(clusters).findings == ()

        db.run("green", "INSERT INTO event VALUES (101, 'of green')", "ALTER TABLE event ADD COLUMN note TEXT")
        db.run("blue", "INSERT INTO account VALUES (100, 'replicated', NULL)", "INSERT INTO event VALUES (2, 'x')")
        db.wait_caught_up()
        quiet = look(clusters)
        assert quiet.findings == ()
        assert "green wrote itself: " in quiet.summary

        here = clusters.pair.server("green").replication.position()
        db.run(
            "green",
            "INSERT INTO account VALUES (501, 'by hand', NULL), (502, 'by hand', NULL)",
            "UPDATE setting SET value = '9' WHERE name = 'size' AND node = 'a'",
            "CREATE TABLE stranger (id INT PRIMARY KEY)",
            "CREATE INDEX by_name ON account (name)",
            "SET SESSION binlog_format = STATEMENT; DELETE FROM rule WHERE pattern = '*.tmp'",
        )
        db.run("blue", "INSERT INTO account VALUES (103, 'replicated', NULL)")
        db.wait_caught_up()
        found = told(look(clusters))
        assert {key for key, item in found.items() if item.severity is Severity.fail} == {
            ("account", "fail"),
            ("setting", "fail"),
            ("stranger", "fail"),
        }
        assert found["setting", "fail"].key == {"name": "size", "node": "a"}
        account = [item for item in look(clusters).findings if item.table == "account"]
        assert {item.evidence["operation"]: item.evidence["count"] for item in account} == {"insert": 2, "ddl": 1}
        assert account[0].key == {"id": 501}
        assert (None, "unknown") in found, "the statement that stands as text"
        assert look(clusters, since={"green": clusters.pair.server("green").replication.position()}).findings == ()
        assert told(look(clusters, since={"green": here})).keys() == found.keys()

        late = look(clusters, seconds=0.0)
        assert [(item.code, item.severity.value) for item in late.findings] == [(errant.UNREAD, "unknown")]

    named = tuple(rule for rule in app.config.policy.rules if rule.table_class is not TableClass.config)
    app.config = replace(app.config, policy=replace(app.config.policy, rules=named))
    with app.clusters() as clusters:
        assert ("stranger", "unknown") in told(look(clusters)), "a table that no rule names"


@pytest.mark.engines("mariadb", "mysql")
def test_what_is_prepared_counts_until_it_is_rolled_back(app: Application) -> None:
    with app.clusters() as clusters, app.db.pair.green.connect(app.db.name) as session:
        for text in (
            "XA START 'e'",
            "INSERT INTO account VALUES (601, 'prepared', NULL)",
            "XA END 'e'",
            "XA PREPARE 'e'",
        ):
            session.run(text)
        try:
            assert told(look(clusters))["account", "fail"].key == {"id": 601}
        finally:
            session.run("XA ROLLBACK 'e'")
        assert look(clusters).findings == ()


@pytest.mark.engines("mariadb", "mysql")
def test_what_was_purged_is_unknown_until_the_tables_were_compared(app: Application) -> None:
    db = app.db
    db.run("green", "INSERT INTO event VALUES (101, 'of green')", "FLUSH BINARY LOGS")
    newest = db.query("green", "SHOW BINARY LOGS")[-1][0]

    def purged() -> bool:
        db.run("green", f"PURGE BINARY LOGS TO '{newest}'")
        return bool(db.query("green", "SHOW BINARY LOGS")[0][0] == newest)

    until(purged, "the older files to go")
    db.run("green", "INSERT INTO event VALUES (102, 'of green')")
    with app.clusters() as clusters:
        (finding,) = look(clusters).findings
        assert (finding.code, finding.severity) == (errant.UNREAD, Severity.unknown)
        assert "no binlog file any more" in finding.message
        gate = clusters.gate(options=GATE)
        unread = [item for check in gate.checks for item in check.findings if item.code == errant.UNREAD]
        assert [item.severity for item in unread] == [Severity.info]
        assert gate.verdict == "pass"
    db.run("green", "INSERT INTO account VALUES (501, 'by hand', NULL)")
    with app.clusters() as clusters:
        gate = clusters.gate(options=GATE)
        found = {(item.code, item.severity.value) for check in gate.checks for item in check.findings}
        assert {(errant.CODE, "fail"), (errant.UNREAD, "unknown"), ("row.extra", "fail")} <= found


@pytest.mark.engines("postgresql-15", "postgresql-18")
def test_own_writes_are_told_by_the_rows(app: Application) -> None:
    db = app.db
    db.run("green", "INSERT INTO event VALUES (101, 'of green')")
    with app.clusters() as clusters:
        quiet = look(clusters)
        assert [(item.code, item.severity) for item in quiet.findings] == [(errant.UNREAD, Severity.unknown)]
        gate = clusters.gate(options=GATE)
        assert gate.verdict == "pass"
        assert next(check for check in gate.checks if check.id == errant.CHECK).verdict == "pass"

        db.run("green", "INSERT INTO account VALUES (501, 'by hand', NULL), (502, 'by hand', NULL)")
        found = told(look(clusters))
        assert found.keys() == {("account", "unknown")}
        assert found["account", "unknown"].evidence["rows"] == 2
        db.run("blue", "INSERT INTO token VALUES ('\\x01', 'same')")
        db.run("green", "DELETE FROM account WHERE id > 500; DELETE FROM token WHERE id = '\\x01'")
        db.wait_caught_up()
        db.run("green", "DELETE FROM token WHERE id = '\\x01'; INSERT INTO token VALUES ('\\x01', 'same')")
        gate = clusters.gate(options=GATE)
        assert [item.table for check in gate.checks for item in check.findings if item.code == errant.CODE] == ["token"]
        assert gate.verdict == "pass", "the rows are equal: it warns"


@pytest.mark.engines("mariadb", "mysql", "postgresql-18")
def test_a_pair_that_is_written_on_both_sides_has_no_passive_side(two_way_db: Workspace, tmp_path: Path) -> None:
    app = Application(two_way_db, tmp_path)
    app.create_two_way()
    with app.clusters() as clusters:
        found = look(clusters)
        assert not found.applicable
        assert found.findings == ()
