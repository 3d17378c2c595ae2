"""What is remembered of tables, so that it can be told later what changed in them: for servers without a log to read.

At first the snapshot is noted, and of each table how many rows it has, the sum of their hashes and of their keys'
hashes. Later a table whose sums are the same did not change. Of another, rows whose transaction the first snapshot did
not see were inserted or updated since. Rows do not tell that others are gone: that follows from the counts, or from the
sums of keys, where it can be known at all (:func:`gone`).

A row keeps 32 bits of its transaction. So for more than 2^31 transactions nothing can be told; and a row that is older
by exactly a multiple of 2^32 transactions than one since is told as written since: one too many, never one too few.
Transactions within others have numbers of their own, which no snapshot names as open: those of rows that were seen
between the oldest open one and the next are noted too.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

from replguard.engines.controls import ChangedTable
from replguard.engines.postgresql.catalog import BYTEA
from replguard.engines.postgresql.rows import PostgresSnapshot, row_of
from replguard.engines.postgresql.visibility import Visible
from replguard.engines.sqlfiles import Quoted, joined
from replguard.errors import ConnectionLost, ServerError
from replguard.model.chunks import Portion
from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.engines.base import Row
    from replguard.engines.postgresql.rows import PostgresRows
    from replguard.model.tables import Table

SECONDS = 60.0
"""How long one table may take to be remembered: the links stand meanwhile. One that takes longer is not."""
NAMED = 1000
"""Keys of a table that are named; more are counted."""
_TRIES = 20_000
_HALF = 1 << 31
_LOW = (1 << 32) - 1


@dataclass(slots=True)
class _Since:
    """The rows of a table that were written since: how many, the keys of the first, and the hashes of their keys."""

    rows: int = 0
    keys: list[Mapping[str, Any]] = field(default_factory=list)
    hashes: list[int] = field(default_factory=list)


class MemorySnapshot(PostgresSnapshot):
    """A snapshot that is remembered, or held against one that was."""

    @property
    def visible(self) -> Visible:
        return self._visible

    def sum_up(self, table: Table, function: str) -> dict[str, Any]:
        """Counts and sums as they are stored. ServerError where the table cannot be read or summed."""
        columns = tuple(column.name for column in table.columns)
        portions = [Portion(table, columns, function)]
        if table.key:
            portions.append(Portion(table, table.key, function))
        whole, *keys = self.sums(portions)
        facts = {"rows": whole.rows, "hashed": whole.hashed, "sum": str(whole.total)}
        return {**facts, "keys": str(keys[0].total) if keys else None}

    def written_among(self, table: Table) -> list[str]:
        """The transactions of visible rows that ended while an older one was open."""
        least, count = self._visible.least, self._visible.beyond - self._visible.least
        if not count:
            return []
        text = self._session.text(
            "written_among",
            None,
            table=self._source(table),
            least=self._number(least & _LOW),
            count=self._number(count),
        )
        return sorted(row["transaction"] for row in self._read_at_once([table], [text]))

    def written_since(self, table: Table, function: str, first: Visible, seen: Sequence[str]) -> _Since:
        """The rows whose transaction ``first`` did not show."""
        found = _Since()
        for row in self._rows_since(table, function, first, seen):
            found.rows += 1
            if table.key and len(found.keys) < NAMED:
                found.keys.append(_told(table, row[:-1]))
                found.hashes.append(int(row[-1] or b"0"))
        return found

    def _rows_since(self, table: Table, function: str, first: Visible, seen: Sequence[str]) -> Iterator[Row]:
        columns = table.key or tuple(column.name for column in table.columns)
        shape = self._shapes.of(table, columns)
        where = self._session.text(
            "written_since",
            None,
            least=self._number(first.least & _LOW),
            count=self._number(self._visible.beyond - first.least),
            seen=self._session.text("key_values", {"values": list(seen)}, type=Quoted("text")),
        )
        slots = self._reads(table, table.key, shape)
        slots["columns"] = joined(
            [*([slots["columns"]] if table.key else []), self._hash(Portion(table, columns, function))]
        )
        text = self._session.text("read", None, **slots, where=where, order=Quoted(""))
        binary = [place for place, column in enumerate(table.key) if shape.columns[column].base == BYTEA]
        with (
            self._reading(table),
            closing(self._session.copy(text, self._doing([table]), self._grants([table]))) as lines,
        ):
            for line in lines:
                yield row_of(line, binary)


def remember(rows: PostgresRows, tables: Sequence[Table]) -> dict[str, Any]:
    """Fulfils ``controls.Remembers``: plain data."""
    with rows.looking(MemorySnapshot, SECONDS) as view:
        return {"snapshot": view.seen, "tables": [_remembered(view, table) for table in tables]}


def _remembered(view: MemorySnapshot, table: Table) -> dict[str, Any]:
    named = {"schema": table.name.schema, "name": table.name.name}
    columns = [column.name for column in table.columns]
    try:
        function = view.functions(table, columns)[0]
        facts = view.sum_up(table, function.name)
        seen = view.written_among(table)
    except ConnectionLost:
        raise
    except ServerError as error:
        return {**named, "why_unknown": error.message}
    if facts["hashed"] != facts["rows"]:
        return {**named, "why_unknown": "some of its rows are too large for a sum"}
    kept = {"columns": columns, "key": list(table.key), "function": function.name, "basis": function.basis}
    return {**named, **kept, **facts, "seen": seen}


def changed_since(rows: PostgresRows, memory: Mapping[str, Any], tables: Sequence[Table]) -> list[ChangedTable]:
    """Fulfils ``controls.Remembers``."""
    known = {(one["schema"], one["name"]): one for one in memory["tables"]}
    first = Visible.parse(memory["snapshot"])
    found = []
    with rows.looking(MemorySnapshot) as view:
        for table in tables:
            entry = known.get((table.name.schema, table.name.name))
            try:
                changed = _changed(view, first, table, entry)
            except ConnectionLost:
                raise
            except ServerError as error:
                changed = _unknown(table, error.message)
            if changed:
                found.append(changed)
    return found


def _unknown(table: Table, why: str) -> ChangedTable:
    return ChangedTable(table.name, deleted=None, why_unknown=why)


def _changed(
    view: MemorySnapshot, first: Visible, table: Table, entry: Mapping[str, Any] | None
) -> ChangedTable | None:
    """What is known of one table; None where it is as it was."""
    why = _not_told(view, first, table, entry)
    if why or entry is None:
        return _unknown(table, why or "nothing was remembered of it")
    now = view.sum_up(table, entry["function"])
    if all(now[fact] == entry[fact] for fact in ("rows", "hashed", "sum", "keys")):
        return None
    since = view.written_since(table, entry["function"], first, entry["seen"])
    shift = int(now["keys"]) - int(entry["keys"]) if entry["keys"] is not None else None
    deleted = gone(entry["rows"], now["rows"], since.rows, shift, since.hashes)
    if not since.rows and not deleted:
        return _unknown(table, "its rows differ, and none of them was written since: it was changed in another way")
    return ChangedTable(table.name, tuple(since.keys), deleted, rows=since.rows)


def _not_told(view: MemorySnapshot, first: Visible, table: Table, entry: Mapping[str, Any] | None) -> str | None:
    """Why the table cannot be held against what was remembered of it."""
    if entry is None:
        return "nothing was remembered of it"
    if "why_unknown" in entry:
        return f"it could not be remembered: {entry['why_unknown']}"
    columns = [column.name for column in table.columns]
    if columns != entry["columns"] or list(table.key) != entry["key"]:
        return "its columns or its key are not those that were remembered"
    if {"function": entry["function"], "basis": entry["basis"]} not in [
        {"function": one.name, "basis": one.basis} for one in view.functions(table, columns)
    ]:
        return "its rows were summed by another version of the server, or its columns have other types"
    apart = view.visible.beyond - first.least
    if not 0 <= apart < _HALF:
        return f"{apart} transactions lie between then and now, and rows tell apart {_HALF} at most"
    return None


def gone(then: int, now: int, written: int, shift: int | None, hashes: Sequence[int]) -> bool | None:
    """Whether rows were deleted, where that follows; None where it does not.

    ``then`` and ``now`` count rows, of which ``written`` were written since. ``shift`` is by how much the sum of the
    keys' hashes has changed (None without a key), ``hashes`` those of the written rows. What was written is inserted or
    updated, what is old and gone was updated or deleted:

    >>> gone(10, 9, 0, -77, []), gone(10, 10, 1, 0, [5]), gone(10, 10, 1, 3, [5]), gone(10, 12, 2, 9, [4, 5])
    (True, False, True, False)

    Of two written rows one is new, and its key is all that came to the keys; or it is not, so another key is gone:

    >>> gone(10, 11, 2, 5, [5, 6]), gone(10, 11, 2, 8, [5, 6]), gone(10, 11, 2, None, [])
    (False, True, None)
    """
    inserted = now - then
    if now - written > then:
        return None
    if inserted < 0:
        return True
    if inserted == written:
        return False
    if shift is None or len(hashes) != written:
        return None
    if inserted == 0:
        return shift != 0
    if comb(written, inserted) > _TRIES:
        return None
    return all(sum(some) != shift for some in combinations(hashes, inserted))


def _told(table: Table, key: Row) -> dict[str, Any]:
    """A key as a stream tells it."""
    return {name: _value(table.column(name).kind, value) for name, value in zip(table.key, key, strict=True)}


def _value(kind: ColumnKind, value: bytes | None) -> Any:
    if value is None:
        return None
    if kind is ColumnKind.integer:
        return int(value)
    return f"0x{value.hex()}" if kind is ColumnKind.binary else value.decode()
