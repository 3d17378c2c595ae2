r"""Canonical values of PostgreSQL as literals, and as conditions that hold for exactly one value.

A value is written as the text that its type's output function gives, which is what reading yields; the column's type
reads it. Text with control characters is written with escapes, so that a statement stays on its line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.postgresql.quoting import quoted
from replguard.engines.sqlfiles import Quoted, statement
from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from replguard.engines.base import Value
    from replguard.model.tables import Column

NULL = Quoted("NULL")
_INTEGER = re.compile(rb"-?\d+")
_PLAIN = re.compile(
    r"(boolean|uuid|bytea|date|timestamp(\(\d\))? with(out)? time zone|time(\(\d\))? without time zone)"
)
"""Types whose equal values are the same, as the server spells them."""
_TEXT = re.compile(r"(text|character varying(\(\d+\))?)")


def literal(column: Column, value: Value) -> Quoted:
    """What to write for this value."""
    if value is None:
        return NULL
    if column.kind is ColumnKind.binary:
        return Quoted(rf"'\x{value.hex()}'")
    if column.kind is ColumnKind.integer and _INTEGER.fullmatch(value):
        return Quoted(value.decode())
    return text(value)


def exact(column: Column, value: Value) -> Quoted:
    """The condition that the column holds this very value."""
    if value is None:
        return _is("null", column)
    if column.kind is not ColumnKind.text or _PLAIN.fullmatch(column.type):
        return _is("plain", column, literal(column, value))
    if _TEXT.fullmatch(column.type):
        return _is("plain" if column.collation is None else "text", column, text(value))
    return _is("xml" if column.type == "xml" else "output", column, text(value))


def text(value: bytes) -> Quoted:
    r"""A string literal in which no character ends the line or means anything.

    >>> print(text("it's".encode()), text(b"a\n\\b"), text(b"\xff"))
    'it''s' E'a\n\\b' E'\xff'
    """
    shown = value.decode("utf-8", "surrogateescape")
    if shown.isprintable() and "\\" not in shown:
        return Quoted("'" + shown.replace("'", "''") + "'")
    return Quoted("E'" + "".join(map(_escaped, shown)) + "'")


_ESCAPES = {"\n": r"\n", "\t": r"\t", "\r": r"\r", "\\": r"\\", "'": "''"}


def _escaped(character: str) -> str:
    known = _ESCAPES.get(character)
    if known or character.isprintable():
        return known or character
    number = ord(character)
    if 0xDC80 <= number <= 0xDCFF:
        return rf"\x{number - 0xDC00:02x}"
    return rf"\u{number:04x}" if number <= 0xFFFF else rf"\U{number:08x}"


def _is(how: str, column: Column, value: Quoted | None = None) -> Quoted:
    slots = {} if value is None else {"value": value}
    return statement("postgresql", f"repair/guard_{how}", column=quoted(column.name), **slots)
