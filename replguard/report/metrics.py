"""Reports of `status`, `gate` and `report` as metrics, for the textfile collector of Prometheus' node exporter.

What is not known has no sample, never a zero: alert on the absence of what should be there.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from replguard.model.findings import Severity, Verdict
from replguard.model.plain import encodable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from replguard.model.findings import LinkFacts, Report

STATES = ("running", "paused", "broken", "unknown")


def metrics(report: Report) -> str:
    """The text of the file."""
    registry = CollectorRegistry()
    _gauge(registry, "status_timestamp_seconds", "When status was asked last.").set(report.finished_at.timestamp())
    verdict = _gauge(registry, "status_verdict", "1 for the verdict of status.", "verdict")
    for one in Verdict:
        verdict.labels(one.value).set(report.verdict is one)
    _links(registry, report.links)
    _pause(registry, report.data)
    return generate_latest(registry).decode()


def gate_metrics(report: Report) -> str:
    """What a report with checks says, for the same collector: of `gate` and `report`."""
    registry = CollectorRegistry()
    _gauge(registry, "gate_timestamp_seconds", "When the gate ended last.").set(report.finished_at.timestamp())
    seconds = (report.finished_at - report.started_at).total_seconds()
    _gauge(registry, "gate_duration_seconds", "How long it took.").set(seconds)
    verdict = _gauge(registry, "gate_verdict", "1 for the verdict of the gate.", "for", "verdict")
    asked = str(report.data.get("for") or report.command)
    for one in Verdict:
        verdict.labels(asked, one.value).set(report.verdict is one)
    checks = _gauge(registry, "gate_check_verdict", "1 for the verdict of each check that applies.", "check", "verdict")
    for check in report.checks:
        if check.applicable or check.findings:
            for one in Verdict:
                checks.labels(check.id, one.value).set(check.verdict is one)
    findings = _gauge(registry, "gate_findings", "Findings by severity; waived ones are info.", "severity")
    for severity in Severity:
        count = sum(finding.severity is severity for check in report.checks for finding in check.findings)
        findings.labels(severity.value).set(count)
    tables = _gauge(registry, "gate_tables_compared", "Tables whose rows were compared.")
    tables.set(sum(table.compared for table in report.coverage.tables))
    _links(registry, report.links)
    return generate_latest(registry).decode()


def _gauge(registry: CollectorRegistry, name: str, words: str, *labels: str) -> Gauge:
    return Gauge(name, words, labels, namespace="replguard", registry=registry)


def _links(registry: CollectorRegistry, links: Iterable[LinkFacts]) -> None:
    state = _gauge(registry, "link_state", "1 for the state that the link is in.", "link", "state")
    lag = _gauge(registry, "link_lag_seconds", "How far the link is behind, where that is known.", "link")
    for link in links:
        name = encodable(link.link)
        for one in STATES:
            state.labels(name, one).set(link.state == one)
        if link.lag_seconds is not None:
            lag.labels(name).set(link.lag_seconds)


def _pause(registry: CollectorRegistry, data: Mapping[str, Any]) -> None:
    """By link; the log that a guard slot keeps has no link, and its cluster."""
    held = data.get("receipt")
    _gauge(registry, "pause_active", "Whether a receipt of a pause holds.").set(bool(held))
    if held:
        began = datetime.fromisoformat(held["paused_at"]).timestamp()
        _gauge(registry, "pause_began_timestamp_seconds", "When the pause began.").set(began)
    budget = _Budget(registry)
    for one in data.get("budget") or ():
        budget.add(one)


class _Budget:
    """The gauges of what is kept for one link or by one guard."""

    def __init__(self, registry: CollectorRegistry) -> None:
        where = ("cluster", "link")
        known = "Whether any limit of the pause is known in time."
        self._known = _gauge(registry, "pause_budget_known", known, *where)
        must = "When the pause must have ended, at the latest."
        self._must = _gauge(registry, "pause_must_resume_by_timestamp_seconds", must, *where)
        used = "The share of the time from the pause to that which has passed."
        self._used = _gauge(registry, "pause_budget_used_ratio", used, *where)
        lost = "1 where what the link needs is gone already."
        self._lost = _gauge(registry, "pause_log_lost", lost, *where)
        kept = "How much of the log is kept for it."
        self._kept = _gauge(registry, "pause_log_kept_bytes", kept, *where)

    def add(self, one: Mapping[str, Any]) -> None:
        where = (encodable(one["cluster"]), encodable(one["link"] or "guard"))
        self._known.labels(*where).set(one["must_resume_by"] is not None)
        self._lost.labels(*where).set(one["lost"] is not None)
        if one["must_resume_by"] is not None:
            self._must.labels(*where).set(datetime.fromisoformat(one["must_resume_by"]).timestamp())
        for gauge, value in ((self._used, one["used"]), (self._kept, one["bytes_kept"])):
            if value is not None:
                gauge.labels(*where).set(value)
