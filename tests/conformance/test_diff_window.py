"""The window between two snapshots, on real servers: what a view holds, and what a link's stream tells of the rest."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from replguard.engines.base import Wanted
from replguard.model.changes import Change, Interest
from tests.conformance.application import Application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replguard.api import Clusters
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
