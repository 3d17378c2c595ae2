"""What keeps channels of a MySQL server stopped when it starts again, and what would start them.

``SET PERSIST_ONLY skip_replica_start`` holds for all channels of the server from its next start on, so it is set only
where nobody else's channel would be left stopped by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.controls import Restarter, Step
from replguard.errors import ControlError, PrivilegeError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.binlog.replication import Status
    from replguard.engines.mysql.server import MySQLServer
    from replguard.model.links import Link

_ACTION = "skip start"
_NAMES = ("skip_replica_start", "skip_slave_start")


def survives(server: MySQLServer) -> bool:
    """Whether no channel will start with the server.

    The command line goes before what is persisted, and that before option files. What the running server has from a
    value that was persisted then says nothing of the next start.
    """
    running = any(server.variables.get(name) == "ON" for name in _NAMES)
    sources = {str(row["source"]) for row in server.run("skip_start_source")}
    if "COMMAND_LINE" in sources:
        return running
    persisted = _persisted(server)
    if persisted is not None and server.variables.get("persisted_globals_load") == "ON":
        return persisted == "ON"
    return running and "PERSISTED" not in sources


def hold(server: MySQLServer, link: Link, others: Iterator[Status]) -> tuple[Step, ...]:
    """See :meth:`replguard.engines.controls.StaysStopped.hold`; ``others`` are the server's other channels."""
    if survives(server):
        return ()
    if server.variables.get("persisted_globals_load") != "ON":
        raise Unsupported(f"{server.name} does not load what is persisted (persisted_globals_load)")
    if running := [
        status.name or "the default one" for status in others if (status.receiver, status.applier) != ("No", "No")
    ]:
        raise Unsupported(f"it would leave other channels of {server.name} stopped as well: {', '.join(running)}")
    before = _persisted(server)
    return (
        Step(
            server.name,
            link.name,
            _ACTION,
            f"leave all channels of {server.name} stopped when it starts",
            (server.text("skip_start"),),
            (server.text("skip_start_reset" if before is None else "skip_start_off"),),
            {"before": before},
        ),
    )


def do(server: MySQLServer, step: Step) -> None:
    _send(server, "skip_start")
    if _persisted(server) != "ON":
        raise ControlError(f"skip_replica_start was set on {step.cluster} and is not persisted", cluster=step.cluster)


def undo(server: MySQLServer, step: Step) -> None:
    before = step.detail.get("before")
    _send(server, "skip_start_reset" if before is None else "skip_start_off")
    if _persisted(server) != before:
        raise ControlError(f"skip_replica_start is persisted on {step.cluster} still", cluster=step.cluster)


def restarters(server: MySQLServer, link: Link) -> Iterator[Restarter]:
    """See :meth:`replguard.engines.controls.StaysStopped.restarters`."""
    if not survives(server):
        yield Restarter(f"a restart of {link.target} starts {link.label} again: skip_replica_start is off there")
    try:
        rows = server.run("auto_failover", link.name)
    except PrivilegeError as error:
        unknown = f"whether a replication group of {link.target} may start {link.label} is not known: {error.message}"
        yield Restarter(unknown, sure=False)
        return
    if rows and rows[0]["failover"]:
        yield Restarter(
            f"{link.label} has SOURCE_CONNECTION_AUTO_FAILOVER: a replication group of {link.target} starts it where "
            "it elects a primary"
        )


def _persisted(server: MySQLServer) -> str | None:
    values = {str(row["value"]) for row in server.run("skip_start_persisted")}
    return ("ON" if "ON" in values else "OFF") if values else None


def _send(server: MySQLServer, name: str) -> None:
    with server.open("control", read_only=False) as session:
        session.run(name)
