"""How the demo and the tests talk to a server: plain statements over a fresh connection, with the drivers themselves.

It is on purpose not the product's own engines: what they say is checked against this.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from replguard.engines.sqlfiles import Quoted, statement

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_DATABASE = {"postgresql": "postgres", "mysql": "", "mariadb": ""}


def script(engine: str, name: str, version: str = "", **slots: Quoted) -> list[str]:
    """The statements of ``sql/<engine>/harness/<name>.sql``, which may hold several, one or more lines each."""
    return [part for part in statement(engine, f"harness/{name}", version, **slots).split(";\n") if part.strip()]


@dataclass(frozen=True, slots=True)
class Access:
    """One way into a server: address and user. ``socket``, where set, is used in place of host and port."""

    engine: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    socket: str | None = None

    def url(self, database: str = "") -> str:
        """The URL that replguard's config takes."""
        user, password = quote(self.user, safe=""), quote(self.password, safe="")
        name = quote(database or DEFAULT_DATABASE[self.engine], safe="")
        return f"{self.engine}://{user}:{password}@{self.host}:{self.port}/{name}"

    @contextlib.contextmanager
    def connect(self, database: str = "") -> Iterator[Connection]:
        """An open connection in autocommit mode."""
        raw = self._postgresql(database) if self.engine == "postgresql" else self._mysql(database)
        try:
            yield Connection(self.engine, raw)
        finally:
            raw.close()

    def run(self, *statements: str, database: str = "") -> None:
        with self.connect(database) as connection:
            for text in statements:
                connection.run(text)

    def query(self, text: str, database: str = "") -> list[tuple[Any, ...]]:
        with self.connect(database) as connection:
            return connection.query(text)

    def _postgresql(self, database: str) -> Any:
        import psycopg  # noqa: PLC0415 - a machine with one engine need not load the other's driver

        return psycopg.connect(
            host=self.socket or self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=database or DEFAULT_DATABASE[self.engine],
            autocommit=True,
            connect_timeout=10,
        )

    def _mysql(self, database: str) -> Any:
        from pymysql.constants import CLIENT  # noqa: PLC0415 - see above

        from replguard.engines.binlog.connection import driver  # noqa: PLC0415

        return driver()(
            host=self.host,
            port=self.port,
            unix_socket=self.socket,
            user=self.user,
            password=self.password,
            database=database or None,
            autocommit=True,
            connect_timeout=10,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )


class Connection:
    """An open connection of a driver, with the two verbs that are needed here."""

    def __init__(self, engine: str, raw: Any) -> None:
        self.engine = engine
        self.raw = raw

    def run(self, text: str) -> None:
        """Run one or several statements and pass over what they return."""
        with self.raw.cursor() as cursor:
            cursor.execute(text)
            while cursor.nextset():
                pass

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """The rows of the last statement of ``text`` that returns rows."""
        rows: list[tuple[Any, ...]] = []
        with self.raw.cursor() as cursor:
            cursor.execute(text)
            while True:
                if cursor.description:
                    rows = [tuple(row) for row in cursor.fetchall()]
                if not cursor.nextset():
                    return rows

    def records(self, text: str) -> list[dict[str, Any]]:
        """The rows of one statement by column name, as SHOW ... STATUS is best read."""
        with self.raw.cursor() as cursor:
            cursor.execute(text)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def literal(text: str) -> Quoted:
    """A text as a literal that every session's settings read alike: without quotes or backslashes in it."""
    if "'" in text or "\\" in text:
        raise ValueError("harness values hold neither quotes nor backslashes")
    return Quoted(f"'{text}'")


def identifier(engine: str, *parts: str) -> Quoted:
    """A quoted name, qualified where it has several parts."""
    mark = '"' if engine == "postgresql" else "`"
    return Quoted(".".join(mark + part.replace(mark, mark * 2) + mark for part in parts))
