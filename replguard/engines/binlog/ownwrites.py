"""What a replica wrote itself and its source does not have, told by GTIDs and read from the replica's own binlog.

MySQL: what the target has executed and the source has not; asking the target for everything else but these lets the
server itself pick them out of its binlog. MariaDB: transactions under the target's own server id that the source does
not have; domains that hold none of them are not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet, owned_set
from replguard.engines.binlog.identity import triples
from replguard.engines.binlog.places import Place, as_text
from replguard.engines.controls import OwnWrites
from replguard.errors import Unsupported
from replguard.model.positions import PositionKind

if TYPE_CHECKING:
    from replguard.engines.base import ChangeStream, Wanted
    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.changes import Change
    from replguard.model.positions import Position


def own_writes(server: BinlogServer, source: BinlogServer, since: Position | None) -> OwnWrites:
    """See :class:`replguard.engines.controls.TellsOwnWrites`."""
    if not server.run("source_status"):
        raise Unsupported(
            "the server has no binary log: what is written on it cannot be told",
            remedy="Set log_bin, and restart the server.",
            cluster=server.name,
        )
    if since is not None and since.kind is not PositionKind.gtid:
        raise Unsupported(f"{since} is no GTID position: what came later cannot be told", cluster=server.name)
    return (_mysql if server.flavour == "mysql" else _mariadb)(server, source, since.text if since else "")


def _mysql(server: BinlogServer, source: BinlogServer, since: str) -> OwnWrites:
    here = server.run("gtids")[0]
    if here["mode"] != "ON":
        raise Unsupported(
            "gtid_mode is not ON: what the server wrote itself cannot be told from what was replicated",
            remedy="switch gtid_mode to ON on both servers",
            cluster=server.name,
        )
    executed = MySQLGtidSet.parse(as_text(here["executed"]))
    # Asked after the target: what that has by replication is executed, or being committed, on its source.
    there = source.run("gtids")[0]
    owned = owned_set(as_text(there["owned"]))
    mine = executed.without(MySQLGtidSet.parse(as_text(there["executed"])))
    mine = mine.without(MySQLGtidSet.parse(owned)).without(MySQLGtidSet.parse(since))
    purged = mine.intersection(MySQLGtidSet.parse(as_text(server.run("stream_purged")[0]["purged"])))
    readable = mine.without(purged)

    def opened(wanted: Wanted) -> ChangeStream:
        return _stream(server, executed.without(readable), wanted)

    def holds(change: Change) -> bool:
        return change.transaction is None or readable.holds(change.transaction)

    unread = f"{purged} stand in no binlog file any more" if purged.covers_anything else ""
    return OwnWrites(str(mine), opened if readable.covers_anything else None, holds, unread)


def _mariadb(server: BinlogServer, source: BinlogServer, since: str) -> OwnWrites:
    me = str(server.identity.detail["server_id"])
    row = server.run("gtids")[0]
    has = {(domain, writer): number for domain, writer, number in triples(as_text(row["binlog_state"]))}
    there = source.run("gtids")[0]
    known = {domain: number for domain, writer, number in triples(as_text(there["binlog_state"])) if writer == me}
    for domain, _, number in triples(since):
        known[domain] = max(known.get(domain, 0), number)
    mine = {
        int(domain): (known.get(domain, 0), number)
        for (domain, writer), number in has.items()
        if writer == me and number > known.get(domain, 0)
    }
    first = as_text(server.run("stream_files")[0]["Log_name"])
    oldest = MariaDBGtidState.parse(as_text(server.run("snapshot_gtids", first, 4)[0]["gtids"]))
    begin = MariaDBGtidState.parse(as_text(row["binlog_pos"]))
    for number in mine:
        begin.last.pop(number, None)
        if number in oldest.last:
            begin.last[number] = oldest.last[number]

    def opened(wanted: Wanted) -> ChangeStream:
        return _stream(server, begin, wanted)

    def holds(change: Change) -> bool:
        if change.transaction is None:
            return True
        ((domain, writer, number),) = triples(change.transaction)
        return writer == me and number > mine.get(int(domain), (number, 0))[0]

    bounds = sorted(mine.items())
    named = [f"{number}-{me}-{after + 1} to {number}-{me}-{last}" for number, (after, last) in bounds]
    gone = [str(number) for number, (after, _) in bounds if oldest.last.get(number, (0, 0))[1] > after]
    unread = f"what was written in domain {', '.join(gone)} before {first} stands in no binlog file any more"
    return OwnWrites(", ".join(named), opened if mine else None, holds, unread if gone else "")


def _stream(server: BinlogServer, after: MySQLGtidSet | MariaDBGtidState, wanted: Wanted) -> ChangeStream:
    from replguard.engines.binlog.streams import BinlogStream  # noqa: PLC0415 - it calls this module

    return BinlogStream(server, Place(gtids=after), wanted, stops=True)
