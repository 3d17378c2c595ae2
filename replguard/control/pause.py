"""Pause: every link between the clusters drained and stopped, verified on the servers, and written down.

The order loses nothing: the source's position is read, the target applies up to it while it still receives, then the
receiver stops, what was fetched is applied, and the applier stops. What the source wrote after that position and before
the receiver stopped is the tail; config changes in it make the pause fail, other tables do not matter.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.audit.links import between
from replguard.control import receipt
from replguard.diff import pending
from replguard.errors import ControlError, DeadlineError, ReplguardError, ServerError
from replguard.journal import Journal
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from replguard.audit.tables import TableMap
    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.links import Link

SWITCHES = ("pause", "resume", "stop on leak")
"""The actions that a verified pause or resume finishes, whoever began them."""


@dataclass(frozen=True, slots=True)
class Options:
    """``timeout`` bounds the draining of all links together, in seconds; ``drain`` False does not wait at all."""

    timeout: float = 60.0
    drain: bool = True
    reason: str | None = None
    show: Callable[[str], None] = field(default=lambda _line: None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, the links as they are now, and the receipt where there is one."""

    checks: tuple[Check, ...]
    links: tuple[Link, ...]
    receipt: dict[str, Any] | None = None
    acted: bool = False


def pause(pair: Pair, tables: TableMap, folder: Path, options: Options) -> Outcome:
    """Pause all links between the clusters. Calling it on what is paused is no error.

    What fails half-way is put back as it was, and told; a process that dies half-way leaves an open journal entry, and
    calling this again, or resume, brings the pair to the wanted state.
    """
    clusters = (pair.first.name, pair.second.name)
    links = between(pair.links(), clusters)
    if not links:
        return Outcome((_nothing_to_pause(),), ())
    journal = Journal(folder)
    to_stop = tuple(link for link in links if link.state is not LinkState.paused)
    if to_stop:
        _show(pair, to_stop, options)
        entry = journal.begin("pause", [_undo(link) for link in to_stop], reason=options.reason or "")
        try:
            _stop(pair, to_stop, entry, options)
        except BaseException as error:
            problems = _put_back(pair, to_stop, entry)
            if not isinstance(error, ReplguardError):
                raise
            return Outcome((_failed(error, problems),), between(pair.links(), clusters), acted=True)
    return _verified(pair, tables, folder, options, acted=bool(to_stop))


def _verified(pair: Pair, tables: TableMap, folder: Path, options: Options, *, acted: bool) -> Outcome:
    """Ask the servers whether the links really stand, read the tail, write the receipt, close the journal."""
    links = between(pair.links(), (pair.first.name, pair.second.name))
    findings = [finding for link in links for finding in _standing(pair, link)]
    stopped = not findings
    for link in links:
        findings += _tail(pair, tables, link)
    held = receipt.load(folder)
    if stopped and (acted or held is None):
        made = receipt.Receipt.make(pair, links, drained=options.drain and acted, reason=options.reason)
        receipt.store(folder, made)
        held = made.as_dict()
    if stopped:
        for entry in Journal(folder).unfinished(*SWITCHES):
            entry.close("paused")
    words = "paused" if acted else "already paused"
    findings += [_restarts(link) for link in links if not pair.server(link.target).capabilities.pause_survives_restart]
    summary = f"{len(links)} link{'s' * (len(links) != 1)} {words if stopped else 'not paused'}"
    return Outcome((Check("pause", summary, tuple(findings)),), links, held, acted)


def _show(pair: Pair, links: tuple[Link, ...], options: Options) -> None:
    for link in links:
        for line in pair.server(link.target).replication.statements(link, "pause"):
            options.show(f"{link.target}: {line}")


def _stop(pair: Pair, links: tuple[Link, ...], entry: Entry, options: Options) -> None:
    """Drain all links first, so that none stands longer than it must, then stop them one by one."""
    deadline = time.monotonic() + options.timeout
    if options.drain:
        for link in links:
            _make_whole(pair, link, entry)
        for link in links:
            _drain(pair, link, deadline)
    for link in links:
        replication = pair.server(link.target).replication
        entry.note(f"stop the receiver of {link.label}")
        replication.stop_receiver(link)
        if options.drain and not replication.drain(link, max(deadline - time.monotonic(), 1.0)):
            raise DeadlineError(
                f"{link.label} did not apply what it had received within {options.timeout:.0f} s",
                remedy="give it more time with --timeout, or find what slows the applier",
            )
        entry.note(f"stop the applier of {link.label}")
        replication.stop_applier(link)


def _make_whole(pair: Pair, link: Link, entry: Entry) -> None:
    """Start a link that stands half-way without an error, as a killed pause leaves it: only a whole one drains."""
    if link.state is LinkState.broken and not link.errors:
        entry.note(f"start {link.label} again: it stood half-way")
        pair.server(link.target).replication.start(link)


def _drain(pair: Pair, link: Link, deadline: float) -> None:
    source, target = pair.server(str(link.source)), pair.server(link.target)
    if link.state is LinkState.broken and link.errors:
        raise ControlError(
            f"{link.label} is broken and cannot be drained: {'; '.join(link.errors)}",
            remedy="mend the link first, or pause it as it is with --immediate",
        )
    position = source.replication.position()
    if not target.replication.wait_applied(link, source, position, max(deadline - time.monotonic(), 0.1)):
        raise DeadlineError(
            f"{link.label} did not reach {position} in time",
            remedy="give it more time with --timeout, or find what slows the link",
        )


def _put_back(pair: Pair, links: tuple[Link, ...], entry: Entry) -> list[str]:
    """Start again what was stopped; returns what could not be."""
    problems: list[str] = []
    for link in reversed(links):
        try:
            entry.note(f"undo: start {link.label}")
            pair.server(link.target).replication.start(link)
        except ReplguardError as error:
            if not _runs(pair, link):
                problems.append(f"{link.label} could not be started again: {error.message}")
    if not problems:
        entry.close("undone")
    return problems


def _runs(pair: Pair, link: Link) -> bool:
    """Whether the link runs all the same: what may not be stopped may not be started either, and never stood."""
    try:
        return not pair.server(link.target).replication.problems(link, "running", pair.server(str(link.source)))
    except ReplguardError:
        return False


def _undo(link: Link) -> dict[str, str]:
    return {"cluster": link.target, "link": link.name, "action": "start"}


def _standing(pair: Pair, link: Link) -> list[Finding]:
    """What the target says that stands against calling the link paused."""
    source = pair.server(str(link.source))
    return [
        Finding(
            "pause.not_verified",
            Severity.fail,
            f"{link.label} is not paused: {problem}",
            cluster=link.target,
            link=link.label,
            remedy="run `replguard pause` again",
        )
        for problem in pair.server(link.target).replication.problems(link, "paused", source)
    ]


def _restarts(link: Link) -> Finding:
    """What would start the link again behind everybody's back."""
    return Finding(
        "pause.fragile",
        Severity.info,
        f"a restart of {link.target} starts {link.label} again, unless the server skips that",
        cluster=link.target,
        link=link.label,
        remedy=f"do not restart {link.target} meanwhile, or set skip_replica_start (skip_slave_start) there",
    )


def _tail(pair: Pair, tables: TableMap, link: Link) -> list[Finding]:
    """Config changes that were written before the link stood and have not arrived, and forbidden ones that would."""
    try:
        found = pending.waiting(pair, tables, link)
    except ServerError as error:
        return [
            Finding(
                "pause.tail_unknown",
                Severity.unknown,
                f"what {link.target} has not applied of {link.source} could not be read: {error.message}",
                cluster=link.source,
                link=link.label,
                remedy=error.remedy,
            )
        ]
    return [pending.as_failure(finding) for finding in found]


def _failed(error: ReplguardError, problems: list[str]) -> Check:
    """The pause that was given up; a link that stayed stopped is told, never left to be found."""
    findings = [
        Finding("pause.given_up", Severity.unknown, error.message, remedy=error.remedy),
        *(
            Finding("link.paused", Severity.fail, problem, remedy="run `replguard resume`, then `replguard status`")
            for problem in problems
        ),
    ]
    back = "not everything is as it was" if problems else "everything is as it was"
    return Check("pause", f"not paused; {back}", tuple(findings))


def _nothing_to_pause() -> Check:
    return Check(
        "pause",
        "there is no link to pause",
        (
            Finding(
                "link.missing",
                Severity.unknown,
                "there is no link between the clusters that could be paused",
                remedy="look at `replguard status`; a link whose source is unknown is not touched",
            ),
        ),
    )
