"""Other programs at work on a PostgreSQL database: by what they say of themselves, their extensions and their slots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.tools import Does, Tool, Tools, actor, manager, reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link


def look(server: PostgresServer, readers: Sequence[Link]) -> Tools:
    return Tools((*_programs(server, readers), *_extensions(server), *_slots(server, readers)))


def _programs(server: PostgresServer, readers: Sequence[Link]) -> Iterator[Tool]:
    ours = {link.name for link in readers}
    for row in server.session.rows("tools_programs"):
        if row["program"] in ours:
            continue
        who = f"{row['sessions']} sessions of {row['role']}, {row['program']}"
        for kind in (actor, manager, reader):
            if tool := kind(row["program"], who):
                yield tool
                break


def _extensions(server: PostgresServer) -> Iterator[Tool]:
    for row in server.session.rows("tools_extensions"):
        what = f"it has the extension {row['name']}, which replicates or switches over by itself"
        yield Tool(Does.manages, what, "see that it does nothing during the move")


def _slots(server: PostgresServer, readers: Sequence[Link]) -> Iterator[Tool]:
    ours = {link.detail.get("slot") for link in readers}
    for row in server.session.rows("tools_slots"):
        if row["name"] not in ours:
            state = "is read" if row["active"] else "is read by nobody now"
            what = f"its slot {row['name']} ({row['plugin']}) is of no link that is known, and {state}"
            yield Tool(Does.reads, what, "plan how its reader is to follow a move, or drop the slot")
