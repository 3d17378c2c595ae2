"""A report as JUnit XML, as test runners of build servers read it: each check is a test case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from replguard.model.findings import Severity, Verdict

if TYPE_CHECKING:
    from replguard.model.findings import Check, Finding, Report

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LISTED = 100
"""Findings of one check that are written out; the rest is counted."""


def junit(report: Report) -> str:
    """One suite: a check that fails is a failure, an inconclusive one an error, one that does not apply is skipped."""
    verdicts = [check.verdict for check in report.checks]
    skipped = sum(not check.applicable and not check.findings for check in report.checks)
    counts = {
        "tests": len(verdicts),
        "failures": verdicts.count(Verdict.failed),
        "errors": verdicts.count(Verdict.inconclusive),
        "skipped": skipped,
    }
    seconds = f"{(report.finished_at - report.started_at).total_seconds():.3f}"
    attributes = {name: str(count) for name, count in counts.items()} | {"time": seconds}
    suites = ET.Element("testsuites", {"name": "replguard", **attributes})
    suite = ET.SubElement(
        suites,
        "testsuite",
        {"name": f"replguard {report.command}", "timestamp": report.started_at.isoformat(), **attributes},
    )
    for check in report.checks:
        _case(suite, report, check)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, report: Report, check: Check) -> None:
    names = {"classname": f"replguard.{report.command}", "name": check.id, "time": "0"}
    case = ET.SubElement(suite, "testcase", names)
    if not check.applicable and not check.findings:
        ET.SubElement(case, "skipped", {"message": _clean(check.summary)})
    elif check.verdict is not Verdict.passed:
        kind = "failure" if check.verdict is Verdict.failed else "error"
        counts = [one for one in check.findings if one.severity in (Severity.fail, Severity.unknown)]
        shown = ET.SubElement(case, kind, {"message": _clean(check.summary), "type": counts[0].code})
        lines = [_line(finding) for finding in counts[:LISTED]]
        left = [f"and {len(counts) - LISTED} more"] if len(counts) > LISTED else []
        shown.text = _clean("\n".join([*lines, *left]))
    told = [_line(one) for one in check.findings if one.severity is Severity.warn or "waived" in one.evidence]
    if told:
        ET.SubElement(case, "system-out").text = _clean("\n".join(told[:LISTED]))


def _line(finding: Finding) -> str:
    remedy = f"\n  -> {finding.remedy}" if finding.remedy else ""
    waived = finding.evidence.get("waived")
    why = f" (waived by {waived['owner']} until {waived['until']}: {waived['reason']})" if waived else ""
    return f"{finding.severity.value} {finding.code}: {finding.message}{why}{remedy}"


def _clean(text: str) -> str:
    r"""What XML can hold: it knows no control characters and no lone surrogates, not even escaped.

    >>> _clean("a\x00b\ud800c")
    'a?b?c'
    """
    return _NOT_XML.sub("?", text)
