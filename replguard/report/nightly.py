"""The nightly report: a gate's report kept in the history and held against the run before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replguard.history.compare import NEW, PERSISTING, RESOLVED, UNSEEN, identity
from replguard.model.findings import Severity
from replguard.model.plain import plain
from replguard.report.document import document

if TYPE_CHECKING:
    from replguard.history.compare import Seen
    from replguard.history.store import History, Stored
    from replguard.model.findings import Check, Finding, Report

KEY = "history"
"""In the evidence of a finding: its state, and since when; in the data of a report: the numbers, and what is gone."""


def keep(report: Report, history: History) -> Report:
    """Store the run. The report comes back with each finding marked new or persisting, and what is gone in its data.

    Raises ServerError where the run could not be stored.
    """
    whole = replace(report, command="report")
    stored = history.add(document(whole))
    states = {one.identity: one for one in stored.findings}
    checks = tuple(_marked(check, states) for check in whole.checks)
    return replace(whole, checks=checks, data={**whole.data, KEY: _data(history, stored)})


def _marked(check: Check, states: dict[str, Seen]) -> Check:
    return replace(check, findings=tuple(_finding(finding, states) for finding in check.findings))


def _finding(finding: Finding, states: dict[str, Seen]) -> Finding:
    if finding.severity is Severity.info:
        return finding
    seen = states[identity(plain(finding))]
    note = {"state": seen.state, "since": seen.since_at, "since_run": seen.since_run}
    return replace(finding, evidence={**finding.evidence, KEY: note})


def _data(history: History, stored: Stored) -> dict[str, Any]:
    counts = Counter(one.state for one in stored.findings)
    return {
        "url": history.name,
        "run": stored.id,
        "previous": stored.previous,
        NEW: counts[NEW],
        PERSISTING: counts[PERSISTING],
        RESOLVED: [gone(one) for one in stored.gone if one.state == RESOLVED],
        UNSEEN: [gone(one) for one in stored.gone if one.state == UNSEEN],
    }


def gone(one: Seen) -> dict[str, Any]:
    """A finding that is not told any more, as data."""
    return {"check": one.check, "since": one.since_at, "since_run": one.since_run, "finding": one.finding}


def changed(report: Report) -> bool:
    """Whether anything is otherwise than in the run before. The first run is a change."""
    found = report.data[KEY]
    return found["previous"] is None or bool(found[NEW] or found[RESOLVED] or found[UNSEEN])


def summary(report: Report) -> str:
    """What changed since the run before, in one line."""
    found = report.data[KEY]
    counts = {
        NEW: found[NEW],
        PERSISTING: found[PERSISTING],
        RESOLVED: len(found[RESOLVED]),
        "not looked at this time": len(found[UNSEEN]),
    }
    words = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "no findings"
    before = f"since run {found['previous']}" if found["previous"] else "the first run of this pair"
    return f"run {found['run']}, {before}: {words}"
