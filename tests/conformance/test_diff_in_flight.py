"""Changes of every kind, on their way while both sides are compared: each is explained, and none hides drift."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.conformance.application import Application
from tests.conformance.plain_reader import compared
from tests.conformance.test_diff_window import numbers, wait_for_row
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from replguard.demo.servers import Pair
    from tests.servers.choices import Choice
    from tests.servers.workspace import Workspace

FAMILY = (
    "CREATE TABLE parent (id BIGINT PRIMARY KEY, name VARCHAR(20))",
    """CREATE TABLE child (id BIGINT PRIMARY KEY, parent BIGINT, name VARCHAR(20),
       FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE)""",
)


@pytest.fixture
def family(db: Workspace, tmp_path: Path) -> Application:
    """The small application, with a parent whose changes cascade."""
    app = Application(db, tmp_path)
    db.both(*FAMILY)
    app.create()
    if db.engine == "postgresql":
        db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE parent, child")
        app.refresh()
    db.run(
        "blue",
        *(f"INSERT INTO parent VALUES ({number}, 'p')" for number in (1, 2, 3)),
        *(f"INSERT INTO child VALUES ({number}, {number % 3 + 1}, 'c')" for number in range(1, 10)),
    )
    db.wait_caught_up()
    return app


@contextmanager
def held_up(db: Workspace) -> Iterator[Callable[[], None]]:
    """Nothing more is applied on green within this, or until it is let go: somebody holds the row that comes first."""
    with db.pair.green.connect(db.name) as connection:
        connection.run("BEGIN")
        connection.query("SELECT name FROM account WHERE id = 20 FOR UPDATE")
        db.run("blue", "UPDATE account SET name = 'held up' WHERE id = 20")
        held = True

        def let_go() -> None:
            nonlocal held
            if held:
                held = False
                connection.run("ROLLBACK")

        try:
            yield let_go
        finally:
            let_go()


def test_all_that_is_on_its_way_is_explained_and_hides_no_drift(family: Application) -> None:
    db = family.db
    db.run_local("green", "UPDATE child SET name = 'drift' WHERE id = 4", "UPDATE account SET name = 'x' WHERE id = 3")
    with family.clusters() as clusters, held_up(db) as let_go:
        db.run(
            "blue",
            "DELETE FROM parent WHERE id = 1",
            "UPDATE parent SET id = 33 WHERE id = 3",
            "UPDATE account SET id = 505 WHERE id = 5",
            "UPDATE account SET name = 'there and back' WHERE id = 6",
            "UPDATE account SET name = 'name6' WHERE id = 6",
            "DELETE FROM account WHERE id = 7",
            "INSERT INTO account VALUES (7, 'anew', NULL)",
            "INSERT INTO rule VALUES ('*.new', 'keep')",
            *_two_phases(db),
            "TRUNCATE TABLE setting",
        )
        found, strength, _ = compared(clusters, at_first=0.0, then=let_go)
    assert strength.value == "settled"
    assert not any(one.unsettled or one.open for one in found.values())
    assert {name: numbers(one.drift) for name, one in found.items() if one.drift} == {"child": [4], "account": [3]}
    assert numbers(found["account"].in_flight) == [5, 7, *([9] if _two_phases(db) else []), 20, 505]
    assert numbers(found["parent"].in_flight) == [1, 3, 33]
    assert {3, 6, 9} | {2, 5, 8} >= set(numbers(found["child"].in_flight)) >= {3, 6, 9}
    assert len(found["setting"].in_flight) == 3
    assert len(found["rule"].in_flight) == 1
    told = next(iter(found["parent"].in_flight.values()))
    assert told.transaction
    assert told.position
    assert told.link == "blue->green" + (f"/{family.subscription}" if db.engine == "postgresql" else "")


def _two_phases(db: Workspace) -> tuple[str, ...]:
    """A change that is prepared first and committed by a transaction of its own."""
    if db.engine == "postgresql":
        return ()
    named = f"'{db.name}'"
    update = "UPDATE account SET name = 'in two phases' WHERE id = 9"
    return (f"XA START {named}", update, *(f"XA {verb} {named}" for verb in ("END", "PREPARE", "COMMIT")))


def test_a_change_that_is_lost_among_others_is_found(family: Application) -> None:
    """Two changes of a row are on their way, and the row looks equal: one of them never arrives."""
    db = family.db
    with family.clusters() as clusters, held_up(db) as let_go:
        db.run(
            "blue",
            "UPDATE account SET name = 'first' WHERE id = 8",
            "UPDATE account SET name = 'name8' WHERE id = 8",
        )

        def lose() -> None:
            let_go()
            db.wait_caught_up()
            db.run_local("green", "UPDATE account SET name = 'first' WHERE id = 8")

        found, _, _ = compared(clusters, at_first=0.0, then=lose)
    assert numbers(found["account"].drift) == [8]


def link_by_file(db: Workspace) -> None:
    """Make green a replica of blue by file and offset, as before there were GTIDs."""
    blue = db.pair.blue
    maria = db.engine == "mariadb"
    with blue.connect() as connection:
        status = connection.records("SHOW MASTER STATUS" if maria else "SHOW BINARY LOG STATUS")[0]
    word = "MASTER" if maria else "SOURCE"
    more = f"{word}_USE_GTID = no" if maria else "SOURCE_AUTO_POSITION = 0, GET_SOURCE_PUBLIC_KEY = 1"
    db.run(
        "green",
        f"""CHANGE {"MASTER" if maria else "REPLICATION SOURCE"} TO {word}_HOST = '{blue.peer_host}',
            {word}_PORT = {blue.peer_port}, {word}_USER = 'repl', {word}_PASSWORD = '{blue.admin.password}',
            {word}_LOG_FILE = '{status["File"]}', {word}_LOG_POS = {status["Position"]},
            {word}_CONNECT_RETRY = 1, {word}_HEARTBEAT_PERIOD = 1, {more}""",
        "START SLAVE" if maria else "START REPLICA",
    )


@pytest.mark.engines("mariadb", "mysql")
def test_links_without_gtids_and_targets_that_log_nothing(
    make_pair: Callable[..., Pair], engine_choice: Choice, tmp_path: Path
) -> None:
    options: tuple[str, ...] = ("--log-slave-updates=OFF",)
    if engine_choice.engine == "mysql":
        options = ("--gtid-mode=OFF", "--enforce-gtid-consistency=OFF", "--log-replica-updates=OFF")
    with workspace(make_pair("none", options)) as db:
        app = Application(db, tmp_path)
        db.both(*FAMILY, "CREATE TABLE account (id BIGINT PRIMARY KEY, name VARCHAR(80))")
        link_by_file(db)
        db.run("blue", *(f"INSERT INTO account VALUES ({number}, 'n')" for number in range(1, 21)))
        wait_for_row(db, "green", 20)
        db.run_local("green", "UPDATE account SET name = 'drift' WHERE id = 3")
        with app.clusters() as clusters:
            found, strength, _ = compared(clusters)
            assert (numbers(found["account"].drift), strength.value) == ([3], "exact")
            with held_up(db) as let_go:
                db.run("blue", "UPDATE account SET id = 40 WHERE id = 4", "DELETE FROM account WHERE id = 5")
                found, strength, _ = compared(clusters, at_first=0.0, then=let_go)
    assert (numbers(found["account"].drift), strength.value) == ([3], "settled")
    assert numbers(found["account"].in_flight) == [4, 5, 20, 40]
    assert not found["account"].unsettled
