"""Which rows have one of some keys, as a condition that finds at least these.

A key is given in the canonical form that reading yields. The server compares by its own rules, under which more may be
equal (letters of either case, trailing spaces, -0 and 0), never less; who reads keeps only what is equal exactly.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.binlog.catalog import BINARIES, INTEGERS, base_type
from replguard.engines.binlog.charsets import ONE_TO_ONE, encoded
from replguard.engines.binlog.connection import literal, quoted
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from replguard.engines.base import Row
    from replguard.model.tables import Column, Table

_NUMBER = re.compile(rb"-?\d+(\.\d+)?(e-?\d+)?")
_TIME = re.compile(rb"-?[\d:. -]+")
_TIMES = frozenset({"date", "time", "datetime", "timestamp"})
_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
_ADDRESSES = frozenset({"uuid", "inet4", "inet6"})
MOST_KEYS = 200
MOST_BYTES = 256 * 1024
"""A statement asks for so many keys at most, and is of about this size at most."""


def batches(keys: Iterable[Row]) -> Iterator[list[Row]]:
    """The keys in portions for one statement each. A key with a NULL is no row's."""
    batch: list[Row] = []
    size = 0
    for key in keys:
        if None in key:
            continue
        cost = sum(2 * len(value or b"") + 40 for value in key)
        if batch and (len(batch) >= MOST_KEYS or size + cost > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(key)
        size += cost
    if batch:
        yield batch


def condition(table: Table, keys: Sequence[Row]) -> Quoted:
    """What holds for all rows with these keys. Unsupported for a key column that cannot be compared, ValueError for a
    value that is none of its column's.
    """
    columns = [table.column(name) for name in table.key]
    alternatives = []
    for key in keys:
        parts = [_equals(column, value or b"") for column, value in zip(columns, key, strict=True)]
        alternatives.append(statement("binlog", "key_row", parts=joined(parts, " AND ")))
    return joined(alternatives, " OR ")


def comparable(column: Column, value: bytes) -> Quoted:
    """A value as a literal that the server compares by the column's own rules. Unsupported where there is none."""
    name = base_type(column.type)
    if name in INTEGERS or name == "decimal":
        return _number(column, value)
    if name in {"float", "double"}:
        # With an exponent it is a DOUBLE to the server, without one a DECIMAL.
        number = _number(column, value)
        return number if "e" in number else Quoted(f"{number}e0")
    if name in _TIMES:
        return literal(_matched(column, _TIME, value))
    if name in BINARIES:
        return _hex(value)
    if name in _TEXTS and _charset(column) == "ascii" and not value.isascii():
        return statement("binlog", "ascii_literal", bytes=_hex(encoded(value.decode(), "latin1")))
    if name in _ADDRESSES or (name in _TEXTS and _charset(column) in ONE_TO_ONE):
        return _utf8(value)
    raise _cannot(column)


def _equals(column: Column, value: bytes) -> Quoted:
    name = base_type(column.type)
    text, zero, tail = value.partition(b"\0")
    if name in {"enum", "set"}:
        return _label(column, text, tail if zero and "''" in column.type else None)
    if name in _TEXTS and _charset(column) not in ONE_TO_ONE:
        return _text(column, value)
    return _is(column, "key_value", comparable(column, value))


def _charset(column: Column) -> str:
    return (column.collation or "binary").partition("_")[0]


def _cannot(column: Column) -> Unsupported:
    return Unsupported(
        f"rows cannot be looked up by column {column.name} of type {column.type}",
        remedy="Name the table as local, or compare it whole.",
    )


def _label(column: Column, label: bytes, number: bytes | None) -> Quoted:
    """Where labels tell all, by label; but the empty one is the error value's, which has no label."""
    if number is not None:
        return _is(column, "key_number", _number(column, number))
    return _is(column, "key_value", _utf8(label)) if label else _is(column, "key_number", Quoted("0"))


def _text(column: Column, value: bytes) -> Quoted:
    text, marked, stored = value.rpartition(b"\0")
    if marked and b"?" in text:
        return _is(column, "key_bytes", _hex(bytes.fromhex(stored.decode())))
    try:
        value.decode()
    except UnicodeDecodeError:
        # Half a pair of surrogates is sent as bytes that the server itself does not take for text.
        raise _cannot(column) from None
    return _is(column, "key_text", _hex(value))


def _is(column: Column, how: str, value: Quoted) -> Quoted:
    return statement("binlog", how, column=quoted(column.name), value=value)


def _number(column: Column, value: bytes) -> Quoted:
    return Quoted(_matched(column, _NUMBER, value))


def _matched(column: Column, pattern: re.Pattern[bytes], value: bytes) -> str:
    """The value as text, if it can be one of such a column: nothing else gets into a statement."""
    if not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is no value of column {column.name}")
    return value.decode()


def _hex(value: bytes) -> Quoted:
    """Bytes as a literal in which no character has a meaning.

    >>> _hex(b"a'")
    "X'6127'"
    """
    return Quoted(f"X'{value.hex()}'")


def _utf8(value: bytes) -> Quoted:
    return statement("binlog", "utf8_literal", bytes=_hex(value))
