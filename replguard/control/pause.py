"""Pause: every link between the clusters drained and stopped, verified on the servers, and written down.

How links are stopped stands in :mod:`replguard.control.stopping`, what is taken back where that fails in
:mod:`replguard.control.undo`. What the sources wrote beyond what was applied is the tail: config changes in it make the
pause fail, other tables do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from replguard.audit.links import between
from replguard.control import budget, durable, guard, receipt, retention, stopping, tail, undo
from replguard.errors import ReplguardError
from replguard.journal import Journal
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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
    """``timeout`` bounds the draining of all links together, in seconds; ``drain`` False does not wait at all.

    ``free_disk`` is by cluster how many bytes are free for its log, where the operator knows. ``still`` is called
    before each change, and raises where it must not be made any more.
    """

    timeout: float = 60.0
    drain: bool = True
    reason: str | None = None
    show: Callable[[str], None] = field(default=lambda _line: None)
    still: Callable[[], None] = field(default=lambda: None)
    free_disk: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, the links as they are now, and the receipt where there is one."""

    checks: tuple[Check, ...]
    links: tuple[Link, ...]
    receipt: dict[str, Any] | None = None
    acted: bool = False


@dataclass(frozen=True, slots=True)
class _Made:
    """The journal entries that this pause finishes, its own first, and what it leaves."""

    entries: tuple[Entry, ...]
    left: receipt.Left


def pause(pair: Pair, tables: TableMap, folder: Path, options: Options) -> Outcome:
    """Pause all links between the clusters. Calling it on what is paused is no error.

    What fails half-way is put back as it was, and told; a process that dies half-way leaves an open journal entry, and
    calling this again, or resume, brings the pair to the wanted state.
    """
    links = _links(pair)
    if not links:
        return Outcome((_nothing_to_pause(),), ())
    journal = Journal(folder, options.still)
    before = journal.unfinished(*SWITCHES)
    to_stop = tuple(link for link in links if link.state is not LinkState.paused)
    held = receipt.load(folder)
    if not to_stop and held and not before and _is_of(held, links):
        if options.free_disk:
            held = retention.name_room(pair, links, held, options.free_disk)
            receipt.store(folder, held)
        return _already(pair, tables, links, held)
    stopping.show(pair, to_stop, options)
    for line in (*durable.statements(pair, links), *guard.statements(pair, tables, links)):
        options.show(line)
    glance = [one.as_data() for one in retention.glance(pair, to_stop)]
    entry = journal.begin("pause", reason=options.reason, glance=glance)
    made = _Made((entry, *before), receipt.Left(held=durable.kept(held, before)))
    try:
        stopping.stop(pair, to_stop, entry, options)
        drained = {*entry.data.get("drained", ()), *_drained_before(links, to_stop, held, before)}
        return _written_down(pair, tables, folder, made, drained, options)
    except BaseException as error:
        problems = undo.put_back(pair, entry)
        if not isinstance(error, ReplguardError):
            raise
        return Outcome((_failed(error, problems),), _links(pair), acted=True)


def _links(pair: Pair) -> tuple[Link, ...]:
    return between(pair.links(), (pair.first.name, pair.second.name))


def _is_of(held: dict[str, Any], links: tuple[Link, ...]) -> bool:
    """Whether the receipt tells of these links as they stand."""
    named = {(entry["target"], entry["name"]) for entry in held["links"]}
    return named == {(link.target, link.name) for link in links} and not any(
        receipt.moved(link, held) for link in links
    )


def _drained_before(
    links: tuple[Link, ...], stopped: tuple[Link, ...], held: dict[str, Any] | None, before: tuple[Entry, ...]
) -> set[str]:
    """The links that stood already and had been drained: by a receipt that still tells of them, or by who died then."""
    stood = [link for link in links if link not in stopped]
    by_receipt = {link.label for link in stood if held and not receipt.moved(link, held)}
    died = {label for entry in before for label in entry.data.get("drained", ())}
    return (by_receipt & receipt.drained_links(held)) | (died & {link.label for link in stood})


def _already(pair: Pair, tables: TableMap, links: tuple[Link, ...], held: dict[str, Any]) -> Outcome:
    """What is paused stays so, and its receipt; the servers are asked all the same, and what waits is read."""
    findings = _standing(pair, links, receipt.drained_links(held))
    findings += [*tail.read(pair, tables, links), *durable.restarters(pair, links)]
    return Outcome((_check(links, findings, "already paused"),), links, held)


def _written_down(
    pair: Pair, tables: TableMap, folder: Path, made: _Made, drained: set[str], options: Options
) -> Outcome:
    """Ask the servers whether the links really stand, see that they stay so, read the tail, write the receipt."""
    links = _links(pair)
    if findings := _standing(pair, links, drained):
        return Outcome((_check(links, findings, "paused"),), links, acted=True)
    entry, left = made.entries[0], made.left
    findings = durable.hold(pair, links, entry, left.held)
    waiting = tail.read(pair, tables, links)
    left.tail.extend(tail.as_data(waiting))
    guarded = guard.make(pair, tables, links, entry, options.timeout)
    looks = retention.look(pair, links, guarded.guards)
    kept = retention.begin(entry.data.get("glance", ()), looks, options.free_disk)
    findings += [*guarded.findings, *budget.findings(retention.judged(looks, {"budget": kept}), Severity.info)]
    left = replace(left, guards=guarded.guards, memory=guarded.memory, budget=kept)
    written = receipt.Receipt.make(pair, links, reason=entry.data["reason"], drained=drained, left=left)
    receipt.store(folder, written)
    for one in made.entries:
        one.close("paused")
    findings += [*waiting, *durable.restarters(pair, links)]
    return Outcome((_check(links, findings, "paused"),), links, written.as_dict(), acted=True)


def _check(links: tuple[Link, ...], findings: list[Finding], words: str) -> Check:
    stands = not any(finding.code == "pause.not_verified" for finding in findings)
    return Check(
        "pause", f"{len(links)} link{'s' * (len(links) != 1)} {words if stands else 'not paused'}", tuple(findings)
    )


def _standing(pair: Pair, links: tuple[Link, ...], drained: set[str]) -> list[Finding]:
    """What the targets say that stands against calling the links paused."""
    return [finding for link in links for finding in _stands(pair, link, drained=link.label in drained)]


def _stands(pair: Pair, link: Link, *, drained: bool) -> list[Finding]:
    source = pair.server(str(link.source))
    wanted: Literal["paused", "stopped"] = "paused" if drained else "stopped"
    return [
        Finding(
            "pause.not_verified",
            Severity.fail,
            f"{link.label} is not paused: {problem}",
            cluster=link.target,
            link=link.label,
            remedy="run `replguard pause` again",
        )
        for problem in pair.server(link.target).replication.problems(link, wanted, source)
    ]


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
