"""Does a link that runs carry everything, at once and in order?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.health import TellsAilments
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.gates.base import Context
    from replguard.model.links import Link


class Health(Gate):
    id = "replication.health"
    title = "links carry everything, at once and in order"
    purpose = (
        "A link may say that it runs while it applies late, skips what it cannot apply, or fails and begins anew all"
        " the time. Then rows are missing that no status shows."
    )
    reads = (
        "the target's status of each link: delay, skip counters, transactions to be skipped, counters of errors, the"
        " slot on the source; and the target's settings that let errors pass"
    )
    remedy = "take back the setting that is named; where errors were skipped, compare with `replguard diff`"
    limits = "Errors that were skipped before, and are not any more, show in the data alone."
    codes = (
        "replication.delayed",
        "replication.skips",
        "replication.errors",
        "replication.unordered",
        "replication.slot",
    )

    def run(self, context: Context) -> Outcome:
        if not context.links:
            return Outcome((Check(self.id, "there is no link between the clusters", applicable=False),))
        findings = tuple(finding for link in context.links for finding in _ailing(context, link))
        count = len(findings)
        summary = f"{len(context.links)} link{'s' * (len(context.links) != 1)}: {count or 'nothing'} found"
        return Outcome((Check(self.id, summary, findings),))


def _ailing(context: Context, link: Link) -> Iterator[Finding]:
    replication = context.pair.server(link.target).replication
    if not isinstance(replication, TellsAilments):
        raise TypeError(f"{link.target} does not tell what ails its links")
    for one in replication.ailments(link, context.pair.server(str(link.source))):
        yield Finding(one.code, one.severity, one.words, cluster=link.target, link=link.label, remedy=one.remedy)
