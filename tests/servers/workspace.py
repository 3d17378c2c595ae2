"""A test's own database on both servers of a pair."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.demo.servers import Pair, Side


class Workspace:
    """One database, of the same name on ``blue`` and ``green``.

    MariaDB and MySQL replicate everything, DDL too. On PostgreSQL nothing crosses before :meth:`link`, and DDL never.
    """

    def __init__(self, pair: Pair, name: str) -> None:
        self.pair = pair
        self.name = name

    @property
    def engine(self) -> str:
        return self.pair.engine

    @property
    def blue_url(self) -> str:
        return self.pair.blue.url(self.name)

    @property
    def green_url(self) -> str:
        return self.pair.green.url(self.name)

    def url(self, side: Side) -> str:
        return self.pair.server(side).url(self.name)

    def run(self, side: Side, *statements: str) -> None:
        """Run statements as admin in autocommit mode; one text may hold several, apart by semicolons."""
        self.pair.server(side).run(*statements, database=self.name)

    def query(self, side: Side, text: str) -> list[tuple[Any, ...]]:
        return self.pair.server(side).query(text, self.name)

    def run_local(self, side: Side, *statements: str) -> None:
        """Run statements whose effect does not cross: how drift is planted."""
        self.pair.run_unlogged(side, *statements, database=self.name)

    def both(self, *statements: str) -> None:
        """Run statements (DDL, mostly) so that they take effect on both sides."""
        self.run("blue", *statements)
        if self.engine == "postgresql" or not self.pair.routes:
            self.run("green", *statements)
        else:
            self.pair.wait_caught_up(self.name, source="blue")

    def link(self, tables: Sequence[str] | None = None, *, source: Side | None = None, copy_data: bool = False) -> None:
        """Begin replication of the tables that exist by now (PostgreSQL); elsewhere it runs already."""
        self.pair.link(self.name, tables, source=source, copy_data=copy_data)

    def wait_caught_up(self, timeout: float = 20.0, *, source: Side | None = None) -> None:
        """Wait until green has applied everything of blue, and blue of green where the pair is two-way."""
        self.pair.wait_caught_up(self.name, source=source, timeout=timeout)


@contextmanager
def workspace(pair: Pair) -> Iterator[Workspace]:
    """A new database, removed at the end; replication of the pair runs again then, whatever was done to it."""
    name = f"t_{secrets.token_hex(4)}"
    pair.create_database(name)
    try:
        yield Workspace(pair, name)
    finally:
        pair.drop_database(name)
