"""What changed in config tables since the links were paused, on both sides, from the streams where they are.

Of each side is read what waits in its links (the tail of before the pause with it), and what was written there since
the position in the receipt, unless the link carries all of that. Where a server has no log that reaches back, a guard
that the pause made tells it, or what the pause remembered of the rows; else that side is unknown.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from replguard.control import guard as guards
from replguard.control import receipt
from replguard.control.touched import Carried, Touch, Touched
from replguard.engines.base import LogsOwnWrites, Wanted
from replguard.engines.controls import Guards, Remembers
from replguard.errors import ServerError, StreamError
from replguard.model.changes import Change, Operation
from replguard.model.findings import StreamCoverage
from replguard.model.positions import Position
from replguard.policy import TableClass
from replguard.watch import harmless
from replguard.watch.gather import Gathered
from replguard.watch.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date

    from replguard.audit.tables import TableMap
    from replguard.engines.base import ChangeStream, Server, Since
    from replguard.engines.pair import Pair
    from replguard.model.changes import StreamItem
    from replguard.model.findings import Finding
    from replguard.model.links import Link

_POLL = 0.5
_SILENCE = 60.0
"""Seconds without a word of the server after which a stream is given up."""
_BATCH = 1000
"""Rows that are compared at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """``touches`` by cluster; ``unknown`` is what could not be judged, ``leaks`` what waits and must not sync."""

    touches: dict[str, tuple[Touch, ...]]
    unknown: tuple[Finding, ...] = ()
    leaks: tuple[Finding, ...] = ()
    harmless: int = 0
    read: tuple[StreamCoverage, ...] = ()


def look(pair: Pair, tables: TableMap, links: tuple[Link, ...], held: Mapping[str, Any] | None, today: date) -> Seen:
    """Read it. ``links`` are those that stand, ``held`` is the receipt of the pause, None where there is none."""
    looker = _Looker(pair, tables, links, dict(held or {}), today)
    for server in pair:
        looker.side(server)
    for touched in looker.sides.values():
        touched.close()
        _compare_doubtful(pair, touched)
    sides = looker.sides
    return Seen(
        {cluster: touched.touches() for cluster, touched in sides.items()},
        tuple(finding for touched in sides.values() for finding in touched.unknowns()),
        looker.leaks.findings(),
        sum(touched.harmless for touched in sides.values()),
        tuple(looker.read),
    )


def _of_the_other(pair: Pair, cluster: str) -> frozenset[str]:
    """The identities whose changes were made on the other cluster, and only came here.

    What both clusters have changes of may be a former writer of this one: it counts as this one's, lest it be missed.
    """
    ours, theirs = pair.server(cluster).identity, pair.other(cluster).identity
    return (theirs.origins | (theirs.past - ours.past)) - ours.origins


def _compare_doubtful(pair: Pair, touched: Touched) -> None:
    for table, keys in touched.doubtful():
        ignored = touched.tables.policy.ignored_columns(table.name)
        for start in range(0, len(keys), _BATCH):
            equal = harmless.equal_rows(pair, table.sides, ignored, keys[start : start + _BATCH])
            touched.excuse(table.name, equal)


@dataclass(slots=True)
class _Looker:
    pair: Pair
    tables: TableMap
    links: tuple[Link, ...]
    held: dict[str, Any]
    today: date
    sides: dict[str, Touched] = field(default_factory=dict)
    leaks: Gathered = field(default_factory=Gathered)
    read: list[StreamCoverage] = field(default_factory=list)

    def side(self, server: Server) -> None:
        """Everything that can be read of one cluster."""
        touched = Touched(self.tables, server.name, _of_the_other(self.pair, server.name), self.today)
        self.sides[server.name] = touched
        since = self._position(server)
        out = [link for link in self.links if link.source == server.name]
        told = [self._tried(touched, partial(self._backlog, server, link, touched, since)) for link in out]
        if not server.capabilities.sends_own_stream:
            if not out or self._guard(server) or self._memory(server):
                self._tried(touched, partial(self._without_link, server, touched, since))
                self._tried(touched, partial(self._goes_nowhere, server, touched))
        elif since is not None and not any(told):
            self._tried(touched, partial(self._own, server, touched, since))
        elif since is None and not out:
            self._nothing_known(touched)

    def _tried(self, touched: Touched, look: Callable[[], bool]) -> bool:
        """Whether it was read; what hindered is told."""
        try:
            return look()
        except ServerError as error:
            what = f"what changed on {touched.cluster} could not be read: {error.message}"
            touched.unknown("check.not_run", what, error.remedy)
        return False

    def _position(self, server: Server) -> Since | None:
        """Where the cluster stood when it was paused; None where nobody wrote that down."""
        facts = self.held.get("clusters", {}).get(server.name)
        if facts is None:
            return None
        text = str(facts.get("position") or "")
        return server.streams.parse(text) if text else "start"

    def _backlog(self, server: Server, link: Link, touched: Touched, since: Since | None) -> bool:
        """Read what waits in a link; whether that is all that was written on its source since the pause."""
        target = self.pair.server(link.target)
        whole = server.capabilities.sends_own_stream
        carried = Carried(link, target.filters.of(link, server), whole)
        judge = Judge(self.tables, link, carried.filters, waits=True)
        wanted = Wanted(lambda name: touched.interest(name, carried), touched.shape)
        stream = server.streams.pending(link, target, wanted)
        start = stream.start.text
        for item in self._items(stream, touched.cluster, link.label, "pending"):
            touched.take(item, carried)
            if isinstance(item, Change):
                self._leaks(judge, item)
        if not whole:
            self._has_moved(touched, link)
        return since is not None and str(since) == start

    def _has_moved(self, touched: Touched, link: Link) -> None:
        """A link that went on since the pause carried what shows nowhere any more."""
        if self.held and (how := receipt.moved(link, self.held)):
            what = f"{link.label} went on since the pause ({how}), and what it carried then is not known"
            touched.unknown("check.not_run", what, "compare with `replguard diff`")

    def _leaks(self, judge: Judge, change: Change) -> None:
        for finding in judge.sent(change):
            if finding.code == "leak.sent":
                self.leaks.add(replace(finding, remedy=_KEEP_OUT))

    def _own(self, server: Server, touched: Touched, since: Since | None) -> bool:
        """Read what was written on the cluster itself since the pause."""
        if since is None:
            self._nothing_known(touched)
            return False
        wanted = Wanted(lambda name: touched.interest(name, None), touched.shape)
        streams = server.streams
        stream = (
            streams.written_here(since, wanted) if isinstance(streams, LogsOwnWrites) else streams.own(since, wanted)
        )
        for item in self._items(stream, touched.cluster, None, "own"):
            touched.take(item, None)
        return True

    def _without_link(self, server: Server, touched: Touched, since: Since | None) -> bool:
        """A cluster whose log no link keeps: by the guard of the pause, else by what it remembered of the rows."""
        streams, rows = server.streams, server.rows
        guard = self._guard(server)
        memory = self._memory(server)
        if guard is not None and isinstance(streams, Guards):
            wanted = Wanted(lambda name: touched.interest(name, None), touched.shape)
            stream = streams.guarded(guard["name"], wanted, since if isinstance(since, Position) else None)
            for item in self._items(stream, touched.cluster, None, "guard"):
                touched.take(item, None)
            return True
        if memory is not None and isinstance(rows, Remembers):
            self._remembered(rows, touched, memory)
            return True
        return self._own(server, touched, since)

    def _goes_nowhere(self, server: Server, touched: Touched) -> bool:
        """Note of changes of tables that no link carries that they do not arrive: nothing waits of them anywhere."""
        alone = {table.name for table in guards.uncovered(self.pair, self.tables, self.links).get(server.name, ())}
        for touch in touched.touches():
            touch.dropped = touch.dropped or (touch.table in alone and not touch.links)
        return True

    def _guard(self, server: Server) -> Mapping[str, Any] | None:
        """What the receipt has of the guard of a cluster; one may be there for tables that no link carries."""
        return next((one for one in self.held.get("guards", ()) if one.get("cluster") == server.name), None)

    def _memory(self, server: Server) -> Mapping[str, Any] | None:
        """What the receipt remembers of a cluster's tables: all of them, or those that no link carries."""
        found: Mapping[str, Any] | None = self.held.get("memory", {}).get(server.name)
        return found

    def _remembered(self, rows: Remembers, touched: Touched, memory: Mapping[str, Any]) -> None:
        self.read.append(StreamCoverage(touched.cluster, None, "rows (remembered)", None, None, 0, _ROWS_DO_NOT_TELL))
        config = [table for table in self.tables.of(TableClass.config) if not table.partition]
        sides = [table.sides[touched.cluster] for table in config if touched.cluster in table.sides]
        if any(link.source == touched.cluster for link in self.links):
            known = {(one["schema"], one["name"]) for one in memory["tables"]}
            sides = [side for side in sides if (side.name.schema, side.name.name) in known]
        for found in rows.changed_since(memory, sides):
            for key in found.keys:
                touch = touched.touch(found.table, key, "insert or update")
                touch.columns, touch.told_by = None, "rows"
                touch.doubtful = bool(self.tables.policy.ignored_columns(found.table))
            if found.rows > len(found.keys):
                touch = touched.touch(found.table, None, "insert or update")
                touch.doubtful, touch.told_by = False, "rows"
            if found.deleted:
                touch = touched.touch(found.table, None, Operation.delete.value)
                touch.doubtful, touch.told_by = False, "rows"
            if found.deleted is None or found.why_unknown:
                why = found.why_unknown or "whether rows are gone is not told"
                what = f"what changed in {found.table} on {touched.cluster} is not known: {why}"
                touched.unknown("check.not_run", what, "compare with `replguard diff`")

    def _nothing_known(self, touched: Touched) -> None:
        what = (
            f"no receipt tells where {touched.cluster} stood when its replication was stopped, and no link carries "
            "what is written there: what changed on it meanwhile is not known"
        )
        touched.unknown("resume.no_receipt", what, "compare with `replguard diff`, then resume with --accept-unknown")

    def _items(self, stream: ChangeStream, cluster: str, label: str | None, kind: str) -> Iterator[StreamItem]:
        """Everything up to the end that the stream had when it was opened."""
        with stream:
            while True:
                yield from stream.poll(_POLL)
                if stream.caught_up:
                    break
                if time.monotonic() - stream.tally.heard > _SILENCE:
                    raise StreamError(f"{cluster} said nothing for {_SILENCE:.0f} s", cluster=cluster)
            tally = stream.tally
            counts = {str(name): count for name, count in sorted(tally.changes.items())}
            self.read.append(
                StreamCoverage(
                    cluster,
                    label,
                    f"{stream.kind} ({kind})",
                    stream.start.text,
                    stream.position.text,
                    sum(counts.values()),
                    stream.cannot_see,
                    tally.events,
                    tally.bytes,
                    counts,
                )
            )


_ROWS_DO_NOT_TELL = (
    "which rows were deleted: by table, where it can be told at all",
    "which columns were changed, when, and by which transaction",
    "rows that were changed and taken back, and what is no config table",
)
_KEEP_OUT = (
    "make and apply a plan that keeps it out, what waits included: `replguard filter plan -o PLAN`, then "
    "`replguard filter apply PLAN`"
)
