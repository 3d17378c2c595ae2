"""The tables that a statement updates, as the servers' filters look at them: in their order, or not known at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.cursor import Cursor
from replguard.engines.binlog.tableroles import stripped
from replguard.engines.binlog.tokens import DEFAULT, Mode, readings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.binlog.tokens import Token
    from replguard.model.tables import TableName

_UPDATING_MODIFIERS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "QUICK"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What the filters look at: a database (CREATE, ALTER, DROP DATABASE), tables in order, or ``None``: not known."""

    tables: tuple[TableName, ...] | None = None
    database: str | None = None


def updated(text: str, schema: str, mode: Mode = DEFAULT) -> Reading:
    """The tables that the statement updates, in the order in which the servers' filters look at them."""
    found = {_read(stripped(reading), schema) for reading in readings(text, mode)}
    return found.pop() if len(found) == 1 else Reading()


def _read(found: Sequence[Token], schema: str) -> Reading:
    head = found[0].keyword if found else ""
    cursor = Cursor(found, schema)
    database = _database(cursor)
    if database is not None:
        return Reading(database=database)
    cursor.at = 0
    if head in ("INSERT", "REPLACE", "UPDATE", "DELETE"):
        return Reading(_by_dml(cursor))
    return Reading(_by_ddl(cursor))


def _database(cursor: Cursor) -> str | None:
    for verb in ("CREATE", "ALTER", "DROP"):
        if cursor.take(verb):
            cursor.take("OR", "REPLACE")
            if not (cursor.take("DATABASE") or cursor.take("SCHEMA")):
                return None
            _ = cursor.take("IF", "EXISTS") or cursor.take("IF", "NOT", "EXISTS")
            return cursor.token.text if cursor.token.names else None
    return None


def _by_ddl(cursor: Cursor) -> tuple[TableName, ...] | None:
    if cursor.take("TRUNCATE"):
        cursor.take("TABLE")
        return _one(cursor)
    if cursor.take("RENAME", "TABLE") or cursor.take("RENAME", "TABLES"):
        return cursor.renamed()
    if cursor.take("DROP"):
        return _dropped(cursor)
    if cursor.take("ALTER"):
        cursor.take_any(frozenset({"ONLINE", "OFFLINE", "IGNORE"}))
        return _one(cursor) if cursor.take("TABLE") and cursor.take_existence() else None
    if cursor.take("CREATE"):
        return _created(cursor)
    return None


def _one(cursor: Cursor) -> tuple[TableName, ...] | None:
    return _optional(cursor.table())


def _optional(table: TableName | None) -> tuple[TableName, ...] | None:
    return None if table is None else (table,)


def _dropped(cursor: Cursor) -> tuple[TableName, ...] | None:
    cursor.take("TEMPORARY")
    if cursor.take("TABLE") or cursor.take("TABLES"):
        cursor.take_existence()
        found = cursor.list()
        _ = cursor.take("CASCADE") or cursor.take("RESTRICT")
        return found
    return _optional(cursor.indexed()) if cursor.take("INDEX") else None


def _created(cursor: Cursor) -> tuple[TableName, ...] | None:
    cursor.take("OR", "REPLACE")
    cursor.take("TEMPORARY")
    if cursor.take("TABLE"):
        cursor.take_existence()
        return _one(cursor)
    cursor.take_any(frozenset({"UNIQUE", "FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE"}))
    return _optional(cursor.indexed()) if cursor.take("INDEX") else None


def _by_dml(cursor: Cursor) -> tuple[TableName, ...] | None:
    """Single-table INSERT, REPLACE, UPDATE and DELETE; the multi-table forms have an order of their own."""
    verb = cursor.token.keyword
    cursor.at += 1
    cursor.take_any(_UPDATING_MODIFIERS)
    if verb == "DELETE":
        if not cursor.take("FROM"):
            return None
        return _one(cursor) if _single(cursor) else None
    if verb == "UPDATE":
        return _one(cursor) if _single(cursor) else None
    cursor.take("INTO")
    return _one(cursor)


def _single(cursor: Cursor) -> bool:
    """Whether one table alone stands here, looking ahead."""
    at = cursor.at
    table = cursor.table()
    follows = cursor.token
    cursor.at = at
    alone = follows.keyword in ("SET", "WHERE", "ORDER", "LIMIT", "PARTITION", "RETURNING", "FORCE") or not follows.text
    return table is not None and alone
