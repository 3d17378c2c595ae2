"""A pause on PostgreSQL keeps what tells later which config tables changed: a guard slot, or a memory of the tables."""

from __future__ import annotations

import psycopg
import pytest

from replguard.control import guard
from replguard.control.pause import Options
from replguard.engines.base import Wanted
from replguard.model.changes import Change, Interest
from tests.conformance.application import of, told
from tests.servers.choices import versions

pytestmark = pytest.mark.engines(*versions())


GUARDS = """
SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'replguard%' AND database = current_database()
"""


def guards(app, side="green"):
    return [name for (name,) in app.db.query(side, GUARDS)]


def written_since(clusters, receipt, cluster):
    """What the guard of the receipt shows of one cluster, from the receipt's position on."""
    [entry] = [one for one in receipt["guards"] if one["cluster"] == cluster]
    streams = clusters.pair.server(cluster).streams
    since = streams.parse(receipt["clusters"][cluster]["position"])
    found = []
    with streams.guarded(entry["name"], Wanted(interest=lambda _: Interest.keyed), since) as stream:
        while not stream.caught_up:
            found += stream.poll(0.2)
    return [(item.tables[0].name, item.key) for item in found if isinstance(item, Change)]


def test_a_pause_guards_what_no_slot_covers_and_resume_lets_go_of_it(app):
    app.db.run("blue", "ALTER PUBLICATION from_blue DROP TABLE rule")
    app.refresh()
    shown: list[str] = []
    with app.clusters() as clusters:
        paused = clusters.pause(Options(reason="test", show=shown.append))
        receipt = paused.data["receipt"]
        assert of(paused, "pause.not_verified") == []
        again = clusters.pause(Options())
        assert again.data["receipt"] == receipt
        app.db.run("green", "UPDATE account SET email = 'x' WHERE id = 3", "DELETE FROM setting WHERE node = 'b'")
        app.db.run("blue", "INSERT INTO rule VALUES ('*.new', 'keep')", "UPDATE account SET email = 'y' WHERE id = 4")
        if receipt["guards"]:
            check_guarded(app, clusters, receipt, shown)
            assert of(paused, guard.UNGUARDED) == []
        else:
            check_remembered(clusters, receipt)
            assert {item.cluster for item in of(paused, guard.UNGUARDED)} == {"blue", "green"}
        assert of(clusters.status(), guard.LEFT) == []
        before = guards(app, "blue"), guards(app)
        stopped = clusters.resume()
        assert stopped.verdict == "fail"
        touched = {(item.cluster, item.table) for item in told(stopped) if item.table}
        assert {("green", "account"), ("green", "setting"), ("blue", "rule")} <= touched, touched
        assert (guards(app, "blue"), guards(app)) == before, "a resume that stopped let go of what tells why"
        app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE rule")
        app.db.run("green", f"ALTER SUBSCRIPTION {app.subscription} ENABLE")
        app.refresh()
        assert of(clusters.resume(), guard.LEFT) == []
        assert guards(app) == guards(app, "blue") == []
        if receipt["guards"]:
            check_blocked(app, clusters)


def check_blocked(app, clusters):
    """Somebody writes where a guard would be made: he is named, the pause does not wait for him, and remembers."""
    server = clusters.pair.server("green")
    with psycopg.connect(app.db.green_url) as writer:
        writer.execute("INSERT INTO account VALUES (50, 'open', NULL)")
        paused = clusters.pause(Options(timeout=1.0))
        [told] = of(paused, guard.UNGUARDED)
        assert (paused.verdict, told.cluster) == ("pass", "green")
        assert f"pid {writer.info.backend_pid}" in told.message
        receipt = paused.data["receipt"]
        assert (receipt["guards"], list(receipt["memory"])) == ([], ["green"])
        writer.commit()
    tables = [table for table in server.catalog.tables() if table.name.name == "account"]
    [changed] = server.rows.changed_since(receipt["memory"]["green"], tables)
    assert (changed.keys, changed.deleted) == (({"id": 50},), False)
    assert clusters.resume().verdict == "fail"


def check_guarded(app, clusters, receipt, shown):
    [name] = guards(app)
    assert any("pg_create_logical_replication_slot" in line and name in line for line in shown)
    assert {(one["cluster"], one["name"]) for one in receipt["guards"]} == {
        (cluster, guard.name_of(clusters.pair, cluster)) for cluster in ("blue", "green")
    }
    assert sorted(written_since(clusters, receipt, "green"), key=str) == [
        ("account", {"id": 3}),
        ("setting", {"name": "size", "node": "b"}),
    ]
    assert written_since(clusters, receipt, "blue") == [("rule", None), ("account", {"id": 4})]


def check_remembered(clusters, receipt):
    tables = {table.name.name: table for table in clusters.pair.server("green").catalog.tables()}
    config = [tables[name] for name in ("account", "setting", "token", "rule")]
    changed = clusters.pair.server("green").rows.changed_since(receipt["memory"]["green"], config)
    assert [(one.table.name, one.keys, one.deleted) for one in changed] == [
        ("account", ({"id": 3},), False),
        ("setting", (), True),
    ]
    [rule] = clusters.pair.server("blue").rows.changed_since(receipt["memory"]["blue"], [tables["rule"]])
    assert (rule.rows, rule.deleted, rule.why_unknown) == (1, False, None)


def test_what_a_killed_pause_left_is_told_and_taken_care_of(app):
    with app.clusters() as clusters:
        name = guard.name_of(clusters.pair, "green")
        other = "replguard_guard_of_another_pair"
        for slot in (name, other):
            app.db.run("green", f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
        left = of(clusters.status(), guard.LEFT)
        assert {item.evidence["name"]: item.severity.value for item in left} == {other: "info", name: "warn"}
        clusters.resume()
        assert guards(app) == [other]
        app.db.run("green", f"SELECT pg_drop_replication_slot('{other}')")


def test_a_side_whose_tables_all_cross_needs_no_guard(two_way_db, tmp_path):
    from tests.conformance.application import Application  # noqa: PLC0415 - for one test

    app = Application(two_way_db, tmp_path)
    app.create_two_way()
    with app.clusters() as clusters:
        paused = clusters.pause(Options())
        assert paused.data["receipt"]["guards"] == []
        assert paused.data["receipt"]["memory"] == {}
        assert guards(app) == guards(app, "blue") == []
        clusters.resume()
