"""Differences of every kind, planted into copies of rows: what a comparison must find, and nothing else. Pure.

A plant is the rows of both sides and what is to be found between them. Values are only put where values like them stand
already, or changed in ways that leave any value of the type one of the type: so a server stores them as they are.
"""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from replguard.engines.base import Row, Value
    from replguard.model.tables import Column, Table

    Edit = Callable[[Column, bytes], Value]

_TEXT = re.compile(r"(varchar|character varying|text|tinytext|mediumtext|longtext)(?:\((\d+)\))?", re.IGNORECASE)
_FLOAT = re.compile(r"(float|real|double( precision)?)", re.IGNORECASE)
_BYTES = re.compile(r"(varbinary|bytea|tinyblob|blob|mediumblob|longblob)\b", re.IGNORECASE)
_PLAIN_INTEGER = re.compile(r"(tiny|small|medium|big)?int(eger)?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plant:
    """Rows of both sides. ``found`` counts by kind what differs, ``keys`` are those of differing rows."""

    kind: str
    left: tuple[Row, ...]
    right: tuple[Row, ...]
    found: Counter[str]
    keys: frozenset[Row] = field(default=frozenset())


def plants(table: Table, columns: Sequence[str], width: int, rows: Sequence[Row]) -> Iterator[Plant]:
    """Every kind that these rows have room for; the first ``width`` columns are the key, none where there is none."""
    garden = _Garden([table.column(name) for name in columns], width, tuple(rows))
    yield from garden.of_rows()
    yield from garden.of_values()
    for kind, edit in _EDITS.items():
        yield from garden.edited(kind, edit)


class _Garden:
    def __init__(self, columns: Sequence[Column], width: int, rows: tuple[Row, ...]) -> None:
        self.columns = columns
        self.width = width
        self.rows = rows
        self.places = range(width, len(columns))
        """Of the columns that are not of the key."""

    def of_rows(self) -> Iterator[Plant]:
        """Rows that stand on one side alone, or more often there."""
        rows = self.rows
        if not rows:
            return
        yield self._plant("row missing", rows, rows[1:])
        yield self._plant("row extra", rows[:-1], rows)
        if not self.width:
            yield self._plant("row twice", rows, (*rows, rows[0]))
            # Cancels where hashes are combined by XOR.
            yield self._plant("row two times more", rows, (*rows, rows[0], rows[0]))

    def of_values(self) -> Iterator[Plant]:
        """Values in other rows than their own, NULL for a value, and a NULL for ''."""
        for place in self.places:
            if pair := self._unlike(place):
                first, second = pair
                here, there = self.rows[first][place], self.rows[second][place]
                yield self._changed("value of another row", {(first, place): there})
                yield self._changed("values exchanged", {(first, place): there, (second, place): here})
                break
        yield from self._exchanged_rows()
        nullable = [place for place in self.places if self.columns[place].nullable]
        for place in nullable:
            if row := next((number for number, row in enumerate(self.rows) if row[place] is not None), None):
                yield self._changed("NULL for a value", {(row, place): None})
                break
        texts = [place for place in nullable if _longest(self.columns[place]) and self.rows]
        if texts:
            emptied = self._with({(0, texts[0]): b""}, self.rows)
            yield self._plant("NULL for ''", emptied, self._with({(0, texts[0]): None}, emptied))
        yield from self._run_together()

    def edited(self, kind: str, edit: Edit) -> Iterator[Plant]:
        """The first value outside of the key that can be changed in this way."""
        for place in self.places:
            for number, row in enumerate(self.rows):
                value = row[place]
                changed = None if value is None else edit(self.columns[place], value)
                if changed is not None and changed != value:
                    yield self._changed(kind, {(number, place): changed})
                    return

    def _exchanged_rows(self) -> Iterator[Plant]:
        """Two keys exchange all their values, which cancels wherever columns are summed up one by one."""
        if self.width and len(self.rows) > 1 and self.rows[0][self.width :] != self.rows[1][self.width :]:
            first, second = self.rows[:2]
            ours = (*first[: self.width], *second[self.width :]), (*second[: self.width], *first[self.width :])
            yield self._plant("rows exchanged", self.rows, (*ours, *self.rows[2:]))

    def _run_together(self) -> Iterator[Plant]:
        """'a', 'bc' for 'ab', 'c'."""
        texts = [place for place in self.places if (_longest(self.columns[place]) or 0) > 2]
        for one, other in pairwise(texts):
            if self.rows and other == one + 1:
                whole = self._with({(0, one): b"ab", (0, other): b"c"}, self.rows)
                yield self._plant("columns run together", whole, self._with({(0, one): b"a", (0, other): b"bc"}, whole))
                return

    def _unlike(self, place: int) -> tuple[int, int] | None:
        """Two rows with unlike values there."""
        known = [number for number, row in enumerate(self.rows) if row[place] is not None]
        for number in known[1:]:
            if self.rows[number][place] != self.rows[known[0]][place]:
                return known[0], number
        return None

    def _changed(self, kind: str, values: dict[tuple[int, int], Value]) -> Plant:
        return self._plant(kind, self.rows, self._with(values, self.rows))

    @staticmethod
    def _with(values: dict[tuple[int, int], Value], rows: tuple[Row, ...]) -> tuple[Row, ...]:
        edited = [list(row) for row in rows]
        for (number, place), value in values.items():
            edited[number][place] = value
        return tuple(tuple(row) for row in edited)

    def _plant(self, kind: str, left: tuple[Row, ...], right: tuple[Row, ...]) -> Plant:
        """The plant with what is to be found, which follows from the rows of both sides."""
        if not self.width:
            ours, theirs = Counter(left), Counter(right)
            missing, extra = (ours - theirs).total(), (theirs - ours).total()
            return Plant(kind, left, right, Counter({"missing": missing, "extra": extra}))
        here, there = ({row[: self.width]: row for row in rows} for rows in (left, right))
        kinds = {
            key: "missing" if key not in there else "extra" if key not in here else "differs"
            for key in here.keys() | there.keys()
            if here.get(key) != there.get(key)
        }
        return Plant(kind, left, right, Counter(kinds.values()), frozenset(kinds))


def _longest(column: Column) -> int | None:
    """How many characters a text may have; None for what is no text of unlimited or varying length."""
    found = _TEXT.fullmatch(column.type.partition(" character set")[0].strip())
    if not found or column.kind is not ColumnKind.text:
        return None
    return int(found[2]) if found[2] else 200


def _as_text(column: Column, value: bytes) -> str | None:
    longest = _longest(column)
    if longest is None or b"\0" in value:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _trailing_blank(column: Column, value: bytes) -> Value:
    text = _as_text(column, value)
    return None if text is None or len(text) >= (_longest(column) or 0) else f"{text} ".encode()


def _case(column: Column, value: bytes) -> Value:
    text = _as_text(column, value)
    found = re.search(r"[A-Za-z]", text or "")
    if text is None or not found:
        return None
    return (text[: found.start()] + found[0].swapcase() + text[found.end() :]).encode()


def _letter(column: Column, value: bytes) -> Value:
    text = _as_text(column, value)
    return f"{text[:-1]}{'x' if text[-1] != 'x' else 'y'}".encode() if text else None


def _last_bit(column: Column, value: bytes) -> Value:
    """The next number that a FLOAT or DOUBLE can hold."""
    found = _FLOAT.fullmatch(column.type)
    number = float(value) if found else 0.0
    if not found or not math.isfinite(number) or number == 0.0:
        return None
    if found[1].lower().startswith("double"):
        return repr(math.nextafter(number, 0.0)).encode()
    bits = struct.unpack("<I", struct.pack("<f", number))[0]
    return repr(struct.unpack("<f", struct.pack("<I", bits - 1))[0]).encode()


def _scale(column: Column, value: bytes) -> Value:
    """1.0 for 1: only where a type keeps the scale of each value."""
    if column.type != "numeric" or not re.fullmatch(rb"-?\d+(\.\d+)?", value):
        return None
    return value + (b"0" if b"." in value else b".0")


def _bit(column: Column, value: bytes) -> Value:
    if not _BYTES.match(column.type) or column.kind is not ColumnKind.binary or not value:
        return None
    return value[:-1] + bytes([value[-1] ^ 1])


def _one_less(column: Column, value: bytes) -> Value:
    """A number nearer to 0, which any type that holds the one can hold."""
    number = int(value) if column.kind is ColumnKind.integer and _PLAIN_INTEGER.match(column.type) else 0
    return b"%d" % (number - (1 if number > 0 else -1)) if number else None


_EDITS: dict[str, Edit] = {
    "trailing blank": _trailing_blank,
    "other case": _case,
    "other letter": _letter,
    "last bit of a float": _last_bit,
    "scale of a number": _scale,
    "bit of a byte": _bit,
    "number by one": _one_less,
}
