"""Whether the links are still what they were when the watching began, and what no stream of theirs shows.

Filters are read once, and the changes of the whole window are judged by them; a link that was made meanwhile was not
watched at all. Either is told, never passed over. The initial copy of a table travels outside of the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit.links import between
from replguard.errors import ServerError
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.engines.pair import Pair
    from replguard.model.links import Link


def changes(pair: Pair, tables: TableMap, links: tuple[Link, ...], judged: Mapping[Link, LinkFilters]) -> list[Finding]:
    """What speaks against calling the window judged; ``judged`` are the filters by which it was."""
    try:
        now = {(link.target, link.name): link for link in between(pair.links(), tables.clusters)}
        found = [
            finding for before, filters in judged.items() for finding in _opened(pair, tables, before, filters, now)
        ]
    except ServerError as error:
        return [not_judged(f"the links could not be read again: {error.message}", None)]
    known = {(link.target, link.name) for link in links}
    found += [
        not_judged(f"{link.label} was made while the others were watched", link)
        for link in now.values()
        if (link.target, link.name) not in known
    ]
    return found + _copies(tables, {*links, *now.values()})


def _opened(
    pair: Pair, tables: TableMap, before: Link, filters: LinkFilters, now: Mapping[tuple[str, str], Link]
) -> list[Finding]:
    """Forbidden tables that cross now, and did not when the watching began."""
    link = now.get((before.target, before.name))
    if link is None or link.source != before.source:
        return [not_judged(f"{before.label} is not there any more", before)]
    fresh = pair.server(link.target).filters.of(link, pair.server(str(link.source)))
    found = []
    for table in tables.of(TableClass.must_not_sync):
        side = table.sides.get(str(link.source)) or table.sides[link.target]
        crossing = fresh.crosses(side)
        if crossing.crosses is not False and filters.crosses(side).crosses is False:
            what = f"{link.label} was changed while it was watched, and lets {side.name} cross now: {crossing.why}"
            found.append(not_judged(what, link))
    return found


def _copies(tables: TableMap, links: set[Link]) -> list[Finding]:
    forbidden = {
        (cluster, str(side.name)): side.name
        for table in tables.of(TableClass.must_not_sync)
        for cluster, side in table.sides.items()
    }
    # A link looks different from one moment to the next: it is told once, by its name.
    copying = {
        (link.label, name): (link, forbidden[link.target, name])
        for link in links
        for name in link.initial_copy
        if (link.target, name) in forbidden
    }
    return [
        Finding(
            "leak.sent",
            Severity.fail,
            f"{name}, which must not sync, is being copied over {link.label} as a whole",
            cluster=link.source,
            link=link.label,
            schema=name.schema,
            table=name.name,
            remedy=f"keep {name} out of what {link.label} applies: `replguard filter audit` tells where",
        )
        for link, name in copying.values()
    ]


def not_judged(what: str, link: Link | None) -> Finding:
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"not everything of this window was judged: {what}",
        cluster=link.target if link else None,
        link=link.label if link else None,
        remedy="run `replguard filter audit`, then watch again",
    )
