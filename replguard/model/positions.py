"""Where in a stream something is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PositionKind(StrEnum):
    gtid = "gtid"
    file = "file"
    lsn = "lsn"


@dataclass(frozen=True, slots=True)
class Position:
    """A GTID set, a binlog file and offset (``binlog.000007:1234``), or an LSN.

    The text is what the server prints. Outside its engine a position is only shown, stored and handed back: order and
    containment are the engine's business.
    """

    kind: PositionKind
    text: str

    def __str__(self) -> str:
        return self.text
