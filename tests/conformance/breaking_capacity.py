"""Ways to leave too little room for a pause, for replguard itself, and for the way back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from replguard.demo.servers import until
from tests.conformance.breaking import Case
from tests.conformance.writing import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from replguard.demo.servers import Side
    from tests.conformance.application import Application

BINLOG = ("mariadb", "mysql")


def set_global(side: Side, name: str, value: int) -> Callable[[Application], AbstractContextManager[None]]:
    """A variable of a MySQL or MariaDB server, put back as it was."""

    @contextmanager
    def broken(app: Application) -> Iterator[None]:
        before = app.db.query(side, f"SELECT @@GLOBAL.{name}")[0][0]
        app.db.run(side, f"SET GLOBAL {name} = {value}")
        yield
        app.db.run(side, f"SET GLOBAL {name} = {before}")

    return broken


def configured(side: Side, name: str, value: str) -> Callable[[Application], AbstractContextManager[None]]:
    """A setting of a PostgreSQL server, put back as it was."""

    @contextmanager
    def broken(app: Application) -> Iterator[None]:
        server = app.db.pair.server(side)
        before = app.db.query(side, f"SHOW {name}")
        server.run(f"ALTER SYSTEM SET {name} = '{value}'", "SELECT pg_reload_conf()")
        until(lambda: app.db.query(side, f"SHOW {name}") != before, f"{name} to change")
        yield
        server.run(f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()")
        until(lambda: app.db.query(side, f"SHOW {name}") == before, f"{name} to be as it was")

    return broken


@contextmanager
def _little_wal(app: Application) -> Iterator[None]:
    insert = "INSERT INTO event VALUES ({number}, 'written while the rate is measured')"
    with configured("blue", "max_slot_wal_keep_size", "512MB")(app), writing(app, insert, start=7000):
        yield
    app.db.run("blue", "DELETE FROM event WHERE id >= 7000")


CASES = (
    Case(
        "capacity.retention",
        "files expire before the pause ends",
        frozenset({"retention.short"}),
        set_global("blue", "binlog_expire_logs_seconds", 3600),
        engines=BINLOG,
    ),
    Case(
        "capacity.retention",
        "the slot may keep too little",
        frozenset({"retention.short"}),
        _little_wal,
        engines=("postgresql",),
        options={"window": 1.0, "pause": 20 * 365 * 86_400.0},
    ),
)
