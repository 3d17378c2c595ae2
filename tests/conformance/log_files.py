"""Log files that real servers wrote, copied for a test: binlogs of blue, relay logs of green."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from replguard.demo.servers import NotOurs
from replguard.demo.servers.server import LocalServer

if TYPE_CHECKING:
    from replguard.demo.servers import Server
    from tests.servers.workspace import Workspace

STATUS = {"mariadb": "SHOW MASTER STATUS", "mysql": "SHOW BINARY LOG STATUS"}
STOP_APPLIER = {"mariadb": "STOP SLAVE SQL_THREAD", "mysql": "STOP REPLICA SQL_THREAD"}
START_APPLIER = {"mariadb": "START SLAVE SQL_THREAD", "mysql": "START REPLICA SQL_THREAD"}
FORMAT_ENDS = {"mariadb": 256, "mysql": 127}


def folder_of(server: Server) -> Path:
    if not isinstance(server, LocalServer):
        raise NotOurs(f"the files of {server.name} are not to be had")
    return server.data


class Logs:
    """What blue writes into its binlog from now on, and what green receives."""

    def __init__(self, db: Workspace, folder: Path) -> None:
        self.db = db
        self.folder = folder
        self.first = self.rotate()

    def rotate(self) -> str:
        """Begin a new file; its name."""
        self.db.run("blue", "FLUSH BINARY LOGS")
        return self.current

    @property
    def current(self) -> str:
        return str(self.db.query("blue", STATUS[self.db.engine])[0][0])

    def files(self, *, closed: bool = True) -> list[Path]:
        """Copies of the files from the first on; the last is finished, or one that is being written to."""
        end = self.rotate() if closed else None
        return copied(folder_of(self.db.pair.blue), self.folder, "binlog.", self.first, end)

    def received(self) -> list[Path]:
        """Copies of green's relay logs."""
        return copied(folder_of(self.db.pair.green), self.folder, "-relay-bin.")


def copied(source: Path, folder: Path, part: str, first: str = "", end: str | None = None) -> list[Path]:
    """Copies of the log files whose names hold ``part``, from ``first`` to before ``end``."""
    folder.mkdir(exist_ok=True)
    while True:
        names = sorted(path.name for path in source.iterdir() if part in path.name and path.suffix[1:].isdecimal())
        names = [name for name in names if name >= first and (end is None or name < end)]
        # A replica removes what it has applied, maybe just now: then there are others.
        with suppress(FileNotFoundError):
            return [Path(shutil.copy(source / name, folder / name)) for name in names]
