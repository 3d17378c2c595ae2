"""A report as the one JSON document of the contract (``schemas/report.schema.json``), and that schema itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Any

from replguard.model.findings import SCHEMA

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
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _check(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "verdict": check.verdict.value,
        "applicable": check.applicable,
        "summary": check.summary,
        "findings": plain(check.findings),
    }


def plain(value: Any) -> Any:
    """Dataclasses, enums and dates as what JSON knows; a field ``class_`` is called ``class``, NaN is text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name.rstrip("_"): plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return str(value)
