"""Query events: the statement's text, in the charset in which it was sent, and the mode in which it was parsed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from replguard.engines.binlog.charsets import ENCODINGS, charset_of, decoded
from replguard.engines.binlog.events import Damage, Fields, NotUnderstood

_HEAD = 13
# Sizes of the status variables that may stand before the two that are needed (sql_mode, charset); see _status.
_FIXED = {0: 4, 1: 8, 3: 4, 4: 6, 7: 2, 8: 2, 9: 8, 10: 4, 13: 3, 16: 1, 17: 8, 18: 2, 19: 1, 20: 1, 128: 3, 129: 8}
# In these a byte that looks like a quote or a backslash may be half of a letter: good enough to tell words apart.
_NEARLY = {
    "big5": "cp950",
    "eucjpms": "euc_jp",
    "euckr": "cp949",
    "gb18030": "gb18030",
    "sjis": "cp932",
    "ujis": "euc_jp",
}
_UTF8 = "utf-8"
MOST_TEXT = 4 << 20
"""Of a longer text only so much is looked at."""


@dataclass(frozen=True, slots=True)
class Query:
    """A statement as it was logged; ``schema`` is the ``USE`` database, ``None`` where there was none.

    ``exact`` is false where names beyond ASCII may be others than those that the server read.
    """

    text: str
    schema: str | None
    sql_mode: int
    exact: bool = True
    cut: bool = False
    """Only the beginning of the text is there."""


def query(body: bytes, *, extra_head: int = 0, compressed: bool = False, whole: bool = True) -> Query:
    """Read QUERY, MariaDB's compressed QUERY, and EXECUTE_LOAD_QUERY, whose head is ``extra_head`` bytes longer.

    With ``whole=False`` the body is only the beginning of a larger one. Raises Damage and NotUnderstood.
    """
    fields = Fields(body)
    fields.take(8)
    schema_size = fields.number(1)
    fields.take(2)
    status_size = fields.number(2)
    fields.take(extra_head)
    sql_mode, collation = _status(fields.take(status_size))
    schema = fields.text(schema_size)
    if fields.number(1) != 0:
        raise Damage("the database's name in a query event does not end where it should")
    data, cut = fields.rest(), not whole
    if compressed:
        data, cut = decompressed(data, whole=whole)
    text, exact = _decoded(data, collation)
    return Query(text, schema or None, sql_mode, exact, cut)


def decompressed(data: bytes, *, whole: bool = True) -> tuple[bytes, bool]:
    """MariaDB's compressed text: a byte with algorithm and length of the length, the length, and zlib's stream.

    With it, whether only the beginning was unpacked, as it is of what is too large to be held.
    """
    if not data:
        raise Damage("a compressed query without a text")
    algorithm, length_size = data[0] >> 4 & 7, data[0] & 7
    if algorithm:
        raise NotUnderstood(f"compression algorithm {algorithm} of a query")
    length = int.from_bytes(data[1 : 1 + length_size], "big")
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data[1 + length_size :], min(length, MOST_TEXT) + 1)
    except zlib.error as error:
        raise Damage("a compressed query does not decompress") from error
    if length > MOST_TEXT or not whole:
        return text, True
    if len(text) != length or not unpacker.eof:
        raise Damage("a compressed query has not the length that it says")
    return text, False


def _status(data: bytes) -> tuple[int, int | None]:
    """``sql_mode`` and the client's collation. An unknown variable ends the reading, as it does in the servers."""
    fields, sql_mode, collation = Fields(data), 0, None
    while not fields.ended:
        code = fields.number(1)
        if code == 1:
            sql_mode = fields.number(8)
        elif code == 4:
            collation = fields.number(2)
            fields.take(4)
        elif code in _FIXED:
            fields.take(_FIXED[code])
        elif code in (5, 6):
            fields.take(fields.number(1))
        elif code == 2:
            fields.take(fields.number(1) + 1)
        else:
            break
    return sql_mode, collation


_IMPOSSIBLE = frozenset({"swe7", "ucs2", "utf16", "utf16le", "utf32"})
"""Without ASCII's letters in one byte each: all but the first are refused to clients, so that this would be damage."""


def _decoded(data: bytes, collation: int | None) -> tuple[str, bool]:
    """The text by the client's collation, and whether it is exact. What cannot be decoded stays as lone surrogates."""
    charset = charset_of(collation) if collation is not None else "utf8mb4"
    if charset == "binary":
        charset = "utf8mb4"
    if charset in _IMPOSSIBLE:
        raise NotUnderstood(f"a statement in the character set {charset}")
    try:
        return decoded(data, charset or ""), True
    except (UnicodeDecodeError, LookupError):
        nearly = _NEARLY.get(charset or "") or ENCODINGS.get(charset or "", "utf-8")
        return data.decode(nearly, "surrogateescape"), data.isascii()
