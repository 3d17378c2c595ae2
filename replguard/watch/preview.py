"""What waits in the links: every forbidden and every config change that a resume would apply. Nothing is moved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.errors import ServerError
from replguard.model.changes import Interest
from replguard.model.findings import Check, Coverage, Finding, Severity
from replguard.policy import TableClass
from replguard.watch import checks
from replguard.watch.judge import evidence_of, key_text, what
from replguard.watch.known import Known
from replguard.watch.readings import Reading
from replguard.watch.recovery import unreadable
from replguard.watch.run import STEP, Watched
from replguard.watch.wanted import Appetite, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.audit.tables import TableMap
    from replguard.engines.base import ChangeStream, Since
    from replguard.engines.pair import Pair
    from replguard.model.changes import Change
    from replguard.model.links import Link
    from replguard.model.tables import TableName
    from replguard.watch.options import Options

LISTED = 1000
"""Changes of one table that are listed one by one; the rest is counted."""


def preview(pair: Pair, tables: TableMap, links: tuple[Link, ...], options: Options) -> Watched:
    """Read the backlog of each link up to its present end."""
    known = Known(pair, tables, links, waits=True)
    listed = _Listed()
    for link, error in known.unread.items():
        listed.add(unreadable(link.label, link.source, error))
    readings = [_reading(known, rules.link, options) for rules in known.rules.values()]
    for reading in readings:
        try:
            _read(reading, listed, options)
        except ServerError as error:
            listed.add(unreadable(reading.name.removeprefix("pending "), reading.cluster, error))
        for _, finding in reading.still_pending():
            listed.add(finding)
        reading.close()
    coverage = tuple(reading.coverage() for reading in readings)
    if not links:
        listed.add(_no_link())
    found = listed.findings()
    waits = sum(finding.code in ("leak.sent", "change.pending") for finding in found)
    read = sum(item.changes for item in coverage)
    summary = f"{waits or 'no'} forbidden or config change{'s' * (waits != 1)} among {read} that wait"
    return Watched((Check(checks.PENDING, summary, found),), Coverage(streams=coverage))


def _reading(known: Known, link: Link, options: Options) -> Reading:
    source, target = known.pair.server(str(link.source)), known.pair.server(link.target)
    appetite = Appetite(Interest.keyed, rows=options.appetite.rows, every=True)

    def opened(_since: Since) -> ChangeStream:
        return source.streams.pending(link, target, wanted(known, source.name, link, appetite))

    def judged(change: Change) -> tuple[Finding, ...]:
        return (*known.judge(link).sent(change), *_config(known, link, change))

    reading = Reading("pending", source.name, link, opened, {checks.PENDING: judged}, window=options.window)
    reading.before_notice = known.notice
    return reading


def _read(reading: Reading, listed: _Listed, options: Options) -> None:
    reading.open("start")
    while reading.stream and not options.stopped():
        for told in reading.poll(STEP):
            options.on_told(told)
            for _, finding in told.findings:
                if not finding.evidence.get("suspected"):
                    listed.add(finding)
        if reading.stream.caught_up:
            return
    listed.add(_cut_short(reading))


def _config(known: Known, link: Link, change: Change) -> Iterator[Finding]:
    """A change of a config table that waits."""
    source = str(link.source)
    names = [name for written in change.tables for name in known.tables.meant(source, written)]
    filters = known.rules[link.label].filters
    landing = known.tables.landing(link.target, filters, change.tables)
    config = [name for name in landing if _is_config(known, name)]
    config += [name for name in names if known.tables.in_scope(source, name.schema) and _is_config(known, name)]
    if not config or filters.applies(change).crosses is False:
        return
    for name in config:
        yield Finding(
            "change.pending",
            Severity.warn,
            f"{what(change)} {name}{key_text(change)} waits in {link.label} and is applied when that is resumed",
            cluster=source,
            link=link.label,
            schema=name.schema,
            table=name.name,
            key=dict(change.key) if change.key else None,
            remedy="resume, let it arrive, and pause again; or find out who changed configuration during the pause",
            evidence=evidence_of(change),
        )


def _is_config(known: Known, name: TableName) -> bool:
    return known.tables.classify(name).table_class is TableClass.config


@dataclass(slots=True)
class _Listed:
    """Findings one by one, so many of a table; those beyond are counted and told as one."""

    kept: list[Finding] = field(default_factory=list)
    counts: Counter[tuple[object, ...]] = field(default_factory=Counter)
    last: dict[tuple[object, ...], Finding] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        kind = (finding.code, finding.severity, finding.link, finding.schema, finding.table)
        self.counts[kind] += 1
        self.last[kind] = finding
        if self.counts[kind] <= LISTED:
            self.kept.append(finding)

    def findings(self) -> tuple[Finding, ...]:
        more = [_more(self.last[kind], count - LISTED) for kind, count in self.counts.items() if count > LISTED]
        return (*self.kept, *more)


def _more(last: Finding, count: int) -> Finding:
    return Finding(
        last.code,
        last.severity,
        f"{count} more of {last.schema}.{last.table} are not listed",
        cluster=last.cluster,
        link=last.link,
        schema=last.schema,
        table=last.table,
        remedy="watch with --format jsonl, which tells each one",
        evidence={"not_listed": count, "last_position": last.evidence.get("position")},
    )


def _cut_short(reading: Reading) -> Finding:
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"the backlog of {reading.label} was left at {reading.position}, before its end",
        cluster=reading.cluster,
        link=reading.label,
        remedy="let it read to the end",
    )


def _no_link() -> Finding:
    return Finding(
        "link.missing",
        Severity.unknown,
        "there is no link between the clusters, so nothing was looked at",
        remedy="look at `replguard status`; a link whose source is unknown is not read",
    )
