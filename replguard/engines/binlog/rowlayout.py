"""How the columns of a table map are named, decoded, and which are the key.

Names come from the table map itself where ``binlog_row_metadata=FULL`` wrote them: they are of that very moment. Else
they come from the catalog's table, if its columns agree with the table map in number, types, signs and NULLs; where
they do not, the table was altered since, and nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog import rowvalues
from replguard.engines.binlog.binaryjson import json_text
from replguard.engines.binlog.catalog import BINARIES, GEOMETRIES, base_type
from replguard.engines.binlog.charsets import charset_of, decoded
from replguard.engines.binlog.columntypes import NUMBERS, OLD_SIZES, OLD_TEMPORALS, TEXTS, TypeCode, Wire
from replguard.engines.binlog.events import NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.binlog.events import Flavour
    from replguard.engines.binlog.rowvalues import Decode
    from replguard.engines.binlog.tablemaps import MappedColumn, MappedTable
    from replguard.model.tables import Column, Table

_TIMES = {
    "time": {TypeCode.TIME, TypeCode.OLD_TIME},
    "datetime": {TypeCode.DATETIME, TypeCode.OLD_DATETIME},
    "timestamp": {TypeCode.TIMESTAMP, TypeCode.OLD_TIMESTAMP},
}
_SIMPLE = {
    "tinyint": TypeCode.TINY,
    "smallint": TypeCode.SHORT,
    "mediumint": TypeCode.INT24,
    "int": TypeCode.LONG,
    "bigint": TypeCode.LONGLONG,
    "float": TypeCode.FLOAT,
    "double": TypeCode.DOUBLE,
    "year": TypeCode.YEAR,
    "date": TypeCode.DATE,
    "enum": TypeCode.ENUM,
    "set": TypeCode.SET,
    "json": TypeCode.JSON,
    **dict.fromkeys(GEOMETRIES, TypeCode.GEOMETRY),
}
_STRINGS = {
    "char": {TypeCode.STRING},
    "binary": {TypeCode.STRING},
    "varchar": {TypeCode.VARCHAR, TypeCode.VARCHAR_COMPRESSED},
    "varbinary": {TypeCode.VARCHAR, TypeCode.VARCHAR_COMPRESSED},
}
_LOBS = {"tiny": 1, "": 2, "medium": 3, "long": 4}
_ADDRESSES = {"uuid": 16, "inet6": 16, "inet4": 4}
_VERSIONED = (Wire(TypeCode.TIMESTAMP, 7, length=6),) * 2
_LABEL = re.compile(r"'((?:[^'\\]|''|\\.)*)'", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Layout:
    """By the column's place: how a value lies in a row, its name, what tells it. ``key`` holds places; ``None`` where
    it is not known. ``names`` is empty where names are not known.
    """

    wires: tuple[Wire, ...]
    names: tuple[str, ...] = ()
    decoders: tuple[Decode, ...] = ()
    key: tuple[int, ...] | None = None


def layout(mapped: MappedTable, shape: Table | None, flavour: Flavour) -> Layout:
    """What is known of the table map's columns. Raises NotUnderstood where not even their sizes can be told."""
    columns = _described(mapped, shape, flavour)
    wires = tuple(_sized(each.wire, column, flavour) for each, column in zip(mapped.columns, columns, strict=True))
    known = [column is not None for column in columns]
    if mapped.named:
        names = tuple(str(each.name) for each in mapped.columns)
    elif shape and all(known[: len(shape.columns)]):
        hidden = ("row_start", "row_end") if len(wires) > len(shape.columns) else ()
        names = (*(column.name for column in shape.columns), *hidden)
    else:
        return Layout(wires)
    parts = zip(wires, mapped.columns, columns, strict=True)
    decoders = tuple(decoder(wire, each, column) for wire, each, column in parts)
    return Layout(wires, names, decoders, _key(mapped, shape, names))


def _key(mapped: MappedTable, shape: Table | None, names: tuple[str, ...]) -> tuple[int, ...] | None:
    if mapped.key is not None:
        return mapped.key
    if shape is None or not shape.key or not set(shape.key) <= set(names):
        return None
    return tuple(names.index(name) for name in shape.key)


def _described(mapped: MappedTable, shape: Table | None, flavour: Flavour) -> list[Column | None]:
    """The catalog's column for each of the table map's, by name or else by place; ``None`` where none agrees."""
    nothing: list[Column | None] = [None] * len(mapped.columns)
    if shape is None:
        return nothing
    if mapped.named:
        by_name = {column.name: column for column in shape.columns}
        found = [by_name.get(str(each.name)) for each in mapped.columns]
    else:
        missing = len(mapped.columns) - len(shape.columns)
        if missing and (missing != 2 or flavour != "mariadb" or not _is_versioned(mapped)):
            return nothing
        found = [*shape.columns, *[None] * missing]
    agreed = [
        column if column and agrees(each, column) else None for each, column in zip(mapped.columns, found, strict=True)
    ]
    return agreed if mapped.named or agreed == found else nothing


def _is_versioned(mapped: MappedTable) -> bool:
    """MariaDB's hidden bounds of a system-versioned row stand last, and the catalog does not list them."""
    return tuple(each.wire for each in mapped.columns[-2:]) == _VERSIONED


def agrees(mapped: MappedColumn, column: Column) -> bool:
    """Whether the catalog's column can be the one that the table map describes."""
    wire, name = mapped.wire, base_type(column.type)
    if mapped.nullable != column.nullable:
        return False
    if wire.code in NUMBERS and mapped.unsigned not in (None, _is_unsigned(column)):
        return False
    if name in _SIMPLE:
        return wire.code is _SIMPLE[name]
    numbers = _numbers(column.type)
    if name in _TIMES:
        digits = numbers[0] if numbers else 0
        return wire.code in _TIMES[name] and (wire.length == digits or wire.code in OLD_TEMPORALS)
    if name == "decimal":
        return wire.code is TypeCode.DECIMAL and [wire.length, wire.scale] == numbers
    if name == "bit":
        return wire.code is TypeCode.BIT and wire.length == numbers[0]
    if name in _STRINGS:
        return wire.code in _STRINGS[name] and _fits(wire, numbers[0]) and _same_charset(mapped, column)
    if name in _ADDRESSES:
        return wire.code is TypeCode.STRING and wire.length == _ADDRESSES[name]
    if name == "vector":
        return wire.code in (TypeCode.VECTOR, TypeCode.VARCHAR)
    return _is_lob(mapped, name) and _same_charset(mapped, column)


def _is_lob(mapped: MappedColumn, name: str) -> bool:
    size = _LOBS.get(name.removesuffix("blob").removesuffix("text")) if name.endswith(("blob", "text")) else None
    return mapped.wire.code in (TypeCode.BLOB, TypeCode.BLOB_COMPRESSED) and mapped.wire.prefix == size


def _fits(wire: Wire, characters: int) -> bool:
    """A string of so many characters of one to four bytes; MariaDB's compressed ones have a byte more."""
    length = wire.length - (wire.code is TypeCode.VARCHAR_COMPRESSED)
    return length in [characters * width for width in (1, 2, 3, 4)]


def _same_charset(mapped: MappedColumn, column: Column) -> bool:
    said = charset_of(mapped.collation) if mapped.collation is not None else None
    return said is None or _modern(said) == _modern(_charset(column))


def _modern(charset: str) -> str:
    return "utf8mb3" if charset == "utf8" else charset


def _charset(column: Column) -> str:
    return (column.collation or "binary").partition("_")[0]


def _is_unsigned(column: Column) -> bool:
    words = column.type.split()
    return "unsigned" in words or "zerofill" in words or base_type(column.type) == "year"


def _numbers(full: str) -> list[int]:
    """The numbers in the type's brackets.

    >>> _numbers("decimal(10,2) unsigned"), _numbers("text /*M!100301 COMPRESSED*/")
    ([10, 2], [])
    """
    found = re.match(r"\w+\(([\d,]+)\)", full)
    return [int(number) for number in found[1].split(",")] if found else []


def _sized(wire: Wire, column: Column | None, flavour: Flavour) -> Wire:
    """The size of MariaDB's old times depends on digits of which the table map says nothing."""
    if flavour != "mariadb" or wire.code not in OLD_TEMPORALS:
        return wire
    if column is None:
        raise NotUnderstood("a time in the format before MariaDB 10.1 whose digits no catalog tells")
    digits = (_numbers(column.type) or [0])[0]
    return wire._replace(size=OLD_SIZES[wire.code][digits], length=digits)


def decoder(wire: Wire, mapped: MappedColumn, column: Column | None) -> Decode:
    """What tells a value of the column."""
    code = wire.code
    if code in NUMBERS or code is TypeCode.BIT:
        return _number(wire, mapped, column)
    if code in (TypeCode.ENUM, TypeCode.SET):
        names = _labels(mapped, column)
        return rowvalues.labels(names, code) if names is not None else rowvalues.untold
    if code in (TypeCode.VECTOR, TypeCode.GEOMETRY):
        return rowvalues.binary
    if code is TypeCode.JSON:
        return json_text
    if code in TEXTS:
        return _string(wire, mapped, column)
    return rowvalues.times(wire) if code not in OLD_TEMPORALS or not wire.length else rowvalues.untold


def _number(wire: Wire, mapped: MappedColumn, column: Column | None) -> Decode:
    if wire.code is TypeCode.BIT:
        return rowvalues.bits
    if wire.code is TypeCode.YEAR:
        return rowvalues.year
    if wire.code in (TypeCode.FLOAT, TypeCode.DOUBLE):
        return rowvalues.real(wire)
    if wire.code is TypeCode.DECIMAL:
        return rowvalues.decimal(wire, zerofill=column is not None and "zerofill" in column.type)
    unsigned = mapped.unsigned if column is None else _is_unsigned(column)
    return rowvalues.untold if unsigned is None else rowvalues.integers(wire, unsigned=unsigned)


def _string(wire: Wire, mapped: MappedColumn, column: Column | None) -> Decode:
    if column is not None:
        name = base_type(column.type)
        if name in _ADDRESSES:
            return rowvalues.address(name)
        charset: str | None = "binary" if name in BINARIES else _charset(column)
    else:
        charset = charset_of(mapped.collation) if mapped.collation is not None else None
    padded = wire.code is TypeCode.STRING
    if charset is None:
        return rowvalues.untold
    if charset == "binary":
        inner = rowvalues.padded_binary(wire.length) if padded else rowvalues.binary
    else:
        inner = rowvalues.text(charset, padded=padded)
    squeezed = wire.code in (TypeCode.BLOB_COMPRESSED, TypeCode.VARCHAR_COMPRESSED)
    return rowvalues.compressed(inner) if squeezed else inner


def _labels(mapped: MappedColumn, column: Column | None) -> Sequence[str] | None:
    if mapped.labels is not None and mapped.collation is not None:
        try:
            return [decoded(label, charset_of(mapped.collation) or "") for label in mapped.labels]
        except (UnicodeDecodeError, LookupError):
            return None
    return labels_of(column.type) if column else None


def labels_of(full: str) -> list[str]:
    r"""The labels in the type of an ENUM or SET as the catalog spells it.

    >>> labels_of(r"enum('a','b''c','d\\e','')")
    ['a', "b'c", 'd\\e', '']
    """
    return [_unescaped(label) for label in _LABEL.findall(full)]


_ESCAPES = {"0": "\0", "n": "\n", "r": "\r"}


def _unescaped(label: str) -> str:
    return re.sub(r"''|\\(.)", lambda found: _ESCAPES.get(found[1], found[1] or "'"), label, flags=re.DOTALL)
