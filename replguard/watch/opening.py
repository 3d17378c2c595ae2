"""Which streams a watch reads, and what is judged in each.

What each link carries is read at its source. A cluster's own stream is read where it shows what was applied there, and
for a freeze; where a link carries just that stream, it is read once. Where a cluster has none that can be read, what
its links carry must do for the freeze.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from replguard.engines.base import MayPublish
from replguard.watch.checks import APPLIED, FREEZE, SENT
from replguard.watch.readings import Reading
from replguard.watch.wanted import wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.engines.base import ChangeStream, Since
    from replguard.model.changes import Change
    from replguard.model.findings import Finding
    from replguard.model.links import Link
    from replguard.watch.freeze import Freezer
    from replguard.watch.known import Known
    from replguard.watch.options import Options
    from replguard.watch.readings import Judging


def readings_of(known: Known, options: Options, freezer: Freezer | None) -> list[Reading]:
    """All readings of a watch, none opened yet."""
    readings = [_sent(known, rules.link, options) for rules in known.rules.values()]
    for own in (_own(known, server.name, options, freezer) for server in known.pair):
        same = [one for one in readings if one.cluster == own.cluster and one.kind == "sent"]
        if same and known.pair.server(own.cluster).capabilities.sends_own_stream:
            # It is the same stream: it is read once, and judged as both.
            same[0].judgements |= own.judgements
            same[0].is_own = bool(own.judgements)
        elif own.judgements:
            readings.append(own)
    return readings


def _sent(known: Known, link: Link, options: Options) -> Reading:
    def opened(since: Since) -> ChangeStream:
        reading.basis = known.basis(reading)
        now = known.rules[link.label].link
        source, target = known.pair.server(str(now.source)), known.pair.server(now.target)
        carried = None if reading.is_own else now
        return source.streams.sent(now, target, since, wanted(known, source.name, carried, options.appetite))

    def judged(change: Change) -> tuple[Finding, ...]:
        return known.judge(link).sent(change)

    reading = _reading(Reading("sent", str(link.source), link, opened, {SENT: judged}), known, options)
    return reading


def _own(known: Known, cluster: str, options: Options, freezer: Freezer | None) -> Reading:
    def opened(since: Since) -> ChangeStream:
        reading.basis = known.basis(reading)
        streams = known.pair.server(cluster).streams
        if options.publish and isinstance(streams, MayPublish):
            streams.may_publish = True
        return streams.own(since, wanted(known, cluster, None, options.appetite))

    judgements: dict[str, Judging] = {}
    into = [rules.link for rules in known.rules.values() if rules.link.target == cluster]
    server = known.pair.server(cluster)
    published = options.publish and isinstance(server.streams, MayPublish)
    if into and (server.capabilities.shows_applied or published):
        judgements[APPLIED] = partial(_applied, known, {link: foreign(known, link) for link in into})
    if freezer:
        judgements[FREEZE] = partial(freezer.judge, cluster)
    link = into[0] if len(into) == 1 else None
    reading = _reading(Reading("own", cluster, link, opened, judgements), known, options)
    return reading


def foreign(known: Known, link: Link) -> frozenset[str]:
    """The identities of the other cluster, past writers included, under which its changes travel."""
    source, target = known.pair.server(str(link.source)).identity, known.pair.server(link.target).identity
    return (source.past | source.origins) - target.origins


def _applied(known: Known, origins: Mapping[Link, frozenset[str]], change: Change) -> tuple[Finding, ...]:
    return tuple(
        finding for link, identities in origins.items() for finding in known.judge(link).applied(change, identities)
    )


def _reading(reading: Reading, known: Known, options: Options) -> Reading:
    reading.window = options.window
    reading.until = options.until.get(reading.cluster)
    reading.before_notice = known.notice
    return reading
