"""A file that another program reads at any time: it holds all of the old text or all of the new one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from replguard.errors import UsageError

_READABLE = 0o644


def check_writable(path: Path) -> None:
    """UsageError where no file can be written there: known before any work is done."""
    if path.is_dir() or not path.absolute().parent.is_dir() or not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        raise UsageError(f"{path} cannot be written", remedy="name a file in a folder that is there")


def write_whole(path: Path, text: str) -> None:
    """Write the file beside itself, then put it in its place. Everybody may read it. UsageError where it cannot be."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(_READABLE)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", remedy="name a folder that is there") from None
