"""How busy a server is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.privileges import Privileges

if TYPE_CHECKING:
    from replguard.engines.binlog.server import BinlogServer


def sees_all(server: BinlogServer) -> bool:
    """Whether this user is shown what others run."""
    return Privileges(server).has_everywhere("PROCESS")


def running(server: BinlogServer) -> int | None:
    """Statements of clients that run now, this one not counted; replication's own threads and dumps are none.

    None where the list is not kept: then it lacks even the thread that asks.
    """
    row = server.run("running")[0]
    return int(row["others"] or 0) if row["own"] else None
