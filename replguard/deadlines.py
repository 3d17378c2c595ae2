"""An end to waiting for what may hang."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from replguard.errors import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def within(seconds: float, what: str, ask: Callable[[], T], remedy: str | None = None) -> T:
    """What ``ask`` gives, or raises. DeadlineError where that takes longer.

    What hangs cannot be stopped: it is left behind, and the end of the process does not wait for it.
    """
    answers: SimpleQueue[T | BaseException] = SimpleQueue()

    def answer() -> None:
        try:
            answers.put(ask())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            answers.put(error)

    Thread(target=answer, daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except Empty:
        raise DeadlineError(f"{what} took longer than {seconds:.0f} s", remedy=remedy) from None
    if isinstance(found, BaseException):
        raise found
    return found
