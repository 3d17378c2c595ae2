"""Both sides' streams against policy and filters, for a while or up to their present ends.

For each link the stream that it carries is read at its source (``leak.sent``). Whether a forbidden change was applied
is read from the target's own stream where that shows replicated changes, else from its rows (``leak.applied``). Where
neither tells, that is unknown, unless the link's own stream was judged whole for the same window: what is not sent
cannot be applied. This is detection: a row that is seen may be applied already.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.errors import ReplguardError, ServerError
from replguard.model.changes import Change, TransactionEnd
from replguard.model.findings import Check, Coverage, Finding, Severity, StreamCoverage
from replguard.policy import TableClass
from replguard.watch import steady
from replguard.watch.gather import Gathered
from replguard.watch.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.audit.tables import TableMap
    from replguard.engines.base import ChangeStream, Since
    from replguard.engines.pair import Pair
    from replguard.model.changes import Trouble
    from replguard.model.links import Link

STEP = 0.2
"""Seconds a poll of one stream may wait before the next one has its turn."""


@dataclass(frozen=True, slots=True)
class Options:
    """``seconds`` is how long to watch; None: until what was there at the start is read.

    ``since`` is where to begin. ``on_event`` is called with every change or trouble and its findings.
    """

    seconds: float | None = None
    since: Since = "now"
    on_event: Callable[[str, Change | Trouble, tuple[Finding, ...]], None] = field(default=lambda *_: None)
    stopped: Callable[[], bool] = field(default=lambda: False)


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen."""

    checks: tuple[Check, ...]
    coverage: Coverage


@dataclass(slots=True)
class _Reading:
    """One open stream with the judge of its changes."""

    stream: ChangeStream
    judge: Judge
    cluster: str
    sent: bool
    foreign: frozenset[str] = frozenset()
    changes: int = 0
    troubled: bool = False

    def step(self, gathered: Gathered, on_event: Callable[[str, Change | Trouble, tuple[Finding, ...]], None]) -> None:
        for event in self.stream.poll(STEP):
            if isinstance(event, TransactionEnd):
                continue
            if isinstance(event, Change):
                self.changes += 1
                found = self.judge.sent(event) if self.sent else self.judge.applied(event, self.foreign)
            else:
                self.troubled = True
                found = (self.judge.trouble(event, self.cluster),)
            for finding in found:
                gathered.add(finding)
            on_event(self.cluster, event, found)

    def coverage(self) -> StreamCoverage:
        return StreamCoverage(
            self.cluster,
            self.judge.link.label,
            f"{self.stream.kind} ({'sent' if self.sent else 'applied'})",
            self.stream.start.text,
            self.stream.position.text,
            self.changes,
            self.stream.cannot_see,
        )


def watch(pair: Pair, tables: TableMap, links: tuple[Link, ...], options: Options) -> Watched:
    """Watch the links between the two clusters. What cannot be watched is an unknown finding, never silence."""
    sent, applied = Gathered(), Gathered()
    problems: list[Finding] = []
    with ExitStack() as stack:
        readings: list[_Reading] = []
        for link in links:
            readings += _open(stack, pair, tables, link, options.since, problems)
        _read(readings, options, sent, applied, problems)
        judged = {reading.judge.link: reading.judge.filters for reading in readings if reading.sent}
        problems += steady.changes(pair, tables, links, judged)
        whole = {reading.judge.link for reading in readings if reading.sent and not reading.troubled and not problems}
        coverage = tuple(reading.coverage() for reading in readings)
    for link in links:
        for finding in _rows(pair, tables, link, judged_whole=link in whole):
            applied.add(finding)
    if not links:
        problems.append(_no_link())
    checks = (
        _check("watch.sent", [*problems, *sent.findings()], coverage),
        _check("watch.applied", [*applied.findings()], coverage),
    )
    return Watched(checks, Coverage(streams=coverage))


def _check(check_id: str, findings: list[Finding], coverage: tuple[StreamCoverage, ...]) -> Check:
    kind = "sent" if check_id == "watch.sent" else "applied"
    read = sum(item.changes for item in coverage if kind in item.kind)
    leaks = sum(finding.code.startswith("leak.") for finding in findings)
    what = f"{leaks} leak{'s' * (leaks != 1)} seen" if leaks else "no leak seen"
    return Check(check_id, f"{what} in {read} change{'s' * (read != 1)}", tuple(findings))


def _open(
    stack: ExitStack, pair: Pair, tables: TableMap, link: Link, since: Since, problems: list[Finding]
) -> list[_Reading]:
    source, target = pair.server(str(link.source)), pair.server(link.target)
    readings: list[_Reading] = []
    try:
        judge = Judge(tables, link, target.filters.of(link, source))
        stream = stack.enter_context(source.streams.sent(link, target, since))
        readings.append(_Reading(stream, judge, source.name, sent=True))
        if target.capabilities.shows_applied:
            own = stack.enter_context(target.streams.own(since))
            foreign = (source.identity.past | source.identity.origins) - target.identity.origins
            readings.append(_Reading(own, judge, target.name, sent=False, foreign=foreign))
    except ServerError as error:
        problems.append(_unreadable(link, error))
    return readings


def _read(
    readings: list[_Reading], options: Options, sent: Gathered, applied: Gathered, problems: list[Finding]
) -> None:
    """Poll all streams in turn until the time is up, or each has reached the end it had at the start."""
    until = None if options.seconds is None else time.monotonic() + options.seconds
    open_readings = list(readings)
    while open_readings and not options.stopped():
        for reading in tuple(open_readings):
            try:
                reading.step(sent if reading.sent else applied, options.on_event)
            except ServerError as error:
                reading.troubled = True
                problems.append(_unreadable(reading.judge.link, error))
                open_readings.remove(reading)
                continue
            if until is None and reading.stream.caught_up:
                open_readings.remove(reading)
        if (
            until is not None
            and time.monotonic() >= until
            and all(reading.stream.caught_up for reading in open_readings)
        ):
            return
    problems += [_cut_short(reading) for reading in open_readings if not reading.stream.caught_up]


def _cut_short(reading: _Reading) -> Finding:
    """Stopped by hand before what was there at the start had been read: nobody knows what the rest holds."""
    link = reading.judge.link
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"the stream of {reading.cluster} was left at {reading.stream.position}, before what was there had been read",
        cluster=reading.cluster,
        link=link.label,
        remedy="let it read to the end, or begin later",
    )


def _rows(pair: Pair, tables: TableMap, link: Link, *, judged_whole: bool) -> list[Finding]:
    """Whether the target's rows tell of a leak, where its own stream cannot."""
    source, target = pair.server(str(link.source)), pair.server(link.target)
    if target.capabilities.shows_applied:
        return []
    forbidden = [
        table.sides[target.name] for table in tables.of(TableClass.must_not_sync) if target.name in table.sides
    ]
    try:
        found = target.streams.applied_rows(link, source, forbidden)
    except ServerError as error:
        return [_not_observed(link, error, judged_whole=judged_whole)]
    return [
        Finding(
            "leak.applied",
            Severity.fail if rows.certain else Severity.unknown,
            f"{rows.count} row{'s' * (rows.count != 1)} of {rows.table}, which must not sync, "
            f"stand{'s' * (rows.count == 1)} on {target.name} and came "
            + (f"over {link.label}" if rows.certain else "by replication, over a link that is not remembered"),
            cluster=target.name,
            link=link.label,
            schema=rows.table.schema,
            table=rows.table.name,
            remedy=f"close the leak with `replguard filter audit`, then remove these rows from {target.name}",
            evidence={"rows": rows.count, "origin": rows.origin, "first_at": rows.first_at, "last_at": rows.last_at},
        )
        for rows in found
        if rows.count
    ]


def _not_observed(link: Link, error: ReplguardError, *, judged_whole: bool) -> Finding:
    """Not to see what was applied is no gap where everything that was sent has been judged."""
    return Finding(
        "leak.applied",
        Severity.info if judged_whole else Severity.unknown,
        f"what {link.target} applied cannot be observed ({error.message})"
        + ("; everything that was sent in this window was judged" if judged_whole else ""),
        cluster=link.target,
        link=link.label,
        remedy=error.remedy,
    )


def _unreadable(link: Link, error: ReplguardError) -> Finding:
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"{link.label} cannot be watched: {error.message}",
        cluster=link.source,
        link=link.label,
        remedy=error.remedy,
    )


def _no_link() -> Finding:
    return Finding(
        "link.missing",
        Severity.unknown,
        "there is no link between the clusters, so nothing was watched",
        remedy="set up replication, or write `links: none` where the application itself synchronises",
    )
