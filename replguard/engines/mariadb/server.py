"""One connected MariaDB server."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from replguard.engines.activity import Unseen
from replguard.engines.binlog.errors import grant
from replguard.engines.binlog.gtid import MariaDBGtidState
from replguard.engines.binlog.identity import server_ids, shown
from replguard.engines.binlog.privileges import account
from replguard.engines.binlog.server import BinlogServer, Flavour, is_on
from replguard.engines.mariadb.filters import MariaDBFilters
from replguard.engines.mariadb.replication import MariaDBReplication
from replguard.errors import PrivilegeError
from replguard.model.links import Identity
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.engines.binlog.connection import Session
    from replguard.engines.binlog.privileges import Privileges


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
        return Identity("mariadb", self.version_number, self.text_identity(variables), own, seen | own, detail)

    def text_identity(self, variables: Mapping[str, str]) -> str:
        return f"mariadb:{variables['server_id']}@{variables['hostname']}:{variables['port']}"

    def begin_snapshot(self, session: Session) -> tuple[Position, Position]:
        """Exact where the binlog holds everything: the server keeps the binlog's end of the moment of the view.

        Where replicated changes are not logged, the lower bound has those that were applied before, and of what was
        logged the exact place; without a binlog it is the current position before. The upper one is that after.
        """
        with suppress(PrivilegeError):
            session.run("unlogged")
        before = session.run("gtids")[0]
        session.run("begin_snapshot")
        position = self._snapshot_position(session) if is_on(self.variables, "log_bin") else None
        if position is None:
            return _gtid(before), _gtid(session.run("gtids")[0])
        if is_on(self.variables, "log_slave_updates"):
            return position, position
        return _together(position.text, _text(before["slave_pos"] or "")), _gtid(session.run("gtids")[0])

    def _snapshot_position(self, session: Session) -> Position | None:
        """The place of the view as GTIDs. The server finds them by reading the binlog file up to there, which may take
        seconds: so if nothing was written since, the binlog's present end is taken. What was written counts, as SHOW
        MASTER STATUS has it under the log's lock: ``binlog_snapshot_*`` lags behind the GTID position here.
        """
        place = _place(session)
        if place is None:
            return None
        end = str(self.run("gtids")[0]["binlog_pos"] or "")
        if self._written() == place:
            return Position(PositionKind.gtid, end)
        gtids = session.run("snapshot_gtids", *place)[0]["gtids"]
        return None if gtids is None else Position(PositionKind.gtid, _text(gtids))

    def _written(self) -> tuple[str, int] | None:
        with suppress(PrivilegeError):
            for row in self.run("source_status"):
                return str(row["File"]), int(row["Position"])
        return None

    def hides_routines(self, privileges: Privileges) -> str | None:
        """Who may read the table of routines, or (from 11.3 on) has SHOW CREATE ROUTINE, is shown all of them."""
        if all(privileges.has("SHOW CREATE ROUTINE", schema) for schema in self.scope):
            return None
        try:
            self.run("all_routines")
        except PrivilegeError:
            return grant("SELECT", "mysql.proc", account(self.account))
        return None

    def hides_locks(self) -> Unseen | None:
        """A plugin shows them, which is not installed by default."""
        if self.run("activity_locks_shown")[0]["shown"]:
            return None
        what = "locks that are held while nobody waits for them (the plugin metadata_lock_info is not installed)"
        return Unseen(what, "INSTALL SONAME 'metadata_lock_info'", needed=False)

    def default_of(self, row: Mapping[str, Any]) -> str | None:
        """MariaDB gives an expression as it is, the word NULL included; ON UPDATE stands apart."""
        default, extra = row["default_value"], str(row["extra"] or "")
        if "on update" not in extra.lower():
            return None if default is None else str(default)
        return f"{default} {extra[extra.lower().index('on update') :]}"


def _place(session: Session) -> tuple[str, int] | None:
    """The end of the binlog when the connection's view began."""
    status = {_text(row["Variable_name"]).lower(): _text(row["Value"]) for row in session.run("snapshot_status")}
    file, offset = status.get("binlog_snapshot_file"), status.get("binlog_snapshot_position")
    return (file, int(offset)) if file and offset and offset.isdecimal() else None


def _gtid(row: Mapping[str, Any]) -> Position:
    return Position(PositionKind.gtid, _text(row["current_pos"] or ""))


def _together(logged: str, applied: str) -> Position:
    """Both as one position; in a domain that is in both the one that has come less far.

    >>> _together("1-1-5,3-1-9", "2-2-7,3-2-4").text
    '1-1-5,2-2-7,3-2-4'
    """
    here, there = MariaDBGtidState.parse(logged), MariaDBGtidState.parse(applied)
    last = {**here.last, **there.last, **here.lowest(there).last}
    return Position(PositionKind.gtid, str(MariaDBGtidState(last)))


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
