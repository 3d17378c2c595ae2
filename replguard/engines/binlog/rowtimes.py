"""Dates and times of a row image, as the servers print them in UTC.

Source: the servers' public descriptions of the fractional formats (big-endian, offset so that bytes sort) and of those
from before MySQL 5.6 (little-endian, digits written as a number).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from replguard.engines.binlog.columntypes import TypeCode

if TYPE_CHECKING:
    from collections.abc import Callable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = "0000-00-00 00:00:00"


def _fraction(value: int, digits: int) -> str:
    """Digits of a fraction, which are stored by pairs.

    >>> _fraction(1200, 3), _fraction(0, 0)
    ('.120', '')
    """
    return "." + str(value).zfill((digits + 1) // 2 * 2)[:digits] if digits else ""


def date(raw: bytes, _digits: int) -> str:
    value = int.from_bytes(raw, "little")
    return f"{value >> 9:04}-{value >> 5 & 15:02}-{value & 31:02}"


def timestamp(raw: bytes, digits: int) -> str:
    """Seconds since 1970, unsigned since MariaDB 11.5; zero is the date that is none."""
    seconds, rest = int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:], "big")
    return _moment(seconds, zero=not rest) + _fraction(rest, digits)


def _moment(seconds: int, *, zero: bool = True) -> str:
    if seconds == 0 and zero:
        return _NEVER
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


def date_time(raw: bytes, digits: int) -> str:
    """A bit for the sign, 17 bits of years by thirteen months, 5 of days, 5 of hours, 6 of minutes, 6 of seconds."""
    value, rest = int.from_bytes(raw[:5], "big") - 0x8000000000, int.from_bytes(raw[5:], "big")
    year, month = divmod(value >> 22, 13)
    day = f"{year:04}-{month:02}-{value >> 17 & 31:02}"
    return f"{day} {value >> 12 & 31:02}:{value >> 6 & 63:02}:{value & 63:02}{_fraction(rest, digits)}"


def time(raw: bytes, digits: int) -> str:
    """As one signed number, fraction included: 10 bits of hours, 6 of minutes, 6 of seconds."""
    width = 8 * (len(raw) - 3)
    value = int.from_bytes(raw, "big") - (0x800000 << width)
    sign, value = "-" * (value < 0), abs(value)
    whole, rest = value >> width, value & (1 << width) - 1
    return f"{sign}{whole >> 12 & 1023:02}:{whole >> 6 & 63:02}:{whole & 63:02}{_fraction(rest, digits)}"


def old_timestamp(raw: bytes, _digits: int) -> str:
    return _moment(int.from_bytes(raw, "little"))


def old_date_time(raw: bytes, _digits: int) -> str:
    text = f"{int.from_bytes(raw, 'little'):014}"
    return f"{text[:4]}-{text[4:6]}-{text[6:8]} {text[8:10]}:{text[10:12]}:{text[12:]}"


def old_time(raw: bytes, _digits: int) -> str:
    value = int.from_bytes(raw, "little", signed=True)
    sign, text = "-" * (value < 0), f"{abs(value):06}"
    return f"{sign}{text[:-4]}:{text[-4:-2]}:{text[-2:]}"


TIMES: dict[TypeCode, Callable[[bytes, int], str]] = {
    TypeCode.DATE: date,
    TypeCode.TIMESTAMP: timestamp,
    TypeCode.DATETIME: date_time,
    TypeCode.TIME: time,
    TypeCode.OLD_TIMESTAMP: old_timestamp,
    TypeCode.OLD_DATETIME: old_date_time,
    TypeCode.OLD_TIME: old_time,
}
