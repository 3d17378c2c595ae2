"""Who wrote rows that stand: each remembers its transaction, and the server the origin and time of transactions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from replguard.engines.base import Written
from replguard.engines.postgresql.own import remembers_origins, writer
from replguard.errors import Unsupported

if TYPE_CHECKING:
    from replguard.engines.base import Row
    from replguard.engines.postgresql.server import PostgresServer

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def require_origins(server: PostgresServer) -> None:
    """Raises Unsupported where the server does not remember from where transactions came."""
    if not remembers_origins(server):
        raise Unsupported(
            f"{server.name}: rows do not tell their origin, because track_commit_timestamp is off",
            remedy="ALTER SYSTEM SET track_commit_timestamp = on, then restart the server",
            cluster=server.name,
        )


def written_by(server: PostgresServer, found: Row) -> Written:
    """From what ``written.sql`` yields: transaction, number and name of the origin, microseconds since 1970.

    A transaction that is forgotten has no number, an origin that was dropped (an initial copy) no name.
    """
    xid, number, name, micros = (None if value is None else value.decode() for value in found)
    if number == "0":
        origin: str | None = server.identity.text
    else:
        origin = writer(server, name) if number and name else None
    return Written(str(xid), _EPOCH + timedelta(microseconds=int(micros)) if micros else None, origin)
