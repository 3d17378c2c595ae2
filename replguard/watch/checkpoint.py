"""How far a watch has read, kept on disk, so that the next one goes on from there.

Positions are commit boundaries: what a killed watch had read of a transaction is read again. What it had found and not
reported yet is kept too, and stands in the report of the watch that goes on.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.errors import ControlError, UsageError
from replguard.journal import read_json, write_json
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from replguard.watch.readings import Reading

SCHEMA = "replguard.checkpoint/1"
EVERY = 1.0
"""Seconds between two writings."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True)
class Checkpoint:
    """One checkpoint file. ``before`` is what it held when the watch began."""

    path: Path
    before: Mapping[str, Any] | None = None
    _written_at: float = field(default=0.0)
    _last: object = None

    @classmethod
    def named(cls, folder: Path, name: str) -> Checkpoint:
        """The checkpoint of this name of a pair; UsageError for what is no name."""
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"--checkpoint {name!r} is no name", remedy="use letters, digits, dots, dashes and underscores"
            )
        return cls(folder / "checkpoints" / f"{name}.json")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep others from using it meanwhile, and read it. ControlError where somebody does, or it is damaged."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise ControlError(
                    f"another watch uses the checkpoint {self.path.stem!r}",
                    remedy="end that one first, or give this one a name of its own with --checkpoint",
                ) from None
            self.before = read_json(self.path)
            yield
        finally:
            os.close(handle)

    def position_of(self, reading: Reading) -> str | None:
        """Where the stream stood; None where the checkpoint does not know it."""
        found = (self.before or {}).get("streams", {}).get(reading.name)
        return str(found["position"]) if found else None

    def findings(self) -> list[tuple[str, Finding]]:
        """What was found before and has never been reported, by check."""
        return [
            (str(item["check"]), Finding(**{**item["finding"], "severity": Severity(item["finding"]["severity"])}))
            for item in (self.before or {}).get("unreported", ())
        ]

    def write(
        self, readings: Iterable[Reading], findings: Callable[[], list[tuple[str, Finding]]], *, now: bool = False
    ) -> None:
        """Write it, at most every second unless ``now``. Everything up to these positions must have been told."""
        if not now and time.monotonic() - self._written_at < EVERY:
            return
        streams = {
            reading.name: {"position": reading.position.text, "cluster": reading.cluster}
            for reading in readings
            if reading.position is not None
        }
        unreported = [{"check": check, "finding": _plain(finding)} for check, finding in findings()]
        self._written_at = time.monotonic()
        if (streams, unreported) == self._last and not now:
            return
        self._last = (streams, unreported)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        write_json(self.path, {"schema": SCHEMA, "written_at": at, "streams": streams, "unreported": unreported})


def _plain(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in Finding.__dataclass_fields__}
