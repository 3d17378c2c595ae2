"""How long a slot that nobody reads is kept: by the WAL that may still be written, and by its age.

A slot is lost when more WAL than ``max_slot_wal_keep_size`` lies behind it and a checkpoint comes; by default that
knows no bounds, and the disk is the limit, of which SQL tells nothing. ``wal_status`` is ``unreserved`` before it is
``lost``. Since version 18 ``idle_replication_slot_timeout`` gives up slots that are not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.controls import Kept

if TYPE_CHECKING:
    from replguard.engines.postgresql.server import PostgresServer

_NO_DISK = "how much room is left on the disk of pg_wal, which PostgreSQL does not tell"
_LONG_ENOUGH = 600.0
"""Seconds over which the server must have counted its WAL for a rate to be worth telling."""


def kept(server: PostgresServer, slot: str | None) -> Kept:
    """What the slot of this name keeps."""
    found = server.session.rows("slot_kept", {"slot": slot}, doing=f"reading what slot {slot} keeps") if slot else []
    if not found:
        return Kept(None, lost=f"slot {slot} is gone from {server.name}")
    row = found[0]
    if row["wal_status"] == "lost" or row["kept"] is None:
        return Kept(row["written"], lost=f"slot {slot} on {server.name} is lost (wal_status {row['wal_status']})")
    limited = row["safe_wal_size"] is not None
    free = max(row["safe_wal_size"], 0) if limited else None
    idle = row["idle_left"]
    return Kept(
        written=row["written"],
        bytes_kept=row["kept"],
        bytes_free=free,
        limit=f"max_slot_wal_keep_size = {row['most']}" if limited else "",
        seconds=max(idle, 0.0) if idle is not None else None,
        age_limit="idle_replication_slot_timeout" if idle is not None else "",
        mean=row["mean"] if (row["mean_seconds"] or 0.0) >= _LONG_ENOUGH else None,
        no_disk=_NO_DISK,
        danger=_danger(slot, row["wal_status"], idle),
    )


def _danger(slot: str | None, status: str | None, idle: float | None) -> str | None:
    if status == "unreserved":
        return f"slot {slot} is unreserved: the next checkpoint may remove WAL that it needs"
    if idle is not None and idle <= 0:
        return (
            f"slot {slot} has been idle for longer than idle_replication_slot_timeout: the next checkpoint gives it up"
        )
    return None
