"""A report as the output of a plugin of Nagios and Icinga: one line, figures behind a bar, then the findings.

Source: Monitoring Plugins Development Guidelines. Such a plugin ends with 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.model.findings import Severity, Verdict

if TYPE_CHECKING:
    from replguard.model.findings import Finding, Report

_STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
LISTED = 20


def status(report: Report) -> int:
    """How the plugin must end. A pass with warnings is a WARNING; what could not be checked is UNKNOWN."""
    if report.verdict is Verdict.failed:
        return 2
    if report.verdict is Verdict.inconclusive:
        return 3
    return int(any(finding.severity is Severity.warn for check in report.checks for finding in check.findings))


def nagios(report: Report) -> str:
    """The plugin's output."""
    counted = dict.fromkeys(Severity, 0)
    for check in report.checks:
        for finding in check.findings:
            counted[finding.severity] += 1
    bad = [check.id for check in report.checks if check.verdict is not Verdict.passed]
    asked = report.data.get("for")
    what = f"{report.command} for {asked}" if asked else report.command
    words = f"{', '.join(bad)}" if bad else f"{len(report.checks)} checks"
    figures = {
        "checks": len(report.checks),
        "failed": sum(check.verdict is Verdict.failed for check in report.checks),
        "inconclusive": sum(check.verdict is Verdict.inconclusive for check in report.checks),
        "warnings": counted[Severity.warn],
        "tables": sum(table.compared for table in report.coverage.tables),
    }
    seconds = f"time={(report.finished_at - report.started_at).total_seconds():.2f}s"
    line = f"REPLGUARD {_STATES[status(report)]} - {what} {report.verdict.value}: {_plain(words)}"
    performance = " ".join([*(f"{name}={value}" for name, value in figures.items()), seconds])
    told = [one for check in report.checks for one in check.findings if one.severity is not Severity.info]
    order = (Severity.fail, Severity.unknown, Severity.warn)
    lines = [_line(one) for one in sorted(told, key=lambda one: order.index(one.severity))[:LISTED]]
    return "\n".join([f"{line} | {performance}", *lines]) + "\n"


def _line(finding: Finding) -> str:
    remedy = f" -> {finding.remedy}" if finding.remedy else ""
    return _plain(f"{finding.severity.value} {finding.code}: {finding.message}{remedy}")


def _plain(text: str) -> str:
    r"""A bar begins the figures, and a line break the next line: neither may come from a name.

    >>> _plain("a|b\nc")
    'a/b c'
    """
    return " ".join(text.replace("|", "/").split())
