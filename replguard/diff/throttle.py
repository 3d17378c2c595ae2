"""Waiting while the servers have enough to do: replicas that lag, many statements that run.

The servers are looked at from time to time between statements. While one of them is over a limit nothing more is asked
of it; what waits longer than a deadline is given up, and what was not compared by then says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.errors import DeadlineError
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.pair import Pair

MOST_LAG = 60.0
"""Seconds that a link may lag behind."""
MOST_RUNNING = 64
"""Statements that may run on a server, those of others."""
PATIENCE = 300.0
LOOK_EVERY = 2.0
_WAIT = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """When to wait: ``lag`` in seconds of a running link, ``running`` statements on either server; None does not look.
    ``patience`` is how many seconds may be waited in one go.
    """

    lag: float | None = MOST_LAG
    running: int | None = MOST_RUNNING
    patience: float = PATIENCE


@dataclass(slots=True)
class Throttle:
    """Called between statements; returns when the servers are below the limits.

    ``waited`` counts seconds. Raises DeadlineError when patience is at its end. Lag that a server does not know is no
    reason to wait: whether links are well is told elsewhere.
    """

    pair: Pair
    limits: Limits
    say: Callable[[str], None] = field(default=lambda _line: None)
    waited: float = 0.0
    _next: float = field(default_factory=lambda: time.monotonic() + LOOK_EVERY)

    def __call__(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        deadline = now + self.limits.patience
        said = False
        while reasons := [*self._reasons()]:
            if not said:
                self.say(f"waiting: {'; '.join(reasons)}")
                said = True
            if time.monotonic() >= deadline:
                raise DeadlineError(
                    f"the servers stayed busy for {self.limits.patience:.0f} s: {'; '.join(reasons)}",
                    remedy="compare at a quieter time, or allow more with --max-lag and --max-running",
                )
            time.sleep(_WAIT)
        self._next = time.monotonic() + LOOK_EVERY
        self.waited += time.monotonic() - now if said else 0.0

    def _reasons(self) -> Iterator[str]:
        limits = self.limits
        if limits.running is not None:
            for server in self.pair:
                running = server.running()
                if running is not None and running > limits.running:
                    yield f"{running} statements run on {server.name}, more than {limits.running}"
        if limits.lag is not None:
            for link in self.pair.links():
                lag = link.lag_seconds
                if link.state is LinkState.running and lag is not None and lag > limits.lag:
                    yield f"{link.label} lags {lag:.0f} s behind, more than {limits.lag:.0f} s"
