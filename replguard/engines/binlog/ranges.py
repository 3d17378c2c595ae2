"""Rows of a range of keys, as conditions that an index serves.

A bound is compared by the column's own rules on each server. However these order keys, what is not below a bound is at
or above it: so ranges that share their bounds hold each row once. A bound of several columns is written out, since the
servers find no range by tuples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.catalog import INTEGERS, base_type
from replguard.engines.binlog.charsets import ONE_TO_ONE
from replguard.engines.binlog.connection import quoted
from replguard.engines.binlog.encoding import charset
from replguard.engines.binlog.rowkeys import comparable
from replguard.engines.sqlfiles import Quoted, joined, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Row
    from replguard.model.chunks import KeyRange
    from replguard.model.tables import Column, Table

_NUMBERS = INTEGERS - {"bit"} | {"decimal", "float", "double"}
_ORDERED = _NUMBERS | {"binary", "varbinary", "date", "time", "datetime", "timestamp", "uuid", "inet4", "inet6"}
_TEXTS = frozenset({"char", "varchar"})
"""The longer types have but the head of a value in an index, if it has an order at all."""


def has_ranges(table: Table) -> bool:
    """Whether every column of the key can be compared with a bound, by an order that its index has too."""
    return bool(table.key) and all(_is_ordered(table.column(name)) for name in table.key)


def where(table: Table, within: KeyRange) -> Quoted:
    """The WHERE clause of a range; empty for all rows of a table."""
    conditions = _conditions(table, within)
    return _fragment("within", condition=joined(conditions, " AND ")) if conditions else Quoted("")


def _conditions(table: Table, within: KeyRange) -> list[Quoted]:
    columns = [table.column(name) for name in table.key]
    nullable = [quoted(column.name) for column in columns if column.nullable]
    if within.nulls:
        absent = [_fragment("range_null", column=name) for name in nullable]
        return [_fragment("key_row", parts=joined(absent, " OR "))] if absent else [_fragment("range_nothing")]
    found = [_fragment("range_not_null", column=name) for name in nullable]
    if within.lower is not None:
        found.append(_bound(columns, _values(within.lower), "range_above", "range_from"))
    if within.upper is not None:
        found.append(_bound(columns, _values(within.upper), "range_below", "range_below"))
    return found


def _values(bound: Row) -> list[bytes]:
    values = [value for value in bound if value is not None]
    if len(values) < len(bound):
        raise ValueError("a bound of a range holds NULL")
    return values


def _bound(columns: Sequence[Column], values: Sequence[bytes], strictly: str, last: str) -> Quoted:
    """``strictly`` compares all columns but the last one: where these decide, the others do not count."""
    found = Quoted("")
    for column, value in reversed(list(zip(columns, values, strict=True))):
        slots = {"column": quoted(column.name), "value": comparable(column, value)}
        if not found:
            found = _fragment(last, **slots)
            continue
        decides, equal = _fragment(strictly, **slots), _fragment("key_value", **slots)
        found = _fragment("range_next", decides=decides, equal=equal, next=found)
    return found


def _is_ordered(column: Column) -> bool:
    name = base_type(column.type)
    return name in _ORDERED or (name in _TEXTS and charset(column) in ONE_TO_ONE)


def _fragment(name: str, **slots: Quoted) -> Quoted:
    return statement("binlog", name, **slots)
