"""Rules that catch more than was meant, and tables whose rows a target can find only the long way. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.audits import KnowsIdentity, MatchesByRule
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.model.links import Link

FRAGILE = "filter.fragile"
LISTED = 5


def too_much(tables: TableMap, link: Link, filters: LinkFilters) -> Iterator[Finding]:
    """Patterns that catch forbidden tables and others that should go the other way."""
    if not isinstance(filters, MatchesByRule):
        return
    source = {
        table.sides[link.source].name: (table.sides[link.source], table.table_class)
        for table in tables
        if link.source in table.sides
    }
    for rule, names in filters.matched([side for side, _ in source.values()]).items():
        forbidden = [name for name in names if source[name][1] is TableClass.must_not_sync]
        others = [name for name in names if source[name][1] in (TableClass.config, TableClass.unclassified)]
        if forbidden and others:
            more = f" and {len(others) - LISTED} more" if len(others) > LISTED else ""
            yield Finding(
                FRAGILE,
                Severity.warn,
                f"{link.label}: {rule} matches too much: {forbidden[0]}, which must not sync, and also "
                f"{', '.join(map(str, others[:LISTED]))}{more}",
                cluster=link.target,
                link=link.label,
                schema=others[0].schema,
                table=others[0].name,
                remedy="name the tables that are meant, one rule for each",
                evidence={"rule": rule, "tables": [str(name) for name in others]},
            )


def without_key(
    tables: TableMap, link: Link, filters: LinkFilters, told: Collection[tuple[str | None, str | None]]
) -> Iterator[Finding]:
    """Config tables without a key; ``told`` are those of which the engine says something worse."""
    for paired in tables.of(TableClass.config):
        table = paired.sides.get(link.source or "")
        if table is None or table.key or table.partitioned or paired.partition:
            continue
        if (table.name.schema, table.name.name) in told:
            continue
        if isinstance(filters, KnowsIdentity) and filters.identified(table):
            continue
        yield Finding(
            FRAGILE,
            Severity.warn,
            f"{link.label}: {table.name} has no primary key: {link.target} reads the whole table for each row that is "
            "updated or deleted, and cannot tell equal rows apart",
            cluster=link.target,
            link=link.label,
            schema=table.name.schema,
            table=table.name.name,
            remedy=f"give {table.name} a primary key, or a unique key without nullable columns",
        )
