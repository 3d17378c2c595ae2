"""Waiting for a condition: asked again and again, with a deadline and a message that tells what did not come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def until(
    condition: Callable[[], bool], what: str, timeout: float = 20.0, detail: Callable[[], object] | None = None
) -> None:
    """Return as soon as ``condition`` holds. Raises TimeoutError that names ``what`` and, if given, the ``detail``."""
    deadline = time.monotonic() + timeout
    pause = 0.005
    while not condition():
        if time.monotonic() > deadline:
            more = f" ({detail()})" if detail else ""
            raise TimeoutError(f"waited {timeout:g} s for {what}{more}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
