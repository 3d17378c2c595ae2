"""Are these the right two servers, and alike enough to stand in for one another?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.base import Outcome
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Clusters:
    id = "clusters.identity"
    title = "two servers of one engine, alike in version"

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
