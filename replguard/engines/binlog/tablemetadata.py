"""What a table map may tell beyond types: signs, character sets, names, labels, the key.

Source: the servers' public descriptions of the table map's optional metadata; how much of it is written is up to
``binlog_row_metadata``. Each field has a number and a length; an unknown one is skipped, as the servers do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from replguard.engines.binlog import columntypes
from replguard.engines.binlog.columntypes import TypeCode
from replguard.engines.binlog.events import Damage, Fields, NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.binlog.columntypes import Wire


class _Field(IntEnum):
    signs = 1
    default_charset = 2
    column_charset = 3
    column_name = 4
    set_labels = 5
    enum_labels = 6
    geometry_type = 7
    simple_key = 8
    key_with_prefix = 9
    labels_default_charset = 10
    labels_column_charset = 11
    visibility = 12
    dimensions = 13


@dataclass(slots=True)
class Metadata:
    """By the column's place. ``key`` holds places in the order of the primary key; ``None`` where it is not told."""

    unsigned: dict[int, bool] = field(default_factory=dict)
    collations: dict[int, int] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    labels: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    key: tuple[int, ...] | None = None


def metadata(fields: Fields, wires: Sequence[Wire], *, mariadb: bool) -> Metadata:
    """Read to the end. Raises Damage or NotUnderstood for a field that does not fit the columns."""
    found = Metadata()
    while not fields.ended:
        kind = fields.number(1)
        inner = Fields(fields.take(fields.packed()))
        if kind == _Field.signs:
            _signs(found, inner, wires)
        elif kind in (_Field.default_charset, _Field.column_charset):
            _charsets(found, inner, _texts(wires, mariadb=mariadb), default=kind == _Field.default_charset)
        elif kind in (_Field.labels_default_charset, _Field.labels_column_charset):
            of_labels = _places(wires, {TypeCode.ENUM, TypeCode.SET})
            _charsets(found, inner, of_labels, default=kind == _Field.labels_default_charset)
        elif kind == _Field.column_name:
            found.names = tuple(inner.text(inner.packed()) for _ in wires)
        elif kind in (_Field.set_labels, _Field.enum_labels):
            _labels(found, inner, _places(wires, {TypeCode.SET if kind == _Field.set_labels else TypeCode.ENUM}))
        elif kind in (_Field.simple_key, _Field.key_with_prefix):
            found.key = _key(inner, len(wires), prefixes=kind == _Field.key_with_prefix)
        else:
            continue
        if not inner.ended:
            raise NotUnderstood("metadata of a table map that is longer than its columns need")
    return found


def _places(wires: Sequence[Wire], codes: set[TypeCode] | frozenset[TypeCode]) -> list[int]:
    return [place for place, wire in enumerate(wires) if wire.code in codes]


def _texts(wires: Sequence[Wire], *, mariadb: bool) -> list[int]:
    """The columns that the lists of character sets count: MySQL counts its vectors, MariaDB its geometries."""
    return _places(wires, columntypes.TEXTS | {TypeCode.GEOMETRY if mariadb else TypeCode.VECTOR})


def _signs(found: Metadata, fields: Fields, wires: Sequence[Wire]) -> None:
    """One bit a number, the highest first."""
    places = _places(wires, columntypes.NUMBERS)
    bits = fields.take((len(places) + 7) // 8)
    for number, place in enumerate(places):
        found.unsigned[place] = bool(bits[number // 8] & 0x80 >> number % 8)


def _charsets(found: Metadata, fields: Fields, places: list[int], *, default: bool) -> None:
    """Collations by number: of each column, or one of most with the exceptions, which count the columns concerned."""
    if not default:
        found.collations.update((place, fields.packed()) for place in places)
        return
    found.collations.update(dict.fromkeys(places, fields.packed()))
    while not fields.ended:
        number = fields.packed()
        if number >= len(places):
            raise Damage("a table map gives a character set to a column that it has not")
        found.collations[places[number]] = fields.packed()


def _labels(found: Metadata, fields: Fields, places: list[int]) -> None:
    for place in places:
        found.labels[place] = tuple(fields.take(fields.packed()) for _ in range(fields.packed()))


def _key(fields: Fields, width: int, *, prefixes: bool) -> tuple[int, ...]:
    places: list[int] = []
    while not fields.ended:
        places.append(fields.packed())
        if prefixes:
            fields.packed()
    if not places or max(places) >= width:
        raise Damage("a table map's key has a column that the table has not")
    return tuple(places)
