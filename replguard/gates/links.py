"""Does replication stand as this moment needs it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit import links as audit_links
from replguard.gates.base import Gate, Outcome, Purpose
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Links(Gate):
    id = "links.state"
    title = "replication runs, or stands where it must"
    purpose = (
        "A pair that does not replicate drifts apart; at a cutover a running link carries what the old side writes."
    )
    reads = "the state of every link as its target tells it"
    remedy = "start what is broken (`replguard resume`, or the engine's own words); before a cutover `replguard pause`"
    codes = (
        "link.missing",
        "link.broken",
        "link.paused",
        "link.running",
        "link.lagging",
        "link.unknown",
        "link.unexpected",
    )

    def run(self, context: Context) -> Outcome:
        found = audit_links.check(context.all_links, context.config)
        if context.purpose is not Purpose.cutover or not found.applicable:
            return Outcome((found,))
        findings = [finding for finding in found.findings if finding.code != "link.paused"]
        findings += [
            Finding(
                "link.running",
                Severity.fail,
                f"{link.label} is {link.state.value}, and must be paused at a cutover",
                cluster=link.target,
                link=link.label,
                remedy="run `replguard pause`",
            )
            for link in context.links
            if link.state is not LinkState.paused
        ]
        return Outcome((Check(self.id, found.summary, tuple(findings)),))
