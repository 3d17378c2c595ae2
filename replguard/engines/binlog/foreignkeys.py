"""Foreign keys of MySQL and MariaDB, with what they do, for all tables of the scope at once."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.connection import quoted
from replguard.engines.sqlfiles import Quoted
from replguard.model.tables import ForeignKey, TableName

if TYPE_CHECKING:
    from replguard.engines.binlog.server import BinlogServer

_ACTION = r"(CASCADE|SET NULL|SET DEFAULT|RESTRICT|NO ACTION)"


def references(server: BinlogServer, schemas: Quoted) -> dict[TableName, tuple[ForeignKey, ...]]:
    """The foreign keys of each table of ``schemas``, a list of literals."""
    parts: dict[tuple[TableName, str], list[dict[str, Any]]] = defaultdict(list)
    for row in server.run("foreign_keys", schemas=schemas):
        parts[_named(row), row["name"]].append(row)
    if not parts:
        return {}
    known = {
        (_named(row), row["name"]): (row["on_delete"], row["on_update"])
        for row in server.run("foreign_key_actions", schemas=schemas)
    }
    definitions = {child: _definition(server, child) for child, name in parts if (child, name) not in known}
    found: dict[TableName, list[ForeignKey]] = defaultdict(list)
    for (child, name), rows in parts.items():
        on_delete, on_update = known.get((child, name)) or actions(definitions[child], name)
        parent = TableName(rows[0]["parent_schema"], rows[0]["parent_table"])
        columns = tuple(row["column_name"] for row in rows)
        parent_columns = tuple(row["parent_column"] for row in rows)
        found[child].append(ForeignKey(name, child, parent, on_delete, on_update, columns, parent_columns))
    return {name: tuple(keys) for name, keys in found.items()}


def _named(row: dict[str, Any]) -> TableName:
    return TableName(row["schema_name"], row["table_name"])


def _definition(server: BinlogServer, name: TableName) -> str:
    full = Quoted(f"{quoted(name.schema)}.{quoted(name.name)}")
    rows = server.run("show_create_table", table=full)
    return str(rows[0]["Create Table"])


def actions(definition: str, constraint: str) -> tuple[str, str]:
    """The actions of a foreign key, read from SHOW CREATE TABLE, which leaves the default out.

    >>> actions("  CONSTRAINT `f` FOREIGN KEY (`p`) REFERENCES `t` (`id`) ON DELETE CASCADE", "f")
    ('CASCADE', 'RESTRICT')
    """
    head = f"CONSTRAINT {quoted(constraint)} FOREIGN KEY"
    line = next((line for line in definition.splitlines() if line.strip().startswith(head)), "")
    on_delete, on_update = (re.search(rf" ON {event} {_ACTION}", line) for event in ("DELETE", "UPDATE"))
    return (on_delete[1] if on_delete else "RESTRICT", on_update[1] if on_update else "RESTRICT")
