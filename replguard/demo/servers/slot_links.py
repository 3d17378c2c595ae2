"""Logical replication between two PostgreSQL servers, by database: links, waiting for them, and their removal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.demo.servers.access import identifier, literal, script
from replguard.demo.servers.waiting import until
from replguard.engines.sqlfiles import Quoted, joined, statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.demo.servers.server import Server

_ENGINE = "postgresql"


def prepare(server: Server) -> None:
    server.run(*script(_ENGINE, "users", server.version, password=literal(server.admin.password)))


def publication_name(source: Server) -> str:
    return f"from_{source.name}"


def subscription_name(source: Server, database: str) -> str:
    """Also the name of the slot, so it must differ from database to database."""
    return f"{database}_from_{source.name}"


def link(
    source: Server, target: Server, database: str, tables: Sequence[str] | None, *, copy_data: bool = False
) -> None:
    """Publish ``tables`` (``schema.table`` or ``table``; ``None``: all) at the source and subscribe the target to them.

    Returns when the link runs and a first copy, if there is one, is finished.
    """
    publication = identifier(_ENGINE, publication_name(source))
    if tables is None:
        source.run(statement(_ENGINE, "harness/publish_all", publication=publication), database=database)
    else:
        named = joined([identifier(_ENGINE, *table.split(".", 1)) for table in tables])
        source.run(statement(_ENGINE, "harness/publish", publication=publication, tables=named), database=database)
    subscribe = statement(
        _ENGINE,
        "harness/subscribe",
        target.version,
        subscription=identifier(_ENGINE, subscription_name(source, database)),
        source=literal(_connection_string(source, database)),
        publication=publication,
        copy=Quoted("true" if copy_data else "false"),
    )
    target.run(subscribe, database=database)
    wait_caught_up(source, target, database, timeout=30)


def _connection_string(source: Server, database: str) -> str:
    words = {
        "host": source.peer_host,
        "port": str(source.peer_port),
        "user": "repl",
        "password": source.admin.password,
        "dbname": database,
    }
    return " ".join(f"{key}={value}" for key, value in words.items())


def wait_caught_up(source: Server, target: Server, database: str, timeout: float) -> None:
    """Wait until every link of ``database`` from ``source`` has applied what the source's log holds now."""
    with source.connect(database) as here, target.connect(database) as there:
        position = literal(here.query(statement(_ENGINE, "harness/position"))[0][0])
        behind = statement(_ENGINE, "harness/confirmed", database=literal(database), position=position)
        unsynced = statement(_ENGINE, "harness/unsynced")

        def missing() -> list[tuple[object, ...]]:
            return here.query(behind) + there.query(unsynced)

        until(lambda: not missing(), f"{target.name} to apply {position} of {database}", timeout, missing)


def run_unlogged(server: Server, statements: Sequence[str], database: str) -> None:
    """Run statements whose effect no link with origin = none passes on."""
    named = literal("harness_local")
    server.run(
        statement(_ENGINE, "harness/origin", origin=named),
        statement(_ENGINE, "harness/unlogged", origin=named),
        *statements,
        database=database,
    )


def create(servers: Sequence[Server], name: str) -> None:
    for server in servers:
        server.run(statement(_ENGINE, "harness/create", database=identifier(_ENGINE, name)))


def drop(servers: Sequence[Server], name: str) -> None:
    """Remove a database from every server, with its links in whatever state they are."""
    for server in servers:
        with server.connect(name) as connection:
            for (subscription,) in connection.query(statement(_ENGINE, "harness/subscriptions")):
                for text in script(_ENGINE, "unsubscribe", subscription=identifier(_ENGINE, subscription)):
                    connection.run(text)
    for server in servers:
        _drop_slots(server, name)
        server.run(statement(_ENGINE, "harness/drop", database=identifier(_ENGINE, name)))


def _drop_slots(server: Server, name: str) -> None:
    database = literal(name)
    with server.connect() as connection:

        def gone() -> bool:
            connection.query(statement(_ENGINE, "harness/end_slots", database=database))
            connection.query(statement(_ENGINE, "harness/drop_slots", database=database))
            return not connection.query(statement(_ENGINE, "harness/slots", database=database))

        until(gone, f"the slots of {name} to be free")
