"""Which option files a server reads: those that the user gave, else those of a server on this very machine.

That it is this machine is proved by its name and by the files: what the server says it has from there must stand there.
"""

from __future__ import annotations

import socket
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog import optionfile
from replguard.errors import PrivilegeError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from replguard.engines.binlog.optionfile import OptionFile
    from replguard.engines.binlog.server import BinlogServer

STANDARD = (Path("/etc/my.cnf"), Path("/etc/mysql/my.cnf"))


def option_file(server: BinlogServer, rows: Iterable[Mapping[str, Any]] | None = None) -> OptionFile | None:
    """What the server will read when it starts, None where that cannot be known.

    ``rows`` are those of ``setting_origins.sql``. UsageError where a file that the user gave cannot be read.
    """
    groups = optionfile.groups(server.flavour, server.version)
    if server.endpoint.option_files:
        return optionfile.read([Path(one) for one in server.endpoint.option_files], groups)
    if server.variables.get("hostname") != socket.gethostname():
        return None
    found = list(rows if rows is not None else origins(server))
    return of_this_machine(seen(found), _unplaced(found), groups)


def origins(server: BinlogServer) -> list[dict[str, Any]]:
    """How settings were set; nothing where that may not be seen, which is then told of each."""
    try:
        return server.run("setting_origins")
    except PrivilegeError:
        return []


def seen(rows: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """The option files that the server says it has read, with variables that it has from there."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["path"]:
            found[str(row["path"])].add(str(row["name"]).lower())
    return dict(sorted(found.items()))


def _unplaced(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Variables from option files whose place is hidden: MariaDB shows it to who has the privilege FILE alone."""
    return {str(row["name"]).lower() for row in rows if row["origin"] == "CONFIG" and not row["path"]}


def of_this_machine(
    read: Mapping[str, set[str]], unplaced: set[str], groups: frozenset[str], standard: Sequence[Path] = STANDARD
) -> OptionFile | None:
    """The standard files where they hold everything that was read; else what was read, as a part of the whole."""
    if not read and not unplaced:
        return None
    whole = _proved([path for path in standard if path.is_file()], read, unplaced, groups)
    if whole:
        return whole
    part = _proved([Path(path) for path in read], read, unplaced, groups)
    return replace(part, unread=(*part.unread, "whatever else the server reads")) if part else None


def _proved(
    roots: Sequence[Path], read: Mapping[str, set[str]], unplaced: set[str], groups: frozenset[str]
) -> OptionFile | None:
    """The options of these files, if these hold what the server has from there."""
    try:
        found = optionfile.read(roots, groups)
    except UsageError:
        return None
    names: defaultdict[Path, set[str]] = defaultdict(set)
    for option in found.options:
        names[Path(option.file).resolve()].add(option.name)
    placed = all(names[Path(path).resolve()] & variables for path, variables in read.items())
    return found if placed and unplaced <= {option.name for option in found.options} else None
