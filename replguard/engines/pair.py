"""Two connected clusters: opened together, proven to be two, of one engine, with the links between them."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines import connect
from replguard.errors import ConnectError, ReplguardError, SameServerError, UnlikeEnginesError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from replguard.config import Config
    from replguard.engines.base import OnStatement, Server
    from replguard.model.links import Link


def _silent(_cluster: str, _statement: str) -> None:
    """Nobody asked to see the statements."""


@dataclass(slots=True)
class Pair:
    """The two clusters in the order of the config. A context manager that closes both."""

    first: Server
    second: Server
    on_statement: OnStatement = _silent

    @classmethod
    def open(cls, config: Config, on_statement: OnStatement = _silent) -> Self:
        """Connect to both at once.

        Raises ConnectError and its children, SameServerError, UnlikeEnginesError.
        """
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(connect, endpoint, on_statement) for endpoint in config.endpoints]
        servers = [future.result() for future in waiting if future.exception() is None]
        failures = [
            _named(error, endpoint.name)
            for future, endpoint in zip(waiting, config.endpoints, strict=True)
            if (error := future.exception())
        ]
        if failures:
            for server in servers:
                server.close()
            raise _joined(failures)
        pair = cls(servers[0], servers[1], on_statement)
        try:
            pair.check_two()
        except BaseException:
            pair.close()
            raise
        return pair

    def check_two(self) -> None:
        """Two servers, not one, and of one engine."""
        engines = [server.identity.engine for server in self]
        if engines[0] != engines[1]:
            raise UnlikeEnginesError(
                f"{self.first.name!r} is {engines[0]} and {self.second.name!r} is {engines[1]}",
                remedy="compare clusters of the same engine",
            )
        token = secrets.randbelow(2**62) + 1
        with self.first.probe(token):
            same = self.second.sees_probe(token)
        if same and self.first.endpoint.database == self.second.endpoint.database:
            raise SameServerError(
                f"{self.first.name!r} and {self.second.name!r} are the same server ({self.first.identity.text})",
                remedy="give each cluster the URL of its own database",
            )
        if same:
            raise SameServerError(
                f"{self.first.name!r} and {self.second.name!r} are two databases of the same server "
                f"({self.first.identity.text})",
                remedy="give each cluster the URL of its own server: two clusters on one cannot fail apart",
            )

    def __iter__(self) -> Iterator[Server]:
        return iter((self.first, self.second))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def reconnect(self, name: str) -> None:
        """Connect anew to a cluster whose connection was lost. ConnectError also where another server answers now."""
        lost = self.server(name)
        fresh = connect(lost.endpoint, self.on_statement)
        if fresh.identity.text != lost.identity.text:
            fresh.close()
            raise ConnectError(
                f"cluster {name!r} was {lost.identity.text}, and {fresh.identity.text} answers there now",
                remedy="after a failover start again; name the server itself in the URL, not a proxy",
                cluster=name,
            )
        lost.close()
        if lost is self.first:
            self.first = fresh
        else:
            self.second = fresh

    def close(self) -> None:
        self.first.close()
        self.second.close()

    def server(self, name: str) -> Server:
        """The cluster of this name; KeyError where there is none."""
        return {self.first.name: self.first, self.second.name: self.second}[name]

    def other(self, name: str) -> Server:
        return self.second if name == self.first.name else self.first

    def links(self) -> tuple[Link, ...]:
        """All links into both clusters as their targets describe them now, matched or not."""
        with ThreadPoolExecutor(2) as pool:
            return tuple(link for found in pool.map(self._links_into, self) for link in found)

    def _links_into(self, target: Server) -> tuple[Link, ...]:
        peer = self.other(target.name)
        return target.replication.links({peer.name: peer})


def _named(error: BaseException, cluster: str) -> BaseException:
    """The error with the name of its cluster, which a user knows better than an address."""
    if isinstance(error, ReplguardError):
        error.cluster = error.cluster or cluster
        if cluster not in error.message:
            error.message = f"cluster {cluster!r}: {error.message}"
            error.args = (error.message,)
    return error


def _joined(failures: list[BaseException]) -> BaseException:
    """One error for both clusters, so that a user mends both at once."""
    known = [error for error in failures if isinstance(error, ReplguardError)]
    if len(known) < len(failures):
        return next(error for error in failures if not isinstance(error, ReplguardError))
    if len(known) == 2 and type(known[0]) is type(known[1]):
        both = type(known[0])(f"{known[0].message}; {known[1].message}", remedy=known[0].remedy)
        if known[1].remedy and known[1].remedy != known[0].remedy:
            both.remedy = f"{known[0].remedy}; {known[1].remedy}"
        return both
    return known[0]
