"""A small application on a test's database: config tables, tables that must not sync, and the filters between them.

``Application`` knows how each engine keeps a table apart; the tests that use it are the same for all.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard import api, config
from replguard.demo.servers.access import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replguard.demo.servers import Side
    from replguard.model.findings import Finding, Report
    from tests.servers.workspace import Workspace

FORBIDDEN = "event"
TABLES = {
    "postgresql": (
        "CREATE TABLE account (id bigint PRIMARY KEY, name varchar(80) NOT NULL, email varchar(80))",
        "CREATE TABLE setting (name varchar(80), node varchar(20), value text, PRIMARY KEY (name, node))",
        "CREATE TABLE token (id bytea PRIMARY KEY, label text)",
        "CREATE TABLE rule (pattern text, action text)",
        "ALTER TABLE rule REPLICA IDENTITY FULL",
        "CREATE TABLE event (id bigint PRIMARY KEY, payload text)",
        "CREATE TABLE auditlog (id bigint PRIMARY KEY, line text)",
    ),
    "mysql": (
        "CREATE TABLE account (id BIGINT PRIMARY KEY, name VARCHAR(80) NOT NULL, email VARCHAR(80))",
        "CREATE TABLE setting (name VARCHAR(80), node VARCHAR(20), value TEXT, PRIMARY KEY (name, node))",
        "CREATE TABLE token (id VARBINARY(16) PRIMARY KEY, label TEXT)",
        "CREATE TABLE rule (pattern TEXT, action TEXT)",
        "CREATE TABLE event (id BIGINT PRIMARY KEY, payload TEXT)",
        "CREATE TABLE auditlog (id BIGINT PRIMARY KEY, line TEXT)",
    ),
}
CONFIG_TABLES = ("account", "setting", "token", "rule")
_SECRET = {"postgresql": "'\\x00ff'", "mysql": "x'00ff'"}


class Application:
    """The application on one database of a pair."""

    def __init__(self, db: Workspace, folder: Path) -> None:
        self.db = db
        self.folder = folder
        self.family = "postgresql" if db.engine == "postgresql" else "mysql"
        self.schema = "public" if self.family == "postgresql" else db.name
        self.config = replace(
            config.from_options({"blue": db.blue_url, "green": db.green_url}, None, ("event", "auditlog")),
            state_dir=folder / "state",
        )

    def create(self) -> None:
        """Tables and rows on both sides, everything that must not sync kept apart, replication running."""
        self.db.both(*TABLES[self.family])
        self.keep_apart("event", "auditlog")
        if self.family == "postgresql":
            self.db.link([f"public.{name}" for name in CONFIG_TABLES])
        self.db.run(
            "blue",
            *(
                f"INSERT INTO account VALUES ({number}, 'name{number}', 'n{number}@example.com')"
                for number in range(1, 21)
            ),
            "INSERT INTO setting VALUES ('size', 'a', '1'), ('size', 'b', '2'), ('Größe', 'a', NULL)",
            f"INSERT INTO token VALUES ({_SECRET[self.family]}, 'first')",
            "INSERT INTO rule VALUES ('*.xml', 'keep'), ('*.xml', 'keep'), ('*.tmp', 'drop')",
            "INSERT INTO event VALUES (1, 'queued')",
        )
        self.db.wait_caught_up()

    def create_two_way(self, *, apart: bool = True) -> None:
        """Tables on both sides of a pair that replicates both ways; not ``apart``, MySQL and MariaDB let all cross."""
        self.db.both(*TABLES[self.family])
        if apart:
            self.keep_apart("event", "auditlog")
            self.keep_apart("event", "auditlog", side="blue")
        if self.family == "postgresql":
            self.db.link([f"public.{name}" for name in CONFIG_TABLES])
        self.db.run("blue", "INSERT INTO account VALUES (1, 'from blue', NULL)")
        self.db.run("green", "INSERT INTO account VALUES (2, 'from green', NULL)")
        self.db.wait_caught_up()

    def stop_applying(self) -> None:
        """Stop the link by hand, as somebody else would."""
        stop = {
            "mariadb": "STOP SLAVE",
            "mysql": "STOP REPLICA",
            "postgresql": f"ALTER SUBSCRIPTION {self.subscription} DISABLE",
        }
        self.db.run("green", stop[self.db.engine])

    def start_applying(self) -> None:
        """Start the link by hand, as somebody else would."""
        start = {
            "mariadb": "START SLAVE",
            "mysql": "START REPLICA",
            "postgresql": f"ALTER SUBSCRIPTION {self.subscription} ENABLE",
        }
        self.db.run("green", start[self.db.engine])

    def keep_apart(self, *tables: str, side: Side = "green") -> None:
        """Let the link into a side apply no change of these tables; PostgreSQL publishes an explicit list anyway."""
        names = ",".join(f"{self.db.name}.{table}" for table in tables)
        if self.db.engine == "mariadb":
            self.db.run(side, "STOP SLAVE", f"SET GLOBAL replicate_ignore_table = '{names}'", "START SLAVE")
        elif self.db.engine == "mysql":
            listed = ", ".join(str(identifier("mysql", self.db.name, table)) for table in tables)
            self.db.run(
                side,
                "STOP REPLICA SQL_THREAD",
                f"CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ({listed}) FOR CHANNEL ''",
                "START REPLICA SQL_THREAD",
            )

    def let_cross(self, table: str = FORBIDDEN) -> None:
        """Open the way for a table that must not sync."""
        if self.family == "postgresql":
            self.db.run("blue", f"ALTER PUBLICATION from_blue ADD TABLE public.{table}")
            self.refresh()
        else:
            self.keep_apart(*{"event", "auditlog"} - {table})

    def refresh(self) -> None:
        """Let the subscription take notice of its publication."""
        self.db.run("green", f"ALTER SUBSCRIPTION {self.subscription} REFRESH PUBLICATION WITH (copy_data = false)")

    @property
    def subscription(self) -> str:
        return f"{self.db.name}_from_blue"

    @contextmanager
    def clusters(self) -> Iterator[api.Clusters]:
        with api.connect(self.config) as clusters:
            yield clusters


def told(report: Report) -> list[Finding]:
    """Every finding of a report that is more than information."""
    return [item for check in report.checks for item in check.findings if item.severity.value != "info"]


def codes(report: Report) -> list[str]:
    """The codes of what fails or is unknown, sorted."""
    return sorted(item.code for item in told(report) if item.severity.value != "warn")


def of(report: Report, code: str) -> list[Finding]:
    return [item for check in report.checks for item in check.findings if item.code == code]
