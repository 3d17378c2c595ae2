"""Reads one link's stream on a thread of its own, so that neither it nor its server waits for a long comparison."""

from __future__ import annotations

import time
from threading import Condition, Thread
from typing import TYPE_CHECKING

from replguard.errors import ServerError, StreamError

if TYPE_CHECKING:
    from typing import Self

    from replguard.diff.moved import Moves
    from replguard.engines.base import ChangeStream
    from replguard.model.positions import Position

_POLL = 0.02
_PATIENCE = 10.0


class Follower:
    """A context manager: within it ``moves`` is told what the stream tells. The stream is left to who opened it."""

    def __init__(self, stream: ChangeStream, moves: Moves, label: str) -> None:
        self._stream = stream
        self._moves = moves
        self._label = label
        self._wanted: Position | None = None
        self._reached = False
        self._stop = False
        self._error: Exception | None = None
        self._changed = Condition()
        self._thread = Thread(target=self._run, name=f"replguard follower of {label}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        with self._changed:
            self._stop = True
        self._thread.join(_PATIENCE)

    @property
    def position(self) -> Position:
        """Everything up to here was read."""
        return self._stream.position

    def read_to(self, end: Position, seconds: float) -> bool:
        """Whether everything up to ``end`` was read within so many seconds.

        StreamError where it cannot be read on; any other error of the thread is a mistake here, and is raised too.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            self._wanted, self._reached = end, False
            done = self._changed.wait_for(lambda: self._reached or self._error is not None, deadline - time.monotonic())
            if self._error is not None:
                raise self._error
            if not done:
                return False
        return True

    def _run(self) -> None:
        try:
            while not self._stop:
                items = self._stream.poll(_POLL)
                with self._changed:
                    for item in items:
                        self._moves.take(item)
                    if not self._reached and self._wanted is not None and self._stream.passed(self._wanted):
                        self._reached = True
                        self._changed.notify_all()
        except ServerError as error:
            self._fail(error)
        except ValueError as error:
            self._fail(StreamError(f"what {self._label} carries cannot be followed: {error}"))
        except Exception as error:  # noqa: BLE001 - a thread's error is raised where it is waited for
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        with self._changed:
            self._error = error
            self._changed.notify_all()
