"""How two descriptions of one table differ."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from replguard.diff.schema import comparable_columns, differences
from replguard.model.tables import Column
from tests.unit.builders import table, table_map

if TYPE_CHECKING:
    from replguard.model.findings import Finding
    from replguard.model.tables import Table

COLUMN = Column("Email", "varchar(10)", collation="utf8mb4_bin")
PLAIN = table("t", COLUMN, key=())


def told(blue: Table | None, green: Table | None) -> tuple[Finding, ...]:
    found = table_map([blue] if blue else [], [green] if green else [])
    return differences(found.tables[0], "blue", "green")


def test_the_same_table_is_no_finding() -> None:
    assert told(PLAIN, PLAIN) == ()


@pytest.mark.parametrize(("blue", "green", "absent"), [(PLAIN, None, "green"), (None, PLAIN, "blue")])
def test_a_table_on_one_side(blue: Table | None, green: Table | None, absent: str) -> None:
    (found,) = told(blue, green)
    assert (found.code, found.cluster, found.severity) == ("table.missing", absent, "fail")
    assert f"not on {absent}" in found.message


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("type", "varchar(11)"),
        ("nullable", False),
        ("default", "'x'"),
        ("collation", "utf8mb4_general_ci"),
        ("generated", "a + b"),
        ("identity", True),
    ],
)
def test_every_fact_of_a_column_counts(fact: str, value: Any) -> None:
    (found,) = told(PLAIN, table("t", replace(COLUMN, **{fact: value}), key=()))
    assert found.code == "schema.differs"
    assert f"column Email: {fact} is" in found.message
    assert repr(value) in found.message


def test_columns_keys_and_partitions_of_one_side() -> None:
    left = table("t", COLUMN, Column("only_left", "int"), key=("Email",))
    right = table("t", COLUMN, Column("only_right", "int"), key=(), partitioned=True)
    (found,) = told(left, right)
    words = found.evidence["differences"]
    assert "column only_left is on blue only" in words
    assert "column only_right is on green only" in words
    assert "the key is (Email) on blue and () on green" in words
    assert "it is partitioned on one side only" in words


def test_case_of_column_names_and_their_order_do_not_matter() -> None:
    left = table("t", Column("a", "int"), Column("B", "int"), key=("a", "B"))
    right = table("t", Column("b", "int"), Column("A", "int"), key=("A", "b"))
    assert told(left, right) == ()
    assert "the key is" in told(left, replace(right, key=("b", "A")))[0].message


def test_columns_that_can_be_compared() -> None:
    left = table("t", *(Column(name, "int") for name in ("id", "Seen", "wide", "gone")), replace(COLUMN, name="c"))
    right = table(
        "t",
        Column("ID", "int"),
        Column("seen", "int"),
        Column("wide", "bigint"),
        replace(COLUMN, name="c", collation="x"),
    )
    found = table_map([left], [right]).tables[0]
    assert comparable_columns(found, "blue", "green", frozenset({"seen"})) == ("id",)
