"""A pair with several links a direction, under load: what stands on it in truth, and the faults that befall it.

Nothing here asks replguard: what it says is held against this.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from replguard.demo.servers import until
from replguard.demo.servers.access import literal
from replguard.demo.servers.slot_links import _connection_string
from tests.adversarial.ledger import TABLES, Writer
from tests.conformance.application import Application

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replguard.demo.servers import Server, Side
    from tests.servers.workspace import Workspace

OTHER = "other"
"""MySQL, MariaDB: a channel that looks for a third server all the time. Two links from one source to one target cannot
be there, as the source keeps one at a time; so what must not be touched stands beside the link that is stopped.
"""
POLICY = {"must_not_sync": ["event", "auditlog"], "local": list(TABLES)}
_THREADS = {frozenset({"Yes"}): "running", frozenset({"No"}): "stopped", frozenset({"Yes", "No"}): "half"}
_KILLED = {
    "mariadb": "SELECT id FROM information_schema.processlist WHERE user = 'replguard'",
    "mysql": "SELECT id FROM performance_schema.processlist WHERE user = 'replguard'",
}
_TERMINATED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'replguard'"
_SUBSCRIPTIONS = """SELECT s.subname, s.subenabled, count(t.pid) FILTER (WHERE t.pid IS NOT NULL) FROM pg_subscription s
JOIN pg_database d ON d.oid = s.subdbid LEFT JOIN pg_stat_subscription t ON t.subid = s.oid
WHERE d.datname = current_database() GROUP BY 1, 2 ORDER BY 1"""


class Grounds:
    """The application on a database of its own, each direction with two links, or a link and another channel."""

    def __init__(self, db: Workspace, folder: Path) -> None:
        self.db = db
        self.app = Application(db, folder)
        self.sides: list[Side] = ["blue"] if db.pair.direction == "one-way" else ["blue", "green"]
        """Those that are written on."""
        self.binlog = db.engine != "postgresql"
        self._options: dict[Server, tuple[str, ...]] = {}
        self._starting: Thread | None = None

    def create(self) -> None:
        if self.db.pair.direction == "one-way":
            self.app.create()
        else:
            self.app.create_two_way()
        self.db.both(*(f"CREATE TABLE {table} (n BIGINT, written_by VARCHAR(10))" for table in TABLES))
        self.db.wait_caught_up()
        for source, target in self.db.pair.routes:
            getattr(self, f"_second_{self.db.engine}")(source, target)
            if self.binlog:
                self._ignore(target, "event", "auditlog")
                self._persist(target, "event", "auditlog")
        self.wait_running()

    def close(self) -> None:
        """The servers start as they did before."""
        for server, options in self._options.items():
            vars(server)["options"] = options

    def _persist(self, target: Server, *tables: str) -> None:
        """Let a restart bring the filters back, as an option file does."""
        self._options[target] = vars(target)["options"]
        lines = (f"--replicate-ignore-table={self.db.name}.{table}" for table in tables)
        vars(target)["options"] = (*self._options[target], *lines)

    def _ignore(self, target: Server, *tables: str) -> None:
        """MySQL, MariaDB: let the link between the two into this server apply no change of these tables."""
        names = ",".join(f"{self.db.name}.{table}" for table in tables)
        if self.db.engine == "mariadb":
            target.run("STOP SLAVE", f"SET GLOBAL replicate_ignore_table = '{names}'", "START SLAVE")
        else:
            target.run(
                "STOP REPLICA SQL_THREAD FOR CHANNEL ''",
                f"CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ({names}) FOR CHANNEL ''",
                "START REPLICA SQL_THREAD FOR CHANNEL ''",
            )

    def _second_mariadb(self, _source: Server, target: Server) -> None:
        target.run(
            f"CHANGE MASTER '{OTHER}' TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 9, MASTER_USER = 'repl', "
            "MASTER_PASSWORD = 'none', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 60",
            f"START SLAVE '{OTHER}'",
        )

    def _second_mysql(self, _source: Server, target: Server) -> None:
        target.run(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 9, SOURCE_USER = 'repl', "
            f"SOURCE_PASSWORD = 'none', SOURCE_AUTO_POSITION = 1, SOURCE_CONNECT_RETRY = 60 FOR CHANNEL '{OTHER}'",
            f"START REPLICA FOR CHANNEL '{OTHER}'",
        )

    def _second_postgresql(self, source: Server, target: Server) -> None:
        first, second = TABLES
        publication = f"more_from_{source.name}"
        origin = ", origin = none" if int(source.version.split(".")[0]) >= 16 else ""
        subscriptions = f"{self.db.name}_from_{source.name}"
        source.run(
            f"CREATE PUBLICATION {publication} FOR TABLE {second} WITH (publish = 'insert')",
            f"ALTER PUBLICATION from_{source.name} ADD TABLE {first}",
            f"ALTER TABLE {first} REPLICA IDENTITY FULL",
            database=self.db.name,
        )
        connection = literal(_connection_string(source, self.db.name))
        target.run(
            f"CREATE SUBSCRIPTION {self.db.name}_{publication} CONNECTION {connection} PUBLICATION {publication} "
            f"WITH (copy_data = false{origin})",
            f"ALTER SUBSCRIPTION {subscriptions} REFRESH PUBLICATION WITH (copy_data = false)",
            database=self.db.name,
        )

    @contextmanager
    def load(self) -> Iterator[list[Writer]]:
        """Writers on every side that is written on."""
        with ExitStack() as stack:
            yield [stack.enter_context(Writer(self.db, side)) for side in self.sides]

    # What stands in truth.

    def standing(self) -> dict[str, str]:
        """Each link between the two as ``target/name``: running, stopped, half, or moving."""
        return {link: state for link, state in self._all().items() if not link.endswith(f"/{OTHER}")}

    def bystanders(self) -> dict[str, str]:
        """The links that are nobody's business here: they always look for their source."""
        return {link: state for link, state in self._all().items() if link.endswith(f"/{OTHER}")}

    def _all(self) -> dict[str, str]:
        return {
            f"{target.name}/{name}": state
            for _, target in self.db.pair.routes
            for name, state in self._links_of(target)
        }

    def _links_of(self, target: Server) -> list[tuple[str, str]]:
        if not self.binlog:
            rows = target.query(_SUBSCRIPTIONS, self.db.name)
            return [
                (name, "running" if enabled and workers else "stopped" if not (enabled or workers) else "moving")
                for name, enabled, workers in rows
            ]
        with target.connect() as connection:
            mariadb = self.db.engine == "mariadb"
            records = connection.records("SHOW ALL SLAVES STATUS" if mariadb else "SHOW REPLICA STATUS")
        word, name = ("Slave", "Connection_name") if mariadb else ("Replica", "Channel_Name")
        found = []
        for row in records:
            threads = frozenset(row[f"{word}_{one}_Running"] for one in ("IO", "SQL"))
            found.append((row[name], _THREADS.get(threads, "moving")))
        return found

    def all_are(self, wanted: str) -> bool:
        return set(self.standing().values()) == {wanted}

    def wait_running(self) -> None:
        until(lambda: self.all_are("running"), "all links to run", 30, self.standing)

    def settled(self) -> dict[str, str]:
        """The links when nothing moves of itself any more: servers are up, receivers have found their sources."""
        if self._starting:
            self._starting.join()
            self._starting = None
        with suppress(TimeoutError):
            until(lambda: "moving" not in self.standing().values(), "every link to run or stand", 8)
        return self.standing()

    # Filters.

    def let_cross(self) -> None:
        """Let a table that must not sync cross from blue to green, as somebody might by mistake."""
        if self.binlog:
            self._ignore(self.db.pair.green, "auditlog")
        elif ("event",) not in self.db.query("blue", "SELECT tablename FROM pg_publication_tables"):
            self.app.let_cross()
        self.wait_running()

    def filters(self) -> dict[str, object]:
        """What decides what crosses, as the servers have it: by target, or by publication and subscription."""
        if not self.binlog:
            return {side: self._published(side) for side in ("blue", "green")}
        return {target.name: self._rules(target) for _, target in self.db.pair.routes}

    def _rules(self, target: Server) -> object:
        if self.db.engine == "mysql":
            return sorted(
                (name, ",".join(sorted(str(rule).split(","))))
                for name, rule in target.query(
                    "SELECT filter_name, filter_rule FROM performance_schema.replication_applier_filters "
                    "WHERE channel_name = '' AND filter_rule <> ''"
                )
            )
        with target.connect() as connection:
            (row,) = (row for row in connection.records("SHOW ALL SLAVES STATUS") if row["Connection_name"] == "")
        return sorted((name, ",".join(sorted(row[name].split(",")))) for name in row if name.startswith("Replicate_"))

    def _published(self, side: Side) -> object:
        published = self.db.query(side, "SELECT pubname, tablename FROM pg_publication_tables ORDER BY 1, 2")
        subscribed = self.db.query(
            side,
            "SELECT subname, srrelid::regclass::text FROM pg_subscription_rel "
            "JOIN pg_subscription s ON s.oid = srsubid JOIN pg_database d ON d.oid = s.subdbid "
            "WHERE datname = current_database() ORDER BY 1, 2",
        )
        return published, subscribed

    # Faults.

    def cut(self, cluster: str) -> None:
        """End every connection of replguard's user on this server."""
        server: Any = self.db.pair.server(cluster)  # type: ignore[arg-type] # the config calls clusters as the pair does
        if not self.binlog:
            server.query(_TERMINATED)
            return
        with server.connect() as connection:
            for (thread,) in connection.query(_KILLED[self.db.engine]):
                with suppress(Exception):  # it has gone of itself
                    connection.run(f"KILL CONNECTION {thread}")

    def restart(self, cluster: str) -> None:
        """Stop the server; it comes up again while the command goes on, see :meth:`settled`."""
        server: Any = self.db.pair.server(cluster)  # type: ignore[arg-type]
        server.stop()
        self._starting = Thread(target=server.start, name=f"restart of {cluster}")
        self._starting.start()
