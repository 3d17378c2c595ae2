"""A server's own inserts and truncates, by a publication of our own: for servers without test_decoding, if asked for.

The publication is called ``replguard_<pid>_<random>`` and removed when the stream is left. Its session holds an
advisory lock, so that what a killed process left behind can be told from what another one uses: whoever opens such a
stream removes what nobody holds. It publishes neither updates nor deletes, which would fail in the application on
tables without replica identity.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.postgresql.own import make_slot
from replguard.engines.postgresql.position import lsn, number
from replguard.engines.postgresql.quoting import quoted, replication_literal
from replguard.engines.postgresql.stream import LogicalStream
from replguard.engines.sqlfiles import Quoted, statement

if TYPE_CHECKING:
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.engines.postgresql.stream import Feed
    from replguard.model.changes import StreamItem

_CANNOT_SEE = (
    "updates and deletes: a publication with these could make the application's fail",
    "DDL, sequences and large objects: logical replication does not carry them",
    "unlogged and temporary tables",
    "what happened before the stream was opened",
)
_REMEDY = "a publication of all tables needs a superuser; or install test_decoding (postgresql-contrib)"


class OwnPublication:
    """One publication of ours, in a session that holds it."""

    def __init__(self, server: PostgresServer) -> None:
        self.name = f"replguard_{os.getpid()}_{secrets.token_hex(6)}"
        self._session = server.open(writes=True)
        try:
            for left in leftovers(self._session):
                self._drop(left)
            self._session.row("publication_hold", {"name": self.name})
            self._session.rows(
                "publication_make", doing="making a publication", remedy=_REMEDY, publication=quoted(self.name)
            )
        except BaseException:
            self._session.close()
            raise

    def _drop(self, name: str) -> None:
        self._session.rows("publication_drop", doing=f"removing publication {name}", publication=quoted(name))

    def remove(self) -> None:
        try:
            self._drop(self.name)
        finally:
            self._session.close()


def leftovers(session: Session) -> list[str]:
    """Publications of ours that no session holds: a process that made them was killed. They are held from now on."""
    ours = [row["name"] for row in session.rows("publications_ours", doing="looking for publications left behind")]
    return [name for name in ours if session.row("publication_hold", {"name": name})["held"]]


@dataclass(frozen=True, slots=True)
class PublishedSlot:
    """Fulfils ``stream.Opening``: a slot that reads the publication ``name`` from now on."""

    server: PostgresServer
    name: str
    deadline: float

    @property
    def kind(self) -> str:
        return "pgoutput"

    @property
    def cannot_see(self) -> tuple[str, ...]:
        return _CANNOT_SEE

    @property
    def label(self) -> str:
        return f"{self.server.name}'s own changes"

    def take_slot(self, session: Session, name: str, end: int) -> tuple[int, list[StreamItem]]:
        """What was written before the publication was made cannot be read with it, and ``end`` lies after that."""
        return max(end, number(make_slot(self.server, session, name, self.deadline, "pgoutput"))), []

    def start(self, session: Session, slot: str, at: int) -> Quoted:
        return statement(
            "postgresql",
            "start_pgoutput",
            session.version,
            slot=quoted(slot),
            lsn=Quoted(lsn(at).text),
            publications=replication_literal(quoted(self.name)),
            streaming=replication_literal("on"),
            two_phase=replication_literal("off"),
            origin=replication_literal("any"),
        )


class PublishedStream(LogicalStream):
    """A stream that removes its publication when it is left."""

    def __init__(self, publication: OwnPublication, opening: PublishedSlot, feed: Feed, wal_limit: int) -> None:
        self._publication = publication
        try:
            super().__init__(opening.server, opening, feed, wal_limit=wal_limit)
        except BaseException:
            publication.remove()
            raise

    def __exit__(self, *exc: object) -> None:
        try:
            super().__exit__(*exc)
        finally:
            self._publication.remove()
