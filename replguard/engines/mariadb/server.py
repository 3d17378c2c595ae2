"""One connected MariaDB server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from replguard.engines.binlog.identity import server_ids, shown
from replguard.engines.binlog.server import BinlogServer, Flavour, is_on
from replguard.engines.mariadb.filters import MariaDBFilters
from replguard.engines.mariadb.replication import MariaDBReplication
from replguard.model.links import Identity
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.engines.binlog.connection import Session


class MariaDBServer(BinlogServer):
    flavour: ClassVar[Flavour] = "mariadb"
    title: ClassVar[str] = "MariaDB"
    least_version: ClassVar[tuple[int, ...]] = (10, 6)

    @property
    def replication(self) -> MariaDBReplication:
        return MariaDBReplication(self)

    @property
    def filters(self) -> MariaDBFilters:
        return MariaDBFilters(self)

    def identify(self, session: Session, variables: Mapping[str, str]) -> Identity:
        """The server id with host and port, since ids alone are chosen by hand and may repeat.

        ``past`` holds every server id in the GTID state, the server's own among them.
        """
        detail = shown(variables)
        detail["gtid_domain_id"] = int(variables.get("gtid_domain_id", "0"))
        detail["server_uid"] = variables.get("server_uid")
        seen = server_ids(str(session.run("gtids")[0]["binlog_state"] or ""))
        own = frozenset({variables["server_id"]})
        return Identity("mariadb", self.version_text, self.text_identity(variables), own, seen | own, detail)

    def text_identity(self, variables: Mapping[str, str]) -> str:
        return f"mariadb:{variables['server_id']}@{variables['hostname']}:{variables['port']}"

    def begin_snapshot(self, session: Session) -> tuple[Position, Position]:
        """Exact where the binlog holds everything: the server keeps the binlog's end of the moment of the view.

        Without a binlog, or where replicated changes are not logged, the current position before and after.
        """
        before = _gtid(session)
        session.run("begin_snapshot")
        exact = is_on(self.variables, "log_bin") and is_on(self.variables, "log_slave_updates")
        if exact and (position := self._snapshot_position(session)) is not None:
            return position, position
        return before, _gtid(session)

    @staticmethod
    def _snapshot_position(session: Session) -> Position | None:
        status = {_text(row["Variable_name"]).lower(): _text(row["Value"]) for row in session.run("snapshot_status")}
        file, offset = status.get("binlog_snapshot_file"), status.get("binlog_snapshot_position")
        if not file or not offset or not offset.isdecimal():
            return None
        gtids = session.run("snapshot_gtids", file, int(offset))[0]["gtids"]
        return None if gtids is None else Position(PositionKind.gtid, _text(gtids))

    def default_of(self, row: Mapping[str, Any]) -> str | None:
        """MariaDB gives an expression as it is, the word NULL included; ON UPDATE stands apart."""
        default, extra = row["default_value"], str(row["extra"] or "")
        if "on update" not in extra.lower():
            return None if default is None else str(default)
        return f"{default} {extra[extra.lower().index('on update') :]}"


def _gtid(session: Session) -> Position:
    return Position(PositionKind.gtid, _text(session.run("gtids")[0]["current_pos"] or ""))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
