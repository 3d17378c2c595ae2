"""The window between two snapshots, on real servers: what a view holds, and what a link's stream tells of the rest."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from replguard import config
from replguard.engines.base import Wanted
from replguard.model.changes import Change, Interest
from tests.conformance.application import Application
from tests.conformance.plain_reader import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from replguard.api import Clusters
    from replguard.demo.servers.pair import Side
    from replguard.engines.base import ChangeStream, Lookback, Server
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from tests.servers.workspace import Workspace

SECONDS = 20.0


def link_from(clusters: Clusters, source: str) -> Link:
    (found,) = (link for link in clusters.links()[0] if link.source == source)
    return found


@contextmanager
def looked_back(clusters: Clusters, source: str = "blue") -> Iterator[tuple[Server, Server, Lookback]]:
    """The source, the target, and a lookback over the link between them that asks for keys."""
    link = link_from(clusters, source)
    here, there = clusters.pair.server(source), clusters.pair.server(link.target)
    tables = clusters.tables()
    wanted = Wanted(lambda _name: Interest.keyed, lambda name: tables.on(source).get(name))
    with here.streams.look_back(link, there, wanted) as lookback:
        yield here, there, lookback


def read_to(stream: ChangeStream, end: Position) -> dict[int, Change]:
    """The last change of each account, as far as ``end``."""
    found: dict[int, Change] = {}
    deadline = time.monotonic() + SECONDS
    while not stream.passed(end):
        assert time.monotonic() < deadline, f"the stream does not reach {end}: it is at {stream.position}"
        for item in stream.poll(0.1):
            assert isinstance(item, Change), item
            if item.tables[0].name == "account" and item.key is not None:
                found[int(item.key["id"])] = item
    return found


def account(number: int) -> str:
    return f"INSERT INTO account VALUES ({number}, 'new', NULL)"


def test_what_one_view_lacks_is_in_the_stream(app: Application) -> None:
    db = app.db
    with app.clusters() as clusters, looked_back(clusters) as (blue, green, lookback), ExitStack() as stack:
        source_view = stack.enter_context(blue.rows.snapshot())
        db.run("blue", account(100))
        db.wait_caught_up()
        target_view = stack.enter_context(green.rows.snapshot())
        stream = stack.enter_context(lookback.stream([source_view], [target_view]))
        db.run("blue", account(101), "UPDATE account SET name = 'again' WHERE id = 100")
        moved = read_to(stream, blue.streams.end())
        assert moved.keys() >= {100, 101}
        assert not source_view.awaits
        assert not any(source_view.holds(moved[number]) for number in (100, 101))
        later = stack.enter_context(blue.rows.snapshot())
        assert all(later.holds(change) for change in moved.values())
        db.run("blue", account(102))
        moved = read_to(stream, blue.streams.end())
        assert moved.keys() == {102}
        assert not later.holds(moved[102])


def test_what_the_target_has_not_applied_is_in_the_stream(app: Application) -> None:
    db = app.db
    app.stop_applying()
    db.run("blue", account(200))
    with app.clusters() as clusters, looked_back(clusters) as (blue, green, lookback), ExitStack() as stack:
        source_view = stack.enter_context(blue.rows.snapshot())
        target_view = stack.enter_context(green.rows.snapshot())
        stream = stack.enter_context(lookback.stream([source_view], [target_view]))
        moved = read_to(stream, blue.streams.end())
        assert moved.keys() == {200}
        assert source_view.holds(moved[200])


def test_nothing_moves_in_a_window_without_changes(app: Application) -> None:
    with app.clusters() as clusters, looked_back(clusters) as (blue, green, lookback), ExitStack() as stack:
        views = [stack.enter_context(server.rows.snapshot()) for server in (blue, green)]
        stream = stack.enter_context(lookback.stream(views[:1], views[1:]))
        app.db.run("blue", "INSERT INTO event VALUES (2, 'busy')")
        moved = read_to(stream, blue.streams.end())
        assert all(views[0].holds(change) for change in moved.values())


def test_each_direction_has_its_own_window(two_way_db: Workspace, tmp_path: Path) -> None:
    app = Application(two_way_db, tmp_path)
    app.create_two_way()
    with app.clusters() as clusters, ExitStack() as stack:
        back = {side: stack.enter_context(looked_back(clusters, side)) for side in ("blue", "green")}
        views = {side: stack.enter_context(back[side][0].rows.snapshot()) for side in back}
        two_way_db.run("blue", account(300))
        two_way_db.run("green", account(301))
        two_way_db.wait_caught_up()
        for side, other, number in (("blue", "green", 300), ("green", "blue", 301)):
            stream = stack.enter_context(back[side][2].stream([views[side]], [views[other]]))
            moved = read_to(stream, back[side][0].streams.end())
            filters = back[side][1].filters.of(link_from(clusters, side), back[side][0])
            crossing = {key: change for key, change in moved.items() if filters.applies(change).crosses is not False}
            assert number in crossing
            assert (number ^ 1) not in crossing, "what came back is not applied again"
            assert not views[side].holds(moved[number])
            assert stack.enter_context(back[side][0].rows.snapshot()).holds(moved[number])


def numbers(keys: Iterable[Any]) -> list[int]:
    return sorted(int(key[0]) for key in keys)


@contextmanager
def in_background(action: Callable[[], None]) -> Iterator[None]:
    """An action that ends within this; what it raises is raised here."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(action)
        yield
        done.result(SECONDS)


def wait_for_row(db: Workspace, side: Side, number: int) -> None:
    deadline = time.monotonic() + SECONDS
    while not db.query(side, f"SELECT 1 FROM account WHERE id = {number}"):
        assert time.monotonic() < deadline, f"row {number} does not come to {side}"
        time.sleep(0.02)


def switch_on_semi_sync(db: Workspace) -> tuple[str, ...]:
    """Let commits on blue wait some seconds for a replica that never answers; what switches that off again."""
    word = "master" if db.engine == "mariadb" else "source"
    if db.engine == "mysql" and not db.query("blue", "SHOW GLOBAL VARIABLES LIKE 'rpl_semi_sync_source_enabled'"):
        try:
            db.run("blue", "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'")
        except Exception as error:  # noqa: BLE001 - the driver's own, of whatever driver
            pytest.skip(f"this server comes without semi-sync: {error}")
    db.run(
        "blue",
        f"SET GLOBAL rpl_semi_sync_{word}_wait_point = 'AFTER_SYNC'",
        f"SET GLOBAL rpl_semi_sync_{word}_timeout = 4000",
        f"SET GLOBAL rpl_semi_sync_{word}_enabled = ON",
    )
    return (f"SET GLOBAL rpl_semi_sync_{word}_enabled = OFF", f"SET GLOBAL rpl_semi_sync_{word}_timeout = 10000")


@pytest.mark.engines("mariadb", "mysql")
def test_a_target_that_is_ahead_by_semi_sync_is_no_drift(app: Application) -> None:
    db = app.db
    off = switch_on_semi_sync(db)
    try:
        with in_background(lambda: db.run("blue", account(400))), app.clusters() as clusters:
            wait_for_row(db, "green", 400)
            assert not db.query("blue", "SELECT 1 FROM account WHERE id = 400"), "blue does not show it yet"
            with looked_back(clusters) as (blue, green, lookback), ExitStack() as stack:
                views = [stack.enter_context(server.rows.snapshot()) for server in (blue, green)]
                stream = stack.enter_context(lookback.stream(views[:1], views[1:]))
                moved = read_to(stream, blue.streams.end())
                assert not views[0].holds(moved[400])
            found, strength, _ = compared(clusters)
    finally:
        db.run("blue", *off)
    assert (found["account"].drift, found["account"].unsettled, strength.value) == ([], {}, "settled")
    assert numbers(found["account"].in_flight) == [400]


@pytest.mark.engines("postgresql")
def test_a_commit_that_waits_for_a_standby_is_no_drift(app: Application) -> None:
    db = app.db
    db.run_local("green", "UPDATE account SET name = 'drift' WHERE id = 3")
    db.run("blue", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
    try:
        with in_background(lambda: db.run("blue", account(400))), app.clusters() as clusters:
            wait_for_row(db, "green", 400)
            db.wait_caught_up()
            found, _, _ = compared(clusters, seconds=1.0)
            db.run("blue", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
            assert found["account"].drift == []
            assert numbers(found["account"].unsettled) == [3, 400]
            assert "standby" in found["account"].unsettled[(b"400",)]
            wait_for_row(db, "blue", 400)
            found, strength, _ = compared(clusters)
    finally:
        db.run("blue", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    assert (numbers(found["account"].drift), found["account"].unsettled, strength.value) == ([3], {}, "exact")


def test_drift_is_told_from_what_moves(app: Application) -> None:
    db = app.db
    with app.clusters() as clusters:
        found, strength, _ = compared(clusters)
        assert strength.value == "exact"
        assert not any(one.drift or one.unsettled or one.in_flight for one in found.values())
        db.run_local(
            "green",
            "UPDATE account SET name = 'x' WHERE id = 3",
            "DELETE FROM account WHERE id = 4",
            "INSERT INTO account VALUES (999, 'here alone', NULL)",
            "INSERT INTO rule VALUES ('*.bak', 'keep')",
        )
        found, strength, _ = compared(clusters)
        assert strength.value == "exact"
        assert numbers(found["account"].drift) == [3, 4, 999]
        assert len(found["rule"].drift) == 1
        assert not any(one.unsettled for one in found.values())


def test_what_waits_in_a_paused_link_is_open(app: Application) -> None:
    db = app.db
    app.stop_applying()
    db.run_local("green", "UPDATE account SET name = 'drift' WHERE id = 3")
    with app.clusters() as clusters:
        found, strength, _ = compared(clusters, seconds=1.0)
        assert (numbers(found["account"].drift), strength.value) == ([3], "exact")
        db.run("blue", "UPDATE account SET name = 'waits' WHERE id IN (3, 5)", "DELETE FROM rule WHERE action = 'drop'")
        found, strength, _ = compared(clusters, seconds=1.0)
        assert strength.value == "unaligned"
        assert (found["account"].drift, numbers(found["account"].unsettled)) == ([], [3, 5])
        assert "paused" in found["account"].unsettled[(b"5",)]
        assert found["rule"].open
        assert "paused" in found["rule"].open
        assert not found["setting"].unsettled


def test_both_directions_settle_at_once(two_way_db: Workspace, tmp_path: Path) -> None:
    app = Application(two_way_db, tmp_path)
    app.create_two_way()
    two_way_db.run_local("green", "UPDATE account SET name = 'drift' WHERE id = 1")
    stop = Event()

    def writes(side: Side, first: int) -> None:
        with two_way_db.pair.server(side).connect(two_way_db.name) as connection:
            for number in count(first, 2):
                connection.run(account(number))
                connection.run(f"UPDATE account SET name = 'of {side}' WHERE id = {number}")
                if stop.wait(0.005):
                    return

    with ExitStack() as stack:
        stack.enter_context(in_background(lambda: writes("blue", 1001)))
        stack.enter_context(in_background(lambda: writes("green", 1002)))
        stack.callback(stop.set)
        with app.clusters() as clusters:
            for _ in range(3):
                found, strength, _ = compared(clusters)
                assert (numbers(found["account"].drift), found["account"].unsettled) == ([1], {})
                assert strength.value in {"settled", "exact"}


@pytest.mark.engines("postgresql")
def test_an_end_within_what_is_not_written_whole_is_passed(app: Application) -> None:
    """An open transaction's rows reach the disk by pages: the end of the log lies within a record, and stays there."""
    with app.clusters() as clusters, looked_back(clusters) as (blue, green, lookback), ExitStack() as stack:
        views = [stack.enter_context(server.rows.snapshot()) for server in (blue, green)]
        stream = stack.enter_context(lookback.stream(views[:1], views[1:]))
        app.db.run("blue", account(500))
        writer = stack.enter_context(app.db.pair.blue.connect(app.db.name))
        writer.run("BEGIN; INSERT INTO auditlog SELECT n, 'open' FROM generate_series(1, 333) AS n")
        end = blue.streams.end()
        assert read_to(stream, end).keys() >= {500}
        for _ in range(5):
            assert not stream.passed(blue.streams.parse("FFFFFFFF/0")), "nothing is passed that is not written"
            assert not stream.poll(0.1)


@pytest.mark.engines("postgresql")
def test_who_may_not_see_what_others_wait_for_takes_no_open_commit_for_drift(app: Application) -> None:
    db, role = app.db, f"looker_{secrets.token_hex(3)}"
    for server in db.pair.servers:
        server.run(
            f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'looks'",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
            database=db.name,
        )
    db.run_local("green", "UPDATE account SET name = 'drift' WHERE id = 3")
    db.run("blue", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
    app.config = replace(
        config.from_options({side: _as(role, db.url(side)) for side in ("blue", "green")}, None, ("event", "auditlog")),
        state_dir=app.folder / "state",
    )
    try:
        with in_background(lambda: db.run("blue", account(400))), app.clusters() as clusters:
            wait_for_row(db, "green", 400)
            db.wait_caught_up()
            found, _, _ = compared(clusters, seconds=0.5)
            db.run("blue", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
            assert (found["account"].drift, numbers(found["account"].unsettled)) == ([], [3, 400])
            wait_for_row(db, "blue", 400)
            found, _, _ = compared(clusters)
            assert (numbers(found["account"].drift), found["account"].unsettled) == ([3], {})
    finally:
        db.run("blue", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        for server in db.pair.servers:
            server.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}", database=db.name)


def _as(role: str, text: str) -> str:
    """The same URL for another user."""
    return urlunsplit((parts := urlsplit(text))._replace(netloc=f"{role}:looks@{parts.netloc.rpartition('@')[2]}"))
