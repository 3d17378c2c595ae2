"""Links into a MySQL server: SHOW REPLICA STATUS with its workers, and what of a position is applied."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.replication import BinlogReplication, Status, lag_of
from replguard.engines.binlog.restarting import events
from replguard.engines.mysql import durable
from replguard.errors import PrivilegeError
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from replguard.engines.base import Server
    from replguard.engines.binlog.connection import Session
    from replguard.engines.controls import Restarter, Step
    from replguard.engines.mysql.server import MySQLServer
    from replguard.model.links import Link

GROUP_CHANNELS = frozenset({"group_replication_applier", "group_replication_recovery"})
_OLD_WORDS = (("Source", "Master"), ("Replica", "Slave"))


class MySQLReplication(BinlogReplication):
    _server: MySQLServer

    def statuses(self) -> tuple[Status, ...]:
        """All channels but those inside a replication group, which join members of one cluster."""
        rows = [row for row in self._server.run("replica_status") if row["Channel_Name"] not in GROUP_CHANNELS]
        if not rows:
            return ()
        workers = self._worker_errors()
        executed = _flat(self._server.run("gtids")[0]["executed"])
        return tuple(_status(row, workers[row["Channel_Name"]], executed) for row in rows)

    def position(self) -> Position:
        """What is executed; with gtid_mode off the end of the binlog."""
        if self._server.uses_gtids:
            return Position(PositionKind.gtid, _flat(self._server.run("gtids")[0]["executed"]))
        with self._server.open("position") as session:
            return binlog_end(session)

    def identity_of(self, peer: Server) -> str:
        return str(peer.identity.detail.get("server_uuid"))

    def wait_slice(self, session: Session, link: Link, position: Position, seconds: float) -> bool:
        if position.kind is PositionKind.gtid:
            # A timeout of 0 means for ever to this function, and it takes fractions.
            return bool(session.run("wait_gtids", position.text, max(seconds, 0.001))[0]["waited"] == 0)
        file, _, offset = position.text.rpartition(":")
        waited = session.run("wait_file", file, int(offset), 1, link.name)[0]["waited"]
        return waited is not None and int(waited) >= 0

    def drained(self, status: Status) -> bool:
        """Every transaction received is executed; where some have no GTID, the places in the binlog agree too."""
        if status.received is not None and self._server.run("gtid_subset", status.received.text)[0]["missing"]:
            return False
        return self._server.uses_gtids or status.received_place == status.applied_place

    def hold(self, link: Link, ours: Collection[str]) -> tuple[Step, ...]:
        return durable.hold(self._server, link, (status for status in self.statuses() if status.name not in ours))

    def do(self, step: Step) -> None:
        durable.do(self._server, step)

    def undo(self, step: Step) -> None:
        durable.undo(self._server, step)

    def restarters(self, link: Link) -> tuple[Restarter, ...]:
        return (*durable.restarters(self._server, link), *events(self._server, link))

    def _worker_errors(self) -> defaultdict[str, list[str]]:
        """Errors by channel. Without the privilege to read them the coordinator's error, which names one, must do."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        try:
            rows = self._server.run("worker_errors")
        except PrivilegeError:
            return found
        for row in rows:
            found[row["channel"]].append(f"worker {row['worker']}: {row['message']} ({row['number']})")
        return found


def binlog_end(session: Session) -> Position:
    """The end of the binlog as file and offset."""
    rows = session.run("source_status")
    if not rows:
        return Position(PositionKind.file, "")
    file = rows[0]["File"]
    return Position(
        PositionKind.file, f"{file.decode() if isinstance(file, bytes) else file}:{int(rows[0]['Position'])}"
    )


def either(row: Mapping[str, Any], name: str) -> Any:
    """A column of the status, whose older spelling has Master and Slave for Source and Replica.

    >>> either({"Read_Master_Log_Pos": 4}, "Read_Source_Log_Pos")
    4
    """
    if name in row:
        return row[name]
    for new, old in _OLD_WORDS:
        name = name.replace(new, old)
    return row[name]


def _status(row: Mapping[str, Any], workers: list[str], executed: str) -> Status:
    received = _flat(row["Retrieved_Gtid_Set"])
    lag = either(row, "Seconds_Behind_Source")
    receiver, applier = either(row, "Replica_IO_Running"), either(row, "Replica_SQL_Running")
    return Status(
        name=row["Channel_Name"],
        host=str(either(row, "Source_Host")),
        port=str(either(row, "Source_Port")),
        receiver=receiver,
        applier=applier,
        errors=(*_errors(row), *workers),
        source_id=str(either(row, "Source_UUID") or "").lower() or None,
        received=Position(PositionKind.gtid, received) if received else None,
        applied=_applied(row, executed),
        received_place=(either(row, "Source_Log_File"), int(either(row, "Read_Source_Log_Pos"))),
        applied_place=(either(row, "Relay_Source_Log_File"), int(either(row, "Exec_Source_Log_Pos"))),
        lag_seconds=lag_of(lag, receiver, applier),
        detail=_detail(row),
    )


def _applied(row: Mapping[str, Any], executed: str) -> Position:
    if executed:
        return Position(PositionKind.gtid, executed)
    file, offset = either(row, "Relay_Source_Log_File"), either(row, "Exec_Source_Log_Pos")
    return Position(PositionKind.file, f"{file}:{offset}")


def _errors(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{thread}: {row[f'Last_{short}_Error'] or 'error'} ({row[f'Last_{short}_Errno']})"
        for thread, short in (("receiver", "IO"), ("applier", "SQL"))
        if int(row[f"Last_{short}_Errno"] or 0)
    )


def _detail(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "host": either(row, "Source_Host"),
        "port": either(row, "Source_Port"),
        "user": either(row, "Source_User"),
        "source_server_id": int(either(row, "Source_Server_Id") or 0) or None,
        "source_uuid": str(either(row, "Source_UUID") or "").lower() or None,
        "using_gtid": "auto" if int(row["Auto_Position"] or 0) else "No",
        "auto_position": bool(int(row["Auto_Position"] or 0)),
        "receiver_state": either(row, "Replica_IO_Running"),
        "applier_state": either(row, "Replica_SQL_Running"),
        "received_file": either(row, "Source_Log_File"),
        "received_pos": either(row, "Read_Source_Log_Pos"),
        "source_file": either(row, "Relay_Source_Log_File"),
        "source_pos": either(row, "Exec_Source_Log_Pos"),
        "delay_seconds": int(row["SQL_Delay"] or 0),
        "skip_counter": int(row["Skip_Counter"] or 0),
        "filters": {name: str(value) for name, value in row.items() if name.startswith("Replicate_") and value},
    }


def _flat(gtids: Any) -> str:
    """A GTID set without the line breaks that the server puts in."""
    return "".join(str(gtids or "").split())
