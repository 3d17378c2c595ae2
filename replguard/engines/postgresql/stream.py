"""A stream of changes from a temporary slot of ours, whatever fills and decodes it.

The slot lives in the session that streams and dies with it, however that ends. What was handed out at a commit is
confirmed, so that the server can let go of its WAL; nothing is kept here but one portion.
"""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING, Protocol

from replguard.engines.postgresql.position import flushed_end, lsn, number
from replguard.engines.postgresql.walsender import Sink, WalSender
from replguard.engines.postgresql.watchdog import WAL_LIMIT, Watchdog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from replguard.engines.base import Tally
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.engines.sqlfiles import Quoted
    from replguard.model.changes import StreamItem
    from replguard.model.positions import Position

PORTION = 5_000
"""Items that one poll hands out at most."""
_SLICE = 0.1
_ASK_SECONDS = 0.5
"""How often a server is asked where it is, once there is nothing to catch up with."""
_STILL = 10
"""Quick answers in a row that name the same end of the WAL: the sender waits for more than there is."""
_QUICK = 0.5


class Feed(Sink, Protocol):
    """Decodes what a slot sends."""

    items: list[StreamItem]
    tally: Tally
    reached: int
    stop_at: int | None
    finished: bool

    def hand_out(self) -> list[StreamItem]:
        """What was gathered in ``items``, which is empty then."""
        ...

    def settle_tally(self) -> None: ...


class Opening(Protocol):
    """How a stream gets its slot, and what it asks of it."""

    @property
    def kind(self) -> str: ...
    @property
    def cannot_see(self) -> tuple[str, ...]: ...
    @property
    def label(self) -> str: ...

    def take_slot(self, session: Session, name: str, end: int) -> tuple[int, list[StreamItem]]:
        """Make the temporary slot in this session: where to begin, and what there is to say about that."""
        ...

    def start(self, session: Session, slot: str, at: int) -> Quoted:
        """The command that starts the stream."""
        ...


class LogicalStream:
    """Fulfils ``ChangeStream``. With ``bounded`` it ends at what was the end when it was opened."""

    def __init__(
        self,
        server: PostgresServer,
        opening: Opening,
        feed: Feed,
        *,
        bounded: bool = False,
        wal_limit: int = WAL_LIMIT,
    ) -> None:
        self.kind = opening.kind
        self.cannot_see = opening.cannot_see
        self.tally = feed.tally
        self.caught_up = False
        self._bounded = bounded
        self._feed = feed
        self._server = server
        self._last, self._still = (0, 0), 0
        self._wanted = self._on_disk = self._on_disk_when_asked = self._proven = 0
        self._unlooked = False
        slot = f"replguard_{os.getpid()}_{secrets.token_hex(6)}"
        session = server.open(replication=True)
        try:
            session.rows("walsender", doing="setting up the stream's session")
            end, self._end_is_whole = flushed_end(session)
            self._end = number(end)
            begin, self._first = opening.take_slot(session, slot, self._end)
            feed.stop_at = self._end if bounded else None
            self.start = self.position = lsn(begin)
            self._wire = WalSender(
                session, opening.start(session, slot, begin), f"reading the temporary slot of {opening.label}"
            )
            self._wire.at = feed.reached = begin
            self._watchdog = Watchdog(self._wire, server.open(), slot, opening.label, wal_limit)
        except BaseException:
            session.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._watchdog.stop()
        self._wire.close()

    def passed(self, position: Position) -> bool:
        """Whether everything up to ``position`` was read. Where that lies within a record which is not on disk as a
        whole, nothing comes before more is written: it counts as passed once the sender waits for that.
        """
        wanted = number(position)
        self._wanted = max(self._wanted, wanted)
        return max(number(self.position), self._proven) >= wanted

    def poll(self, timeout: float) -> Sequence[StreamItem]:
        if self._first:
            found, self._first = self._first, []
            return found
        deadline = time.monotonic() + timeout
        while not self._over:
            self._wire.pump(self._feed)
            if self._feed.items:
                return self._hand_out()
            self._hand_out()
            left = deadline - time.monotonic()
            if left <= 0 or self._over:
                break
            self._listen(min(left, _SLICE))
        return []

    @property
    def _over(self) -> bool:
        return self._bounded and self.caught_up

    def _hand_out(self) -> list[StreamItem]:
        """What was gathered. The position moves with it, because it belongs to whoever polls from now on."""
        feed = self._feed
        found = feed.hand_out()
        feed.settle_tally()
        self.tally.events, self.tally.bytes, self.tally.heard = self._wire.events, self._wire.bytes, self._wire.heard
        if feed.reached > self._wire.at:
            self._wire.at = feed.reached
            self.position = lsn(feed.reached)
        if feed.finished or feed.reached >= self._end:
            self.caught_up = True
        return found

    def _listen(self, seconds: float) -> None:
        """Nothing is there: ask the server how far it is, and wait for a moment.

        It is not asked more often: a sender that is asked again and again does nothing but answer.
        """
        wire = self._wire
        self._prove()
        often = _ASK_SECONDS if self.caught_up and not self._is_wanted else _SLICE
        if wire.asked_at is None and time.monotonic() - wire.confirmed_at >= often:
            self._judge_stillness()
            self._on_disk_when_asked, self._unlooked = self._on_disk, True
            wire.confirm(ask=True)
        wire.wait(seconds)

    @property
    def _is_wanted(self) -> bool:
        """Whether somebody waits for more than was read, and it may be there."""
        known = max(self._wire.at, self._proven)
        return self._wanted > known and (self._on_disk > known or not self._on_disk)

    def _prove(self) -> None:
        """Whether all is there that was on disk when the sender was asked last.

        A sender that waits for WAL answers first, and then looks how much is on disk. So if it has answered, and waits,
        it lacks the rest of a record that was not whole.
        """
        wire = self._wire
        if self._unlooked and wire.asked_at is None and self._wanted > max(wire.at, self._proven):
            self._unlooked = False
            for state in self._server.session.rows("sender_waits", {"pid": wire.pid}):
                if state["waits"]:
                    self._proven = max(self._proven, self._on_disk_when_asked)
                self._on_disk = number(state["flushed"])

    def _judge_stillness(self) -> None:
        """The end may lie within a record that is not on disk yet, and is no commit: then nothing comes any more."""
        quick = self._wire.heard - self._wire.confirmed_at < _QUICK
        now = self._wire.wal_end, self._wire.events
        nothing_else = now == (self._last[0], self._last[1] + 1)
        self._still = self._still + 1 if quick and nothing_else else 0
        self._last = now
        if self._still >= _STILL and not self._end_is_whole:
            self.caught_up = True
