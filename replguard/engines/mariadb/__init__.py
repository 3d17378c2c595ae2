"""MariaDB, from 10.6 on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replguard.endpoint import Endpoint
    from replguard.engines.base import LogFiles, OnStatement
    from replguard.engines.mariadb.server import MariaDBServer


class MariaDBEngine:
    """The entry of the registry; the driver is imported when something connects."""

    name = "mariadb"

    @property
    def files(self) -> LogFiles:
        """Binlog and relay-log files."""
        from replguard.engines.binlog.logfiles import BinlogFiles  # noqa: PLC0415 - only who reads files pays for it

        return BinlogFiles("mariadb")

    def connect(self, endpoint: Endpoint, on_statement: OnStatement) -> MariaDBServer:
        """Connect; OtherFlavour where the server is a MySQL."""
        from replguard.engines.mariadb.server import MariaDBServer  # noqa: PLC0415 - starting up must be quick

        return MariaDBServer(endpoint, on_statement)


ENGINE = MariaDBEngine()
