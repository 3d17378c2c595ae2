"""What one subscription lets through: its publications on the source, and its subscribed tables on the target.

Both count. A table that is published but not subscribed is sent and thrown away; one that is subscribed but not
published is not sent. The initial copy ships a table without its ever being in the stream, so a table whose copy is
under way crosses.

Where only a part of a table's changes crosses (a row filter, a column list, an operation that is not published), it
crosses in part: too much for a table that must not cross, too little for one that must be identical.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replguard.engines.audits import AfterRestart
from replguard.engines.postgresql import restart
from replguard.engines.postgresql.catalog import ancestors
from replguard.engines.postgresql.links import find_peer
from replguard.engines.postgresql.publications import (
    Publication,
    Published,
    Relation,
    publications_of,
    published,
)
from replguard.engines.postgresql.quoting import quoted, quoted_table
from replguard.errors import UsageError
from replguard.model.links import Crossing, Fragility
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from replguard.engines.base import Server
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.changes import Change
    from replguard.model.links import Link
    from replguard.model.tables import Table

_READY = frozenset("rs")
_FRESH = 0.1
"""Seconds for which what was read of a subscription serves for many changes."""


class PostgresFilters:
    """Fulfils ``Filters``."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def of(self, link: Link, source: Server | None) -> SubscriptionFilters:
        if self._server.endpoint.option_files:
            raise UsageError(
                f"an option file of {self._server.name} was given, and PostgreSQL keeps its filters in the catalog",
                remedy="leave it out",
            )

        def subscribed() -> dict[TableName, str]:
            rows = self._server.session.rows("subscribed_tables", {"oid": link.detail["oid"]})
            return {TableName(row["schema"], row["name"]): row["state"] for row in rows}

        publisher = find_peer({source.name: source}, source.name) if source else None
        wanted = tuple(link.detail["publications"])
        return SubscriptionFilters(
            link.name,
            subscribed,
            published_by(publisher, wanted) if publisher else None,
            wanted,
            lambda: restart.changes(self._server, publisher),
        )


def _of_leaves(answers: Sequence[Crossing]) -> Crossing:
    """What holds for a partitioned table: it crosses in part as soon as one partition does, or not all of them do."""
    crossing = [answer for answer in answers if answer.crosses]
    if not crossing:
        return next((answer for answer in answers if answer.crosses is None), answers[0])
    short = next((answer for answer in answers if answer.partial or not answer.crosses), None)
    return replace(crossing[0], why=f"{crossing[0].why}; {short.why}", partial=True) if short else crossing[0]


@dataclass(frozen=True, slots=True)
class SourceSide:
    """What the source has: the subscription's publications, all tables, and which publications are missing."""

    publications: tuple[Publication, ...]
    relations: Mapping[TableName, Relation]
    missing: tuple[str, ...] = ()
    too_new: bool = False


def published_by(publisher: PostgresServer, wanted: tuple[str, ...]) -> SourceSide:
    """The source's side of a subscription to these publications, read now."""
    names = {"names": list(wanted)}
    found = publications_of(publisher.session.rows("publications", names), publisher.session.rows("published", names))
    relations = [_relation(row) for row in publisher.session.rows("tables", {"schemas": None})]
    have = {publication.name for publication in found}
    return SourceSide(
        publications=found,
        relations={relation.name: relation for relation in relations},
        missing=tuple(name for name in wanted if name not in have),
        too_new=publisher.newer_than_known,
    )


def _relation(row: Mapping[str, Any]) -> Relation:
    return Relation(
        name=TableName(row["schema"], row["name"]),
        partitioned=row["kind"] == "p",
        partition=row["is_partition"],
        logged=row["persistence"] == "p",
        identified=row["identified"],
        ancestors=ancestors(row),
    )


class SubscriptionFilters:
    """Fulfils ``LinkFilters``. ``subscribed`` reads the tables of ``pg_subscription_rel`` and their state."""

    def __init__(
        self,
        name: str,
        subscribed: Callable[[], Mapping[TableName, str]],
        source: SourceSide | None,
        wanted: tuple[str, ...],
        pending: Callable[[], tuple[Fragility, ...]] = tuple,
    ) -> None:
        self._name = name
        self._pending = pending
        self._read_subscribed = subscribed
        self._subscribed = subscribed()
        self._read_at = time.monotonic()
        self._source = source
        self._wanted = wanted

    def crosses(self, table: Table) -> Crossing:
        if self._source is None:
            return self._without_source(table)
        if self._source.too_new:
            return Crossing(crosses=None, why="the source is newer than the versions whose publications are understood")
        relation = self._source.relations.get(table.name)
        if relation is None:
            return Crossing(crosses=False, why="the source has no such table")
        leaves = self._leaves(relation) if relation.partitioned else [relation]
        if relation.partitioned and not leaves:
            return self._empty_root(relation)
        answers = [self._leaf(leaf) for leaf in leaves]
        return _of_leaves(answers)

    def _without_source(self, table: Table) -> Crossing:
        lineage = {table.name, *table.ancestors}
        if not table.partitioned and not lineage & self._subscribed.keys():
            return Crossing(crosses=False, why=f"subscription {self._name!r} does not subscribe to it")
        return Crossing(crosses=None, why="the publications on the source cannot be read")

    def _leaves(self, root: Relation) -> list[Relation]:
        relations = self._source.relations.values() if self._source else ()
        return [one for one in relations if one.partition and not one.partitioned and root.name in one.ancestors]

    def _empty_root(self, root: Relation) -> Crossing:
        """A partitioned table without partitions: what holds for the partitions that will come."""
        found = self._published(root)
        if found is None:
            return Crossing(crosses=False, why="no publication of the subscription names it")
        if found.sent_as in self._subscribed:
            return Crossing(crosses=True, why=f"{found.rules[0]}, and {found.sent_as} is subscribed")
        return Crossing(crosses=False, why=f"{found.rules[0]}, but it is not subscribed")

    def _published(self, relation: Relation) -> Published | None:
        return published(relation, self._source.publications) if self._source else None

    def _leaf(self, relation: Relation) -> Crossing:
        """A table that holds rows itself."""
        if not relation.logged:
            return Crossing(crosses=False, why="it is unlogged, so it is in no stream")
        found = self._published(relation)
        if found is None:
            return Crossing(crosses=False, why="no publication of the subscription publishes it")
        state = self._subscribed.get(found.sent_as)
        rule = found.rules[0] + (f" (sent as {found.sent_as})" if found.sent_as != relation.name else "")
        if state is None:
            return Crossing(crosses=False, why=f"{rule}, but subscription {self._name!r} does not subscribe to it yet")
        if found.partial:
            return Crossing(crosses=True, why=f"{rule}, but only in part: {found.partial}", partial=True)
        copying = "" if state in _READY else ", and its initial copy is under way"
        return Crossing(crosses=True, why=f"{rule}{copying}")

    def applies(self, change: Change) -> Crossing:
        """A change that the link carries was published; subscribed tables decide.

        A subscription is refreshed and tables are renamed while a stream is read. So a table that was not subscribed is
        looked up again, and of one that was not there when the filters were read nobody knows.
        """
        subscribed = self._subscribed
        if not any(name in subscribed for name in change.tables):
            subscribed = self._subscribed_now()
        for name in change.tables:
            if name in subscribed:
                return Crossing(crosses=True, why=f"subscription {self._name!r} subscribes to {name}")
        new = [name for name in change.tables if self._source and name not in self._source.relations]
        if new:
            # A publication and a subscription hold on to a table that is renamed, whatever it is called then.
            return Crossing(crosses=None, why=f"{new[0]} was made or renamed after the filters were read")
        return Crossing(
            crosses=False, why=f"subscription {self._name!r} does not subscribe to it yet, so the target drops it"
        )

    def _subscribed_now(self) -> Mapping[TableName, str]:
        if time.monotonic() - self._read_at > _FRESH:
            self._subscribed = self._read_subscribed()
            self._read_at = time.monotonic()
        return self._subscribed

    def lands(self, name: TableName) -> TableName:
        """Always the table of the same name."""
        return name

    def fragile(self, tables: Sequence[Table]) -> tuple[Fragility, ...]:
        if self._source is None:
            return ()
        found = [*self._publications_at_risk(), *self._gone()]
        for table in tables:
            relation = self._source.relations.get(table.name)
            if relation is not None:
                found += self._table_at_risk(relation)
        return tuple(found)

    def identified(self, table: Table) -> bool:
        """By a primary key, or by what ``REPLICA IDENTITY`` names."""
        relation = self._source.relations.get(table.name) if self._source else None
        return relation is not None and relation.identified

    def after_restart(self) -> AfterRestart:
        """The catalog holds subscriptions and publications, so that they outlive a restart as they are."""
        return AfterRestart(self, self._pending())

    def _publications_at_risk(self) -> Iterator[Fragility]:
        for one in self._source.publications if self._source else ():
            fixed = f"write the list: ALTER PUBLICATION {quoted(one.name)} SET TABLE ..."
            if one.all_tables:
                fixed = (
                    f"replace it by one with a list: CREATE PUBLICATION ... FOR TABLE ... instead of {quoted(one.name)}"
                )
                yield Fragility(
                    f"publication {one.name!r} is FOR ALL TABLES: it includes every future table", fixed, one.name
                )
            for schema in sorted(one.schemas):
                text = f"publication {one.name!r} has TABLES IN SCHEMA {schema}: it includes every future table there"
                yield Fragility(text, fixed, one.name, schema=schema)

    def _gone(self) -> Iterator[Fragility]:
        for name in self._source.missing if self._source else ():
            text = f"subscription {self._name!r} names publication {name!r}, which the source does not have"
            yield Fragility(text, f"ALTER SUBSCRIPTION {quoted(self._name)} SET PUBLICATION ...", name)

    def _table_at_risk(self, relation: Relation) -> Iterator[Fragility]:
        at = {"table": relation.name.name, "schema": relation.name.schema}
        table, found = quoted_table(relation.name), self._published(relation)
        if found is None:
            if relation.name in self._subscribed:
                text = (
                    f"{relation.name} is still subscribed, but no publication publishes it: what the slot still holds "
                )
                refresh = f"ALTER SUBSCRIPTION {quoted(self._name)} REFRESH PUBLICATION"
                yield Fragility(f"{text}of it is applied, and publishing it again lets it cross at once", refresh, **at)
            return
        if relation.partitioned and found.sent_as == relation.name and relation.name not in self._subscribed:
            text = f"new partitions of {relation.name} are published, but cross only after a REFRESH PUBLICATION"
            yield Fragility(text, "ALTER PUBLICATION ... SET (publish_via_partition_root = true), then refresh", **at)
        elif found.sent_as not in self._subscribed:
            text = f"{relation.name} is published but not subscribed: the next REFRESH PUBLICATION lets it cross"
            yield Fragility(text, f"ALTER PUBLICATION ... DROP TABLE {table}", found.rules[0], **at)
        if found.partial:
            yield Fragility(
                f"{relation.name} crosses only in part: {found.partial}", "publish it whole", found.rules[0], **at
            )
        needs_identity = {"update", "delete"} - set(found.missing)
        if needs_identity and not relation.identified and not relation.partitioned:
            refused = " and ".join(sorted(needs_identity))
            text = f"{relation.name} has no replica identity, so {refused} fails in the application"
            yield Fragility(text, f"ALTER TABLE {table} REPLICA IDENTITY FULL, or give it a primary key", **at)

    def describe(self) -> Mapping[str, Any]:
        source = self._source
        return {
            "subscription": self._name,
            "subscribed": {str(name): state for name, state in self._subscribed.items()},
            "publications": list(self._wanted)
            if source is None
            else [
                {
                    "name": one.name,
                    "all_tables": one.all_tables,
                    "via_partition_root": one.via_root,
                    "operations": sorted(one.operations),
                    "schemas": sorted(one.schemas),
                    "tables": {
                        str(name): {"where": limit[0], "columns": list(limit[1]) if limit[1] else None}
                        for name, limit in (one.tables or {}).items()
                    },
                }
                for one in source.publications
            ],
            "missing_publications": list(source.missing) if source else [],
        }
