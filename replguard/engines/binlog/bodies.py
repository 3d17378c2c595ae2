"""What a stored program writes, from its body: statement by statement, without running or resolving anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.statements import references
from replguard.engines.binlog.tableroles import roles
from replguard.engines.binlog.tablewalk import walk
from replguard.engines.binlog.tokens import Kind, Mode, readings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.binlog.tokens import Token
    from replguard.model.tables import TableName

_PARTS = frozenset({"BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"})
_ONE_TABLE = frozenset({"INSERT", "REPLACE", "CREATE", "LOAD", "TRUNCATE"})
_MANY_TABLES = frozenset({"UPDATE", "DELETE", "WITH"})
_DEFINITIONS = frozenset({"DROP", "ALTER", "RENAME"})
_OUT_OF_SIGHT = frozenset({"CALL", "PREPARE", "EXECUTE"})


@dataclass(frozen=True, slots=True)
class Written:
    """``tables`` are written where the program comes to that; ``perhaps`` those named beside them in a statement that
    may write them too. ``opaque``: it runs what its text does not hold, and may write anything.
    """

    tables: tuple[TableName, ...] = ()
    perhaps: tuple[TableName, ...] = ()
    opaque: bool = False


def written(body: str, schema: str, sql_mode: str = "") -> Written:
    """What the body of an event, trigger or routine writes; ``sql_mode`` is the one it was made in, as words.

    >>> written("BEGIN DELETE FROM event; INSERT INTO a SELECT * FROM b; END", "st").tables
    (TableName(schema='st', name='event'), TableName(schema='st', name='a'))
    >>> written("CALL purge()", "st").opaque
    True
    """
    modes = sql_mode.upper().split(",")
    mode = Mode("ANSI_QUOTES" in modes or "ANSI" in modes, "NO_BACKSLASH_ESCAPES" in modes)
    certain: dict[TableName, None] = {}
    perhaps: dict[TableName, None] = {}
    opaque = False
    for reading in readings(body, mode):
        for statement in _statements(reading):
            found = _of_statement(statement, schema)
            certain |= dict.fromkeys(found.tables)
            perhaps |= dict.fromkeys(found.perhaps)
            opaque = opaque or found.opaque
    if opaque:
        guessed = references(f"CREATE PROCEDURE p() {body}", schema, mode)
        perhaps |= dict.fromkeys(guessed.guessed)
    return Written(tuple(certain), tuple(table for table in perhaps if table not in certain), opaque)


def _statements(found: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The parts between semicolons and the words behind which a statement begins."""
    begin = 0
    for index, token in enumerate(found):
        if token.keyword in _PARTS or (token.text in (";", ":") and token.kind is Kind.mark):
            yield found[begin:index]
            begin = index + 1
    yield found[begin:]


def _of_statement(found: Sequence[Token], schema: str) -> Written:
    head = found[0].keyword if found else ""
    if head in _OUT_OF_SIGHT:
        return Written(opaque=True)
    is_call = len(found) > 1 and found[1].text == "("
    if head in _DEFINITIONS:
        return Written(roles(found, schema).tables)
    if head in _ONE_TABLE and not is_call:
        return Written(roles(found, schema).tables[:1])
    if head in _MANY_TABLES:
        return _of_many(found, schema)
    return Written()


def _of_many(found: Sequence[Token], schema: str) -> Written:
    """UPDATE and DELETE may name several tables, of which some are only read."""
    tables = walk(found, schema).tables
    writes = any(token.keyword in ("UPDATE", "DELETE") for token in found)
    if not writes:
        return Written()
    return Written(tables) if len(tables) == 1 else Written(perhaps=tables)
