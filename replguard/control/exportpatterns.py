r"""The policy's rules as regular expressions over ``schema.table``, for tools that filter by these: pure.

The expressions are such that Java, PCRE2 and Python read them alike: letters, digits and underscores stand for
themselves, every other ASCII sign is in brackets or written by its number, so that nothing is left that a list, a
properties file or an option file would take for its own. They go by ASCII case alone without help, so other letters
that have two cases are written in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.model.tables import TableName

_PLAIN = re.compile(r"[A-Za-z0-9_-]")
_SET = re.compile(r"\[!?[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*\]")


@dataclass(frozen=True, slots=True)
class Patterns:
    """``texts`` are to be matched against the whole name. ``unsaid`` are globs that only existing tables stand for;
    ``wrong`` are tables that must cross and would be matched.
    """

    texts: tuple[str, ...]
    unsaid: tuple[str, ...] = ()
    wrong: tuple[TableName, ...] = ()


def patterns(
    globs: Iterable[str], schemas: Iterable[str], forbidden: Iterable[TableName], config: Iterable[TableName]
) -> Patterns:
    """The rules of must_not_sync for these schemas; tables that no rule's expression names are named one by one."""
    found: dict[str, None] = {}
    unsaid = []
    for glob in globs:
        texts = list(_of_rule(glob, list(schemas)))
        found |= dict.fromkeys(text for text in texts if text)
        if None in texts:
            unsaid.append(glob)
    for table in forbidden:
        if not matches(found, str(table)):
            found[literal(str(table))] = None
    wrong = tuple(table for table in config if matches(found, str(table)))
    return Patterns(tuple(found), tuple(unsaid), wrong)


def matches(texts: Iterable[str], name: str) -> bool:
    """Whether one of the expressions is for this name, as the tools match."""
    return any(re.fullmatch(text, name, re.IGNORECASE | re.ASCII) for text in texts)


def literal(text: str) -> str:
    r"""A name as an expression for itself.

    >>> literal("st.ev$ent"), literal("st.a,b")
    ('st[.]ev[$]ent', 'st[.]a\\x2Cb')
    """
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if _PLAIN.fullmatch(letter):
        return letter
    if letter in ".$":
        return f"[{letter}]"
    if ord(letter) < 128:
        return f"\\x{ord(letter):02X}"
    cases = sorted({letter, *(other for other in (letter.lower(), letter.upper()) if len(other) == 1)})
    return f"(?:{'|'.join(cases)})" if len(cases) > 1 else letter


def _of_rule(glob: str, schemas: list[str]) -> Iterator[str | None]:
    """A rule for a bare name holds in every schema; one with a dot names its schema. None for what cannot be said."""
    dots = [place for place, letter in enumerate(glob) if letter == "."]
    pairs = [(_glob(glob[:dot]), _glob(glob[dot + 1 :])) for dot in dots]
    if not dots:
        pairs = [(literal(schema), _glob(glob)) for schema in schemas]
    for schema, table in pairs:
        yield f"{schema}[.]{table}" if schema is not None and table is not None else None


def _glob(glob: str) -> str | None:
    r"""A glob as an expression; None where it has a set of more than letters.

    >>> _glob("dmz_*"), _glob("log?"), _glob("t[0-9]"), _glob("t[!a]"), _glob("t[.]")
    ('dmz_.*', 'log.', 't[0-9]', 't[^a]', None)
    """
    parts = re.split(rf"({_SET.pattern}|[*?])", glob)
    if any("[" in part for part in parts[::2]):
        return None
    signs = {"*": ".*", "?": "."}
    return "".join(
        (signs.get(part) or part.replace("[!", "[^")) if place % 2 else literal(part)
        for place, part in enumerate(parts)
    )
