"""The small language of ``where:`` in a policy, parsed and judged here, never sent to a server.

::

    name = 'Cluster.DeploymentSite'
    name IN ('a', 'b') AND node IS NOT NULL
    name LIKE 'Scheduler.%' OR name = 'node.ip'

Comparisons (``=``, ``<>``, ``!=``, ``IN``, ``NOT IN``, ``LIKE``, ``NOT LIKE``, ``IS [NOT] NULL``) of one column with
literals, joined by AND and OR (AND binds tighter) and parentheses. Values are compared as their text, exactly; a
comparison with a NULL value is false, as in SQL. The same rule therefore means the same on every engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Row = Mapping[str, str | None]
    Test = Callable[[Row], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w$]*)|"(?P<quoted>[^"]+)"
    |(?P<sign><>|!=|=|\(|\)|,))""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Predicate:
    """A parsed ``where:``; ``columns`` are the case-folded names that it reads."""

    text: str
    columns: frozenset[str]
    test: Test

    def holds(self, row: Row) -> bool:
        """Whether the row (column name, case-folded, to text or None) satisfies the predicate.

        >>> parse("name = 'a' AND node IS NULL").holds({"name": "a", "node": None})
        True
        """
        return self.test(row)


def parse(text: str) -> Predicate:
    """Read a predicate; PolicyError names what could not be read."""
    parser = _Parser(text)
    test = parser.either()
    if parser.rest:
        raise parser.error(f"unexpected {parser.rest[0][1]!r}")
    return Predicate(text, frozenset(parser.columns), test)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.columns: set[str] = set()
        self.rest: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if not match or not match.lastgroup:
                raise self.error(f"cannot read {text[position:].strip()[:20]!r}")
            self.rest.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()

    def error(self, what: str) -> PolicyError:
        return PolicyError(
            f"the predicate {self.text!r} cannot be used: {what}",
            remedy="write comparisons of a column with literals: name = 'x' AND node IN ('a', 'b')",
        )

    def word(self, *words: str) -> bool:
        """Take the next tokens if they are these words or signs."""
        ahead = [token.upper() for kind, token in self.rest[: len(words)] if kind in ("word", "sign")]
        if ahead != list(words):
            return False
        del self.rest[: len(words)]
        return True

    def either(self) -> Test:
        tests = [self.both()]
        while self.word("OR"):
            tests.append(self.both())
        return lambda row: any(test(row) for test in tests)

    def both(self) -> Test:
        tests = [self.single()]
        while self.word("AND"):
            tests.append(self.single())
        return lambda row: all(test(row) for test in tests)

    def single(self) -> Test:
        if self.word("("):
            inner = self.either()
            if not self.word(")"):
                raise self.error("a parenthesis is not closed")
            return inner
        column = self.column()
        return self.comparison(column)

    def column(self) -> str:
        if not self.rest or self.rest[0][0] not in ("word", "quoted"):
            raise self.error("a column name is missing")
        name = self.rest.pop(0)[1].casefold()
        self.columns.add(name)
        return name

    def comparison(self, column: str) -> Test:
        if self.word("IS", "NOT", "NULL"):
            return lambda row: row[column] is not None
        if self.word("IS", "NULL"):
            return lambda row: row[column] is None
        if self.word("="):
            return _among(column, {self.literal()})
        if self.word("<>") or self.word("!="):
            return _outside(column, {self.literal()})
        if self.word("NOT", "IN"):
            return _outside(column, self.literals())
        if self.word("IN"):
            return _among(column, self.literals())
        if self.word("NOT", "LIKE"):
            return _unlike(column, _like(self.literal()))
        if self.word("LIKE"):
            return _alike(column, _like(self.literal()))
        raise self.error(f"no comparison follows column {column!r}")

    def literal(self) -> str:
        if self.rest and self.rest[0][0] == "string":
            return self.rest.pop(0)[1][1:-1].replace("''", "'")
        if self.rest and self.rest[0][0] == "number":
            return self.rest.pop(0)[1]
        raise self.error("a literal is missing")

    def literals(self) -> set[str]:
        if not self.word("("):
            raise self.error("IN needs a list in parentheses")
        values = {self.literal()}
        while self.word(","):
            values.add(self.literal())
        if not self.word(")"):
            raise self.error("a parenthesis is not closed")
        return values


def _among(column: str, values: set[str]) -> Test:
    return lambda row: row[column] in values


def _outside(column: str, values: set[str]) -> Test:
    return lambda row: row[column] is not None and row[column] not in values


def _alike(column: str, pattern: re.Pattern[str]) -> Test:
    return lambda row: (value := row[column]) is not None and pattern.fullmatch(value) is not None


def _unlike(column: str, pattern: re.Pattern[str]) -> Test:
    return lambda row: (value := row[column]) is not None and pattern.fullmatch(value) is None


def _like(pattern: str) -> re.Pattern[str]:
    r"""The LIKE pattern as a regular expression; a backslash takes the next character literally.

    >>> bool(_like("a_%").fullmatch("abc")), bool(_like(r"a\_%").fullmatch("abc"))
    (True, False)
    """
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    signs = {"%": ".*", "_": "."}
    return re.compile("".join(signs.get(piece) or re.escape(piece[-1]) for piece in pieces), re.DOTALL)
