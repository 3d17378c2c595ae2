"""Statements by name: every text that is sent to a server is read from ``sql/<engine>/``.

A file holds one statement, or a template with slots in double braces, ``{{table}}``. A slot is filled only with
identifiers that the engine has quoted (:class:`Quoted`), or with the text of another file. A file ``name@11.4.sql`` is
the variant for servers from version 11.4 on; ``name.sql`` serves all others. Lines that start with ``--`` at the head
of a file tell what it is for and are not sent.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

_SLOT = re.compile(r"\{\{(\w+)\}\}")


class Quoted(str):
    """Text that may stand in a statement as it is: made by an engine's quoting or by :func:`statement` alone."""

    __slots__ = ()


@lru_cache(maxsize=1)
def root() -> Path:
    """The folder ``sql/``: inside the package where it was installed, beside it in a clone."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "sql", package.parent / "sql"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("replguard's folder sql/ is missing: the installation is damaged")


@lru_cache(maxsize=64)
def _files(folder: Path) -> dict[str, list[Path]]:
    """The files of a folder by name, all versions together."""
    found: dict[str, list[Path]] = {}
    for file in folder.glob("*.sql"):
        found.setdefault(file.stem.partition("@")[0], []).append(file)
    return found


@lru_cache(maxsize=512)
def _variants(engine: str, name: str) -> tuple[tuple[tuple[int, ...], str], ...]:
    path = root() / engine / f"{name}.sql"
    found = _files(path.parent).get(path.stem, ())
    variants = [(version_numbers(file.stem.partition("@")[2]), _body(file)) for file in found]
    if not variants:
        raise FileNotFoundError(f"sql/{engine}/{name}.sql is missing: the installation is damaged")
    return tuple(sorted(variants, reverse=True))


def version_numbers(text: str) -> tuple[int, ...]:
    """A version as numbers that compare.

    >>> version_numbers("10.11.19-MariaDB")
    (10, 11, 19)
    """
    head = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in head.group().split(".")) if head else ()


def _body(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    while lines and (lines[0].startswith("--") or not lines[0].strip()):
        lines.pop(0)
    return "\n".join(lines).strip().rstrip(";")


def statement(engine: str, name: str, version: str = "", **slots: Quoted) -> Quoted:
    """The statement ``sql/<engine>/<name>.sql`` for a server of ``version``, its slots filled.

    Raises FileNotFoundError for a file that is not there, KeyError for a slot without a value, TypeError for a value
    that nobody has quoted.
    """
    for slot, value in slots.items():
        if not isinstance(value, Quoted):
            raise TypeError(f"the value of slot {slot} of sql/{engine}/{name}.sql is not quoted")
    pieces = _pieces(engine, name, version)
    if len(pieces) == 1:
        return Quoted(pieces[0])
    return Quoted("".join([slots[piece] if place % 2 else piece for place, piece in enumerate(pieces)]))


@lru_cache(maxsize=1024)
def _pieces(engine: str, name: str, version: str) -> tuple[str, ...]:
    """The text for servers of this version: in turns what stands between the slots, and a slot's name."""
    have = version_numbers(version)
    text = next((text for least, text in _variants(engine, name) if least <= have), None)
    if text is None:
        raise FileNotFoundError(
            f"sql/{engine}/{name}.sql is missing, and no variant is for a version as old as {version}"
        )
    return tuple(_SLOT.split(text))


def joined(parts: list[Quoted], separator: str = ", ") -> Quoted:
    """Quoted texts in a row; the separator is punctuation or a keyword."""
    return Quoted(separator.join(parts))
