"""The nightly report: a gate's report kept in the history and held against the run before."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replguard.errors import ServerError
from replguard.history.compare import NEW, PERSISTING, RESOLVED, UNSEEN, identity
from replguard.model.findings import Check, Finding, Severity
from replguard.model.plain import plain
from replguard.report.document import document

if TYPE_CHECKING:
    from replguard.config import Config
    from replguard.history.compare import Seen
    from replguard.history.store import History, Stored
    from replguard.model.findings import Report

KEY = "history"
"""In the evidence of a finding: its state, and since when; in the data of a report: the numbers, and what is gone."""


def scope(config: Config, *, masked: bool) -> dict[str, Any]:
    """What runs are told apart by: the databases, whatever the config calls them, and whether values are masked.

    They are known without a server: a night on which one cannot be reached belongs to the others. A masked run is never
    held against one that holds values.
    """
    places = sorted([one.address, *one.schemas] for one in config.endpoints)
    return {"databases": [" ".join(place) for place in places], "masked": masked}


def of(report: Report, scope: dict[str, Any]) -> Report:
    """A gate's report as that of a nightly run."""
    return replace(report, command="report", data={**report.data, "scope": scope})


def keep(report: Report, history: History | ServerError) -> Report:
    """Store the run. The report comes back with each finding marked new or persisting, and what is gone in its data.

    Where that cannot be done, or an error says why not, the report comes back with an open question.
    """
    if isinstance(history, ServerError):
        return _not_kept(report, history)
    try:
        stored = history.add(document(report))
    except ServerError as error:
        return _not_kept(report, error)
    states = {one.identity: one for one in stored.findings}
    checks = tuple(_marked(check, states) for check in report.checks)
    return replace(report, checks=checks, data={**report.data, KEY: _data(history, stored)})


def _not_kept(report: Report, error: ServerError) -> Report:
    words = f"the run was not stored, so that nobody knows what is new: {error.message}"
    finding = Finding("history.not_stored", Severity.unknown, words, remedy=error.remedy)
    return replace(report, checks=(*report.checks, Check("history.store", "not stored", (finding,))))


def _marked(check: Check, states: dict[str, Seen]) -> Check:
    return replace(check, findings=tuple(_finding(finding, states) for finding in check.findings))


def _finding(finding: Finding, states: dict[str, Seen]) -> Finding:
    if finding.severity is Severity.info and "waived" not in finding.evidence:
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
        "previous_verdict": stored.previous_verdict,
        NEW: counts[NEW],
        PERSISTING: counts[PERSISTING],
        RESOLVED: [gone(one) for one in stored.gone if one.state == RESOLVED],
        UNSEEN: [gone(one) for one in stored.gone if one.state == UNSEEN],
    }


def gone(one: Seen) -> dict[str, Any]:
    """A finding that is not told any more, as data."""
    return {"check": one.check, "since": one.since_at, "since_run": one.since_run, "finding": one.finding}


def changed(report: Report) -> bool:
    """Whether anything is otherwise than in the run before. The first run is a change, and so is one that was not kept.

    What could not be looked at changes the verdict, the first time.
    """
    found = report.data.get(KEY)
    if found is None or found["previous"] is None:
        return True
    return bool(found[NEW] or found[RESOLVED] or found["previous_verdict"] != report.verdict.value)


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
