"""Scheduled events of a server that start its replication, behind everybody's back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.binlog.privileges import Privileges
from replguard.engines.controls import Restarter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link

_START = re.compile(r"\bSTART\s+(?:ALL\s+)?(?:SLAVES?|REPLICAS?)\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:CALL|EXECUTE)\b", re.IGNORECASE)


def events(server: BinlogServer, link: Link) -> Iterator[Restarter]:
    """What the schedule may do to a stopped link; what of it this user is not shown is said too."""
    if server.variables.get("event_scheduler", "OFF") != "ON":
        return
    opaque = []
    for row in server.run("events"):
        name, body = f"{row['schema_name']}.{row['name']}", row["body"] or ""
        if row["status"] != "ENABLED":
            continue
        if found := _START.search(body):
            yield Restarter(f"the event {name} of {link.target} starts replication ({found[0]})")
        elif _ELSEWHERE.search(body):
            opaque.append(name)
    if opaque:
        named = ", ".join(opaque)
        text = f"events of {link.target} run what their text does not show, and may start {link.label}: {named}"
        yield Restarter(text, sure=False)
    if not Privileges(server).has_everywhere("EVENT"):
        text = f"events of {link.target} that this user is not shown may start {link.label} (EVENT on *.* shows all)"
        yield Restarter(text, sure=False)
