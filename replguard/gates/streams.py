"""Does a leak show in the streams while they are watched?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.base import Outcome
from replguard.model.findings import Check
from replguard.watch.run import Options, watch

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Streams:
    id = "watch.sent"
    title = "no forbidden change travels while the streams are watched"

    def run(self, context: Context) -> Outcome:
        if context.config.links == "none" and not context.links:
            return Outcome((Check(self.id, "no link is wanted, none is there", applicable=False),))
        seen = watch(context.pair, context.tables, context.links, Options(seconds=context.options.window))
        return Outcome(seen.checks, seen.coverage)
