"""What a statement in a binlog is and which tables it names, from its text alone.

:func:`references` over-approximates: every name in the text is a candidate, and those alone that stand in a table's
place are taken only where the whole statement is understood (:mod:`replguard.engines.binlog.tableroles`). Whoever
judges intersects what is found with the tables that exist or are forbidden. Which tables the server's filters look at
is answered in :mod:`replguard.engines.binlog.updates`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import TYPE_CHECKING

from replguard.engines.binlog.tableroles import is_account_setting, object_kind, roles, stripped
from replguard.engines.binlog.tablewalk import Roles
from replguard.engines.binlog.tokens import DEFAULT, Kind, Mode, Token, is_doubtful, readings, tokens
from replguard.model.changes import Operation
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Effect", "Mode", "References", "named", "operation", "references", "transaction_effect"]

_DEFINITIONS = frozenset({"CREATE", "ALTER", "DROP"})
_DDL = frozenset({"RENAME", "GRANT", "REVOKE", "FLUSH", "INSTALL", "UNINSTALL"})
_MAINTENANCE = frozenset({"OPTIMIZE", "ANALYZE", "REPAIR", "CHECK", "CHECKSUM"})
_MAINTAINED = frozenset({"TABLE", "TABLES", "VIEW", "LOCAL", "NO_WRITE_TO_BINLOG"})
# CREATE OR REPLACE ALGORITHM = MERGE DEFINER = user@host SQL SECURITY INVOKER VIEW
_LONGEST_HEAD = 20
_XA = frozenset({"START", "BEGIN", "END", "PREPARE", "COMMIT", "ROLLBACK"})
_PLAIN_CONTROL = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})
# Reserved in MySQL 8.0+ and MariaDB 10.6+ alike, and frequent in DDL: bare, they cannot be a table's name.
_RESERVED_WORDS = """
    ADD ALL ALTER ANALYZE AND AS ASC BEFORE BETWEEN BIGINT BINARY BLOB BOTH BY CALL CASCADE CASE CHANGE CHAR
    CHARACTER CHECK COLLATE COLUMN CONSTRAINT CREATE CROSS CURRENT_TIMESTAMP CURRENT_USER DATABASE DEC DECIMAL
    DEFAULT DELETE DESC DETERMINISTIC DISTINCT DOUBLE DROP EACH ELSE EXISTS FLOAT FOR FOREIGN FROM FULLTEXT GRANT
    GROUP HAVING IF IGNORE IN INDEX INNER INSERT INT INTEGER INTO IS JOIN KEY KEYS LEFT LIKE LIMIT LOAD LOCK
    LONGBLOB LONGTEXT MEDIUMBLOB MEDIUMINT MEDIUMTEXT MODIFIES NATURAL NOT NULL NUMERIC ON OPTIMIZE OR ORDER OUT
    OUTER PARTITION PRECISION PRIMARY PROCEDURE READS REFERENCES RENAME REPLACE RESTRICT RETURN REVOKE RIGHT SCHEMA
    SELECT SET SMALLINT SPATIAL SQL TABLE TERMINATED THEN TINYBLOB TINYINT TINYTEXT TO TRIGGER TRUE FALSE UNION
    UNIQUE UNSIGNED UPDATE USING VALUES VARBINARY VARCHAR WHEN WHERE WITH ZEROFILL
"""
_RESERVED = frozenset(_RESERVED_WORDS.split())
_NOT_LOOKED_AT = Roles(understood=False)
_NAMES_IN_TEXT = re.compile(r"(?:([\w$]+)\W{0,2}\.\W{0,2})?([\w$]+)")


class Effect(Enum):
    """What a statement does to the transaction that it stands in."""

    begins = auto()
    ends = auto()
    none = auto()


@dataclass(frozen=True, slots=True)
class References:
    """What a statement names. ``tables`` stand in a table's place; ``guessed`` are names that may do so."""

    tables: tuple[TableName, ...] = ()
    guessed: tuple[TableName, ...] = ()


def operation(text: str, mode: Mode = DEFAULT) -> Operation | None:
    """The kind of change; ``None`` for what only begins or ends a transaction.

    What is of no known kind is a statement, of which it is not known what it may write.

    >>> operation("/* app */ TRUNCATE event"), operation("INSERT INTO t VALUES (1)"), operation("COMMIT")
    (<Operation.truncate: 'truncate'>, <Operation.statement: 'statement'>, None)
    >>> operation(" SET STATEMENT max_statement_time = 10 FOR DROP TABLE event")
    <Operation.ddl: 'ddl'>
    """
    if text in _PLAIN_CONTROL:
        return None
    head = list(islice(tokens(text, mode), _LONGEST_HEAD))
    if "/*!" not in text and "/*M!" not in text and not (head and head[0].keyword == "SET"):
        return _operation(head)
    found = {_operation(stripped(reading)) for reading in readings(text, mode) if reading}
    return found.pop() if len(found) == 1 else Operation.statement


def _operation(found: Sequence[Token]) -> Operation | None:
    words = [token.keyword for token in found[:3]] + [""] * 3
    head, follows = words[0], words[1]
    if _is_control(found, head, follows):
        return None
    if head == "TRUNCATE":
        return Operation.truncate
    if head in _DEFINITIONS:
        return Operation.ddl if object_kind(found)[0] else Operation.statement
    ddl = head in _DDL or (head in _MAINTENANCE and follows in _MAINTAINED) or is_account_setting(found)
    return Operation.ddl if ddl else Operation.statement


def _is_control(found: Sequence[Token], head: str, follows: str) -> bool:
    if head == "BEGIN":
        return len(found) == 1 or follows == "WORK" or found[1].text == ";"
    if head in ("COMMIT", "ROLLBACK", "SAVEPOINT"):
        return True
    return (head, follows) in (("START", "TRANSACTION"), ("RELEASE", "SAVEPOINT")) or (head == "XA" and follows in _XA)


def names_beyond_ascii(text: str, mode: Mode = DEFAULT) -> bool:
    """Whether a name in the statement has letters for whose sake its charset must be known exactly.

    >>> names_beyond_ascii("CREATE TABLE a (b INT) COMMENT='é'"), names_beyond_ascii("DROP TABLE é")
    (False, True)
    """
    return any(token.names and not token.text.isascii() for token in tokens(text, mode))


def transaction_effect(text: str) -> Effect:
    """What BEGIN, COMMIT, SAVEPOINT, XA and their like do.

    >>> [transaction_effect(text).name for text in ("BEGIN", "XA START X'01',X'',1", "ROLLBACK TO a", "COMMIT")]
    ['begins', 'begins', 'none', 'ends']
    """
    words = [token.keyword for token in islice(tokens(text), 3)] + [""]
    if words[0] in ("BEGIN", "START") or words[:2] in (["XA", "START"], ["XA", "BEGIN"]):
        return Effect.begins
    if words[0] == "COMMIT" or (words[0] == "ROLLBACK" and "TO" not in words):
        return Effect.ends
    return Effect.ends if words[:2] in (["XA", "COMMIT"], ["XA", "ROLLBACK"]) else Effect.none


def named(text: str, schema: str, mode: Mode = DEFAULT) -> tuple[TableName, ...]:
    """Every table that the statement may touch; unqualified names get the default ``schema``.

    DROP DATABASE touches all tables of a database: that is the one name ``*``.

    >>> [str(table) for table in named("ALTER TABLE account ADD event INT", "st")]
    ['st.account']
    >>> [str(table) for table in named("DROP DATABASE st", "st")]
    ['st.*']
    >>> [str(table) for table in named("OPTIMIZE TABLE x.y, event", "st")]
    ['x.y', 'st.event']
    """
    found = references(text, schema, mode)
    return found.tables + found.guessed


def references(text: str, schema: str, mode: Mode = DEFAULT) -> References:
    """The tables that the statement names for certain, and those that it may name besides.

    DML can write what it does not name, so that every name in it counts as guessed.

    >>> references("CREATE VIEW v AS SELECT event FROM account", "st").guessed
    ()
    """
    certain: dict[TableName, None] = {}
    guessed: dict[TableName, None] = {}
    doubtful = is_doubtful(text)
    for reading in readings(text, mode):
        is_dml = _operation(stripped(reading)) is Operation.statement
        found = _NOT_LOOKED_AT if is_dml else roles(reading, schema)
        certain |= dict.fromkeys(found.tables)
        if doubtful or not found.understood:
            guessed |= dict.fromkeys(_candidates(reading, schema, in_strings=not is_dml))
    if doubtful:
        guessed |= dict.fromkeys(_in_text(text, schema))
    return References(tuple(certain), tuple(name for name in guessed if name not in certain))


def _candidates(found: Sequence[Token], schema: str, *, in_strings: bool) -> Iterator[TableName]:
    found = _without_object_kind(found)
    for index, token in enumerate(found):
        before = found[index - 1].text if index else ""
        if token.kind is Kind.string:
            yield from _in_text(token.text, schema) if in_strings else ()
        elif before == "." and index > 1 and found[index - 2].names and token.kind is not Kind.mark:
            yield TableName(found[index - 2].text, token.text)
        elif token.names and token.keyword not in _RESERVED:
            yield TableName(schema, token.text)


def _in_text(text: str, schema: str) -> Iterator[TableName]:
    """Every word: what a program makes up at run time stands in its strings, whole or in parts."""
    for qualifier, name in _NAMES_IN_TEXT.findall(text):
        yield TableName(schema, name)
        if name[:6].isdigit():
            yield TableName(schema, name[5:])
        if qualifier:
            yield TableName(qualifier, name)
            yield TableName(schema, qualifier)


def _without_object_kind(found: Sequence[Token]) -> Sequence[Token]:
    """CREATE EVENT speaks of an event, not of a table called event; so do ALTER and DROP."""
    if not found or found[0].keyword not in ("CREATE", "ALTER", "DROP"):
        return found
    kind, at = object_kind(found)
    return [*found[:at], *found[at + 1 :]] if kind else found
