"""The test's side of :mod:`tests.adversarial.boundary`: commands are held and let go statement by statement."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.runs import ROOT, Run, _document

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from tests.cli.runs import Shell

PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Statement:
    """One that is about to be sent: on which cluster, what its file is called, after which note in the journal."""

    number: int
    cluster: str
    name: str
    step: str
    text: str
    pid: int


class Tool:
    """Runs commands in forks of one process. A context manager."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self._folder = Path(tempfile.mkdtemp(prefix="held-", dir="/tmp"))
        self._socket = self._folder / "s"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._socket))
        self._listener.listen(1)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.adversarial.boundary"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()
        self._listener.close()
        for path in self._folder.iterdir():
            path.unlink()
        self._folder.rmdir()

    def run(self, *arguments: str, decide: Callable[[Statement], str] | None = None) -> Run:
        """Run one command with ``--format json``; ``decide`` is asked before each statement and says the word.

        A command that was killed has a negative code and no document.
        """
        assert self._process.stdin
        out, err = self._folder / "out", self._folder / "err"
        given = (*arguments, "--format", "json")
        order = {
            "arguments": given,
            "folder": str(self.shell.folder),
            "environment": self.shell._environment(),
            "out": str(out),
            "err": str(err),
            "socket": str(self._socket) if decide else None,
        }
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        code = self._attend(decide)
        run = Run(given, code, out.read_text(), err.read_text())
        return run if code < 0 else Run(given, code, run.stdout, run.stderr, _document(run))

    def _attend(self, decide: Callable[[Statement], str] | None) -> int:
        assert self._process.stdout
        pid, deadline = int(self._line(PATIENCE) or -1), time.monotonic() + PATIENCE
        line: socket.socket | None = None
        told, number = b"", 0
        answers = self._process.stdout.fileno()
        try:
            while time.monotonic() < deadline:
                waited = [answers] + ([line] if line else [self._listener] if decide else [])
                ready, _, _ = select.select(waited, [], [], 1.0)
                if line is None and self._listener in ready:
                    line, _ = self._listener.accept()
                elif line is not None and line in ready:
                    data = line.recv(1 << 20)
                    told += data
                    while b"\n" in told and decide:
                        one, _, told = told.partition(b"\n")
                        number += 1
                        word = decide(Statement(number=number, pid=pid, **json.loads(one)))
                        line.sendall(word.encode() + b"\n")
                    if data:
                        continue
                    line.close()
                    line, decide = None, None
                elif answers in ready:
                    return int(self._line(1.0) or -1)
        except (BrokenPipeError, ConnectionResetError):
            return int(self._line(PATIENCE) or -1)
        finally:
            if line:
                line.close()
        raise TimeoutError(f"the command did not end within {PATIENCE:g} s")

    def _line(self, timeout: float) -> bytes:
        """The next line of the process that forks."""
        assert self._process.stdout
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._process.stdout], [], [], left)[0]:
                raise TimeoutError("the forking process does not answer")
            data = os.read(self._process.stdout.fileno(), 4096)
            if not data:
                raise RuntimeError("the forking process has ended")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line
