"""Links into a MariaDB server: SHOW ALL SLAVES STATUS, and what of a GTID position is applied."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.identity import triples
from replguard.engines.binlog.replication import POLL_SECONDS, BinlogReplication, Status, lag_of, require_gtid
from replguard.engines.binlog.restarting import events
from replguard.engines.controls import Restarter
from replguard.errors import Unsupported
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from replguard.engines.base import Server
    from replguard.engines.binlog.connection import Session
    from replguard.engines.controls import Step
    from replguard.engines.mariadb.server import MariaDBServer
    from replguard.model.links import Link


class MariaDBReplication(BinlogReplication):
    _server: MariaDBServer

    def statuses(self) -> tuple[Status, ...]:
        rows = self._server.run("replica_status")
        applied = str(self._server.run("gtids")[0]["slave_pos"] or "") if rows else ""
        return tuple(_status(row, applied) for row in rows)

    def position(self) -> Position:
        """The binlog's end; without a binlog the current position."""
        row = self._server.run("gtids")[0]
        return Position(PositionKind.gtid, str(row["binlog_pos"] or row["current_pos"] or ""))

    def identity_of(self, peer: Server) -> str:
        return str(peer.identity.detail.get("server_id"))

    def wait_slice(self, session: Session, link: Link, position: Position, seconds: float) -> bool:  # noqa: ARG002
        """Poll: MASTER_GTID_WAIT would wait for ever for domains that the link does not bring, such as our own."""
        deadline = time.monotonic() + seconds
        while not self._applied(session.run("gtids")[0], require_gtid(position)):
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def drained(self, status: Status) -> bool:
        """By GTID where the receiver keeps one, which counts whole transactions; else by the place in the binlog."""
        if status.received is None:
            return status.received_place == status.applied_place
        return self._applied(self._server.run("gtids")[0], status.received.text)

    def hold(self, link: Link, ours: Collection[str]) -> tuple[Step, ...]:  # noqa: ARG002 - nothing can be set here
        """Nothing: skip_slave_start is an option of the server's start alone, and no variable tells of it."""
        return ()

    def do(self, step: Step) -> None:
        raise Unsupported(f"MariaDB knows no step {step.action!r}", cluster=step.cluster)

    undo = do

    def restarters(self, link: Link) -> tuple[Restarter, ...]:
        restart = (
            f"a restart of {link.target} starts {link.label} again, unless it runs with skip_slave_start, which it "
            "does not tell"
        )
        return (Restarter(restart), *events(self._server, link))

    def _applied(self, row: Mapping[str, Any], gtids: str) -> bool:
        return applied(
            gtids,
            by_link=str(row["slave_pos"] or ""),
            logged=str(row["binlog_state"] or ""),
            server_id=str(self._server.identity.detail["server_id"]),
        )


def applied(gtids: str, *, by_link: str, logged: str, server_id: str) -> bool:
    """Whether a server has everything up to ``gtids``.

    ``by_link`` is its gtid_slave_pos, which moves when a replicated transaction is committed. What the server wrote
    itself never shows there, nor does a domain that was never replicated to it: these are looked up in ``logged``, its
    gtid_binlog_state.

    >>> applied("1-1-5,2-2-9", by_link="1-1-5", logged="1-1-5,2-2-9", server_id="2")
    True
    >>> applied("1-1-6,2-2-9", by_link="1-1-5", logged="1-1-6,2-2-9", server_id="2")
    False
    >>> applied("1-1-5,7-7-1", by_link="1-1-5", logged="1-1-5", server_id="2")
    False
    """
    replicated = {domain: number for domain, _, number in triples(by_link)}
    written = {(domain, server): number for domain, server, number in triples(logged)}
    return all(
        replicated.get(domain, -1) >= number
        or ((server == server_id or domain not in replicated) and written.get((domain, server), -1) >= number)
        for domain, server, number in triples(gtids)
    )


def _status(row: Mapping[str, Any], applied_gtids: str) -> Status:
    by_gtid = str(row["Using_Gtid"]) != "No"
    received = Position(PositionKind.gtid, str(row["Gtid_IO_Pos"])) if by_gtid and row["Gtid_IO_Pos"] else None
    source_id = int(row["Master_Server_Id"] or 0)
    return Status(
        name=row["Connection_name"],
        host=str(row["Master_Host"]),
        port=str(row["Master_Port"]),
        receiver=row["Slave_IO_Running"],
        applier=row["Slave_SQL_Running"],
        errors=_errors(row),
        source_id=str(source_id) if source_id else None,
        received=received,
        applied=Position(PositionKind.gtid, applied_gtids),
        received_place=(row["Master_Log_File"], int(row["Read_Master_Log_Pos"])),
        applied_place=(row["Relay_Master_Log_File"], int(row["Exec_Master_Log_Pos"])),
        lag_seconds=lag_of(row["Seconds_Behind_Master"], row["Slave_IO_Running"], row["Slave_SQL_Running"]),
        detail=_detail(row),
    )


def _errors(row: Mapping[str, Any]) -> tuple[str, ...]:
    found = (
        f"{thread}: {row[f'Last_{short}_Error'] or 'error'} ({row[f'Last_{short}_Errno']})"
        for thread, short in (("receiver", "IO"), ("applier", "SQL"))
        if int(row[f"Last_{short}_Errno"] or 0)
    )
    return tuple(found)


def _detail(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "host": row["Master_Host"],
        "port": row["Master_Port"],
        "user": row["Master_User"],
        "source_server_id": int(row["Master_Server_Id"] or 0) or None,
        "source_uuid": None,
        "using_gtid": row["Using_Gtid"],
        "auto_position": row["Using_Gtid"] != "No",
        "receiver_state": row["Slave_IO_Running"],
        "applier_state": row["Slave_SQL_Running"],
        "received_file": row["Master_Log_File"],
        "received_pos": row["Read_Master_Log_Pos"],
        "source_file": row["Relay_Master_Log_File"],
        "source_pos": row["Exec_Master_Log_Pos"],
        "delay_seconds": int(row["SQL_Delay"] or 0),
        "skip_counter": int(row["Skip_Counter"] or 0),
        "parallel_mode": row.get("Parallel_Mode"),
        "filters": {name: str(value) for name, value in row.items() if name.startswith("Replicate_") and value},
    }
