"""Guard slots: the log of a database kept from a moment on, for telling later everything that was written there.

A guard is a permanent logical slot with the plugin test_decoding. It is copied from a slot of the database where there
is one, which waits for nobody; else it is made, which waits for whoever is writing, until a deadline. It is never read
itself: a temporary copy of it is, so that it does not move. Until it is dropped it keeps the WAL from its position on,
and dead rows of the catalogs.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.postgresql.links import slot_of
from replguard.engines.postgresql.own import OwnSlot, copy_slot, make_slot, needs_replication
from replguard.engines.postgresql.position import lsn, number
from replguard.errors import ControlError, StreamError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.model.changes import StreamItem
    from replguard.model.positions import Position

PLUGIN = "test_decoding"
_ANYWHERE = 1 << 64


def make(server: PostgresServer, name: str, timeout: float) -> Position:
    """Where the guard of this name begins. It is made where it is not there, or can no longer be read."""
    there = slot_of(server, name)
    if there and (not there["here"] or there["plugin"] != PLUGIN):
        raise ControlError(
            f"{server.name}: the slot {name} is of another database or plugin, and no guard",
            remedy="look who made it, and drop it if nobody needs it",
            cluster=server.name,
        )
    if there and there["lost"]:
        drop(server, name)
        there = None
    return _position(server, name, there or _made(server, name, timeout))


def _made(server: PostgresServer, name: str, timeout: float) -> Mapping[str, Any] | None:
    if server.facts["wal_level"] != "logical":
        raise Unsupported(
            f"{server.name} keeps no log that can be read later: wal_level is {server.facts['wal_level']}",
            remedy="ALTER SYSTEM SET wal_level = logical, then restart the server",
            cluster=server.name,
        )
    session = server.open(writes=True)
    try:
        if not _copied(server, session, name):
            make_slot(server, session, name, timeout, PLUGIN, create="guard_create")
    finally:
        session.close()
    return slot_of(server, name)


def _copied(server: PostgresServer, session: Session, name: str) -> bool:
    """Whether the guard could be copied; a slot that moves or vanishes meanwhile cannot be."""
    source = OwnSlot(server, "now").slot_before(_ANYWHERE)
    if source is None:
        return False
    with suppress(StreamError), session.streaming():
        values = {"slot": source, "copy": name}
        session.row("guard_copy", values, doing=f"copying slot {source}", remedy=needs_replication(server))
        return True
    return False


def _position(server: PostgresServer, name: str, slot: Mapping[str, Any] | None) -> Position:
    if slot is None or slot["lost"] or not slot["confirmed"]:
        raise ControlError(
            f"{server.name}: the guard slot {name} was made and is not there",
            remedy="look at the server's log; another program may drop slots that nobody reads",
            cluster=server.name,
        )
    return lsn(slot["confirmed"])


def drop(server: PostgresServer, name: str) -> None:
    session = server.open(writes=True)
    try:
        values, doing = {"slot": name}, f"dropping the guard slot {name}"
        session.rows("guard_drop", values, doing=doing, remedy=needs_replication(server))
    finally:
        session.close()


def names(server: PostgresServer) -> tuple[str, ...]:
    return tuple(row["name"] for row in server.session.rows("guards", doing="looking for guard slots"))


@dataclass(frozen=True, slots=True)
class GuardCopy(OwnSlot):
    """Fulfils ``stream.Opening`` for a copy of a guard. What was committed before ``since`` is passed over."""

    guard: str = ""

    def take_slot(self, session: Session, name: str, end: int) -> tuple[int, list[StreamItem]]:  # noqa: ARG002 - a guard reaches back
        slot = slot_of(self.server, self.guard)
        if slot is None or slot["lost"]:
            gone = "lost" if slot else "gone"
            raise StreamError(
                f"{self.server.name}: the guard slot {self.guard} is {gone}, so what was written meanwhile cannot be "
                "told",
                remedy="compare with `replguard diff`",
                cluster=self.server.name,
            )
        there = number(copy_slot(self.server, session, self.guard, name))
        return (there if self.since in ("now", "start") else max(there, number(self.since))), []
