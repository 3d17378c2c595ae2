"""Tables as the server's catalog describes them, read in a handful of statements for all tables at once.

What a column type means for reading rows is the business of ``rows``; here only its kind is told.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.engines.postgresql.counters import counters
from replguard.engines.postgresql.objects import inventory
from replguard.errors import StatementError
from replguard.model.tables import Column, ColumnKind, ForeignKey, ScheduledEvent, Table, TableName, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.schema import Counters, Inventory

BYTEA = 17
INTEGERS = frozenset({20, 21, 23})
_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_EVENTS = ((2, "BEFORE"), (64, "INSTEAD OF"))
_OPERATIONS = ((4, "INSERT"), (8, "DELETE"), (16, "UPDATE"), (32, "TRUNCATE"))
_ON_APPLY = frozenset("RA")
_FIRING = {"D": "disabled", "R": "fires for replicated changes only", "A": "fires for replicated changes too"}


def kind_of(base: int) -> ColumnKind:
    """How values of a type are shown; ``base`` is the oid of the type below all domains."""
    if base in INTEGERS:
        return ColumnKind.integer
    return ColumnKind.binary if base == BYTEA else ColumnKind.text


class PostgresCatalog:
    """Fulfils ``Catalog``. The catalog is readable by everyone, so no privilege is ever missing here."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @property
    def scope(self) -> dict[str, Any]:
        """The schemas the user named, as a statement's value; None for all but the system's."""
        return {"schemas": list(self._server.endpoint.schemas) or None}

    def schemas(self) -> tuple[str, ...]:
        return tuple(row["schema"] for row in self._server.session.rows("schemas", self.scope))

    def _check_scope(self) -> None:
        """A schema that the user names and that is not there must not narrow the scope in silence."""
        named = self._server.endpoint.schemas
        absent = sorted(set(named) - set(self.schemas())) if named else []
        if absent:
            raise StatementError(
                f"{self._server.name}: `schemas:` names {', '.join(absent)}, which the database does not have",
                remedy=f"correct `schemas:` of cluster {self._server.name}, or create the schema",
                cluster=self._server.name,
            )

    def events(self) -> tuple[ScheduledEvent, ...]:
        """The server has no scheduler of its own."""
        return ()

    def objects(self) -> Inventory:
        return inventory(self._server)

    def counters(self, tables: Iterable[Table], *, standing: bool, extremes: bool) -> Counters:
        return counters(self._server, tables, standing=standing, extremes=extremes)

    def tables(self) -> tuple[Table, ...]:
        self._check_scope()
        found = self._server.session.rows("tables", self.scope, doing="reading the catalog")
        if not found:
            return ()
        relids = {"relids": [row["oid"] for row in found]}
        columns = self._by_table("columns", relids)
        foreign_keys = self._by_table("foreign_keys", relids)
        triggers = self._by_table("triggers", relids)
        keys, nullable = self._keys("keys"), self._keys("nullable_keys")
        tables = []
        for row in found:
            oid = row["oid"]
            table = _table(row, columns[oid], keys.get(oid, ()), foreign_keys[oid], triggers[oid])
            tables.append(table if table.key else replace(table, nullable_key=nullable.get(oid, ())))
        return _measured(tables)

    def _keys(self, name: str) -> dict[int, tuple[str, ...]]:
        return {row["relid"]: tuple(row["columns"]) for row in self._server.session.rows(name)}

    def _by_table(self, name: str, relids: dict[str, Any]) -> defaultdict[int, list[Mapping[str, Any]]]:
        result: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for row in self._server.session.rows(name, relids, doing="reading the catalog"):
            result[row["relid"]].append(row)
        return result


def _table(
    row: Mapping[str, Any],
    columns: list[Mapping[str, Any]],
    key: tuple[str, ...],
    foreign_keys: list[Mapping[str, Any]],
    triggers: list[Mapping[str, Any]],
) -> Table:
    name = TableName(row["schema"], row["name"])
    return Table(
        name=name,
        columns=tuple(_column(column) for column in columns),
        key=key,
        ancestors=ancestors(row),
        partitioned=row["kind"] == "p",
        foreign_keys=tuple(_foreign_key(name, one) for one in foreign_keys),
        triggers=tuple(_trigger(name, one) for one in triggers),
        estimate=row["estimate"],
        size=row["size"],
    )


def _measured(tables: Iterable[Table]) -> tuple[Table, ...]:
    """The tables, each partitioned one with what its partitions have: the server keeps no statistics of it."""
    tables = tuple(tables)
    rows: defaultdict[TableName, list[int]] = defaultdict(list)
    sizes: defaultdict[TableName, list[int]] = defaultdict(list)
    for table in tables:
        for above in () if table.partitioned else table.ancestors:
            rows[above] += [] if table.estimate is None else [table.estimate]
            sizes[above] += [] if table.size is None else [table.size]
    return tuple(
        replace(table, estimate=_total(rows[table.name]), size=_total(sizes[table.name]))
        if table.partitioned
        else table
        for table in tables
    )


def _total(known: list[int]) -> int | None:
    return sum(known) if known else None


def ancestors(row: Mapping[str, Any]) -> tuple[TableName, ...]:
    """The tables above, nearest first."""
    return tuple(TableName(*pair) for pair in zip(row["above_schemas"], row["above_names"], strict=True))


def _column(row: Mapping[str, Any]) -> Column:
    return Column(
        name=row["name"],
        type=row["type"],
        kind=kind_of(row["base"]),
        nullable=row["nullable"],
        default=row["default"],
        collation=row["collation"],
        generated=row["generated"],
        identity=row["identity"],
        extra=row["extra"],
    )


def _foreign_key(child: TableName, row: Mapping[str, Any]) -> ForeignKey:
    parent = TableName(row["parent_schema"], row["parent_name"])
    acts = _ACTIONS[row["on_delete"]], _ACTIONS[row["on_update"]]
    return ForeignKey(row["name"], child, parent, *acts, tuple(row["columns"]), tuple(row["parent_columns"]))


def _trigger(table: TableName, row: Mapping[str, Any]) -> Trigger:
    body = f"{row['definition']}\n{row['source']}"
    firing = _FIRING.get(row["enabled"])
    text = f"-- {firing}\n{body}" if firing else body
    return Trigger(row["name"], table, event_of(row["type"]), text, on_apply=row["enabled"] in _ON_APPLY)


def event_of(bits: int) -> str:
    """When a trigger fires, from ``pg_trigger.tgtype``.

    >>> event_of(1 | 4 | 16)
    'AFTER INSERT OR UPDATE'
    """
    when = next((word for bit, word in _EVENTS if bits & bit), "AFTER")
    return f"{when} {' OR '.join(word for bit, word in _OPERATIONS if bits & bit)}"
