"""Watching at work on every engine: links stopped at a leak, frozen config tables, what waits, where to begin."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from replguard.control.pause import Options as PauseOptions
from replguard.control.resume import Options as ResumeOptions
from replguard.demo.servers import until
from replguard.endpoint import endpoint
from replguard.model.changes import Change
from replguard.model.findings import Finding, Severity, Verdict
from replguard.policy import Rule, TableClass
from replguard.watch.options import Options
from replguard.watch.wanted import Appetite
from replguard.watch.window import Window
from tests.conformance.application import Application, codes, of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from replguard.api import Clusters
    from replguard.endpoint import Endpoint
    from replguard.model.findings import Report
    from replguard.watch.readings import Told
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-15", "postgresql-18")
FREEZE = Appetite(freeze=True)
QUICK = PauseOptions(timeout=30.0)


class Watching:
    """A watch in a thread of its own, from its first poll on."""

    def __init__(self, clusters: Clusters, options: Options) -> None:
        self.told: list[Told] = []
        self.running, self.ended = threading.Event(), threading.Event()
        self.options = replace(
            options,
            seconds=float("inf"),
            on_told=self.told.append,
            on_progress=lambda _progress: self.running.set(),
            stopped=self.ended.is_set,
        )
        self.report: Report | None = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(clusters,))

    def _run(self, clusters: Clusters) -> None:
        try:
            self.report = clusters.watch(self.options)
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            self.error = error
        finally:
            self.running.set()

    def codes(self) -> set[str]:
        return {finding.code for told in self.told for _, finding in told.findings}

    def result(self) -> Report:
        assert self.error is None, self.error
        assert self.report is not None
        return self.report


@contextmanager
def watching(clusters: Clusters, options: Options | None = None) -> Iterator[Watching]:
    """Watch while the block runs."""
    watch = Watching(clusters, options or Options())
    watch.thread.start()
    try:
        until(watch.running.is_set, "the watch to begin")
        yield watch
    finally:
        watch.ended.set()
        watch.thread.join()


def count(app: Application, side: Any, table: str, where: str) -> int:
    return int(app.db.query(side, f"SELECT count(*) FROM {table} WHERE {where}")[0][0])


def test_a_leak_stops_its_link_and_the_next_one_is_not_applied(app: Application) -> None:
    app.let_cross("event")
    shown: list[str] = []
    with app.clusters() as clusters:
        with watching(clusters, Options(breaker=clusters.breaker(shown.append))) as watch:
            app.db.run("blue", "INSERT INTO event VALUES (900, 'first')")
            until(lambda: any(link.state.value == "paused" for link in app_links(app)), "the link to be stopped")
            app.db.run("blue", "INSERT INTO event VALUES (901, 'second')")
            until(lambda: sum(map(leaks, watch.told)) >= 2, "the second leak to be seen")
        status = clusters.status()
        ((link,), _) = clusters.links()
    report = watch.result()
    assert report.verdict is Verdict.failed
    assert of(report, "leak.sent")
    (stopped,) = of(report, "pause.on_leak")
    assert (stopped.link, stopped.table, stopped.severity) == (link.label, "event", Severity.warn)
    assert count(app, "green", "event", "id = 901") == 0
    assert shown
    assert all(line.startswith("green: ") for line in shown)
    held = status.data["receipt"]
    assert "stopped by watch --on-leak at" in held["reason"]
    assert held["detail"]["position"]
    assert [step["cluster"] for step in held["held"]] == (["green"] if app.db.engine == "mysql" else [])
    assert [item.message for item in of(status, "pause.on_leak")] == [held["reason"]]
    assert not of(status, "journal.unfinished")
    app.db.run("blue", "DELETE FROM event WHERE id >= 900")
    with app.clusters() as clusters:
        assert {"leak.configured", "resume.not_started"} <= set(codes(clusters.resume(QUICK))), "the leak is open still"
        plan = app.folder / "close.plan"
        clusters.plan_filters(plan)
        assert codes(clusters.apply_filters(plan)) == []
        # A stop on a leak makes no guard, so nobody knows what was written to a PostgreSQL target meanwhile.
        if app.family == "postgresql":
            unknown = set(codes(clusters.resume(QUICK))) - {"resume.not_started"}
            assert unknown in ({"check.not_run"}, {"stream.gap"}), "as it has test_decoding or not"
        resumed = clusters.resume(ResumeOptions(accept_unknown=True))
        assert (resumed.verdict, codes(resumed)) == (Verdict.passed, [])
        assert clusters.status().data["receipt"] is None


def app_links(app: Application) -> Any:
    with app.clusters() as clusters:
        return clusters.links()[0]


def leaks(told: Told) -> bool:
    return isinstance(told.item, Change) and any(finding.code == "leak.sent" for _, finding in told.findings)


def test_a_link_that_stands_is_not_stopped_again(app: Application) -> None:
    app.let_cross("event")
    with app.clusters() as clusters:
        clusters.pause(PauseOptions(timeout=30.0, reason="by hand"))
        with watching(clusters, Options(breaker=clusters.breaker())) as watch:
            app.db.run("blue", "INSERT INTO event VALUES (900, 'first')")
            until(lambda: "leak.sent" in watch.codes(), "the leak to be seen")
        held = clusters.status().data["receipt"]
    (stood,) = of(watch.result(), "pause.on_leak")
    assert stood.severity is Severity.info
    assert held["reason"] == "by hand"


@pytest.mark.engines("mariadb")
def test_a_stop_that_died_half_way_is_seen_and_mended(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*_: object) -> None:
        raise SystemExit("killed")

    leak = Finding("leak.sent", Severity.fail, "a leak", schema="st", table="event", evidence={"position": "0-1-2"})
    with app.clusters() as clusters:
        ((link,), _) = clusters.links()
        with monkeypatch.context() as patched:
            patched.setattr("replguard.control.receipt.store", dies)
            with pytest.raises(SystemExit):
                clusters.breaker()(link, leak)
        died = clusters.status()
        assert of(died, "journal.unfinished")
        (stood,) = clusters.breaker()(link, leak)
        assert (stood.code, stood.severity) == ("pause.on_leak", Severity.info)
        assert clusters.resume(QUICK).verdict is Verdict.passed
        assert not of(clusters.status(), "journal.unfinished")


@pytest.mark.engines("mariadb", "mysql")
def test_both_directions_of_a_pair_are_watched(two_way_db: Workspace, tmp_path: Path) -> None:
    app = Application(two_way_db, tmp_path)
    app.create_two_way(apart=False)
    with app.clusters() as clusters, watching(clusters) as watch:
        app.db.run("blue", "INSERT INTO event VALUES (1, 'of blue')")
        app.db.run("green", "INSERT INTO event VALUES (2, 'of green')")
        until(lambda: len(_seen(watch.told)) >= 4, "all four sights")
    assert _seen(watch.told) == {
        ("leak.sent", "blue", 1),
        ("leak.applied", "green", 1),
        ("leak.sent", "green", 2),
        ("leak.applied", "blue", 2),
    }
    kinds = {stream.kind for stream in watch.result().coverage.streams}
    assert kinds == {"binlog (sent, own)"}, "each binlog is read once"


def _seen(told: list[Told]) -> set[tuple[str, str | None, int]]:
    found = [finding for one in told for _, finding in one.findings if finding.severity is Severity.fail]
    return {(item.code, item.cluster, int((item.key or {})["id"])) for item in found}


def test_a_frozen_table_that_changes_is_told_with_its_key(app: Application) -> None:
    with app.clusters() as clusters, watching(clusters, Options(freeze=True, appetite=FREEZE)) as watch:
        app.db.run("blue", "UPDATE account SET email = 'new' WHERE id = 3", "INSERT INTO event VALUES (50, 'x')")
        until(lambda: "freeze.changed" in watch.codes(), "the change to be seen")
        app.db.wait_caught_up()
    report = watch.result()
    failing = [item for item in of(report, "freeze.changed") if item.severity is Severity.fail]
    assert [(item.cluster, item.table) for item in failing] == [("blue", "account")]
    assert failing[0].key == {"id": 3}
    assert {"position", "transaction", "committed_at"} <= failing[0].evidence.keys()
    assert report.verdict is Verdict.failed


def test_a_frozen_pair_that_does_not_change_is_silent(app: Application) -> None:
    with app.clusters() as clusters, watching(clusters, Options(freeze=True, appetite=FREEZE)):
        app.db.run("blue", "INSERT INTO event VALUES (50, 'x')")
        app.db.wait_caught_up()
    with app.clusters() as clusters:
        report = clusters.watch(Options(seconds=0.3, freeze=True, appetite=FREEZE))
    assert [item.message for item in of(report, "freeze.changed")] == []
    assert report.verdict is Verdict.passed or app.family == "postgresql"


def test_a_freeze_is_judged_after_the_fact_from_a_receipt(app: Application) -> None:
    with app.clusters() as clusters:
        held = clusters.pause(PauseOptions(timeout=30.0)).data["receipt"]
        app.db.run("blue", "DELETE FROM setting WHERE name = 'size' AND node = 'a'")
        app.db.run_local("green", "UPDATE setting SET value = '9' WHERE name = 'size' AND node = 'b'")
        since = {
            server.name: server.streams.parse(held["clusters"][server.name]["position"]) for server in clusters.pair
        }
        report = clusters.watch(Options(since=since, freeze=True, appetite=FREEZE))
    found = [item for item in of(report, "freeze.changed") if item.severity is Severity.fail]
    assert ("blue", {"name": "size", "node": "a"}) in [(item.cluster, item.key) for item in found]
    assert report.verdict is Verdict.failed


def test_a_change_of_ignored_columns_is_information_whatever_the_row_image_tells(app: Application) -> None:
    ignoring = replace(app.config.policy, ignored=((Rule("account", TableClass.config), frozenset({"email"})),))
    app.config = replace(app.config, policy=ignoring)
    image = "SET SESSION binlog_row_image = 'MINIMAL'; " if app.family == "mysql" else ""
    with app.clusters() as clusters:
        clusters.pause(QUICK)
        with watching(clusters, Options(freeze=True, appetite=FREEZE)) as watch:
            app.db.run("blue", "UPDATE account SET email = 'ignored' WHERE id = 5")
            app.db.run("blue", f"{image}UPDATE account SET email = 'ignored too' WHERE id = 6")
            app.db.run("blue", f"{image}UPDATE account SET name = 'not ignored' WHERE id = 7")
            until(lambda: {"id": 7} in _frozen(watch.told, Severity.fail), "the last change to be seen")
        clusters.resume(QUICK)
    assert _frozen(watch.told, Severity.info) == [{"id": 5}, {"id": 6}]
    assert _frozen(watch.told, Severity.fail) == [{"id": 7}]


def _frozen(told: list[Told], severity: Severity) -> list[Any]:
    found = [finding for one in told for _, finding in one.findings if finding.code == "freeze.changed"]
    return [finding.key for finding in found if finding.severity is severity]


@pytest.mark.engines("postgresql-18")
def test_a_publication_made_on_request_shows_what_was_applied(app: Application) -> None:
    app.let_cross("event")
    app.config = replace(app.config, endpoints=(_as_admin(app, "blue"), _as_admin(app, "green")))
    listed = "SELECT pubname FROM pg_publication ORDER BY 1"
    before = app.db.query("green", listed)
    with app.clusters() as clusters, watching(clusters, Options(publish=True)) as watch:
        app.db.run("blue", "INSERT INTO event VALUES (60, 'leak')")
        until(lambda: "leak.applied" in watch.codes(), "the applied leak to be seen")
    (leak,) = [item for item in of(watch.result(), "leak.applied") if item.key]
    assert (leak.table, leak.severity, leak.key) == ("event", Severity.fail, {"id": 60})
    assert app.db.query("green", listed) == before


def _as_admin(app: Application, side: Any) -> Endpoint:
    server = app.db.pair.server(side)
    return endpoint(side, server.url(app.db.name, user=server.admin.user))


def test_what_waits_is_shown_and_not_moved(app: Application) -> None:
    app.let_cross("event")
    with app.clusters() as clusters:
        assert clusters.pending().verdict is Verdict.passed
        clusters.pause(PauseOptions(timeout=30.0))
        app.db.run("blue", "UPDATE account SET email = 'x' WHERE id = 4")
        config_only = clusters.pending()
        app.db.run("blue", "INSERT INTO event VALUES (70, 'a')", "INSERT INTO event VALUES (71, 'b')")
        first, second = clusters.pending(), clusters.pending()
    assert (config_only.verdict, [item.key for item in of(config_only, "change.pending")]) == (
        Verdict.passed,
        [{"id": 4}],
    )
    for report in (first, second):
        assert report.verdict is Verdict.failed
        assert [item.key for item in of(report, "leak.sent")] == [{"id": 70}, {"id": 71}]
        assert all("waits in blue->green" in item.message for item in of(report, "leak.sent"))
    assert count(app, "green", "event", "id IN (70, 71)") == 0


def test_a_position_and_a_time_say_where_to_begin(app: Application) -> None:
    app.let_cross("event")
    app.stop_applying()
    app.db.run("blue", "INSERT INTO event VALUES (80, 'before')")
    with app.clusters() as clusters:
        here = {"blue": clusters.pair.server("blue").replication.position()}
        now = datetime.now(UTC)
        until(lambda: datetime.now(UTC).second != now.second, "the next second")
        middle = datetime.now(UTC).replace(microsecond=0)
        app.db.run("blue", "INSERT INTO event VALUES (81, 'after')")
        told: list[Told] = []
        options = Options(appetite=Appetite(every=True), on_told=told.append)
        clusters.watch(replace(options, since=here))
        by_position = keys(told)
        told.clear()
        report = clusters.watch(replace(options, since="start", window=Window(begins=middle)))
        by_time = keys(told)
        assert not [item for item in of(report, "stream.gap") if item.message.startswith("sent")]
        told.clear()
        long_ago = clusters.watch(replace(options, since="start", window=Window(begins=middle - timedelta(days=900))))
        told.clear()
        ended = clusters.watch(replace(options, seconds=float("inf"), since="start", until=here))
    assert by_position == by_time == [81]
    assert any("--since" in words for stream in report.coverage.streams for words in stream.cannot_see)
    assert 80 in keys(told)
    assert ended.verdict is Verdict.failed
    assert {item.severity for item in of(long_ago, "stream.gap")} == {Severity.unknown}


def keys(told: list[Told]) -> list[int]:
    return [one.item.key["id"] for one in told if isinstance(one.item, Change) and one.item.key and leaks(one)]
