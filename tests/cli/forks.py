"""Commands in processes of their own, forked from one that has imported replguard already.

Each run has its own process, environment, folder and standard streams, as a user's has, and ends as Python ends; only
the third of a second in which Python starts and imports is not spent again. What is about starting itself (help, the
installed program, signals) runs without this.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
_LOADED = (  # noqa: SIM905
    "replguard.api replguard.cli.comparing replguard.cli.diff replguard.cli.filter_ replguard.cli.gate "
    "replguard.cli.init replguard.cli.pause replguard.cli.policy replguard.cli.resume replguard.cli.scan "
    "replguard.cli.status replguard.cli.watch replguard.engines.mariadb.server replguard.engines.mysql.server "
    "replguard.engines.postgresql.server replguard.report.text replguard.report.document"
).split()
_LENGTH = struct.Struct("!Q")


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Exit code (negative for a signal), standard output and standard error of ``replguard ARGUMENTS``.

    Raises subprocess.TimeoutExpired after ``timeout`` seconds, the process being killed.
    """
    request = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
    pipes = [os.pipe() for _ in range(3)]
    _nursery().ask(json.dumps(request).encode(), [writing for _, writing in pipes])
    for _, writing in pipes:
        os.close(writing)
    stdout, stderr, told = _read([reading for reading, _ in pipes], timeout)
    return int(told.split()[1]), stdout.decode(), stderr.decode()


def _read(pipes: list[int], timeout: float) -> list[bytes]:
    """Everything that comes out of these pipes, which are closed then. The last one tells the process first."""
    found = dict.fromkeys(pipes, b"")
    waiting, deadline = set(pipes), time.monotonic() + timeout
    try:
        while waiting:
            ready, _, _ = select.select(list(waiting), [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                os.kill(int(found[pipes[-1]].split()[0]), signal.SIGKILL)
                raise subprocess.TimeoutExpired("replguard", timeout)
            for pipe in ready:
                part = os.read(pipe, 1 << 16)
                found[pipe] += part
                if not part:
                    waiting.discard(pipe)
    finally:
        for pipe in pipes:
            os.close(pipe)
    return list(found.values())


class _Nursery:
    """The process that has imported everything. It ends with this one."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair()
        self._one_at_a_time = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.forks", str(theirs.fileno())],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def ask(self, request: bytes, outputs: list[int]) -> None:
        with self._one_at_a_time:
            socket.send_fds(self._line, [_LENGTH.pack(len(request))], outputs)
            self._line.sendall(request)


@lru_cache(maxsize=1)
def _nursery() -> _Nursery:
    return _Nursery()


def _serve(line: socket.socket) -> bool:
    """Fork once a request, until nobody is there to ask. True in a process that is to run a command."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who wait for the commands
    while True:
        length, outputs, _, _ = socket.recv_fds(line, _LENGTH.size, 3)
        if not length:
            return False
        request = b""
        while missing := _LENGTH.unpack(length)[0] - len(request):
            request += line.recv(missing)
        if os.fork() == 0:
            line.close()
            return _run(json.loads(request), outputs)
        for output in outputs:
            os.close(output)


def _run(request: dict[str, object], outputs: list[int]) -> bool:
    """Fork the command, tell its number, and how it ended. True in the command's own process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    stdout, stderr, told = outputs
    if child:
        os.close(stdout)
        os.close(stderr)
        os.write(told, f"{child} ".encode())
        _, status = os.waitpid(child, 0)
        os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
        return False
    os.close(told)
    for output, number in ((stdout, 1), (stderr, 2)):
        os.dup2(output, number)
        os.close(output)
    os.chdir(str(request["folder"]))
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    sys.argv = ["replguard", *request["arguments"]]  # type: ignore[misc]
    return True


if __name__ == "__main__":
    import importlib

    from replguard.__main__ import main

    for module in _LOADED:
        importlib.import_module(module)
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        main()
