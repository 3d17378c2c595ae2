"""A foreign key that cascades into a table that must not sync: found in the catalog, and seen to be true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from replguard.config import with_rules
from replguard.model.findings import Severity
from tests.conformance.application import of

if TYPE_CHECKING:
    from tests.conformance.application import Application

_CHILD = (
    "CREATE TABLE auditlog_row (id int PRIMARY KEY, account_id bigint, "
    "FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE)"
)


def test_a_cascade_into_a_forbidden_table_is_a_leak_where_appliers_cascade(app: Application) -> None:
    """MySQL and MariaDB cascade on the target although its filters ignore the child; PostgreSQL's applier does not."""
    app.db.both(_CHILD)
    app.keep_apart("event", "auditlog", "auditlog_row")
    for side in ("blue", "green"):
        app.db.run_local(side, "INSERT INTO auditlog_row VALUES (1, 5)")
    app.config = with_rules(app.config, ("auditlog_row",))
    app.db.run("blue", "DELETE FROM account WHERE id = 5")
    app.db.wait_caught_up()
    cascaded = app.db.query("green", "SELECT count(*) FROM auditlog_row") == [(0,)]
    with app.clusters() as clusters:
        found = [(item.table, item.severity) for item in of(clusters.audit(), "leak.configured")]
    assert cascaded == (app.family != "postgresql")
    assert found == ([("auditlog_row", Severity.fail)] if cascaded else [])


@pytest.mark.engines("mariadb", "mysql")
def test_a_cascade_reaches_a_forbidden_table_through_one_that_is_kept_apart(app: Application) -> None:
    app.db.both(
        "CREATE TABLE cache (id int PRIMARY KEY, account_id bigint, "
        "FOREIGN KEY (account_id) REFERENCES account (id) ON DELETE CASCADE)",
        "CREATE TABLE auditlog_row (id int PRIMARY KEY, cache_id int, "
        "FOREIGN KEY (cache_id) REFERENCES cache (id) ON DELETE CASCADE)",
    )
    app.keep_apart("event", "auditlog", "auditlog_row", "cache")
    app.db.run_local("green", "INSERT INTO cache VALUES (1, 5)")
    app.db.run_local("green", "INSERT INTO auditlog_row VALUES (1, 1)")
    app.config = with_rules(app.config, ("auditlog_row",))
    app.db.run("blue", "DELETE FROM account WHERE id = 5")
    app.db.wait_caught_up()
    assert app.db.query("green", "SELECT count(*) FROM auditlog_row") == [(0,)]
    with app.clusters() as clusters:
        found = of(clusters.audit(), "leak.configured")
    assert [(item.table, item.severity) for item in found] == [("auditlog_row", Severity.fail)]
