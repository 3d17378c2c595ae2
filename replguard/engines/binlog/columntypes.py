"""Column types of a table map: how many bytes a value of each takes in a row.

Source: the servers' public descriptions of the table map event, and what MariaDB 10.11 and MySQL 9.7 write. A type is a
number and up to two bytes beside it; ENUM and SET travel inside the metadata of a string.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from replguard.engines.binlog.events import Damage, NotUnderstood

if TYPE_CHECKING:
    from replguard.engines.binlog.events import Fields


class TypeCode(IntEnum):
    """Types that a table map may name. What is not listed is written by no known server."""

    TINY = 1
    SHORT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    OLD_TIMESTAMP = 7
    LONGLONG = 8
    INT24 = 9
    DATE = 10
    OLD_TIME = 11
    OLD_DATETIME = 12
    YEAR = 13
    VARCHAR = 15
    BIT = 16
    TIMESTAMP = 17
    DATETIME = 18
    TIME = 19
    BLOB_COMPRESSED = 140
    VARCHAR_COMPRESSED = 141
    VECTOR = 242
    JSON = 245
    DECIMAL = 246
    ENUM = 247
    SET = 248
    TINY_BLOB = 249
    MEDIUM_BLOB = 250
    LONG_BLOB = 251
    BLOB = 252
    STRING = 254
    GEOMETRY = 255


_METADATA = {
    **dict.fromkeys((TypeCode.VARCHAR, TypeCode.VARCHAR_COMPRESSED, TypeCode.BIT, TypeCode.DECIMAL), 2),
    **dict.fromkeys((TypeCode.STRING, TypeCode.ENUM, TypeCode.SET), 2),
    **dict.fromkeys((TypeCode.FLOAT, TypeCode.DOUBLE, TypeCode.TIMESTAMP, TypeCode.DATETIME, TypeCode.TIME), 1),
    **dict.fromkeys((TypeCode.TINY_BLOB, TypeCode.BLOB, TypeCode.MEDIUM_BLOB, TypeCode.LONG_BLOB), 1),
    **dict.fromkeys((TypeCode.BLOB_COMPRESSED, TypeCode.VECTOR, TypeCode.JSON, TypeCode.GEOMETRY), 1),
}
_FIXED = {
    TypeCode.TINY: 1,
    TypeCode.SHORT: 2,
    TypeCode.INT24: 3,
    TypeCode.LONG: 4,
    TypeCode.LONGLONG: 8,
    TypeCode.YEAR: 1,
    TypeCode.DATE: 3,
    TypeCode.OLD_TIMESTAMP: 4,
    TypeCode.OLD_TIME: 3,
    TypeCode.OLD_DATETIME: 8,
}
_TEMPORAL = {TypeCode.TIMESTAMP: 4, TypeCode.DATETIME: 5, TypeCode.TIME: 3}
DIGIT_BYTES = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
"""Bytes of so many decimal digits, as DECIMAL packs them by nines."""
OLD_TEMPORALS = frozenset({TypeCode.OLD_TIMESTAMP, TypeCode.OLD_DATETIME, TypeCode.OLD_TIME})
"""Formats from before MySQL 5.6. MariaDB has them with fractions too, of which a table map says nothing."""
OLD_SIZES = {
    TypeCode.OLD_TIMESTAMP: (4, 5, 5, 6, 6, 7, 7),
    TypeCode.OLD_DATETIME: (8, 6, 6, 7, 7, 7, 8),
    TypeCode.OLD_TIME: (3, 4, 4, 5, 5, 5, 6),
}
"""Bytes by the digits of the fraction; none is the format of old."""
NUMBERS = frozenset(
    {
        *(TypeCode.TINY, TypeCode.SHORT, TypeCode.INT24, TypeCode.LONG, TypeCode.LONGLONG),
        *(TypeCode.YEAR, TypeCode.DECIMAL, TypeCode.FLOAT, TypeCode.DOUBLE),
    }
)
"""Types that the list of signs counts."""
TEXTS = frozenset({TypeCode.STRING, TypeCode.VARCHAR, TypeCode.BLOB, TypeCode.TINY_BLOB, TypeCode.MEDIUM_BLOB})
TEXTS |= {TypeCode.LONG_BLOB, TypeCode.BLOB_COMPRESSED, TypeCode.VARCHAR_COMPRESSED}


class Wire(NamedTuple):
    """One column's type. A value takes ``size`` bytes, or those of a length of ``prefix`` bytes and what it tells.

    ``length`` is the most bytes of a string, the bits of a BIT, the digits of a DECIMAL, those of a fraction of time;
    ``scale`` the digits of a DECIMAL after the point.
    """

    code: TypeCode
    size: int = 0
    prefix: int = 0
    length: int = 0
    scale: int = 0


def wire(number: int, metadata: Fields) -> Wire:
    """The type with its share of the metadata. Raises NotUnderstood for a type that nobody here knows."""
    try:
        code = TypeCode(number)
    except ValueError:
        raise NotUnderstood(f"column type {number}") from None
    said = metadata.take(_METADATA.get(code, 0))
    if code in _FIXED:
        return Wire(code, _FIXED[code])
    if code in _TEMPORAL:
        return _temporal(code, said[0])
    if code is TypeCode.STRING:
        return _string(said)
    if code in (TypeCode.ENUM, TypeCode.SET):
        return _labels(code, said[1])
    if code is TypeCode.DECIMAL:
        return _decimal(*said)
    if code is TypeCode.BIT:
        return _bit(*said)
    if code in (TypeCode.VARCHAR, TypeCode.VARCHAR_COMPRESSED):
        length = int.from_bytes(said, "little")
        return Wire(code, prefix=1 if length < 256 else 2, length=length)
    if code in (TypeCode.FLOAT, TypeCode.DOUBLE):
        return _float(code, said[0])
    if not 1 <= said[0] <= 4:
        raise Damage(f"lengths of {said[0]} bytes in a column of type {code.name}")
    return Wire(code, prefix=said[0])


def _float(code: TypeCode, size: int) -> Wire:
    if size != (4 if code is TypeCode.FLOAT else 8):
        raise Damage(f"a {code.name} of {size} bytes")
    return Wire(code, size)


def _temporal(code: TypeCode, digits: int) -> Wire:
    if digits > 6:
        raise Damage(f"a time with {digits} digits of fraction")
    return Wire(code, _TEMPORAL[code] + (digits + 1) // 2, length=digits)


def _string(said: bytes) -> Wire:
    """CHAR and BINARY, ENUM and SET. Two bits of a long string's length hide in its type."""
    real, length = said
    if real & 0x30 != 0x30:
        length |= (real & 0x30 ^ 0x30) << 4
        real |= 0x30
    if real in (TypeCode.ENUM, TypeCode.SET):
        return _labels(TypeCode(real), length)
    if real != TypeCode.STRING:
        raise NotUnderstood(f"a string of column type {real}")
    return Wire(TypeCode.STRING, prefix=1 if length < 256 else 2, length=length)


def _labels(code: TypeCode, size: int) -> Wire:
    if size not in ((1, 2) if code is TypeCode.ENUM else (1, 2, 3, 4, 8)):
        raise Damage(f"{code.name} of {size} bytes")
    return Wire(code, size)


def _decimal(precision: int, scale: int) -> Wire:
    if scale > precision or not 1 <= precision <= 65:
        raise Damage(f"DECIMAL({precision},{scale})")
    return Wire(TypeCode.DECIMAL, decimal_size(precision, scale), length=precision, scale=scale)


def decimal_size(precision: int, scale: int) -> int:
    """Bytes of a DECIMAL: the digits before and after the point each by nines.

    >>> decimal_size(10, 2)
    5
    """
    whole = precision - scale
    return whole // 9 * 4 + DIGIT_BYTES[whole % 9] + scale // 9 * 4 + DIGIT_BYTES[scale % 9]


def _bit(rest: int, whole: int) -> Wire:
    if rest > 7 or not 1 <= whole * 8 + rest <= 64:
        raise Damage(f"a BIT of {whole} bytes and {rest} bits")
    return Wire(TypeCode.BIT, whole + (rest > 0), length=whole * 8 + rest)
