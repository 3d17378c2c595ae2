"""Streams of changes: what a subscription's slot carries, read from a temporary copy of it.

The copy is read with the subscription's own publications and origin option, so that what is seen is what is sent. The
original slot does not move.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.base import NAMES
from replguard.engines.postgresql import guards
from replguard.engines.postgresql.applied import applied_rows, local_rows
from replguard.engines.postgresql.keeping import kept
from replguard.engines.postgresql.links import find_peer, progress, slot_of
from replguard.engines.postgresql.lookback import PostgresLookback, still_waiting
from replguard.engines.postgresql.own import (
    DEADLINE,
    OwnSlot,
    ServerCommits,
    codec_of,
    has_plugin,
    remembers_origins,
    writer,
)
from replguard.engines.postgresql.pgoutput import IDENTITY_FULL, Decoder
from replguard.engines.postgresql.position import lsn, number, wal_end
from replguard.engines.postgresql.published import OwnPublication, PublishedSlot, PublishedStream
from replguard.engines.postgresql.quoting import quoted, replication_literal
from replguard.engines.postgresql.stream import PORTION, LogicalStream
from replguard.engines.postgresql.texts import TextTranslation
from replguard.engines.postgresql.translation import Translation
from replguard.engines.postgresql.watchdog import WAL_LIMIT
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import StreamError, Unsupported
from replguard.model.changes import Trouble, TroubleKind
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import AppliedRows, Server, Since, Wanted
    from replguard.engines.controls import Kept, Reach
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.errors import ServerError
    from replguard.model.changes import StreamItem
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.model.tables import Table

_CANNOT_SEE = (
    "DDL, sequences and large objects: logical replication does not carry them",
    "tables that no publication of the subscription publishes",
    "the initial copy of a table, which is not in the slot",
)
_PROTOCOLS = {14: 2, 15: 3}
"""By major version; later ones speak 4. The files ``start_pgoutput`` ask for the same."""


class PostgresStreams:
    """Fulfils ``Streams``. A stream that holds back more than ``wal_limit`` bytes of WAL gives its slot up.

    Making a slot, where there is none to copy, may take ``slot_deadline`` seconds.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.wal_limit = WAL_LIMIT
        self.slot_deadline = DEADLINE
        self.may_publish = False
        """Whether :meth:`own` may make a publication of inserts and truncates where there is no test_decoding."""

    def parse(self, text: str) -> Position:
        """An LSN as the server prints it."""
        found = lsn(text)
        number(found)
        return found

    def sent(self, link: Link, target: Server, since: Since, wanted: Wanted = NAMES) -> LogicalStream:  # noqa: ARG002 - the link tells all
        return self._of_link(SlotCopy(self._server, link, since), wanted, bounded=False)

    def pending(self, link: Link, target: Server, wanted: Wanted = NAMES) -> LogicalStream:
        """From where the target itself says it has applied, where it says so; else from what the slot knows of that.

        The slot may lag behind a target that was stopped before it could report.
        """
        subscriber = find_peer({target.name: target}, target.name)
        applied = progress(subscriber, link.detail["oid"]) if subscriber else None
        opening = SlotCopy(self._server, link, "start", applied=applied, in_parts=False)
        return self._of_link(opening, wanted, bounded=True)

    @contextmanager
    def look_back(
        self,
        link: Link,
        target: Server,  # noqa: ARG002 - the link tells all
        wanted: Wanted = NAMES,
        since: Position | None = None,
    ) -> Iterator[PostgresLookback]:
        """Copies the link's slot at once; transactions come when committed, or prepared if the link does so."""
        with self._of_link(
            SlotCopy(self._server, link, since or "start", in_parts=False), wanted, bounded=False
        ) as stream:
            self._server.awaited |= still_waiting(self._server)
            yield PostgresLookback(stream)

    def end(self) -> Position:
        return wal_end(self._server.session)

    def _of_link(self, opening: SlotCopy, wanted: Wanted, *, bounded: bool) -> LogicalStream:
        decoder = Decoder(_PROTOCOLS.get(self._server.major, 4), parallel=opening.parallel)
        feed = Translation(decoder, wanted, _keys(self._server), PORTION)
        return LogicalStream(self._server, opening, feed, bounded=bounded, wal_limit=self.wal_limit)

    def own(self, since: Since, wanted: Wanted = NAMES) -> LogicalStream:
        """Every change of the database, by test_decoding. Unsupported where the server does not have it.

        Origins are told where ``capabilities.shows_applied``.
        """
        server = self._server
        if self.may_publish and not has_plugin(server):
            return self._own_published(since, wanted)
        return LogicalStream(
            server, OwnSlot(server, since, self.slot_deadline), self._own_feed(wanted), wal_limit=self.wal_limit
        )

    def _own_feed(self, wanted: Wanted) -> TextTranslation:
        server = self._server
        identified = server.session.rows("tables", {"schemas": None}, doing="reading the catalog")
        keys = _keys(server)
        names = {TableName(row["schema"], row["name"]): row["identity"] == IDENTITY_FULL for row in identified}
        tables = {name: (keys.get(name, ()), full) for name, full in names.items()}
        commits = ServerCommits(server) if remembers_origins(server) else None
        return TextTranslation(wanted, tables, PORTION, codec=_codec(server), commits=commits)

    def make_guard(self, name: str, timeout: float) -> Position:
        """Fulfils ``controls.Guards`` by a permanent slot; see :mod:`~replguard.engines.postgresql.guards`."""
        return guards.make(self._server, name, timeout)

    def drop_guard(self, name: str) -> None:
        guards.drop(self._server, name)

    def guard_statements(self, name: str) -> tuple[str, ...]:
        return (self._server.session.text("guard_create", {"slot": name, "plugin": guards.PLUGIN}),)

    def guards(self) -> tuple[str, ...]:
        return guards.names(self._server)

    def kept(self, link: Link, target: Server) -> Kept:  # noqa: ARG002 - the slot is here
        """Fulfils ``controls.Keeps``."""
        return kept(self._server, link.detail["slot"])

    def written(self) -> int:
        return number(self._server.session.row("wal_end", doing="reading the end of the WAL")["inserted"])

    def guard_kept(self, name: str) -> Kept:
        return kept(self._server, name)

    def guarded(self, name: str, wanted: Wanted, since: Position | None = None) -> LogicalStream:
        opening = guards.GuardCopy(self._server, since or "start", guard=name)
        return LogicalStream(self._server, opening, self._own_feed(wanted), bounded=True, wal_limit=self.wal_limit)

    def _own_published(self, since: Since, wanted: Wanted) -> PublishedStream:
        server = self._server
        if since != "now":
            raise Unsupported(
                f"{server.name}: a publication made now shows nothing that was written before",
                remedy="watch from now on, or install the server's contrib package (postgresql-contrib)",
                cluster=server.name,
            )
        decoder = Decoder(_PROTOCOLS.get(server.major, 4))
        feed = Translation(decoder, wanted, _keys(server), PORTION, lambda origin: writer(server, origin))
        publication = OwnPublication(server)
        return PublishedStream(
            publication, PublishedSlot(server, publication.name, self.slot_deadline), feed, self.wal_limit
        )

    def reach(self, link: Link, target: Server) -> Reach:  # noqa: ARG002 - the slot remembers for the target
        """Fulfils ``controls.Reaches``."""
        from replguard.engines.postgresql.reach import reach  # noqa: PLC0415 - only who resumes asks

        return reach(self._server, link)

    def applied_rows(self, link: Link, source: Server, tables: Sequence[Table]) -> tuple[AppliedRows, ...]:  # noqa: ARG002
        return applied_rows(self._server, link, tables)

    def local_rows(self, tables: Sequence[Table], seconds: float) -> tuple[AppliedRows | ServerError, ...]:
        return local_rows(self._server, tables, seconds)


@dataclass(frozen=True, slots=True)
class SlotCopy:
    """Fulfils ``stream.Opening`` for a copy of a link's slot. What lies before ``applied`` is passed over.

    With ``in_parts`` large transactions are sent while they are still open, and prepared ones when they are prepared;
    without, open ones wait, and prepared ones are sent as the subscription has them sent.
    """

    source: PostgresServer
    link: Link
    since: Since
    applied: Position | None = None
    in_parts: bool = True

    @property
    def kind(self) -> str:
        return "pgoutput"

    @property
    def cannot_see(self) -> tuple[str, ...]:
        if self.in_parts and self.source.major > 14:
            return _CANNOT_SEE
        prepared = not self.in_parts and self.link.detail["two_phase"]
        what = "open" if prepared else "prepared (two-phase) or open"
        return (*_CANNOT_SEE, f"transactions that are {what}, before they are committed")

    @property
    def label(self) -> str:
        return self.link.label

    @property
    def parallel(self) -> bool:
        """Whether the fate of subtransactions is told with its place and time (since 16)."""
        return self.in_parts and self.source.major >= 16

    def take_slot(self, session: Session, name: str, end: int) -> tuple[int, list[StreamItem]]:
        slot, doing = self.link.detail["slot"], f"copying slot {self.link.detail['slot']}"
        if not slot or slot_of(self.source, slot) is None:
            raise StreamError(f"{self.source.name}: slot {slot!r} of {self.label} is gone", cluster=self.source.name)
        remedy = f"ALTER ROLE {quoted(self.source.facts['role'])} REPLICATION"
        with session.streaming():
            copied = session.row("slot_copy", {"slot": slot, "copy": name}, doing=doing, remedy=remedy)["lsn"]
        there = number(copied)
        if self.since == "now":
            return max(end, there), []
        if self.since == "start":
            return max(there, number(self.applied) if self.applied else 0), []
        wanted = number(self.since)
        if wanted >= there:
            return wanted, []
        text = f"{self.label}: changes between {lsn(wanted)} and {copied} are applied and no longer in the slot"
        return there, [Trouble(TroubleKind.gap, text, lsn(wanted))]

    def start(self, session: Session, slot: str, at: int) -> Quoted:
        detail = self.link.detail
        in_parts = "parallel" if self.parallel else "on"
        two_phase = self.in_parts or detail["two_phase"]
        return statement(
            "postgresql",
            "start_pgoutput",
            session.version,
            slot=quoted(slot),
            lsn=Quoted(lsn(at).text),
            publications=replication_literal(joined([quoted(name) for name in detail["publications"]], ",")),
            streaming=replication_literal(in_parts if self.in_parts else "off"),
            two_phase=replication_literal("on" if two_phase else "off"),
            origin=replication_literal(detail["origin"] or "any"),
        )


def _codec(server: PostgresServer) -> str:
    encoding = server.facts["encoding"]
    try:
        return codec_of(encoding)
    except LookupError:
        raise Unsupported(
            f"{server.name}: text in the encoding {encoding} cannot be read", cluster=server.name
        ) from None


def _keys(source: PostgresServer) -> dict[TableName, tuple[str, ...]]:
    return {TableName(row["schema"], row["name"]): tuple(row["columns"]) for row in source.session.rows("keys")}
