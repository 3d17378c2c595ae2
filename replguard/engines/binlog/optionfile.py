r"""Option files of MySQL and MariaDB (``my.cnf``), read for what they say of replication.

Written from the servers' manuals and from what MySQL 9.7 and MariaDB 10.11 made of such files: options stand in groups,
``-`` and ``_`` in their names are the same, ``loose-`` is no part of them, a value may stand in quotes, ``#`` begins a
comment anywhere outside of them, and ``\`` before a letter that is no escape stays. A list grows by a line a rule: a
comma within a line is a part of the name, so that ``replicate-ignore-table=st.a,st.b`` keeps neither table apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "r": "\r", "s": " ", "\\": "\\", '"': '"', "'": "'"}
_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Option:
    """One line: ``name`` in lower case with underscores, ``connection`` before its dot (MariaDB), where it stands."""

    name: str
    value: str
    connection: str
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class OptionFile:
    """The options of some files that one server reads; ``unread`` is what they include and could not be read.

    ``by_colon`` says that a rule's channel stands before its first colon (MySQL), else it stands before the option.
    """

    options: tuple[Option, ...] = ()
    files: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    by_colon: bool = True

    def rules(self, kind: str, channel: str) -> tuple[str, ...] | None:
        """What the link will have of one kind (``ignore_table``); None where no line speaks of it.

        Lines for the very channel or connection replace those for all.
        """
        lines = [option for option in self.options if option.name == f"replicate_{kind}"]
        parted = [self._of_channel(option) for option in lines]
        own = [rule for named, rule in parted if named is not None and named.casefold() == channel.casefold()]
        for_all = [rule for named, rule in parted if named is None]
        found = own or for_all
        return tuple(dict.fromkeys(found)) if found else None

    def _of_channel(self, option: Option) -> tuple[str | None, str]:
        """The channel or connection that a line is for, None for all, and its rule."""
        channel, colon, rule = option.value.partition(":")
        if self.by_colon and colon:
            return channel, rule
        return option.connection or None, option.value

    def last(self, *names: str) -> Option | None:
        """The line that counts, of an option that has one value and these spellings."""
        return next((option for option in reversed(self.options) if option.name in names), None)


def groups(flavour: str, version: Sequence[int]) -> frozenset[str]:
    """The groups that a server reads.

    >>> sorted(groups("mysql", (9, 7, 4)))
    ['mysqld', 'mysqld-9.7', 'server']
    """
    programs = ["mysqld", "mariadbd", "mariadb"] if flavour == "mariadb" else ["mysqld"]
    series = ".".join(map(str, version[:2]))
    more = {"client-server", "galera"} if flavour == "mariadb" else set()
    return frozenset({"server", *programs, *(f"{program}-{series}" for program in programs)} | more)


def read(paths: Iterable[Path], wanted: frozenset[str]) -> OptionFile:
    """The options of these files and of what they include from their own folder; UsageError where one is unreadable."""
    options: list[Option] = []
    files: list[str] = []
    unread: list[str] = []
    for path in paths:
        _read_one(path, wanted, _Into(path.parent.resolve(), options, files, unread))
    return OptionFile(tuple(options), tuple(files), tuple(unread), by_colon="mariadb" not in wanted)


@dataclass(frozen=True, slots=True)
class _Into:
    folder: Path
    options: list[Option]
    files: list[str]
    unread: list[str]
    depth: int = 0


def _read_one(path: Path, wanted: frozenset[str], into: _Into) -> None:
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        message = f"the option file {path} cannot be read: {error.strerror}"
        raise UsageError(
            message, remedy="give a file that this user may read, a copy of the server's will do"
        ) from None
    into.files.append(str(path))
    group = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if words.startswith("!"):
            _include(path, words, wanted, into)
        elif words.startswith("["):
            group = words[1:].partition("]")[0].strip().lower()
        elif words and words[0] not in "#;" and group in wanted:
            into.options.append(_option(words, str(path), number))


def _include(path: Path, words: str, wanted: frozenset[str], into: _Into) -> None:
    """What is included from elsewhere is told as unread: a copy of a file names folders of another machine."""
    directive, _, named = words.partition(" ")
    place = path.parent / named.strip()
    if not place.resolve().is_relative_to(into.folder) or into.depth >= _DEPTH or not place.exists():
        into.unread.append(f"{directive} {named.strip()} in {path}")
        return
    deeper = _Into(into.folder, into.options, into.files, into.unread, into.depth + 1)
    for one in _included(place) if directive == "!includedir" else [place]:
        _read_one(one, wanted, deeper)


def _included(folder: Path) -> Iterator[Path]:
    return iter(sorted(folder.glob("*.cnf")))


def _option(words: str, file: str, line: int) -> Option:
    """A line taken apart.

    >>> option = _option("dr.replicate-do-table = 'st.a' # only", "my.cnf", 3)
    >>> option.connection, option.name, option.value, option.place
    ('dr', 'replicate_do_table', 'st.a', 'my.cnf:3')
    """
    name, _, value = words.partition("=")
    before, dot, behind = name.partition("#")[0].strip().partition(".")
    connection, bare = (before, behind) if dot else ("", before)
    spelt = bare.lower().replace("-", "_")
    return Option(spelt.removeprefix("loose_"), _value(value.strip()), connection, file, line)


def _value(text: str) -> str:
    r"""A value without quotes and comments, its escapes resolved.

    >>> _value(r'"st.a\_%"  # kept'), _value(r"st.b\_%#x"), _value(r"a\sb")
    ('st.a\\_%', 'st.b\\_%', 'a b')
    """
    quote = text[:1] if text[:1] in {"'", '"'} else ""
    if quote and (found := re.match(rf"{quote}((?:\\.|[^\\{quote}])*){quote}", text)):
        bare = found[1]
    else:
        bare = text.partition("#")[0].rstrip()
    return re.sub(r"\\([btnrs\\\"'])", lambda match: _ESCAPES[match[1]], bare)
