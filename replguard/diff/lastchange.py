"""The last change of some keys, gathered from a stream as it is read. Pure.

A truncate, DDL and a statement that name a table count for all its keys; a changed key counts for the old one and the
new one. No more is kept than one change for each key that is wanted, and for each in a transaction still open.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from replguard.model.changes import Change, Interest, Operation, TransactionEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from replguard.engines.base import Row
    from replguard.model.changes import StreamItem
    from replguard.model.tables import Table, TableName

    Place = tuple[TableName, Row | None]
    """A table by the name that the pair has for it, and a key; None for all its keys."""

_ROWS = frozenset({Operation.insert, Operation.update, Operation.delete})
MOST_TROUBLES = 3
"""Troubles that are told in words; all are counted."""


@dataclass(frozen=True, slots=True)
class Aim:
    """A table with the keys that are wanted of it, as one cluster has it; ``name`` is the pair's name for it.

    ``table.key`` are the columns that the keys hold, in that order.
    """

    name: TableName
    table: Table
    keys: frozenset[Row]


@dataclass(frozen=True, slots=True)
class Seen:
    """A change as the evidence tells it. ``order`` grows along the stream."""

    order: int
    operation: Operation
    transaction: str | None
    position: str
    committed_at: datetime | None
    origin: str | None
    columns: tuple[str, ...] | None = None

    def told(self, cluster_of: Callable[[str], str | None]) -> dict[str, Any]:
        """As plain data; ``cluster_of`` names the cluster that has an identity."""
        return {
            "transaction": self.transaction,
            "position": self.position,
            "committed_at": self.committed_at.isoformat() if self.committed_at else None,
            **origin_told(self.origin, cluster_of),
            "operation": self.operation.value,
            "columns": list(self.columns) if self.columns is not None else None,
            "told_by": "stream",
        }


def origin_told(origin: str | None, cluster_of: Callable[[str], str | None]) -> dict[str, Any]:
    """Who wrote first: the cluster's name where the identity is known, else the identity; and the identity."""
    return {"origin": (cluster_of(origin) or origin) if origin else None, "identity": origin}


@dataclass(slots=True)
class LastChanges:
    """Takes in one cluster's stream. ``aims`` go by the name under which the stream has the table (or a partition).

    ``meant`` gives the tables that a name in the stream stands for. What was committed before ``begins`` is passed
    over. ``untold`` counts row changes of a table that do not tell their key, ``opaque`` the statements that may have
    changed tables they do not name.
    """

    aims: Mapping[TableName, Aim]
    meant: Callable[[TableName], tuple[TableName, ...]]
    begins: datetime | None = None
    untold: dict[TableName, int] = field(default_factory=dict)
    opaque: int = 0
    troubles: list[str] = field(default_factory=list)
    more_troubles: int = 0
    _last: dict[Place, Seen] = field(default_factory=dict)
    _open: dict[str, dict[Place, Seen]] = field(default_factory=dict)
    _count: int = 0

    def interest(self, name: TableName) -> Interest:
        return Interest.keyed if name in self.aims else Interest.counted

    def shape(self, name: TableName) -> Table | None:
        aim = self.aims.get(name)
        return aim.table if aim else None

    def take(self, item: StreamItem) -> None:
        """What came next."""
        if isinstance(item, Change):
            self._change(item)
        elif isinstance(item, TransactionEnd):
            self._ended(item)
        elif len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(item.message)
        else:
            self.more_troubles += 1

    def of(self, name: TableName, key: Row) -> tuple[Seen | None, Seen | None]:
        """The last change that counts for the key, and where that was one of the whole table, the row's own last."""
        row, whole = self._last.get((name, key)), self._last.get((name, None))
        if whole is None or (row and row.order > whole.order):
            return row, None
        return whole, row

    def _change(self, change: Change) -> None:
        if self.begins and change.committed_at and change.committed_at < self.begins:
            return
        if change.operation is Operation.statement:
            self.opaque += 1
        self._count += 1
        columns = tuple(sorted(change.changed)) if change.changed is not None else None
        seen = Seen(
            self._count,
            change.operation,
            change.transaction,
            change.position.text,
            change.committed_at,
            change.origin,
            columns,
        )
        for place in self._places(change):
            if change.pending and change.transaction is not None:
                self._open.setdefault(change.transaction, {})[place] = seen
            else:
                self._last[place] = seen

    def _places(self, change: Change) -> Iterator[Place]:
        """The wanted keys that the change counts for."""
        if change.operation not in _ROWS:
            meant = (name for written in change.tables for name in self.meant(written))
            yield from {(self.aims[name].name, None) for name in meant if name in self.aims}
            return
        aim = self.aims.get(change.tables[0])
        if aim is None:
            return
        keys = [_key(aim.table, change.key)]
        if "old_key" in change.detail:
            keys.append(_key(aim.table, change.detail["old_key"]))
        if None in keys:
            self.untold[aim.name] = self.untold.get(aim.name, 0) + 1
        yield from ((aim.name, key) for key in keys if key in aim.keys)

    def _ended(self, end: TransactionEnd) -> None:
        """What an open transaction changed counts from its commit on."""
        for place, seen in self._open.pop(end.transaction, {}).items():
            if end.committed:
                self._count += 1
                self._last[place] = replace(
                    seen, order=self._count, position=end.position.text, committed_at=end.committed_at
                )


def _key(table: Table, told: Mapping[str, Any] | None) -> Row | None:
    """A key as rows are read with it; None where the stream does not tell all of it."""
    try:
        return table.key_values(told) if told is not None else None
    except ValueError:
        return None
