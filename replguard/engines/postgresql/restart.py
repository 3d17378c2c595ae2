"""What a restart changes for a subscription: not the catalog, but settings that wait for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.model.links import Fragility

if TYPE_CHECKING:
    from replguard.engines.postgresql.server import PostgresServer


def changes(target: PostgresServer, publisher: PostgresServer | None) -> tuple[Fragility, ...]:
    """Settings that replication needs and that were changed in a file, to take effect at the next start."""
    return tuple(
        Fragility(
            f"{row['name']} of {server.name} is {row['setting']} now and may be something else after a restart: the "
            "file that sets it was changed",
            f"look in pg_file_settings of {server.name} for {row['name']}, before it is restarted",
            rule=row["name"],
        )
        for server in (publisher, target)
        if server is not None
        for row in server.session.rows("pending_restart")
    )
