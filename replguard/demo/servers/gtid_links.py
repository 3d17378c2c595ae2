"""Replication between two MariaDB or two MySQL servers: set up, awaited, and put right after a test has broken it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from replguard.demo.servers.access import identifier, literal, script
from replguard.demo.servers.waiting import until
from replguard.engines.sqlfiles import Quoted, statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.demo.servers.access import Connection
    from replguard.demo.servers.server import Server

_ERRORS = ("Last_IO_Error", "Last_SQL_Error")
_THREADS = {
    "mariadb": ("Slave_IO_Running", "Slave_SQL_Running"),
    "mysql": ("Replica_IO_Running", "Replica_SQL_Running"),
}


def prepare(server: Server) -> None:
    """Users, and a log that begins now."""
    server.run(*script(server.engine, "users", server.version, password=literal(server.admin.password)))
    server.run(*script(server.engine, "fresh", server.version))


def connect(source: Server, target: Server) -> None:
    """Make ``target`` a replica of ``source`` and wait until its threads run."""
    slots = {
        "host": literal(source.peer_host),
        "port": Quoted(str(source.peer_port)),
        "password": literal(source.admin.password),
    }
    target.run(*script(target.engine, "replicate", target.version, **slots))
    until(lambda: healthy(target), "the replica's threads to run", detail=lambda: errors(target))


def healthy(target: Server, connections: int = 1) -> bool:
    """Whether a server has as many connections as it should, all threads run and no error stands."""
    rows = _status(target)
    running = all(row[thread] == "Yes" for row in rows for thread in _THREADS[target.engine])
    said = any(row[name] for row in rows for name in _ERRORS)
    return len(rows) == connections and running and not said and not _filtered(rows)


def errors(target: Server) -> str:
    """What stands in the way of replication, in the server's words; empty if nothing does."""
    said = [row[name] for row in _status(target) for name in _ERRORS if row[name]]
    if said and target.engine == "mysql":
        said += [row[0] for row in target.query(statement("mysql", "harness/worker_errors"))]
    return "; ".join(said)


def filtered(target: Server) -> bool:
    """Whether any replication filter is set."""
    return _filtered(_status(target))


def _filtered(rows: Sequence[Mapping[str, str]]) -> bool:
    return any(
        value
        for row in rows
        for name, value in row.items()
        if name.startswith("Replicate_") and name != "Replicate_Ignore_Server_Ids"
    )


def _status(target: Server) -> list[dict[str, str]]:
    with target.connect() as connection:
        return connection.records(statement(target.engine, "harness/status", target.version))


def wait_caught_up(source: Server, target: Server, timeout: float) -> None:
    """Wait until ``target`` has applied everything that ``source`` has in its log now."""
    with source.connect() as connection:
        wanted = connection.query(statement(source.engine, "harness/position"))[0][0]
    applied = _applied_mariadb if source.engine == "mariadb" else _applied_mysql
    with target.connect() as connection:
        until(lambda: applied(connection, wanted), f"{target.name} to apply {wanted}", timeout, lambda: errors(target))


def _applied_mysql(connection: Connection, wanted: str) -> bool:
    answer = connection.query(statement("mysql", "harness/applied", set=literal(wanted.replace("\n", ""))))
    return bool(answer[0][0])


def _applied_mariadb(connection: Connection, wanted: str) -> bool:
    binlog, applied = (domains(text) for text in connection.query(statement("mariadb", "harness/position"))[0])
    return all(max(binlog.get(key, 0), applied.get(key, 0)) >= number for key, number in domains(wanted).items())


def domains(position: str) -> dict[str, int]:
    """A MariaDB position as the last number of each domain.

    >>> domains("1-1-5,2-2-7")
    {'1': 5, '2': 7}
    """
    parts = [part.strip().split("-") for part in position.split(",") if part.strip()]
    return {domain: int(number) for domain, _server, number in parts}


def run_unlogged(server: Server, statements: Sequence[str], database: str) -> None:
    """Run statements whose effect stays on this server."""
    server.run(statement(server.engine, "harness/unlogged"), *statements, database=database)


def create(source: Server, target: Server, name: str) -> None:
    source.run(statement(source.engine, "harness/create", database=identifier(source.engine, name)))
    wait_caught_up(source, target, timeout=20)


def create_apart(servers: Sequence[Server], name: str) -> None:
    """Make a database on servers that do not replicate."""
    for server in servers:
        server.run(statement(server.engine, "harness/create", database=identifier(server.engine, name)))


def drop(routes: Sequence[tuple[Server, Server]], servers: Sequence[Server], name: str) -> None:
    """Remove a database, and make replication run again whatever was done to it."""
    sound = _sound(routes, servers)
    if not sound:
        for server in servers:
            _forget(server)
    for server in servers:
        removal = statement(server.engine, "harness/drop", database=identifier(server.engine, name))
        run_unlogged(server, [removal], "")
    if not sound:
        for server in servers:
            _begin_anew(server)
        for source, target in routes:
            connect(source, target)


def _begin_anew(server: Server) -> None:
    """Make a log that begins now. MariaDB forgets the old one only when InnoDB has flushed its own, within a second."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(server.run, *script(server.engine, "fresh", server.version))
        if server.engine == "mariadb":
            wait([done], timeout=0.02)
            server.run(*script("mariadb", "nudge"))
        done.result()


def _sound(routes: Sequence[tuple[Server, Server]], servers: Sequence[Server]) -> bool:
    """Whether replication is as it was made, with nothing left to apply."""
    if not all(healthy(server, sum(target is server for _, target in routes)) for server in servers):
        return False
    try:
        for source, target in routes:
            wait_caught_up(source, target, timeout=5)
    except TimeoutError:
        return False
    return True


def _forget(server: Server) -> None:
    """Forget filters and connections: what can be begun anew after whatever a test did."""
    named = [row["Connection_name"] for row in _status(server) if row.get("Connection_name")]
    server.run(*script(server.engine, "forget", server.version))
    for name in named:
        server.run(*script(server.engine, "forget_one", connection=literal(name)))
