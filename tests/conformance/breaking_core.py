"""Ways to break what the oldest checks look at."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.control.pause import Options as PauseOptions
from replguard.gates.base import Purpose
from replguard.model.findings import Verdict
from replguard.policy import Rule, TableClass
from tests.conformance.breaking import Case
from tests.conformance.writing import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.config import Config
    from tests.conformance.application import Application


@contextmanager
def _let_cross(app: Application) -> Iterator[None]:
    app.let_cross()
    try:
        yield
    finally:
        if app.family == "postgresql":
            app.db.run("blue", "ALTER PUBLICATION from_blue DROP TABLE public.event")
            app.refresh()
        else:
            app.keep_apart("event", "auditlog")


@contextmanager
def _row_differs(app: Application) -> Iterator[None]:
    app.db.run_local("green", "UPDATE account SET email = 'drift' WHERE id = 7")
    yield
    app.db.run_local("green", "UPDATE account SET email = 'n7@example.com' WHERE id = 7")


@contextmanager
def _running(app: Application) -> Iterator[None]:
    app.start_applying()
    yield
    # What ran since the receipt was written is not as it says: the pause begins anew.
    with app.clusters() as clusters:
        assert clusters.resume(PauseOptions(timeout=30.0)).verdict is Verdict.passed
        assert clusters.pause(PauseOptions(timeout=30.0)).verdict is Verdict.passed


@contextmanager
def _column_more(app: Application) -> Iterator[None]:
    app.db.run_local("green", "ALTER TABLE setting ADD COLUMN note varchar(9)")
    yield
    app.db.run_local("green", "ALTER TABLE setting DROP COLUMN note")


@contextmanager
def _leaking(app: Application) -> Iterator[None]:
    """What must not sync is written while it may cross."""
    with _let_cross(app), writing(app, "INSERT INTO event VALUES ({number}, 'crosses')", start=5000):
        yield
    app.db.run("green", "DELETE FROM event WHERE id >= 5000")


@contextmanager
def _written_by_hand(app: Application) -> Iterator[None]:
    """A row that is the same on both sides, and was written anew on the passive one."""
    app.db.run("green", "DELETE FROM account WHERE id = 20")
    app.db.run("green", "INSERT INTO account VALUES (20, 'name20', 'n20@example.com')")
    yield
    app.db.run_local("green", "DELETE FROM account WHERE id = 20")
    app.db.run("blue", "DELETE FROM account WHERE id = 20")
    app.db.wait_caught_up()
    app.db.run("blue", "INSERT INTO account VALUES (20, 'name20', 'n20@example.com')")
    app.db.wait_caught_up()


@contextmanager
def _no_receipt(app: Application) -> Iterator[None]:
    (receipt,) = app.config.state_dir.rglob("receipt.json")
    receipt.rename(receipt.with_suffix(".away"))
    yield
    receipt.with_suffix(".away").rename(receipt)


@contextmanager
def _whole(_app: Application) -> Iterator[None]:
    yield


def _named(config: Config) -> Config:
    """Without the rule that takes in what is not named, and with rules for all tables but one."""
    rules = tuple(rule for rule in config.policy.rules if rule.pattern != "*")
    named = tuple(Rule(name, TableClass.config) for name in ("account", "setting", "token"))
    return replace(config, policy=replace(config.policy, rules=(*rules, *named)))


CASES = (
    Case("filter.audit", "a forbidden table may cross", frozenset({"leak.configured"}), _let_cross),
    # On PostgreSQL a row that was written on the passive side is told by itself too.
    Case("diff.data", "a row differs", frozenset({"row.differs"}), _row_differs, also=frozenset({"errant.writes"})),
    # While tables are not known to be equal, PostgreSQL's rows of local origin are told: the case before left one.
    Case(
        "diff.schema", "a column more", frozenset({"schema.differs"}), _column_more, also=frozenset({"errant.writes"})
    ),
    # What crosses in the window is let through by the filters, and stands on both sides then.
    Case(
        "watch.sent",
        "a forbidden change travels",
        frozenset({"leak.sent"}),
        _leaking,
        also=frozenset({"filter.audit", "watch.applied", "separate.rows"}),
        options={"window": 1.0},
    ),
    # Equal rows cannot be told from those that were loaded before the link began: PostgreSQL has no more than them.
    Case(
        "errant.writes",
        "a row was written on the passive side",
        frozenset({"errant.write"}),
        _written_by_hand,
        engines=("postgresql",),
        verdict=Verdict.passed,
    ),
    Case(
        "policy.tables",
        "a table without a class",
        frozenset({"table.unclassified"}),
        _whole,
        config=_named,
        verdict=Verdict.inconclusive,
    ),
    # A link that runs is not as the receipt says.
    Case(
        "links.state",
        "a link runs",
        frozenset({"link.running"}),
        _running,
        purpose=Purpose.cutover,
        also=frozenset({"pause.receipt"}),
    ),
    Case("pause.receipt", "no receipt", frozenset({"pause.not_held"}), _no_receipt, purpose=Purpose.cutover),
)
