"""Ways to get in the way of a move: transactions, DDL, locks, prepared transactions, backups."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.control.locking import OperatorLock
from replguard.control.receipt import state_folder
from replguard.demo.servers import until
from replguard.gates.base import Purpose
from replguard.journal import Journal
from replguard.model.findings import Verdict
from tests.conformance.breaking import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from replguard.config import Config
    from replguard.demo.servers import Side
    from tests.conformance.application import Application

UNLOGGED = {"postgresql": (), "mysql": ("SET sql_log_bin = 0",), "mariadb": ("SET sql_log_bin = 0",)}
PLUGIN = "metadata_lock_info"
_STANDING_DDL = (
    "LOCK TABLE auditlog IN SHARE UPDATE EXCLUSIVE MODE",
    "ALTER TABLE auditlog ALTER COLUMN line SET STATISTICS 9",
)
_WAITING = {
    "postgresql": "SELECT 1 FROM pg_locks WHERE NOT granted AND waitstart < clock_timestamp() - interval '1 s'",
    "mysql": "SELECT 1 FROM information_schema.PROCESSLIST WHERE STATE LIKE '%metadata lock%'",
}


def at_once(config: Config) -> Config:
    """A transaction is long however short it is."""
    return replace(config, gate=config.gate.model_copy(update={"long_transaction": 0.0}))


def standing(side: Side, **texts: tuple[str, ...]) -> Callable[[Application], AbstractContextManager[None]]:
    """A session of the admin that has run these statements, by engine, and stays."""

    @contextmanager
    def broken(app: Application) -> Iterator[None]:
        server = app.db.pair.server(side)
        with ExitStack() as stack:
            if app.db.engine == "mariadb":
                stack.enter_context(_locks_shown(app, side))
            connection = stack.enter_context(server.connect(app.db.name))
            for text in (*UNLOGGED[app.db.engine], *texts.get(app.db.engine, texts.get(app.family, ()))):
                connection.run(text)
            yield
            connection.run("ROLLBACK" if app.family == "postgresql" else "ROLLBACK; UNLOCK TABLES")

    return broken


@contextmanager
def _locks_shown(app: Application, side: Side) -> Iterator[None]:
    app.db.run(side, f"INSTALL SONAME '{PLUGIN}'")
    try:
        yield
    finally:
        app.db.run(side, f"UNINSTALL SONAME '{PLUGIN}'")


@contextmanager
def _altering(app: Application) -> Iterator[None]:
    """DDL on the passive side that waits for somebody, and keeps nobody from reading what other checks read."""
    server, aside = app.db.pair.green, f"{app.db.name}_aside"
    holding, altering = _STANDING_DDL
    if app.family == "mysql":
        holding, altering = f"SELECT * FROM {aside}.t", f"ALTER TABLE {aside}.t ADD COLUMN extra int"
        app.db.run_local("green", f"CREATE DATABASE {aside}", f"CREATE TABLE {aside}.t (a int)")
    with server.connect(app.db.name) as reader, server.connect(app.db.name) as other:
        for text in (*UNLOGGED[app.db.engine], "BEGIN", holding):
            reader.run(text)
        for text in UNLOGGED[app.db.engine]:
            other.run(text)
        thread = threading.Thread(target=other.run, args=(altering,))
        thread.start()
        try:
            until(lambda: bool(app.db.query("green", _WAITING[app.family])), "the ALTER waits")
            yield
        finally:
            reader.run("ROLLBACK")
            thread.join()
    if app.family == "mysql":
        app.db.run_local("green", f"DROP DATABASE {aside}")


@contextmanager
def _prepared(app: Application) -> Iterator[None]:
    if app.family == "postgresql":
        app.db.run("blue", "BEGIN; SELECT 1 FROM auditlog; PREPARE TRANSACTION 'it''s'")
    else:
        with app.db.pair.blue.connect(app.db.name) as connection:
            for text in (*UNLOGGED[app.db.engine], "XA START 'it''s', 'b'", "INSERT INTO auditlog VALUES (7, 'x')"):
                connection.run(text)
            connection.run("XA END 'it''s', 'b'")
            connection.run("XA PREPARE 'it''s', 'b'")
    yield
    end = "ROLLBACK PREPARED 'it''s'" if app.family == "postgresql" else "XA ROLLBACK 'it''s', 'b'"
    app.db.run("blue", *UNLOGGED[app.db.engine], end)


def read_only(config: Config) -> Config:
    return replace(config, gate=config.gate.model_copy(update={"read_only": True}))


@contextmanager
def _as_it_is(_app: Application) -> Iterator[None]:
    yield


@contextmanager
def _refusing(app: Application) -> Iterator[None]:
    """The passive side refuses writes, and somebody is there who may write all the same."""
    green, setting, role = app.db.pair.green, "default_transaction_read_only", f"{app.db.name}_exempt"
    if app.family == "postgresql":
        green.run(f"CREATE ROLE {role} LOGIN", f"ALTER ROLE {role} SET {setting} = off")
        green.run(f"ALTER DATABASE {app.db.name} SET {setting} = on")
    with green.connect(app.db.name) as connection:
        if app.family == "mysql":
            connection.run("SET GLOBAL read_only = ON")
        app.db.run("blue", "UPDATE account SET email = 'applied' WHERE id = 11")
        app.db.wait_caught_up()
        yield
        if app.family == "mysql":
            connection.run("SET GLOBAL read_only = OFF")
    if app.family == "postgresql":
        green.run(f"ALTER DATABASE {app.db.name} RESET {setting}", f"DROP ROLE {role}")


@contextmanager
def _rewriting(app: Application) -> Iterator[None]:
    """What a tool that rewrites a table has made, or how it calls itself."""
    if app.family == "postgresql":
        with standing("blue", postgresql=("SET application_name = 'pg_repack'",))(app):
            yield
        return
    app.db.run_local("blue", "CREATE TRIGGER pt_osc_x_ins AFTER INSERT ON auditlog FOR EACH ROW SET @x = 1")
    yield
    app.db.run_local("blue", "DROP TRIGGER pt_osc_x_ins")


@contextmanager
def _another_operator(app: Application) -> Iterator[None]:
    with app.clusters() as clusters, OperatorLock(clusters.pair, "filter apply"):
        yield


@contextmanager
def _unfinished(app: Application) -> Iterator[None]:
    with app.clusters() as clusters:
        entry = Journal(state_folder(app.config, clusters.pair)).begin("filter apply")
    yield
    entry.close("a test's")


CASES = (
    Case(
        "activity.transactions",
        "a transaction is open that has locked rows",
        frozenset({"activity.transaction"}),
        # On PostgreSQL one without a number: a slot that is made waits for those that have one.
        standing(
            "blue",
            postgresql=("BEGIN", "SELECT * FROM event WHERE id < 0 FOR UPDATE"),
            mysql=("BEGIN", "INSERT INTO event VALUES (77, 'open')"),
        ),
        config=at_once,
    ),
    Case(
        "activity.transactions",
        "a transaction is open that has only read",
        frozenset({"activity.transaction"}),
        standing("green", postgresql=("BEGIN", "SELECT * FROM event"), mysql=("BEGIN", "SELECT * FROM event")),
        verdict=Verdict.passed,
        config=at_once,
    ),
    Case("activity.transactions", "DDL waits", frozenset({"activity.ddl", "activity.lock"}), _altering),
    Case(
        "activity.transactions",
        "a table is locked",
        frozenset({"activity.lock"}),
        standing(
            "green",
            postgresql=("BEGIN", "LOCK TABLE auditlog IN SHARE MODE"),
            mysql=("LOCK TABLES auditlog READ",),
        ),
    ),
    Case(
        "activity.prepared",
        "a transaction is prepared, and no move is near",
        frozenset({"activity.in_doubt"}),
        _prepared,
        verdict=Verdict.passed,
        purpose=Purpose.nightly,
    ),
    Case("activity.prepared", "a transaction is prepared", frozenset({"activity.in_doubt"}), _prepared),
    Case(
        "activity.backups",
        "a backup runs",
        frozenset({"activity.backup"}),
        standing(
            "green",
            postgresql=("SET application_name = 'pg_dump'",),
            mysql=("LOCK INSTANCE FOR BACKUP",),
            mariadb=("BACKUP STAGE START",),
        ),
    ),
    Case(
        "activity.backups",
        "the global read lock is held",
        frozenset({"activity.backup"}),
        standing("green", mysql=("FLUSH TABLES WITH READ LOCK",)),
        engines=("mariadb", "mysql"),
    ),
    Case(
        "passive.read_only",
        "the passive side takes writes",
        frozenset({"passive.writable"}),
        _as_it_is,
        config=read_only,
    ),
    Case(
        "passive.read_only",
        "somebody may write in spite of it",
        frozenset({"passive.exempt"}),
        _refusing,
        verdict=Verdict.passed,
        config=read_only,
    ),
    Case(
        "passive.writers",
        "somebody writes configuration on the passive side",
        frozenset({"passive.writer"}),
        standing(
            "green",
            postgresql=("BEGIN", "UPDATE account SET email = 'x' WHERE id < 0"),
            mysql=("BEGIN", "UPDATE account SET email = 'x' WHERE id = 3"),
        ),
    ),
    Case("tools.others", "a tool rewrites a table", frozenset({"tool.acts"}), _rewriting),
    Case(
        "tools.others",
        "a manager of failovers is there",
        frozenset({"tool.manages"}),
        standing(
            "green",
            postgresql=("SET application_name = 'Patroni heartbeat'",),
            mysql=("SELECT GET_LOCK('maxscale_mariadbmonitor', 0)",),
        ),
        verdict=Verdict.passed,
    ),
    Case("tools.operators", "another operator is at work", frozenset({"tool.operator"}), _another_operator),
    Case("tools.operators", "an action was not finished", frozenset({"journal.unfinished"}), _unfinished),
)
