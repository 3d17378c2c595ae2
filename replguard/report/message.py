"""The nightly report as a message: text for mail, Markdown for chat. Short: what changed first, and who changed it.

Names and values come from servers and users: what would format, mention or link anything is written as it stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from replguard.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replguard.model.findings import Finding, Report

LISTED = 25
"""So many findings of a kind stand in a message; all stand in the report."""
LENGTH = 400
"""So many characters of a message or a value are shown."""
_HISTORY = "history"
_HEADINGS = {
    "new": "New",
    "persisting": "Persisting",
    "resolved": "Resolved",
    "unseen": "Could not be looked at this time",
}
_ORDER = [one.value for one in (Severity.fail, Severity.unknown, Severity.warn, Severity.info)]
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+|~!:@&])")


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding as a message has it, in plain words. ``who`` are lines on who changed it."""

    severity: str
    code: str
    message: str
    since: str | None
    remedy: str | None = None
    who: list[str] = field(default_factory=list)


def subject(report: Report) -> str:
    """One line: the verdict, of which clusters, and what changed.

    >>> from datetime import UTC, datetime
    >>> from replguard.model.findings import Report
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> subject(Report("report", "1", now, now, data={"history": {"new": 2, "persisting": 1, "resolved": []}}))
    'replguard INCONCLUSIVE: 2 new, 1 persisting'
    """
    names = " and ".join(map(_line, report.clusters))
    counts = ", ".join(f"{count} {name}" for name, count in _counts(report).items() if count) or "no findings"
    where = f" on {names}" if names else ""
    return f"replguard {report.verdict.value.upper()}{where}: {counts}"


def mail(report: Report) -> str:
    """Plain text, whose first line is fit for a subject."""
    lines = [subject(report), "", *_facts(report)]
    for heading, found, more in _sections(report):
        lines += ["", f"{heading}:"]
        for one in found:
            since = f" (since {one.since})" if one.since else ""
            lines.append(f"- {one.severity}: {one.message} [{one.code}]{since}")
            lines += [f"    {line}" for line in one.who]
            lines += [f"    -> {one.remedy}"] if one.remedy else []
        lines += [f"- and {more} more, which the report lists"] if more else []
    return "\n".join(lines) + "\n"


def markdown(report: Report) -> str:
    """Markdown that chats understand."""
    lines = [f"**{_escaped(subject(report))}**", "", *(f"{_escaped(line)}  " for line in _facts(report))]
    for heading, found, more in _sections(report):
        lines += ["", f"**{heading}**", ""]
        for one in found:
            since = f" (since {_escaped(one.since)})" if one.since else ""
            lines.append(f"- **{one.severity}** {_escaped(one.message)} `{one.code}`{since}")
            lines += [f"  - {_escaped(line)}" for line in one.who]
            lines += [f"  - → {_escaped(one.remedy)}"] if one.remedy else []
        lines += [f"- and {more} more, which the report lists"] if more else []
    return "\n".join(lines) + "\n"


def who_changed(evidence: Mapping[str, Any]) -> Iterator[str]:
    """What is known of who changed a row last, a line for each cluster and source.

    >>> list(who_changed({"changed_by": {"green": {"who": "ann"}}}))
    ['on green, by its columns: who = ann']
    """
    for cluster, last in dict(evidence.get("last_change") or {}).items():
        yield f"on {_line(cluster)}: {_last_change(last)}"
    for cluster, values in dict(evidence.get("changed_by") or {}).items():
        yield f"on {_line(cluster)}, by its columns: {_values(values)}"
    for cluster, found in dict(evidence.get("audited") or {}).items():
        yield f"on {_line(cluster)}, by {_line(found['table'])}: {_values(found['row'])}"


def _last_change(last: Mapping[str, Any]) -> str:
    words = [str(last.get("operation") or "changed")]
    if last.get("columns"):
        words.append(f"of {', '.join(last['columns'])}")
    if last.get("transaction"):
        words.append(f"by transaction {last['transaction']}")
    if last.get("origin"):
        words.append(f"written on {last['origin']}")
    if last.get("committed_at"):
        words.append(f"at {last['committed_at']}")
    return _line(" ".join(words))


def _values(values: Mapping[str, Any]) -> str:
    return _line(", ".join(f"{name} = {value}" for name, value in values.items()))


def _counts(report: Report) -> dict[str, int]:
    found = report.data.get(_HISTORY) or {}
    counts = {name: found.get(name, 0) for name in _HEADINGS}
    sizes = {name: len(value) if isinstance(value, list) else int(value) for name, value in counts.items()}
    return {("not looked at" if name == "unseen" else name): size for name, size in sizes.items()}


def _facts(report: Report) -> Iterator[str]:
    took = (report.finished_at - report.started_at).total_seconds()
    found = report.data.get(_HISTORY) or {}
    run = f"run {found['run']}, " if found.get("run") else ""
    yield f"{run}begun {report.started_at:%Y-%m-%d %H:%M:%S} UTC, took {took:.1f} s, replguard {report.version}"
    for name, cluster in report.clusters.items():
        yield _line(f"{name}: {cluster.engine} {cluster.version}")
    checks = [check.verdict.value for check in report.checks if check.applicable or check.findings]
    yield f"{len(checks)} checks: " + ", ".join(
        f"{checks.count(word)} {word}" for word in ("fail", "inconclusive", "pass") if word in checks
    )


def _sections(report: Report) -> Iterator[tuple[str, list[_Told], int]]:
    """Heading, findings and how many more there are."""
    found = report.data.get(_HISTORY) or {}
    told = [finding for check in report.checks for finding in check.findings if finding.severity is not Severity.info]
    # Without a history nobody knows what is new: then all of it is told.
    states = {name: [_told(one) for one in told if _state(one) == name] for name in ("new", "persisting")}
    gone = {name: [_gone(one) for one in found.get(name, [])] for name in ("resolved", "unseen")}
    for name, items in {**states, **gone}.items():
        if items:
            ranked = sorted(items, key=lambda one: _ORDER.index(one.severity))
            yield _HEADINGS[name], ranked[:LISTED], max(len(ranked) - LISTED, 0)


def _state(finding: Finding) -> str:
    return str((finding.evidence.get(_HISTORY) or {}).get("state", "new"))


def _told(finding: Finding) -> _Told:
    note = finding.evidence.get(_HISTORY) or {}
    since = _when(note["since"]) if note.get("state") == "persisting" else None
    remedy = _line(finding.remedy) if finding.remedy else None
    who = list(who_changed(finding.evidence))
    return _Told(finding.severity.value, finding.code, _line(finding.message), since, remedy, who)


def _gone(one: Mapping[str, Any]) -> _Told:
    finding = one["finding"]
    return _Told(finding["severity"], finding["code"], _line(finding["message"]), _when(one["since"]))


def _when(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"


def _line(text: object) -> str:
    r"""On one line, without what steers a terminal or turns the direction of text, and not too long.

    >>> _line("a\n\x1b[31mb")
    'a [31mb'
    """
    plain = _CONTROL.sub(" ", str(text)).strip()
    return plain if len(plain) <= LENGTH else plain[: LENGTH - 1] + "…"


def _escaped(text: str) -> str:
    r"""Text that Markdown shows as it stands.

    >>> print(_escaped("<!channel> *x* @all"))
    \<\!channel\> \*x\* \@all
    """
    return _MARKUP.sub(r"\\\1", text)
