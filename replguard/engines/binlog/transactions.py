"""Where the reader stands between transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replguard.engines.binlog.gtid import Gtid


@dataclass(slots=True)
class Transaction:
    """``open``: between its begin and its commit; ``expected``: its GTID came, and nothing else yet."""

    gtid: Gtid | None = None
    open: bool = False
    expected: bool = False

    @property
    def name(self) -> str:
        return (self.gtid and self.gtid.text) or "without GTID"

    def begin(self, gtid: Gtid) -> None:
        """A GTID came. MariaDB's says itself that a transaction begins; MySQL's is followed by BEGIN, or by DDL."""
        self.gtid = gtid
        self.expected = True
        self.open = gtid.domain_id is not None and not gtid.standalone

    def end(self) -> str | None:
        """It is committed: its identifier, where it has one."""
        executed = self.gtid.text if self.gtid else None
        self.gtid, self.open, self.expected = None, False, False
        return executed
