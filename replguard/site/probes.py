"""Probes of endpoints: HTTP, TCP and DNS, each with a deadline for the whole of it."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from replguard.deadlines import within
from replguard.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_BYTES = 1 << 16
"""Of an answer only so much is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``good`` is None where nothing answered in time or could be asked; ``words`` is a clause."""

    good: bool | None
    words: str


def tcp(host: str, port: int, timeout: float) -> Answer:
    """Whether somebody accepts connections there."""
    began = time.monotonic()
    try:
        within(timeout, "connecting", lambda: socket.create_connection((host, port), timeout)).close()
    except DeadlineError:
        return Answer(None, f"cannot be reached within {timeout:.0f} s")
    except ConnectionRefusedError:
        return Answer(good=False, words="refuses connections")
    except OSError as error:
        return Answer(None, f"cannot be reached: {_why(error)}")
    return Answer(good=True, words=f"accepts connections after {time.monotonic() - began:.2f} s")


def resolve(name: str, timeout: float) -> set[str] | Answer:
    """The addresses of a name, as this host resolves it."""
    try:
        found = within(timeout, "resolving", lambda: socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM))
    except DeadlineError:
        return Answer(None, f"was not resolved within {timeout:.0f} s")
    except OSError as error:
        return Answer(good=False, words=f"is not resolved: {_why(error)}")
    return {str(one[4][0]) for one in found}


@dataclass(frozen=True, slots=True)
class Expected:
    """What an HTTP answer must be: one of these statuses, with a text in its first bytes."""

    statuses: Sequence[int] = (200,)
    contains: str | None = None
    ca_file: str | None = None


def http_get(url: str, expected: Expected, timeout: float) -> Answer:
    """Ask once; a redirect is an answer like others, and not followed."""
    deadline = time.monotonic() + timeout
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    try:
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=expected.ca_file)
            connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=timeout)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            within(timeout, "connecting", connection.connect)
            with _cut_at(deadline, connection.sock):
                return _asked(connection, path, expected, deadline)
        finally:
            connection.close()
    except DeadlineError:
        return Answer(None, f"does not answer within {timeout:.0f} s")
    except ConnectionRefusedError:
        return Answer(good=False, words="refuses connections")
    except ssl.SSLCertVerificationError as error:
        return Answer(good=False, words=f"has a certificate that is not trusted: {error.verify_message}")
    except (OSError, http.client.HTTPException) as error:
        return Answer(None, f"does not answer: {_why(error)}")


def _asked(connection: http.client.HTTPConnection, path: str, expected: Expected, deadline: float) -> Answer:
    connection.request("GET", path, headers={"User-Agent": "replguard", "Connection": "close"})
    with connection.getresponse() as response:
        body = _body(response, connection, deadline)
    if time.monotonic() >= deadline:
        raise TimeoutError("timed out")
    return _judged(response.status, body, expected)


@contextmanager
def _cut_at(deadline: float, connected: socket.socket) -> Iterator[None]:
    """Cut the connection when time is up: a peer that drips its headers keeps each single wait short."""

    def cut() -> None:
        with suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    timer = Timer(max(deadline - time.monotonic(), 0.0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _body(response: http.client.HTTPResponse, connection: http.client.HTTPConnection, deadline: float) -> bytes:
    """Up to the bound. TimeoutError where the peer drips: each read alone would be in time."""
    parts, size = [], 0
    while size < MOST_BYTES:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        if connection.sock:
            connection.sock.settimeout(left)
        chunk = response.read1(MOST_BYTES - size)
        if not chunk:
            break
        parts.append(chunk)
        size += len(chunk)
    return b"".join(parts)


def _judged(status: int, body: bytes, expected: Expected) -> Answer:
    if status not in expected.statuses:
        wanted = ", ".join(map(str, expected.statuses))
        return Answer(good=False, words=f"answers {status}, not {wanted}")
    if expected.contains is not None and expected.contains not in body.decode("utf-8", "replace"):
        return Answer(good=False, words=f"answers {status}, without {expected.contains!r}")
    return Answer(good=True, words=f"answers {status}")


def _why(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
