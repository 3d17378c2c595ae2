"""A walk over the tokens of a statement that never fails: what is not there is the empty token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.tokens import Kind, Token
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Sequence

_END = Token(Kind.mark, "")


class Cursor:
    """``schema`` is what an unqualified table's name belongs to."""

    def __init__(self, found: Sequence[Token], schema: str, at: int = 0) -> None:
        self._tokens = found
        self.schema = schema
        self.at = at

    @property
    def token(self) -> Token:
        return self._tokens[self.at] if self.at < len(self._tokens) else _END

    @property
    def rest(self) -> Sequence[Token]:
        return self._tokens[self.at :]

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

    def take_one_of(self, *words: str) -> bool:
        return any(self.take(word) for word in words)

    def take_any(self, words: frozenset[str]) -> None:
        while self.token.keyword in words:
            self.at += 1

    def take_existence(self) -> bool:
        """IF EXISTS and IF NOT EXISTS may stand almost everywhere; always true."""
        return self.take("IF", "EXISTS") or self.take("IF", "NOT", "EXISTS") or True

    def table(self) -> TableName | None:
        """A table's name, qualified or not; ``.name`` is one of the default schema too."""
        self.take(".")
        first = self.token
        if not first.names:
            return None
        self.at += 1
        if not self.take("."):
            return TableName(self.schema, first.text)
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

    def renamed(self) -> tuple[TableName, ...] | None:
        """``old TO new`` with commas between, old before new."""
        self.take_existence()
        found: list[TableName] = []
        while True:
            old = self.table()
            if self.take_one_of("WAIT", "NOWAIT") and self.token.kind is Kind.number:
                self.at += 1
            new = self.table() if self.take("TO") else None
            if old is None or new is None:
                return None
            found += (old, new)
            if not self.take(","):
                return tuple(found)

    def indexed(self) -> TableName | None:
        """CREATE INDEX and DROP INDEX: the table stands after ON, behind the index's own name and kind."""
        self.take_existence()
        self.table()
        if self.take("USING"):
            self.at += 1
        return self.table() if self.take("ON") else None
