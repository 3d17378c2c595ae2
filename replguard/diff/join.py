"""Two streams of rows against each other: which are equal, which differ, which stand on one side only.

Both sides are read side by side. A row waits until its partner comes; what still waits at the end has none. Where both
servers sort alike hardly anything waits, and where they do not (other collations, tables without a key) the result is
the same and only memory grows. Memory is bounded: beyond a budget :class:`TooMuchWaiting` is raised, and the caller
reads again in several passes, each for a share of the keys.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import islice
from typing import TYPE_CHECKING

from replguard.errors import StatementError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.base import Row

BATCH = 500
"""Most rows read from one side before the other has its turn."""
BATCH_BYTES = 16 * 1024 * 1024
"""Beyond this a batch ends early, so that large values are not heaped up."""
BUDGET = 192 * 1024 * 1024
_ROW_COST = 250
"""What a waiting row costs beside its values, roughly, in bytes."""


class TooMuchWaiting(Exception):  # noqa: N818 - not an error: read again in more passes
    pass


@dataclass(slots=True)
class Differences:
    """What a join found. Rows are kept for the first ``limit`` differences; the counts know them all."""

    limit: int
    excuses: Callable[[Row | None, Row | None], bool] = lambda _left, _right: False
    """Whether a row that is not the same on both sides is no difference."""
    rows: list[int] = field(default_factory=lambda: [0, 0])
    differing: dict[Row, tuple[Row, Row]] = field(default_factory=dict)
    only: tuple[dict[Row, Row], dict[Row, Row]] = field(default_factory=lambda: ({}, {}))
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def differ(self, key: Row, left: Row, right: Row) -> None:
        if self.excuses(left, right):
            return
        self.counts["differs"] += 1
        if self.counts["differs"] <= self.limit:
            self.differing[key] = (left, right)

    def single(self, side: int, key: Row, row: Row) -> None:
        """A row without partner: missing if it stands on the first side (0) alone, extra on the second (1)."""
        if self.excuses(*((row, None) if side == 0 else (None, row))):
            return
        kind = ("missing", "extra")[side]
        self.counts[kind] += 1
        if self.counts[kind] <= self.limit:
            self.only[side][key] = row


class Join:
    """The join of two sorted or unsorted row streams; the first ``width`` values of a row are its key."""

    def __init__(self, width: int, result: Differences, *, share: tuple[int, int] = (0, 1)) -> None:
        self.width = width
        self.result = result
        self.share, self.shares = share
        self.waiting: tuple[dict[Row, Row], dict[Row, Row]] = ({}, {})
        self.cost = 0

    def run(self, left: Iterator[Row], right: Iterator[Row]) -> None:
        """Read both to their ends."""
        streams = (left, right)
        open_sides = {0, 1}
        while open_sides:
            for side in sorted(open_sides):
                rows = batch(streams[side])
                if not rows:
                    open_sides.discard(side)
                self.feed(side, rows, partner_open=(1 - side) in open_sides)
        for side in (0, 1):
            for key, row in self.waiting[side].items():
                self.result.single(side, key, row)

    def feed(self, side: int, rows: list[Row], *, partner_open: bool) -> None:
        if self.share == 0:
            self.result.rows[side] += len(rows)
        ours, theirs = self.waiting[side], self.waiting[1 - side]
        for row in rows:
            key = row[: self.width]
            if self.shares > 1 and _share(key, self.shares) != self.share:
                continue
            partner = theirs.pop(key, None)
            if partner is not None:
                self.cost -= _cost(partner)
                if partner != row:
                    self.result.differ(key, *((row, partner) if side == 0 else (partner, row)))
            elif key in ours:
                raise StatementError(
                    "a key came twice from one side, so its index is damaged or no key",
                    remedy="check and repair the table, then compare again",
                )
            elif partner_open:
                ours[key] = row
                self.cost += _cost(row)
            else:
                self.result.single(side, key, row)
        if self.cost > BUDGET:
            raise TooMuchWaiting


def batch(rows: Iterator[Row]) -> list[Row]:
    """The next rows; none at the end."""
    found: list[Row] = []
    size = 0
    for row in islice(rows, BATCH):
        found.append(row)
        size += sum(map(len, filter(None, row)))
        if size > BATCH_BYTES:
            break
    return found


def _cost(row: Row) -> int:
    return _ROW_COST + sum(len(value) for value in row if value is not None)


def _share(key: Row, shares: int) -> int:
    """Which pass a key belongs to; the same on both sides and in every process."""
    digest = hashlib.blake2b(digest_size=8)
    for value in key:
        digest.update(b"\0" if value is None else b"\1%d:" % len(value) + value)
    return int.from_bytes(digest.digest(), "big") % shares


@dataclass(slots=True)
class MultisetDifferences:
    """Rows that stand more often on one side.

    ``surplus`` holds by digest how often more on the first (negative: on the second), for the ``limit`` smallest
    digests, so that every reading lists the same ones; ``missing`` and ``extra`` count them all.
    """

    limit: int
    rows: list[int] = field(default_factory=lambda: [0, 0])
    surplus: dict[bytes, int] = field(default_factory=dict)
    missing: int = 0
    extra: int = 0

    def add(self, surplus: Counter[bytes]) -> None:
        self.missing += sum(count for count in surplus.values() if count > 0)
        self.extra -= sum(count for count in surplus.values() if count < 0)
        self.surplus = dict(nsmallest(self.limit, [*self.surplus.items(), *surplus.items()]))


def compare_multisets(
    left: Iterator[Row], right: Iterator[Row], result: MultisetDifferences, *, share: tuple[int, int] = (0, 1)
) -> None:
    """Count rows without a key on both sides by a 128-bit digest of the whole row.

    Raises TooMuchWaiting when more distinct rows wait for a partner than the budget holds.
    """
    mine, shares = share
    surplus: Counter[bytes] = Counter()
    streams = {0: left, 1: right}
    while streams:
        for side in tuple(streams):
            rows = batch(streams[side])
            if not rows:
                del streams[side]
            if mine == 0:
                result.rows[side] += len(rows)
            for digest in map(row_digest, rows):
                if shares > 1 and int.from_bytes(digest[:4], "big") % shares != mine:
                    continue
                surplus[digest] += 1 - 2 * side
                if not surplus[digest]:
                    del surplus[digest]
        if len(surplus) * _ROW_COST > BUDGET:
            raise TooMuchWaiting
    result.add(surplus)


def row_digest(row: Row) -> bytes:
    """128 bits over an injective encoding of the row: a NULL is not '', columns cannot run into one another.

    >>> row_digest((b"a", b"bc")) == row_digest((b"ab", b"c"))
    False
    >>> row_digest((None,)) == row_digest((b"",))
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for value in row:
        digest.update(b"\0" if value is None else b"\1%d:" % len(value) + value)
    return digest.digest()
