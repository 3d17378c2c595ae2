"""Ways to leave too little room for a pause, for replguard itself, and for the way back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.demo.servers import until
from replguard.model.findings import Verdict
from tests.conformance.breaking import Case
from tests.conformance.writing import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from replguard.config import Config
    from replguard.demo.servers import Side
    from tests.conformance.application import Application

BINLOG = ("mariadb", "mysql")
ONLY_FREE = {"only": frozenset({"capacity.free"})}
WEAK = "weak_by_test"


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


@contextmanager
def _no_account(app: Application) -> Iterator[None]:
    """By the account of the present link nobody can replicate from the passive side."""
    green = app.db.pair.green
    green.run("SET sql_log_bin = 0; REVOKE REPLICATION SLAVE ON *.* FROM repl")
    yield
    green.run("SET sql_log_bin = 0; GRANT REPLICATION SLAVE ON *.* TO repl")


@contextmanager
def _published(app: Application) -> Iterator[None]:
    app.db.run("green", "CREATE PUBLICATION to_blue FOR TABLE account, event")
    yield
    app.db.run("green", "DROP PUBLICATION to_blue")


@contextmanager
def _slots_taken(app: Application) -> Iterator[None]:
    """All slots of the passive side but one."""
    green = app.db.pair.green
    green.run(
        "SELECT pg_create_physical_replication_slot('full_' || n) FROM generate_series(1, "
        "current_setting('max_replication_slots')::int - 1 - (SELECT count(*)::int FROM pg_replication_slots)) AS n"
    )
    yield
    green.run("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'full%'")


@contextmanager
def _weak_user(app: Application) -> Iterator[None]:
    """A user who may do all that a gate does, and not pause."""
    made = {
        "mariadb": (f"GRANT ALL ON *.* TO {WEAK}", f"REVOKE REPLICATION SLAVE ADMIN ON *.* FROM {WEAK}"),
        "mysql": (f"GRANT ALL ON *.* TO {WEAK}", f"REVOKE REPLICATION_SLAVE_ADMIN, SUPER ON *.* FROM {WEAK}"),
        "postgresql": (
            f"CREATE ROLE {WEAK} LOGIN REPLICATION PASSWORD '{WEAK}'",
            f"GRANT pg_read_all_data, pg_read_all_stats TO {WEAK}",
        ),
    }[app.db.engine]
    create = () if app.family == "postgresql" else ("SET sql_log_bin = 0", f"CREATE USER {WEAK} IDENTIFIED BY '{WEAK}'")
    drop = f"DROP ROLE {WEAK}" if app.family == "postgresql" else f"SET sql_log_bin = 0; DROP USER {WEAK}"
    for server in app.db.pair.servers:
        server.run("; ".join((*create, *made)))
    yield
    for server in app.db.pair.servers:
        server.run(drop)


def _as_weak(config: Config) -> Config:
    """The same clusters, as the user who may not pause."""
    first, second = (replace(one, user=WEAK, password=WEAK) for one in config.endpoints)
    return replace(config, endpoints=(first, second))


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
    Case(
        "capacity.free",
        "few connections are free",
        frozenset({"capacity.full"}),
        set_global("green", "max_connections", 10),
        engines=BINLOG,
        options=ONLY_FREE,
    ),
    Case(
        "capacity.free",
        "few slots are free",
        frozenset({"capacity.full"}),
        _slots_taken,
        engines=("postgresql",),
        options=ONLY_FREE,
    ),
    Case(
        "capacity.way_back",
        "files of the passive side expire too soon",
        frozenset({"back.retention"}),
        set_global("green", "binlog_expire_logs_seconds", 3600),
        engines=BINLOG,
    ),
    Case(
        "capacity.way_back",
        "slots of the passive side are lost too soon",
        frozenset({"back.retention"}),
        configured("green", "max_slot_wal_keep_size", "16MB"),
        engines=("postgresql",),
    ),
    Case(
        "capacity.way_back",
        "the account of the link is not on the passive side",
        frozenset({"back.account"}),
        _no_account,
        engines=BINLOG,
        verdict=Verdict.passed,
    ),
    Case(
        "capacity.way_back",
        "what must not sync is published on the passive side",
        frozenset({"back.filters"}),
        _published,
        engines=("postgresql",),
        verdict=Verdict.passed,
    ),
    Case(
        "capacity.privileges",
        "the user may not pause",
        frozenset({"privilege.missing"}),
        _weak_user,
        options={"only": frozenset({"capacity.privileges"})},
        config=_as_weak,
    ),
)
