"""Records the corpus: runs the scenes on a real server of the test run and takes its binlog files from its folder."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymysql

from replguard.demo.servers import LocalServer, NotOurs
from tests.adversarial.scenes import SCENES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.demo.servers import Server
    from tests.adversarial.scenes import Scene

MAGIC = b"\xfebin"
DATABASE = "corpus"


@dataclass(frozen=True)
class Log:
    """One file; ``data`` holds its magic number."""

    name: str
    scene: str
    data: bytes


@dataclass(frozen=True)
class Corpus:
    """All files of one recording, in order and without a hole."""

    flavour: Any
    logs: tuple[Log, ...]

    def of(self, scene: str) -> Log:
        """The largest file of a scene: others are what switching a setting left."""
        return max((log for log in self.logs if log.scene == scene), key=lambda log: len(log.data))


def record(server: Server, more: Mapping[str, Scene] | None = None) -> Corpus:
    """The server's settings are left as they were, and so is what databases it has."""
    if not isinstance(server, LocalServer):
        raise NotOurs("the files of a server elsewhere cannot be read")
    rows = server.folder / "rows.txt"
    rows.write_text("7001\tload\n7002\tdata\n")
    scenes = {**SCENES[server.engine], **(more or {})}
    server.run(f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
    owner: dict[str, str] = {}
    try:
        for name, statements in scenes.items():
            server.run("FLUSH BINARY LOGS")
            first = _files(server)[-1]
            _play(server, [text.format(n=DATABASE, file=rows) for text in statements])
            owner |= {file: name for file in _files(server) if file >= first}
        server.run("FLUSH BINARY LOGS")
        return Corpus(server.engine, tuple(_log(server, file, scene) for file, scene in sorted(owner.items())))
    finally:
        server.run(f"DROP DATABASE {DATABASE}")


def forget(server: Server) -> None:
    """Begin the logs anew: the next tests on this server meet neither an incident nor transactions without GTIDs."""
    if server.engine == "mysql":
        server.run("RESET BINARY LOGS AND GTIDS")
    else:
        server.run("RESET MASTER", "SET GLOBAL gtid_slave_pos = ''")


def _play(server: Server, statements: list[str]) -> None:
    with server.connect(DATABASE) as connection:
        for text in statements:
            if text.startswith("!"):
                with suppress(pymysql.Error):
                    connection.run(text[1:])
                    raise AssertionError(f"{text[1:]} was expected to fail")
            else:
                connection.run(text)


def _files(server: Server) -> list[str]:
    return [row[0] for row in server.query("SHOW BINARY LOGS")]


def _log(server: LocalServer, file: str, scene: str) -> Log:
    return Log(file, scene, (server.data / file).read_bytes())
