"""MySQL, from 8.0 on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replguard.endpoint import Endpoint
    from replguard.engines.base import LogFiles, OnStatement
    from replguard.engines.mysql.server import MySQLServer


class MySQLEngine:
    """The entry of the registry; the driver is imported when something connects."""

    name = "mysql"

    @property
    def files(self) -> LogFiles:
        """Binlog and relay-log files."""
        from replguard.engines.binlog.logfiles import BinlogFiles  # noqa: PLC0415 - only who reads files pays for it

        return BinlogFiles("mysql")

    def connect(self, endpoint: Endpoint, on_statement: OnStatement) -> MySQLServer:
        """Connect; OtherFlavour where the server is a MariaDB."""
        from replguard.engines.mysql.server import MySQLServer  # noqa: PLC0415 - starting up must be quick

        return MySQLServer(endpoint, on_statement)


ENGINE = MySQLEngine()
