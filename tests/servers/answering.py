"""Small real servers that answer, hang, or trickle."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator


@contextmanager
def serving(talk: Callable[[socket.socket, threading.Event], None], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A TCP server on this host; ``talk`` gets each connection, and an event that is set at the end."""
    ending = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                if tls:
                    with tls.wrap_socket(self.request, server_side=True) as peer:
                        talk(peer, ending)
                else:
                    talk(self.request, ending)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            ending.set()
            server.shutdown()
            thread.join()


@contextmanager
def answering(status: int, body: bytes = b"", head: bytes = b"", tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """An HTTP server that gives one answer to everybody."""

    def talk(peer: socket.socket, _ending: threading.Event) -> None:
        peer.recv(65_536)
        peer.sendall(b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s" % (status, head, len(body), body))

    with serving(talk, tls) as port:
        yield port


def hanging(_peer: socket.socket, ending: threading.Event) -> None:
    ending.wait()


def trickling(peer: socket.socket, ending: threading.Event) -> None:
    """A byte now and then, so that no single wait is long."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not ending.wait(0.05):
        peer.sendall(b"x")
