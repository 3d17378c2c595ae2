"""Ways to break what carries changes, without stopping it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from replguard.demo.servers import until
from replguard.gates.base import Purpose
from replguard.model.findings import Verdict
from tests.conformance.breaking import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.application import Application

_BINLOG = ("mariadb", "mysql")


def _change_source(app: Application, mariadb: str, mysql: str) -> None:
    if app.db.engine == "mariadb":
        app.db.run("green", "STOP SLAVE", f"CHANGE MASTER TO {mariadb}", "START SLAVE")
    else:
        app.db.run("green", "STOP REPLICA", f"CHANGE REPLICATION SOURCE TO {mysql}", "START REPLICA")


@contextmanager
def _delayed(app: Application) -> Iterator[None]:
    _change_source(app, "MASTER_DELAY = 1", "SOURCE_DELAY = 1")
    yield
    _change_source(app, "MASTER_DELAY = 0", "SOURCE_DELAY = 0")
    app.db.wait_caught_up()


@contextmanager
def _idempotent(app: Application) -> Iterator[None]:
    name = "slave_exec_mode" if app.db.engine == "mariadb" else "replica_exec_mode"
    app.db.run("green", f"SET GLOBAL {name} = 'IDEMPOTENT'")
    yield
    app.db.run("green", f"SET GLOBAL {name} = 'STRICT'")


@contextmanager
def _skipping(app: Application) -> Iterator[None]:
    app.db.run("green", f"ALTER SUBSCRIPTION {app.subscription} SKIP (lsn = 'FFFFFFFF/0')")
    yield
    app.db.run("green", f"ALTER SUBSCRIPTION {app.subscription} SKIP (lsn = NONE)")


@contextmanager
def _has_failed(app: Application) -> Iterator[None]:
    """A row was in the way, and is not any more."""
    subscription = f"SELECT oid FROM pg_subscription WHERE subname = '{app.subscription}'"
    count = f"SELECT apply_error_count FROM pg_stat_subscription_stats WHERE subid = ({subscription})"
    app.db.run("green", "INSERT INTO account VALUES (900, 'in the way', NULL)")
    app.db.run("blue", "INSERT INTO account VALUES (900, 'new', NULL)")
    until(lambda: app.db.query("green", count)[0][0] > 0, "an error to be counted")
    app.db.run("green", "DELETE FROM account WHERE id = 900")
    app.db.wait_caught_up()
    yield
    app.db.run("green", f"SELECT pg_stat_reset_subscription_stats(({subscription}))")
    app.db.run("blue", "DELETE FROM account WHERE id = 900")
    app.db.wait_caught_up()


@contextmanager
def _locked(app: Application) -> Iterator[None]:
    """The applier waits for a row that somebody holds."""
    begin = "BEGIN" if app.family == "postgresql" else "START TRANSACTION"
    with app.db.pair.green.connect(app.db.name) as session:
        session.run(begin)
        session.run("SELECT * FROM account WHERE id = 3 FOR UPDATE")
        app.db.run("blue", "UPDATE account SET email = 'waits' WHERE id = 3")
        yield
        session.run("ROLLBACK")
    app.db.run("blue", "UPDATE account SET email = 'n3@example.com' WHERE id = 3")
    app.db.wait_caught_up()


@contextmanager
def _nothing(_app: Application) -> Iterator[None]:
    yield


CASES = (
    # What is applied late is late for every check that waits for it.
    Case(
        "replication.health",
        "a delay is set",
        frozenset({"replication.delayed"}),
        _delayed,
        engines=_BINLOG,
    ),
    Case(
        "replication.health",
        "errors pass",
        frozenset({"replication.skips"}),
        _idempotent,
        engines=_BINLOG,
    ),
    Case("links.state", "a transaction is skipped", frozenset({"link.broken"}), _skipping, engines=("postgresql",)),
    Case(
        "replication.health",
        "errors were counted",
        frozenset({"replication.errors"}),
        _has_failed,
        engines=("postgresql",),
        verdict=Verdict.passed,
    ),
    # What waits for the lock is no difference, and not known to be none. While tables are not known to be equal,
    # PostgreSQL's rows of local origin are told: cases before left some. Its slots for watching wait for
    # transactions, and the lock itself is in the way: on the passive side, as of somebody who is about to write.
    Case(
        "replication.caught_up",
        "the applier waits for a lock",
        frozenset({"replication.behind"}),
        _locked,
        options={"settle": 1.0},
        also=frozenset(
            {"diff.data", "errant.writes", "links.state", "watch.sent", "activity.transactions", "passive.writers"}
        ),
    ),
    Case(
        "clusters.direction",
        "traffic is moved against the link",
        frozenset({"direction.wrong"}),
        _nothing,
        options={"to": "blue"},
    ),
    Case(
        "clusters.direction",
        "traffic was moved against the link",
        frozenset({"direction.wrong"}),
        _nothing,
        options={"to": "blue"},
        purpose=Purpose.cutover,
        verdict=Verdict.failed,
    ),
)
