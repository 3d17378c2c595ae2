r"""A row as one binary string that the server itself builds, unlike for unlike rows.

What enters is each value's canonical form, as :mod:`replguard.engines.binlog.rows` reads it; but FLOAT and DOUBLE by
their bits, which costs the server a quarter of their text and tells the same values apart. Parts follow one another in
the order of the columns, so that reading them from the left can go only one way:

- text of any kind (numbers, dates and labels too) is UTF-8 and ends with FF, which UTF-8 never holds; NULL is FE; a
  long one is FD and its SHA-256
- bytes stand behind their number and FF; many of them are their SHA-256; NULL is FE and FF
- a FLOAT or DOUBLE is 25 bytes of which the first is 00; NULL is FE

A part that the server cannot build makes the whole NULL, never a shorter string.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.catalog import BINARIES, GEOMETRIES, INTEGERS, base_type
from replguard.engines.binlog.charsets import ONE_TO_ONE
from replguard.engines.binlog.connection import quoted
from replguard.engines.sqlfiles import Quoted, joined, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.model.tables import Column, Table

_LABELS = frozenset({"enum", "set"})
_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
_FLOATS = frozenset({"float", "double"})
_ADDRESSES = frozenset({"uuid", "inet4", "inet6"})
_LONG = frozenset({"mediumtext", "longtext", "json", "blob", "mediumblob", "longblob", "vector"})
_UTF8 = frozenset({"utf8mb4", "utf8mb3", "utf8"})
_BARE = frozenset({"decimal", "date", "time", "datetime", "timestamp"}) | INTEGERS | _FLOATS | _ADDRESSES
"""Types whose canonical form holds neither a comma nor a semicolon."""


def encoded_row(table: Table, columns: Sequence[str]) -> Quoted:
    """The row of these columns as one binary string."""
    parts = [part for name in columns for part in _encoded(table.column(name))]
    return _fragment("encoded_row", parts=joined(parts)) if parts else _fragment("encoded_nothing")


def canonical(column: Column) -> Quoted:
    """The value in canonical form: the bytes that reading the column gives."""
    name, plain = base_type(column.type), quoted(column.name)
    if name in {"bit", "year"} or (name in INTEGERS and "zerofill" in column.type):
        return _fragment("canonical_number", column=plain)
    if name in _FLOATS:
        return _fragment("exact_float", column=plain)
    if name in _ADDRESSES:
        return _fragment("canonical_text", column=plain)
    if name == "vector":
        return _fragment("exact_bytes", column=plain)
    if name in _LABELS:
        label = _as_utf8(column)
        return _fragment("canonical_numbered", label=label, column=plain) if "''" in column.type else label
    if name in _TEXTS and charset(column) not in ONE_TO_ONE:
        return _fragment("canonical_transcoded", text=_fragment("canonical_utf8", column=plain), column=plain)
    if name in _TEXTS and charset(column) == "ascii":
        return _fragment("canonical_utf8", column=_fragment("exact_ascii", column=plain))
    return _as_utf8(column) if name in _TEXTS else plain


def word_part(column: Column) -> Quoted:
    """The canonical form in letters, for a list of values."""
    value = canonical(column)
    return value if base_type(column.type) in _BARE else _fragment("word_hex", value=value)


def from_word(column: Column, part: bytes) -> bytes:
    """The canonical form from what :func:`word_part` gives."""
    return part if base_type(column.type) in _BARE else bytes.fromhex(part.decode())


def charset(column: Column) -> str:
    """The character set of a column of text."""
    return (column.collation or "binary").partition("_")[0]


def _as_utf8(column: Column) -> Quoted:
    plain = quoted(column.name)
    return plain if charset(column) in _UTF8 | {"binary"} else _fragment("canonical_utf8", column=plain)


def _encoded(column: Column) -> list[Quoted]:
    name, plain = base_type(column.type), quoted(column.name)
    if name in _FLOATS:
        return [_or_null(column, _fragment("encoded_double", column=plain))]
    value = canonical(column)
    if name in BINARIES or (name in _TEXTS | _LABELS and charset(column) == "binary"):
        return [_bytes(column, value)]
    if name in _LONG:
        value = _fragment("encoded_long_text", value=value)
    return [_fragment("encoded_text", value=_or_null(column, value))]


def _bytes(column: Column, value: Quoted) -> Quoted:
    length = _or_null(column, _fragment("encoded_length", value=value))
    if base_type(column.type) in _LONG | GEOMETRIES:
        value = _fragment("encoded_long_bytes", value=value)
    if column.nullable:
        value = _fragment("encoded_no_bytes", column=quoted(column.name), value=value)
    return _fragment("encoded_bytes", length=length, value=value)


def _or_null(column: Column, value: Quoted) -> Quoted:
    """Of a column that is told to be never NULL, a NULL makes the row NULL."""
    if not column.nullable:
        return value
    plain = quoted(column.name)
    if value == plain:
        return _fragment("encoded_or_null", column=plain)
    return _fragment("encoded_nullable", column=plain, value=value)


def _fragment(name: str, **slots: Quoted) -> Quoted:
    return statement("binlog", name, **slots)
