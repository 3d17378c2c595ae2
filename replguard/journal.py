"""What was begun on a server and must be finished: written before the first act, closed after the last.

Each entry is a JSON file of its own, written whole or not at all (a new file, synced, then renamed), so that a kill at
any moment leaves either the state before a step or the state after it. The undo of an entry is data: a list of steps,
each written down before what it takes back is done, to be taken from the last to the first.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def folder_of(state_dir: Path, identities: Iterable[str]) -> Path:
    """The folder of a pair of servers, whatever a config calls them."""
    text = "\n".join(sorted(identities))
    return state_dir / "pairs" / hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file whole or not at all, readable by its owner alone; ControlError where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=1, default=str)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        directory = os.open(path.parent, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    except OSError as error:
        raise ControlError(
            f"{path} cannot be written: {error.strerror}",
            remedy="make the folder writable, or name another one with `state_dir:` in the config",
        ) from None


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of a file written by :func:`write_json`; None where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(content, dict) or not content:
        raise _damaged(path, "it does not hold what replguard wrote")
    return content


def _damaged(path: Path, why: str) -> ControlError:
    return ControlError(f"{path} cannot be read: {why}", remedy="look at it, and move it out of the way")


def by_whom() -> str:
    """User and host of whoever acts, for receipts and journals."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def _nothing() -> None:
    """Nothing stands against a step."""


@dataclass(slots=True)
class Entry:
    """One action that was begun. ``undo`` is what brings the servers back to how they were.

    ``still`` is called before each step is written down, and raises where it must not be taken any more.
    """

    path: Path
    data: dict[str, Any]
    still: Callable[[], None] = field(default=_nothing, repr=False)

    def note(self, step: str, undo: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Write down a step before it is taken, with what takes it back; ``facts`` become part of the entry."""
        self.still()
        self.data |= facts
        self.data["steps"].append({"at": _now(), "step": step})
        if undo is not None and undo not in self.data["undo"]:
            self.data["undo"].append(dict(undo))
        write_json(self.path, self.data)

    def close(self, outcome: str) -> None:
        """The action has ended, well or undone; the entry stays as history."""
        self.data |= {"closed_at": _now(), "outcome": outcome}
        write_json(self.path, self.data)


class Journal:
    """The journal of one pair of servers. ``still`` is that of the entries that are begun here."""

    def __init__(self, folder: Path, still: Callable[[], None] = _nothing) -> None:
        self.folder = folder / "journal"
        self._still = still

    def begin(self, action: str, undo: Iterable[Mapping[str, Any]] = (), **facts: Any) -> Entry:
        """Open an entry; it is on disk when this returns."""
        self._still()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        data = {
            "schema": "replguard.journal/1",
            "action": action,
            "begun_at": _now(),
            "by": by_whom(),
            **facts,
            "undo": [dict(step) for step in undo],
            "steps": [],
            "closed_at": None,
            "outcome": None,
        }
        entry = Entry(self.folder / f"{stamp}-{action}.json", data, self._still)
        write_json(entry.path, data)
        return entry

    def unfinished(self, *actions: str) -> tuple[Entry, ...]:
        """The entries that nobody closed: their process died half-way. All of them, or those of these actions."""
        found = [Entry(path, content, self._still) for path in self._paths() if (content := read_json(path))]
        return tuple(
            entry
            for entry in found
            if not entry.data.get("closed_at") and (not actions or entry.data.get("action") in actions)
        )

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
