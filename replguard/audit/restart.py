"""What a restart of its servers makes of a link: what would cross then and does not now, and the other way. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.audits import SurvivesRestart
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from replguard.audit.tables import TableMap
    from replguard.engines.audits import AfterRestart
    from replguard.engines.base import LinkFilters
    from replguard.model.links import Fragility, Link
    from replguard.model.tables import Table

FRAGILE = "filter.fragile"
LISTED = 5
"""Tables that a message names; the evidence has all."""


def behind(tables: TableMap, link: Link, now: LinkFilters) -> Iterator[Finding]:
    """One finding for the tables that would leak after a restart, one for those that would no longer cross.

    Where it harms no table of today, each rule that would be otherwise by itself; and whatever could not be told.
    """
    if not isinstance(now, SurvivesRestart):
        return
    then = now.after_restart()
    harm = [*_leaking(tables, link, now, then), *_missing(tables, link, now, then)]
    yield from harm
    for one in (*(() if harm else then.changes), *then.unknown):
        yield _plain(link, one)


def described(filters: Mapping[Link, LinkFilters]) -> dict[str, dict[str, Any]]:
    """The filters of every link after a restart, as plain data; what could not be told is named beside them."""
    found: dict[str, dict[str, Any]] = {}
    for link, now in filters.items():
        if not isinstance(now, SurvivesRestart):
            continue
        then = now.after_restart()
        found[link.label] = {
            "filters": dict(then.filters.describe()),
            "changes": [one.message for one in then.changes],
            "unknown": [one.message for one in then.unknown],
            "read": list(then.read),
        }
    return found


def _leaking(tables: TableMap, link: Link, now: LinkFilters, then: AfterRestart) -> Iterator[Finding]:
    found = [
        side
        for side in _carried(tables, link, TableClass.must_not_sync)
        if now.crosses(side).crosses is False and then.filters.crosses(side).crosses is not False
    ]
    if found:
        yield _harm(link, then, found, "which must not sync, would cross")


def _missing(tables: TableMap, link: Link, now: LinkFilters, then: AfterRestart) -> Iterator[Finding]:
    found = [
        side
        for side in _carried(tables, link, TableClass.config)
        if _whole(now, side) and not _whole(then.filters, side)
    ]
    if found:
        yield _harm(link, then, found, "which must be identical, would no longer cross")


def _carried(tables: TableMap, link: Link, wanted: TableClass) -> list[Table]:
    """The tables of a class as the link carries them."""
    return [table.sides.get(link.source or "") or table.sides[link.target] for table in tables.of(wanted)]


def _whole(filters: LinkFilters, table: Table) -> bool:
    crossing = filters.crosses(table)
    return crossing.crosses is True and not crossing.partial


def _harm(link: Link, then: AfterRestart, found: Sequence[Table], what: str) -> Finding:
    names = [str(table.name) for table in found]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    causes = "; ".join(one.message for one in then.changes)
    only = found[0].name if len(found) == 1 else None
    return Finding(
        FRAGILE,
        Severity.warn,
        f"{link.label}: lost on restart: {', '.join(names[:LISTED])}{more}, {what} once {link.target} was restarted: "
        f"{causes}",
        cluster=link.target,
        link=link.label,
        schema=only.schema if only else None,
        table=only.name if only else None,
        remedy=then.changes[0].remedy if then.changes else None,
        evidence={"tables": names, "rules": [one.rule for one in then.changes if one.rule]},
    )


def _plain(link: Link, one: Fragility) -> Finding:
    return Finding(
        FRAGILE,
        Severity.warn,
        f"{link.label}: {one.message}",
        cluster=link.target,
        link=link.label,
        remedy=one.remedy,
        evidence={"rule": one.rule} if one.rule else {},
    )
