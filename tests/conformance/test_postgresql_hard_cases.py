"""Trouble on PostgreSQL that is easily overlooked: none of it may pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replguard.model.findings import Verdict
from tests.conformance.application import codes
from tests.conformance.test_main_job import QUICK

if TYPE_CHECKING:
    from tests.conformance.application import Application

pytestmark = pytest.mark.engines("postgresql")


def test_columns_whose_names_differ_in_case_alone_are_two_columns(app: Application) -> None:
    app.db.both('CREATE TABLE twins (id int PRIMARY KEY, "Name" text, name text)')
    app.db.run_local("blue", "INSERT INTO twins VALUES (1, 'x', 'x')")
    app.db.run_local("green", "INSERT INTO twins VALUES (1, 'drift', 'x')")
    with app.clusters() as clusters:
        report = clusters.diff(replace(QUICK, tables="twins"))
    (found,) = [finding for check in report.checks for finding in check.findings if finding.table == "twins"]
    assert (found.code, found.evidence["columns"]) == ("row.differs", {"Name": ["x", "drift"]})


def test_tables_and_columns_that_differ_in_case_are_not_the_same(app: Application) -> None:
    app.db.run("blue", 'CREATE TABLE "Option" (id int PRIMARY KEY)', 'CREATE TABLE mode (id int PRIMARY KEY, "V" int)')
    app.db.run("green", "CREATE TABLE option (id int PRIMARY KEY)", "CREATE TABLE mode (id int PRIMARY KEY, v int)")
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
    assert codes(report) == ["schema.differs", "table.missing", "table.missing"]


def test_a_partition_asked_for_alone_is_compared(app: Application) -> None:
    app.db.both(
        "CREATE TABLE log (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)",
        "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (9)",
        "CREATE TABLE log_notes (id int PRIMARY KEY)",
    )
    app.db.run_local("green", "INSERT INTO log VALUES (1, 'drift')")
    with app.clusters() as clusters:
        report = clusters.diff(replace(QUICK, tables="log_*"))
        whole = clusters.diff(replace(QUICK, tables="log*"))
    assert (report.verdict, codes(report)) == (Verdict.failed, ["row.extra"])
    assert codes(whole) == ["row.extra"]
