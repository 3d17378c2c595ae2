"""A pair that is broken in just one way fails just that check, with a remedy; mended, it passes."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from replguard.configfile import WaiverSection
from replguard.control import certificate
from replguard.control.pause import Options as PauseOptions
from replguard.demo.servers.server import LocalServer
from replguard.errors import DeadlineError
from replguard.gates.base import Options, Purpose
from replguard.gates.run import GATES
from replguard.model.findings import Severity, Verdict
from tests.conformance.breaking import Case, cases
from tests.servers.choices import in_turn

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.config import Config
    from replguard.gates.base import Gate, Outcome
    from replguard.model.findings import Report
    from tests.conformance.application import Application
    from tests.servers.choices import Choice

TODAY = datetime.now(UTC).date()
_COUNTS = {Severity.fail, Severity.unknown}


def gate(app: Application, purpose: Purpose, case: Case | None = None) -> Report:
    given = {"window": 0.2, "settle": 2.0, **(case.options if case else {})}
    config = case.config(app.config) if case else app.config
    with replace_config(app, config).clusters() as clusters:
        return clusters.gate(purpose, Options(TODAY, **given))


def replace_config(app: Application, config: object) -> Application:
    other = object.__new__(type(app))
    other.__dict__.update({**app.__dict__, "config": config})
    return other


def failing(report: Report) -> dict[str, set[str]]:
    return {
        check.id: {finding.code for finding in check.findings if finding.severity in _COUNTS}
        for check in report.checks
        if check.verdict is not Verdict.passed
    }


def judge(report: Report, case: Case) -> None:
    found = failing(report)
    assert set(found) - case.also == ({case.check} if case.verdict is not Verdict.passed else set()), (str(case), found)
    (check,) = (check for check in report.checks if check.id == case.check)
    assert check.verdict is case.verdict, str(case)
    telling = _COUNTS if case.verdict is not Verdict.passed else {Severity.warn}
    told = [finding for finding in check.findings if finding.severity in telling]
    assert {finding.code for finding in told} >= case.codes, str(case)
    if case.verdict is not Verdict.passed:
        assert {finding.code for finding in told} == case.codes, str(case)
    assert all(finding.remedy for finding in told), str(case)


@pytest.mark.parametrize("purpose", [Purpose.switchover, Purpose.cutover], ids=str)
def test_each_fault_fails_its_own_check_alone(
    app: Application, engine_choice: Choice, purpose: Purpose, *, thorough: bool
) -> None:
    if purpose is Purpose.cutover:
        with app.clusters() as clusters:
            assert clusters.pause(PauseOptions(timeout=30.0)).verdict is Verdict.passed
    assert failing(gate(app, purpose)) == {}
    for case in cases():
        alike = (case.purpose is Purpose.cutover) == (purpose is Purpose.cutover)
        if not alike or not in_turn(engine_choice, str(case), case.engines):
            continue
        with case.broken(app):
            judge(gate(app, case.purpose, case), case)
        after = gate(app, case.purpose, None if thorough else replace(case, options=_own(case), config=same))
        assert failing(after) == {}, f"mended: {case}"
    assert failing(gate(app, purpose)) == {}, "all mended"


def same(config: Config) -> Config:
    return config


def _own(case: Case) -> dict[str, object]:
    """In the short run the check alone, with those it goes by, is asked again after each case, and all at the end."""
    known = {one.id: one for one in GATES}
    asked = known.get(case.check, known["diff.data"])
    return {"only": frozenset({asked.id, *asked.after})}


def test_what_is_waived_passes_is_shown_and_makes_no_certificate(app: Application, tmp_path: Path) -> None:
    waived = {"code": "row.differs", "subject": "*.account", "reason": "known", "owner": "DBA", "until": "2999-01-01"}
    app.db.run_local("green", "UPDATE account SET email = 'drift' WHERE id = 7")
    with replace_config(
        app, replace(app.config, waivers=(WaiverSection.model_validate(waived),))
    ).clusters() as clusters:
        clusters.pause(PauseOptions(timeout=30.0))
        report = clusters.gate(Purpose.cutover, Options(TODAY, window=0.2, settle=2.0))
        assert "diff.data" not in failing(report)
        (found,) = [item for check in report.checks for item in check.findings if item.code == "row.differs"]
        assert (found.severity, found.evidence["waived"]["owner"]) == (Severity.info, "DBA")
        (listed,) = [check for check in report.checks if check.id == "policy.waivers"]
        assert "waived by DBA" in listed.summary
        issued = certificate.issue(
            report, app.config, clusters.pair, clusters.receipt_path.parent, tmp_path / "c", None
        )
        assert issued.verdict is Verdict.inconclusive
        assert not (tmp_path / "c").exists()


@pytest.mark.engines("mariadb", "mysql")
def test_a_server_that_hangs_makes_checks_unknown_and_the_gate_ends(app: Application) -> None:
    green = app.db.pair.green
    assert isinstance(green, LocalServer)
    wanted = Options(TODAY, window=0.0, deadline=2.0, only=frozenset({"filter.audit", "links.state"}))

    def freeze(_gate: Gate, outcome: Outcome | None) -> None:
        if outcome is None:
            os.kill(green.pid, signal.SIGSTOP)

    with app.clusters() as clusters:
        try:
            late = clusters.gate(Purpose.switchover, wanted, freeze)
            with pytest.raises(DeadlineError, match="links, catalogs and positions took longer than 2 s"):
                clusters.gate(Purpose.switchover, wanted)
        finally:
            os.kill(green.pid, signal.SIGCONT)
    assert sorted(late.data["abandoned"]) == ["filter.audit", "links.state"]
    assert {check.verdict for check in late.checks if check.applicable} == {Verdict.inconclusive}
