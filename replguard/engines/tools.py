"""What the gate asks of an engine about other programs that replicate, switch over, or rewrite tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.activity import Unseen
    from replguard.model.links import Link


class Does(StrEnum):
    """What a program does to a pair."""

    acts = "acts"
    """It changes tables or servers right now."""
    manages = "manages"
    """It may stop, start or turn round replication by itself."""
    reads = "reads"
    """It reads the changes of a server, and stays with that server when the sides are exchanged."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that was seen on a server: ``what`` is a sentence after the server's name."""

    does: Does
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Tools:
    seen: tuple[Tool, ...] = ()
    unseen: tuple[Unseen, ...] = ()


@runtime_checkable
class TellsTools(Protocol):
    """Servers that tell which programs are at work on them."""

    def tools(self, readers: Sequence[Link]) -> Tools:
        """``readers`` are the links that read this server's changes."""
        ...


_HOLD = "hold it for the time of the move (as `patronictl pause` does), and let it go on afterwards"
MANAGERS = (
    (re.compile(r"^(?:orchestrator|orc)(?:\b|_)", re.IGNORECASE), "orchestrator"),
    (re.compile(r"^(?:mha|mhauser)\b", re.IGNORECASE), "MHA"),
    (re.compile(r"^(?:maxscale|mariadbmon)", re.IGNORECASE), "MaxScale"),
    (re.compile(r"^patroni", re.IGNORECASE), "Patroni"),
    (re.compile(r"^repmgr", re.IGNORECASE), "repmgr"),
    (re.compile(r"^pg_?auto_?(?:ctl|failover)", re.IGNORECASE), "pg_auto_failover"),
    (re.compile(r"^stolon", re.IGNORECASE), "stolon"),
)
ACTORS = (
    (re.compile(r"gh-ost", re.IGNORECASE), "gh-ost"),
    (re.compile(r"pt-online-schema-change|^pt_osc", re.IGNORECASE), "pt-online-schema-change"),
    (re.compile(r"pt-table-sync", re.IGNORECASE), "pt-table-sync"),
    (re.compile(r"pt-table-checksum|/\*checksum (?:chunk|table)", re.IGNORECASE), "pt-table-checksum"),
    (re.compile(r"pt-archiver", re.IGNORECASE), "pt-archiver"),
    (re.compile(r"^pg_?repack|^pg_?squeeze", re.IGNORECASE), "a program that rewrites tables"),
)
READERS = (
    (re.compile(r"debezium", re.IGNORECASE), "Debezium"),
    (re.compile(r"^(?:awsdms|dms)|replication task", re.IGNORECASE), "a migration service"),
    (re.compile(r"^pglogical|^spock|^bdr", re.IGNORECASE), "another logical replication"),
    (re.compile(r"^maxwell", re.IGNORECASE), "Maxwell"),
)


def manager(name: str, who: str) -> Tool | None:
    """The program that a session's account or program is of, where it is one that manages replication."""
    for pattern, tool in MANAGERS:
        if pattern.search(name):
            return Tool(Does.manages, f"{tool} is connected ({who}): it may turn replication round by itself", _HOLD)
    return None


def actor(text: str, who: str) -> Tool | None:
    """The program that a session's text or program is of, where it is one that changes tables."""
    for pattern, tool in ACTORS:
        if pattern.search(text):
            return Tool(Does.acts, f"{tool} is at work ({who})", "wait until it has ended, or stop it")
    return None


def reader(name: str, who: str) -> Tool | None:
    """The program that a session is of, where it is one that carries changes elsewhere."""
    for pattern, tool in READERS:
        if pattern.search(name):
            what = f"{tool} reads its changes ({who}), and will go on reading this side after a move"
            return Tool(Does.reads, what, "plan how it is to follow, or stop it for the move")
    return None
