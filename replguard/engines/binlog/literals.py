"""Canonical values of MySQL and MariaDB as literals, and as conditions that hold for exactly one value.

The inverse of :func:`replguard.engines.binlog.rows.reader`: what is written by such a literal reads as the same bytes.
Text is written as it is where all of it is printable and without a backslash, else by its bytes, so that no client and
no ``sql_mode`` can read it otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.binlog.catalog import BINARIES, INTEGERS, base_type
from replguard.engines.binlog.charsets import ONE_TO_ONE, encoded
from replguard.engines.binlog.connection import quoted
from replguard.engines.binlog.rows import TEXTS
from replguard.engines.sqlfiles import Quoted, statement
from replguard.errors import Unsupported

if TYPE_CHECKING:
    from replguard.engines.base import Value
    from replguard.model.tables import Column

_NUMBER = re.compile(rb"-?\d+(\.\d+)?(e[-+]?\d+)?")
_TIME = re.compile(rb"-?[\d:. -]+")
_TIMES = frozenset({"date", "time", "datetime", "timestamp"})
_ADDRESSES = frozenset({"uuid", "inet4", "inet6"})
_WIDE = {"ucs2": "utf-16-be", "utf16": "utf-16-be", "utf16le": "utf-16-le"}
_UNFINISHED_DATE = re.compile(rb"-00|0000-|-3[01]|-29")
NULL = Quoted("NULL")


def literal(column: Column, value: Value) -> Quoted:
    """What to write for this value. Unsupported for a type or value that cannot be written exactly."""
    if value is None:
        return NULL
    name = base_type(column.type)
    if name in INTEGERS or name == "decimal":
        return _number(column, value)
    if name in {"float", "double"}:
        # With an exponent it is a DOUBLE to the server, without one a DECIMAL.
        number = _number(column, value)
        return number if "e" in number else Quoted(f"{number}e0")
    if name in _TIMES:
        return Quoted(f"'{_matched(column, _TIME, value)}'")
    if name in BINARIES:
        return _hex(value)
    if name in {"enum", "set"}:
        label, number_of = _label(column, value)
        return number_of if label is None else label
    if name == "json":
        return _sql("json", text=_text(column, value))
    if name in TEXTS or name in _ADDRESSES:
        return _stored(column, value) if _is_marked(column, value) else _readable(column, value)
    raise _cannot(column)


def exact(column: Column, value: Value) -> Quoted:
    """The condition that the column holds this very value."""
    if value is None:
        return _is(column, "null")
    name = base_type(column.type)
    if name == "bit":
        return _is(column, "bit", _number(column, value))
    if name in INTEGERS or name == "decimal":
        return _is(column, "number", _number(column, value))
    if name in {"float", "double"}:
        if value.lstrip(b"-") == b"0":
            return _is(column, "zero", Quoted(f"'{_number(column, value)}'"))
        return _is(column, "float", literal(column, value))
    if name in _TIMES:
        return _is(column, "shown", Quoted(f"'{_matched(column, _TIME, value)}'"))
    if name in BINARIES:
        return _is(column, "bytes", _hex(value))
    if name in {"enum", "set"}:
        label, number = _label(column, value)
        return _is(column, "label", number) if label is None else _is(column, "text", label)
    if name == "json":
        return _is(column, "text", _text(column, value))
    if name in TEXTS or name in _ADDRESSES:
        if _is_beyond_ascii(column, value):
            return _is(column, "bytes", _hex(encoded(value.decode(), "latin1")))
        if _is_marked(column, value) or _surrogates(value):
            return _is(column, "bytes", _stored(column, value))
        return _is(column, "text", _readable(column, value))
    raise _cannot(column)


def indexed(column: Column, value: Value) -> Quoted | None:
    """A condition by which the server finds the value in an index, and perhaps others beside it; None where there is
    none that is sure to hold for the value itself.
    """
    name = base_type(column.type)
    if value is None or name == "json" or (name in _TIMES and _UNFINISHED_DATE.search(value)):
        return None
    if name in {"enum", "set"} and _label(column, value)[0] is None:
        return None
    if name in TEXTS and _charset(column) not in ONE_TO_ONE:
        return None
    return statement("binlog", "key_value", column=quoted(column.name), value=literal(column, value))


def is_error_value(column: Column, value: Value) -> bool:
    """Whether the value is what an ENUM holds in place of a label that it does not have: only IGNORE writes it."""
    return value is not None and base_type(column.type) == "enum" and _label(column, value)[1] == "0"


def _sql(name: str, **slots: Quoted) -> Quoted:
    return statement("binlog", f"repair/{name}", **slots)


def _is(column: Column, how: str, value: Quoted | None = None) -> Quoted:
    slots = {} if value is None else {"value": value}
    return _sql(f"guard_{how}", column=quoted(column.name), **slots)


def _number(column: Column, value: bytes) -> Quoted:
    return Quoted(_matched(column, _NUMBER, value))


def _matched(column: Column, pattern: re.Pattern[bytes], value: bytes) -> str:
    if not pattern.fullmatch(value):
        raise Unsupported(f"{value!r} is no value of column {column.name}")
    return value.decode()


def _hex(value: bytes) -> Quoted:
    return Quoted(f"X'{value.hex()}'")


def _charset(column: Column) -> str:
    return (column.collation or "binary").partition("_")[0]


def _label(column: Column, value: bytes) -> tuple[Quoted | None, Quoted]:
    """The label to write, None where only the number will do; and the number, 0 where it is not known nor needed."""
    text, zero, number = value.partition(b"\0")
    if zero and "''" in column.type:
        return None, _number(column, number)
    return (_text(column, text) if text else None), Quoted("" if text else "0")


def _is_marked(column: Column, value: bytes) -> bool:
    """Whether the bytes as stored stand behind the text, since the text alone does not tell."""
    return base_type(column.type) in TEXTS and _charset(column) not in ONE_TO_ONE and b"?" in value


def _is_beyond_ascii(column: Column, value: bytes) -> bool:
    """Whether the column is of ASCII and the value is not, which MariaDB keeps; it is read as latin1 then."""
    return _charset(column) == "ascii" and base_type(column.type) in TEXTS and not value.isascii()


def _readable(column: Column, value: bytes) -> Quoted:
    if _charset(column) == "binary" and base_type(column.type) in TEXTS:
        return _hex(value)
    if _is_beyond_ascii(column, value):
        return statement("binlog", "ascii_literal", bytes=_hex(encoded(value.decode(), "latin1")))
    return _stored(column, value) if _surrogates(value) else _text(column, value)


def _text(column: Column, value: bytes) -> Quoted:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise _cannot(column) from None
    if text.isprintable() and "\\" not in text:
        return _sql("text", text=Quoted("'" + text.replace("'", "''") + "'"))
    return statement("binlog", "utf8_literal", bytes=_hex(value))


def _surrogates(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return True
    return False


def _stored(column: Column, value: bytes) -> Quoted:
    """The bytes as the column stores them: behind the text, or, of half a pair of surrogates, made from it."""
    if _is_marked(column, value):
        return _hex(bytes.fromhex(value.rpartition(b"\0")[2].decode()))
    encoding = _WIDE.get(_charset(column))
    if encoding is None:
        raise _cannot(column)
    try:
        return _hex(value.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass"))
    except UnicodeDecodeError:
        raise _cannot(column) from None


def _cannot(column: Column) -> Unsupported:
    return Unsupported(
        f"a value of column {column.name} of type {column.type} cannot be written exactly",
        remedy="copy this row by the server's own dump",
    )
