"""The tables that queries, changes and stored programs name, found by the keywords behind which the grammars of MySQL
and MariaDB let a table stand: FROM, JOIN, INTO, UPDATE, TABLE, REFERENCES and their like.

All of these but a few are reserved, so that a name is none of them unless it is quoted; no structure around them needs
to be understood. Where something else follows than can stand there, the walk says that it did not understand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.engines.binlog.cursor import Cursor
from replguard.engines.binlog.tokens import Kind
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from replguard.engines.binlog.tokens import Token

# FROM stands between the arguments of these.
_WITH_FROM = frozenset({"EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "MID", "POSITION"})
_ENDS_LIST = frozenset({"WHERE", "HAVING", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "SET", "INTO", "SELECT"})
_BEFORE_NAME = frozenset(
    {"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "IGNORE", "INTO", "TABLE", "IF", "NOT", "EXISTS", "LATERAL"}
)
_NO_TABLE = frozenset({"DUAL", "JSON_TABLE"})
_EVENTS_OF = frozenset({"ON", "BEFORE", "AFTER", "OR"})
_LIST_VERBS = frozenset({"DROP", "OPTIMIZE", "ANALYZE", "CHECK", "CHECKSUM", "REPAIR", "FLUSH", "LOCK"})
_BETWEEN_VERB_AND_TABLE = frozenset({"TEMPORARY", "LOCAL", "NO_WRITE_TO_BINLOG", "ONLINE", "OFFLINE", "IGNORE"})
_BEFORE_INDEX = frozenset({"CREATE", "DROP", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE", "OFFLINE", "REPLACE"})
_RENAMED_PARTS = frozenset({"COLUMN", "INDEX", "KEY", "CONSTRAINT", "USER"})
_SEQUENCE_CALLS = frozenset({"NEXTVAL", "LASTVAL", "SETVAL", "CURRVAL"})
_ON_DUPLICATE = ("DUPLICATE", "ON")
_OPAQUE = frozenset({"GRANT", "REVOKE", "PREPARE", "EXECUTE"})


@dataclass(frozen=True, slots=True)
class Roles:
    """``tables`` stand in a table's place. ``understood`` is false where others may, too."""

    tables: tuple[TableName, ...] = ()
    understood: bool = True


@dataclass(slots=True)
class _Level:
    """What is known within one pair of parentheses."""

    word: str = ""
    """The word before the parenthesis, while this may be a call."""
    listing: bool = False
    """Commas part tables."""
    expecting: bool = False
    """A table comes next."""
    deleting: bool = False
    """DELETE FROM may be followed by USING and tables."""
    naming: bool = False
    """WITH names queries here."""


@dataclass(slots=True)
class _Walk:
    tokens: Sequence[Token]
    schema: str
    program: bool
    at: int = 0
    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    found: dict[TableName, None] = field(default_factory=dict)
    queries: set[TableName] = field(default_factory=set)
    understood: bool = True

    def keyword(self, at: int) -> str:
        return self.tokens[at].keyword if 0 <= at < len(self.tokens) else ""

    def text(self, at: int) -> str:
        """The token's text where it is no string and not quoted."""
        if not 0 <= at < len(self.tokens):
            return ""
        token = self.tokens[at]
        return token.text if token.kind in (Kind.mark, Kind.word, Kind.number) else ""

    def add(self, table: TableName | None) -> None:
        if table is None:
            self.understood = False
        else:
            self.found[table] = None

    def run(self) -> None:
        while self.at < len(self.tokens):
            level, token = self.levels[-1], self.tokens[self.at]
            if level.expecting and self._expected(level, token):
                continue
            if token.kind is Kind.mark:
                self._mark(level, token.text)
            elif token.keyword and not self._is_part_of_name():
                self._word(level, token.keyword)
            elif token.keyword in _SEQUENCE_CALLS:
                self._add_path(self._path(self.at - 2, -1))
            self.at += 1
        self.understood = self.understood and not any(level.expecting for level in self.levels)

    def _is_part_of_name(self) -> bool:
        """A keyword behind a dot or an @ is a name; but behind ``1.`` it is a keyword."""
        before = self.text(self.at - 1)
        if before == "@":
            return True
        return before == "." and self.at > 1 and self.tokens[self.at - 2].names

    def _expected(self, level: _Level, token: Token) -> bool:
        """Whether the token was taken for (a part of) the table that must come now."""
        word = token.keyword
        if word in ("SELECT", "WITH", "VALUES") and self.text(self.at - 1) == "(":
            level.expecting = level.listing = False
        elif token.text in ("(", "{") and token.kind is Kind.mark:
            level.expecting = False
            if token.text == "{":
                self.at += 2
                level.expecting = True
                return True
            self.levels.append(_Level(listing=True, expecting=True))
            self.at += 1
            return True
        elif word in _BEFORE_NAME:
            self.at += 1
            return True
        else:
            level.expecting = False
            return self._table(word)
        return False

    def _table(self, word: str) -> bool:
        if word in _NO_TABLE and (word == "DUAL" or self.text(self.at + 1) == "("):
            self.at += 1
            return True
        cursor = Cursor(self.tokens, self.schema, self.at)
        self.add(cursor.table())
        moved = cursor.at > self.at
        self.at = cursor.at
        return moved

    def _mark(self, level: _Level, mark: str) -> None:
        if mark == "(":
            self.levels.append(_Level(word=self.keyword(self.at - 1)))
        elif mark == ")":
            if len(self.levels) > 1:
                self.levels.pop()
        elif mark == ",":
            level.expecting = level.listing
        elif mark == ";":
            self.levels[-1] = _Level()
        elif mark == "%":
            self._typed_by_table()

    def _word(self, level: _Level, word: str) -> None:
        before = self.keyword(self.at - 1)
        if word in _ENDS_LIST or (word in ("GROUP", "ORDER") and before != "FOR") or (word, before) == _ON_DUPLICATE:
            level.listing = level.deleting = False
        if word == "SELECT":
            level.word = ""
        known = _WORDS.get(word)
        if known:
            known(self, level, before)
        elif self.program and word in _OPAQUE:
            self.understood = False

    def expect(self, level: _Level, *, listing: bool = False) -> None:
        level.expecting, level.listing = True, listing

    def from_(self, level: _Level, _before: str) -> None:
        if level.word not in _WITH_FROM:
            self.expect(level, listing=True)

    def join(self, level: _Level, before: str) -> None:
        if before != "FOR":
            level.deleting = False
            self.expect(level, listing=True)

    def straight_join(self, level: _Level, _before: str) -> None:
        if level.listing:
            level.expecting, level.deleting = True, False

    def using(self, level: _Level, _before: str) -> None:
        if level.deleting and level.listing:
            level.deleting = False
            self.expect(level, listing=True)

    def update(self, level: _Level, before: str) -> None:
        if before not in _EVENTS_OF | {"KEY", "FOR"}:
            self.expect(level, listing=True)

    def delete(self, level: _Level, before: str) -> None:
        level.deleting = before not in _EVENTS_OF

    def insert(self, level: _Level, before: str) -> None:
        if before not in _EVENTS_OF and self.text(self.at + 1) != "(":
            self.expect(level)

    def references(self, level: _Level, _before: str) -> None:
        self.expect(level)

    def truncate(self, level: _Level, _before: str) -> None:
        if self.keyword(self.at + 1) != "PARTITION" and self.text(self.at + 1) != "(":
            self.expect(level)

    def table(self, level: _Level, _before: str) -> None:
        if self.keyword(self.at + 1) == "OF":
            return
        verb = self.at - 1
        while self.keyword(verb) in _BETWEEN_VERB_AND_TABLE:
            verb -= 1
        if self.keyword(verb) == "RENAME":
            self._renamed_tables()
        elif not (self.keyword(verb) == "FLUSH" and self.keyword(self.at + 1) in ("", "WITH")):
            self.expect(level, listing=self.keyword(verb) in _LIST_VERBS)

    def relation(self, level: _Level, before: str) -> None:
        """VIEW and SEQUENCE are words like others, but behind a verb."""
        if before in ("CREATE", "ALTER", "DROP", "REPLACE"):
            self.expect(level, listing=before == "DROP")

    def index(self, _level: _Level, before: str) -> None:
        if before in _BEFORE_INDEX:
            table = Cursor(self.tokens, self.schema, self.at + 1).indexed()
            if table:
                self.add(table)

    def rename(self, level: _Level, _before: str) -> None:
        cursor = Cursor(self.tokens, self.schema, self.at + 1)
        if cursor.token.keyword in _RENAMED_PARTS | {"TABLE", "TABLES"}:
            return
        cursor.take_one_of("TO", "AS", "=")
        self.at = cursor.at - 1
        self.expect(level)

    def _renamed_tables(self) -> None:
        for table in Cursor(self.tokens, self.schema, self.at + 1).renamed() or (None,):
            self.add(table)

    def union(self, level: _Level, _before: str) -> None:
        """MERGE tables name others as ``UNION = (a, b)``; between queries no name follows."""
        if self.text(self.at + 1) == "=":
            self.at += 1
            self.expect(level)
        elif self.text(self.at + 1) == "(":
            self.levels.append(_Level(listing=True, expecting=True))
            self.at += 1

    def value(self, level: _Level, before: str) -> None:
        """NEXT VALUE FOR and PREVIOUS VALUE FOR a sequence."""
        if before in ("NEXT", "PREVIOUS") and self.keyword(self.at + 1) == "FOR":
            self.at += 1
            self.expect(level)

    def sequence_call(self, _level: _Level, _before: str) -> None:
        if self.text(self.at + 1) == "(":
            self.add(Cursor(self.tokens, self.schema, self.at + 2).table())

    def of(self, _level: _Level, before: str) -> None:
        """``ROW TYPE OF table`` and ``TYPE OF table.column``."""
        if before == "TYPE":
            path = self._path(self.at + 1, 1)
            self._add_path(path if self.keyword(self.at - 2) == "ROW" else path[:-1])

    def handler(self, level: _Level, _before: str) -> None:
        follows = {self.keyword(self.at + ahead) for ahead in (2, 4)}
        if follows & {"OPEN", "READ", "CLOSE"}:
            self.expect(level)

    def language(self, _level: _Level, _before: str) -> None:
        if self.program and self.keyword(self.at + 1) != "SQL":
            self.understood = False

    def with_(self, level: _Level, _before: str) -> None:
        level.naming = True

    def as_(self, level: _Level, _before: str) -> None:
        """``WITH name AS (...)`` and ``WITH name (columns) AS (...)`` name a query, not a table."""
        if not level.naming or self.text(self.at + 1) != "(":
            return
        name = self.at - 1
        if self.text(name) == ")":
            while name > 0 and self.text(name) != "(":
                name -= 1
            name -= 1
        if name >= 0 and self.tokens[name].names:
            self.queries.add(TableName(self.schema, self.tokens[name].text).folded())

    def _typed_by_table(self) -> None:
        """``table.column%TYPE`` and ``table%ROWTYPE``."""
        kind = self.keyword(self.at + 1)
        if kind in ("TYPE", "ROWTYPE"):
            path = self._path(self.at - 1, -1)
            self._add_path(path if kind == "ROWTYPE" else path[:-1])

    def _path(self, at: int, step: int) -> list[str]:
        """Names with dots between them, from ``at`` on in the direction of ``step``."""
        path = []
        while 0 <= at < len(self.tokens) and self.tokens[at].names:
            path.append(self.tokens[at].text)
            if self.text(at + step) != ".":
                break
            at += 2 * step
        return path[::step]

    def _add_path(self, path: list[str]) -> None:
        if path:
            self.add(TableName(path[-2] if len(path) > 1 else self.schema, path[-1]))


_WORDS: dict[str, Callable[[_Walk, _Level, str], None]] = {
    "FROM": _Walk.from_,
    "JOIN": _Walk.join,
    "STRAIGHT_JOIN": _Walk.straight_join,
    "USING": _Walk.using,
    "UPDATE": _Walk.update,
    "DELETE": _Walk.delete,
    "INSERT": _Walk.insert,
    "REPLACE": _Walk.insert,
    "REFERENCES": _Walk.references,
    "TRUNCATE": _Walk.truncate,
    "TABLE": _Walk.table,
    "TABLES": _Walk.table,
    "VIEW": _Walk.relation,
    "SEQUENCE": _Walk.relation,
    "INDEX": _Walk.index,
    "RENAME": _Walk.rename,
    "UNION": _Walk.union,
    "VALUE": _Walk.value,
    **dict.fromkeys(_SEQUENCE_CALLS, _Walk.sequence_call),
    "OF": _Walk.of,
    "HANDLER": _Walk.handler,
    "LANGUAGE": _Walk.language,
    "WITH": _Walk.with_,
    "AS": _Walk.as_,
}


def walk(tokens: Sequence[Token], schema: str, *, program: bool = False) -> Roles:
    """The tables of a query, a change or a definition; of a stored ``program``, statements that it makes up at run time
    included as not understood.

    The name of a query (``WITH event AS ...``) hides the table of this name, but not everywhere: not understood.
    """
    found = _Walk(tokens, schema, program)
    found.run()
    tables = tuple(table for table in found.found if table.folded() not in found.queries)
    return Roles(tables, found.understood and len(tables) == len(found.found))
