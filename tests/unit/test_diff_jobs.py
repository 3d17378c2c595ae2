"""What is to be compared of a table: its columns on both sides, and by what its rows are told apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from replguard.diff.jobs import job
from replguard.model.chunks import KeyRange, Sum
from replguard.model.tables import Column
from replguard.policy import Policy, Rule, TableClass
from tests.unit.builders import rules, table, table_map

if TYPE_CHECKING:
    from replguard.diff.jobs import Job
    from replguard.model.tables import Table

A, B, C = (Column(name, "text") for name in "abc")


def made(left: Table, right: Table, ignored: tuple[str, ...] = ()) -> Job | None:
    used = Policy(
        rules=rules(config=["*"]), ignored=((Rule("t", TableClass.config), frozenset(ignored)),) if ignored else ()
    )
    mapped = table_map([left], [right], used)
    return job(mapped.tables[0], mapped)


def work(left: Table, right: Table, ignored: tuple[str, ...] = ()) -> Job:
    found = made(left, right, ignored)
    assert found
    return found


@pytest.mark.parametrize(
    ("key", "nullable", "ignored", "columns", "width", "nulls"),
    [
        (("b", "a"), (), (), ("b", "a", "c"), 2, False),
        (("b", "a"), (), ("b",), ("a", "c"), 0, False),
        ((), (), (), ("a", "b", "c"), 0, False),
        ((), ("c",), (), ("c", "a", "b"), 1, True),
        ((), ("c",), ("c",), ("a", "b"), 0, False),
    ],
)
def test_the_key_is_read_first_or_not_used(key, nullable, ignored, columns, width, nulls) -> None:
    one = replace(table("t", A, B, C, key=key), nullable_key=nullable)
    found = work(one, one, ignored)
    assert (found.halves[0].columns, found.width, found.nullable) == (columns, width, nulls)
    assert found.halves[0].table.key == columns[:width]


def test_each_side_is_asked_by_its_own_names() -> None:
    found = work(table("t", A, B, key=("a",)), table("T", Column("B", "text"), Column("A", "text"), key=("A",)))
    assert found.halves[0].columns == ("a", "b")
    assert found.halves[1].columns == ("A", "B")
    assert found.halves[1].table.key == ("A",)


def test_unlike_keys_are_no_key() -> None:
    assert work(table("t", A, B, key=("a",)), table("t", A, B, key=("b",))).width == 0


def test_there_is_nothing_to_compare_where_no_column_is_the_same() -> None:
    assert made(table("t", A, key=()), table("t", Column("a", "blob"), key=())) is None


def test_sums_are_the_same_only_if_rows_and_hashes_are() -> None:
    found = work(table("t", A, key=()), table("t", A, key=()))
    here = KeyRange()
    assert found.take(here, (Sum(2, 2, 7), Sum(2, 2, 7)))
    assert found.differing == []
    assert found.take(here, (Sum(2, 2, 7), Sum(2, 2, 8)))
    assert found.take(here, (Sum(2, 2, 7), Sum(3, 3, 7)))
    assert [rows for _, rows in found.differing] == [(2, 2), (2, 3)]
    assert (found.rows, found.total) == ([6, 7], [21, 22])


def test_a_row_without_a_hash_is_never_passed_over() -> None:
    found = work(table("t", A, key=()), table("t", A, key=()))
    assert not found.take(KeyRange(), (Sum(2, 1, 7), Sum(2, 1, 7)))
    assert found.rows == [0, 0]
