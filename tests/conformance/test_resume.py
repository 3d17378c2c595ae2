"""Resume on every engine: what it asks before it starts anything, what it tells, and what it may be told to accept.

Each test plants trouble into one paused pair, one thing after another, and looks for just that.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from replguard.control.pause import Options as PauseOptions
from replguard.control.resume import Options
from replguard.demo.servers import until
from replguard.errors import UsageError
from replguard.gates.base import Options as GateOptions
from replguard.gates.base import Purpose
from replguard.journal import Journal
from replguard.model.findings import Verdict
from replguard.policy import Policy, Rule, TableClass
from tests.conformance.application import CONFIG_TABLES, Application, codes, of

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.api import Clusters
    from replguard.demo.servers import Side
    from replguard.model.findings import Finding, Report
    from tests.servers.workspace import Workspace

ONE_OF_EACH = pytest.mark.engines("mariadb", "mysql", "postgresql-18")
PAUSE = PauseOptions(timeout=30.0)
PLAIN = Options(timeout=30.0)
ACCEPT = replace(PLAIN, accept_changes=True)


def wins(name: str) -> Options:
    return replace(PLAIN, winner=name)


def kinds(report: Report) -> list[tuple[str, str | None, str | None, Any]]:
    """What is told to have changed: what becomes of it, where, in which table, under which key."""
    found = [*of(report, "freeze.changed"), *of(report, "resume.conflict")]
    return sorted(
        ((one.evidence["kind"], one.cluster, one.table, (one.key or {}).get("id")) for one in found if _listed(one)),
        key=repr,
    )


def _listed(finding: Finding) -> bool:
    return "kind" in finding.evidence


def stands(clusters: Clusters) -> bool:
    return {link.state for link in clusters.status().links} == {"paused"}


def run_file(app: Application, side: Side, report: Report) -> None:
    """Run the statements of a settlement as a client does."""
    with app.db.pair.server(side).connect(app.db.name) as connection:
        connection.run(report.data["conflicts"]["settlement"]["sql"])


def email(app: Application, side: Side, number: int) -> list[tuple[object, ...]]:
    return app.db.query(side, f"SELECT email FROM account WHERE id = {number}")


def test_what_changed_is_told_by_what_becomes_of_it(app: Application) -> None:
    ignored = ((Rule("setting", TableClass.config), frozenset({"value"})),)
    app.config = replace(app.config, policy=replace(app.config.policy, ignored=ignored))
    with app.clusters() as clusters:
        assert clusters.pause(PAUSE).verdict is Verdict.passed
        app.db.run(
            "blue",
            "INSERT INTO event VALUES (50, 'must not sync')",
            "UPDATE setting SET value = 'ignored' WHERE name = 'size' AND node = 'a'",
        )
        app.db.run("green", "INSERT INTO auditlog VALUES (60, 'must not sync')")
        silent = clusters.resume(PLAIN)
        assert (silent.verdict, codes(silent), kinds(silent)) == (Verdict.passed, [], [])
        assert silent.data["conflicts"]["both"] == []

        clusters.pause(PAUSE)
        app.db.run(
            "blue",
            "UPDATE account SET email = 'blue' WHERE id = 1",
            "UPDATE account SET email = 'blue' WHERE id = 3",
            "INSERT INTO account VALUES (100, 'new', NULL)",
            "INSERT INTO event VALUES (51, 'must not sync')",
        )
        app.db.run(
            "green",
            "UPDATE account SET email = 'green' WHERE id = 2",
            "UPDATE account SET email = 'green' WHERE id = 3",
            "UPDATE setting SET value = 'ignored too' WHERE name = 'size' AND node = 'b'",
            "INSERT INTO auditlog VALUES (61, 'must not sync')",
        )
        stopped = clusters.resume(PLAIN)
        half = clusters.resume(ACCEPT)
        assert stands(clusters)
        assert (stopped.verdict, half.verdict) == (Verdict.failed, Verdict.failed)
        planted = [
            ("conflict", None, "account", 3),
            ("will_flow", "blue", "account", 1),
            ("will_flow", "blue", "account", 100),
            ("will_not_flow", "green", "account", 2),
        ]
        assert kinds(stopped) == kinds(half) == planted
        assert codes(stopped) == ["freeze.changed"] * 3 + ["resume.conflict", "resume.not_started"]
        assert codes(half) == ["resume.conflict", "resume.not_started"]
        (both,) = stopped.data["conflicts"]["both"]
        assert (both["key"], set(both["changes"])) == ({"id": 3}, {"blue", "green"})
        with pytest.raises(UsageError, match="no cluster 'red'"):
            clusters.resume(wins("red"))

        resumed = clusters.resume(wins("blue"))
        assert (resumed.verdict, codes(resumed)) == (Verdict.passed, [])
        assert (email(app, "green", 1), email(app, "green", 3)) == ([("blue",)], [("blue",)])
        assert email(app, "green", 100) == [(None,)]
        assert resumed.data["conflicts"]["settlement"]["before_start"] is False
        assert clusters.receipt_path.exists() is False
        assert clusters.resume(PLAIN).verdict is Verdict.passed


@ONE_OF_EACH
def test_a_side_wins_a_conflict_that_would_stop_the_link(app: Application) -> None:
    with app.clusters() as clusters:
        clusters.pause(PAUSE)
        app.db.run(
            "blue", "INSERT INTO account VALUES (200, 'blue', 'blue')", "UPDATE account SET email = 'b' WHERE id = 5"
        )
        app.db.run("green", "INSERT INTO account VALUES (200, 'green', 'green')", "DELETE FROM account WHERE id = 5")
        other = clusters.resume(wins("green"))
        assert (other.verdict, len(other.data["conflicts"]["settlement"]["blocked"])) == (Verdict.failed, 2)
        first = clusters.resume(wins("blue"))
        assert stands(clusters)
        assert first.verdict is Verdict.failed
        assert {one.severity.value for one in of(first, "resume.settlement")} == {"fail"}
        settlement = first.data["conflicts"]["settlement"]
        assert (settlement["loser"], settlement["before_start"], settlement["rows"]) == ("green", True, 2)
        run_file(app, "green", first)
        resumed = clusters.resume(wins("blue"))
        assert (resumed.verdict, codes(resumed)) == (Verdict.passed, [])
        assert (email(app, "green", 200), email(app, "green", 5)) == ([("blue",)], [("b",)])

        clusters.pause(PAUSE)
        app.db.run("blue", "UPDATE account SET email = 'blue' WHERE id = 7")
        app.db.run("green", "UPDATE account SET email = 'green' WHERE id = 7")
        resumed = clusters.resume(wins("green"))
        assert resumed.verdict is Verdict.passed
        assert email(app, "green", 7) == [("blue",)], "the link carries what its source has"
        run_file(app, "blue", resumed)
        app.db.wait_caught_up()
        assert email(app, "green", 7) == email(app, "blue", 7) == [("green",)]


@ONE_OF_EACH
def test_both_sides_of_a_pair_that_replicates_both_ways(two_way_db: Workspace, tmp_path: Path) -> None:
    app = Application(two_way_db, tmp_path)
    app.create_two_way()
    with app.clusters() as clusters:
        clusters.pause(PAUSE)
        app.db.run("blue", "UPDATE account SET email = 'blue' WHERE id = 1")
        app.db.run(
            "green", "UPDATE account SET email = 'green' WHERE id = 1", "UPDATE account SET name = 'g' WHERE id = 2"
        )
        stopped = clusters.resume(wins("blue"))
        assert stopped.verdict is Verdict.failed
        assert kinds(stopped) == [("conflict", None, "account", 1), ("will_flow", "green", "account", 2)]
        run_file(app, "green", stopped)
        resumed = clusters.resume(wins("blue"))
        assert (resumed.verdict, codes(resumed)) == (Verdict.passed, [])
        app.db.wait_caught_up()
        assert email(app, "blue", 1) == email(app, "green", 1) == [("blue",)]
        assert app.db.query("blue", "SELECT name FROM account WHERE id = 2") == [("g",)]


@ONE_OF_EACH
def test_what_an_upgrade_broke_stops_it(app: Application) -> None:
    classes = {"must_not_sync": ("event", "auditlog"), "config": CONFIG_TABLES}
    rules = tuple(Rule(glob, TableClass(kind)) for kind, globs in classes.items() for glob in globs)
    app.config = replace(app.config, policy=Policy(rules=rules))
    with app.clusters() as clusters:
        clusters.pause(PAUSE)
        app.db.run("blue", "CREATE TABLE newcomer (id int PRIMARY KEY)", "ALTER TABLE token ADD COLUMN note varchar(9)")
        unclassified = clusters.resume(ACCEPT)
        assert {one.table for one in of(unclassified, "table.unclassified")} >= {"newcomer"}
        app.db.run("blue", "DROP TABLE newcomer")
        (differs,) = of(unclassified, "schema.differs")
        assert differs.table == "token"
        if app.family == "postgresql":
            # DDL shows in no stream, and travels over no link.
            assert differs.severity.value == "fail"
        else:
            assert ("will_flow", "blue", "token", None) in kinds(unclassified)
            assert differs.severity.value == "warn"
        assert stands(clusters)

        moved = clusters.receipt_path.parent.parent / "before"
        held = json.loads(clusters.receipt_path.read_text(encoding="utf-8"))
        held["clusters"]["green"]["identity"] = "another"
        moved.mkdir()
        (moved / "receipt.json").write_text(json.dumps(held), encoding="utf-8")
        clusters.receipt_path.unlink()
        changed = clusters.resume(ACCEPT)
        assert [(one.cluster, one.severity.value) for one in of(changed, "resume.identity")] == [("green", "fail")]
        accepted = clusters.resume(replace(ACCEPT, accept_upgrade=True, accept_unknown=True))
        assert (accepted.verdict, codes(accepted)) == (Verdict.passed, [])
        assert not (moved / "receipt.json").exists()


@ONE_OF_EACH
def test_filters_that_leak_and_forbidden_rows_that_wait_stop_it(app: Application) -> None:
    app.let_cross("event")
    with app.clusters() as clusters:
        clusters.pause(PAUSE)
        app.db.run("blue", "INSERT INTO event VALUES (70, 'leak')")
        leaking = clusters.resume(replace(ACCEPT, accept_unknown=True, accept_upgrade=True))
        assert stands(clusters)
        if app.family == "postgresql":
            app.db.run("blue", "ALTER PUBLICATION from_blue DROP TABLE public.event")
            assert of(clusters.resume(ACCEPT), "leak.sent"), "what waits is applied, whatever is published now"
    assert leaking.verdict is Verdict.failed
    assert {one.table for one in of(leaking, "leak.configured")} == {"event"}
    (waits,) = of(leaking, "leak.sent")
    assert (waits.table, "filter plan" in str(waits.remedy)) == ("event", True)


@ONE_OF_EACH
def test_who_stopped_and_started_the_links_matters(app: Application) -> None:
    with app.clusters() as clusters:
        app.stop_applying()
        by_hand = clusters.resume(PLAIN)
        assert (by_hand.verdict, codes(by_hand)) == (Verdict.inconclusive, ["resume.no_receipt", "resume.not_started"])
        assert stands(clusters)
        journal = Journal(clusters.receipt_path.parent)
        journal.begin("pause")
        app.db.run("blue", "UPDATE account SET email = 'traffic' WHERE id = 10")
        undone = clusters.resume(PLAIN)
        assert (undone.verdict, codes(undone)) == (Verdict.passed, []), "a pause that was killed is undone"
        assert (journal.unfinished(), email(app, "green", 10)) == ((), [("traffic",)])

        clusters.pause(PAUSE)
        app.db.run("blue", "UPDATE account SET email = 'x' WHERE id = 9")
        assert clusters.resume(PLAIN).verdict is Verdict.failed
        journal.begin("resume")
        app.start_applying()
        until(lambda: email(app, "green", 9) == [("x",)], "the link to carry it")
        finished = clusters.resume(PLAIN)
        assert (finished.verdict, len(of(finished, "resume.continued"))) == (Verdict.passed, 1)
        assert (journal.unfinished(), clusters.receipt_path.exists()) == ((), False)

        clusters.pause(PAUSE)
        app.start_applying()
        until(lambda: clusters.status().links[0].state == "running", "the link to run")
        unchecked = clusters.resume(PLAIN)
        assert (unchecked.verdict, len(of(unchecked, "resume.unchecked"))) == (Verdict.passed, 1)


@ONE_OF_EACH
def test_a_place_that_is_lost_stops_it(app: Application) -> None:
    with app.clusters() as clusters:
        clusters.pause(PAUSE)
        app.db.run("blue", "INSERT INTO event VALUES (80, 'x')")
        try:
            _lose(app, clusters)
            lost = clusters.resume(replace(ACCEPT, accept_unknown=True, accept_upgrade=True))
            wanted = GateOptions(datetime.now(UTC).date(), window=0.0, only=frozenset({"resume.position"}))
            gate = clusters.gate(Purpose.cutover, wanted)
        finally:
            if app.family == "postgresql":
                app.db.run("blue", "ALTER SYSTEM RESET max_slot_wal_keep_size", "SELECT pg_reload_conf()")
        assert lost.verdict is Verdict.failed
        assert [one.link for one in of(lost, "resume.position_lost")] == [lost.links[0].link]
        assert (gate.verdict, codes(gate)) == (Verdict.failed, ["resume.position_lost"])
        if app.family == "postgresql":
            app.db.run("blue", f"SELECT pg_drop_replication_slot('{app.subscription}')")
            gone = clusters.resume(PLAIN)
            assert (gone.verdict, codes(gone)) == (Verdict.failed, ["link.missing", "resume.link_gone"])


@ONE_OF_EACH
def test_a_side_of_which_nobody_knows_what_changed_is_inconclusive(app: Application) -> None:
    with app.clusters() as clusters:
        clusters.pause(PAUSE)
        app.db.run("green", "UPDATE account SET email = 'untold' WHERE id = 4")
        if app.family == "postgresql":
            held = json.loads(clusters.receipt_path.read_text(encoding="utf-8"))
            clusters.receipt_path.write_text(json.dumps(held | {"guards": [], "memory": {}}), encoding="utf-8")
        else:
            app.db.run("green", "FLUSH BINARY LOGS")
            last = app.db.query("green", "SHOW BINARY LOGS")[-1][0]
            until(lambda: _purged(app, last, "green"), "the server to let go of its older binlog files")
        unknown = clusters.resume(PLAIN)
        assert stands(clusters)
        assert (unknown.verdict, kinds(unknown)) == (Verdict.inconclusive, [])
        (check,) = [check for check in unknown.checks if check.id == "resume.changes"]
        assert {one.cluster for one in check.findings if one.severity.value == "unknown"} == {"green"}
        assert clusters.resume(ACCEPT).verdict is Verdict.inconclusive
        assert clusters.resume(replace(PLAIN, accept_unknown=True)).verdict is Verdict.passed


def _lose(app: Application, clusters: Clusters) -> None:
    """Let the source throw away what the link needs next; PostgreSQL warns of that before."""
    if app.family != "postgresql":
        app.db.run("blue", "FLUSH BINARY LOGS")
        last = app.db.query("blue", "SHOW BINARY LOGS")[-1][0]
        until(lambda: _purged(app, last), "the server to let go of its older binlog files")
        return
    app.db.run("blue", "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'", "SELECT pg_reload_conf()")
    status = f"SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{app.subscription}'"
    for number in range(4):
        app.db.run("blue", f"INSERT INTO event VALUES ({90 + number}, 'x')", "SELECT pg_switch_wal()")
    until(lambda: app.db.query("blue", status) == [("unreserved",)], "the slot to be in danger")
    unsure = clusters.resume(PLAIN)
    assert (unsure.verdict, codes(unsure)) == (Verdict.inconclusive, ["resume.not_started", "resume.position_unsure"])
    app.db.run("blue", "CHECKPOINT")
    until(lambda: app.db.query("blue", status) == [("lost",)], "the slot to be lost")


def _purged(app: Application, last: object, side: Side = "blue") -> bool:
    """Whether no file before the last is left; a server keeps one for a moment after it was closed."""
    app.db.run(side, f"PURGE BINARY LOGS TO '{last}'")
    return bool(app.db.query(side, "SHOW BINARY LOGS")[0][0] == last)
