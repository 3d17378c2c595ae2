"""What a set of publications publishes, and under which names: pure, from rows of the source's catalog.

A subscription gets the union of its publications. A partition is published if it, its schema, or a table above it is
(of the schema of a table above it, the same), or everything is; its changes carry its own name, or, where a publication
says ``publish_via_partition_root``, the name of the topmost table above it that this publication covers. Source:
``get_rel_sync_entry`` in PostgreSQL's ``pgoutput.c``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

OPERATIONS = ("insert", "update", "delete", "truncate")


@dataclass(frozen=True, slots=True)
class Relation:
    """A table of the source: is it a root, is it logged, can its updates be told, what stands above it."""

    name: TableName
    partitioned: bool = False
    partition: bool = False
    logged: bool = True
    identified: bool = True
    ancestors: tuple[TableName, ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """One publication; ``tables`` maps a named table to its row filter and column list."""

    name: str
    all_tables: bool = False
    via_root: bool = False
    operations: frozenset[str] = frozenset(OPERATIONS)
    schemas: frozenset[str] = frozenset()
    tables: Mapping[TableName, tuple[str | None, tuple[str, ...] | None]] | None = None

    def named(self, name: TableName) -> bool:
        return name in (self.tables or {}) or name.schema in self.schemas

    def covers(self, relation: Relation) -> TableName | None:
        """The name under which changes of the relation travel; None where it is not published."""
        if not relation.logged:
            return None
        above = relation.ancestors if relation.partition else ()
        if self.all_tables:
            return above[-1] if self.via_root and above else relation.name
        covering = [name for name in (relation.name, *above) if self.named(name)]
        if not covering:
            return None
        return covering[-1] if self.via_root else relation.name

    def rule(self, relation: Relation) -> str:
        """What in this publication covers the relation, in words."""
        if self.all_tables:
            return f"publication {self.name!r} is FOR ALL TABLES"
        lineage = (relation.name, *(relation.ancestors if relation.partition else ()))
        for name in lineage:
            if name in (self.tables or {}):
                return f"publication {self.name!r} names {name}"
        schema = next(name.schema for name in lineage if name.schema in self.schemas)
        return f"publication {self.name!r} has TABLES IN SCHEMA {schema}"

    def limits(self, relation: Relation) -> tuple[str | None, tuple[str, ...] | None]:
        """Row filter and column list that hold here: those of the table under whose name the relation travels."""
        if self.all_tables or not self.tables:
            return None, None
        lineage = (relation.name, *(relation.ancestors if relation.partition else ()))
        if any(name.schema in self.schemas for name in lineage):
            return None, None
        covering = [name for name in lineage if name in self.tables]
        return self.tables[covering[-1] if self.via_root else covering[0]]


@dataclass(frozen=True, slots=True)
class Published:
    """How one relation is published by all publications together; ``sent_as`` is the name its changes carry."""

    sent_as: TableName
    rules: tuple[str, ...]
    missing: tuple[str, ...] = ()
    row_filters: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None

    @property
    def partial(self) -> str | None:
        """In which way only a part of the changes is sent; None where all of them are."""
        parts = []
        if self.missing:
            parts.append(f"no {', '.join(self.missing)}")
        if self.row_filters:
            parts.append(f"only rows where {' or '.join(self.row_filters)}")
        if self.columns is not None:
            parts.append(f"only the columns {', '.join(self.columns)}")
        return "; ".join(parts) or None


def published(relation: Relation, publications: Sequence[Publication]) -> Published | None:
    """The union of the publications for one relation, None where none publishes it."""
    covering = [(one, name) for one in publications if (name := one.covers(relation)) is not None]
    if not covering:
        return None
    lineage = (relation.name, *relation.ancestors)
    sent_as = max((name for _, name in covering), key=lineage.index)
    sent = {operation for one, _ in covering for operation in one.operations}
    limits = [one.limits(relation) for one, _ in covering]
    filters = [row_filter for row_filter, _ in limits if row_filter]
    columns = [names for _, names in limits if names is not None]
    return Published(
        sent_as=sent_as,
        rules=tuple(one.rule(relation) for one, _ in covering),
        missing=tuple(operation for operation in OPERATIONS if operation not in sent),
        row_filters=tuple(filters) if len(filters) == len(limits) else (),
        columns=columns[0] if len(columns) == len(limits) else None,
    )


def publications_of(rows: Iterable[Mapping[str, Any]], named: Iterable[Mapping[str, Any]]) -> tuple[Publication, ...]:
    """Publications from the rows of ``publications.sql`` and ``published.sql``."""
    items = list(named)
    return tuple(
        Publication(
            name=row["name"],
            all_tables=row["all_tables"],
            via_root=row["via_root"],
            operations=frozenset(operation for operation in OPERATIONS if row[operation]),
            schemas=frozenset(i["schema"] for i in items if i["publication"] == row["name"] and i["name"] is None),
            tables={
                TableName(i["schema"], i["name"]): (i["row_filter"], tuple(i["columns"]) if i["columns"] else None)
                for i in items
                if i["publication"] == row["name"] and i["name"] is not None
            },
        )
        for row in rows
    )
