"""Values of a row image in the form in which reports show them and :mod:`replguard.engines.binlog.rows` reads them.

Integers (BIT and YEAR too) are integers, binary strings are hexadecimal after ``0x``, and all else is the text that the
server prints. A decoder takes the bytes, and where the value begins and ends in them. What cannot be told exactly
raises :class:`Untold`: a value that is left out is better than a wrong one.

Source of the formats: the servers' public descriptions of the row image, and what both servers write.
"""

from __future__ import annotations

import socket
import uuid
import zlib
from math import isfinite
from struct import Struct
from typing import TYPE_CHECKING

from replguard.engines.binlog.charsets import ONE_TO_ONE, decoded
from replguard.engines.binlog.columntypes import DIGIT_BYTES, TypeCode
from replguard.engines.binlog.rowtimes import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from replguard.engines.binlog.columntypes import Wire

    Bytes = bytes | memoryview
    Told = int | str
    Decode = Callable[[Bytes, int, int], Told]

_INTEGERS = {TypeCode.TINY: "b", TypeCode.SHORT: "h", TypeCode.LONG: "i", TypeCode.LONGLONG: "q"}


class Untold(Exception):  # noqa: N818 - a value that cannot be told is no error
    """The value is there, and nobody here can say it exactly."""


def untold(_data: Bytes, _start: int, _end: int) -> Told:
    raise Untold


def integers(wire: Wire, *, unsigned: bool) -> Decode:
    """TINYINT to BIGINT, little-endian."""
    letter = _INTEGERS.get(wire.code)
    if letter is None:
        return lambda data, start, end: int.from_bytes(data[start:end], "little", signed=not unsigned)
    read = Struct("<" + (letter.upper() if unsigned else letter)).unpack_from
    return lambda data, start, _end: read(data, start)[0]


def bits(data: Bytes, start: int, end: int) -> Told:
    """BIT: a number, big-endian."""
    return int.from_bytes(data[start:end], "big")


def year(data: Bytes, start: int, _end: int) -> Told:
    return 1900 + data[start] if data[start] else 0


def binary(data: Bytes, start: int, end: int) -> Told:
    return "0x" + data[start:end].hex()


def padded_binary(length: int) -> Decode:
    """BINARY(n), whose trailing zeros do not travel."""
    return lambda data, start, end: "0x" + bytes(data[start:end]).ljust(length, b"\0").hex()


def text(charset: str, *, padded: bool) -> Decode:
    """CHAR, VARCHAR and TEXT. A text with ``?`` is followed by its bytes where it need not be what is stored."""
    encoding = "latin1" if charset == "ascii" else charset

    def exact(data: Bytes, start: int, end: int) -> Told:
        try:
            found = decoded(bytes(data[start:end]), encoding)
        except (UnicodeDecodeError, LookupError):
            raise Untold from None
        return found.rstrip(" ") if padded else found

    def marked(data: Bytes, start: int, end: int) -> Told:
        found = str(exact(data, start, end))
        return f"{found}\0{data[start:end].hex()}" if "?" in found else found

    if charset == "utf8mb4" and not padded:
        return _utf8
    return exact if charset in ONE_TO_ONE else marked


def _utf8(data: Bytes, start: int, end: int) -> Told:
    try:
        return str(data[start:end], "utf-8")
    except UnicodeDecodeError:
        raise Untold from None


def decimal(wire: Wire, *, zerofill: bool) -> Decode:
    """DECIMAL: digits by nines, big-endian, the first bit turned; a negative number has all bits turned."""
    whole = wire.length - wire.scale

    def told(data: Bytes, start: int, end: int) -> Told:
        raw = bytearray(data[start:end])
        negative = not raw[0] & 0x80
        raw[0] ^= 0x80
        if negative:
            raw = bytearray(byte ^ 0xFF for byte in raw)
        before, at = _digits(raw, 0, (whole % 9, *(9,) * (whole // 9)))
        after, _ = _digits(raw, at, (*(9,) * (wire.scale // 9), wire.scale % 9))
        shown = before if zerofill else before.lstrip("0") or "0"
        return f"{'-' * negative}{shown}{'.' + after if after else ''}"

    return told


def _digits(raw: bytearray, at: int, groups: Sequence[int]) -> tuple[str, int]:
    found = ""
    for count in filter(None, groups):
        end = at + DIGIT_BYTES[count]
        found += str(int.from_bytes(raw[at:end], "big")).zfill(count)
        at = end
    return found, at


def real(wire: Wire) -> Decode:
    """FLOAT and DOUBLE as the shortest text that gives the same bits of a double."""
    read = Struct("<f" if wire.code is TypeCode.FLOAT else "<d").unpack_from
    return lambda data, start, _end: float_text(read(data, start)[0])


def float_text(value: float) -> str:
    """A double as both servers print it.

    >>> [float_text(value) for value in (0.1, -1e15, 2439207423232252.5, 123456789012345680000.0, 5e-324, -0.0)]
    ['0.1', '-1e15', '2439207423232252.5', '1.2345678901234568e20', '5e-324', '-0']
    """
    if not isfinite(value):
        raise Untold
    text_, _, power = repr(value).partition("e")
    sign, text_ = ("-", text_[1:]) if text_.startswith("-") else ("", text_)
    before, _, after = text_.partition(".")
    after = "" if after == "0" else after
    digits = (before + after).lstrip("0")
    point = len(before) + int(power or 0) - (len(before + after) - len(digits))
    digits = digits.rstrip("0")
    if not digits:
        return sign + "0"
    if -14 <= point <= 15 or 0 < point < len(digits):
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        return f"{sign}{digits[:point].ljust(point, '0')}{'.' + digits[point:] if digits[point:] else ''}"
    return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{point - 1}"


def labels(names: Sequence[str], code: TypeCode) -> Decode:
    """ENUM and SET by their labels. Where a label is empty or has a quote in it, the number follows after a zero byte,
    as :mod:`replguard.engines.binlog.rows` reads it.
    """
    numbered = any("'" in name or not name for name in names)

    def one(number: int) -> str:
        return names[number - 1] if number else ""

    def several(number: int) -> str:
        # The servers put no comma before the first label that shows, even behind an empty one.
        return ",".join(name for place, name in enumerate(names) if number >> place & 1).lstrip(",")

    name_of = one if code is TypeCode.ENUM else several
    largest = len(names) if code is TypeCode.ENUM else (1 << len(names)) - 1

    def told(data: Bytes, start: int, end: int) -> Told:
        number = int.from_bytes(data[start:end], "little")
        if number > largest:
            raise Untold
        return f"{name_of(number)}\0{number}" if numbered else name_of(number)

    return told


def times(wire: Wire) -> Decode:
    """Dates and times; Untold for MariaDB's old ones with fractions."""
    read = TIMES.get(wire.code)
    if read is None:
        return untold
    return lambda data, start, end: read(bytes(data[start:end]), wire.length)


def compressed(inner: Decode) -> Decode:
    """MariaDB's COMPRESSED columns: a byte that says how, the length, and a stream of zlib with or without its head."""

    def told(data: Bytes, start: int, end: int) -> Told:
        plain = _inflated(bytes(data[start:end]))
        return inner(plain, 0, len(plain))

    return told


def _inflated(stored: bytes) -> bytes:
    if not stored or stored[0] == 0:
        return stored[1:]
    method, raw, size = stored[0] >> 4, stored[0] & 8, stored[0] & 7
    length = int.from_bytes(stored[1 : 1 + size], "big")
    if method != 8:
        raise Untold
    try:
        plain = zlib.decompressobj(-15 if raw else 15).decompress(stored[1 + size :], length + 1)
    except zlib.error:
        raise Untold from None
    if len(plain) != length:
        raise Untold
    return plain


def address(kind: str) -> Decode:
    """MariaDB's uuid, inet4 and inet6, whose trailing zeros do not travel."""

    def told(data: Bytes, start: int, end: int) -> Told:
        raw = bytes(data[start:end])
        if len(raw) > (4 if kind == "inet4" else 16):
            raise Untold
        if kind == "uuid":
            return str(uuid.UUID(bytes=raw.ljust(16, b"\0")))
        if kind == "inet4":
            return socket.inet_ntop(socket.AF_INET, raw.ljust(4, b"\0"))
        return socket.inet_ntop(socket.AF_INET6, raw.ljust(16, b"\0"))

    return told
