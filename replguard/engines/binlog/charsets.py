"""Character sets of columns: which can be decoded here exactly as the servers convert them to UTF-8.

Each encoding listed was compared with both servers over all bytes and pairs of bytes; the others differ in some
character, and their text is better not told than told wrong.
"""

from __future__ import annotations

import codecs

ONE_TO_ONE = frozenset({"utf8mb4", "utf8mb3", "utf8", "ascii", "latin1", "binary"})
"""Character sets whose every stored value has a UTF-8 text of its own; ASCII is read as latin1."""
ENCODINGS = {
    "utf8mb4": "utf-8",
    "utf8mb3": "utf-8",
    "utf8": "utf-8",
    "ascii": "ascii",
    "latin1": "cp1252",
    "latin2": "iso8859-2",
    "latin5": "iso8859-9",
    "latin7": "iso8859-13",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1257": "cp1257",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp932": "cp932",
    "koi8r": "koi8-r",
    "macroman": "mac-roman",
    "gb2312": "gb2312",
    "gbk": "gbk",
    "ucs2": "utf-16-be",
    "utf16": "utf-16-be",
    "utf16le": "utf-16-le",
    "utf32": "utf-32-be",
}
_RANGES = (
    (35, 35, "ucs2"),
    (54, 55, "utf16"),
    (56, 56, "utf16le"),
    (60, 61, "utf32"),
    (62, 62, "utf16le"),
    (90, 90, "ucs2"),
    (101, 124, "utf16"),
    (128, 151, "ucs2"),
    (159, 159, "ucs2"),
    (160, 183, "utf32"),
    (224, 247, "utf8mb4"),
    (255, 323, "utf8mb4"),
    (576, 607, "utf8mb3"),
    (608, 639, "utf8mb4"),
    (640, 671, "ucs2"),
    (672, 703, "utf16"),
    (736, 767, "utf32"),
    (2048, 2303, "utf8mb3"),
    (2304, 2559, "utf8mb4"),
    (2560, 2815, "ucs2"),
    (2816, 3071, "utf16"),
    (3072, 3327, "utf32"),
)
"""Collations by number that the driver's table lacks; from 2048 on MariaDB's of the Unicode collation algorithm 14."""
_NO_PAD, _UCA1400 = 1024, 2048
"""From here on MariaDB counts its collations that do not pad with blanks, each like the one that does."""


def charset_of(collation: int) -> str | None:
    """The character set of a collation by its number; ``None`` where it is not known here.

    >>> charset_of(63), charset_of(255), charset_of(1032), charset_of(2304), charset_of(9999)
    ('binary', 'utf8mb4', 'latin1', 'utf8mb4', None)
    """
    from pymysql.charset import charset_by_id  # noqa: PLC0415 - starting up must be quick

    if _NO_PAD < collation < _UCA1400:
        return charset_of(collation - _NO_PAD)
    for first, last, name in _RANGES:
        if first <= collation <= last:
            return name
    try:
        return str(charset_by_id(collation).name)  # type: ignore[attr-defined] # the stubs lack it
    except KeyError:
        return None


def _as_controls(error: UnicodeError) -> tuple[str | bytes, int]:
    """The five bytes that cp1252 leaves open are control characters to the servers."""
    if isinstance(error, UnicodeEncodeError):
        return error.object[error.start : error.end].encode("latin-1"), error.end
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("replguard_latin1", _as_controls)


def decoded(data: bytes, charset: str) -> str:
    r"""Text as the servers convert it. UnicodeDecodeError or LookupError where that cannot be told.

    >>> decoded(b"\x80\x81", "latin1")
    '€\x81'
    """
    if charset not in ENCODINGS:
        raise LookupError(charset)
    return str(data, ENCODINGS[charset], "replguard_latin1" if charset == "latin1" else "strict")


def encoded(text: str, charset: str) -> bytes:
    r"""The bytes of text in a character set, as the servers store it: what :func:`decoded` undoes.

    >>> encoded("€\x81", "latin1")
    b'\x80\x81'
    """
    return text.encode(ENCODINGS[charset], "replguard_latin1" if charset == "latin1" else "strict")
