"""Statement text as tokens, the way MySQL's and MariaDB's parsers cut it: strings and comments told from names.

What stands in an executable comment (``/*!50000 ... */``, ``/*M! ... */``) is run by one server and skipped by another,
and either may hide a name or take the meaning from another: :func:`readings` gives every way of reading the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Runs = Callable[[str], bool]
    """Whether a server runs the executable comment that begins with this text (``/*!50001``)."""

_MANY = 8
# Every server that is still met runs what is asked of these versions.
_ANY_VERSION = 50600
# MariaDB skips what is asked of MySQL's versions from 5.7 on.
_NOT_MARIADB = range(50700, 100000)


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
        return self.text.upper() if self.kind is Kind.word and self.text.isascii() else ""

    @property
    def names(self) -> bool:
        return self.kind in (Kind.word, Kind.quoted)


@dataclass(frozen=True, slots=True)
class Mode:
    """How a statement was parsed when it was written: from the ``sql_mode`` that its event logs."""

    ansi: bool = False
    plain_backslash: bool = False

    @classmethod
    def of(cls, sql_mode: int) -> Mode:
        """From the bits of ``sql_mode`` in a query event: ANSI_QUOTES and NO_BACKSLASH_ESCAPES."""
        return cls(bool(sql_mode & 0x4), bool(sql_mode & 0x100000))


DEFAULT = Mode()

# In a name every character beyond ASCII is a letter; of blanks and controls only these six part words.
_LETTER = r"[0-9A-Za-z_$\x80-\U0010ffff]"
_BLANK = r"[ \t\n\v\f\r]+"
_LINE_COMMENT = r"\#[^\n]*|--(?=[\x00-\x20\x7f]|\Z)[^\n]*"
_COMMENT = r"/\*.*?(?:\*/|\Z)"
_OPEN = r"/\*M?!(?:\d{5,6})?"
_EXECUTABLE = re.compile(r"/\*(M?)!(\d{5,6})?")
# Five digits and part of a name, or six? Servers differ.
_UNCLEAR_VERSION = re.compile(rf"/\*M?!\d{{6}}(?={_LETTER})")
# How MySQL 9 quotes the text of routines in other languages.
_DOLLAR_QUOTE = re.compile(r"(?<![0-9A-Za-z_$\x80-\U0010ffff])\$[A-Za-z0-9_]*\$")
# Blanks in some charsets, letters in others.
_OTHER_BLANK = re.compile(r"(?=[^\x00-\x7f])\s")
# Skipped, an executable comment may hold one level of plain ones.
_UNREAD = re.compile(r"(?:(?!\*/|/\*).|/\*.*?(?:\*/|\Z))*+(?:\*/|\Z)", re.DOTALL)


def _quoted(mark: str, *, escapes: bool) -> str:
    """A quoted text; one that does not end reaches to the end of the statement."""
    # A backslash at the very end escapes nothing; it must not make the scan begin anew at every mark before it.
    inner = rf"[^{mark}\\]|\\(?:.|\Z)|{mark}{mark}" if escapes else rf"[^{mark}]|{mark}{mark}"
    return rf"{mark}(?:{inner})*+(?:{mark}|\Z)"


@lru_cache
def _scanner(mode: Mode, *, executable: bool) -> re.Pattern[str]:
    escapes = not mode.plain_backslash
    comments = {"open": _OPEN, "close": r"\*/"} if executable else {}
    kinds = comments | {
        "skip": f"{_BLANK}|{_LINE_COMMENT}|{_COMMENT}",
        "word": rf"(?![0-9]+(?!{_LETTER})){_LETTER}+",
        "number": "[0-9]+",
        "backtick": _quoted("`", escapes=False),
        "string": _quoted("'", escapes=escapes),
        "double": _quoted('"', escapes=escapes and not mode.ansi),
        "mark": ".",
    }
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items()), re.DOTALL)


def tokens(text: str, mode: Mode = DEFAULT, runs: Runs | None = None) -> Iterator[Token]:
    r"""The tokens of a statement, executable comments read where ``runs`` says so: by default, all.

    >>> [token.text for token in tokens("DROP /* no */ TABLE `a``b`, /*!50000 c */ -- 'x\n . d")]
    ['DROP', 'TABLE', 'a`b', ',', 'c', '.', 'd']
    """
    if "/*!" not in text and "/*M!" not in text:
        for match in _scanner(mode, executable=False).finditer(text):
            if match.lastgroup != "skip":
                yield _token(match, mode)
        return
    yield from _through_comments(text, mode, runs)


def _through_comments(text: str, mode: Mode, runs: Runs | None) -> Iterator[Token]:
    scan, at, inside = _scanner(mode, executable=True).match, 0, False
    while (match := scan(text, at)) is not None:
        kind, at = match.lastgroup, match.end()
        if kind == "open":
            inside = runs is None or runs(match.group())
            unread = None if inside else _UNREAD.match(text, at)
            at = unread.end() if unread else at
        elif kind == "close":
            # Elsewhere it is a product with a comment behind it.
            if not inside:
                yield Token(Kind.mark, "*")
                at -= 1
            inside = False
        elif kind != "skip":
            yield _token(match, mode)


def _token(match: re.Match[str], mode: Mode) -> Token:
    kind, value = match.lastgroup or "mark", match.group()
    if kind == "backtick":
        return Token(Kind.quoted, _unquoted(value, "`"))
    if kind == "double":
        return Token(Kind.quoted, _unquoted(value, '"')) if mode.ansi else Token(Kind.string, value)
    return Token(Kind[kind], value)


def _unquoted(text: str, quote: str) -> str:
    return text[1:].removesuffix(quote).replace(quote * 2, quote)


def readings(text: str, mode: Mode = DEFAULT) -> tuple[tuple[Token, ...], ...]:
    """The statement as each server may read it, the one that runs every executable comment first.

    >>> [len(found) for found in readings("DROP /*!99999 TEMPORARY */ TABLE /*!50001 x */ /*M! y */")]
    [5, 3, 4, 4]
    """
    if "/*!" not in text and "/*M!" not in text:
        return (tuple(tokens(text, mode)),)
    found: dict[tuple[Token, ...], None] = {tuple(tokens(text, mode)): None}
    for runs in _servers(text):
        found[tuple(tokens(text, mode, runs))] = None
    return tuple(found)


def _servers(text: str) -> Iterator[Runs]:
    """One for each kind of server that could tell the executable comments of the text apart."""
    asked = sorted({max(_ANY_VERSION, int(version or 0)) for _, version in _EXECUTABLE.findall(text)} | {_ANY_VERSION})
    for version in (*asked[:_MANY], asked[-1]):
        yield _Server(version, mariadb=False).runs
        yield _Server(version, mariadb=True).runs


def is_doubtful(text: str) -> bool:
    """Whether servers may cut the text otherwise than :func:`readings` tells, or in more ways."""
    if _DOLLAR_QUOTE.search(text) or (not text.isascii() and _OTHER_BLANK.search(text)):
        return True
    if "/*!" not in text and "/*M!" not in text:
        return False
    versions = {version for _, version in _EXECUTABLE.findall(text)}
    return len(versions) > _MANY or bool(_UNCLEAR_VERSION.search(text))


@dataclass(frozen=True, slots=True)
class _Server:
    version: int
    mariadb: bool

    def runs(self, opening: str) -> bool:
        """Whether this server runs what stands in a comment that begins so."""
        asked = int(opening.partition("!")[2] or 0)
        if opening.startswith("/*M"):
            return self.mariadb and asked <= self.version
        return asked <= self.version and not (self.mariadb and asked in _NOT_MARIADB)
