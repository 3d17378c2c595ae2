"""Are these the right two servers, and alike enough to stand in for one another?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Clusters(Gate):
    id = "clusters.identity"
    title = "two servers of one engine, alike in version"
    purpose = (
        "Everything else is worth nothing on the wrong servers: on one server under two names, on two databases of one "
        "server, behind a proxy that leads elsewhere."
    )
    reads = "identity and version of both servers; an advisory lock held on one and looked for on the other"
    remedy = "give each cluster the URL of its own server, and upgrade the older one"
    codes = ("clusters.version",)

    def run(self, context: Context) -> Outcome:
        context.pair.check_two()
        first, second = context.pair
        findings: tuple[Finding, ...] = ()
        if first.identity.version != second.identity.version:
            findings = (
                Finding(
                    "clusters.version",
                    Severity.warn,
                    f"{first.name} runs {first.identity.version}, {second.name} runs {second.identity.version}",
                    remedy="upgrade the older one; a newer source than its target is not supported by the engines",
                ),
            )
        summary = f"{first.identity.text} and {second.identity.text}"
        return Outcome((Check(self.id, summary, findings),))
