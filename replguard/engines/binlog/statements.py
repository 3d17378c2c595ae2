"""What a statement in a binlog is and which tables it names, from its text alone.

Two questions are kept apart. :func:`named` answers which tables a statement *may* touch: it takes every name in the
text for a candidate, and fewer only for the few forms that are understood to the last token. Whoever judges
intersects the candidates with the tables that exist. :func:`updated` answers which tables the server's filters will
look at, in their order, and says that it does not know rather than guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from replguard.engines.binlog.tokens import Kind, Token, tokens
from replguard.model.changes import Operation
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTROL = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA", "START"})
_DDL = frozenset(
    {"CREATE", "ALTER", "DROP", "RENAME", "GRANT", "REVOKE", "OPTIMIZE", "ANALYZE", "REPAIR", "FLUSH", "INSTALL"}
    | {"UNINSTALL", "IMPORT", "COMMENT", "CHECK"}
)
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
_UPDATING_MODIFIERS = frozenset({"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "QUICK"})


class Effect(Enum):
    """What a statement does to the transaction that it stands in."""

    begins = auto()
    ends = auto()
    none = auto()


@dataclass(frozen=True, slots=True)
class Reading:
    """What the filters look at: a database (CREATE, ALTER, DROP DATABASE), tables in order, or ``None``: not known."""

    tables: tuple[TableName, ...] | None = None
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """How a statement was parsed when it was written: from the ``sql_mode`` that its event logs."""

    ansi: bool = False
    plain_backslash: bool = False

    @classmethod
    def of(cls, sql_mode: int) -> Mode:
        """From the bits of ``sql_mode`` in a query event: ANSI_QUOTES and NO_BACKSLASH_ESCAPES."""
        return cls(bool(sql_mode & 0x4), bool(sql_mode & 0x100000))


class _Cursor:
    """A walk over tokens that never fails: what is not there is the empty token."""

    _END = Token(Kind.mark, "")

    def __init__(self, found: Sequence[Token], schema: str) -> None:
        self._tokens = found
        self._schema = schema
        self.at = 0

    @property
    def token(self) -> Token:
        return self._tokens[self.at] if self.at < len(self._tokens) else self._END

    @property
    def ended(self) -> bool:
        return self.at >= len(self._tokens) or all(token.text == ";" for token in self._tokens[self.at :])

    def take(self, *words: str) -> bool:
        """Step over these words (or marks) if all of them come next."""
        following = self._tokens[self.at : self.at + len(words)]
        if [token.keyword or (token.text if token.kind is Kind.mark else "") for token in following] == list(words):
            self.at += len(words)
            return True
        return False

    def take_any(self, words: frozenset[str]) -> None:
        while self.token.keyword in words:
            self.at += 1

    def table(self) -> TableName | None:
        """A table's name, qualified or not."""
        first = self.token
        if not first.names:
            return None
        self.at += 1
        if not self.take("."):
            return TableName(self._schema, first.text)
        second = self.token
        if not (second.names or second.kind is Kind.number):
            return None
        self.at += 1
        return TableName(first.text, second.text)

    def list(self) -> tuple[TableName, ...] | None:
        """Names with commas between them."""
        found = []
        while True:
            table = self.table()
            if table is None:
                return None
            found.append(table)
            if not self.take(","):
                return tuple(found)


def operation(text: str, mode: Mode | None = None) -> Operation | None:
    """The kind of change; ``None`` for what only begins or ends a transaction.

    >>> operation("/* app */ TRUNCATE event"), operation("INSERT INTO t VALUES (1)"), operation("COMMIT")
    (<Operation.truncate: 'truncate'>, <Operation.statement: 'statement'>, None)
    """
    mode = mode or Mode()
    head = next(tokens(text, ansi=mode.ansi, plain_backslash=mode.plain_backslash), Token(Kind.mark, "")).keyword
    if head in _CONTROL:
        return None
    if head == "TRUNCATE":
        return Operation.truncate
    return Operation.ddl if head in _DDL else Operation.statement


def transaction_effect(text: str) -> Effect:
    """What BEGIN, COMMIT, SAVEPOINT, XA and their like do.

    >>> [transaction_effect(text).name for text in ("BEGIN", "XA START X'01',X'',1", "ROLLBACK TO a", "COMMIT")]
    ['begins', 'begins', 'none', 'ends']
    """
    words = [token.keyword for _, token in zip(range(3), tokens(text), strict=False)]
    if words[0] in ("BEGIN", "START") or words[:2] in (["XA", "START"], ["XA", "BEGIN"]):
        return Effect.begins
    if words[0] == "COMMIT" or (words[0] == "ROLLBACK" and "TO" not in words):
        return Effect.ends
    return Effect.ends if words[:2] in (["XA", "COMMIT"], ["XA", "ROLLBACK"]) else Effect.none


def named(text: str, schema: str, mode: Mode | None = None) -> tuple[TableName, ...]:
    """Every table that the statement may touch, in order of appearance; unqualified names get the default ``schema``.

    DROP DATABASE touches all tables of a database: that is the one name ``*``.

    >>> [str(table) for table in named("ALTER TABLE account ADD event INT", "st")]
    ['st.account']
    >>> [str(table) for table in named("DROP DATABASE st", "st")]
    ['st.*']
    >>> [str(table) for table in named("OPTIMIZE TABLE x.y, event", "st")]
    ['st.x', 'x.y', 'st.event']
    """
    mode = mode or Mode()
    found = list(tokens(text, ansi=mode.ansi, plain_backslash=mode.plain_backslash))
    precise = _table_roles(found, schema)
    return precise if precise is not None else _candidates(found, schema)


def updated(text: str, schema: str, mode: Mode | None = None) -> Reading:
    """The tables that the statement updates, in the order in which the servers' filters look at them."""
    mode = mode or Mode()
    found = list(tokens(text, ansi=mode.ansi, plain_backslash=mode.plain_backslash))
    head = found[0].keyword if found else ""
    cursor = _Cursor(found, schema)
    database = _database(cursor)
    if database is not None:
        return Reading(database=database)
    cursor.at = 0
    if head in ("INSERT", "REPLACE", "UPDATE", "DELETE"):
        return Reading(_updated_by_dml(cursor))
    return Reading(_updated_by_ddl(cursor))


def _candidates(found: Sequence[Token], schema: str) -> tuple[TableName, ...]:
    candidates: dict[TableName, None] = {}
    found = _without_object_kind(found)
    for index, token in enumerate(found):
        if not (token.names or token.kind is Kind.number):
            continue
        before = found[index - 1].text if index else ""
        if before == "." and index > 1 and found[index - 2].names:
            candidates[TableName(found[index - 2].text, token.text)] = None
        elif token.names and token.keyword not in _RESERVED:
            candidates[TableName(schema, token.text)] = None
    return tuple(candidates)


def _without_object_kind(found: Sequence[Token]) -> Sequence[Token]:
    """CREATE EVENT speaks of an event, not of a table called event; so do ALTER and DROP."""
    if not found or found[0].keyword not in ("CREATE", "ALTER", "DROP"):
        return found
    for index, token in enumerate(found[:16]):
        if token.keyword in ("TABLE", "TRIGGER", "VIEW", "FUNCTION", "PROCEDURE", "EVENT"):
            return [*found[:index], *found[index + 1 :]] if found[index - 1].text != "." else found
    return found


def _table_roles(found: Sequence[Token], schema: str) -> tuple[TableName, ...] | None:
    """The tables of a DDL form that is understood completely; ``None`` for every other form."""
    cursor = _Cursor(found, schema)
    if _is_temporary(found) or _is_account(found):
        return ()
    if found and found[0].keyword in ("GRANT", "REVOKE"):
        return _granted(cursor)
    database = _database(cursor)
    if database is not None:
        return (TableName(database, "*"),) if found[0].keyword == "DROP" else ()
    cursor.at = 0
    updates = _updated_by_ddl(cursor)
    if updates is None:
        return None
    if cursor.ended:
        return updates
    more = _tables_in_definition(found[cursor.at :], schema)
    return None if more is None else tuple(dict.fromkeys((*updates, *more)))


def _is_temporary(found: Sequence[Token]) -> bool:
    words = [token.keyword for token in found[:4]]
    return words[:2] in (["CREATE", "TEMPORARY"], ["DROP", "TEMPORARY"]) or words == [
        "CREATE",
        "OR",
        "REPLACE",
        "TEMPORARY",
    ]


def _is_account(found: Sequence[Token]) -> bool:
    words = [token.keyword for token in found[:2]]
    return len(words) == 2 and words[0] in ("CREATE", "ALTER", "DROP") and words[1] in ("USER", "ROLE")


def _granted(cursor: _Cursor) -> tuple[TableName, ...]:
    """GRANT and REVOKE name privileges (EVENT is one) before ON, and at most one table behind it."""
    while not (cursor.ended or cursor.take("ON")):
        cursor.at += 1
    cursor.take("TABLE")
    return _one(cursor) or ()


def _tables_in_definition(found: Sequence[Token], schema: str) -> list[TableName] | None:
    """Tables that a column or table definition names; ``None`` where it selects from tables."""
    tables: list[TableName] = []
    for index, token in enumerate(found):
        word = token.keyword
        follows = _Cursor(found, schema)
        follows.at = index + 1
        if word in ("SELECT", "TABLE", "WITH", "UNION", "VALUES", "IMPORT") and not _is_plain_use(found, index):
            return None
        if word in ("REFERENCES", "LIKE"):
            take = True
        elif word == "RENAME":
            take = follows.token.keyword not in ("COLUMN", "INDEX", "KEY", "CONSTRAINT")
            take = (follows.take("TO") or follows.take("AS") or follows.take("=") or True) and take
        else:
            take = word == "WITH" and follows.take("TABLE")
        table = follows.table() if take else None
        if table:
            tables.append(table)
    return tables


def _is_plain_use(found: Sequence[Token], index: int) -> bool:
    """Keywords that also stand where no table is read: ``VALUES LESS THAN``, ``WITH TABLE``, ``WITH PARSER``, ..."""
    word, after = found[index].keyword, found[index + 1].keyword if index + 1 < len(found) else ""
    before = found[index - 1].keyword if index else ""
    return (
        (word == "VALUES" and after in ("LESS", "IN"))
        or (word == "WITH" and after in ("TABLE", "PARSER", "SYSTEM", "VALIDATION"))
        or (word == "TABLE" and before == "WITH")
    )


def _database(cursor: _Cursor) -> str | None:
    for verb in ("CREATE", "ALTER", "DROP"):
        if cursor.take(verb):
            cursor.take("OR", "REPLACE")
            if not (cursor.take("DATABASE") or cursor.take("SCHEMA")):
                return None
            _ = cursor.take("IF", "EXISTS") or cursor.take("IF", "NOT", "EXISTS")
            return cursor.token.text if cursor.token.names else None
    return None


def _updated_by_ddl(cursor: _Cursor) -> tuple[TableName, ...] | None:
    if cursor.take("TRUNCATE"):
        cursor.take("TABLE")
        return _one(cursor)
    if cursor.take("RENAME", "TABLE") or cursor.take("RENAME", "TABLES"):
        return _renamed(cursor)
    if cursor.take("DROP"):
        return _dropped(cursor)
    if cursor.take("ALTER"):
        cursor.take_any(frozenset({"ONLINE", "OFFLINE", "IGNORE"}))
        return _one(cursor) if cursor.take("TABLE") and _if_exists(cursor) else None
    if cursor.take("CREATE"):
        return _created(cursor)
    return None


def _if_exists(cursor: _Cursor) -> bool:
    return cursor.take("IF", "EXISTS") or cursor.take("IF", "NOT", "EXISTS") or True


def _one(cursor: _Cursor) -> tuple[TableName, ...] | None:
    table = cursor.table()
    return None if table is None else (table,)


def _renamed(cursor: _Cursor) -> tuple[TableName, ...] | None:
    _if_exists(cursor)
    found: list[TableName] = []
    while True:
        old = cursor.table()
        cursor.take_any(frozenset({"WAIT", "NOWAIT"}))
        new = cursor.table() if cursor.take("TO") else None
        if old is None or new is None:
            return None
        found += (old, new)
        if not cursor.take(","):
            return tuple(found)


def _dropped(cursor: _Cursor) -> tuple[TableName, ...] | None:
    cursor.take("TEMPORARY")
    if cursor.take("TABLE") or cursor.take("TABLES"):
        _if_exists(cursor)
        found = cursor.list()
        _ = cursor.take("CASCADE") or cursor.take("RESTRICT")
        return found
    return _indexed(cursor) if cursor.take("INDEX") else None


def _indexed(cursor: _Cursor) -> tuple[TableName, ...] | None:
    """CREATE INDEX and DROP INDEX: the table stands after ON, behind the index's own name and kind."""
    _if_exists(cursor)
    cursor.table()
    if cursor.take("USING"):
        cursor.at += 1
    return _one(cursor) if cursor.take("ON") else None


def _created(cursor: _Cursor) -> tuple[TableName, ...] | None:
    cursor.take("OR", "REPLACE")
    cursor.take("TEMPORARY")
    if cursor.take("TABLE"):
        _if_exists(cursor)
        return _one(cursor)
    cursor.take_any(frozenset({"UNIQUE", "FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE"}))
    return _indexed(cursor) if cursor.take("INDEX") else None


def _updated_by_dml(cursor: _Cursor) -> tuple[TableName, ...] | None:
    """Single-table INSERT, REPLACE, UPDATE and DELETE; the multi-table forms have an order of their own."""
    verb = cursor.token.keyword
    cursor.at += 1
    cursor.take_any(_UPDATING_MODIFIERS)
    if verb == "DELETE":
        if not cursor.take("FROM"):
            return None
        return _one(cursor) if _single(cursor) else None
    if verb == "UPDATE":
        return _one(cursor) if _single(cursor) else None
    cursor.take("INTO")
    return _one(cursor)


def _single(cursor: _Cursor) -> bool:
    """Whether one table alone stands here, looking ahead."""
    at = cursor.at
    table = cursor.table()
    follows = cursor.token
    cursor.at = at
    alone = follows.keyword in ("SET", "WHERE", "ORDER", "LIMIT", "PARTITION", "RETURNING", "FORCE") or not follows.text
    return table is not None and alone
