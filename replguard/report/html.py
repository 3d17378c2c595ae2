"""A report as one self-contained page: it asks nothing of any other host, and reads well on paper and phone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from replguard.model.findings import Severity, Verdict
from replguard.report import picture
from replguard.report.tables import ranked
from replguard.report.text import writers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.model.findings import Check, Finding, Report, TableCoverage

LISTED = 200
"""Findings of one check that the page shows: a browser on a phone must bear it. All stand in report.json."""
_ORDER = (Severity.fail, Severity.unknown, Severity.warn, Severity.info)
_WORDS = {
    Verdict.passed: "Pass: nothing speaks against it",
    Verdict.failed: "Fail: do not go on",
    Verdict.inconclusive: "Inconclusive: not everything could be checked",
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """A finding as the page shows it."""

    code: str
    severity: str
    message: str
    remedy: str | None
    where: str
    waived: Mapping[str, Any] | None
    columns: list[tuple[str, str]] = field(default_factory=list)
    history: str = ""


def render(report: Report, charts: Sequence[tuple[str, str]] = ()) -> str:
    """The page. ``charts`` are titles and finished SVG markup that replguard itself has made, never a user's."""
    roles = report.data.get("roles") or {}
    by_name = {roles.get("active"): "active", roles.get("passive"): "takes over"}
    page: str = _template().render(
        report=report,
        verdict=report.verdict.value,
        verdict_words=_WORDS[report.verdict],
        purpose=report.data.get("for"),
        started=f"{report.started_at:%Y-%m-%d %H:%M:%S} UTC",
        seconds=f"{(report.finished_at - report.started_at).total_seconds():.1f}",
        clusters=list(report.clusters.items()),
        roles={name: role for name, role in by_name.items() if name},
        picture=Markup(picture.draw(report)),  # noqa: S704 - every text in it was escaped where it was drawn
        charts=[(title, Markup(markup)) for title, markup in charts],  # noqa: S704 - as the docstring says
        changes=_changes(report),
        counts=_counts(report.checks),
        checks=[_check(check) for check in report.checks],
        tables=[_table(report, *one) for one in ranked(report)],
        streams=report.coverage.streams,
        style=Markup(_file("report.css")),  # noqa: S704 - a file of ours
        script=Markup(_file("report.js")),  # noqa: S704 - a file of ours
    )
    return page


@cache
def _template() -> Any:
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.from_string(_file("report.html.j2"))


def _file(name: str) -> str:
    return (resources.files("replguard.report") / "templates" / name).read_text(encoding="utf-8")


def _changes(report: Report) -> dict[str, Any] | None:
    """What the history says, where there is one."""
    if "history" not in report.data:
        return None
    from replguard.report import nightly  # noqa: PLC0415 - a gate has no history, and the database library is large

    found = report.data["history"]
    gone = [{"state": state, **one} for state in ("resolved", "unseen") for one in found[state]]
    return {"summary": nightly.summary(report), "gone": gone[:LISTED]}


def _counts(checks: Sequence[Check]) -> list[tuple[str, int]]:
    words = [word_of(check) for check in checks]
    counts: list[tuple[str, int]] = [
        (word, words.count(word)) for word in ("fail", "inconclusive", "pass", "n/a") if word in words
    ]
    warnings = sum(map(_warnings, checks))
    return [*counts, ("warn", warnings)] if warnings else counts


def _warnings(check: Check) -> int:
    return sum(finding.severity is Severity.warn for finding in check.findings)


def word_of(check: Check) -> str:
    """The verdict of a check, or that it does not apply.

    >>> from replguard.model.findings import Check
    >>> word_of(Check("a.b", "nothing to look at", applicable=False))
    'n/a'
    """
    return check.verdict.value if check.applicable or check.findings else "n/a"


def _check(check: Check) -> dict[str, Any]:
    findings = sorted(check.findings, key=lambda finding: _ORDER.index(finding.severity))
    return {
        "id": check.id,
        "summary": check.summary,
        "word": word_of(check),
        "open": check.verdict is not Verdict.passed,
        "findings": [_finding(finding) for finding in findings[:LISTED]],
        "warnings": _warnings(check),
        "left_out": max(len(findings) - LISTED, 0),
    }


def _finding(finding: Finding) -> _Shown:
    columns = dict(finding.evidence.get("columns") or {})
    return _Shown(
        finding.code,
        finding.severity.value,
        finding.message,
        finding.remedy,
        where_of(finding),
        finding.evidence.get("waived"),
        [
            *((name, " | ".join(repr(value) for value in values)) for name, values in columns.items()),
            *((head, rest) for head, _, rest in (line.partition(": ") for line in writers(finding))),
        ],
        _since(finding),
    )


def _since(finding: Finding) -> str:
    known = finding.evidence.get("history")
    if not known:
        return ""
    return "(new)" if known["state"] == "new" else f"(since {known['since'][:16].replace('T', ' ')} UTC)"


def where_of(finding: Finding) -> str:
    """Where a finding is: cluster, link, table, key.

    >>> from replguard.model.findings import Finding, Severity
    >>> where_of(Finding("row.differs", Severity.fail, "", "green", schema="st", table="account", key={"id": 7}))
    'green · st.account · id=7'
    """
    table = ".".join(filter(None, (finding.schema, finding.table)))
    key = ", ".join(f"{name}={value}" for name, value in (finding.key or {}).items())
    return " · ".join(filter(None, (finding.cluster, finding.link, table, key)))


def _table(report: Report, table: TableCoverage, words: str, gravest: Severity | None) -> dict[str, Any]:
    open_question = table.class_ == "config" and not table.compared
    severity = Severity.unknown if open_question and gravest is not Severity.fail else gravest
    badge = severity.value if severity else "pass" if table.compared else "info"
    return {
        "name": f"{table.schema}.{table.table}",
        "class_": table.class_,
        "result": words,
        "word": badge,
        "rows": [table.rows.get(name, "") for name in report.clusters],
        "how": table.function or "",
    }
