"""Whether a subscription's slot still holds what the subscription asks for when it is enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.controls import Reach
from replguard.engines.postgresql.links import slot_of

if TYPE_CHECKING:
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link

_COPY = "copy the target anew: drop the subscription and create it again, with a copy of the tables"


def reach(server: PostgresServer, link: Link) -> Reach:
    """See :meth:`replguard.engines.controls.Reaches.reach`."""
    name = link.detail["slot"]
    slot = slot_of(server, name)
    if slot is None:
        return Reach(there=False, why=f"{link.label} has no slot {name} on {server.name} any more", remedy=_COPY)
    if slot["lost"]:
        why = f"slot {name} of {link.label} is lost ({slot['wal_status']}): {server.name} removed WAL that it needs"
        return Reach(there=False, why=why, remedy=_COPY)
    if slot["wal_status"] == "unreserved":
        return Reach(
            there=None,
            why=f"slot {name} of {link.label} is about to be lost (wal_status unreserved): the next checkpoint of "
            f"{server.name} may remove WAL that it needs",
            remedy="raise max_slot_wal_keep_size there, reload, look at pg_replication_slots again, then resume",
        )
    if slot["wal_status"] is None:
        return Reach(there=None, why=f"slot {name} of {link.label} does not tell whether {server.name} keeps its WAL")
    return Reach(there=True, why=f"slot {name} holds what {link.label} needs (wal_status {slot['wal_status']})")
