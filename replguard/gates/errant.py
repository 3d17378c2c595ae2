"""Did somebody write configuration on the passive side?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.base import Outcome
from replguard.watch import errant

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Errant:
    """Runs after the comparison, which answers for what no log tells any more."""

    id = errant.CHECK
    title = "the passive side wrote nothing itself but what must not sync"

    def run(self, context: Context) -> Outcome:
        given = context.options
        options = errant.Options(given.today, equal=errant.compared(context.earlier))
        return Outcome((errant.check(context.pair, context.tables, context.links, options),))
