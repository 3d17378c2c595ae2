"""Two servers, ``blue`` and ``green``, and the replication between them."""

from __future__ import annotations

import itertools
import secrets
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from replguard.demo.servers import gtid_links, slot_links
from replguard.demo.servers.found import find
from replguard.demo.servers.keeping import keeper
from replguard.demo.servers.mysql_family import MariaDBServer, MySQLServer
from replguard.demo.servers.postgresql import PostgreSQLServer
from replguard.demo.servers.server import LocalServer, Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from replguard.demo.servers.found import Installation

Direction = Literal["one-way", "two-way", "none"]
Side = Literal["blue", "green"]
_KINDS: dict[str, type[LocalServer]] = {"mariadb": MariaDBServer, "mysql": MySQLServer, "postgresql": PostgreSQLServer}
_numbers = itertools.count(1)


class Pair:
    """Two servers of one engine.

    MariaDB and MySQL replicate as a whole; PostgreSQL by :meth:`link`, per database.
    """

    def __init__(self, blue: Server, green: Server, direction: Direction) -> None:
        self.blue = blue
        self.green = green
        self.direction = direction

    @property
    def engine(self) -> str:
        return self.blue.engine

    @property
    def version(self) -> str:
        return self.blue.version

    @property
    def servers(self) -> tuple[Server, Server]:
        return self.blue, self.green

    @property
    def routes(self) -> list[tuple[Server, Server]]:
        """Source and target of each direction."""
        there, back = (self.blue, self.green), (self.green, self.blue)
        return {"none": [], "one-way": [there], "two-way": [there, back]}[self.direction]

    def server(self, side: Side) -> Server:
        return self.blue if side == "blue" else self.green

    def other(self, side: Side) -> Server:
        return self.green if side == "blue" else self.blue

    def connect(self) -> None:
        """Users on both servers and, where servers replicate as a whole, the replication."""
        for server in self.servers:
            (slot_links if self.engine == "postgresql" else gtid_links).prepare(server)
        if self.engine != "postgresql":
            for source, target in self.routes:
                gtid_links.connect(source, target)

    def link(
        self, database: str, tables: Sequence[str] | None = None, *, source: Side | None = None, copy_data: bool = False
    ) -> None:
        """PostgreSQL: link a database that has its tables on both sides; from ``source``, by default as the pair does.

        The publication is called ``from_<source>``, the subscription and its slot ``<database>_from_<source>``.
        """
        if self.engine != "postgresql":
            return
        routes = self.routes if source is None else [(self.server(source), self.other(source))]
        for start, end in routes:
            slot_links.link(start, end, database, tables, copy_data=copy_data)

    def wait_caught_up(self, database: str, *, source: Side | None = None, timeout: float = 20.0) -> None:
        """Wait until each target (or that of ``source``) has applied what its source has now. Raises TimeoutError."""
        routes = self.routes if source is None else [(self.server(source), self.other(source))]
        for start, end in routes:
            if self.engine == "postgresql":
                slot_links.wait_caught_up(start, end, database, timeout)
            else:
                gtid_links.wait_caught_up(start, end, timeout)

    def run_unlogged(self, side: Side, *statements: str, database: str = "") -> None:
        """Run statements whose effect stays on one side."""
        if self.engine == "postgresql":
            if self.direction == "two-way":
                slot_links.run_unlogged(self.server(side), statements, database)
            else:
                self.server(side).run(*statements, database=database)
        else:
            gtid_links.run_unlogged(self.server(side), statements, database)

    def create_database(self, name: str) -> None:
        """Make a database on both sides; nothing of it is linked yet on PostgreSQL."""
        if self.engine == "postgresql":
            slot_links.create(self.servers, name)
        elif self.routes:
            gtid_links.create(*self.routes[0], name)
        else:
            gtid_links.create_apart(self.servers, name)

    def drop_database(self, name: str) -> None:
        """Remove a database with its links; whatever was done to servers and replication, all of it runs afterwards."""
        self.revive()
        if self.engine == "postgresql":
            slot_links.drop(self.servers, name)
            return
        gtid_links.drop(self.routes, self.servers, name)

    def revive(self) -> None:
        """Start again what was stopped or killed."""
        for server in self.servers:
            if isinstance(server, LocalServer) and not server.running:
                server.start()

    def close(self) -> None:
        for server in self.servers:
            if isinstance(server, LocalServer):
                server.discard()

    def detach(self) -> tuple[list[int], Path | None]:
        """Let servers and data stay after this process: the servers' process ids, and the folder of their data.

        The servers are ended with SIGINT (PostgreSQL) or SIGTERM.
        """
        pids = [server.detach() for server in self.servers if isinstance(server, LocalServer)]
        return [pid for pid in pids if pid is not None], keeper.leave_folder()


@contextmanager
def start_pair(
    engine: str,
    version: str | None = None,
    direction: Direction = "one-way",
    options: Mapping[str, Sequence[str]] | Sequence[str] = (),
    folder: Path | None = None,
) -> Iterator[Pair]:
    """Start two servers of an engine and what replicates between them; at the end stop them and remove their data.

    ``options`` go to both servers, or, as a mapping, to ``blue`` and ``green`` each. ``folder`` is where the data lies;
    by default in a temporary folder. Raises ServersNotFound, StartError.
    """
    pair = open_pair(find(engine, version), direction, options, folder)
    try:
        yield pair
    finally:
        pair.close()


def open_pair(
    installation: Installation,
    direction: Direction = "one-way",
    options: Mapping[str, Sequence[str]] | Sequence[str] = (),
    folder: Path | None = None,
) -> Pair:
    """:func:`start_pair` for one installation, to be closed by the caller."""
    number = next(_numbers)
    place = (folder or keeper.folder()) / f"{installation.engine}-{number}"
    password = secrets.token_hex(12)
    sides: tuple[Side, Side] = ("blue", "green")
    chosen = options if hasattr(options, "get") else dict.fromkeys(sides, options)
    place.mkdir(parents=True)
    place.chmod(0o711)
    blue, green = (
        _KINDS[installation.engine](installation, side, index, place / side, password, chosen.get(side, ()))
        for index, side in enumerate(sides, start=2 * number + 9)
    )
    pair = Pair(blue, green, direction)
    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(LocalServer.create, (blue, green)))
        pair.connect()
    except BaseException:
        pair.close()
        shutil.rmtree(place, ignore_errors=True)
        raise
    return pair
