"""The comparison while the application writes 2,000 rows a second: drift, all of it, and not one row more."""

from __future__ import annotations

import time
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING

from replguard.diff.run import Options
from replguard.model.findings import Severity, Strength
from tests.adversarial.load import Load
from tests.conformance.application import codes, of
from tests.conformance.test_diff_window import in_background

if TYPE_CHECKING:
    from replguard.model.findings import Finding, Report
    from tests.conformance.application import Application

PLANTED = {
    "account": {(number,) for number in (1, 2, 3, 4, 5, 501, 502)},
    "setting": {("size", "a"), ("size", "drift")},
    "token": {("0x00ff",)},
}
"""Ten rows, by table and key."""
PLANT = (
    "UPDATE account SET name = 'drift' WHERE id IN (1, 2, 3)",
    "DELETE FROM account WHERE id IN (4, 5)",
    "INSERT INTO account VALUES (501, 'drift', NULL), (502, 'drift', NULL)",
    "UPDATE setting SET value = 'drift' WHERE name = 'size' AND node = 'a'",
    "INSERT INTO setting VALUES ('size', 'drift', NULL)",
    "UPDATE token SET label = 'drift'",
)


def options(seconds: float) -> Options:
    return Options(datetime.now(UTC).date(), settle=seconds)


def drift(report: Report) -> dict[str, set[tuple[object, ...]]]:
    """The keys of all rows that are said to fail, by table."""
    found: dict[str, set[tuple[object, ...]]] = {}
    for finding in _failing(report):
        assert finding.table
        assert finding.key, finding
        found.setdefault(finding.table, set()).add(tuple(finding.key.values()))
    return found


def _failing(report: Report) -> list[Finding]:
    return [one for check in report.checks for one in check.findings if one.severity is Severity.fail]


def test_exactly_the_planted_rows_are_drift(app: Application, thorough: bool) -> None:
    app.db.run_local("green", *PLANT)
    with Load(app.db) as load, app.clusters() as clusters:
        load.wait_for(1_000)
        until = time.monotonic() + (60.0 if thorough else 3.0)
        rounds = 0
        while rounds < 2 or time.monotonic() < until:
            rounds += 1
            report = clusters.diff(options(60.0))
            assert drift(report) == PLANTED
            assert set(codes(report)) == {"row.differs", "row.missing", "row.extra"}, "nothing is left open"
            assert report.verdict == "fail"
            assert report.strength in {Strength.settled, Strength.exact}, "exact if by chance nothing lay between"
    assert load.rows > 1_000


def test_a_key_that_changes_without_pause_is_left_open_and_said_so(app: Application) -> None:
    stop = Event()

    def hurry() -> None:
        with app.db.pair.blue.connect(app.db.name) as connection:
            number = 0
            while not stop.is_set():
                number += 1
                connection.run(f"UPDATE account SET name = 'n{number}' WHERE id = 20")

    with ExitStack() as stack:
        stack.enter_context(in_background(hurry))
        stack.callback(stop.set)
        with app.clusters() as clusters:
            report = clusters.diff(options(1.0))
    assert report.verdict == "inconclusive"
    assert codes(report) == ["row.unsettled"]
    (open_row,) = of(report, "row.unsettled")
    assert open_row.key == {"id": 20}
    app.db.wait_caught_up()
    with app.clusters() as clusters:
        report = clusters.diff(options(20.0))
    assert (report.verdict, codes(report)) == ("pass", [])
