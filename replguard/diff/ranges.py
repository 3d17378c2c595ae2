"""Where a table is cut: ranges of the key that both sides are asked about, one after the other.

The first range has no lower bound and the last no upper one, so that a row that stands outside of all that was seen
when the cuts were made is in a range too. Cuts are made by the first cluster's rows.

Keys that are one integer are cut by arithmetic, as long as most numbers are taken: that costs nothing. All others are
cut by asking for the key that comes so many rows later, which reads the index once more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.model.chunks import KeyRange
from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.base import Row
    from replguard.model.tables import Table

    Boundary = Callable[[Row | None, int], Row | None]
    """The key that stands so many rows after the first one at or above a key; None where there are not so many."""

ROWS = 2_000
"""About how many rows a range has: so many have to be looked at one by one where a single one differs."""
_SPARSE = 4
"""A range by arithmetic with less than one row in so many of those wanted is too thin: cuts are asked for then."""
_WIDEST = 512
"""A range by arithmetic is at most so many times as wide as it would be with every number taken."""


@dataclass(slots=True)
class Cuts:
    """The ranges of one table, made as they are wanted. ``counted`` is told how many rows they turned out to have.

    ``rows`` is how many a range is to have; it may be changed at any time. The first range begins at ``lower``.
    """

    table: Table
    boundary: Boundary
    highest: Row | None
    rows: int
    lower: Row | None = None
    _width: int = field(default=0, init=False)

    def ranges(self) -> Iterator[KeyRange]:
        """From ``lower`` to the highest key."""
        while True:
            upper = self._next()
            yield KeyRange(self.lower, upper)
            if upper is None:
                return
            self.lower = upper

    def counted(self, within: KeyRange, rows: int) -> None:
        """Make ranges by arithmetic wider or narrower, or give them up, by how full they are."""
        if not self._width or within.lower is None or within.upper is None:
            return
        if rows < self.rows // _SPARSE:
            self._width = 0
        elif rows < self.rows // 2:
            self._width = min(self._width * 2, self.rows * _WIDEST)
        elif rows > self.rows * 2:
            self._width = max(self._width // 2, 1)

    def _next(self) -> Row | None:
        if self.highest is None:
            return None
        if not self._is_number:
            return self.boundary(self.lower, self.rows)
        if not self._width or self.lower is None:
            return self._asked()
        upper = number(self.lower) + self._width
        return None if upper > number(self.highest) else (b"%d" % upper,)

    def _asked(self) -> Row | None:
        """A cut that was asked for, and how wide ranges may be made from now on."""
        upper = self.boundary(self.lower, self.rows)
        if upper is not None and self.lower is not None:
            width = number(upper) - number(self.lower)
            self._width = width if width <= self.rows * _WIDEST else 0
        return upper

    @property
    def _is_number(self) -> bool:
        key = self.table.key
        return len(key) == 1 and self.table.column(key[0]).kind is ColumnKind.integer


def number(key: Row) -> int:
    """The value of a key that is one integer."""
    (value,) = key
    if value is None:
        raise ValueError("a key has no NULL")
    return int(value)
