"""The join and the multiset comparison against a naive reference, for rows in any order and any amount of memory."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replguard.diff import join, wholerows
from replguard.diff.join import row_digest
from replguard.diff.wholerows import Side, keyed, keyless, rows_of
from replguard.errors import ServerError
from replguard.model.chunks import WHOLE, KeyRange
from tests.unit.builders import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import Row
    from replguard.model.tables import Table

values = st.one_of(st.none(), st.sampled_from([b"", b"\0", b"a", b"b", b"ab"]))
keys = st.tuples(st.integers(0, 60).map(lambda number: b"%d" % number), st.sampled_from([b"", b"x"]))
keyed_rows = st.dictionaries(keys, st.tuples(values, values), max_size=40)
bags = st.lists(st.tuples(values, values), max_size=40)
quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(slots=True)
class Rows:
    """A snapshot of one table whose rows are given, in the order given."""

    rows: Sequence[Row]
    reads: int = 0

    def read(self, table: Table, columns: Sequence[str], within: KeyRange = WHOLE) -> Iterator[Row]:
        self.reads += 1
        return iter(list(self.rows))


def side(rows: Sequence[Row]) -> Side:
    return Side(Rows(rows), table("t"), ("k", "l", "a", "b"))


def shuffled(rows: Sequence[Row], seed: int) -> list[Row]:
    found = list(rows)
    random.Random(seed).shuffle(found)
    return found


@pytest.fixture(params=[(500, 10**9), (3, 10**9), (3, 1500)], ids=["whole", "batches", "passes"])
def _memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    batch, budget = request.param
    monkeypatch.setattr(join, "BATCH", batch)
    monkeypatch.setattr(join, "BUDGET", budget)


@quick
@given(left=keyed_rows, right=keyed_rows, seed=st.integers(0, 99))
@pytest.mark.usefixtures("_memory")
def test_the_keyed_join_finds_what_a_naive_one_finds(left, right, seed) -> None:
    blue = [(*key, *rest) for key, rest in left.items()]
    green = [(*key, *rest) for key, rest in right.items()]
    found = keyed(side(shuffled(blue, seed)), side(shuffled(green, seed + 1)), 2, 1000)
    assert found.differing == {
        key: ((*key, *left[key]), (*key, *right[key])) for key in left.keys() & right.keys() if left[key] != right[key]
    }
    assert found.only[0] == {key: (*key, *left[key]) for key in left.keys() - right.keys()}
    assert found.only[1] == {key: (*key, *right[key]) for key in right.keys() - left.keys()}
    assert found.rows == [len(left), len(right)]
    assert found.total == len(found.differing) + len(found.only[0]) + len(found.only[1])


@quick
@given(left=bags, right=bags, seed=st.integers(0, 99))
@pytest.mark.usefixtures("_memory")
def test_multisets_are_compared_as_a_naive_counter_does(left, right, seed) -> None:
    found = keyless(side(shuffled(left, seed)), side(shuffled(right, seed + 1)), 1000)
    expected = Counter(left)
    expected.subtract(Counter(right))
    assert found.surplus == {row_digest(row): count for row, count in expected.items() if count}
    assert found.missing == sum(count for count in expected.values() if count > 0)
    assert found.extra == -sum(count for count in expected.values() if count < 0)
    assert found.rows == [len(left), len(right)]


@quick
@given(left=keyed_rows, right=keyed_rows, limit=st.integers(1, 5))
@pytest.mark.usefixtures("_memory")
def test_a_limit_cuts_the_lists_and_not_the_counts(left, right, limit) -> None:
    blue = [(*key, *rest) for key, rest in left.items()]
    green = [(*key, *rest) for key, rest in right.items()]
    whole, cut = (keyed(side(blue), side(green), 2, most) for most in (1000, limit))
    assert cut.counts == whole.counts
    assert len(cut.differing) == min(limit, len(whole.differing))
    assert [len(one) for one in cut.only] == [min(limit, len(one)) for one in whole.only]
    assert cut.differing.items() <= whole.differing.items()


@quick
@given(left=bags, right=bags, limit=st.integers(1, 5))
@pytest.mark.usefixtures("_memory")
def test_a_limit_cuts_multisets_alike_in_every_reading(left, right, limit) -> None:
    whole, cut, again = (
        keyless(side(one), side(two), most)
        for one, two, most in ((left, right, 1000), (left, right, limit), (left[::-1], right[::-1], limit))
    )
    assert (cut.missing, cut.extra) == (whole.missing, whole.extra)
    assert cut.surplus.items() <= whole.surplus.items()
    assert len(cut.surplus) == min(limit, len(whole.surplus))
    assert cut.surplus == again.surplus


def test_little_memory_means_more_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "BATCH", 10)
    monkeypatch.setattr(join, "BUDGET", 3000)
    rows = [(b"%d" % number, b"", None, b"") for number in range(100)]
    here, there = side(rows), side(rows[::-1])
    assert keyed(here, there, 2, 10).total == 0
    assert isinstance(here.snapshot, Rows)
    assert here.snapshot.reads > 4
    assert keyless(side(rows), side(rows[::-1]), 10).surplus == {}


def test_what_fits_in_no_number_of_passes_is_told_and_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "BUDGET", 10)
    monkeypatch.setattr(wholerows, "MOST_PASSES", 16)
    rows = [(b"%d" % number, b"", None, b"") for number in range(30)]
    for compared in (
        lambda: keyed(side(rows), side([]), 2, 10),
        lambda: keyless(side(rows), side([]), 10),
    ):
        with pytest.raises(ServerError) as caught:
            compared()
        assert caught.value.remedy


def test_large_values_are_not_heaped_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join, "BATCH_BYTES", 1000)
    held: list[int] = []

    def rows() -> Iterator[Row]:
        for number in range(50):
            held.append(number)
            yield (b"%d" % number, b"x" * 400)

    stream = rows()
    first = join.batch(stream)
    assert 2 <= len(first) <= 3
    assert len(held) == len(first)
    assert sum(len(more) for more in iter(lambda: join.batch(stream), [])) == 50 - len(first)


def test_a_null_is_not_an_empty_text_and_columns_do_not_run_together() -> None:
    assert keyed(side([(b"1", b"", None, b"")]), side([(b"1", b"", b"", b"")]), 2, 9).counts == {"differs": 1}
    assert keyless(side([(None, b"")]), side([(b"", b"")]), 9).surplus
    assert keyless(side([(b"a", b"bc")]), side([(b"ab", b"c")]), 9).missing == 1
    assert keyed(side([(b"a", b"b#c", None, None)]), side([(b"a#b", b"c", None, None)]), 2, 9).total == 2


def test_values_swapped_between_rows_are_seen() -> None:
    left = [(b"1", b"", b"a", b"x"), (b"2", b"", b"b", b"x")]
    right = [(b"1", b"", b"b", b"x"), (b"2", b"", b"a", b"x")]
    assert keyed(side(left), side(right), 2, 9).counts == {"differs": 2}


def test_a_key_that_comes_twice_on_one_side_loses_no_row() -> None:
    """No server should deliver it, and a damaged index does."""
    twice = [(b"1", b"", b"a", b""), (b"1", b"", b"b", b"")]
    with pytest.raises(ServerError, match="twice"):
        keyed(side(twice), side([]), 2, 9)


def test_example_rows_are_found_again_by_digest() -> None:
    rows = [(b"1", None), (b"1", None), (b"2", b"")]
    wanted = {row_digest(rows[0])}
    assert rows_of(side(rows), wanted) == {row_digest(rows[0]): rows[0]}
