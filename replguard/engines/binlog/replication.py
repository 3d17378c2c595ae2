"""Links of MySQL and MariaDB servers, and the switches that stop and start them: what both flavours share.

A flavour says how its status rows are spelled (:class:`Status`) and when a position counts as applied; the order of
things, the waiting and the judging are here. A command is only done when the server's status says so.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from replguard.engines.binlog.connection import literal, text_of
from replguard.errors import ControlError, Unsupported
from replguard.model.links import Link, LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from replguard.engines.base import Server
    from replguard.engines.binlog.connection import Session
    from replguard.engines.binlog.server import BinlogServer
    from replguard.engines.health import Ailment
    from replguard.model.positions import Position

STOP_SECONDS = 60.0
"""How long a thread may take to stop: it ends its transaction first."""
SLICE_SECONDS = 1.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Status:
    """One row of a replica's status, in words of our own."""

    name: str
    host: str
    port: str
    receiver: str
    applier: str
    errors: tuple[str, ...]
    source_id: str | None
    """The source's UUID or server id; ``None`` before the first connection."""
    received: Position | None
    applied: Position | None
    received_place: tuple[str, int]
    applied_place: tuple[str, int]
    lag_seconds: float | None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> LinkState:
        """Running if both threads run, paused if none does, and broken with any error or in between."""
        threads = (self.receiver, self.applier)
        if self.errors:
            return LinkState.broken
        if threads == ("Yes", "Yes"):
            return LinkState.running
        return LinkState.paused if threads == ("No", "No") else LinkState.broken


class BinlogReplication(ABC):
    """See :class:`replguard.engines.base.Replication`."""

    def __init__(self, server: BinlogServer) -> None:
        self._server = server

    @abstractmethod
    def statuses(self) -> tuple[Status, ...]:
        """All links into this server, as it describes them now."""

    @abstractmethod
    def position(self) -> Position:
        """The end of this server's own stream."""

    @abstractmethod
    def identity_of(self, peer: Server) -> str:
        """The peer's identity as a replica's status would give it."""

    @abstractmethod
    def wait_slice(self, session: Session, link: Link, position: Position, seconds: float) -> bool:
        """Whether ``position`` of the source is applied here, after ``seconds`` at most."""

    @abstractmethod
    def drained(self, status: Status) -> bool:
        """Whether everything that was fetched is applied."""

    def links(self, peers: Mapping[str, Server]) -> tuple[Link, ...]:
        """All links into this server; a link whose source is none of ``peers`` says why."""
        return tuple(self._link(status, peers) for status in self.statuses())

    def wait_applied(self, link: Link, source: Server, position: Position, timeout: float) -> bool:  # noqa: ARG002
        """Wait in slices of a second. ControlError once a thread has stopped or an error stands."""
        deadline = time.monotonic() + timeout
        with self._server.open("waiting") as session:
            while True:
                left = deadline - time.monotonic()
                if self.wait_slice(session, link, position, max(0.0, min(SLICE_SECONDS, left))):
                    return True
                if left <= 0:
                    return False
                if stuck := self.problems(link, "running", None):
                    raise ControlError(f"{link.label} can make no progress: {'; '.join(stuck)}", cluster=link.target)

    def stop_receiver(self, link: Link, timeout: float = STOP_SECONDS) -> None:
        self._switch(link, "stop_receiver", lambda status: status.receiver == "No", timeout)

    def stop_applier(self, link: Link, timeout: float = STOP_SECONDS) -> None:
        self._switch(link, "stop_applier", lambda status: status.applier == "No", timeout)

    def start(self, link: Link) -> None:
        """Start both threads. The server accepts that before it tries: whether they live, :meth:`problems` tells."""
        self._send(link, "start")

    def drain(self, link: Link, timeout: float) -> bool:
        """Wait until what was fetched is applied. ControlError where the applier stopped before that."""
        deadline = time.monotonic() + timeout
        while True:
            status = self._status(link)
            if self.drained(status):
                return True
            if status.applier == "No" or status.errors:
                why = "; ".join(status.errors) or "the applier has stopped"
                raise ControlError(f"{link.label} cannot be drained: {why}", cluster=link.target)
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)

    def problems(
        self, link: Link, wanted: Literal["running", "paused", "stopped"], source: Server | None
    ) -> tuple[str, ...]:
        status = next((status for status in self.statuses() if status.name == link.name), None)
        if status is None:
            return ("the link is gone",)
        found = [*status.errors] if wanted != "stopped" else []
        word = "Yes" if wanted == "running" else "No"
        for thread, state in (("receiver", status.receiver), ("applier", status.applier)):
            if state != word:
                found.append(f"the {thread} is {_in_words(state)}")
        if wanted == "paused" and not self.drained(status):
            found.append("not everything that was fetched is applied")
        if source is not None and status.source_id not in {None, self.identity_of(source)}:
            found.append(f"its source is {status.source_id}, not {source.identity.text}")
        return tuple(found)

    def statements(self, link: Link, action: Literal["pause", "resume"]) -> tuple[str, ...]:
        names = ("stop_receiver", "stop_applier") if action == "pause" else ("start",)
        server = self._server
        return tuple(text_of(server.flavour, name, server.version_text, link=literal(link.name)) for name in names)

    def ailments(self, link: Link, source: Server) -> Sequence[Ailment]:  # noqa: ARG002 - its target tells all
        """See :class:`replguard.engines.health.TellsAilments`."""
        from replguard.engines.binlog import ailments  # noqa: PLC0415 - only the gate asks

        return tuple(ailments.ailments(self._server, link))

    def passes_on(self, link: Link) -> str | None:
        """See :class:`replguard.engines.health.TellsAilments`."""
        from replguard.engines.binlog import ailments  # noqa: PLC0415 - only the gate asks

        return ailments.passes_on(self._server, link)

    def _send(self, link: Link, name: str) -> None:
        with self._server.open("control", read_only=False) as session:
            session.run(name, link=literal(link.name))

    def _switch(self, link: Link, name: str, done: Callable[[Status], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        self._send(link, name)
        while not done(self._status(link)):
            if time.monotonic() >= deadline:
                what = name.replace("_", " ")
                raise ControlError(f"{link.label}: {what} was not done in {timeout:.0f} s", cluster=link.target)
            time.sleep(POLL_SECONDS)

    def _status(self, link: Link) -> Status:
        for status in self.statuses():
            if status.name == link.name:
                return status
        raise ControlError(f"{link.label} is no longer there", cluster=link.target)

    def _link(self, status: Status, peers: Mapping[str, Server]) -> Link:
        source, why = self._match(status, peers)
        return Link(
            name=status.name,
            target=self._server.name,
            source=source,
            state=status.state,
            address=f"{status.host}:{status.port}",
            why_unmatched=why,
            received=status.received,
            applied=status.applied,
            lag_seconds=status.lag_seconds,
            errors=status.errors,
            detail=status.detail,
        )

    def _match(self, status: Status, peers: Mapping[str, Server]) -> tuple[str | None, str | None]:
        if status.source_id is None:
            return None, f"it never reached its source at {status.host}:{status.port}, so nobody knows who that is"
        alike = [peer for peer in peers.values() if peer.identity.engine == self._server.flavour]
        matches = [peer.name for peer in alike if self.identity_of(peer) == status.source_id]
        if self._server.name in matches:
            others = ", ".join(sorted(set(matches) - {self._server.name}))
            return None, f"its source reports {status.source_id}, which is this server's own identity" + (
                f" and that of {others}" if others else ""
            )
        if len(matches) > 1:
            return None, f"its source reports {status.source_id}, which is {' and '.join(sorted(matches))} alike"
        if not matches:
            return None, f"its source reports {status.source_id}, which is none of {', '.join(sorted(peers))}"
        return matches[0], None


def _in_words(state: str) -> str:
    return {"Yes": "running", "No": "stopped"}.get(state, state.lower() or "in an unknown state")


def lag_of(seconds: int | None, receiver: str, applier: str) -> float | None:
    """The lag in seconds where the server can know it: MySQL says 0 while its receiver has no connection.

    >>> lag_of(0, "Yes", "Yes"), lag_of(0, "Connecting", "Yes"), lag_of(None, "Yes", "Yes")
    (0.0, None, None)
    """
    return float(seconds) if seconds is not None and (receiver, applier) == ("Yes", "Yes") else None


def require_gtid(position: Position) -> str:
    """The text of a GTID position; Unsupported for another kind."""
    if position.kind != "gtid":
        raise Unsupported(f"{position} is no GTID position")
    return position.text
