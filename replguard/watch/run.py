"""Both sides' streams against policy and filters, for a while or up to their present ends.

For each link the stream that it carries is read at its source (``leak.sent``). Whether a forbidden change was applied
is read from the target's own stream where that shows replicated changes, else from its rows (``leak.applied``). Where
neither tells, that is unknown, unless the link's own stream was judged whole for the same window: what is not sent
cannot be applied. Catalog and filters are held against the policy at the start and as they change
(``leak.configured``). This is detection: a row that is seen may be applied already.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.errors import ServerError, Unsupported
from replguard.model.findings import Check, Coverage, Finding, Severity
from replguard.watch import checks, observed, steady
from replguard.watch.checks import APPLIED, FREEZE, SENT
from replguard.watch.freeze import Freezer
from replguard.watch.gather import Gathered
from replguard.watch.known import Known
from replguard.watch.opening import readings_of
from replguard.watch.options import Options
from replguard.watch.progress import Looker
from replguard.watch.recovery import Recovery, unreadable

if TYPE_CHECKING:
    from replguard.audit.tables import TableMap
    from replguard.engines.base import Since
    from replguard.engines.pair import Pair
    from replguard.model.findings import StreamCoverage
    from replguard.model.links import Link
    from replguard.watch.readings import Reading, Told

__all__ = ["Options", "Watched", "watch"]

STEP = 0.2
"""Seconds for which a round of polling waits when nothing comes."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen."""

    checks: tuple[Check, ...]
    coverage: Coverage


def watch(pair: Pair, tables: TableMap, links: tuple[Link, ...], options: Options) -> Watched:
    """Watch the links between the two clusters. What cannot be watched is an unknown finding, never silence."""
    with ExitStack() as stack:
        if options.checkpoint:
            stack.enter_context(options.checkpoint.held())
        run = _Run(pair, tables, links, options)
        stack.callback(run.close)
        run.open()
        run.read()
        return run.result()


class _Run:
    """One watch while it runs. ``active`` are the readings that are still read."""

    def __init__(self, pair: Pair, tables: TableMap, links: tuple[Link, ...], options: Options) -> None:
        self.pair = pair
        self.links = links
        self.options = options
        self.known = Known(pair, tables, links)
        self.judged = {rules.link: rules.filters for rules in self.known.rules.values()}
        self.recovery = Recovery(pair, options.patience, options.say)
        self.found = {check: Gathered() for check in (SENT, APPLIED, FREEZE)}
        self.problems = [unreadable(link.label, link.source, error) for link, error in self.known.unread.items()]
        self.looker = Looker(options.on_progress)
        freezer = Freezer(self.known, options.today) if options.freeze else None
        self.readings = readings_of(self.known, options, freezer)
        self.active: list[Reading] = []
        self.stopped_links: set[str] = set()
        self.returned: dict[str | None, Finding] = {}

    def open(self) -> None:
        """Open all streams; one that cannot be opened is told, and the others are read."""
        if self.options.audit:
            self.known.audit()
        if self.options.checkpoint:
            for check, finding in self.options.checkpoint.findings():
                self.found[check].add(finding)
        for reading in tuple(self.readings):
            try:
                reading.open(self._beginning(reading))
            except ServerError as error:
                self._unopened(reading, error)
            else:
                self.active.append(reading)

    def _beginning(self, reading: Reading) -> Since:
        """Where the stream stood at the last checkpoint, else where the options say."""
        checkpoint, since = self.options.checkpoint, self.options.since
        if checkpoint and checkpoint.before is not None:
            text = checkpoint.position_of(reading)
            if text is not None:
                return self.pair.server(reading.cluster).streams.parse(text)
            self.problems.append(_not_in(checkpoint.path.stem, reading))
        return since if isinstance(since, str) else since.get(reading.cluster, "now")

    def _unopened(self, reading: Reading, error: ServerError) -> None:
        """For a freeze, what a cluster's links carry stands in for its own stream where that cannot be read."""
        if isinstance(error, Unsupported) and [*reading.judgements] == [FREEZE]:
            self.readings.remove(reading)
            instead = [one for one in self.readings if one.kind == "sent" and one.cluster == reading.cluster]
            for one in instead:
                one.judgements |= reading.judgements
                one.blind += (f"config tables of {reading.cluster} that the link does not carry: {error.message}",)
            if not instead:
                self.found[FREEZE].add(unreadable(reading.cluster, reading.cluster, error))
            return
        reading.troubled = True
        self.problems.append(unreadable(reading.label or reading.cluster, reading.cluster, error))

    def read(self) -> None:
        """Poll all streams in turn until the time is up, or each has reached the end it had at the start."""
        seconds = self.options.seconds
        until = None if seconds is None else time.monotonic() + seconds
        wait = 0.0
        while self.active and not self.options.stopped():
            moved = [self._step(reading, wait) for reading in tuple(self.active)]
            wait = 0.0 if any(moved) else STEP / max(len(self.active), 1)
            if self.known.due():
                self._looked_again()
            if self.options.checkpoint:
                self.options.checkpoint.write(self.readings, self._unreported)
            self.looker.look(self.readings)
            if until is None or self.options.until:
                self.active = [one for one in self.active if not self._is_done(one)]
            elif time.monotonic() >= until and all(one.stream and one.stream.caught_up for one in self.active):
                return
        self.problems += [_cut_short(one) for one in self.active if not (one.stream and one.stream.caught_up)]

    def _is_done(self, reading: Reading) -> bool:
        """Whether a stream that is not read to a time is at the end that it had, or at the one that was asked for."""
        if self.options.seconds is None or (self.options.until and reading.until is None):
            return bool(reading.stream and reading.stream.caught_up)
        return False

    def _step(self, reading: Reading, wait: float) -> bool:
        """One poll of one stream, or one try to open it again; whether anything came."""
        if reading.stream is None:
            if not self.recovery.retry(reading):
                self._give_up(reading)
            elif reading.stream is None:
                time.sleep(wait)
            return False
        before = reading.stream.tally.events
        told = 0
        try:
            for one in reading.poll(wait):
                told += 1
                self._tell(one)
            if reading.over:
                self.active.remove(reading)
        except ServerError as error:
            if not self.recovery.lost(reading, error):
                self._give_up(reading)
            return False
        return bool(told) or reading.stream.tally.events != before

    def _give_up(self, reading: Reading) -> None:
        reading.troubled = True
        lost = self.recovery.given_up(reading)
        self.problems.append(lost)
        self.options.say(f"{lost.severity.value} {lost.code}: {lost.message}")
        self.active.remove(reading)

    def _tell(self, told: Told) -> None:
        for check, finding in told.findings:
            if not finding.evidence.get("suspected"):
                self.found[check].add(finding)
            self.looker.count(finding)
        self.options.on_told(told)
        for _, finding in told.findings:
            self._break(finding)

    def _break(self, finding: Finding) -> None:
        """Stop the link of a leak that is certain, once."""
        leaks = finding.code in ("leak.sent", "leak.applied") and finding.severity is Severity.fail
        if not leaks or self.options.breaker is None:
            return
        for rules in self.known.rules.values():
            if rules.link.label == finding.link and finding.link not in self.stopped_links:
                self.stopped_links.add(rules.link.label)
                self.found[SENT].extend(self.options.breaker(rules.link, finding))

    def _looked_again(self) -> None:
        """Catalog and filters were read again: what leaks by them is told, and other streams are opened if need be."""
        self._look_at_pauses()
        before = set(self.known.audited)
        if self.options.audit:
            self.known.audit()
        for kind, finding in self.known.audited.items():
            if kind not in before:
                self.looker.count(finding)
                self.options.say(f"{finding.severity.value} {finding.code}: {finding.message}")
        for reading in tuple(self.active):
            if reading.stream is not None and self.known.is_outdated(reading):
                self._open_again(reading)

    def _look_at_pauses(self) -> None:
        """Links that came back by themselves, each told once."""
        for finding in self.options.returned():
            if finding.link not in self.returned:
                self.returned[finding.link] = finding
                self.looker.count(finding)
                self.options.say(f"{finding.severity.value} {finding.code}: {finding.message}")

    def _open_again(self, reading: Reading) -> None:
        """Go on with another stream from the same position, because what must be read is not what it was."""
        what = f"what {reading.name} has to be read for changed while it was watched"
        self.problems.append(steady.not_judged(what, reading.link))
        reading.close()
        try:
            reading.open(reading.position or "now")
        except ServerError as error:
            if not self.recovery.lost(reading, error):
                self._give_up(reading)

    def _unreported(self) -> list[tuple[str, Finding]]:
        return [(check, finding) for check, gathered in self.found.items() for finding in gathered.findings()]

    def close(self) -> None:
        for reading in self.readings:
            reading.close()

    def result(self) -> Watched:
        """Look once more at what no stream shows, and say what was found."""
        if self.known.look(catalog=True):
            self._looked_again()
        for reading in self.readings:
            for check, finding in reading.still_pending():
                self.found[check].add(finding)
        self.looker.look(self.readings, last=True)
        problems = [*self.problems, *steady.changes(self.pair, self.known.tables, self.links, self.judged)]
        self.close()
        coverage = tuple(reading.coverage() for reading in self.readings)
        sound = {one.label for one in self.readings if one.kind == "sent" and not one.troubled and not problems}
        for link in self.links:
            if not self.pair.server(link.target).capabilities.shows_applied:
                seen = observed.rows(self.pair, self.known.tables, link, judged_whole=link.label in sound)
                self.found[APPLIED].extend(seen)
        if not self.links:
            problems.append(_no_link())
        problems += [*self.recovery.reopened(), *_restricted(self.readings), *_too_late(self.readings)]
        return Watched(self._checks(problems, coverage), Coverage(streams=coverage))

    def _checks(self, problems: list[Finding], coverage: tuple[StreamCoverage, ...]) -> tuple[Check, ...]:
        found = {check: gathered.findings() for check, gathered in self.found.items()}
        done = [
            checks.check(SENT, [*problems, *found[SENT]], coverage),
            checks.check(APPLIED, found[APPLIED], coverage),
        ]
        if self.options.audit and self.links:
            done.insert(0, checks.configured(self.known.audited.values()))
        if self.returned:
            done.append(checks.paused(self.returned.values()))
        if self.options.freeze:
            done.append(checks.check(FREEZE, found[FREEZE], coverage))
        if self.options.checkpoint:
            self.options.checkpoint.write(self.readings, list, now=True)
        return tuple(done)


def _cut_short(reading: Reading) -> Finding:
    """Stopped by hand before what was there at the start had been read: nobody knows what the rest holds."""
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"the stream of {reading.cluster} was left at {reading.position}, before what was there had been read",
        cluster=reading.cluster,
        link=reading.label,
        remedy="let it read to the end, or begin later",
    )


def _not_in(name: str, reading: Reading) -> Finding:
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"the checkpoint {name!r} does not know {reading.name}: what that stream held before is not judged",
        cluster=reading.cluster,
        link=reading.label,
        remedy="watch that stream from an earlier position with --since, without the checkpoint",
    )


def _restricted(readings: list[Reading]) -> list[Finding]:
    """A watch that looked at some servers only says how much it passed over."""
    return [
        Finding(
            "stream.restricted",
            Severity.unknown if reading.left_out else Severity.info,
            f"{reading.name}: {reading.left_out} change{'s' * (reading.left_out != 1)} of other servers or domains "
            "were not judged",
            cluster=reading.cluster,
            link=reading.label,
            remedy="watch without --server-id and --gtid-domain to judge the whole stream",
            evidence={"left_out": reading.left_out, "restriction": list(reading.window.left_out())},
        )
        for reading in readings
        if reading.window.restricted
    ]


def _too_late(readings: list[Reading]) -> list[Finding]:
    """Streams of which nobody knows whether they hold all since the time that was asked for."""
    return [
        Finding(
            "stream.gap",
            Severity.unknown,
            f"{reading.name} may not reach back to {reading.window.begins.isoformat()}: what is still there begins at "
            f"{reading.start}",
            cluster=reading.cluster,
            link=reading.label,
            remedy="begin later, or with --since start and judge what is there",
        )
        for reading in readings
        if reading.window.begins is not None and not reading.reaches_back
    ]


def _no_link() -> Finding:
    return Finding(
        "link.missing",
        Severity.unknown,
        "there is no link between the clusters, so nothing was watched",
        remedy="set up replication, or write `links: none` where the application itself synchronises",
    )
