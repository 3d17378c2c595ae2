"""The catalog of MySQL and MariaDB: one question a kind for the whole scope, however many tables there are."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.connection import literal, quoted
from replguard.engines.binlog.counters import counters
from replguard.engines.binlog.foreignkeys import references
from replguard.engines.binlog.objects import inventory
from replguard.engines.binlog.privileges import Privileges
from replguard.engines.sqlfiles import Quoted, joined
from replguard.model.schema import Inventory
from replguard.model.tables import Column, ColumnKind, ScheduledEvent, Table, TableName, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.schema import Counters

    Rows = list[dict[str, Any]]

_EXTRA = re.compile(r"STORED|VIRTUAL|PERSISTENT|INVISIBLE|WITHOUT SYSTEM VERSIONING")

INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"})
GEOMETRIES = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geomcollection",
        "geometrycollection",
    }
)
BINARIES = GEOMETRIES | {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"}


@lru_cache(maxsize=4096)
def base_type(full: str) -> str:
    """The type's name without length and attributes.

    >>> base_type("int(10) unsigned"), base_type("enum('a b')")
    ('int', 'enum')
    """
    found = re.match(r"\w+", full)
    return found.group().lower() if found else ""


class BinlogCatalog:
    """Tables of the scope as the server's information schema has them."""

    def __init__(self, server: BinlogServer) -> None:
        self._server = server

    def schemas(self) -> tuple[str, ...]:
        """The databases of the scope that exist and may be seen, as the server spells them."""
        if not self._server.scope:
            return ()
        rows = self._server.run("schemas", schemas=self._list(self._server.scope))
        return tuple(sorted(row["name"] for row in rows if self._in_scope(row["name"])))

    def tables(self) -> tuple[Table, ...]:
        """All tables of the scope, sorted by name.

        PrivilegeError where the user lacks SELECT on a whole database: its tables could be hidden, and where a trigger
        that acts behind the filters could be. Triggers are listed
        as far as the user has the TRIGGER privilege; see :meth:`cannot_see`.
        """
        Privileges(self._server).require("SELECT", self._server.scope)
        if self._server.capabilities.applier_triggers:
            Privileges(self._server).require("TRIGGER", self._server.scope)
        schemas = self.schemas()
        if not schemas:
            return ()
        names = self._list(schemas)
        columns = _grouped(self._server.run("columns", schemas=names))
        keys = _grouped(self._server.run("keys", schemas=names))
        foreign_keys = references(self._server, names)
        triggers = _grouped(self._server.run("triggers", schemas=names))
        tables = {_name(row): row for row in self._server.fresh("tables", schemas=names)}
        return tuple(
            Table(
                name=name,
                columns=tuple(self._column(row) for row in columns[name]),
                key=_key(keys[name], {row["name"] for row in columns[name]}),
                nullable_key=_nullable_key(keys[name], {row["name"] for row in columns[name]}),
                estimate=_number(tables[name]["estimate"]),
                size=_number(tables[name]["size"]),
                foreign_keys=foreign_keys.get(name, ()),
                triggers=tuple(_trigger(name, row) for row in triggers[name]),
            )
            for name in sorted(tables)
            if self._in_scope(name.schema)
        )

    def objects(self) -> Inventory:
        schemas = self.schemas()
        return inventory(self._server, self._list(schemas)) if schemas else Inventory()

    def counters(self, tables: Iterable[Table], *, standing: bool, extremes: bool) -> Counters:
        return counters(self._server, tables, standing=standing, extremes=extremes)

    def events(self) -> tuple[ScheduledEvent, ...]:
        """The enabled events of the databases in which the user has EVENT: in those of the scope it must have it."""
        if self._server.variables.get("event_scheduler", "OFF") != "ON":
            return ()
        Privileges(self._server).require("EVENT", self._server.scope, hidden="events")
        return tuple(_event(row) for row in self._server.run("events") if row["status"] == "ENABLED")

    def cannot_see(self) -> tuple[str, ...]:
        """What of the scope this user is not shown, in words."""
        privileges = Privileges(self._server)
        hidden = [name for name in self._server.scope if not privileges.has("TRIGGER", name)]
        return (f"triggers in {', '.join(hidden)} (the user lacks TRIGGER there)",) if hidden else ()

    def _in_scope(self, schema: str) -> bool:
        if self._server.lower_case_table_names:
            return schema.casefold() in {name.casefold() for name in self._server.scope}
        return schema in self._server.scope

    @staticmethod
    def _list(names: Iterable[str]) -> Quoted:
        return joined([literal(name) for name in names])

    def _column(self, row: Mapping[str, Any]) -> Column:
        extra = str(row["extra"] or "")
        return Column(
            name=row["name"],
            type=row["type"],
            kind=_kind(row),
            nullable=row["nullable"] == "YES",
            default=self._server.default_of(row),
            collation=row["collation_name"],
            generated=row["generation"] or None,
            identity="auto_increment" in extra.lower(),
            extra=", ".join(_EXTRA.findall(extra.upper())).lower(),
        )


def qualified(name: TableName) -> Quoted:
    """A table's full name, quoted.

    >>> qualified(TableName("st", "a`b"))
    '`st`.`a``b`'
    """
    return Quoted(f"{quoted(name.schema)}.{quoted(name.name)}")


def _name(row: Mapping[str, Any]) -> TableName:
    return TableName(row["schema_name"], row["table_name"])


def _grouped(rows: Rows) -> defaultdict[TableName, Rows]:
    groups: defaultdict[TableName, Rows] = defaultdict(list)
    for row in rows:
        groups[_name(row)].append(row)
    return groups


def _kind(row: Mapping[str, Any]) -> ColumnKind:
    name = base_type(row["type"])
    if name in INTEGERS:
        return ColumnKind.integer
    return ColumnKind.binary if name in BINARIES or row["collation_name"] == "binary" else ColumnKind.text


def _key(parts: Rows, columns: set[str]) -> tuple[str, ...]:
    """The primary key, else the first unique key by name that has neither nullable, partial nor computed parts.

    A column that the catalog does not list (the hidden end of a system-versioned row) is no part for a reader.
    """
    usable = {
        name: tuple(part["column_name"] for part in found if part["column_name"] in columns)
        for name, found in _whole_keys(parts).items()
        if name == "PRIMARY" or not any(part["prefix"] or part["nullable"] == "YES" for part in found)
    }
    chosen = "PRIMARY" if "PRIMARY" in usable else min(usable, default=None)
    return usable[chosen] if chosen else ()


def _nullable_key(parts: Rows, columns: set[str]) -> tuple[str, ...]:
    """Where no unique key is without nullable parts, the first by name of those that have some."""
    if _key(parts, columns):
        return ()
    usable = {
        name: tuple(part["column_name"] for part in found)
        for name, found in _whole_keys(parts).items()
        if all(part["column_name"] in columns and not part["prefix"] for part in found)
    }
    return usable[min(usable)] if usable else ()


def _whole_keys(parts: Rows) -> dict[str, Rows]:
    """The parts of each unique key that has no computed ones."""
    keys: defaultdict[str, Rows] = defaultdict(list)
    for part in parts:
        keys[part["name"]].append(part)
    return {name: found for name, found in keys.items() if all(part["column_name"] is not None for part in found)}


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _event(row: Mapping[str, Any]) -> ScheduledEvent:
    from replguard.engines.binlog.bodies import written  # noqa: PLC0415 - the reader of statements is large

    found = written(row["body"] or "", row["schema_name"], row["sql_mode"] or "")
    return ScheduledEvent(row["schema_name"], row["name"], found.tables, found.perhaps, found.opaque)


def _trigger(table: TableName, row: Mapping[str, Any]) -> Trigger:
    return Trigger(row["name"], table, f"{row['timing']} {row['manipulation']}", row["body"] or "")
