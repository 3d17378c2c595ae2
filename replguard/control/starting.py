"""Links started, and seen to carry data: the target reaches what its source has now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.control.undo import reach
from replguard.errors import ServerError
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from replguard.engines.pair import Pair
    from replguard.model.links import Link

POLL = 0.2
LEAST_SECONDS = 1.0
"""What the wait for a link is given where the time is up."""
VERIFIED = "resume.verified"
NOT_VERIFIED = "resume.not_verified"


def show(pair: Pair, links: Iterable[Link], say: Callable[[str], None]) -> None:
    """Tell what will run before anything does."""
    for link in links:
        for line in pair.server(link.target).replication.statements(link, "resume"):
            say(f"{link.target}: {line}")


def start(pair: Pair, links: Iterable[Link], note: Callable[[str], None]) -> list[Finding]:
    """Start them one by one, each noted before. One that cannot be started is told, and the others are started."""
    found = []
    for link in links:
        note(f"start {link.label}")
        try:
            pair.server(link.target).replication.start(link)
        except ServerError as error:
            found.append(_not_carrying(link, error.message, Severity.fail, error.remedy))
    return found


def verify(pair: Pair, links: Iterable[Link], seconds: float) -> list[Finding]:
    """One finding for each link: that it carries data, and what was seen of that; or what stands against it."""
    deadline = time.monotonic() + seconds
    return [finding for link in links for finding in _verified(pair, link, deadline)]


def _verified(pair: Pair, link: Link, deadline: float) -> list[Finding]:
    while True:
        source, target = pair.server(str(link.source)), pair.server(link.target)
        try:
            problems = target.replication.problems(link, "running", source)
            severity = Severity.fail
            if not problems:
                position = source.replication.position()
                left = max(deadline - time.monotonic(), LEAST_SECONDS)
                if target.replication.wait_applied(link, source, position, left):
                    return [_carries(link, position.text)]
                problems, severity = (f"it runs, and did not reach {position} in time",), Severity.unknown
        except ServerError as error:
            problems, severity = (error.message,), Severity.fail
        if time.monotonic() >= deadline:
            return [_not_carrying(link, problem, severity) for problem in problems]
        reach(pair)
        time.sleep(POLL)


def _carries(link: Link, position: str) -> Finding:
    """Where nothing waited, all that is shown is that the link stands at the source's end and is connected."""
    before = link.applied.text if link.applied else None
    moved = before != position
    words = f"has applied {position}" if moved else f"stood at {position}, its source's end, and is connected"
    evidence = {"before": before, "reached": position, "moved": moved}
    return Finding(
        VERIFIED, Severity.info, f"{link.label} {words}", cluster=link.target, link=link.label, evidence=evidence
    )


def _not_carrying(link: Link, problem: str, severity: Severity, remedy: str | None = None) -> Finding:
    return Finding(
        NOT_VERIFIED,
        severity,
        f"{link.label} does not carry data: {problem}",
        cluster=link.target,
        link=link.label,
        remedy=remedy or "mend what the server reports, then run `replguard resume` again",
    )
