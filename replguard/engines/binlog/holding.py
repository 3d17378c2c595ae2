"""Whether what lies below a position of a binlog holds a change of it, for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.files import order
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
from replguard.model.positions import PositionKind

if TYPE_CHECKING:
    from replguard.model.changes import Change
    from replguard.model.positions import Position


class Below:
    """Everything below one position; parsed once, asked often."""

    def __init__(self, flavour: str, position: Position) -> None:
        self._gtids: MySQLGtidSet | MariaDBGtidState | None = None
        self._place: tuple[object, int] | None = None
        if position.kind is PositionKind.gtid:
            self._gtids = (MariaDBGtidState if flavour == "mariadb" else MySQLGtidSet).parse(position.text)
        elif position.kind is PositionKind.file and position.text:
            file, _, offset = position.text.rpartition(":")
            self._place = (order(file), int(offset))

    def holds(self, change: Change) -> bool:
        """False for what is only prepared: its identifier is that of the preparing."""
        if change.pending:
            return False
        if self._gtids is not None:
            return change.transaction is not None and self._gtids.holds(change.transaction)
        file, offset = change.detail.get("file"), change.detail.get("offset")
        if self._place is None or not file or offset is None:
            return False
        return (order(file), int(offset)) < self._place
