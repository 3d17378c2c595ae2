"""MariaDB and MySQL servers of the demo and the tests: their data folders and options."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

from replguard.demo.servers.access import Access, literal, script
from replguard.demo.servers.keeping import keeper
from replguard.demo.servers.server import HOST, LocalServer, StartError

if TYPE_CHECKING:
    from pathlib import Path

_template_lock = threading.Lock()


class FamilyServer(LocalServer):
    """What both have in common."""

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    def probe(self) -> Access:
        return Access(self.engine, HOST, self.port, "root", self.password, str(self.socket))

    def first_probe(self) -> Access:
        return Access(self.engine, HOST, self.port, "root", "", str(self.socket))

    def bootstrap(self) -> None:
        self.first_probe().run(*script(self.engine, "admin", self.version, password=literal(self.password)))

    def prepare(self) -> None:
        """Copy the data folder that was initialised once a run."""
        template = keeper.folder() / f"template-{self.engine}-{self.version}"
        with _template_lock:
            if not template.is_dir():
                self._make_template(template)
        shutil.copytree(template, self.data)

    def _make_template(self, template: Path) -> None:
        half = template.with_name(f"{template.name}.part")
        done = subprocess.run(
            self.initialise(half),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment(),
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-2000:]
            raise StartError(f"{self.engine} {self.version} could not make a data folder:\n{said}")
        (half / "auto.cnf").unlink(missing_ok=True)  # holds the server's identity, which must not be shared
        half.rename(template)

    def initialise(self, folder: Path) -> list[str]:
        """The command that makes a data folder."""
        raise NotImplementedError

    def program(self) -> list[str]:
        """The server program, with where its files are if it was unpacked instead of installed."""
        root = self.installation.root
        words = [*self.installation.loader, str(self.installation.server), "--no-defaults"]
        if self.installation.origin == "cache":
            share = root / "share" / self.engine
            words += [f"--basedir={root}", f"--lc-messages-dir={share}", f"--character-sets-dir={share / 'charsets'}"]
        return [*words, "--user=root"] if os.geteuid() == 0 else words

    def command(self) -> list[str]:
        """Small, fast, and without a promise that data survives the machine."""
        return [
            *self.program(),
            f"--datadir={self.data}",
            f"--tmpdir={self.folder}",
            f"--socket={self.socket}",
            f"--pid-file={self.folder / 'pid'}",
            f"--port={self.port}",
            f"--bind-address={HOST}",
            f"--server-id={self.number}",
            f"--report-host={HOST}",
            f"--report-port={self.port}",
            "--log-bin=binlog",
            "--binlog-checksum=CRC32",
            "--sync-binlog=0",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-buffer-pool-size=64M",
            "--character-set-server=utf8mb4",
            "--skip-name-resolve",
            "--secure-file-priv=",
            *self.particular(),
            *self.options,
        ]

    def particular(self) -> list[str]:
        """Options that only this engine has."""
        raise NotImplementedError


class MariaDBServer(FamilyServer):
    transient = ("Unable to lock ./ibdata1", "Resource temporarily unavailable")

    def initialise(self, folder: Path) -> list[str]:
        root = self.installation.root
        who = ["--user=root"] if os.geteuid() == 0 else []
        return [
            str(root / "bin" / "mariadb-install-db"),
            "--no-defaults",
            *who,
            f"--basedir={root}",
            f"--datadir={folder}",
            # Several that begin at once would meet in the shared one.
            f"--tmpdir={folder.parent}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
            "--innodb-log-file-size=16M",
        ]

    def particular(self) -> list[str]:
        return [
            f"--gtid-domain-id={self.number}",
            "--binlog-format=ROW",
            "--log-slave-updates=ON",
            "--slave-net-timeout=10",
            "--innodb-log-file-size=16M",
            "--aria-log-file-size=8M",
        ]


class MySQLServer(FamilyServer):
    transient = ("Unable to lock ./ibdata1",)

    def program(self) -> list[str]:
        """Without option files, and yet with the settings that were persisted: --no-defaults would pass over both."""
        return ["--defaults-file=/dev/null" if word == "--no-defaults" else word for word in super().program()]

    def initialise(self, folder: Path) -> list[str]:
        return [*self.program(), "--initialize-insecure", f"--datadir={folder}", *self._small()]

    def particular(self) -> list[str]:
        return [
            "--gtid-mode=ON",
            "--enforce-gtid-consistency=ON",
            "--log-replica-updates=ON",
            "--replica-net-timeout=10",
            "--mysqlx=OFF",
            *self._small(),
        ]

    @staticmethod
    def _small() -> list[str]:
        return ["--innodb-redo-log-capacity=32M", "--innodb-buffer-pool-size=64M", "--table-open-cache=400"]
