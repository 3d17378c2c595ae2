"""Other programs at work on a MySQL or MariaDB server, by their accounts, marks in their statements, and their locks.

Accounts tell only where they are called as these programs' documents propose. Locks and marks are the programs' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.activity import Unseen
from replguard.engines.binlog.privileges import Privileges
from replguard.engines.tools import Does, Tool, Tools, actor, manager, reader
from replguard.errors import PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link

_LOCKS = {
    "maxscale": (Does.manages, "a MaxScale monitor holds its lock", "set the monitor passive for the time of the move"),
    "maxscale_primary": (
        Does.manages,
        "a MaxScale monitor holds the lock of the primary",
        "set the monitor passive for the time of the move",
    ),
    "mha_monitor": (Does.manages, "an MHA manager monitors it", "stop the manager with masterha_stop"),
    "mha_failover": (Does.acts, "MHA fails over right now", "wait until it has ended"),
}
_GROUP = "see performance_schema.replication_group_members, and wait until all members are ONLINE"


def look(server: BinlogServer, readers: Sequence[Link]) -> Tools:
    Privileges(server).require_everywhere("PROCESS", hidden="programs of other users")
    rows = server.run("activity_sessions")
    own = server.account.rpartition("@")[0]
    others = [row for row in rows if row["user"] != own]
    seen = [tool for row in others if (tool := _session(row))]
    seen += _locks(server)
    seen += _dumps(others, readers)
    group, unseen = _group(server)
    return Tools(tuple(dict.fromkeys((*seen, *group, *_galera(server)))), unseen)


def _session(row: Mapping[str, Any]) -> Tool | None:
    user = str(row["user"])
    who = f"session {row['id']} of {user}@{row['host']}"
    return actor(str(row["statement"] or ""), who) or manager(user, who) or reader(user, who)


def _locks(server: BinlogServer) -> Iterator[Tool]:
    held = server.run("tools_locks")[0]
    for name, (does, what, remedy) in _LOCKS.items():
        if held[name] is not None:
            yield Tool(does, f"{what} (connection {held[name]})", remedy)


def _dumps(rows: Sequence[Mapping[str, Any]], readers: Sequence[Link]) -> Iterator[Tool]:
    """Readers of the binlog beyond those of the links, which cannot be told one from the other."""
    dumps = [row for row in rows if str(row["command"]).startswith("Binlog Dump")]
    if len(dumps) > len(readers):
        who = ", ".join(f"{row['user']}@{row['host']}" for row in dumps)
        what = f"{len(dumps)} sessions read its binlog ({who}), and {len(readers)} links do"
        yield Tool(Does.reads, what, "plan how those that are no replica of a cluster of its own follow a move")


def _group(server: BinlogServer) -> tuple[tuple[Tool, ...], tuple[Unseen, ...]]:
    """A group in which a member comes or goes may be about to elect another primary."""
    if server.flavour == "mariadb" or not server.run("tools_group_there")[0]["there"]:
        return (), ()
    try:
        members = [row for row in server.run("tools_group") if row["state"] != "OFFLINE"]
    except PrivilegeError as error:
        return (), (Unseen("how its replication group stands", error.remedy or ""),)
    restless = [f"{row['host']}:{row['port']} is {row['state']}" for row in members if row["state"] != "ONLINE"]
    if restless:
        return (Tool(Does.acts, f"its replication group is not at rest: {', '.join(restless)}", _GROUP),), ()
    if len(members) > 1:
        what = f"it is in a replication group of {len(members)}, which may elect another primary"
        return (Tool(Does.manages, what, "change no member during the move"),), ()
    return (), ()


def _galera(server: BinlogServer) -> Iterator[Tool]:
    if server.flavour != "mariadb" or server.variables.get("wsrep_on", "OFF") != "ON":
        return
    status = {str(row["Variable_name"]).lower(): str(row["Value"]) for row in server.run("tools_galera")}
    state, cluster = status.get("wsrep_local_state_comment"), status.get("wsrep_cluster_status")
    if (state, cluster) != ("Synced", "Primary"):
        what = f"its Galera node is {state} in a component that is {cluster}"
        yield Tool(Does.acts, what, "wait until the node is Synced")
