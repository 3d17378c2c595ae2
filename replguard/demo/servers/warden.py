"""The warden: a small process that outlives its parent just long enough to end what the parent started.

Run as a script by :mod:`replguard.demo.servers.keeping`, it needs nothing but the standard library. It reads orders
from standard input, one a line; at the end of input (the parent ended, however it ended) it ends the servers and
removes the folders it was told of. The kernel's own parent-death signal does not serve: it fires when the *thread* that
started the server ends, and is cleared when a process changes its user.

::

    watch PID SIGNAL      end this process, with this signal first
    forget PID
    folder PATH           remove this folder
    keep PATH             remove it no longer
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time

_PATIENCE = 5.0


def main() -> None:
    for unwanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(unwanted, signal.SIG_IGN)
    watched: dict[int, tuple[int, int]] = {}
    folders: list[str] = []
    for line in sys.stdin:
        order, _, rest = line.rstrip("\n").partition(" ")
        if order == "watch":
            _watch(watched, *map(int, rest.split()))
        elif order == "forget":
            _forget(watched, int(rest))
        elif order == "folder":
            folders.append(rest)
        elif order == "keep":
            folders.remove(rest)
    _end(watched)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _watch(watched: dict[int, tuple[int, int]], pid: int, first_signal: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        watched[pid] = (os.pidfd_open(pid), first_signal)


def _forget(watched: dict[int, tuple[int, int]], pid: int) -> None:
    if pid in watched:
        os.close(watched.pop(pid)[0])


def _end(watched: dict[int, tuple[int, int]]) -> None:
    for handle, first_signal in watched.values():
        _send(handle, first_signal)
    deadline = time.monotonic() + _PATIENCE
    while any(_send(handle, 0) for handle, _ in watched.values()):
        if time.monotonic() > deadline:
            for handle, _ in watched.values():
                _send(handle, signal.SIGKILL)
            return
        time.sleep(0.02)


def _send(handle: int, number: int) -> bool:
    """Send a signal through a pidfd, which cannot hit a later process of the same number; whether it still lives."""
    try:
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
