"""The tables that a statement updates, as the servers' filters look at them: in their order, or not known at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.cursor import Cursor
from replguard.engines.binlog.tableroles import object_kind, stripped, subject
from replguard.engines.binlog.tokens import DEFAULT, Mode, readings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.binlog.tokens import Token
    from replguard.model.tables import TableName

_UPDATING_MODIFIERS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "QUICK"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What the filters look at: a database (CREATE, ALTER, DROP DATABASE), tables in order, or ``None``: not known.

    Without any table (making an event, a routine) the rules for tables do not look at the statement at all.
    """

    tables: tuple[TableName, ...] | None = None
    database: str | None = None


def updated(text: str, schema: str, mode: Mode = DEFAULT) -> Reading:
    """The tables that the statement updates, in the order in which the servers' filters look at them."""
    found = {_read(stripped(reading), schema) for reading in readings(text, mode)}
    return found.pop() if len(found) == 1 else Reading()


def _read(found: Sequence[Token], schema: str) -> Reading:
    head = found[0].keyword if found else ""
    cursor = Cursor(found, schema)
    if head in ("CREATE", "ALTER", "DROP"):
        return _defined(cursor)
    if head in ("INSERT", "REPLACE", "UPDATE", "DELETE"):
        return Reading(_by_dml(cursor))
    if cursor.take("TRUNCATE"):
        cursor.take("TABLE")
        return Reading(_one(cursor))
    if cursor.take("RENAME", "TABLE") or cursor.take("RENAME", "TABLES"):
        return Reading(cursor.renamed())
    return Reading()


def _defined(cursor: Cursor) -> Reading:
    verb, (kind, at) = cursor.token.keyword, object_kind(cursor.rest)
    cursor.at = at + 1
    cursor.take_existence()
    if kind in ("DATABASE", "SCHEMA"):
        return Reading(database=cursor.token.text if cursor.token.names else None)
    if kind in ("EVENT", "PROCEDURE", "FUNCTION", "PACKAGE"):
        return Reading(())
    if kind == "TRIGGER" and verb == "CREATE":
        return Reading(_optional(subject(cursor)))
    if kind == "INDEX":
        return Reading(_optional(cursor.indexed()))
    if kind not in ("TABLE", "TABLES", "VIEW", "SEQUENCE"):
        return Reading()
    if verb == "DROP":
        return Reading(cursor.list())
    return Reading(_with_exchanged(cursor) if verb == "ALTER" and kind == "TABLE" else _one(cursor))


def _with_exchanged(cursor: Cursor) -> tuple[TableName, ...] | None:
    """EXCHANGE PARTITION updates both tables."""
    own = cursor.table()
    if own is None:
        return None
    while not cursor.ended:
        if cursor.take("WITH", "TABLE"):
            other = cursor.table()
            return None if other is None else (own, other)
        cursor.at += 1
    return (own,)


def _one(cursor: Cursor) -> tuple[TableName, ...] | None:
    return _optional(cursor.table())


def _optional(table: TableName | None) -> tuple[TableName, ...] | None:
    return None if table is None else (table,)


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
