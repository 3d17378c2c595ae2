"""Can every row of a config table be told from others by whoever applies its changes?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.audits import KnowsIdentity
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.audit.tables import PairedTable
    from replguard.engines.base import LinkFilters
    from replguard.gates.base import Context
    from replguard.model.links import Link
    from replguard.model.tables import Table


class Keys(Gate):
    id = "tables.keys"
    title = "rows of config tables can be told apart"
    purpose = (
        "Without a key a changed row is looked for in the whole table, and of equal rows any may be hit. PostgreSQL "
        "without a replica identity refuses UPDATE and DELETE in the application itself as soon as the table is "
        "published."
    )
    reads = "primary and unique keys of all config tables on both sides; on PostgreSQL the replica identity"
    remedy = "give the table a primary key, or (PostgreSQL) a replica identity"
    codes = ("table.no_key", "table.no_identity")

    def run(self, context: Context) -> Outcome:
        tables = [table for table in context.tables.of(TableClass.config) if not table.partition]
        findings = tuple(finding for link in context.links for finding in _of_link(context, link, tables))
        without = sum(not any(side.key or side.partitioned for side in table.sides.values()) for table in tables)
        return Outcome((Check(self.id, f"{len(tables)} config tables, {without} without a key", findings),))


def _of_link(context: Context, link: Link, tables: Sequence[PairedTable]) -> Iterator[Finding]:
    filters = context.pair.server(link.target).filters.of(link, context.pair.server(str(link.source)))
    for paired in tables:
        table = paired.sides.get(str(link.source))
        if table is not None and not table.partitioned:
            yield from _judged(link, table, filters)


def _judged(link: Link, table: Table, filters: LinkFilters) -> Iterator[Finding]:
    """A key alone does not tell rows apart where ``REPLICA IDENTITY`` names none, or none that is there by default."""
    name = table.name
    where: dict[str, Any] = {"cluster": link.source, "link": link.label, "schema": name.schema, "table": name.name}
    if isinstance(filters, KnowsIdentity) and not filters.identified(table):
        yield Finding(
            "table.no_identity",
            Severity.fail,
            f"{name} has no replica identity: {link.source} refuses updates and deletes of it once it is published",
            remedy=f"on {link.source}: ALTER TABLE {name} REPLICA IDENTITY DEFAULT where it has a primary key, else "
            "REPLICA IDENTITY FULL",
            **where,
        )
    elif not table.key:
        yield Finding(
            "table.no_key",
            Severity.warn,
            f"{name} has no key: {link.target} reads the whole table for each changed row, and takes any of equal rows",
            remedy=f"give {name} a primary key, or a unique key without nullable columns",
            **where,
        )
