"""Would a table that must not sync cross a link, or a config table not cross it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit.ofpair import audit_pair
from replguard.gates.base import Outcome

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Filters:
    id = "filter.audit"
    title = "filters keep apart what must not sync, and let the rest through"

    def run(self, context: Context) -> Outcome:
        wanted = context.config.links != "none"
        check, _ = audit_pair(context.pair, context.tables, context.links, links_wanted=wanted)
        return Outcome((check,))
