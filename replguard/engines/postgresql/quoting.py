"""Identifiers as they may stand in a statement. Values go through the driver; nothing else is ever put into SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.sqlfiles import Quoted

if TYPE_CHECKING:
    from replguard.model.tables import TableName


def quoted(name: str) -> Quoted:
    """A name in double quotes, quotes inside doubled. ValueError for a name that no server can hold.

    >>> print(quoted('Order"; DROP--'))
    "Order""; DROP--"
    """
    if not name or "\0" in name:
        raise ValueError("a name is empty or holds a zero byte")
    return Quoted('"' + name.replace('"', '""') + '"')


def quoted_table(name: TableName) -> Quoted:
    """A table's full name.

    >>> from replguard.model.tables import TableName
    >>> print(quoted_table(TableName("st", "Event")))
    "st"."Event"
    """
    return Quoted(f"{quoted(name.schema)}.{quoted(name.name)}")


def replication_literal(text: str) -> Quoted:
    r"""A string in a replication command, whose grammar knows no escapes but the doubled quote.

    >>> print(replication_literal("it's a \\\\ sign"))
    'it''s a \\ sign'
    """
    if "\0" in text:
        raise ValueError("a string holds a zero byte")
    return Quoted("'" + text.replace("'", "''") + "'")
