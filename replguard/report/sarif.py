"""A report as SARIF 2.1.0, as code-scanning services read it: each finding is a result, each code a rule.

Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from replguard.model.codes import CODES
from replguard.model.findings import Severity
from replguard.model.plain import encodable, plain, sha256

if TYPE_CHECKING:
    from replguard.model.findings import Check, Finding, Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.fail: "error", Severity.unknown: "warning", Severity.warn: "warning", Severity.info: "note"}
_KINDS = {Severity.fail: "fail", Severity.unknown: "open", Severity.warn: "review", Severity.info: "informational"}


def sarif(report: Report) -> str:
    """The text of the log. A result of the kind ``open`` is something that could not be checked."""
    told = [
        (check, finding)
        for check in report.checks
        for finding in check.findings
        if finding.severity is not Severity.info or "waived" in finding.evidence
    ]
    codes = sorted({finding.code for _, finding in told})
    run = {
        "tool": {
            "driver": {
                "name": "replguard",
                "version": report.version,
                "rules": [_rule(code) for code in codes],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "startTimeUtc": f"{report.started_at:%Y-%m-%dT%H:%M:%SZ}",
                "endTimeUtc": f"{report.finished_at:%Y-%m-%dT%H:%M:%SZ}",
            }
        ],
        "results": [_result(check, finding, codes.index(finding.code)) for check, finding in told],
        "properties": {"verdict": report.verdict.value, "command": report.command},
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    text = json.dumps(log, indent=1, ensure_ascii=False, allow_nan=False)
    return encodable(text)


def _rule(code: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": code}, "fullDescription": {"text": CODES[code].words}}


def _result(check: Check, finding: Finding, rule: int) -> dict[str, Any]:
    where = [finding.cluster, finding.link, finding.schema, finding.table]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "kind": _KINDS[finding.severity],
        # The standard allows a level beside the kind "fail" alone; for all others it must be "none".
        "level": _LEVELS[finding.severity] if finding.severity is Severity.fail else "none",
        "message": {"text": finding.message + (f"\nRemedy: {finding.remedy}" if finding.remedy else "")},
        "partialFingerprints": {"replguard/v1": sha256([finding.code, *where, finding.key])},
        "properties": {"check": check.id, "severity": finding.severity.value, "key": plain(finding.key)},
    }
    named = ".".join(part for part in (finding.cluster, finding.schema, finding.table) if part) or finding.link
    if named:
        kind = "table" if finding.table else "link" if finding.link and named == finding.link else "cluster"
        result["locations"] = [{"logicalLocations": [{"fullyQualifiedName": named, "kind": kind}]}]
    if waived := finding.evidence.get("waived"):
        words = f"{waived['reason']} ({waived['owner']}, until {plain(waived['until'])})"
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": words}]
    return result
