"""Scheduled events that a target runs by itself, behind every filter, and that write what must not sync. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.audit.tables import TableMap
    from replguard.model.links import Link
    from replguard.model.tables import ScheduledEvent, TableName


def behind(tables: TableMap, links: Iterable[Link]) -> Iterator[Finding]:
    """Each target's events once, however many links it has; what could not be seen of them is unknown."""
    told: set[str] = set()
    for link in links:
        if link.target in told:
            continue
        told.add(link.target)
        forbidden = _forbidden(tables, link.target)
        if not forbidden:
            continue
        if link.target in tables.hidden_events:
            yield _hidden(link, *tables.hidden_events[link.target])
        for event in tables.events.get(link.target, ()):
            yield from _event(link, event, forbidden)


def _forbidden(tables: TableMap, target: str) -> dict[TableName, TableName]:
    """The forbidden tables of the target by their folded names."""
    sides = (table.sides[target] for table in tables.of(TableClass.must_not_sync) if target in table.sides)
    return {side.name.folded(): side.name for side in sides}


def _event(link: Link, event: ScheduledEvent, forbidden: dict[TableName, TableName]) -> Iterator[Finding]:
    hit = False
    for written, certain in ((event.writes, True), (event.may_write, False)):
        for name in written:
            if found := forbidden.get(name.folded()):
                hit = True
                yield _finding(link, event, found, certain=certain)
    if event.opaque and not hit:
        yield _finding(link, event, None, certain=False)


def _finding(link: Link, event: ScheduledEvent, forbidden: TableName | None, *, certain: bool) -> Finding:
    if forbidden:
        what = f"{'writes' if certain else 'may write'} {forbidden}, which must not sync"
    else:
        what = "runs what its text does not show, and may write any table"
    return Finding(
        "leak.configured",
        Severity.fail if certain else Severity.unknown,
        f"the event {event.schema}.{event.name}, which {link.target} runs by itself, {what}",
        cluster=link.target,
        link=link.label,
        schema=forbidden.schema if forbidden else event.schema,
        table=forbidden.name if forbidden else None,
        remedy=f"disable the event on {link.target} (ALTER EVENT ... DISABLE), or run it on one side only",
        evidence={"path": [f"{event.schema}.{event.name}", *([str(forbidden)] if forbidden else [])]},
    )


def _hidden(link: Link, message: str, remedy: str | None) -> Finding:
    return Finding("check.not_run", Severity.unknown, message, cluster=link.target, link=link.label, remedy=remedy)
