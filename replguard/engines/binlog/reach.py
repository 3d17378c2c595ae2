"""Whether the binlog of a source still holds what a stopped link asks for when it is started.

A link that goes by GTIDs asks for what its server has not; one that goes by file and offset asks for the place up to
which it has received.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
from replguard.engines.binlog.places import as_text
from replguard.engines.controls import Reach

if TYPE_CHECKING:
    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link

_REMEDY = "copy the target anew from its source, or bring back the binlog files from a backup"


def reach(server: BinlogServer, target: BinlogServer, link: Link) -> Reach:
    """See :meth:`replguard.engines.controls.Reaches.reach`. Raises ServerError where the servers do not tell."""
    if not link.detail.get("auto_position"):
        return _by_file(server, link)
    return (_by_set if server.flavour == "mysql" else _by_domain)(server, target, link)


def _by_set(server: BinlogServer, target: BinlogServer, link: Link) -> Reach:
    """MySQL sends everything that the target has neither executed nor received; none of it may be purged."""
    purged = MySQLGtidSet.parse(as_text(server.run("stream_purged")[0]["purged"]))
    executed = as_text(target.run("gtids")[0]["executed"])
    held = MySQLGtidSet.parse(",".join(filter(None, (executed, link.received.text if link.received else ""))))
    if held.covers(purged):
        return Reach(there=True, why=f"{server.name} has purged nothing that {target.name} lacks")
    return Reach(
        there=False,
        why=f"{server.name} has purged binlog files with transactions that {target.name} has neither executed nor "
        f"received: purged is {purged}",
        remedy=_REMEDY,
    )


def _by_domain(server: BinlogServer, target: BinlogServer, link: Link) -> Reach:
    """MariaDB looks for the file that begins at or before the target's position, in every domain that it holds."""
    oldest = as_text(server.run("stream_files")[0]["Log_name"])
    begins = server.run("snapshot_gtids", oldest, _HEAD)[0]["gtids"]
    if begins is None:
        return Reach(there=None, why=f"{server.name} does not tell with which GTIDs {oldest} begins")
    row = target.run("gtids")[0]
    current = str(link.detail.get("using_gtid")).casefold() == "current_pos"
    asked = MariaDBGtidState.parse(as_text(row["current_pos" if current else "slave_pos"]))
    missing = [
        f"{domain}-{writer}-{number}"
        for domain, (writer, number) in MariaDBGtidState.parse(as_text(begins)).last.items()
        if asked.last.get(domain, (0, -1))[1] < number
    ]
    if not missing:
        return Reach(there=True, why=f"{oldest}, the oldest of {server.name}, begins at or before {asked}")
    return Reach(
        there=False,
        why=f"the oldest binlog file of {server.name}, {oldest}, begins after {', '.join(missing)}, and {link.label} "
        f"stands at {str(asked) or 'the very beginning'}",
        remedy=_REMEDY,
    )


_HEAD = 4
"""Where the first event of a file stands."""


def _by_file(server: BinlogServer, link: Link) -> Reach:
    file, offset = link.detail.get("received_file"), link.detail.get("received_pos")
    if not file or offset is None:
        return Reach(there=None, why=f"{link.label} does not tell up to where it has received")
    sizes = {as_text(row["Log_name"]): int(row["File_size"]) for row in server.run("stream_files")}
    if file not in sizes:
        why = f"{link.label} stands in {file}, which {server.name} has no longer"
        return Reach(there=False, why=why, remedy=_REMEDY)
    if int(offset) > sizes[file]:
        why = f"{link.label} stands at {file}:{offset}, and that file of {server.name} ends at {sizes[file]}"
        return Reach(there=False, why=why, remedy=_REMEDY)
    return Reach(there=True, why=f"{server.name} has {file}, in which {link.label} stands")
