"""How long a pause may last, on real servers: counted down, warned of, over, and too late."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from replguard.control.pause import Options
from replguard.demo.servers.waiting import until
from replguard.engines.binlog.keeping import on_disk
from tests.conformance.application import Application, of
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-15", "postgresql-18")

HOUR = timedelta(hours=1)
NOTES = "INSERT INTO auditlog SELECT {0} + g, repeat('x', 1000) FROM generate_series(1, 1000) g"


@pytest.fixture
def app(make_pair, tmp_path) -> Iterator[Application]:
    """The application on a pair of its own, whose logs are removed here."""
    with workspace(make_pair()) as db:
        application = Application(db, tmp_path)
        application.create()
        yield application


def seen(clusters, severity=None):
    """What status says of the budgets, by severity."""
    found = of(clusters.status(), "pause.budget")
    return [item for item in found if severity in (None, item.severity.value)]


def link(clusters):
    [found] = [item for item in seen(clusters) if item.link]
    return found


def hours_pass(clusters, hours):
    """As if the pause had begun earlier."""
    path = clusters.receipt_path
    held = json.loads(path.read_text())
    for moment, name in ((held, "paused_at"), *((look, "at") for look in held["budget"]["looks"])):
        moment[name] = (datetime.fromisoformat(moment[name]) - hours * HOUR).isoformat()
    path.write_text(json.dumps(held))


def test_a_pause_is_counted_down_and_told_when_it_is_over_and_too_late(app):
    check = check_postgresql if app.family == "postgresql" else check_binlog
    with app.clusters() as clusters:
        assert seen(clusters) == []
        assert clusters.status().data["budget"] == []
        check(app, clusters)


def check_binlog(app, clusters):
    app.db.run("blue", "SET GLOBAL binlog_expire_logs_seconds = 7200")
    receipt = clusters.pause(Options(reason="test")).data["receipt"]
    must = datetime.fromisoformat(receipt["budget"]["must_resume_by"])
    assert abs(must - datetime.now(UTC) - 2 * HOUR) < timedelta(minutes=1)
    assert "2 h" not in receipt["budget"]["words"][0], "what is stored does not count down"
    assert [item.severity.value for item in seen(clusters)] == ["info"]
    assert "disk of the binlog" in link(clusters).message, "what is not known was not told"
    before = link(clusters).evidence["bytes_kept"]
    app.db.run("blue", "INSERT INTO account VALUES (900, 'while paused', NULL)")
    assert link(clusters).evidence["bytes_kept"] > before
    check_disk(app, clusters)
    hours_pass(clusters, 3)
    [half] = seen(clusters, "warn")
    assert "60% of the time is used" in half.message
    assert 0 < half.evidence["bytes_per_second"] < 1
    app.db.run("blue", "FLUSH BINARY LOGS", "SET GLOBAL binlog_expire_logs_seconds = 3600")
    until(lambda: "in 59 min" in link(clusters).message, "the age of a file that was ended")
    app.db.run("blue", "SET GLOBAL binlog_expire_logs_seconds = 1")
    until(lambda: bool(seen(clusters, "fail")), "the budget is over")
    assert "resume at once" in link(clusters).remedy
    until(lambda: "has removed" in flushed(app, clusters).message, "that the log is gone is told")
    assert clusters.status().data["budget"][0]["lost"]
    (ours,), _ = clusters.links()
    by_file = replace(ours, detail={**ours.detail, "auto_position": False})
    kept = clusters.pair.first.streams.kept(by_file, clusters.pair.second)
    assert "in which green stands" in kept.lost, "a link that goes by files was judged by GTIDs"
    app.db.run("blue", "SET GLOBAL binlog_expire_logs_seconds = 0")


def flushed(app, clusters):
    """Files are removed when another one is begun, once they are older than whole seconds tell."""
    app.db.run("blue", "FLUSH BINARY LOGS")
    return link(clusters)


def check_disk(app, clusters):
    """MariaDB tells how much room there is once its plugin is loaded, where it knows the disk."""
    if app.db.engine != "mariadb":
        return
    app.db.run("blue", "INSTALL SONAME 'disks'")
    disks = dict(app.db.query("blue", "SELECT Path, Available * 1024 FROM information_schema.DISKS"))
    ((base,),) = app.db.query("blue", "SELECT @@log_bin_basename")
    [found] = [item for item in clusters.status().data["budget"] if item["link"]]
    told = [clause for clause in found["unknown"] if "disk" in clause]
    room = on_disk({str(path): int(free) for path, free in disks.items()}, str(base))
    if room is None:
        assert "does not tell of the one" in told[0]
    else:
        assert not [clause for clause in told if "disks" in clause]


def check_postgresql(app, clusters):
    receipt = clusters.pause(Options(reason="test", free_disk={"blue": 1 << 30})).data["receipt"]
    guarded = bool(receipt["guards"])
    assert len(seen(clusters)) == 1 + guarded
    assert "the free disk that was named" in link(clusters).message, "how fast the log grows is not known yet"
    if guarded:
        [guard] = [item for item in seen(clusters) if not item.link]
        assert guard.cluster == "green"
        assert "disk of pg_wal" in guard.message, "what is not known was not told"
    again = clusters.pause(Options(free_disk={"green": 1 << 20})).data["receipt"]
    assert again["budget"]["free_disk"] == {"blue": 1 << 30, "green": 1 << 20}
    assert not [item for item in seen(clusters) if "disk of pg_wal" in item.message]
    before = link(clusters).evidence["bytes_kept"]
    app.db.run("blue", NOTES.format(1000))
    hours_pass(clusters, 1)
    grown = link(clusters).evidence["bytes_kept"] - before
    assert grown > 1_000_000
    rate = link(clusters).evidence["bytes_per_second"]
    assert 0.9 < rate / (grown / 3600) < 1.2
    must = datetime.fromisoformat(link(clusters).evidence["must_resume_by"]) - datetime.now(UTC)
    assert 0.9 < must.total_seconds() / (((1 << 30) - grown) / rate) < 1.1
    assert "the free disk that was named" in link(clusters).message
    check_idle(app, clusters)
    fill(app, 2)
    configure(app, "max_slot_wal_keep_size = '512MB'")
    [told] = [item for item in clusters.status().data["budget"] if item["link"]]
    assert told["danger"] is told["lost"] is None
    configure(app, "max_slot_wal_keep_size = '16MB'")
    fill(app, 4)
    until(lambda: bool(seen(clusters, "fail")), "the budget is over")
    assert "unreserved" in str(link(clusters).evidence["danger"])
    assert "max_slot_wal_keep_size = 16MB" in link(clusters).message
    app.db.run("blue", "CHECKPOINT")
    until(lambda: "any more" in link(clusters).message, "that the slot is lost is told")


def check_idle(app, clusters):
    """Version 18 gives up slots that nobody uses."""
    if not app.db.query("blue", "SELECT name FROM pg_settings WHERE name = 'idle_replication_slot_timeout'"):
        return
    configure(app, "idle_replication_slot_timeout = '1h'")
    assert "idle_replication_slot_timeout" in link(clusters).message
    must = datetime.fromisoformat(link(clusters).evidence["must_resume_by"])
    assert timedelta(minutes=55) < must - datetime.now(UTC) <= HOUR
    hours_pass(clusters, 2)
    assert seen(clusters, "warn")
    configure(app, "idle_replication_slot_timeout = '1s'")
    until(lambda: bool(seen(clusters, "fail")), "the budget is over")
    assert "idle for longer" in link(clusters).evidence["danger"]
    configure(app, "idle_replication_slot_timeout = 0")


def configure(app, setting):
    app.db.run("blue", f"ALTER SYSTEM SET {setting}", "SELECT pg_reload_conf()")
    name, _, value = setting.partition(" = ")
    wanted = value.strip("'")
    until(lambda: bool(app.db.query("blue", f"SELECT current_setting('{name}') = '{wanted}'") == [(True,)]), setting)


def fill(app, segments):
    for number in range(segments):
        app.db.run("blue", NOTES.format(10_000 * (number + segments)), "SELECT pg_switch_wal()")
