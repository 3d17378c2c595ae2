"""Where between two snapshots a link's stream must begin, and whether a snapshot shows a change of its server's binlog.

By GTIDs both are exact. A MySQL server counts a transaction as executed after it is visible, so what was executed
before a snapshot is in it. MariaDB's snapshot knows its very place in the binlog. Without GTIDs (MySQL) places in the
file stand in, which may name what is written and not visible yet: for a moment, or for as long as a semi-synchronous
replica is awaited, which ``BinlogServer.commits_wait`` tells.

A target of MariaDB counts what it applied beside what it wrote itself: in a domain in which its own write is the last,
its position says nothing of the source's, and what replication had applied before the snapshots is taken instead.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from replguard.engines.binlog import places
from replguard.engines.binlog.files import order
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
from replguard.engines.binlog.places import Place
from replguard.engines.binlog.streams import BinlogStream
from replguard.errors import StreamError
from replguard.model.positions import PositionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Snapshot, Wanted
    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link
    from replguard.model.positions import Position


class BinlogLookback:
    """Fulfils ``base.Lookback``. Made before the snapshots, it remembers what the target had applied then."""

    def __init__(
        self, server: BinlogServer, target: BinlogServer, link: Link, wanted: Wanted, since: Position | None = None
    ) -> None:
        self._since = since
        self._server = server
        self._target = target
        self._wanted = wanted
        self._applied = places.applied(server, target, link)

    def stream(self, source_views: Sequence[Snapshot], target_views: Sequence[Snapshot]) -> BinlogStream:
        start = places.at(self._server, self._since) if self._since else self._start(source_views, target_views)
        return BinlogStream(self._server, start, self._wanted)

    def _start(self, source_views: Sequence[Snapshot], target_views: Sequence[Snapshot]) -> Place:
        if isinstance(self._applied.gtids, MySQLGtidSet):
            return self._without_executed(self._applied.gtids, source_views, target_views)
        if isinstance(self._applied.gtids, MariaDBGtidState):
            applied = self._applied_by_all(self._applied.gtids, target_views)
            return Place(gtids=reduce(MariaDBGtidState.lowest, map(_mariadb, source_views), applied))
        views = [places.at(self._server, view.lower) for view in source_views]
        return min(self._applied, *views, key=lambda place: (order(place.file), place.offset))

    def _without_executed(
        self, applied: MySQLGtidSet, source_views: Sequence[Snapshot], target_views: Sequence[Snapshot]
    ) -> Place:
        """Everything but what all views hold. StreamError where some of it is in no file any more."""
        bounds = [view.lower for view in target_views]
        known = all(bound.kind is PositionKind.gtid for bound in bounds)
        at_target = [MySQLGtidSet.parse(bound.text) for bound in bounds] if known and bounds else [applied]
        at_source = [MySQLGtidSet.parse(view.lower.text) for view in source_views]
        held = reduce(MySQLGtidSet.intersection, [*at_source, *at_target])
        purged = MySQLGtidSet.parse(str(self._server.run("stream_purged")[0]["purged"] or ""))
        if not held.covers(purged):
            raise StreamError(
                f"{self._server.name} has purged binlog files with transactions that {self._target.name} has not "
                "executed",
                remedy="keep binlog files until every replica has applied them",
                cluster=self._server.name,
            )
        return Place(gtids=held)

    def _applied_by_all(self, applied: MariaDBGtidState, target_views: Sequence[Snapshot]) -> MariaDBGtidState:
        """How far replication had come in every view of the target."""
        own = int(self._target.variables["server_id"])
        found = []
        for view in target_views:
            last = dict(applied.last)
            for domain, (writer, number) in _mariadb(view).last.items():
                if writer != own and number > last.get(domain, (0, -1))[1]:
                    last[domain] = (writer, number)
            found.append(MariaDBGtidState(last))
        return reduce(MariaDBGtidState.lowest, found, found[0]) if found else applied


def _mariadb(view: Snapshot) -> MariaDBGtidState:
    return MariaDBGtidState.parse(view.lower.text)
