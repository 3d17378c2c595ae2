"""MySQL's binary JSON as the text that the server prints.

Source: the server's public description of the format. A value is a type and its data; of an object or array first
number and size, then where each key lies, then type and place of each value (small ones stand there themselves), then
keys and values. The small form has offsets of two bytes, the large one of four.
"""

from __future__ import annotations

import base64
import json
from struct import Struct
from struct import error as StructError  # noqa: N812 - the module's own name for it says nothing
from typing import TYPE_CHECKING, NamedTuple

from replguard.engines.binlog import rowtimes
from replguard.engines.binlog.columntypes import TypeCode, Wire, decimal_size
from replguard.engines.binlog.rowvalues import Untold, decimal, float_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.binlog.rowvalues import Bytes, Told

_SMALL_OBJECT, _LARGE_OBJECT, _SMALL_ARRAY, _LARGE_ARRAY, _LITERAL = range(5)
_DOUBLE, _STRING, _OPAQUE = 11, 12, 15
_INTEGERS = {
    5: Struct("<h"),
    6: Struct("<H"),
    7: Struct("<i"),
    8: Struct("<I"),
    9: Struct("<q"),
    10: Struct("<Q"),
}
_LITERALS = ("null", "true", "false")
_DEEPEST = 120
"""The server allows 100 levels."""


class _Way(NamedTuple):
    """How many values there may still be, and how deep this one lies."""

    left: Iterator[int]
    depth: int = 0

    def inside(self) -> _Way:
        if self.depth > _DEEPEST:
            raise Untold
        return self._replace(depth=self.depth + 1)


def json_text(data: Bytes, start: int, end: int) -> Told:
    """The value as text. Untold for data that is no JSON."""
    if start == end:
        return "null"
    try:
        # A value takes a byte at least: more of them than bytes would be places that overlap, without end perhaps.
        return _value(data[start], memoryview(data)[start:end], 1, _Way(iter(range(end - start))))
    except (IndexError, StructError, ValueError) as error:
        raise Untold from error


def _value(kind: int, data: memoryview, at: int, way: _Way) -> str:
    if next(way.left, None) is None:
        raise Untold
    if kind <= _LARGE_ARRAY:
        return _container(kind, data[at:], way.inside())
    if kind == _LITERAL:
        return _LITERALS[data[at]]
    if kind in _INTEGERS:
        return str(_INTEGERS[kind].unpack_from(data, at)[0])
    if kind == _DOUBLE:
        return double_text(Struct("<d").unpack_from(data, at)[0])
    if kind == _STRING:
        return _quoted(_sized(data, at))
    if kind == _OPAQUE:
        return _opaque(data[at], _sized(data, at + 1))
    raise Untold


def _container(kind: int, data: memoryview, way: _Way) -> str:
    """An object or array; all places count from its begin."""
    large, is_object = kind in (_LARGE_OBJECT, _LARGE_ARRAY), kind in (_SMALL_OBJECT, _LARGE_OBJECT)
    width = 4 if large else 2

    def number(at: int, size: int = width) -> int:
        if at + size > len(data):
            raise Untold
        return int.from_bytes(data[at : at + size], "little")

    count = number(0)
    keys = 2 * width
    values = keys + count * (width + 2) * is_object
    if values + count * (width + 1) > len(data):
        raise Untold
    found = []
    for place in range(count):
        entry = values + place * (width + 1)
        text = _entry(data, entry, number, large=large, way=way)
        if is_object:
            begin, length = number(keys + place * (width + 2)), number(keys + place * (width + 2) + width, 2)
            text = f"{_quoted(data[begin : begin + length])}: {text}"
        found.append(text)
    return f"{{{', '.join(found)}}}" if is_object else f"[{', '.join(found)}]"


def _entry(data: memoryview, entry: int, number: Callable[[int], int], *, large: bool, way: _Way) -> str:
    kind = data[entry]
    inline = kind in (_LITERAL, 5, 6) or (large and kind in (7, 8))
    return _value(kind, data, entry + 1 if inline else number(entry + 1), way)


def _sized(data: memoryview, at: int) -> memoryview:
    """Bytes behind their number, which is written by sevens of bits, the lowest first."""
    size = shift = 0
    while True:
        byte = data[at]
        size |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            break
    if at + size > len(data):
        raise Untold
    return data[at : at + size]


def _quoted(data: memoryview) -> str:
    return json.dumps(str(data, "utf-8"), ensure_ascii=False)


def double_text(value: float) -> str:
    """A double as JSON shows it: one that is whole has a fraction all the same.

    >>> double_text(1.0), double_text(1e300), double_text(0.5)
    ('1.0', '1e300', '0.5')
    """
    text = float_text(value)
    return text if "." in text or "e" in text else f"{text}.0"


def _opaque(kind: int, data: memoryview) -> str:
    """A value of a column's type inside JSON: decimals are numbers, times text, all else is in base64."""
    if kind == TypeCode.DECIMAL:
        precision, scale = data[0], data[1]
        wire = Wire(TypeCode.DECIMAL, decimal_size(precision, scale), length=precision, scale=scale)
        return str(decimal(wire, zerofill=False)(data, 2, len(data)))
    if kind in (TypeCode.DATE, TypeCode.OLD_DATETIME, TypeCode.OLD_TIMESTAMP, TypeCode.OLD_TIME):
        return f'"{_moment(kind, int.from_bytes(data[:8], "little", signed=True))}"'
    return f'"base64:type{kind}:{base64.b64encode(data).decode()}"'


def _moment(kind: int, packed: int) -> str:
    """Times as one number: what the row image holds too, and behind it 24 bits of microseconds."""
    if kind == TypeCode.OLD_TIME:
        return rowtimes.time((packed + (0x800000 << 24)).to_bytes(6, "big"), 6)
    text = rowtimes.date_time((packed + (0x8000000000 << 24)).to_bytes(8, "big"), 6)
    return text[:10] if kind == TypeCode.DATE else text
