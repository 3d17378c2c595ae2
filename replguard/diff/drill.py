"""From ranges whose sums are not the same to the rows that differ.

A range with many rows is cut smaller first. Then both sides give a word for each of its rows, its key and hash: words
that only one side has lead to the keys. Keys are gathered over the whole table before they are paired, and at last both
sides read these rows whole: only what differs there is a difference.

Servers that sort differently may have one row in different ranges, and ranges whose bounds are not in order may hold a
row twice. None is ever left out: of the bounds, one after the other, there are always two neighbours of which the row
is at or above the first and not the second. So equal sums prove equality all the same, and such a row is looked at in
vain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.diff import asking
from replguard.diff.jobs import NULLS
from replguard.diff.ranges import ROWS
from replguard.errors import StatementError, Unsupported
from replguard.model.chunks import KeyRange

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.diff.jobs import Job
    from replguard.diff.survey import Survey
    from replguard.engines.base import Row

MOST_WORDS = 25_000
"""Rows of a range that are looked at word by word without cutting it smaller."""
MOST_AT_ONCE = 400_000
"""Rows of a table that cannot be cut which are looked at word by word."""
MOST_KEYS = 100_000
"""Differing keys of a table that are kept; what is beyond is counted."""
_CUTS_AT_ONCE = 8
_DEEPEST = 3
READ_AT_ONCE = 500


@dataclass(slots=True)
class Keys:
    """The keys with a row that one side alone has: 1 for the first, 2 for the second, 3 for both, where the rows are
    not the same. ``uncounted`` are the rows of ranges beyond those that are kept, by side.
    """

    sides: dict[Row, int] = field(default_factory=dict)
    beyond: int = 0

    def add(self, side: int, keys: Sequence[Row]) -> None:
        for key in keys:
            if len(self.sides) < MOST_KEYS or key in self.sides:
                self.sides[key] = self.sides.get(key, 0) | 1 << side
            else:
                self.beyond += 1

    @property
    def total(self) -> int:
        """How many keys differ; of those beyond what is kept one that differs on both sides counts twice at most."""
        return len(self.sides) + self.beyond


def keys_of(survey: Survey, job: Job) -> Keys:
    """The differing keys of a job with ranges whose sums differ.

    Raises Unsupported where the table has too many rows to be looked at one by one and cannot be cut, StatementError
    where the rows changed although they should not have.
    """
    found = Keys()
    for within, alone in _joined(_small(survey, job)):
        words = [set(one) for one in _words(survey, job, within)]
        only = (words[0] - words[1], words[1] - words[0])
        if alone and not survey.renewed and not only[0] and not only[1]:
            raise StatementError(
                f"{job.name}: the sums of a range differ and its rows do not",
                remedy="tables of an engine without transactions (MyISAM, Aria) change while they are read: pause "
                "whoever writes, and compare again",
            )
        for side, one in enumerate(only):
            found.add(side, _keys(survey, job, side, sorted(one)))
    return found


def read(survey: Survey, job: Job, keys: Sequence[Row]) -> Iterator[tuple[Row, Row | None, Row | None]]:
    """Each key with its row on both sides, None where there is none."""
    for start in range(0, len(keys), READ_AT_ONCE):
        some = keys[start : start + READ_AT_ONCE]
        asked = {half.cluster: (half.table, half.columns, some) for half in job.halves}
        left, right = ({job.key(row): row for row in rows} for rows in survey.carrier.both(asking.rows_of, asked))
        for key in some:
            yield key, left.get(key), right.get(key)


def _small(survey: Survey, job: Job) -> Iterator[tuple[KeyRange, int]]:
    """The differing ranges, cut until they have few enough rows; those with NULLs in the key are left out."""
    for within, rows in job.differing:
        if within != NULLS:
            yield from _cut(survey, job, within, rows)


def _cut(
    survey: Survey, job: Job, within: KeyRange, rows: tuple[int, int], depth: int = 0
) -> Iterator[tuple[KeyRange, int]]:
    """Where both servers sort alike once is enough. Where not, a piece that one side cut may be large on the other."""
    larger = max(rows)
    cuttable = job.ranged and depth < _DEEPEST
    if larger <= MOST_WORDS or (not cuttable and larger <= MOST_AT_ONCE):
        yield within, larger
        return
    if not cuttable:
        raise Unsupported(f"{job.name} has {larger} rows, and its key cannot be cut into ranges")
    ranges = list(_pieces(survey, job, within, rows))
    for start in range(0, len(ranges), _CUTS_AT_ONCE):
        some = ranges[start : start + _CUTS_AT_ONCE]
        for piece, sums in zip(some, survey.sums(job, some), strict=True):
            if sums[0] != sums[1]:
                yield from _cut(survey, job, piece, (sums[0].rows, sums[1].rows), depth + 1)


def _pieces(survey: Survey, job: Job, within: KeyRange, rows: tuple[int, int]) -> Iterator[KeyRange]:
    """A range in pieces, cut by the rows of the side that has more."""
    side = 0 if rows[0] >= rows[1] else 1
    half, cluster = job.halves[side], survey.clusters[side]
    # The last whole number of rows that surely lie within the range: a cut at its very end would leave it.
    left = (rows[side] - 1) // ROWS
    lower = within.lower
    while left > 0:
        count = min(left, _CUTS_AT_ONCE)
        asked = survey.carrier.ask(cluster, asking.cuts_of, half.table, lower, ROWS, count)
        cuts = survey.carrier.of(asked)
        for cut in cuts:
            yield KeyRange(lower, cut)
            lower = cut
        left = left - count if len(cuts) == count else 0
    yield KeyRange(lower, within.upper)


def _joined(ranges: Iterator[tuple[KeyRange, int]]) -> Iterator[tuple[KeyRange, bool]]:
    """Ranges that touch one another as one, as long as they have few rows; and whether a range is one that was summed.

    Several as one may hold the same rows although their sums differ, where servers sort differently.
    """
    last: KeyRange | None = None
    size, alone = 0, True
    for within, rows in ranges:
        if last and last.upper is not None and last.upper == within.lower and size + rows <= MOST_WORDS:
            last, size, alone = KeyRange(last.lower, within.upper), size + rows, False
            continue
        if last:
            yield last, alone
        last, size, alone = within, rows, True
    if last:
        yield last, alone


def _words(survey: Survey, job: Job, within: KeyRange) -> list[list[bytes]]:
    arguments = {name: (job.portion(side, within),) for side, name in enumerate(survey.clusters)}
    return survey.carrier.both(asking.words_of, arguments)


def _keys(survey: Survey, job: Job, side: int, words: Sequence[bytes]) -> list[Row]:
    asked = survey.carrier.ask(survey.clusters[side], asking.key_of, job.halves[side].table, words)
    return survey.carrier.of(asked)
