"""What holds of the filters today and need not hold tomorrow: all of it ``filter.fragile``, warnings alone. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit import borders, restart, rules
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.model.links import Link

FRAGILE = "filter.fragile"


def found(
    tables: TableMap,
    filters: Mapping[Link, LinkFilters],
    *,
    applier_cascades: bool,
    applier_triggers: Collection[str] = (),
    unseen: Mapping[str, tuple[str, ...]],
) -> Iterator[Finding]:
    """Link by link, then what joins tables, then what nobody could look at.

    ``applier_cascades`` and ``applier_triggers`` are as in :func:`replguard.audit.filters.audit`; ``unseen`` is, by
    cluster, what its user is not shown.
    """
    for link, set_now in filters.items():
        yield from _of_link(tables, link, set_now)
    yield from borders.between(tables, filters, applier_cascades=applier_cascades, applier_triggers=applier_triggers)
    for cluster, hidden in unseen.items() if filters else ():
        for what in hidden:
            yield Finding(
                FRAGILE,
                Severity.warn,
                f"{cluster} does not show {what}: whether something there crosses the border is not known",
                cluster=cluster,
                remedy="grant it, as sql/<engine>/grants.sql has it",
            )


def _of_link(tables: TableMap, link: Link, filters: LinkFilters) -> Iterator[Finding]:
    source = [table.sides[link.source] for table in tables if link.source in table.sides]
    weak = filters.fragile(source)
    yield from restart.behind(tables, link, filters)
    yield from rules.too_much(tables, link, filters)
    yield from rules.without_key(tables, link, filters, told={(one.schema, one.table) for one in weak})
    for one in weak:
        yield Finding(
            FRAGILE,
            Severity.warn,
            f"{link.label}: {one.message}",
            cluster=link.target,
            link=link.label,
            schema=one.schema,
            table=one.table,
            remedy=one.remedy,
            evidence={"rule": one.rule} if one.rule else {},
        )
