"""Did somebody write configuration on the passive side?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.base import Gate, Outcome
from replguard.watch import errant

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Errant(Gate):
    """Runs after the comparison, which answers for what no log tells any more."""

    id = errant.CHECK
    title = "the passive side wrote nothing itself but what must not sync"
    purpose = "What was written on the passive side itself is lost, or comes back, when the direction is turned round."
    reads = "the passive side's own log (MySQL, MariaDB) or the origin of its rows (PostgreSQL)"
    remedy = "find out who wrote it, and write the same on the active side or take it back"
    codes = ("errant.write", "errant.unread")
    after = ("diff.data",)

    def run(self, context: Context) -> Outcome:
        given = context.options
        options = errant.Options(given.today, equal=errant.compared(context.earlier))
        return Outcome((errant.check(context.pair, context.tables, context.links, options),))
