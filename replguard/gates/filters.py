"""Would a table that must not sync cross a link, or a config table not cross it?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit.filters import audit
from replguard.gates.base import Outcome

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Filters:
    id = "filter.audit"
    title = "filters keep apart what must not sync, and let the rest through"

    def run(self, context: Context) -> Outcome:
        filters = {
            link: context.pair.server(link.target).filters.of(link, context.pair.server(str(link.source)))
            for link in context.links
        }
        check = audit(
            context.tables,
            filters,
            applier_cascades=context.pair.first.capabilities.applier_cascades,
            applier_triggers=[server.name for server in context.pair if server.capabilities.applier_triggers],
            links_wanted=context.config.links != "none",
        )
        return Outcome((check,))
