"""One table to be compared: how each side calls it and its columns, by what its rows are told apart, and how they are
hashed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.diff import schema
from replguard.diff.values import Display
from replguard.model.chunks import WHOLE, KeyRange, Portion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.ranges import Cuts
    from replguard.engines.base import Row
    from replguard.model.chunks import Function, Sum
    from replguard.model.findings import Finding
    from replguard.model.tables import Table

ROWS_ONLY = "rows"
"""Stands for comparing whole rows on our side, where no function of the servers is safe."""
NULLS = KeyRange(nulls=True)


@dataclass(frozen=True, slots=True)
class Half:
    """One cluster's half of a comparison. The first columns are those of the key, where there is one."""

    cluster: str
    table: Table
    columns: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Job:
    """One table in work.

    ``width`` is how many of the columns are the key, 0 without one; ``nullable`` says that rows with a NULL in the key
    have none. ``functions`` are those that are safe on both sides, the one in use first; none: whole rows.
    ``differing`` are the ranges whose sums are not the same, each with its count of rows on both sides. ``asked`` and
    ``answered`` count the ranges of this ``attempt``; ``ended`` says that the last one was asked about. All ranges
    below the key ``reached`` are done, with ``nulls_done`` those with NULLs too.
    """

    paired: PairedTable
    halves: tuple[Half, Half]
    width: int
    nullable: bool
    functions: list[Function] = field(default_factory=list)
    ranged: bool = False
    cuts: Cuts | None = None
    rows: list[int] = field(default_factory=lambda: [0, 0])
    total: list[int] = field(default_factory=lambda: [0, 0])
    differing: list[tuple[KeyRange, tuple[int, int]]] = field(default_factory=list)
    asked: int = 0
    answered: int = 0
    ended: bool = False
    attempt: int = 0
    reached: Row | None = None
    nulls_done: bool = False
    problem: Finding | None = None

    @property
    def name(self) -> str:
        return str(self.paired.name)

    @property
    def display(self) -> Display:
        """Its rows as a report and a policy see them."""
        return Display(self.halves[0].table, self.halves[0].columns)

    @property
    def function(self) -> str:
        """What its rows are hashed with."""
        return self.functions[0].name if self.functions else ROWS_ONLY

    @property
    def estimate(self) -> int | None:
        """About how many rows the larger side has; None where a side's statistics have nothing."""
        known = [half.table.estimate for half in self.halves]
        return None if None in known else max(filter(None, known), default=0)

    @property
    def size(self) -> int | None:
        known = [half.table.size for half in self.halves]
        return None if None in known else max(filter(None, known), default=0)

    def portion(self, side: int, within: KeyRange = WHOLE) -> Portion:
        half = self.halves[side]
        return Portion(half.table, half.columns, self.function, within)

    def take(self, within: KeyRange, sums: tuple[Sum, Sum]) -> bool:
        """Count what both sides say of a range. False where a row is too large for the function."""
        if any(one.hashed != one.rows for one in sums):
            return False
        self.answered += 1
        self.nulls_done = self.nulls_done or within.nulls
        if not within.nulls:
            self.reached, self.ended = within.upper, within.upper is None
        for side, one in enumerate(sums):
            self.rows[side] += one.rows
            self.total[side] += one.total
        if sums[0] != sums[1]:
            self.differing.append((within, (sums[0].rows, sums[1].rows)))
        return True

    def forget(self) -> None:
        """Begin anew, with another function."""
        self.rows, self.total, self.differing, self.cuts = [0, 0], [0, 0], [], None
        self.asked, self.answered, self.ended = 0, 0, False
        self.reached, self.nulls_done = None, False
        self.attempt += 1

    @property
    def whole(self) -> bool:
        """Whether all of its ranges were summed."""
        return self.ended and self.asked == self.answered > 0

    def key(self, row: Row) -> Row:
        return row[: self.width]


def job(table: PairedTable, tables: TableMap) -> Job | None:
    """What is to be done about a table that both sides have; None where no column can be compared."""
    first, second = tables.clusters
    left, right = table.sides[first], table.sides[second]
    columns = schema.comparable_columns(table, first, second, tables.policy.ignored_columns(table.name))
    if not columns:
        return None
    theirs = {table.fold(column.name): column.name for column in right.columns}
    key, nullable = _key(table, left, right, columns)
    ordered = (*key, *(name for name in columns if name not in key))
    their_key = tuple(theirs[table.fold(name)] for name in key)
    halves = (
        Half(first, replace(left, key=key), ordered),
        Half(second, replace(right, key=their_key), tuple(theirs[table.fold(name)] for name in ordered)),
    )
    return Job(table, halves, len(key), nullable)


def _key(table: PairedTable, left: Table, right: Table, columns: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """The columns by which both sides tell rows apart, and whether some rows have a NULL there; none: by no column."""
    for ours, theirs, nullable in ((left.key, right.key, False), (left.nullable_key, right.nullable_key, True)):
        same = [*map(table.fold, ours)] == [*map(table.fold, theirs)]
        if ours and same and set(ours) <= set(columns):
            return ours, nullable
    return (), False


def to_read(wanted: Iterable[PairedTable]) -> list[PairedTable]:
    """The tables to read. A partition is read with the table above it, by itself where that one is not wanted."""
    both = [table for table in wanted if len(table.sides) == 2]
    read = {side.name for table in both for side in table.sides.values() if side.partitioned}
    return [
        table
        for table in both
        if not table.partition or any(read.isdisjoint(side.ancestors) for side in table.sides.values())
    ]
