"""PostgreSQL 14 and later: catalog, rows, subscriptions, publications, and slots read by ``pgoutput``.

The entry is :data:`ENGINE`. The driver is imported when the first connection is made, because importing it costs more
than everything else of a command's start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replguard.endpoint import Endpoint
    from replguard.engines.base import OnStatement, Server


class PostgresEngine:
    """The entry of the registry."""

    name = "postgresql"
    files = None

    def connect(self, endpoint: Endpoint, on_statement: OnStatement) -> Server:
        """Connect and find out who the server is; ConnectError and its children, Unsupported before version 14."""
        from replguard.engines.postgresql.server import PostgresServer  # noqa: PLC0415 - imports the driver

        return PostgresServer(endpoint, on_statement)


ENGINE = PostgresEngine()
