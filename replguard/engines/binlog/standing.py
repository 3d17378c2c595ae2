"""Where a reader stands: what it knows of the stream between two events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from replguard.engines.base import Tally
from replguard.engines.binlog.files import order
from replguard.engines.binlog.known import KnownTables
from replguard.engines.binlog.transactions import Transaction
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from replguard.engines.base import Wanted
    from replguard.engines.binlog.events import Flavour, Format
    from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet

_NEVER = 1 << 62


class Standing:
    """State that the quick path and the careful path share.

    ``offset`` is where the next event stands in ``file``; ``boundary`` is the place after the last commit.
    """

    __slots__ = (
        *(
            "anonymous",
            "at_head",
            "begins",
            "boundary",
            "file",
            "files",
            "flavour",
            "form",
            "gtids",
            "known",
            "offset",
        ),
        *("plain", "tally", "transaction", "until"),
    )

    def __init__(self, flavour: Flavour, wanted: Wanted, file: str, offset: int) -> None:
        self.flavour = flavour
        self.file = file
        self.files = 0
        """How many files have begun."""
        self.offset = offset
        self.boundary = (file, offset)
        self.form: Format | None = None
        self.plain = False
        """Whether the present file is one for the quick path."""
        self.gtids: MySQLGtidSet | MariaDBGtidState | None = None
        self.at_head: MySQLGtidSet | MariaDBGtidState | None = None
        """An empty set that the head of the first file told: it counts once a transaction with a GTID follows."""
        self.anonymous = False
        self.known = KnownTables(flavour, wanted)
        self.transaction = Transaction(flavour)
        self.begins: set[bytes] = set()
        """Bodies of query events (from the schema's length on) that are known to say BEGIN and nothing else."""
        self.tally = Tally()
        self.until: tuple[str, int] | None = None
        """File and offset at which reading stops."""

    @property
    def position(self) -> Position:
        """The last commit boundary: everything before it was handed out."""
        if self.gtids is not None:
            return Position(PositionKind.gtid, str(self.gtids))
        return self.place

    @property
    def place(self) -> Position:
        """The last commit boundary by file and offset."""
        return Position(PositionKind.file, "{}:{}".format(*self.boundary))

    @property
    def stop_at(self) -> int:
        """The offset in this file at which reading stops."""
        return self.stop_in(self.file)

    def stop_in(self, file: str) -> int:
        if self.until is None or order(file) < order(self.until[0]):
            return _NEVER
        return self.until[1] if order(file) == order(self.until[0]) else 0

    def note_boundary(self) -> None:
        if not self.transaction.open and not self.transaction.expected:
            self.boundary = (self.file, self.offset)

    def note_began(self, timestamp: int) -> None:
        """A file was begun then, the first of which the beginning was read."""
        if timestamp and self.tally.began is None:
            self.tally.began = datetime.fromtimestamp(timestamp, UTC)

    def note_commits(self, count: int, timestamp: int) -> None:
        self.tally.transactions += count
        if timestamp:
            self.tally.last_commit = datetime.fromtimestamp(timestamp, UTC)

    def note_counted(self) -> None:
        """Carry what was only counted into the tally."""
        changes = self.tally.changes
        for known in self.known.counted():
            changes[known.name] = changes.get(known.name, 0) + known.events
            known.events = 0
