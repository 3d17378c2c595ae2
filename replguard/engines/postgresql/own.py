"""A server's own stream: every change of its database, published or not, local or replicated, by test_decoding.

The temporary slot is copied from a logical slot of the database where there is one, which waits for nobody and reaches
back as far as that slot does; else it is made, which waits for whoever is writing, until a deadline.
"""

from __future__ import annotations

import codecs
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.postgresql.position import lsn, number
from replguard.engines.postgresql.quoting import quoted
from replguard.engines.sqlfiles import Quoted, statement
from replguard.errors import DeadlineError, Unsupported
from replguard.model.changes import Trouble, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Any

    from replguard.engines.base import Since
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.model.changes import StreamItem

DEADLINE = 10.0
"""Seconds that making a slot may take."""
_PROBE_SECONDS = 1.0
_CANNOT_SEE = (
    "DDL, sequences and large objects: logical decoding does not carry them",
    "unlogged and temporary tables",
    "transactions that are prepared (two-phase) or open, before they are committed",
    "which columns of an update differ, but where the replica identity is the whole row",
)
_NO_ORIGIN = "which changes were replicated: track_commit_timestamp is off"
_SUBSCRIPTION = re.compile(r"pg_([0-9]+)(?:_[0-9]+)?")


@dataclass(frozen=True, slots=True)
class OwnSlot:
    """Fulfils ``stream.Opening``."""

    server: PostgresServer
    since: Since
    deadline: float = DEADLINE

    @property
    def kind(self) -> str:
        return "test_decoding"

    @property
    def cannot_see(self) -> tuple[str, ...]:
        return _CANNOT_SEE if remembers_origins(self.server) else (*_CANNOT_SEE, _NO_ORIGIN)

    @property
    def label(self) -> str:
        return f"{self.server.name}'s own changes"

    def take_slot(self, session: Session, name: str, end: int) -> tuple[int, list[StreamItem]]:
        wanted = end if self.since == "now" else 0 if self.since == "start" else number(self.since)
        slot = self.slot_before(wanted)
        copied = copy_slot(self.server, session, slot, name) if slot else None
        there = number(copied or make_slot(self.server, session, name, self.deadline))
        begin = max(wanted, there)
        if self.since in ("now", "start") or wanted >= there:
            return begin, []
        text = f"{self.label}: no slot of its database reaches back to {lsn(wanted)}; they begin at {lsn(there)}"
        return begin, [Trouble(TroubleKind.gap, text, lsn(wanted))]

    def slot_before(self, wanted: int) -> str | None:
        """The slot that was read furthest, but not beyond ``wanted``; else the one that reaches back furthest."""
        slots = self.server.session.rows("slots", doing="looking for slots")
        fitting = [slot for slot in slots if number(slot["confirmed"]) <= wanted]
        chosen = fitting[:1] or slots[-1:]
        return chosen[0]["name"] if chosen else None

    def start(self, session: Session, slot: str, at: int) -> Quoted:
        values = {"slot": quoted(slot), "lsn": Quoted(lsn(at).text)}
        return statement("postgresql", "start_test_decoding", session.version, **values)


def needs_replication(server: PostgresServer) -> str:
    return f"ALTER ROLE {quoted(server.facts['role'])} REPLICATION"


def copy_slot(server: PostgresServer, session: Session, slot: str, name: str) -> str:
    with session.streaming():
        values = {"slot": slot, "copy": name}
        doing = f"copying slot {slot}"
        return str(session.row("slot_copy_text", values, doing=doing, remedy=needs_replication(server))["lsn"])


def make_slot(
    server: PostgresServer,
    session: Session,
    name: str,
    seconds: float,
    plugin: str = "test_decoding",
    *,
    create: str = "slot_create",
) -> str:
    """The first position of a new slot, temporary unless another statement makes it. DeadlineError names who was waited
    for.
    """
    session.rows("slot_deadline", {"milliseconds": str(int(seconds * 1000))})
    try:
        with session.streaming():
            values, doing = {"slot": name, "plugin": plugin}, f"making the slot {name}"
            made = session.row(create, values, doing=doing, remedy=needs_replication(server))
    except DeadlineError:
        raise blocked(server, seconds) from None
    session.rows("slot_deadline", {"milliseconds": "0"})
    return str(made["lsn"])


def blocked(server: PostgresServer, seconds: float) -> DeadlineError:
    """Why a slot could not be made in time: transactions that have written and are still open."""
    found = server.session.rows("slot_blockers", doing="looking who keeps a slot from being made")
    names = "; ".join(_blocker(row) for row in found) or "nobody that is still there"
    return DeadlineError(
        f"{server.name}: no slot could be made within {seconds:g} s, because it waits for open transactions: {names}",
        remedy="end these transactions, or try again when they have ended"
        + ("" if all(row["query"] or row["gid"] for row in found) else "; members of pg_read_all_stats are told more"),
        cluster=server.name,
    )


def _blocker(row: Mapping[str, Any]) -> str:
    age = f" for {row['seconds']} s" if row["seconds"] is not None else ""
    if row["gid"] is not None:
        return f"prepared transaction {row['gid']!r}{age}"
    who = f" ({row['role']}, {row['state']}{age}: {row['query']})" if row["query"] else f" ({row['role']})"
    return f"pid {row['pid']}{who}"


def has_plugin(server: PostgresServer) -> bool:
    """Whether the server can show its own changes. Asks it by making a temporary slot, which is gone at once."""
    session = server.open(replication=True)
    try:
        _probe(server, session)
    except Unsupported:
        return False
    except DeadlineError:
        return True  # the plugin is loaded before anybody is waited for
    finally:
        session.close()
    return True


def _probe(server: PostgresServer, session: Session) -> None:
    slot = OwnSlot(server, "start").slot_before(0)
    name = f"replguard_probe_{session.pid}"
    if slot:
        copy_slot(server, session, slot, name)
    else:
        make_slot(server, session, name, _PROBE_SECONDS)


def remembers_origins(server: PostgresServer) -> bool:
    return bool(server.facts["track_commit_timestamp"] == "on")


def codec_of(encoding: str) -> str:
    """Python's name for a server encoding. LookupError for one that it does not have.

    >>> codec_of("WIN1252"), codec_of("SQL_ASCII")
    ('cp1252', 'utf-8')
    """
    name = {"UTF8": "utf-8", "SQL_ASCII": "utf-8"}.get(encoding) or re.sub("^WIN", "cp", encoding)
    return codecs.lookup(name).name


class ServerCommits:
    """Fulfils ``texts.Commits``. A subscription's changes carry the identity of its publisher, where that is known."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def of(self, transactions: Iterable[str]) -> Mapping[str, tuple[str | None, datetime | None]]:
        xids = sorted(transactions)
        for pause in (0.01, 0.05, 0.2):
            rows = self._server.session.rows("commits", {"xids": xids}, doing="reading origins of transactions")
            if all(row["number"] is not None for row in rows):
                break
            time.sleep(pause)  # a commit is in the WAL a moment before its time and origin are noted
        return {row["xid"]: (self._origin(row["number"], row["name"]), row["committed_at"]) for row in rows}

    def _origin(self, number: int | None, name: str | None) -> str | None:
        """None for what cannot be told: a forgotten transaction, an origin that was dropped (an initial copy)."""
        if number == 0:
            return self._server.identity.text
        if number is None or name is None:
            return None
        return writer(self._server, name)


def writer(server: PostgresServer, origin: str | None) -> str:
    """Who wrote first what a server has under an origin: itself, or the publisher of a subscription, where known."""
    subscription = _SUBSCRIPTION.fullmatch(origin) if origin else None
    publisher = server.publishers.get(int(subscription[1])) if subscription else None
    return publisher or origin or server.identity.text
