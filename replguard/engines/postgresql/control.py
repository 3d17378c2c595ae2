"""Links read, awaited, stopped and started: the parts of ``Replication``.

PostgreSQL has one worker that receives and applies, so stopping the receiver stops the applier: it ends at a
transaction's end, and what it had received beyond that is sent again. Nothing is ever fetched and left unapplied.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from replguard.engines.postgresql.links import find_peer, links_of, look, slot_of, wait_until
from replguard.engines.postgresql.position import number, wal_end
from replguard.engines.postgresql.quoting import quoted
from replguard.errors import ControlError, DeadlineError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from replguard.engines.base import Server
    from replguard.engines.controls import Restarter, Step
    from replguard.engines.health import Ailment
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.sqlfiles import Quoted
    from replguard.model.links import Link
    from replguard.model.positions import Position

_STOP_SECONDS = 60.0
_SLICE = 0.1
_LOCK_SLICE = 1.0
"""Seconds for which the server waits for a lock at a time: a client that was killed changes nothing later."""
_PATIENCE = 10.0
"""Seconds without an apply worker after which waiting is given up."""


class PostgresReplication:
    """Fulfils ``Replication``."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def links(self, peers: Mapping[str, Server]) -> tuple[Link, ...]:
        return links_of(self._server, peers)

    def position(self) -> Position:
        return wal_end(self._server.session)

    def wait_applied(self, link: Link, source: Server, position: Position, timeout: float) -> bool:
        """Asks the slot on the source: ``confirmed_flush_lsn`` is what the target has applied and flushed."""
        publisher = find_peer({source.name: source}, source.name)
        if publisher is None:
            raise ControlError(f"{source.name} is not a PostgreSQL server", cluster=source.name)
        deadline = time.monotonic() + timeout
        worked = time.monotonic()
        while True:
            slot = slot_of(publisher, link.detail["slot"])
            if slot is None or slot["lost"]:
                gone = "lost" if slot else "gone"
                raise ControlError(f"{link.label}: its slot {link.detail['slot']} is {gone}", cluster=source.name)
            if slot["confirmed"] and number(slot["confirmed"]) >= number(position):
                return True
            if self._stands(link):
                worked = time.monotonic()
            elif time.monotonic() - worked > _PATIENCE:
                raise self._error(link, f"no apply worker has run for {_PATIENCE:.0f} s", "see the server's log")
            if time.monotonic() >= deadline:
                return False
            time.sleep(_SLICE)

    def ailments(self, link: Link, source: Server) -> Sequence[Ailment]:  # noqa: ARG002 - its target tells all
        """See :class:`replguard.engines.health.TellsAilments`."""
        from replguard.engines.postgresql import ailments  # noqa: PLC0415 - only the gate asks

        return tuple(ailments.ailments(self._server, link))

    def passes_on(self, link: Link) -> str | None:
        """See :class:`replguard.engines.health.TellsAilments`."""
        from replguard.engines.postgresql import ailments  # noqa: PLC0415 - only the gate asks

        return ailments.passes_on(link)

    def _stands(self, link: Link) -> bool:
        """Whether the apply worker is there; ControlError where the subscription is disabled, as nobody will come."""
        if not self._enabled(link):
            raise self._error(link, "the subscription is disabled", "enable it, so that it can catch up")
        return look(self._server.session, self._row(link)).worker is not None

    def _enabled(self, link: Link) -> bool:
        found = self._server.session.rows("subscription_enabled", {"oid": link.detail["oid"]})
        if not found:
            raise self._error(link, "the subscription is gone", "run `replguard status`")
        return bool(found[0]["enabled"])

    def _row(self, link: Link) -> dict[str, Any]:
        return {**link.detail, "name": link.name}

    def _error(self, link: Link, what: str, remedy: str) -> ControlError:
        return ControlError(f"{link.label}: {what}", remedy=remedy, cluster=self._server.name)

    def stop_receiver(self, link: Link, timeout: float = _STOP_SECONDS) -> None:
        """Disable the subscription and wait until none of its workers is left."""
        self._alter(link, "subscription_disable")
        session, row = self._server.session, self._row(link)
        if not wait_until(lambda: look(session, row).workers == 0, timeout):
            remedy = "it ends with its transaction: see what that waits for on the target, and give it more time"
            raise self._error(link, f"disabled, but a worker still runs after {timeout:.0f} s", remedy)

    def drain(self, link: Link, timeout: float) -> bool:
        """Nothing to drain: the worker applies what it receives, and what it does not apply is sent again."""
        return wait_until(lambda: look(self._server.session, self._row(link)).workers == 0, timeout)

    def stop_applier(self, link: Link, timeout: float = _STOP_SECONDS) -> None:  # noqa: ARG002 - nothing to wait for
        """The receiver is the applier; only looks that it has stopped."""
        if self._enabled(link) or look(self._server.session, self._row(link)).workers:
            raise self._error(link, "it still runs", "stop its receiver first")

    def start(self, link: Link) -> None:
        self._alter(link, "subscription_enable")

    def _alter(self, link: Link, name: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        session = self._server.open(writes=True)
        # Not a new owner: changes are applied as the owner, who would then lack rights on the tables.
        only = " WITH INHERIT TRUE, SET FALSE" if self._server.major >= 16 else ""
        remedy = f"GRANT {quoted(link.detail['owner'])} TO {quoted(self._server.facts['role'])}{only}"
        try:
            session.rows("lock_wait", {"milliseconds": int(_LOCK_SLICE * 1000)})
            while True:
                try:
                    session.rows(name, doing=f"switching {link.label}", remedy=remedy, subscription=quoted(link.name))
                except DeadlineError:
                    if time.monotonic() >= deadline:
                        raise
                else:
                    return
        finally:
            session.close()

    def problems(
        self, link: Link, wanted: Literal["running", "paused", "stopped"], source: Server | None
    ) -> tuple[str, ...]:
        publisher = find_peer({source.name: source}, source.name) if source else None
        found = self._running(link, publisher) if wanted == "running" else self._paused(link, publisher)
        slot = slot_of(publisher, link.detail["slot"]) if publisher else None
        if publisher and slot is None and wanted != "stopped":
            found.append(f"its slot {link.detail['slot']} is gone from {publisher.name}")
        elif slot and slot["lost"] and wanted != "stopped":
            found.append(f"its slot {link.detail['slot']} is lost: {link.target} must be copied anew")
        return tuple(found)

    def _running(self, link: Link, publisher: PostgresServer | None) -> list[str]:
        if not self._enabled(link):
            return ["the subscription is disabled"]
        session, row = self._server.session, self._row(link)
        found: list[str] = []
        if not wait_until(lambda: look(session, row).worker is not None):
            found.append("no apply worker runs")
        elif publisher and not wait_until(lambda: self._slot_is_read(publisher, link)):
            found.append(f"nobody reads its slot {link.detail['slot']} on {publisher.name}")
        before, now = link.detail.get("apply_errors"), look(session, row).errors["apply_errors"]
        if before is not None and now is not None and now > before:
            found.append(f"its apply worker failed {now - before} times since the link was read")
        return found

    def _paused(self, link: Link, publisher: PostgresServer | None) -> list[str]:
        found: list[str] = []
        session, row = self._server.session, self._row(link)
        if self._enabled(link):
            found.append("the subscription is enabled")
        if not wait_until(lambda: look(session, row).workers == 0, 0.0 if found else 2.0):
            found.append("a worker of the subscription runs")
        elif publisher and not wait_until(lambda: not self._slot_is_read(publisher, link)):
            found.append(f"its slot {link.detail['slot']} on {publisher.name} is in use")
        return found

    def _slot_is_read(self, publisher: PostgresServer, link: Link) -> bool:
        slot = slot_of(publisher, link.detail["slot"])
        return slot is not None and bool(slot["active"])

    def hold(self, link: Link, ours: Collection[str]) -> tuple[Step, ...]:  # noqa: ARG002 - nothing need be set
        """Nothing: a disabled subscription stays so."""
        return ()

    def do(self, step: Step) -> None:
        raise Unsupported(f"PostgreSQL knows no step {step.action!r}", cluster=step.cluster)

    undo = do

    def restarters(self, link: Link) -> tuple[Restarter, ...]:  # noqa: ARG002 - nothing starts it
        return ()

    def statements(self, link: Link, action: Literal["pause", "resume"]) -> tuple[str, ...]:
        name = "subscription_disable" if action == "pause" else "subscription_enable"
        return (self._text(name, link),)

    def _text(self, name: str, link: Link) -> Quoted:
        return self._server.session.text(name, None, subscription=quoted(link.name))
