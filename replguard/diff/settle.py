"""Rows that differ while replication runs: drift, or a change on its way.

A difference is read again after the target has applied everything that the source had when it was seen. A row that is
then equal was in flight. A row whose two sides are both still what they were has had every chance to arrive: drift.
What changed again is read once more, until the time is up. What never holds still, or whose link does not get there, is
told as unsettled: never as drift, never as a pass.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from replguard.diff.result import Identity, TableResult
    from replguard.engines.pair import Pair
    from replguard.model.links import Link

    Compare = Callable[[ExitStack, Iterable[TableResult]], list[TableResult]]
    """Compares these tables again within fresh snapshots."""

_CHANGING = "it kept changing while it was read again"
PAUSE = 0.2
"""Seconds between two readings where no link tells when to read."""


@dataclass(slots=True)
class Settled:
    """One table after settling: what is drift, what was in flight (and explained at which position), what is open.

    ``unlisted`` counts differences beyond the list, of which single rows cannot be followed.
    """

    result: TableResult
    drift: list[Identity] = field(default_factory=list)
    unlisted: int = 0
    in_flight: dict[Identity, str] = field(default_factory=dict)
    unsettled: list[Identity] = field(default_factory=list)
    why: str = _CHANGING


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Up to which positions the targets have applied, and what stood in the way where they have not."""

    position: str
    obstacle: str | None


def settle(
    pair: Pair, links: tuple[Link, ...], results: list[TableResult], compare: Compare, seconds: float
) -> list[Settled]:
    """Read differing tables again until each difference is explained or the time is up."""
    deadline = time.monotonic() + seconds
    states = [Settled(result) for result in results]
    open_states = [state for state in states if state.result.total]
    rounds = 0
    while open_states and (rounds == 0 or time.monotonic() < deadline):
        rounds += 1
        arrival = _let_arrive(pair, links, deadline)
        with ExitStack() as stack:
            again = compare(stack, [state.result for state in open_states])
        for state, now in zip(open_states, again, strict=True):
            _advance(state, now, arrival)
        open_states = [state for state in open_states if state.unsettled]
    return states


def _advance(state: Settled, now: TableResult, arrival: _Arrival) -> None:
    """Judge the differences of the last reading by the present one."""
    before, state.result = state.result, now
    state.drift, state.unsettled, state.unlisted = [], [], 0
    if now.problem:
        return
    state.why = arrival.obstacle or _CHANGING
    for identity, difference in now.differences.items():
        unmoved = before.differences.get(identity) == difference and not arrival.obstacle
        (state.drift if unmoved else state.unsettled).append(identity)
        state.in_flight.pop(identity, None)
    whole = now.listed == now.total
    if whole:
        gone = [identity for identity in before.differences if identity not in now.differences]
        state.in_flight.update(dict.fromkeys(gone, arrival.position))
    else:
        state.unlisted = now.total - now.listed


def _let_arrive(pair: Pair, links: tuple[Link, ...], deadline: float) -> _Arrival:
    """Wait until each target has applied what its source has now, as long as there is time."""
    reached: list[str] = []
    obstacles: list[str] = []
    for link in links:
        source, target = pair.server(str(link.source)), pair.server(link.target)
        left = max(deadline - time.monotonic(), 1.0)
        try:
            position = source.replication.position()
            arrived = target.replication.wait_applied(link, source, position, left)
        except ServerError as error:
            obstacles.append(f"{link.label} does not move: {error.message}")
            continue
        if arrived:
            reached.append(position.text)
        else:
            obstacles.append(f"{link.label} did not reach {position} in time")
    if not links:
        time.sleep(PAUSE)
    return _Arrival(", ".join(reached), "; ".join(obstacles) or None)
