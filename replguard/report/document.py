"""A report as the one JSON document of the contract (``schemas/report.schema.json``), and that schema itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from replguard.model.findings import SCHEMA
from replguard.model.plain import encodable, plain

if TYPE_CHECKING:
    from replguard.model.findings import Check, Report


def document(report: Report) -> dict[str, Any]:
    """The report as plain data, in the order of the contract."""
    return {
        "schema": SCHEMA,
        "command": report.command,
        "verdict": report.verdict.value,
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat(),
        "version": report.version,
        "clusters": plain(report.clusters),
        "links": plain(report.links),
        "checks": [_check(check) for check in report.checks],
        "coverage": plain(report.coverage),
        "strength": report.strength.value if report.strength else None,
        "data": plain(report.data),
    }


def dumps(report: Report) -> str:
    """The document as text that any stream takes: a lone surrogate, as in the name of a file, is escaped."""
    text = json.dumps(document(report), indent=1, ensure_ascii=False, allow_nan=False)
    return encodable(text)


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "verdict": check.verdict.value,
        "applicable": check.applicable,
        "summary": check.summary,
        "findings": plain(check.findings),
    }
