"""Where a live stream begins and where the present end is, asked of a server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.events import Damage
from replguard.engines.binlog.files import is_file_name, order
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet, covers
from replguard.errors import StreamError, Unsupported
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from replguard.engines.base import Since
    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link

GtidSet = MySQLGtidSet | MariaDBGtidState


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a server's binlog: by file and offset, by GTIDs, or by both (a file place whose GTIDs are known)."""

    file: str = ""
    offset: int = 4
    gtids: GtidSet | None = None

    @property
    def position(self) -> Position:
        if self.gtids is not None:
            return Position(PositionKind.gtid, str(self.gtids))
        return Position(PositionKind.file, f"{self.file}:{self.offset}")

    def is_reached(self, file: str, offset: int, gtids: GtidSet | None) -> bool:
        """Whether a reader that stands there has everything before this place."""
        if file and self.file and (order(file), offset) >= (order(self.file), self.offset):
            return True
        return gtids is not None and self.gtids is not None and covers(gtids, self.gtids)


def end(server: BinlogServer) -> Place:
    """The present end of the server's binlog. Unsupported where it has none."""
    rows = server.run("source_status")
    if not rows:
        message = "the server has no binary log: its changes cannot be read"
        raise Unsupported(message, remedy="Set log_bin, and restart the server.", cluster=server.name)
    file, offset = as_text(rows[0]["File"]), int(rows[0]["Position"])
    return Place(file, offset, _gtids_at(server, file, offset, rows[0]))


def _gtids_at(server: BinlogServer, file: str, offset: int, status: Mapping[str, Any]) -> GtidSet | None:
    if server.flavour == "mariadb":
        gtids = server.run("snapshot_gtids", file, offset)[0]["gtids"]
        return None if gtids is None else MariaDBGtidState.parse(as_text(gtids))
    if server.run("gtids")[0]["mode"] != "ON":
        return None
    return MySQLGtidSet.parse(as_text(status["Executed_Gtid_Set"]))


def written(server: BinlogServer) -> Position:
    """The end of what is written, executed or not; Unsupported without a binlog.

    MariaDB counts a transaction when it writes it; MySQL when it is executed, so there the place in the file tells.
    """
    if server.flavour == "mariadb" and server.run("source_status"):
        return Position(PositionKind.gtid, as_text(server.run("gtids")[0]["binlog_pos"]))
    found = end(server)
    return Position(PositionKind.file, f"{found.file}:{found.offset}")


def beginning(server: BinlogServer, since: Since) -> Place:
    """Where a stream begins that is read ``since`` then."""
    if since == "now":
        return end(server)
    if since == "start":
        return _oldest(server)
    if not isinstance(since, Position):
        raise TypeError(f"{since!r} is no place in a stream")
    return at(server, since)


def _oldest(server: BinlogServer) -> Place:
    """The first file that is there. What a MySQL server holds for executed without having it in a file comes before."""
    gtids = None
    if server.flavour == "mysql" and server.run("gtids")[0]["mode"] == "ON":
        gtids = MySQLGtidSet.parse(as_text(server.run("stream_purged")[0]["purged"]))
    return Place(as_text(server.run("stream_files")[0]["Log_name"]), gtids=gtids)


def position_of(flavour: str, text: str) -> Position:
    """A position as a user writes it: GTIDs as the server prints them, or ``file:offset``. ValueError for neither."""
    file, _, offset = text.strip().rpartition(":")
    if is_file_name(file) and offset.isdecimal() and not _is_gtids(flavour, text):
        return Position(PositionKind.file, f"{file}:{offset}")
    if not _is_gtids(flavour, text):
        raise ValueError(
            f"'{text}' is no position of a {flavour} binlog: name GTIDs as the server prints them, or file:offset"
        )
    return Position(PositionKind.gtid, "".join(text.split()))


def _is_gtids(flavour: str, text: str) -> bool:
    try:
        (MySQLGtidSet if flavour == "mysql" else MariaDBGtidState).parse(text)
    except (ValueError, Damage):
        return False
    return True


def at(server: BinlogServer, position: Position) -> Place:
    """A position as a place to begin at. StreamError for what is none of this server's."""
    try:
        if position.kind is PositionKind.gtid:
            parse = MySQLGtidSet.parse if server.flavour == "mysql" else MariaDBGtidState.parse
            return Place(gtids=parse(position.text))
        file, _, offset = position.text.rpartition(":")
        if position.kind is PositionKind.file and is_file_name(file):
            gtids = None
            if server.flavour == "mariadb":
                gtids = _gtids_at(server, file, int(offset), {})
            return Place(file, int(offset), gtids)
    except ValueError:
        pass
    message = f"'{position}' is no position of a {server.flavour} binlog"
    raise StreamError(message, remedy="Name GTIDs as the server prints them, or file:offset.", cluster=server.name)


def applied(server: BinlogServer, target: BinlogServer, link: Link) -> Place:
    """What the target has of the server's stream already."""
    if server.flavour == "mysql" and server.run("gtids")[0]["mode"] == "ON":
        return Place(gtids=MySQLGtidSet.parse(as_text(target.run("gtids")[0]["executed"])))
    if server.flavour == "mariadb" and str(link.detail.get("using_gtid") or "No").lower() != "no":
        return Place(gtids=_applied_domains(server, target))
    file, offset = link.detail.get("source_file"), link.detail.get("source_pos")
    if not file or offset is None:
        raise StreamError(f"link {link.label} does not tell what it has applied", cluster=target.name)
    return at(server, Position(PositionKind.file, f"{file}:{offset}"))


def _applied_domains(server: BinlogServer, target: BinlogServer) -> MariaDBGtidState:
    """The target's position in the domains that the source has, and nowhere beyond the source's own end.

    What the target wrote itself comes back in a pair that replicates both ways: it is applied too.
    """
    row = target.run("gtids")[0]
    at_target = MariaDBGtidState.parse(as_text(row["slave_pos"]))
    for domain, (writer, number) in MariaDBGtidState.parse(as_text(row["current_pos"])).last.items():
        if number > at_target.last.get(domain, (0, 0))[1]:
            at_target.last[domain] = (writer, number)
    at_source = MariaDBGtidState.parse(as_text(server.run("gtids")[0]["binlog_pos"]))
    last = {
        domain: min(at_target.last[domain], place, key=lambda gtid: gtid[1])
        for domain, place in at_source.last.items()
        if domain in at_target.last
    }
    return MariaDBGtidState(last)


def as_text(value: object) -> str:
    """A column that the server gives as text or as bytes; empty for NULL."""
    return value.decode() if isinstance(value, bytes) else "" if value is None else str(value)
