"""Links drained and stopped in the order that loses nothing.

For all links first: the source's position is read, and the target applies up to it while it still receives. Then link
by link the receiver stops, what was fetched is applied, and the applier stops. Each step is in the journal before it is
taken, with what takes it back.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.control.undo import starting
from replguard.errors import ControlError, DeadlineError
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.control.pause import Options
    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.links import Link

LEAST_SECONDS = 1.0
"""What a wait is given where the time is nearly up: it has begun, and most often ends at once."""


def show(pair: Pair, links: Iterable[Link], options: Options) -> None:
    """Tell what will run before anything does."""
    for link in links:
        for line in pair.server(link.target).replication.statements(link, "pause"):
            options.show(f"{link.target}: {line}")


def stop(pair: Pair, links: tuple[Link, ...], entry: Entry, options: Options) -> None:
    """Drain all links first, so that none stands longer than it must, then stop them one by one.

    Raises DeadlineError where that takes longer than it may, ControlError where a link cannot be drained.
    """
    deadline = time.monotonic() + options.timeout
    if options.drain:
        for link in links:
            _make_whole(pair, link, entry)
        for link in links:
            _reach(pair, link, entry, deadline)
    for link in links:
        _stop(pair, link, entry, deadline, drain=options.drain)
    if options.drain:
        entry.note("all links were drained", drained=[link.label for link in links])


def _make_whole(pair: Pair, link: Link, entry: Entry) -> None:
    """Start a link that stands half-way without an error, as a killed pause leaves it: only a whole one drains."""
    if link.state is LinkState.broken and not link.errors:
        entry.note(f"start {link.label} again: it stood half-way")
        pair.server(link.target).replication.start(link)


def _reach(pair: Pair, link: Link, entry: Entry, deadline: float) -> None:
    source, target = pair.server(str(link.source)), pair.server(link.target)
    if link.state is LinkState.broken and link.errors:
        raise ControlError(
            f"{link.label} is broken and cannot be drained: {'; '.join(link.errors)}",
            remedy="mend the link first, or pause it as it is with --immediate",
        )
    position = source.replication.position()
    entry.note(f"wait until {link.label} has applied {position}")
    if not target.replication.wait_applied(link, source, position, max(deadline - time.monotonic(), 0.1)):
        raise DeadlineError(
            f"{link.label} did not reach {position} in time",
            remedy="give it more time with --timeout, or find what slows the link",
        )


def _stop(pair: Pair, link: Link, entry: Entry, deadline: float, *, drain: bool) -> None:
    def left() -> float:
        return max(deadline - time.monotonic(), LEAST_SECONDS)

    replication = pair.server(link.target).replication
    entry.note(f"stop the receiver of {link.label}", starting(link))
    replication.stop_receiver(link, left())
    if drain and not replication.drain(link, left()):
        raise DeadlineError(
            f"{link.label} did not apply in time what it had received",
            remedy="give it more time with --timeout, or find what slows the applier",
        )
    entry.note(f"stop the applier of {link.label}")
    replication.stop_applier(link, left())
