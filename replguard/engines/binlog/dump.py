"""The wire side of a live binlog stream: asks a server for its binlog as a replica does, and takes in what it sends.

No semi-sync, no registration, a server id that nobody else uses. Packets are cut into events by
:mod:`~replguard.engines.binlog.reader`, where what came of one is kept until the rest is there.
"""

from __future__ import annotations

import secrets
import select
import ssl
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn
from uuid import uuid4

from replguard.engines.binlog import errors
from replguard.engines.binlog.connection import integer
from replguard.engines.binlog.privileges import account
from replguard.errors import ReplguardError, StreamError

if TYPE_CHECKING:
    from replguard.engines.binlog.connection import Session
    from replguard.engines.binlog.server import BinlogServer

_COM_BINLOG_DUMP = 0x12
_COM_BINLOG_DUMP_GTID = 0x1E
_SEND_ANNOTATE = 0x02
_THROUGH_GTID = 0x04
_ERROR = 0xFF
_BEHIND = 1 << 32
_CHUNK = 128 << 10
HEARTBEAT_SECONDS = 0.5
SILENCE_SECONDS = 30.0
"""Without even a heartbeat for so long, the other end is taken for dead."""


class DumpError(StreamError):
    """The server answered the request, or what came after it, with an error."""

    def __init__(self, code: int, message: str, cluster: str) -> None:
        super().__init__(f"the server ends the stream of its binlog: {message} ({code})", cluster=cluster)
        self.code = code


class Dump:
    """One dump connection. ``close`` ends the server's side of it too."""

    def __init__(self, server: BinlogServer) -> None:
        self._server = server
        self._session: Session = server.open("binlog stream", pinned=False)
        self.heard = time.monotonic()
        try:
            self._introduce()
        except BaseException:
            self.close()
            raise

    def _introduce(self) -> None:
        period = int(HEARTBEAT_SECONDS * 1_000_000_000)
        if self._server.flavour == "mariadb":
            self._session.run("stream_replica", period)
        else:
            uuid = str(uuid4())
            self._session.run("stream_replica", period, period, uuid, uuid)

    def from_file(self, file: str, offset: int) -> None:
        """Ask for everything from here on. StreamError for a place behind 4 GB, which the protocol cannot name."""
        if offset >= _BEHIND:
            message = f"a stream cannot begin at {file}:{offset}: the request has four bytes for the place"
            remedy = "Begin at a GTID position, or at the beginning of the file."
            raise StreamError(message, remedy=remedy, cluster=self._server.name)
        flags = _SEND_ANNOTATE if self._server.flavour == "mariadb" else 0
        self._ask(_COM_BINLOG_DUMP, struct.pack("<IHI", offset, flags, _server_id()) + file.encode())

    def after_gtids(self, gtids: str) -> None:
        """MariaDB: ask for everything after this GTID position."""
        self._session.run("stream_from_gtids", gtids)
        self.from_file("", 4)

    def without_gtids(self, encoded: bytes) -> None:
        """MySQL: ask for everything but this set."""
        head = struct.pack("<HIIQI", _THROUGH_GTID, _server_id(), 0, 4, len(encoded))
        self._ask(_COM_BINLOG_DUMP_GTID, head + encoded)

    def _ask(self, command: int, payload: bytes) -> None:
        raw = self._session.raw
        with self._session.translated("binlog stream"):
            raw._execute_command(command, payload)  # type: ignore[attr-defined]  # noqa: SLF001 - pymysql has no public way
            self._socket = raw._sock  # type: ignore[attr-defined]  # noqa: SLF001
            self._socket.settimeout(0)
        self.heard = time.monotonic()

    def read(self, timeout: float) -> bytes:
        """What the server sent next, packet heads included; nothing after ``timeout`` seconds. Raises StreamError."""
        with self._lost():
            data = self._received()
            if data is None and (self._pending() or select.select([self._socket], [], [], timeout)[0]):
                data = self._received()
        if data is None:
            self._judge_silence()
            return b""
        if not data:
            raise StreamError("the server closed the stream of its binlog", cluster=self._server.name)
        self.heard = time.monotonic()
        return data

    def _received(self) -> bytes | None:
        """``None`` where nothing is there yet."""
        with suppress(BlockingIOError, ssl.SSLWantReadError):
            data: bytes = self._socket.recv(_CHUNK)
            return data
        return None

    def _pending(self) -> int:
        return self._socket.pending() if isinstance(self._socket, ssl.SSLSocket) else 0

    def _judge_silence(self) -> None:
        silent = time.monotonic() - self.heard
        if silent > SILENCE_SECONDS:
            message = f"the server is silent for {silent:.0f} s: not even a heartbeat came"
            raise StreamError(message, cluster=self._server.name)

    def ended(self, packet: bytes) -> NoReturn:
        """What the server sent in place of an event, as the error that it is."""
        if packet[:1] == bytes([_ERROR]):
            code = int.from_bytes(packet[1:3], "little")
            text = packet[9:] if packet[3:4] == b"#" else packet[3:]
            said = text.decode("utf-8", "replace")
            if code in errors.PRIVILEGE:
                raise errors.on_statement(
                    PermissionError(code, said),
                    self._server.endpoint,
                    "reading the binlog",
                    known_as=account(self._server.account),
                )
            raise DumpError(code, said, self._server.name)
        raise StreamError("the server ended the stream of its binlog", cluster=self._server.name)

    def _lost(self) -> _Lost:
        return _Lost(self._server.name)

    def close(self) -> None:
        """Close, and end the thread at the server, which else would only notice at its next heartbeat."""
        thread = self._session.thread_id
        if self._session.raw.open:
            self._session.raw._force_close()  # type: ignore[attr-defined]  # noqa: SLF001
            with suppress(ReplguardError, *errors.driver_errors()):
                self._server.run("stream_kill", thread=integer(thread))


class _Lost:
    """Turns what a broken socket raises into a StreamError."""

    def __init__(self, cluster: str) -> None:
        self._cluster = cluster

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise StreamError(f"the stream of the binlog broke off: {error}", cluster=self._cluster) from error


def _server_id() -> int:
    """In the upper half of all server ids, where people do not number their servers."""
    return 0x80000000 + secrets.randbelow(0x7FFFFFFE)
