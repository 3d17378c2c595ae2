"""Rows that differ, where no stream tells what moved: read again over time.

A difference is read again after the targets of all links have applied everything that their sources had when it was
seen. A row that is then equal was in flight. A row whose two sides are both still what they were has had every chance
to arrive: drift. What changed again is read once more, until the time is up. What never holds still, or whose link does
not get there, is told as unsettled: never as drift, never as a pass. A change that was lost while others were on their
way is not noticed here, which is why such a comparison is called *unaligned*.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.diff.settled import Explanation, Settled

if TYPE_CHECKING:
    from replguard.diff.result import TableResult
    from replguard.diff.settled import Reader
    from replguard.diff.window import Views, Window

_CHANGING = "it kept changing while it was read again"
PAUSE = 0.2
"""Seconds between two readings where no link tells when to read."""


def settle(window: Window, views: Views, results: list[TableResult], reader: Reader, deadline: float) -> list[Settled]:
    """Compare differing tables again until each difference is explained or the time is up; at least once.

    ``views`` are those in which ``results`` were found.
    """
    states = [Settled(result) for result in results]
    open_states = [state for state in states if state.result.total]
    first = True
    while open_states and (first or time.monotonic() < deadline):
        first = False
        if not views.marks:
            time.sleep(PAUSE)
        with window.views(max(deadline - time.monotonic(), 1.0)) as later:
            again = reader.again(later.of, [state.result for state in open_states])
        for state, now in zip(open_states, again, strict=True):
            _advance(state, now, later)
        open_states = [state for state in open_states if state.unsettled]
    return states


def _advance(state: Settled, now: TableResult, views: Views) -> None:
    """Judge the differences of the last reading by the present one."""
    before, state.result = state.result, now
    state.drift, state.unsettled, state.unlisted = [], {}, 0
    if now.problem:
        return
    for identity, difference in now.differences.items():
        if before.differences.get(identity) == difference and not views.obstacle:
            state.drift.append(identity)
        else:
            state.unsettled[identity] = views.obstacle or _CHANGING
        state.in_flight.pop(identity, None)
    if now.listed == now.total:
        gone = [identity for identity in before.differences if identity not in now.differences]
        state.in_flight.update(dict.fromkeys(gone, Explanation(views.reached)))
    else:
        state.unlisted = now.total - now.listed
