"""Trouble on PostgreSQL that is easily overlooked: none of it may pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replguard.errors import StatementError
from replguard.gates.base import Options as GateOptions
from replguard.gates.base import Purpose
from replguard.model.findings import Strength, Verdict
from replguard.watch.run import Options as WatchOptions
from tests.conformance.application import codes
from tests.conformance.test_main_job import QUICK, TODAY
from tests.servers.choices import versions

if TYPE_CHECKING:
    from tests.conformance.application import Application

pytestmark = pytest.mark.engines(*versions())


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


def test_forbidden_rows_in_the_backlog_are_told_after_the_publication_was_mended(app: Application) -> None:
    app.let_cross()
    app.stop_applying()
    app.db.run("blue", "INSERT INTO event VALUES (2, 'queued')", "ALTER PUBLICATION from_blue DROP TABLE event")
    with app.clusters() as clusters:
        paused = clusters.pause()
        gate = clusters.gate(Purpose.cutover, GateOptions(TODAY, window=0.1))
        compared = clusters.diff(QUICK)
    assert (codes(paused), codes(gate)) == (["leak.sent"], ["leak.sent", "pause.not_held"])
    assert (compared.verdict, compared.strength) == (Verdict.passed, Strength.exact), (
        "the data is the same all the same"
    )


def test_a_plain_table_that_is_a_forbidden_partition_on_the_target(app: Application) -> None:
    app.db.run("blue", "CREATE TABLE auditlog2_1 (id int PRIMARY KEY)", "DROP TABLE event")
    app.db.run("green", "DROP TABLE event", "CREATE TABLE event (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    app.db.run("green", "CREATE TABLE auditlog2_1 PARTITION OF event FOR VALUES FROM (0) TO (9)")
    app.let_cross("auditlog2_1")
    app.db.run("green", f"ALTER SUBSCRIPTION {app.subscription} DISABLE")
    app.db.run("blue", "INSERT INTO auditlog2_1 VALUES (1)")
    with app.clusters() as clusters:
        report = clusters.watch(WatchOptions(since="start"))
    assert codes(report) == ["leak.configured", "leak.sent"]


def test_a_leak_that_is_opened_while_the_link_is_watched(app: Application) -> None:
    opened = False

    def open_once() -> bool:
        nonlocal opened
        if not opened:
            opened = True
            app.let_cross()
            app.db.run("blue", "INSERT INTO event VALUES (2, 'queued')")
        return False

    with app.clusters() as clusters:
        report = clusters.watch(WatchOptions(seconds=1.0, stopped=open_once))
    assert "check.not_run" in codes(report)


def test_a_link_of_unknown_source_beside_the_watched_one(app: Application) -> None:
    app.db.run(
        "green",
        "CREATE SUBSCRIPTION other CONNECTION 'host=nowhere dbname=x' PUBLICATION p "
        "WITH (connect = false, enabled = false, slot_name = 'of_another')",
    )
    try:
        with app.clusters() as clusters:
            report = clusters.watch(WatchOptions(seconds=0.1))
    finally:
        app.db.run("green", "ALTER SUBSCRIPTION other SET (slot_name = NONE)", "DROP SUBSCRIPTION other")
    assert codes(report) == ["link.unknown"]


def test_large_objects_are_not_compared_by_their_numbers(app: Application) -> None:
    app.db.both("CREATE TABLE document (id int PRIMARY KEY, body oid)")
    app.db.both("INSERT INTO document VALUES (1, 987654)")
    app.db.run("blue", r"SELECT lo_from_bytea(987654, '\x01')")
    app.db.run("green", r"SELECT lo_from_bytea(987654, '\x02')")
    with app.clusters() as clusters:
        report = clusters.diff(QUICK)
        app.db.run("blue", "SELECT lo_unlink(987654)")
        app.db.run("green", "SELECT lo_unlink(987654)")
        numbers = clusters.diff(QUICK)
    assert codes(report) == ["table.not_compared"]
    assert (numbers.verdict, codes(numbers)) == (Verdict.passed, [])


def test_a_schema_that_is_not_there_does_not_narrow_the_scope_in_silence(app: Application) -> None:
    blue, green = (replace(one, schemas=("public", "pubilc")) for one in app.config.endpoints)
    app.config = replace(app.config, endpoints=(blue, green))
    with app.clusters() as clusters, pytest.raises(StatementError, match="pubilc"):
        clusters.diff(QUICK)


def test_a_trigger_that_fires_for_replicated_rows_writes_behind_the_filters(app: Application) -> None:
    app.db.run(
        "green",
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO public.event VALUES (NEW.id); RETURN NEW; END $$",
        "CREATE TRIGGER note AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION note()",
    )
    with app.clusters() as clusters:
        ordinary = clusters.audit()
        app.db.run("green", "ALTER TABLE account ENABLE ALWAYS TRIGGER note")
        always = clusters.audit()
    assert (ordinary.verdict, codes(ordinary)) == (Verdict.passed, [])
    assert codes(always) == ["leak.configured"]


def test_the_initial_copy_of_a_forbidden_table_is_told_though_no_stream_shows_it(app: Application) -> None:
    app.db.run_local("green", "INSERT INTO event VALUES (1, 'in the way of the copy')")
    app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE event")
    app.db.run("green", f"ALTER SUBSCRIPTION {app.subscription} REFRESH PUBLICATION")
    with app.clusters() as clusters:
        report = clusters.watch(WatchOptions(seconds=0.1))
    assert codes(report) == ["leak.configured", "leak.sent"]
