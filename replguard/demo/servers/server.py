"""A database server that this process started: begun, stopped, killed and restarted with the same port and data.

What is particular to an engine (how a data folder is made, which options a server gets) stands in the subclasses. A
server never outlives this process unless it is detached: see :mod:`replguard.demo.servers.keeping`.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

from replguard.demo.servers.access import Access, Connection
from replguard.demo.servers.keeping import keeper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from replguard.demo.servers.found import Installation

START_PATIENCE = 60.0
STOP_PATIENCE = 30.0
HOST = "127.0.0.1"
_PORTS = range(21000, 32000)  # below the ports that the kernel hands out, so that a restart finds its port free


class StartError(RuntimeError):
    """A server did not come up; the text carries the end of its log."""


class NotOurs(RuntimeError):  # noqa: N818 - it says what is the case
    """A server that was given by its address, or runs in a container, cannot be stopped from here."""


class Server:
    """A server of a pair, wherever it runs: ``admin`` may everything, ``user`` is the one that replguard uses.

    ``peer_host`` and ``peer_port`` are how the other server of a pair reaches it.
    """

    def __init__(self, name: str, admin: Access, user: Access, version: str) -> None:
        self.name = name
        self.admin = admin
        self.user = user
        self.version = version
        self.peer_host = admin.host
        self.peer_port = admin.port

    @property
    def engine(self) -> str:
        return self.admin.engine

    @property
    def port(self) -> int:
        return self.admin.port

    def url(self, database: str = "", user: str | None = None) -> str:
        """A URL for replguard's user, or for the admin where ``user`` names it."""
        return (self.admin if user == self.admin.user else self.user).url(database)

    def run(self, *statements: str, database: str = "") -> None:
        """Run statements as admin; a text may hold several."""
        self.admin.run(*statements, database=database)

    def query(self, text: str, database: str = "") -> list[tuple[Any, ...]]:
        return self.admin.query(text, database)

    def connect(self, database: str = "") -> AbstractContextManager[Connection]:
        return self.admin.connect(database)

    def stop(self) -> None:
        """Shut down in good order. This and the next three raise NotOurs where the server is not a process of ours."""
        raise NotOurs(f"{self.name} is not a process of ours")

    def kill(self) -> None:
        """End at once, as a crash does."""
        self.stop()

    def start(self) -> None:
        """Start again with the same port and data, and wait until it takes connections. Raises StartError."""
        self.stop()

    def restart(self) -> None:
        """Stop if it runs, and start."""
        self.stop()
        self.start()


class LocalServer(Server):
    """A server process of ours. ``options`` are further command-line options (MySQL) or ``name=value`` (PostgreSQL)."""

    admin_user = "root"
    stop_signal = signal.SIGTERM
    discard_signal = signal.SIGKILL
    """Ends a server whose data is thrown away; leaves nothing outside its folder."""
    transient: tuple[str, ...] = ()
    """Log lines after which a start is tried again on the same port."""

    def __init__(
        self,
        installation: Installation,
        name: str,
        number: int,
        folder: Path,
        password: str,
        options: Sequence[str] = (),
    ) -> None:
        self.installation = installation
        self.number = number
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.password = password
        self.options = tuple(options)
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(name, *self._accesses(installation.engine, free_port()), version=installation.version)

    def _accesses(self, engine: str, port: int) -> tuple[Access, Access]:
        admin = Access(engine, HOST, port, self.admin_user, self.password)
        return admin, Access(engine, HOST, port, "replguard", self.password)

    # What an engine adds.

    def prepare(self) -> None:
        """Make the data folder."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def bootstrap(self) -> None:
        """Set the admin's password on a server that has just been started for the first time."""

    def probe(self) -> Access:
        """The access by which a start is awaited."""
        return self.admin

    def process_options(self) -> dict[str, Any]:
        """Further arguments of Popen."""
        return {}

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.installation.environment}

    # What is the same for all.

    @property
    def socket(self) -> Path:
        """The Unix socket; its folder's path is short, as sockets demand."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._process.pid

    def create(self) -> None:
        """Make the data folder, start for the first time, set the admin's password."""
        self.folder.mkdir(parents=True)
        self.prepare()
        for attempt in (1, 2, 3):
            try:
                self._start(self.first_probe())
                break
            except StartError as error:
                if "in use" not in str(error).lower() or attempt == 3:
                    raise
                self.admin, self.user = self._accesses(self.engine, free_port())
                self.peer_port = self.admin.port
        self.bootstrap()

    def first_probe(self) -> Access:
        return self.probe()

    def start(self) -> None:
        self._start(self.probe())

    def _start(self, probe: Access) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while True:
            written = self.log.stat().st_size if self.log.exists() else 0
            self._launch()
            if self._await_connections(probe, deadline):
                return
            said = self._said(written)
            if time.monotonic() > deadline or not any(text in said for text in self.transient):
                self._end(signal.SIGKILL)
                raise StartError(f"{self.engine} {self.version} ({self.name}) did not start:\n{said[-2000:]}")
            time.sleep(0.1)

    def _launch(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,
                env=self.environment(),
                **self.process_options(),
            )
        keeper.watch(self._process.pid, self.discard_signal)

    def _await_connections(self, probe: Access, deadline: float) -> bool:
        while self.running and time.monotonic() < deadline:
            if _listens(self.socket):  # asked first, as PyMySQL leaves a socket open that was refused
                with contextlib.suppress(Exception), probe.connect():
                    return True
            time.sleep(0.02)
        return False

    def _said(self, since: int) -> str:
        with self.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def stop(self) -> None:
        self._end(self.stop_signal)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def discard(self) -> None:
        """End the server and remove its data."""
        self._end(self.discard_signal)
        shutil.rmtree(self.folder, ignore_errors=True)

    def detach(self) -> int | None:
        """Let the server live on after this process; its pid, ``None`` if it does not run."""
        if self._process is None or not self.running:
            return None
        pid = self._process.pid
        keeper.forget(pid)
        self._process.returncode = 0  # nobody waits for it any more, and Popen need not complain
        self._process = None
        return pid

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        keeper.forget(process.pid)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    for port in random.sample(_PORTS, 200):  # no secret hangs on it
        with socket.socket() as candidate:
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port was found")
