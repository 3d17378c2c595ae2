"""Statement text as tokens, the way MySQL's and MariaDB's parsers cut it: strings and comments told from names.

Executable comments (``/*! ... */``, ``/*M! ... */``) are read as if every server executed them: whoever looks for names
must see those too.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    word = auto()
    """Bare: a keyword or a name."""
    quoted = auto()
    """Quoted: a name for certain."""
    string = auto()
    number = auto()
    mark = auto()


class Token(NamedTuple):
    kind: Kind
    text: str

    @property
    def keyword(self) -> str:
        """The word in upper case, empty where this cannot be a keyword."""
        return self.text.upper() if self.kind is Kind.word else ""

    @property
    def names(self) -> bool:
        return self.kind in (Kind.word, Kind.quoted)


_STRING = r"'(?:[^'\\]|\\.|'')*+(?:'|\Z)"
_STRING_PLAIN = r"'(?:[^']|'')*+(?:'|\Z)"
_DOUBLE = r'"(?:[^"\\]|\\.|"")*+(?:"|\Z)'
_DOUBLE_PLAIN = r'"(?:[^"]|"")*+(?:"|\Z)'


def _scanner(string: str, double: str) -> re.Pattern[str]:
    return re.compile(
        rf"""(?P<skip>\s+|\#[^\n]*|--(?=[\s\x00-\x1f]|\Z)[^\n]*|/\*(?!!|M!).*?(?:\*/|\Z)|/\*M?!\d*|\*/)
        |(?P<backtick>`(?:[^`]|``)*+(?:`|\Z))
        |(?P<string>{string})
        |(?P<double>{double})
        |(?P<number>\d+(?![\w$]))
        |(?P<word>[\w$]+)
        |(?P<mark>.)""",
        re.VERBOSE | re.DOTALL,
    )


_SCANNERS = {False: _scanner(_STRING, _DOUBLE), True: _scanner(_STRING_PLAIN, _DOUBLE_PLAIN)}


def tokens(text: str, *, ansi: bool = False, plain_backslash: bool = False) -> Iterator[Token]:
    r"""The tokens of a statement; ``ansi`` makes ``"x"`` a name, ``plain_backslash`` is NO_BACKSLASH_ESCAPES.

    >>> [token.text for token in tokens("DROP /* no */ TABLE `a``b`, /*!50000 c */ -- 'x\n . d")]
    ['DROP', 'TABLE', 'a`b', ',', 'c', '.', 'd']
    """
    for match in _SCANNERS[plain_backslash].finditer(text):
        kind, value = match.lastgroup, match.group()
        if kind == "backtick":
            yield Token(Kind.quoted, _unquoted(value, "`"))
        elif kind == "double":
            yield Token(Kind.quoted, _unquoted(value, '"')) if ansi else Token(Kind.string, value)
        elif kind != "skip" and kind is not None:
            yield Token(Kind[kind], value)


def _unquoted(text: str, quote: str) -> str:
    return text[1:].removesuffix(quote).replace(quote * 2, quote)
