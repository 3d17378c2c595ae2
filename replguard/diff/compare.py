"""One table against its twin within two snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.diff.join import Differences, Join, MultisetDifferences, TooMuchWaiting, compare_multisets, row_digest
from replguard.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import Row, Snapshot
    from replguard.model.tables import Table

MOST_PASSES = 4096


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: how this cluster calls the table and its columns, and the view to read it in."""

    snapshot: Snapshot
    table: Table
    columns: tuple[str, ...]


def keyed(left: Side, right: Side, width: int, limit: int) -> Differences:
    """Compare tables whose first ``width`` read columns are a key; keeps rows of the first ``limit`` differences."""
    shares = 1
    while True:
        result = Differences(limit)
        try:
            for share in range(shares):
                join = Join(width, result, share=(share, shares))
                join.run(_rows(left), _rows(right))
        except TooMuchWaiting:
            shares = _more(shares)
        else:
            return result


def keyless(left: Side, right: Side, limit: int) -> MultisetDifferences:
    """Compare tables without a key as multisets of rows; keeps the digests of ``limit`` differing rows."""
    shares = 1
    while True:
        result = MultisetDifferences(limit)
        try:
            for share in range(shares):
                compare_multisets(_rows(left), _rows(right), result, share=(share, shares))
        except TooMuchWaiting:
            shares = _more(shares)
        else:
            return result


def rows_of(side: Side, digests: set[bytes]) -> dict[bytes, Row]:
    """One row for each digest, read again from the same view."""
    found: dict[bytes, Row] = {}
    for row in side.snapshot.read(side.table, side.columns):
        digest = row_digest(row)
        if digest in digests:
            found.setdefault(digest, row)
    return found


def _rows(side: Side) -> Iterator[Row]:
    return side.snapshot.read(side.table, side.columns)


def _more(shares: int) -> int:
    if shares >= MOST_PASSES:
        raise Unsupported(
            "more rows wait for their partners than fit into memory in any number of passes",
            remedy="if single values are that large, put the table under `local:` and compare it by other means",
        )
    return shares * 4


def ordered_columns(table: Table, columns: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The columns with those of the key first, and the width of the key; 0 where a part of the key is not read."""
    if not table.key or not set(table.key) <= set(columns):
        return tuple(columns), 0
    return (*table.key, *(name for name in columns if name not in table.key)), len(table.key)
