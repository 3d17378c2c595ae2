"""Looks after a stream while its reader does something else: confirms, and gives the slot up before it does harm.

A slot that nobody reads on keeps the server's WAL until the disk is full. So what our slot alone holds back, beyond
what all other slots hold anyway, is measured every few seconds on a connection of its own. Beyond the limit the stream
is closed, which drops the slot, and the reader is told. A process that is stopped or cut off altogether cannot do that:
then the server drops the slot after ``wal_sender_timeout``, which the stream's session sets to a minute.
"""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

from replguard.engines.postgresql.walsender import CONFIRM_SECONDS
from replguard.errors import ServerError, StreamError

if TYPE_CHECKING:
    from replguard.engines.postgresql.session import Session
    from replguard.engines.postgresql.walsender import WalSender

WAL_LIMIT = 1 << 30
"""Bytes of WAL that a stream's slot may hold back."""
LOOK_SECONDS = 5.0
_TICK = 0.5
_PATIENCE = 5.0


class Watchdog:
    """A thread of one stream; ``session`` belongs to it. ``label`` names the stream in messages."""

    def __init__(self, wire: WalSender, session: Session, slot: str, label: str, limit: int) -> None:
        self._wire = wire
        self._session = session
        self._slot = slot
        self._label = label
        self._limit = limit
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"replguard watchdog of {slot}", daemon=True)
        self._look()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():
            self._session.close()  # else it waits for a server that is gone, and ends with the process

    def _run(self) -> None:
        looked = time.monotonic()
        while not self._stop.wait(_TICK):
            try:
                if time.monotonic() - self._wire.confirmed_at >= CONFIRM_SECONDS:
                    self._wire.confirm()
                if time.monotonic() - looked >= LOOK_SECONDS:
                    self._look()
                    looked = time.monotonic()
            except ServerError as error:
                if not self._stop.is_set():
                    self._wire.give_up(error)
                return

    def _look(self) -> None:
        found = self._session.rows("slot_holds", {"slot": self._slot}, doing="measuring what our slot holds")
        if not found:
            return  # the slot went with its session, and the reader is told there
        held, names = found[0]["held"], found[0]["synchronous"]
        self._wire.confirms = not names_us(names)
        if held is not None and held > self._limit:
            raise StreamError(
                f"{self._session.cluster}: the slot of {self._label} alone held {held >> 20} MB of WAL, more than the "
                f"limit of {self._limit >> 20} MB, so it was given up: changes were not taken as fast as they came",
                remedy="watch again from the position that was reached, if the link's own slot still covers it"
                + ("" if self._wire.confirms else f" (synchronous_standby_names is {names!r}: nothing was confirmed)"),
                cluster=self._session.cluster,
            )


def names_us(synchronous: str) -> bool:
    """Whether a server with these ``synchronous_standby_names`` might wait for a stream of ours before it commits.

    >>> names_us("FIRST 1 (standby_a, standby_b)"), names_us('ANY 1 ("*")'), names_us("*"), names_us("Replguard")
    (False, True, True, True)
    """
    return "*" in synchronous or "replguard" in synchronous.lower()
