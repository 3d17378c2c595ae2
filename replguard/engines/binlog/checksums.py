"""What a server makes of the rows of portions: counts and exact sums of hashes, or one word a row.

A hash is a number of 64 bits of the whole row (:mod:`replguard.engines.binlog.encoding`). Two functions are known:

- ``crc32*crc32c`` (MariaDB from 10.8): two checksums by unlike polynomials, multiplied, so that what cancels in each of
  them does not cancel in their product. The cheapest; rows that are made so that both are equal are not told apart
- ``sha2-64``: the head of a SHA-256, on every server
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.catalog import base_type, qualified
from replguard.engines.binlog.connection import integer, text_of
from replguard.engines.binlog.encoding import charset, encoded_row, from_word, word_part
from replguard.engines.binlog.ranges import where
from replguard.engines.sqlfiles import Quoted, joined, statement, version_numbers
from replguard.errors import Unsupported
from replguard.model.chunks import Function, Sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Row
    from replguard.engines.binlog.connection import Session
    from replguard.model.chunks import Portion
    from replguard.model.tables import Table

CRC, SHA2 = "crc32*crc32c", "sha2-64"
_STATEMENTS = {CRC: "hash_crc", SHA2: "hash_sha2"}
_PLAIN = {CRC: "hash_crc_twice", SHA2: "hash_sha2"}
"""The functions without regard to what they cost."""
_CRC_SINCE = (10, 8)
_NO_HASH = 1 << 128
"""What a row without a hash adds to the sum, as ``sum.sql`` has it: more than all hashes together."""


def functions(session: Session, table: Table, columns: Sequence[str]) -> tuple[Function, ...]:
    """The functions of this server, the cheapest first.

    MySQL makes the text of a JSON value anew each time, so that it may depend on the version. Half a pair of
    surrogates, which UCS-2 may hold, is text to no server function: there only the rows themselves will do.
    """
    used = [table.column(name) for name in dict.fromkeys((*table.key, *columns))]
    if any(column.collation and charset(column) == "ucs2" for column in used):
        return ()
    json = any(base_type(column.type) == "json" for column in used)
    basis = f"json of {session.flavour} {session.version}" if json else ""
    return tuple(Function(name, basis) for name in _names(session))


def golden(session: Session, function: Function) -> bytes:
    """The hashes of the rows of ``golden_rows.sql``.

    Unsupported on a server that works out the factors of the checksum in another order than they stand.
    """
    from replguard.engines.binlog.golden import TABLE  # noqa: PLC0415 - needed once a run

    columns = [column.name for column in TABLE.columns]
    slots = {
        "hash": _hash(session, _STATEMENTS[function.name], TABLE, columns),
        "expected": _hash(session, _PLAIN[function.name], TABLE, columns),
        "rows": text_of(session.flavour, "golden_rows", session.version),
    }
    with session.stream(statement("binlog", "golden", **slots), "hashing fixed rows") as rows:
        found = list(rows)
    if any(hashed is None or hashed != expected for hashed, expected in found):
        raise Unsupported(f"this server does not compute {function.name} as it is defined")
    return b",".join(hashed for hashed, _ in found)


def sums(session: Session, portions: Sequence[Portion]) -> list[Sum]:
    """The sums in the order of the portions."""
    if not portions:
        return []
    texts = [_sum(session, number, portion) for number, portion in enumerate(portions)]
    found: dict[int, Sum] = {}
    with session.stream(joined(texts, " UNION ALL "), _what("summing", portions)) as rows:
        for number, count, total in rows:
            missing, hashes = divmod(int(total or 0), _NO_HASH)
            found[int(number)] = Sum(int(count), int(count) - missing, hashes)
    return [found[number] for number in range(len(portions))]


def _sum(session: Session, number: int, portion: Portion) -> Quoted:
    table = portion.table
    slots = {"number": integer(number), "table": qualified(table.name), "within": where(table, portion.within)}
    return statement("binlog", "sum", hash=_hash_of(session, portion), **slots)


def words(session: Session, portion: Portion) -> list[bytes]:
    """One word a row, all of them in one value as long as that is not too long."""
    parts = _word_parts(session, portion)
    slots = {"table": qualified(portion.table.name), "within": where(portion.table, portion.within)}
    comma = statement("binlog", "word_comma")
    spaced = [part for each in parts for part in (comma, each)][1:]
    with session.stream(
        statement("binlog", "words", parts=joined(spaced), **slots), _what("hashing", [portion])
    ) as rows:
        ((count, joint),) = list(rows)
    *found, _ = (joint or b"").split(b";")
    if len(found) == int(count):
        return found
    return _one_by_one(session, portion, statement("binlog", "words_one_by_one", parts=joined(parts), **slots))


def _one_by_one(session: Session, portion: Portion, text: Quoted) -> list[bytes]:
    with session.stream(text, _what("hashing", [portion])) as rows:
        found = list(rows)
    if any(None in parts for parts in found):
        raise Unsupported(
            f"a row of {portion.table.name} is too large to be hashed by {portion.function}",
            remedy="Raise max_allowed_packet on this server.",
        )
    return [b",".join(parts) for parts in found]


def _word_parts(session: Session, portion: Portion) -> list[Quoted]:
    table = portion.table
    key = () if portion.within.nulls else table.key
    return [*(word_part(table.column(name)) for name in key), _hash_of(session, portion)]


def key_of_word(table: Table, word: bytes) -> Row:
    """The key in canonical form."""
    parts = word.split(b",")[:-1]
    return tuple(from_word(table.column(name), part) for name, part in zip(table.key, parts, strict=True))


def _names(session: Session) -> tuple[str, ...]:
    return (CRC, SHA2) if session.flavour == "mariadb" and version_numbers(session.version) >= _CRC_SINCE else (SHA2,)


def _hash_of(session: Session, portion: Portion) -> Quoted:
    return _hash(session, _STATEMENTS[portion.function], portion.table, portion.columns)


def _hash(session: Session, name: str, table: Table, columns: Sequence[str]) -> Quoted:
    return text_of(session.flavour, name, session.version, row=encoded_row(table, columns))


def _what(doing: str, portions: Sequence[Portion]) -> str:
    names = {str(portion.table.name) for portion in portions}
    return f"{doing} {names.pop()}" if len(names) == 1 else f"{doing} {len(names)} tables"
