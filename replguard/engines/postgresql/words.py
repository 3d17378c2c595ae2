"""A row as one word without spaces: the hash in hex, then a part for each column of the key.

Words of many rows come as one text, split by spaces at C speed. A part is the column's canonical form: decimal digits
of an integer, of all other types hex.
"""

from __future__ import annotations

from binascii import unhexlify
from typing import TYPE_CHECKING

from replguard.engines.postgresql.catalog import INTEGERS
from replguard.engines.postgresql.quoting import quoted
from replguard.engines.postgresql.rowhash import BYTEA, fragment, printed
from replguard.engines.sqlfiles import Quoted, joined
from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from replguard.engines.base import Row
    from replguard.engines.postgresql.shapes import Shape
    from replguard.model.tables import Table


def key_parts(table: Table, shape: Shape) -> Quoted:
    """What follows the hash in a word."""
    return joined([fragment("word_part", value=_part(column, shape.columns[column].base)) for column in table.key], "")


def _part(column: str, base: int) -> Quoted:
    value = printed(quoted(column), base)
    if base in INTEGERS:
        return value
    return fragment("word_hex", value=value if base == BYTEA else fragment("row_utf8", value=value))


def key_of_word(table: Table, word: bytes) -> Row:
    r"""The key in canonical form. ValueError for a word that has none of the table.

    >>> from replguard.model.tables import Column, Table, TableName
    >>> columns = (Column("id", "int", ColumnKind.integer), Column("name", "text"))
    >>> key_of_word(Table(TableName("st", "t"), columns, ("id", "name")), b"7fff,-7,c3a9")
    (b'-7', b'\xc3\xa9')
    """
    parts = word.split(b",")[1:]
    kinds = [table.column(name).kind for name in table.key]
    return tuple(
        part if kind is ColumnKind.integer else unhexlify(part) for kind, part in zip(kinds, parts, strict=True)
    )
