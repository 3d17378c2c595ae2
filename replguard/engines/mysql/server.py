"""One connected MySQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from replguard.engines.binlog.errors import grant
from replguard.engines.binlog.gtid import owned_set
from replguard.engines.binlog.identity import shown, uuids
from replguard.engines.binlog.privileges import account
from replguard.engines.binlog.server import BinlogServer, Flavour, is_on
from replguard.engines.mysql.filters import MySQLFilters
from replguard.engines.mysql.replication import MySQLReplication, binlog_end
from replguard.model.links import Identity
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.engines.binlog.connection import Session
    from replguard.engines.binlog.privileges import Privileges
    from replguard.engines.sqlfiles import Quoted


class MySQLServer(BinlogServer):
    flavour: ClassVar[Flavour] = "mysql"
    title: ClassVar[str] = "MySQL"
    least_version: ClassVar[tuple[int, ...]] = (8, 0)

    @property
    def replication(self) -> MySQLReplication:
        return MySQLReplication(self)

    @property
    def filters(self) -> MySQLFilters:
        return MySQLFilters(self)

    @property
    def uses_gtids(self) -> bool:
        """Whether every transaction has a GTID."""
        return self.variables.get("gtid_mode") == "ON"

    def identify(self, session: Session, variables: Mapping[str, str]) -> Identity:
        """The server's UUID. ``past`` holds every UUID that it has executed transactions of, its own among them."""
        detail = shown(variables)
        detail["server_uuid"] = variables["server_uuid"].lower()
        own = frozenset({variables["server_uuid"].lower()})
        past = uuids(str(session.run("gtids")[0]["executed"] or "")) | own
        return Identity("mysql", self.version_number, self.text_identity(variables), own, past, detail)

    def text_identity(self, variables: Mapping[str, str]) -> str:
        return f"mysql:{variables['server_uuid'].lower()}"

    def begin_snapshot(self, session: Session) -> tuple[Position, Position]:
        """Bounds: executed before; executed and just being committed after.

        A transaction becomes visible while its GTID is owned, and is counted as executed after that: so the lower
        bound holds nothing that the view lacks, and the upper one lacks nothing that the view holds. Without GTIDs the
        ends of the binlog before and after stand in; the lower one may then name what is written but not visible yet.
        """
        before = self._bound(session, upper=False)
        session.run("begin_snapshot")
        return before, self._bound(session, upper=True)

    def commits_wait(self, session: Session) -> bool:
        """Where GTIDs do not tell what is executed: whether sessions wait for a semi-synchronous replica."""
        if self.uses_gtids:
            return False
        return any(int(_text(row["Value"]) or 0) for row in session.run("semi_sync_waits"))

    def _bound(self, session: Session, *, upper: bool) -> Position:
        if not self.uses_gtids and is_on(self.variables, "log_bin"):
            return binlog_end(session)
        row = session.run("gtids")[0]
        executed, owned = _text(row["executed"]), owned_set(_text(row["owned"]))
        if upper and owned:
            executed = _text(session.run("gtid_union", f"{executed},{owned}".strip(","))[0]["gtids"])
        return Position(PositionKind.gtid, "".join(executed.split()))

    def hides_routines(self, privileges: Privileges) -> str | None:
        """SELECT on everything shows all routines; so does SHOW_ROUTINE, from 8.0.20 on."""
        if privileges.has_everywhere("SHOW_ROUTINE") or privileges.has_everywhere("SELECT"):
            return None
        least = "SHOW_ROUTINE" if self.version >= (8, 0, 20) else "SELECT"
        return grant(least, "*.*", account(self.account))

    def fresh(self, name: str, **slots: Quoted) -> list[dict[str, Any]]:
        """MySQL keeps statistics for a day, the next AUTO_INCREMENT among them."""
        self.run("fresh_statistics")
        try:
            return self.run(name, **slots)
        finally:
            self.run("cached_statistics")

    def default_of(self, row: Mapping[str, Any]) -> str | None:
        """MySQL gives literals bare and expressions bare: literals are quoted here, to tell one from the other."""
        default, extra = row["default_value"], str(row["extra"] or "")
        if default is not None and "DEFAULT_GENERATED" not in extra:
            default = "'" + str(default).replace("'", "''") + "'"
        if "on update" not in extra.lower():
            return None if default is None else str(default)
        return f"{default} {extra[extra.lower().index('on update') :]}"


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
