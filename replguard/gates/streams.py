"""Does a leak show in the streams while they are watched?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.diff import pending
from replguard.errors import ServerError
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState
from replguard.watch.run import Options, watch

if TYPE_CHECKING:
    from replguard.gates.base import Context
    from replguard.gates.base import Options as GateOptions
    from replguard.model.links import Link


class Streams(Gate):
    id = "watch.sent"
    title = "no forbidden change travels while the streams are watched"
    purpose = "Filters may be right and a leak may still be on its way: what travels is looked at itself."
    reads = "both sides' streams for `--window`, and what waits in paused links"
    remedy = "pause the link, put the filters right, and remove what was applied"
    limits = "What crossed before the window is not seen by this check."
    codes = (
        "leak.sent",
        "leak.applied",
        "stream.opaque",
        "stream.unknown",
        "stream.corrupt",
        "stream.gap",
        "stream.reopened",
        "stream.restricted",
    )

    def takes(self, options: GateOptions) -> float:
        return options.window

    def run(self, context: Context) -> Outcome:
        if context.config.links == "none" and not context.links:
            return Outcome((Check(self.id, "no link is wanted, none is there", applicable=False),))
        seen = watch(context.pair, context.tables, context.links, Options(seconds=context.options.window, audit=False))
        held = [link for link in context.links if link.state is LinkState.paused]
        waits = [finding for link in held for finding in _waiting(context, link)]
        checks = (*seen.checks, Check("watch.waiting", f"{len(held)} paused", tuple(waits))) if held else seen.checks
        return Outcome(checks, seen.coverage)


def _waiting(context: Context, link: Link) -> list[Finding]:
    """Forbidden changes that wait in a paused link, written before the watching began."""
    try:
        return pending.leaks(context.pair, context.tables, link)
    except ServerError as error:
        what = f"what waits in {link.label} could not be read: {error.message}"
        return [
            Finding(
                "check.not_run",
                Severity.unknown,
                what,
                cluster=link.source,
                link=link.label,
                remedy=error.remedy,
            )
        ]
