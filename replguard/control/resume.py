"""Resume: every paused link between the clusters started again, and seen to carry data."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.audit.links import between
from replguard.control import guard, receipt
from replguard.control.pause import SWITCHES, Options, Outcome
from replguard.errors import ServerError
from replguard.journal import Journal
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.engines.pair import Pair
    from replguard.model.links import Link

POLL = 0.2


def resume(pair: Pair, folder: Path, options: Options) -> Outcome:
    """Start all links between the clusters that do not run. Calling it on what runs is no error."""
    clusters = (pair.first.name, pair.second.name)
    links = between(pair.links(), clusters)
    if not links:
        return Outcome((_nothing_to_resume(),), ())
    to_start = tuple(link for link in links if link.state is not LinkState.running)
    journal = Journal(folder, options.still)
    for link in to_start:
        for line in pair.server(link.target).replication.statements(link, "resume"):
            options.show(f"{link.target}: {line}")
    if to_start:
        undo = [{"cluster": link.target, "link": link.name, "action": "stop"} for link in to_start]
        entry = journal.begin("resume", undo)
        for link in to_start:
            entry.note(f"start {link.label}")
            pair.server(link.target).replication.start(link)
    deadline = time.monotonic() + options.timeout
    findings = [finding for link in links for finding in _running(pair, link, deadline)]
    left: list[Finding] = []
    if not findings:
        left = guard.drop(pair, receipt.load(folder), entry.note if to_start else lambda _step: None)
        receipt.retire(folder)
        for entry in journal.unfinished(*SWITCHES):
            entry.close("resumed")
    words = "resumed" if to_start else "already running"
    summary = f"{len(links)} link{'s' * (len(links) != 1)} {words if not findings else 'not running'}"
    return Outcome(
        (Check("resume", summary, (*findings, *left)),), between(pair.links(), clusters), acted=bool(to_start)
    )


def _running(pair: Pair, link: Link, deadline: float) -> list[Finding]:
    """Whether the link runs and the target reaches what its source has now: data flows."""
    source, target = pair.server(str(link.source)), pair.server(link.target)
    problems: tuple[str, ...] = ("it was not looked at",)
    severity = Severity.fail
    while True:
        try:
            problems = target.replication.problems(link, "running", source)
            if not problems:
                left = max(deadline - time.monotonic(), 1.0)
                position = source.replication.position()
                if target.replication.wait_applied(link, source, position, left):
                    return []
                problems, severity = (f"it runs, and did not reach {position} in time",), Severity.unknown
        except ServerError as error:
            problems = (error.message,)
        if time.monotonic() >= deadline:
            break
        time.sleep(POLL)
    return [
        Finding(
            "resume.not_verified",
            severity,
            f"{link.label} does not carry data: {problem}",
            cluster=link.target,
            link=link.label,
            remedy="mend what the server reports, then run `replguard resume` again",
        )
        for problem in problems
    ]


def _nothing_to_resume() -> Check:
    return Check(
        "resume",
        "there is no link to resume",
        (
            Finding(
                "link.missing",
                Severity.unknown,
                "there is no link between the clusters that could be resumed",
                remedy="look at `replguard status`; a link whose source is unknown is not touched",
            ),
        ),
    )
