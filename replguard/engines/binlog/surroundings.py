"""What beside its rules decides what a link lets through and what a restart makes of it, as both servers say it.

Read only where an audit asks for it: who watches a stream needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.engines.binlog import optionplaces
from replguard.engines.binlog.rawfilters import names, pairs
from replguard.errors import PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from replguard.engines.binlog.optionfile import OptionFile
    from replguard.engines.binlog.server import BinlogServer


_AT_RUN_TIME = frozenset({"DYNAMIC", "SQL"})
_ON_COMMAND_LINE = frozenset({"COMMAND_LINE", "COMMAND-LINE"})
"""What stands there counts more than any option file."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable of a server that is otherwise, or may be, after a restart: ``then`` is None where nobody knows.

    ``why`` says what it is told from, as a clause.
    """

    name: str
    now: str
    then: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Side:
    """One server of a link: its name, settings that count, and those that a restart changes."""

    name: str
    lower_case_table_names: int
    binlog_format: str = ""
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, slots=True)
class MissingGrant:
    """What this user may not look at, and what would let it."""

    remedy: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """``startup`` holds the rules for all channels that the target was started with, by kind, where it still tells.

    ``options`` are the target's option files, where the user gave them or they are on this machine; ``hinted`` are
    those that the server says it has read. ``sessions`` are sessions of the source that log statements, None where the
    server shows them to nobody, and the grant that is missing where it does not show them to this user.
    """

    target: Side
    source: Side | None = None
    options: OptionFile | None = None
    hinted: tuple[str, ...] = ()
    startup: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    sessions: tuple[str, ...] | MissingGrant | None = None


def read(target: BinlogServer, source: BinlogServer | None, startup: Mapping[str, str]) -> Surroundings:
    """Ask both servers. ``startup`` is what the target's rules for all channels are, as it prints them."""
    rows = optionplaces.origins(target)
    options = optionplaces.option_file(target, rows)
    return Surroundings(
        target=_side(target, rows, options, ("slave_run_triggers_for_rbr",)),
        source=_source(source) if source else None,
        options=options,
        hinted=tuple(optionplaces.seen(rows)),
        startup={kind: rules(kind, text) for kind, text in startup.items()},
        sessions=_sessions(source) if source else None,
    )


def _source(source: BinlogServer) -> Side:
    rows = optionplaces.origins(source)
    counting = ("binlog_format", "server_id", "gtid_domain_id")
    return _side(source, rows, optionplaces.option_file(source, rows), counting)


def rules(kind: str, text: str | None) -> tuple[Any, ...]:
    """Rules of one kind as a server prints them."""
    return pairs(text) if kind == "rewrite_db" else names(text)


def _side(
    server: BinlogServer, rows: list[dict[str, Any]], options: OptionFile | None, counting: tuple[str, ...]
) -> Side:
    origins = {str(row["name"]).lower(): row for row in rows}
    settings = tuple(
        setting
        for name in counting
        if name in server.variables and (setting := _changed(server, name, origins.get(name), options)) is not None
    )
    written = server.variables.get("binlog_format", "")
    return Side(server.name, server.lower_case_table_names, written, settings)


def _changed(
    server: BinlogServer, name: str, row: Mapping[str, Any] | None, options: OptionFile | None
) -> Setting | None:
    """What becomes of a variable that was set at run time, or that is persisted or written down otherwise."""
    now = server.variables[name]
    if row is None:
        return Setting(name, now, None, "the server does not say how it was set")
    then, why = None, "it was set at run time"
    if row["persisted"] is not None:
        then, why = str(row["persisted"]), "it is persisted so"
    elif row["origin"] in _ON_COMMAND_LINE:
        return None
    elif options and (line := options.last(name)):
        then, why = line.value, f"{line.place} says so"
    elif row["origin"] not in _AT_RUN_TIME:
        return None
    elif options and not options.unread and row["default_value"] is not None:
        then = str(row["default_value"])
        why = f"it was set at run time, and {', '.join(options.files)} does not set it"
    return None if then is not None and then.upper() == now.upper() else Setting(name, now, then, why)


def _sessions(source: BinlogServer) -> tuple[str, ...] | MissingGrant | None:
    """Sessions that log statements, with how often; None where the server has no such view."""
    if source.flavour != "mysql":
        return None
    try:
        rows = source.run("session_formats")
    except PrivilegeError as error:
        return MissingGrant(error.remedy or error.message)
    return tuple(f"{row['account']} ({row['format']}, {row['sessions']})" for row in rows)
