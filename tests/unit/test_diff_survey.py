"""Sums, ranges and words lead to exactly the rows that differ, whatever order the servers have and however they are
cut.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replguard.diff import drill, ranges, survey
from replguard.diff.jobs import ROWS_ONLY
from replguard.diff.survey import Survey
from replguard.diff.tables import Tables
from replguard.errors import DeadlineError
from replguard.model.chunks import Function
from replguard.model.tables import Column, ColumnKind
from tests.unit.builders import table, table_map
from tests.unit.fake_views import SHA, View, carrier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.diff.result import TableResult
    from replguard.engines.base import Row
    from replguard.model.tables import Table

TODAY = date(2027, 6, 30)
ID = Column("id", "bigint", ColumnKind.integer, nullable=False)
NAME = Column("name", "text", nullable=False)
TEXT = Column("value", "text")
NUMBERED = table("t", ID, TEXT)
NAMED = table("t", NAME, ID, TEXT, key=("name", "id"))
BAG = table("t", TEXT, ID, key=())
MAYBE = replace(table("t", TEXT, ID, key=()), nullable_key=("value",))
quick = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows a range, so that small tables are cut often."""
    for module in (ranges, survey, drill):
        monkeypatch.setattr(module, "ROWS", 4)
    monkeypatch.setattr(survey, "STATEMENT_ROWS", 10)
    monkeypatch.setattr(drill, "MOST_WORDS", 10)
    monkeypatch.setattr(drill, "_CUTS_AT_ONCE", 3)
    monkeypatch.setattr(drill, "READ_AT_ONCE", 3)


def compare(blue: View, green: View, *tables: Table, kept: int = 1000) -> list[TableResult]:
    mapped = table_map(tables, tables)
    with ExitStack() as stack:
        found = Survey(carrier(stack, blue, green), ("blue", "green"))
        views: Any = {"blue": blue, "green": green}
        return Tables(mapped, found, views, kept, TODAY).compare(mapped.tables)


def one(blue: View, green: View, compared: Table, kept: int = 1000) -> TableResult:
    (found,) = compare(blue, green, compared, kept=kept)
    assert found.problem is None, found.problem
    return found


def by_number(key: Row) -> int:
    return int(key[0] or b"0")


def sized(compared: Table, rows: int | None) -> Table:
    return replace(compared, estimate=rows)


def naive(left: Mapping[Row, Row], right: Mapping[Row, Row]) -> dict[Row, str]:
    kinds = {(True, False): "missing", (False, True): "extra", (True, True): "differs"}
    return {
        key: kinds[key in left, key in right] for key in left.keys() | right.keys() if left.get(key) != right.get(key)
    }


numbers = st.one_of(st.integers(-30, 90), st.integers(10**6, 10**6 + 60), st.sampled_from([-(2**63), 2**64 - 1]))
values = st.sampled_from([None, b"", b"a", b"b"])
numbered = st.dictionaries(numbers, values, max_size=60)


def rows_of(found: Mapping[int, bytes | None]) -> dict[Row, Row]:
    return {(b"%d" % number,): (b"%d" % number, value) for number, value in found.items()}


@quick
@given(numbered, st.dictionaries(numbers, values, max_size=8), st.sampled_from([None, 1, 60]))
def test_numbers_that_differ_are_found_and_no_others(base, changed, estimate) -> None:
    left, right = rows_of(base), rows_of({**base, **changed})
    blue, green = (View({"t": list(side.values())}, by_number) for side in (left, right))
    for here, there in ((blue, green), (green, blue)):
        wanted = naive(left, right) if here is blue else naive(right, left)
        found = one(here, there, sized(NUMBERED, estimate))
        assert {key: item.kind for key, item in found.differences.items()} == wanted
        assert (found.total, found.rows) == (len(wanted), {"blue": len(here.rows["t"]), "green": len(there.rows["t"])})


names = st.tuples(
    st.sampled_from([b"a", b"B", b"b", b"\xc3\xa4", b"", b"zz"]), st.integers(0, 9).map(lambda number: b"%d" % number)
)
named = st.dictionaries(names, values, max_size=50)


def backwards(key: Row) -> Any:
    return [bytes(255 - byte for byte in value or b"") + b"\xff" for value in key]


def folded(key: Row) -> Any:
    return [(value or b"").lower() for value in key], key


@quick
@given(named, st.dictionaries(names, values, max_size=8), st.lists(names, max_size=4), st.sampled_from([None, 1, 60]))
def test_rows_are_paired_by_key_where_servers_sort_differently(base, changed, gone, estimate) -> None:
    left = {key: (*key, value) for key, value in base.items()}
    right = {key: row for key, row in left.items() if key not in gone} | {
        key: (*key, value) for key, value in changed.items()
    }
    blue = View({"t": list(left.values())}, folded)
    green = View({"t": list(right.values())}, backwards)
    found = one(blue, green, sized(NAMED, estimate))
    assert {key: item.kind for key, item in found.differences.items()} == naive(left, right)


@quick
@given(st.lists(st.tuples(values, st.just(b"1")), max_size=30), st.lists(st.tuples(values, st.just(b"1")), max_size=4))
def test_rows_without_a_key_are_counted(base, more) -> None:
    found = one(View({"t": base}), View({"t": [*reversed(base), *more]}), BAG)
    assert found.total == len(more)
    assert all(item.kind == "extra" for item in found.differences.values())


@quick
@given(st.dictionaries(st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f", b"g"]), st.just(b"1")), st.integers(0, 3))
def test_rows_with_a_null_in_a_unique_key_are_counted_and_others_told_by_key(keys, nulls) -> None:
    rows = [*keys.items(), *[(None, b"1")] * nulls]
    green = [*keys.items(), *[(None, b"1")] * (nulls + 2), (b"x", b"1")]
    found = one(View({"t": rows}), View({"t": green}), sized(MAYBE, 60))
    assert found.total == 3
    assert sorted(item.count for item in found.differences.values()) == [1, 2]
    assert found.rows == {"blue": len(rows), "green": len(green)}


def filled(count: int, value: bytes = b"v", step: int = 1) -> list[Row]:
    return [(b"%d" % number, value) for number in range(0, count * step, step)]


@pytest.mark.parametrize("step", [1, 2, 10, 10**7])
def test_numbers_with_gaps_are_cut_into_ranges_of_some_rows(step: int) -> None:
    blue, green = (View({"t": filled(400, step=step)}, by_number) for _ in range(2))
    seen: list[int] = []
    mapped = table_map([sized(NUMBERED, 400)], [sized(NUMBERED, 400)])
    with ExitStack() as stack:
        found = Survey(carrier(stack, blue, green), ("blue", "green"))
        found.told = lambda _job, _within, rows: seen.append(rows)
        Tables(mapped, found, {}, 10, TODAY).compare(mapped.tables)
    assert sum(seen) == 400
    assert max(seen) <= 16
    assert len(seen) <= 200


def test_small_tables_go_many_in_a_statement() -> None:
    many = [sized(table(f"t{number}", ID, TEXT), 3) for number in range(30)]
    blue, green = (View({f"t{number}": filled(3) for number in range(30)}, by_number) for _ in range(2))
    assert all(found.total == 0 and not found.problem for found in compare(blue, green, *many))
    assert len(blue.asked) == 10


def test_a_row_too_large_for_one_function_is_summed_by_the_next() -> None:
    quick_one = Function("quick")
    blue, green = (
        View({"t": filled(40)}, by_number, (quick_one, SHA), ("quick", lambda row: row[0] == b"31")) for _ in range(2)
    )
    green.rows["t"][31] = (b"31", b"other")
    found = one(blue, green, sized(NUMBERED, 40))
    assert (found.function, [*found.differences]) == ("sha", [(b"31",)])
    assert found.rows == {"blue": 40, "green": 40}


def test_without_a_function_that_is_safe_whole_rows_are_compared() -> None:
    blue, green = (View({"t": filled(9)}, by_number, (SHA,), ("sha", lambda _row: True)) for _ in range(2))
    green.rows["t"][3] = (b"3", None)
    found = one(blue, green, NUMBERED)
    assert (found.function, [*found.differences]) == (ROWS_ONLY, [(b"3",)])


@pytest.mark.parametrize("unlike", [{"offered": (Function("sha", "16"),)}, {"gold": b"other"}, {"offered": ()}])
def test_a_function_must_be_the_same_on_both_sides(unlike: dict[str, Any]) -> None:
    found = one(View({"t": filled(9)}, by_number), View({"t": filled(9)}, by_number, **unlike), NUMBERED)
    assert (found.function, found.total) == (ROWS_ONLY, 0)


def test_a_table_thought_small_that_takes_too_long_is_cut() -> None:
    blue, green = (View({"t": filled(100)}, by_number, most=20) for _ in range(2))
    green.rows["t"][50] = (b"50", None)
    assert [*one(blue, green, sized(NUMBERED, 1)).differences] == [(b"50",)]


def test_what_takes_too_long_in_one_piece_is_not_compared() -> None:
    (found,) = compare(View({"t": filled(100)}, most=20), View({"t": filled(100)}, most=20), BAG)
    assert found.problem
    assert found.problem.code == "table.not_compared"


def test_one_table_that_fails_does_not_fail_those_in_its_statement() -> None:
    rows = {"a": filled(3), "b": filled(30), "c": filled(3)}
    many = [sized(table(letter, ID, TEXT, key=("id",) if letter != "b" else ()), 3) for letter in "abc"]
    blue, green = (View(dict(rows), by_number, most=20) for _ in range(2))
    assert [found.problem is None for found in compare(blue, green, *many)] == [True, False, True]


@pytest.mark.parametrize("kept", [1, 1000])
def test_rows_are_kept_for_some_and_keys_for_all(kept: int) -> None:
    blue, green = View({"t": filled(40)}, by_number), View({"t": filled(40, b"w")}, by_number)
    found = one(blue, green, sized(NUMBERED, 40), kept=kept)
    assert (found.total, len(found.differences)) == (40, 40)
    whole = [item for item in found.differences.values() if item.left is not None]
    assert len(whole) == min(kept, 40)


def test_keys_beyond_what_is_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill, "MOST_KEYS", 7)
    blue, green = View({"t": filled(40)}, by_number), View({"t": []}, by_number)
    found = one(blue, green, sized(NUMBERED, 40))
    assert (found.total, len(found.differences)) == (40, 7)


def test_words_that_agree_though_sums_do_not_are_no_pass() -> None:
    class Shifty(View):
        def words(self, portion: Any) -> list[bytes]:
            return [b"00:1"]

    (found,) = compare(Shifty({"t": filled(3)}), Shifty({"t": filled(2)}), NUMBERED)
    assert found.problem


def test_a_survey_that_is_given_up_leaves_nothing_unsaid() -> None:
    many = [sized(table(f"t{number}", ID, TEXT), 40) for number in range(4)]
    blue, green = (View({f"t{number}": filled(40) for number in range(4)}, by_number) for _ in range(2))
    mapped = table_map(many, many)
    calls = 0

    def pause() -> None:
        nonlocal calls
        calls += 1
        if calls > 7:
            raise DeadlineError("too busy")

    with ExitStack() as stack:
        found = Survey(carrier(stack, blue, green), ("blue", "green"), pause)
        results = Tables(mapped, found, {}, 10, TODAY).compare(mapped.tables)
    done = [one for one in results if not one.problem]
    assert 0 < len(done) < 4
    assert all(one.rows == {"blue": 40, "green": 40} for one in done)
    assert {one.problem.message.rpartition(": ")[2] for one in results if one.problem} == {"too busy"}


def test_a_second_attempt_that_is_given_up_is_no_pass() -> None:
    blue, green = (View({"t": filled(100)}, by_number, most=20) for _ in range(2))
    mapped = table_map([sized(NUMBERED, 1)], [sized(NUMBERED, 1)])
    calls = 0

    def pause() -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise DeadlineError("too busy")

    with ExitStack() as stack:
        found = Survey(carrier(stack, blue, green), ("blue", "green"), pause)
        (result,) = Tables(mapped, found, {}, 10, TODAY).compare(mapped.tables)
    assert result.problem


def test_snapshots_that_have_come_of_age_are_renewed_between_statements() -> None:
    blue, green = (View({"t": filled(100)}, by_number) for _ in range(2))
    mapped = table_map([sized(NUMBERED, 100)], [sized(NUMBERED, 100)])
    renewals: list[int] = []
    ages = iter([False, False, True, False, True, *[False] * 1000])
    with ExitStack() as stack:
        found = Survey(carrier(stack, blue, green), ("blue", "green"))
        found.is_old = lambda: next(ages)
        found.renew = lambda: renewals.append(len(blue.asked))
        (result,) = Tables(mapped, found, {}, 10, TODAY).compare(mapped.tables)
    assert renewals == [2, 4]
    assert found.renewed
    assert (result.total, result.rows) == (0, {"blue": 100, "green": 100})


def test_a_key_that_is_there_twice_is_no_pass_where_ranges_are_looked_at_together() -> None:
    twice = sorted([*filled(40), (b"17", b"v"), (b"22", b"v")], key=by_number)
    blue, green = View({"t": twice}, by_number), View({"t": filled(40)}, by_number)
    (found,) = compare(blue, green, sized(NUMBERED, 40))
    assert found.problem
    assert "twice" in found.problem.message
