"""Has the target applied what its source has by now, and does it keep up?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.errors import ControlError
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from replguard.gates.base import Context
    from replguard.gates.base import Options as GateOptions
    from replguard.model.links import Link

SAMPLES = 3
"""So often the source's end is read and awaited: once reached may be luck."""
BETWEEN_SECONDS = 0.1


class CaughtUp(Gate):
    id = "replication.caught_up"
    title = "targets have applied what their sources had a moment ago"
    purpose = (
        "A lag of seconds is a guess by clocks, and says zero while nothing is received. That a position which was "
        "read just now is applied needs no clock."
    )
    reads = (
        f"the end of each source's stream, {SAMPLES} times one after the other, each awaited on the target for as "
        "long as `--until` allows"
    )
    remedy = (
        "wait until the load is less, or find out what the applier waits for: a lock, a long transaction, a slow disk"
    )
    limits = "What the source writes after the last look is not part of it: the pause drains that."
    codes = ("replication.behind",)

    def takes(self, options: GateOptions) -> float:
        return options.settle * SAMPLES

    def run(self, context: Context) -> Outcome:
        running = [link for link in context.links if link.state is LinkState.running]
        if not running:
            return Outcome((Check(self.id, "no link runs", applicable=False),))
        waited = [(link, _waited(context, link)) for link in running]
        findings = tuple(found for _, found in waited if isinstance(found, Finding))
        words = [f"{link.label} within {found:.1f} s" for link, found in waited if isinstance(found, float)]
        return Outcome((Check(self.id, ", ".join(words) or "not caught up", findings),))


def _waited(context: Context, link: Link) -> float | Finding:
    """The longest that a position had to be awaited, in seconds; a finding where it was not reached in time."""
    source, target = context.pair.server(str(link.source)), context.pair.server(link.target)
    longest = 0.0
    for number in range(SAMPLES):
        if number:
            time.sleep(BETWEEN_SECONDS)
        position = source.replication.position()
        began = time.monotonic()
        try:
            reached = target.replication.wait_applied(link, source, position, context.options.settle)
        except ControlError as error:
            return _behind(link, f"cannot get to {position}: {error.message}", error.remedy)
        if not reached:
            return _behind(link, f"has not applied {position} within {context.options.settle:.0f} s")
        longest = max(longest, time.monotonic() - began)
    return longest


def _behind(link: Link, words: str, remedy: str | None = None) -> Finding:
    return Finding(
        "replication.behind",
        Severity.fail,
        f"{link.target} {words}, which {link.source} had a moment ago",
        cluster=link.target,
        link=link.label,
        remedy=remedy
        or "wait until it has caught up, or find out what the applier waits for; --until gives it more time",
    )
