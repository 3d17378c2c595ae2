"""Verdicts follow from findings, and what was not looked at is never a pass."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations

import pytest

from replguard.model.findings import Check, Finding, Report, Severity, Verdict

NOW = datetime(2027, 6, 30, tzinfo=UTC)
ORDER = {Verdict.passed: 0, Verdict.inconclusive: 1, Verdict.failed: 2}


def check(*severities: Severity, applicable: bool = True) -> Check:
    findings = tuple(Finding("a.code", severity, "words") for severity in severities)
    return Check("a.check", "words", findings, applicable)


def report(*checks: Check) -> Report:
    return Report("diff", "0", NOW, NOW, checks=checks)


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ((), Verdict.passed),
        ((Severity.info,), Verdict.passed),
        ((Severity.warn, Severity.info), Verdict.passed),
        ((Severity.unknown,), Verdict.inconclusive),
        ((Severity.info, Severity.unknown, Severity.warn), Verdict.inconclusive),
        ((Severity.fail,), Verdict.failed),
        ((Severity.unknown, Severity.fail), Verdict.failed),
    ],
)
def test_a_check(severities: tuple[Severity, ...], verdict: Verdict) -> None:
    assert check(*severities).verdict is verdict
    assert check(*reversed(severities)).verdict is verdict


@pytest.mark.parametrize(
    ("checks", "verdict", "code"),
    [
        ((), Verdict.inconclusive, 3),
        ((check(applicable=False),), Verdict.inconclusive, 3),
        ((check(),), Verdict.passed, 0),
        ((check(), check(applicable=False)), Verdict.passed, 0),
        ((check(), check(Severity.unknown)), Verdict.inconclusive, 3),
        ((check(Severity.fail), check(Severity.unknown)), Verdict.failed, 1),
        ((check(Severity.fail, applicable=False),), Verdict.failed, 1),
    ],
)
def test_a_report(checks: tuple[Check, ...], verdict: Verdict, code: int) -> None:
    assert (report(*checks).verdict, report(*checks).exit_code) == (verdict, code)


def test_more_findings_never_make_a_verdict_better() -> None:
    for many in range(5):
        for chosen in combinations(Severity, many):
            for more in Severity:
                assert ORDER[check(*chosen, more).verdict] >= ORDER[check(*chosen).verdict]


def test_a_check_that_could_not_run_is_unknown() -> None:
    found = Check.not_run("links.state", "no right", "GRANT it", "blue")
    assert found.verdict is Verdict.inconclusive
    (finding,) = found.findings
    assert (finding.code, finding.severity, finding.message, finding.remedy, finding.cluster) == (
        "check.not_run",
        Severity.unknown,
        "no right",
        "GRANT it",
        "blue",
    )
