"""The audit of a connected pair: what its servers say of their filters, judged whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.audit import filters as audit_filters
from replguard.audit import weaknesses
from replguard.engines.audits import HidesSome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.engines.pair import Pair
    from replguard.model.findings import Check
    from replguard.model.links import Link


def audit_pair(
    pair: Pair, tables: TableMap, links: Iterable[Link], *, links_wanted: bool
) -> tuple[Check, dict[Link, LinkFilters]]:
    """The policy against the filters of these links, which are given back as they were read."""
    filters = {
        link: pair.server(link.target).filters.of(link, pair.server(link.source) if link.source else None)
        for link in links
    }
    cascades = pair.first.capabilities.applier_cascades
    triggers = [server.name for server in pair if server.capabilities.applier_triggers]
    unseen = {server.name: server.catalog.cannot_see() for server in pair if isinstance(server.catalog, HidesSome)}
    check = audit_filters.audit(
        tables, filters, applier_cascades=cascades, applier_triggers=triggers, links_wanted=links_wanted
    )
    weak = weaknesses.found(tables, filters, applier_cascades=cascades, applier_triggers=triggers, unseen=unseen)
    return replace(check, findings=(*check.findings, *weak)), filters
