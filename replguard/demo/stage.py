"""The stage of the demo: a replicating pair with the application's schema and rows, and the trouble that is planted.

What the trouble is stands in ``sql/<engine>/demo/story/``. This module knows how each engine's replication is set up
and spoilt; what is shown of it is told by :mod:`replguard.demo.story`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from replguard.demo import generator, schema
from replguard.demo.servers.access import identifier, literal
from replguard.demo.servers.slot_links import publication_name, subscription_name
from replguard.engines.sqlfiles import Quoted, joined, statement

if TYPE_CHECKING:
    from replguard.demo.schema import Engine, Part
    from replguard.demo.servers import Pair, Side
    from replguard.demo.servers.access import Connection

DATABASE = "st"
SEED = 42
SIZE = 200


class Stage:
    """A pair with the demo's application on it."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.engine = cast("Engine", pair.engine)

    def build(self) -> None:
        """Schema and rows on both sides, with everything that must not sync kept apart."""
        self.pair.create_database(DATABASE)
        parts: tuple[Part, ...] = ("config", "must_not_sync", "lookalikes")
        for side in ("blue", "green"):
            made = [text for part in parts for text in schema.statements(self.engine, part)]
            self._apart(side, *made, *schema.partitions(self.engine))
        self._keep_apart()
        self._fill("blue", "config")
        self._fill("blue", "must_not_sync")
        self._fill("green", "must_not_sync")
        self.pair.wait_caught_up(DATABASE)
        self._apart("green", *self._script("site"))

    def leak(self) -> None:
        """Let the event queue cross."""
        if self.engine == "postgresql":
            self._both_ends("leak")
        else:
            self._ignore(except_for=schema.spelling(self.engine, "EVENT"))

    def mend_leak(self) -> None:
        """Keep the event queue apart again, and take out what leaked."""
        if self.engine == "postgresql":
            self._both_ends("mend_leak")
        else:
            self._ignore()
        self.pair.wait_caught_up(DATABASE)
        self._apart("green", *self._script("remove_leaked"))

    def queue_event(self) -> None:
        """The application on the active cluster queues an event."""
        self.pair.blue.run(*self._script("event"), database=DATABASE)

    def drift(self) -> None:
        """Change two config tables on the passive cluster alone."""
        self._apart("green", *self._script("drift"))

    def mend_drift(self) -> None:
        self._apart("green", *self._script("mend_drift"))

    def _keep_apart(self) -> None:
        if self.engine == "postgresql":
            self.pair.link(DATABASE, [f"public.{name}" for name in schema.tables(self.engine, "config")])
        else:
            self._ignore()

    def _ignore(self, except_for: str = "") -> None:
        """Set the replica's filters to every table that must not sync, but for one."""
        names = [name for name in schema.tables(self.engine, "must_not_sync") if name != except_for]
        if self.engine == "mariadb":
            tables = literal(",".join(f"{DATABASE}.{name}" for name in names))
        else:
            tables = joined([identifier(self.engine, DATABASE, name) for name in names])
        self.pair.green.run(*self._script("filters", tables=tables))

    def _both_ends(self, what: str) -> None:
        """Change the publication, then let the subscription take notice."""
        blue = self.pair.blue
        publication = identifier(self.engine, publication_name(blue))
        subscription = identifier(self.engine, subscription_name(blue, DATABASE))
        blue.run(*self._script(f"{what}_source", publication=publication), database=DATABASE)
        self.pair.green.run(*self._script(f"{what}_target", subscription=subscription), database=DATABASE)

    def _fill(self, side: Side, part: generator.FilledPart) -> None:
        server = self.pair.server(side)
        with server.connect(DATABASE) as connection:
            for text in self._script("utc"):
                connection.run(text)
            if side == "green" and self.engine != "postgresql":
                connection.run(statement(self.engine, "harness/unlogged"))
            self._insert(connection, part, side)

    def _insert(self, connection: Connection, part: generator.FilledPart, side: Side) -> None:
        with connection.raw.cursor() as cursor:
            for block in generator.rows(self.engine, SEED, SIZE, part=part, site=side):
                cursor.executemany(block.insert, block.rows)

    def _apart(self, side: Side, *statements: str) -> None:
        self.pair.run_unlogged(side, *statements, database=DATABASE)

    def _script(self, name: str, **slots: Quoted) -> list[str]:
        text = statement(self.engine, f"demo/story/{name}", self.pair.version, **slots)
        return [part for part in text.split(";\n") if part.strip()]
