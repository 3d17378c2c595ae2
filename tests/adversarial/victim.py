"""A command that is killed at a chosen statement: ``--show-sql`` tells each one before it is sent."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.runs import Shell

_MARK = "-- "


def statements_of(shell: Shell, *arguments: str) -> int:
    """How many statements a command sends when nothing stops it."""
    run = shell.run(*arguments, "--show-sql")
    return sum(line.startswith(_MARK) for line in run.stderr.splitlines())


def started(shell: Shell, *arguments: str) -> subprocess.Popen[str]:
    """A command that runs beside the test; its standard error can be read."""
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "replguard", *arguments],
        cwd=shell.folder,
        env=shell._environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_at(shell: Shell, statement: int, *arguments: str) -> bool:
    """Run a command and kill it with SIGKILL when it shows its n-th statement; False if it ended before."""
    process = started(shell, *arguments, "--show-sql")
    assert process.stderr is not None
    seen = 0
    for line in process.stderr:
        seen += line.startswith(_MARK)
        if seen == statement:
            process.kill()
            break
    process.stderr.close()
    process.wait()
    return seen == statement
