"""One table against its twin within two snapshots, by reading all rows: always safe, and the dearest way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from replguard.diff.join import Differences, Join, MultisetDifferences, TooMuchWaiting, compare_multisets, row_digest
from replguard.errors import Unsupported
from replguard.model.chunks import WHOLE, KeyRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from replguard.engines.base import Row
    from replguard.model.tables import Table

MOST_PASSES = 4096


class Readable(Protocol):
    """What of a snapshot is needed here."""

    def read(self, table: Table, columns: Sequence[str], within: KeyRange = WHOLE) -> Iterator[Row]: ...


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: how this cluster calls the table and its columns, and the view to read it in."""

    snapshot: Readable
    table: Table
    columns: tuple[str, ...]
    within: KeyRange = WHOLE
    form: Callable[[Row], Row | None] | None = None
    """How a row counts where rows have no key; None where it does not."""

    def rows(self) -> Iterator[Row]:
        rows = self.snapshot.read(self.table, self.columns, self.within)
        return rows if self.form is None else (found for row in rows if (found := self.form(row)) is not None)


def keyed(
    left: Side,
    right: Side,
    width: int,
    limit: int,
    excuses: Callable[[Row | None, Row | None], bool] = lambda _left, _right: False,
) -> Differences:
    """Compare tables whose first ``width`` read columns are a key; keeps rows of the first ``limit`` differences.

    What a rule ``excuses`` is no difference.
    """
    shares = 1
    while True:
        result = Differences(limit, excuses)
        try:
            for share in range(shares):
                join = Join(width, result, share=(share, shares))
                join.run(left.rows(), right.rows())
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
                compare_multisets(left.rows(), right.rows(), result, share=(share, shares))
        except TooMuchWaiting:
            shares = _more(shares)
        else:
            return result


def rows_of(side: Side, digests: set[bytes]) -> dict[bytes, Row]:
    """One row for each digest, read again from the same view."""
    found: dict[bytes, Row] = {}
    for row in side.rows():
        digest = row_digest(row)
        if digest in digests:
            found.setdefault(digest, row)
    return found


def _more(shares: int) -> int:
    if shares >= MOST_PASSES:
        raise Unsupported(
            "more rows wait for their partners than fit into memory in any number of passes",
            remedy="if single values are that large, put the table under `local:` and compare it by other means",
        )
    return shares * 4
