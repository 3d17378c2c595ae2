"""Whole commands, timed: how long one takes from its start to its end, and how much memory it and its children hold."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MB = 1 << 20
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``memory`` is the peak of all resident pages in MB, those that processes share counted for each."""

    seconds: float
    memory: float
    status: int
    output: str
    errors: str


def run(command: Sequence[str], folder: Path, variables: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end."""
    with TemporaryFile() as output, TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**_compiled(), **(variables or {})}, stdout=output, stderr=errors
        )
        watch = _Memory(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = max(watch.end(), usage.ru_maxrss / 1024)
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return Run(seconds, peak, process.returncode, *texts)


def best(rounds: int, measure: Callable[[], Run]) -> Run:
    """The quickest of some runs, with the most memory of any: other work on the machine only ever makes one slower."""
    runs = [measure() for _ in range(rounds)]
    quickest = min(runs, key=lambda one: one.seconds)
    return Run(quickest.seconds, max(one.memory for one in runs), quickest.status, quickest.output, quickest.errors)


class _Memory:
    """Looks at a process and its children now and then."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0.0
        self._over = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> float:
        self._over.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self._peak = max(self._peak, sum(map(_resident, _family(self._pid))) / _MB)


def _family(pid: int) -> list[int]:
    """The process and all below it that live now."""
    try:
        lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [pid, *(one for text in lists for child in text.split() for one in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _compiled() -> dict[str, str]:
    """The environment of an installed program, whose modules are compiled once and not at every start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
