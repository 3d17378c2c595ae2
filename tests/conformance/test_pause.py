"""``pause`` on every engine: all links drained, put back where that fails, kept stopped; what comes back is seen."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from replguard import api
from replguard.control.pause import Options as PauseOptions
from replguard.demo.servers import until
from replguard.journal import Journal
from replguard.model.findings import Report, Severity, Verdict
from replguard.watch.options import Options as WatchOptions
from tests.adversarial.victim import started
from tests.cli.runs import shell_for
from tests.conformance.application import Application, codes, of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.demo.servers import Side
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-18")
PATIENT = PauseOptions(timeout=30.0)
SHORT = PauseOptions(timeout=1.0)
SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "receipt.schema.json"
STOP = {"mariadb": "STOP SLAVE", "mysql": "STOP REPLICA", "postgresql": "ALTER SUBSCRIPTION {} DISABLE"}
START = {"mariadb": "START SLAVE", "mysql": "START REPLICA", "postgresql": "ALTER SUBSCRIPTION {} ENABLE"}
_DELAY = {
    "mariadb": ("STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 3600", "START SLAVE"),
    "mysql": (
        "STOP REPLICA FOR CHANNEL ''",
        "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 3600 FOR CHANNEL ''",
        "START REPLICA FOR CHANNEL ''",
    ),
}


_OTHER_CHANNEL = (
    "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1, SOURCE_USER = 'nobody' FOR CHANNEL '{}'",
    "START REPLICA FOR CHANNEL '{}'",
)


def add_second_link(app: Application) -> None:
    """PostgreSQL: one more link into green, for one of the tables. Elsewhere a server lets another in only once."""
    if app.family == "postgresql":
        db = app.db
        ((address,),) = db.query(
            "green", f"SELECT subconninfo FROM pg_subscription WHERE subname = '{app.subscription}'"
        )
        db.run("blue", "ALTER PUBLICATION from_blue DROP TABLE rule", "CREATE PUBLICATION second FOR TABLE rule")
        app.refresh()
        create = f"CREATE SUBSCRIPTION {db.name}_second CONNECTION '{address}' PUBLICATION second"
        db.run("green", f"{create} WITH (copy_data = false, origin = none)")


def by_hand(app: Application, how: dict[str, str]) -> None:
    """Stop or start a link as somebody else would: the second one, or the one back into blue."""
    if app.family == "postgresql":
        app.db.run("green", how["postgresql"].format(f"{app.db.name}_second"))
    else:
        app.db.run("blue", how[app.db.engine])


def keep_apart_again(app: Application) -> None:
    """MySQL and MariaDB lose their filters with a restart; set them on the link that stands."""
    if app.db.engine == "mariadb":
        app.db.run("green", f"SET GLOBAL replicate_ignore_table = '{app.db.name}.event,{app.db.name}.auditlog'")
    elif app.db.engine == "mysql":
        tables = f"{app.db.name}.event, {app.db.name}.auditlog"
        app.db.run("green", f"CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ({tables}) FOR CHANNEL ''")


@contextmanager
def locked(app: Application) -> Iterator[None]:
    """Nothing that green receives is applied to ``account`` there."""
    with app.db.pair.green.connect(app.db.name) as holder:
        if app.family == "postgresql":
            holder.run("BEGIN")
            holder.run("LOCK TABLE account IN SHARE MODE")
        else:
            holder.run("LOCK TABLES account READ")
        yield


def slow_down(app: Application) -> None:
    """Each row takes a while to be applied on green, and its link can be stopped after any."""
    if app.family == "postgresql":
        app.db.run(
            "green",
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END'",
            "CREATE TRIGGER slow BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION slow()",
            "ALTER TABLE account ENABLE REPLICA TRIGGER slow",
        )
    else:
        app.db.run("green", *_DELAY[app.db.engine])


def states(clusters: api.Clusters) -> dict[str, str]:
    return {link.label: link.state.value for link in clusters.links()[0]}


def told_states(report: Report) -> list[str]:
    """The states of the links as a report ends with them."""
    return sorted(link.state for link in report.links)


def test_all_links_stop_and_what_fails_is_put_back_as_it_was(two_way_db: Workspace, tmp_path: Path) -> None:
    app = Application(two_way_db, tmp_path)
    app.create_two_way()
    add_second_link(app)
    with app.clusters() as clusters:
        count = 3 if app.family == "postgresql" else 2
        shown: list[str] = []
        by_hand(app, STOP)
        with locked(app):
            app.db.run("blue", "INSERT INTO account VALUES (7, 'seven', NULL)")
            given_up = clusters.pause(SHORT)
            assert (given_up.verdict, codes(given_up)) == (Verdict.inconclusive, ["pause.given_up"])
            assert "everything is as it was" in given_up.checks[0].summary
            # The one that stood before stands, the others run.
            assert told_states(given_up) == ["paused", *["running"] * (count - 1)]
            assert not clusters.receipt_path.exists()
            assert not Journal(clusters._folder).unfinished()
        by_hand(app, START)
        paused = clusters.pause(PauseOptions(timeout=30.0, show=shown.append))
        assert (paused.verdict, codes(paused)) == (Verdict.passed, [])
        assert {line.partition(":")[0] for line in shown} == {"blue", "green"}
        assert app.db.query("green", "SELECT count(*) FROM account WHERE id = 7") == [(1,)]
        held = paused.data["receipt"]
        check_receipt(app, held)
        status = clusters.status()
        assert (told_states(status), of(status, "pause.ended_by_itself")) == (["paused"] * count, [])

        # Whoever pauses what is paused gets the same receipt, and a link that comes back is seen by all who look.
        assert clusters.pause(PATIENT).data["receipt"] == held
        by_hand(app, START)
        for report in (clusters.status(), clusters.watch(WatchOptions(seconds=0.0, audit=False))):
            assert report.verdict is Verdict.failed
            (back,) = of(report, "pause.ended_by_itself")
            assert (back.severity, back.link in {link.link for link in report.links}) == (Severity.fail, True)
        sides: tuple[Side, Side] = ("blue", "green") if app.family == "postgresql" else ("green", "blue")
        app.db.run(sides[0], "INSERT INTO rule VALUES ('came', 'over')")
        arrived = "SELECT count(*) FROM rule WHERE pattern = 'came'"
        until(lambda: app.db.query(sides[1], arrived) == [(1,)], "the link that came back to carry a row")
        by_hand(app, STOP)
        assert "it ran meanwhile" in of(clusters.status(), "pause.ended_by_itself")[0].message
        again = clusters.pause(PATIENT)
        assert (again.verdict, again.data["receipt"]["paused_at"] > held["paused_at"]) == (Verdict.passed, True)
        resumed = clusters.resume(PATIENT)
        assert (resumed.verdict, codes(resumed)) == (Verdict.passed, [])
        assert told_states(resumed) == ["running"] * count
        entries = [json.loads(path.read_text()) for path in Journal(clusters._folder)._paths()]
    assert [entry["outcome"] for entry in entries] == ["undone", "paused", "paused", "resumed"]
    # All links have applied what their sources had before the first receiver stops.
    taken = [word for step in entries[1]["steps"] for word in ("wait", "receiver", "applier") if word in step["step"]]
    assert taken == [*["wait"] * count, *["receiver", "applier"] * count]


def check_receipt(app: Application, held: dict[str, Any]) -> None:
    """What a receipt must tell of both sides."""
    jsonschema.validate(held, json.loads(SCHEMA.read_text()))
    assert held["drained"] is True
    assert [link["drained"] for link in held["links"]] == [True] * len(held["links"])
    assert [held[part] for part in ("tail", "detail")] == [[], {}]
    for side in held["clusters"].values():
        assert side["position"]
        told = side["detail"]
        if app.family == "postgresql":
            assert side["timeline"] == 1
            assert told["system_identifier"] in side["identity"]
        else:
            assert told["server_id"]
            assert told["server_uuid" if app.db.engine == "mysql" else "gtid_domain_id"]


def test_config_changes_in_the_tail_fail_the_pause_and_other_tables_do_not_matter(app: Application) -> None:
    """A change is written when the link is being stopped and cannot arrive any more."""
    planted: list[str] = []
    stops, stands = ("DISABLE", "subenabled") if app.family == "postgresql" else ("SQL_THREAD", "SQL_THREAD")
    sent: list[str] = []

    def plant(_cluster: str, text: str) -> None:
        sent.append(text)
        if planted and stands in text and any(stops in one for one in sent):
            app.db.run("blue", *planted)
            planted.clear()

    with api.connect(app.config, plant) as clusters:
        planted += ["INSERT INTO event VALUES (50, 'x')"]
        paused = clusters.pause(PATIENT)
        assert (paused.verdict, codes(paused), planted) == (Verdict.passed, [], [])
        assert clusters.resume(PATIENT).verdict is Verdict.passed
        sent.clear()
        planted += ["INSERT INTO event VALUES (51, 'x')", "UPDATE account SET name = 'late' WHERE id IN (1, 2)"]
        failed = clusters.pause(PATIENT)
        assert (failed.verdict, codes(failed), planted) == (Verdict.failed, ["change.pending"], [])
        ((label, state),) = states(clusters).items()
        assert state == "paused"
        tail = [{"link": label, "schema": app.schema, "table": "account", "changes": 2}]
        if app.family == "mysql":
            tail[0]["changes"] = of(failed, "change.pending")[0].evidence["changes"]
        assert failed.data["receipt"]["tail"] == tail
        assert failed.data["receipt"]["drained"] is True
        clusters.resume(PATIENT)


def test_immediate_does_not_wait_and_says_so(app: Application) -> None:
    slow_down(app)
    with app.clusters() as clusters:
        app.db.run("blue", *(f"INSERT INTO account VALUES ({number}, 'x', NULL)" for number in range(60, 90)))
        at_once = clusters.pause(PauseOptions(drain=False))
        assert (at_once.verdict, codes(at_once)) == (Verdict.failed, ["change.pending"])
        held = at_once.data["receipt"]
        assert (held["drained"], held["tail"][0]["table"]) == (False, "account")
        assert clusters.pause(PATIENT).data["receipt"] == held, "what is paused stays so, drained or not"
        assert set(states(clusters).values()) == {"paused"}


def test_a_restart_of_the_target_is_survived_or_told(app: Application) -> None:
    persists = app.db.engine == "mysql"
    with app.clusters() as clusters:
        shown: list[str] = []
        paused = clusters.pause(PauseOptions(timeout=30.0, show=shown.append))
        assert paused.verdict is Verdict.passed
        assert any("skip_replica_start" in line for line in shown) is persists
        held = paused.data["receipt"]["held"]
        assert [step["statements"] for step in held] == (
            [["SET PERSIST_ONLY skip_replica_start = ON"]] if persists else []
        )
        assert ("a restart of green starts" in fragile(paused)) is (app.db.engine == "mariadb")
    app.db.pair.green.restart()
    with app.clusters() as clusters:
        if app.db.engine == "mariadb":
            until(lambda: set(states(clusters).values()) == {"running"}, "the link to come back")
        comes_back = codes(clusters.status()) == ["pause.ended_by_itself"]
        assert comes_back is (app.db.engine == "mariadb"), clusters.status()
        assert clusters.pause(PATIENT).data["receipt"]["held"] == held
        keep_apart_again(app)
        resumed = clusters.resume(PauseOptions(timeout=30.0, show=shown.append))
        assert (resumed.verdict, codes(resumed)) == (Verdict.passed, [])
        assert ("RESET PERSIST IF EXISTS skip_replica_start" in shown[-1]) is persists
        if persists:
            assert app.db.query("green", "SELECT * FROM performance_schema.persisted_variables") == []
            # The server that runs with what was persisted then would start its channels the next time.
            assert clusters.pause(PATIENT).data["receipt"]["held"] == held
            assert clusters.resume(PATIENT).verdict is Verdict.passed


@pytest.mark.engines("mysql")
def test_what_a_killed_pause_has_set_is_taken_back_by_resume(app: Application, tmp_path: Path) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    persisted = "SELECT count(*) FROM performance_schema.persisted_variables"
    process = started(shell, "pause", "--show-sql")
    assert process.stderr
    assert any("SET PERSIST_ONLY" in line for line in process.stderr if line.startswith("SET"))
    until(lambda: app.db.query("green", persisted) != [(0,)], "it to be persisted")
    process.kill()
    process.communicate()
    again = shell.json("pause")
    assert (again.code, len(again.document["data"]["receipt"]["held"])) == (0, 1), str(again)
    assert shell.run("resume").code == 0
    assert app.db.query("green", persisted) == [(0,)]


@pytest.mark.engines("mariadb", "mysql")
def test_what_starts_replication_and_what_else_would_be_left_stopped_are_told(app: Application) -> None:
    word = "SLAVE" if app.db.engine == "mariadb" else "REPLICA"
    later = "ON SCHEDULE EVERY 1 YEAR STARTS '2035-01-01' DO"
    app.db.run_local(
        "green",
        f"CREATE EVENT starter {later} START {word}",
        f"CREATE EVENT sleeper {later} DELETE FROM event WHERE id = 0",
        f"CREATE EVENT hidden {later} CALL elsewhere()",
    )
    app.db.run("green", "SET GLOBAL event_scheduler = ON")
    if app.db.engine == "mysql":
        app.db.run("green", *(text.format("elsewhere") for text in _OTHER_CHANNEL))
    with app.clusters() as clusters:
        paused = clusters.pause(PATIENT)
        told = fragile(paused)
        if app.db.engine == "mysql":
            assert "would leave other channels of green stopped as well: elsewhere" in told
            assert "a restart of green starts blue->green again" in told
            assert paused.data["receipt"]["held"] == []
            app.db.run("green", "STOP REPLICA FOR CHANNEL 'elsewhere'", "RESET REPLICA ALL FOR CHANNEL 'elsewhere'")
        clusters.resume(PATIENT)
    assert f"the event {app.db.name}.starter of green starts replication (START {word})" in told
    assert f"may start blue->green: {app.db.name}.hidden" in told
    assert "sleeper" not in told


def fragile(report: Report) -> str:
    return "; ".join(finding.message for finding in of(report, "pause.fragile"))
