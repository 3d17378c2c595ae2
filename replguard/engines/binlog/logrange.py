"""A part of log files: which changes lie in it, by their place or by their GTID. Pure.

A place bounds transactions by where they begin, GTIDs by whether they were executed. A change that has no GTID is never
left out for its GTID.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.files import is_file_name
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.binlog.events import Flavour
    from replguard.model.changes import Change


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a part: GTIDs, or the index of a file and an offset in it."""

    text: str
    gtids: MySQLGtidSet | MariaDBGtidState | None = None
    file: int = 0
    offset: int = 0

    @classmethod
    def of(cls, text: str, flavour: Flavour, names: Sequence[str]) -> Bound:
        """As a user writes it: ``file:offset`` of one of these files, or GTIDs as a server prints them. ValueError."""
        file, _, offset = text.strip().rpartition(":")
        if file in names and offset.isdecimal():
            return cls(text, file=names.index(file), offset=int(offset))
        try:
            gtids = MySQLGtidSet.parse(text) if flavour == "mysql" else MariaDBGtidState.parse(text)
        except ValueError:
            gtids = None
        if gtids is None or not gtids.covers_anything:
            known = f"; the files are {', '.join(names)}" if is_file_name(file) else ""
            ways = "a time, GTIDs as the server prints them, or file:offset"
            raise ValueError(f"'{text}' is no place in these files: name {ways}{known}")
        return cls(text, gtids)

    def covers(self, transaction: str | None) -> bool | None:
        """Whether the transaction is among the GTIDs; None where there is nothing to tell by."""
        if self.gtids is None or transaction is None:
            return None
        if isinstance(self.gtids, MySQLGtidSet):
            return self.gtids.covers(MySQLGtidSet.parse(transaction))
        domain, _, number = (int(part) for part in transaction.split("-"))
        return number <= self.gtids.last.get(domain, (0, -1))[1]


@dataclass(frozen=True, slots=True)
class Part:
    """What lies after ``since`` and before ``until``; None bounds nothing. ``names`` are the files in their order."""

    names: tuple[str, ...]
    since: Bound | None = None
    until: Bound | None = None

    @classmethod
    def of(cls, names: Sequence[str], flavour: Flavour, since: str | None, until: str | None) -> Part:
        """ValueError for what is no place in these files."""
        bounds = [Bound.of(text, flavour, names) if text else None for text in (since, until)]
        return cls(tuple(names), *bounds)

    def holds(self, change: Change) -> bool:
        """Whether the change lies in this part; what does not tell where it lies does."""
        return not (self.since and self._is_before(change, self.since)) and not (
            self.until and self._is_after(change, self.until)
        )

    def _is_before(self, change: Change, since: Bound) -> bool:
        if since.gtids is not None:
            return since.covers(change.transaction) is True
        place = self._place(str(change.detail.get("file")), change.detail.get("offset"))
        return place is not None and place < (since.file, since.offset)

    def _is_after(self, change: Change, until: Bound) -> bool:
        if until.gtids is not None:
            return until.covers(change.transaction) is False
        file, _, offset = change.position.text.rpartition(":")
        place = self._place(file, int(offset) if offset.isdecimal() else None)
        return place is not None and place >= (until.file, until.offset)

    def _place(self, file: str, offset: int | None) -> tuple[int, int] | None:
        return (self.names.index(file), offset) if file in self.names and offset is not None else None

    def left_out(self) -> tuple[str, ...]:
        """What is not handed out, in words for the coverage."""
        words = (("before", self.since, "--since"), ("after", self.until, "--until"))
        return tuple(f"changes {where} {bound.text} ({option})" for where, bound, option in words if bound)
