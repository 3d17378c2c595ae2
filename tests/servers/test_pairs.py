"""A pair replicates as its direction says, survives what tests do to it, and starts quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.servers.workspace import Workspace

TABLE = "CREATE TABLE acc (id int PRIMARY KEY, name varchar(20))"
ROW = "INSERT INTO acc VALUES (1, 'one')"
ROWS = "SELECT id, name FROM acc ORDER BY id"


def test_a_row_crosses(db: Workspace) -> None:
    db.both(TABLE)
    db.link()
    db.run("blue", ROW)
    db.wait_caught_up()
    assert db.query("green", ROWS) == [(1, "one")]


def test_one_way_is_one_way(db: Workspace) -> None:
    db.both(TABLE)
    db.link()
    db.run("green", ROW)
    db.run("blue", "INSERT INTO acc VALUES (2, 'two')")
    db.wait_caught_up()
    assert db.query("blue", ROWS) == [(2, "two")]


def test_both_ways_cross_and_local_changes_stay(two_way_db: Workspace) -> None:
    db = two_way_db
    db.both(TABLE)
    db.link()
    db.run("blue", ROW)
    db.run("green", "INSERT INTO acc VALUES (2, 'two')")
    db.run_local("green", "INSERT INTO acc VALUES (3, 'drift')")
    db.wait_caught_up()
    assert db.query("blue", ROWS) == [(1, "one"), (2, "two")]
    assert db.query("green", ROWS) == [(1, "one"), (2, "two"), (3, "drift")]


def test_the_first_copy_is_awaited(db: Workspace) -> None:
    db.both(TABLE)
    db.run("blue", ROW)
    db.link(["acc"], copy_data=True)
    db.wait_caught_up()
    assert db.query("green", ROWS) == [(1, "one")]


def test_replguards_own_user_may_enter(db: Workspace) -> None:
    assert db.pair.green.user.query("SELECT 1", db.name) == [(1,)]


def test_a_killed_server_comes_back_with_its_data(db: Workspace) -> None:
    db.both(TABLE)
    db.link()
    port = db.pair.green.port
    db.pair.green.kill()
    db.run("blue", ROW)
    db.pair.green.restart()
    db.wait_caught_up()
    assert db.query("green", ROWS) == [(1, "one")]
    assert db.pair.green.port == port
