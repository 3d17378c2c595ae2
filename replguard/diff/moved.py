"""What a link's stream says has moved: rows of config tables by key, and tables as a whole where no key tells.

A table moves as a whole by a truncate, DDL, a statement that travels as text (which may write any table), a change
without its full key, and where a change of a parent acts on it through a foreign key: what engines do then stands in no
stream. Changes that the target's filters drop do not move anything; names are followed where filters rewrite them, and
partitions count for the table with which they are read.

Changes of a transaction that is only prepared count from its commit on. What is not understood in a stream, or missing,
ends the reading: nobody can say then what moved.

Keys are in the canonical form in which rows are read. Memory is bounded: beyond :data:`MOST_KEYS` keys the table that
grows counts as moved as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

from replguard.errors import StreamError
from replguard.model.changes import Change, Interest, Operation, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.engines.base import LinkFilters, Row
    from replguard.model.changes import StreamItem, TransactionEnd
    from replguard.model.links import Link
    from replguard.model.tables import ForeignKey, Table, TableName

MOST_KEYS = 400_000
"""Keys that are kept for one link."""
_ACTS = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})
_ROWS = frozenset({Operation.insert, Operation.update, Operation.delete})


@dataclass(frozen=True, slots=True)
class Touch:
    """A change of something; ``number`` counts in the order of reading. ``change`` is without key and values."""

    number: int
    change: Change


@dataclass(slots=True)
class _Moved:
    """Of one table: the last touch of each key, of the table as a whole, and of anything in it."""

    rows: dict[Row, Touch] = field(default_factory=dict)
    whole: Touch | None = None
    last: Touch | None = None


class Moves:
    """What moves over one link. Tables are named as the pair names them (:attr:`PairedTable.name`).

    ``cascades`` says that foreign keys act where changes are applied, or stand in no stream where they were made.
    """

    def __init__(
        self, tables: TableMap, link: Link, filters: LinkFilters, compared: Sequence[PairedTable], *, cascades: bool
    ) -> None:
        self._tables = tables
        self._source, self._target = str(link.source), link.target
        self._label = link.label
        self._filters = filters
        self._compared = {table.name: table for table in compared}
        self._index = {side: read_with(tables, compared, side) for side in (self._source, self._target)}
        self._folds = any(table.folds_names for table in compared)
        self._known: dict[TableName, tuple[TableName, ...]] = {}
        self._acting = _acting(tables) if cascades else {}
        self._moved: dict[TableName, _Moved] = {}
        self._open: dict[str, dict[tuple[TableName, Row | None], Change]] = {}
        self._waiting = 0
        self._lock = Lock()
        self._number = 0
        self._keys = 0
        self._shared: Change | None = None

    # What is asked of the stream

    def interest(self, name: TableName) -> Interest:
        """Keys of what is compared, and of what acts on it; nothing of the rest."""
        moves = self._tables_of(name) or self._acted_on(name, None)
        return Interest.keyed if moves else Interest.counted

    def shape(self, name: TableName) -> Table | None:
        return self._tables.on(self._source).get(name)

    # What the stream tells

    def take(self, item: StreamItem) -> None:
        """Take in what comes next. StreamError for what cannot be understood, after which nothing is certain."""
        if isinstance(item, Trouble):
            message = f"in what {self._label} carries something cannot be judged: {item.message}"
            raise StreamError(message, cluster=self._source)
        applies = not isinstance(item, Change) or self._filters.applies(item).crosses is not False
        with self._lock:
            self._number += 1
            if not isinstance(item, Change):
                self._end(item)
            elif applies:
                self._change(item)

    def _end(self, item: TransactionEnd) -> None:
        waited = self._open.pop(item.transaction, {})
        self._waiting -= len(waited)
        if item.committed:
            for (table, key), change in waited.items():
                self._touch(table, key, _decided(change, item))

    def _change(self, change: Change) -> None:
        for table, key in self._touched(change):
            if change.pending and change.transaction is not None:
                self._wait(change.transaction, table, key, self._stripped(change))
            else:
                self._touch(table, key, self._stripped(change))

    def _wait(self, transaction: str, table: TableName, key: Row | None, change: Change) -> None:
        """Keep a change until it is known what becomes of its transaction; beyond the bound, by its table alone."""
        waiting = self._open.setdefault(transaction, {})
        before = len(waiting)
        waiting[table, key if self._waiting < MOST_KEYS else None] = change
        self._waiting += len(waiting) - before

    def _touched(self, change: Change) -> Iterable[tuple[TableName, Row | None]]:
        """The compared tables that a change moves, with the key where it is one row of it that moves."""
        if change.operation is Operation.statement:
            return [(name, None) for name in self._compared]
        if change.operation not in _ROWS:
            written = [one for name in change.tables for one in self._tables.meant(self._source, name)]
            moved = {table for name in written for table in self._tables_of(name)}
            return [(table, None) for table in moved]
        found: list[tuple[TableName, Row | None]] = []
        for name in change.tables:
            for table in self._tables_of(name):
                found += [(table, key) for key in self._keys_of(table, change)]
            found += [(table, None) for table in self._acted_on(name, change)]
        return found

    def _keys_of(self, table: TableName, change: Change) -> list[Row | None]:
        """The key, and the one before where it was changed; None where one of them is not known for certain."""
        keys = [change.key]
        if "old_key" in change.detail:
            keys.append(change.detail["old_key"])
        sides = self._compared[table].sides
        found = [_canonical(sides[self._source], key) for key in keys]
        return [None] if None in found else found

    def _touch(self, table: TableName, key: Row | None, change: Change) -> None:
        moved = self._moved.setdefault(table, _Moved())
        touch = moved.last = Touch(self._number, change)
        if key is None:
            moved.whole = touch
            return
        if key not in moved.rows:
            self._keys += 1
        moved.rows[key] = touch
        if self._keys > MOST_KEYS:
            moved.whole = touch
            self._keys -= len(moved.rows)
            moved.rows.clear()

    def _stripped(self, change: Change) -> Change:
        """What all changes of a transaction have in common, once for all of them."""
        last = self._shared
        if last is None or (last.transaction, last.position) != (change.transaction, change.position):
            last = self._shared = replace(change, key=None, changed=None, before=None, after=None, statement=None)
        return last

    # Which tables are meant

    def _tables_of(self, name: TableName) -> tuple[TableName, ...]:
        """The compared tables that rows of this table of the source belong to, there and where they land."""
        if name not in self._known:
            found = [*self._looked_up(self._source, name)]
            landing = self._filters.lands(name)
            if landing != name:
                meant = self._tables.meant(self._target, landing)
                found += [table for one in meant for table in self._looked_up(self._target, one)]
            self._known[name] = tuple(dict.fromkeys(found))
        return self._known[name]

    def _looked_up(self, cluster: str, name: TableName) -> tuple[TableName, ...]:
        index = self._index[cluster]
        found = index.get(name)
        if found is not None:
            return (found,)
        if not self._folds:
            return ()
        return tuple({table for known, table in index.items() if known.folded() == name.folded()})

    def _acted_on(self, name: TableName, change: Change | None) -> set[TableName]:
        """The compared tables that foreign keys change along with a row of this one; by any change, where None."""
        if not self._acting:
            return set()
        node = name.folded()
        first = [key for key in self._acting.get(node, ()) if change is None or _acts(key, change)]
        reached: set[TableName] = set()
        waiting = [key.child.folded() for key in first]
        while waiting:
            child = waiting.pop()
            if child not in reached:
                reached.add(child)
                waiting += [key.child.folded() for key in self._acting.get(child, ())]
        return {table for child in reached for table in self._of_folded(child)}

    def _of_folded(self, folded: TableName) -> list[TableName]:
        return [table for index in self._index.values() for known, table in index.items() if known.folded() == folded]

    # What is known

    def of(self, table: TableName, key: Row) -> list[Touch]:
        """The last change of the row, and the last of the table as a whole."""
        moved = self._moved.get(table)
        return [touch for touch in (moved.rows.get(key), moved.whole) if touch] if moved else []

    def whole(self, table: TableName, *, keyed: bool) -> Touch | None:
        """The last change of the table as a whole; of anything in it, unless rows are told apart by its key."""
        moved = self._moved.get(table)
        return (moved.whole if keyed else moved.last) if moved else None

    def any(self, table: TableName) -> list[Touch]:
        moved = self._moved.get(table)
        return [moved.last] if moved and moved.last else []

    def rows(self, table: TableName) -> list[tuple[Row, Touch]]:
        with self._lock:
            moved = self._moved.get(table)
            return list(moved.rows.items()) if moved else []


def _decided(change: Change, end: TransactionEnd) -> Change:
    """The change as one of the transaction that committed it, where that is told."""
    if end.decided_by is None:
        return change
    return replace(
        change, transaction=end.decided_by, position=end.position, committed_at=end.committed_at, pending=False
    )


def read_with(tables: TableMap, compared: Sequence[PairedTable], cluster: str) -> dict[TableName, TableName]:
    """Each table of the cluster whose rows are compared, by itself or as a partition, with what the pair calls it."""
    roots = {table.sides[cluster].name: table.name for table in compared if cluster in table.sides}
    found = dict(roots)
    for name, table in tables.on(cluster).items():
        for above in table.ancestors:
            if above in roots and tables.on(cluster)[above].partitioned:
                found.setdefault(name, roots[above])
    return found


def _canonical(table: Table, key: Mapping[str, object] | None) -> Row | None:
    """The key as rows are read; None where it is not there, or not of this form."""
    if key is None:
        return None
    try:
        return table.key_values(key)
    except (ValueError, KeyError):
        return None


def _acting(tables: TableMap) -> dict[TableName, list[ForeignKey]]:
    """The foreign keys of both sides that change a child along with its parent, by the parent's folded name."""
    found: dict[TableName, list[ForeignKey]] = {}
    for cluster in tables.clusters:
        for table in tables.on(cluster).values():
            for key in table.foreign_keys:
                if key.cascades:
                    found.setdefault(key.parent.folded(), []).append(key)
    return found


def _acts(key: ForeignKey, change: Change) -> bool:
    """Whether a change of the parent can change the child: as far as it is told, only one of what is referenced."""
    if change.operation is Operation.delete:
        return key.on_delete in _ACTS
    if change.operation is not Operation.update or key.on_update not in _ACTS:
        return False
    if change.changed is None or not key.parent_columns:
        return True
    return not {name.casefold() for name in key.parent_columns}.isdisjoint(map(str.casefold, change.changed))
