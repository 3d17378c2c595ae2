"""Pairs in Docker containers, for machines that have Docker and not the servers' programs."""

from __future__ import annotations

import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Any

from replguard.demo.servers import Direction, Pair, Server, until
from replguard.demo.servers.access import Access

_IMAGES = {"mariadb": "mariadb:11.8", "mysql": "mysql:9", "postgresql": "postgres:{major}"}
_PORTS = {"mariadb": 3306, "mysql": 3306, "postgresql": 5432}
_GTID = ["--log-bin=binlog", "--report-port=3306"]
_COMMANDS = {
    "mariadb": [
        *_GTID,
        "--gtid-domain-id={number}",
        "--server-id={number}",
        "--binlog-format=ROW",
        "--log-slave-updates=ON",
    ],
    "mysql": [*_GTID, "--server-id={number}", "--gtid-mode=ON", "--enforce-gtid-consistency=ON", "--mysqlx=OFF"],
    "postgresql": ["-c", "wal_level=logical", "-c", "track_commit_timestamp=on", "-c", "max_replication_slots=20"],
}


@lru_cache(maxsize=1)
def docker_answers() -> bool:
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    try:
        import docker  # type: ignore[import-untyped]  # noqa: PLC0415 - only where it is needed

        docker.from_env(timeout=3).ping()
    except Exception:  # noqa: BLE001 - whatever it is, there is no Docker to use
        return False
    return True


class ContainerPair(Pair):
    """A pair whose servers end with their containers."""

    resources: list[Any]

    def close(self) -> None:
        for resource in self.resources:
            getattr(resource, "stop", None) and resource.stop()
            getattr(resource, "remove", None) and resource.remove()


def open_pair(engine: str, major: str | None, direction: Direction, options: tuple[str, ...] = ()) -> Pair:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415
    from testcontainers.core.network import Network  # noqa: PLC0415

    password = secrets.token_hex(12)
    network = Network().create()
    servers, started = [], []
    for number, name in enumerate(("blue", "green"), start=1):
        container = DockerContainer(_IMAGES[engine].format(major=major or "18"))
        container.with_network(network).with_network_aliases(name).with_exposed_ports(_PORTS[engine])
        container.with_command([word.format(number=number) for word in _COMMANDS[engine]] + list(options))
        for variable in ("MARIADB_ROOT_PASSWORD", "MYSQL_ROOT_PASSWORD", "POSTGRES_PASSWORD"):
            container.with_env(variable, password)
        started.append(container.start())
        servers.append(_server(engine, name, container, password))
    pair = ContainerPair(servers[0], servers[1], direction)
    pair.resources = [*started, network]
    pair.connect()
    return pair


def _server(engine: str, name: str, container: Any, password: str) -> Server:
    host, port = container.get_container_host_ip(), int(container.get_exposed_port(_PORTS[engine]))
    admin = Access(engine, host, port, "postgres" if engine == "postgresql" else "root", password)
    until(lambda: _connects(admin), f"the container of {name}", timeout=120)
    server = Server(name, admin, Access(engine, host, port, "replguard", password), asked_version(admin))
    server.peer_host, server.peer_port = name, _PORTS[engine]
    return server


def _connects(access: Access) -> bool:
    try:
        access.query("SELECT 1")
    except Exception:  # noqa: BLE001 - not yet
        return False
    return True


def asked_version(access: Access) -> str:
    """The version that a server tells."""
    text = "SHOW server_version" if access.engine == "postgresql" else "SELECT VERSION()"
    return str(access.query(text)[0][0])
