"""The wire of a running replication stream: messages in, confirmations out.

Source: "Streaming Replication Protocol" in PostgreSQL's documentation (XLogData ``w``, keepalive ``k``, status update
``r``). Confirming does not depend on who reads: the reader confirms while it reads, and :mod:`watchdog` confirms for a
reader that does not come. All of it stands under one lock, because a libpq connection is for one thread at a time.
"""

from __future__ import annotations

import select
import struct
import time
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Protocol

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.postgresql.session import Session
    from replguard.engines.sqlfiles import Quoted
    from replguard.errors import ServerError

HEAD = 25
"""Bytes before the plugin's message: the kind, two positions and a time."""
CONFIRM_SECONDS = 5.0
"""A server cuts off a reader that says nothing for ``wal_sender_timeout``, which our session sets to a minute."""
_DATA, _KEEPALIVE = 0x77, 0x6B
_KEEPALIVE_LENGTH = 18
_POSTGRES_EPOCH = 946_684_800
_CHUNK = 20_000
"""Messages after which a pump looks up."""


class Sink(Protocol):
    """Takes what comes. ``cells`` count messages that nobody looks at, by the plugin's bytes up to ``width``."""

    cells: dict[bytes, list[int]]
    width: int

    def message(self, view: memoryview) -> bool:
        """Take one message, head included. Whether there is room for more."""
        ...

    def keepalive(self, wal_end: int) -> None:
        """Everything that was committed before ``wal_end`` has been sent."""
        ...


class WalSender:
    """A stream that was started in ``session``, which owns the slot and belongs to the stream from now on.

    ``at`` is what may be confirmed. Unless ``confirms``, it is told as written only: a server whose
    synchronous_standby_names would take us for a standby must never wait for us, and looks at what is flushed.
    """

    def __init__(self, session: Session, start: Quoted, doing: str) -> None:
        self._session = session
        self.pid = session.pid
        self._doing = doing
        self._lock = RLock()
        self._over: ServerError | None = None
        self.at = 0
        self.confirms = True
        self.confirmed_at = self.heard = time.monotonic()
        self.asked_at: float | None = None
        """When the server was asked for a keepalive that has not come yet."""
        self.wal_end = 0
        """Up to where the server said it has sent."""
        self.events = self.bytes = 0
        self._wire = session.copy_both(start, doing)
        self._wire.nonblocking = 1

    def pump(self, sink: Sink) -> bool:
        """Hand over what is there, until the sink is full or there is no more. Whether anything was there.

        Raises StreamError and ConnectionLost when the stream has ended.
        """
        with self._held():
            before = self.events
            if time.monotonic() - self.confirmed_at >= CONFIRM_SECONDS:
                self.confirm()
            self._take(sink)
            return self.events > before

    def _take(self, sink: Sink) -> None:
        """The hot path: one turn a message."""
        get, cells = self._wire.get_copy_data, sink.cells
        events = size = 0
        room, fresh = True, False
        while room and events < _CHUNK:
            length, view = get(1)
            if length > 0:
                events += 1
                size += length
                if view[0] != _DATA:
                    self._keepalive(bytes(view), sink)
                elif (cell := cells.get(view[HEAD : sink.width].tobytes())) is not None:
                    cell[0] += 1
                else:
                    room = sink.message(view)
                fresh = False
            elif length < 0:
                raise self._ended()
            elif fresh:
                break
            else:
                self._wire.consume_input()
                fresh = True
        self.events += events
        self.bytes += size
        if events:
            self.heard = time.monotonic()

    def _keepalive(self, data: bytes, sink: Sink) -> None:
        if data[0] != _KEEPALIVE or len(data) != _KEEPALIVE_LENGTH:
            raise psycopg.OperationalError(f"a replication message of kind {data[:1]!r} and {len(data)} bytes")
        self.asked_at = None
        self.wal_end = int.from_bytes(data[1:9], "big")
        sink.keepalive(self.wal_end)
        if data[17]:
            self.confirm()

    def _ended(self) -> psycopg.Error:
        """Why the server ended the stream."""
        result = self._wire.get_result()
        while result is not None:
            if result.status == ExecStatus.FATAL_ERROR:
                return error_from_result(result, encoding="utf-8")
            result = self._wire.get_result()
        return psycopg.OperationalError("the server ended the stream")

    def wait(self, seconds: float) -> None:
        """Until something may be there to read."""
        with self._held():
            if seconds > 0:
                select.select([self._wire.socket], [], [], seconds)

    def confirm(self, *, ask: bool = False) -> None:
        """Tell the server that everything up to ``at`` was handed out; with ``ask`` it answers with a keepalive."""
        with self._held():
            now = time.monotonic()
            flushed = self.at if self.confirms else 0
            micros = int((time.time() - _POSTGRES_EPOCH) * 1_000_000)
            self._wire.put_copy_data(struct.pack(">cQQQqB", b"r", self.at, flushed, flushed, micros, ask))
            self._wire.flush()
            self.confirmed_at = now
            if ask:
                self.asked_at = now

    def give_up(self, why: ServerError) -> None:
        """Close at once, whatever the reader does: the server drops the slot, and the reader is told why."""
        self._over = self._over or why  # seen at once by a reader that hardly ever lets go of the lock
        with self._lock:
            self._session.close()

    def close(self) -> None:
        with self._lock:
            self._session.close()

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The wire for this thread alone; what the driver says is explained, and ends the stream."""
        with self._lock:
            if self._over:
                raise self._over
            with self._session.streaming(), self._session.explained(self._doing):
                yield
