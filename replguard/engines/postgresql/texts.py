"""Messages of test_decoding to what is handed out, with the origin that the server remembers of each transaction.

The text does not tell who wrote a transaction first. Where the server keeps commit timestamps it is asked, once for all
transactions of a portion.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from replguard.engines.base import Tally
from replguard.engines.postgresql.position import lsn, number
from replguard.engines.postgresql.test_decoding import (
    HEAD,
    UNCHANGED,
    BeginText,
    CommitText,
    PreparedText,
    RowText,
    TruncateText,
    Unreadable,
    parse,
    table_of,
)
from replguard.engines.postgresql.walsender import HEAD as START
from replguard.model.changes import Change, Interest, Operation, Trouble, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from replguard.engines.base import Wanted
    from replguard.engines.postgresql.test_decoding import Text, Values
    from replguard.model.changes import StreamItem
    from replguard.model.positions import Position
    from replguard.model.tables import TableName

_ROW_HEAD = 512
"""Characters within which a row's table stands: two names of 63 bytes, every one of them quoted."""


class Commits(Protocol):
    """What the server remembers of transactions."""

    def of(self, transactions: Iterable[str]) -> Mapping[str, tuple[str | None, datetime | None]]:
        """Origin and commit time, by transaction; None where it does not know."""
        ...


class TextTranslation:
    """Fulfils ``stream.Feed`` for test_decoding. ``tables``: their key, and whether their whole old row is logged."""

    def __init__(
        self,
        wanted: Wanted,
        tables: Mapping[TableName, tuple[tuple[str, ...], bool]],
        room: int,
        *,
        codec: str = "utf-8",
        commits: Commits | None = None,
    ) -> None:
        self.cells: dict[bytes, list[int]] = {}
        self.width = START
        self.items: list[StreamItem] = []
        self.tally = Tally()
        self.reached = 0
        self.stop_at: int | None = None
        self.finished = False
        self._codec = codec
        self._commits = commits
        self._wanted = wanted
        self._tables = tables
        self._room = room
        self._counters: dict[bytes, list[int] | None] = {}
        self._transaction: str | None = None

    def message(self, view: memoryview) -> bool:
        data = view[START:].tobytes()
        if data.startswith(b"table ") and self._counted(data):
            return True
        at = lsn(int.from_bytes(view[1:9], "big"))
        try:
            text = parse(data.decode(self._codec, "surrogateescape"))
        except Unreadable as error:
            evidence = {"bytes": data[:32].hex(), "length": len(data)}
            self.items.append(Trouble(TroubleKind.unknown, f"at {at}: {error}", at, evidence))
        else:
            self._take(text, at)
        return len(self.items) < self._room

    def _counted(self, data: bytes) -> bool:
        """Whether it is a row of a table that is only counted."""
        head = HEAD.match(data, 0, _ROW_HEAD)
        if head is None:
            return False
        name = head[1]
        if name not in self._counters:
            counted = self._wanted.interest(table_of(name, self._codec)) is Interest.counted
            self._counters[name] = [0] if counted else None
        counter = self._counters[name]
        if counter is None:
            return False
        counter[0] += 1
        return True

    def keepalive(self, wal_end: int) -> None:
        self.reached = max(self.reached, wal_end)

    def settle_tally(self) -> None:
        for name, counter in self._counters.items():
            if counter and counter[0]:
                self._add(table_of(name, self._codec), counter[0])
                counter[0] = 0

    def _add(self, table: TableName, rows: int = 1) -> None:
        self.tally.changes[table] = self.tally.changes.get(table, 0) + rows

    def hand_out(self) -> list[StreamItem]:
        """What was gathered, each change with its origin and commit time where the server remembers them."""
        found, self.items = self.items, []
        xids = {item.transaction for item in found if isinstance(item, Change) and item.transaction}
        if not self._commits or not xids:
            return found
        known = self._commits.of(xids)
        return [_with_origin(item, known) if isinstance(item, Change) else item for item in found]

    def _take(self, text: Text, at: Position) -> None:
        if isinstance(text, BeginText):
            self._transaction = str(text.xid)
        elif isinstance(text, RowText):
            self._row(text, at)
        elif isinstance(text, TruncateText):
            for table in text.tables:
                self._add(table)
                self._change(Operation.truncate, table, at, {"detail": {"cascade": text.cascade}})
        elif isinstance(text, CommitText):
            self._end(at, text.committed_at, committed=True)
        elif isinstance(text, PreparedText):
            self._two_phase(text, at)

    def _end(self, at: Position, when: datetime | None, *, committed: bool) -> None:
        self._transaction = None
        self.reached = max(self.reached, number(at))
        if committed:
            self.tally.transactions += 1
            self.tally.last_commit = when or self.tally.last_commit

    def _two_phase(self, text: PreparedText, at: Position) -> None:
        """A slot of ours is not made for two-phase decoding, so this comes only where a server does it all the same."""
        self.items.append(
            Trouble(
                TroubleKind.unknown, f"at {at}: {text.what} in a slot that was not made for it", at, {"xid": text.xid}
            )
        )

    def _row(self, text: RowText, at: Position) -> None:
        self._add(text.table)
        interest = self._wanted.interest(text.table)
        key, full = self._shape(text.table)
        told = _key(key, text.new if text.new is not None else text.old)
        more: dict[str, Any] = {"key": told}
        before = _key(key, text.old) if text.new is not None and text.old is not None else None
        if before and told and before != told:
            more["detail"] = {"old_key": before}
        if interest >= Interest.keyed and full:
            more["changed"] = _changed(text)
        if interest is Interest.whole:
            more |= {"before": _known(text.old), "after": _known(text.new)}
        self._change(Operation(text.operation), text.table, at, more)

    def _shape(self, table: TableName) -> tuple[tuple[str, ...], bool]:
        shape = self._wanted.shape(table)
        key, full = self._tables.get(table, ((), False))
        return (shape.key if shape else key), full

    def _change(self, operation: Operation, table: TableName, at: Position, more: dict[str, Any]) -> None:
        self.items.append(Change(operation, (table,), at, self._transaction, **more))


def _with_origin(change: Change, known: Mapping[str, tuple[str | None, datetime | None]]) -> Change:
    origin, committed_at = known.get(change.transaction or "", (None, None))
    return replace(change, origin=origin, committed_at=committed_at)


def _key(columns: tuple[str, ...], values: Values | None) -> dict[str, Any] | None:
    if not columns or values is None or any(values.get(name, UNCHANGED) is UNCHANGED for name in columns):
        return None
    return {name: values[name] for name in columns}


def _changed(row: RowText) -> frozenset[str] | None:
    """Where the whole old row is there, which leaves out what is null."""
    if row.operation != "update" or row.old is None or row.new is None:
        return None
    old = row.old
    return frozenset(name for name, value in row.new.items() if value is not UNCHANGED and old.get(name) != value)


def _known(values: Values | None) -> dict[str, Any] | None:
    return None if values is None else {name: value for name, value in values.items() if value is not UNCHANGED}
