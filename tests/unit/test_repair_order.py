"""Rows are put right in an order that no key and no foreign key forbids, however they refer to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replguard.diff.repairorder import Relations, ordered
from replguard.model.repairs import Step
from replguard.model.tables import Column, ColumnKind, ForeignKey
from tests.unit.builders import name, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    Kind = Literal["insert", "update", "delete"]

COLUMNS = (
    Column("id", "int", ColumnKind.integer),
    Column("up", "int", ColumnKind.integer),
    Column("one", "text"),
)
NAMES = tuple(column.name for column in COLUMNS)
TREE = ForeignKey("f", name("a"), name("a"), "NO ACTION", "NO ACTION", ("up",), ("id",))
TO_A = ForeignKey("g", name("b"), name("a"), "NO ACTION", "NO ACTION", ("up",), ("id",))
UNIQUES = {name(text): (("id",), ("one",)) for text in "ab"}


def step(text: str, before: str | None, after: str | None) -> Step:
    """``a`` or ``b``, and the row before and after as ``id up one``, '-' for NULL."""
    kind: Kind = "insert" if before is None else "delete" if after is None else "update"
    rows = [row and tuple(None if word == "-" else word.encode() for word in row.split()) for row in (before, after)]
    return Step(kind, table(text, *COLUMNS), NAMES, 1, rows[0] or None, rows[1] or None)


def shown(steps: Sequence[Step], *keys: ForeignKey) -> list[str]:
    groups = ordered(steps, Relations(keys, UNIQUES))
    return [" ".join(_word(one) for one in group) for group in groups]


def _word(one: Step) -> str:
    row = one.after or one.before or ()
    return f"{one.kind[0]}{one.table.name.name}{(row[0] or b'').decode()}"


@pytest.mark.parametrize(
    ("steps", "keys", "order"),
    [
        ([("b", None, "1 5 -"), ("a", None, "5 - -")], [TO_A], ["ia5", "ib1"]),
        ([("a", "5 - -", None), ("b", "1 5 -", None)], [TO_A], ["db1", "da5"]),
        ([("b", "1 7 -", "1 8 -"), ("a", "7 - -", None), ("a", None, "8 - -")], [TO_A], ["ia8", "ub1", "da7"]),
        ([("a", None, "1 2 -"), ("a", None, "2 3 -"), ("a", None, "3 - -")], [TREE], ["ia3", "ia2", "ia1"]),
        ([("a", "3 - -", None), ("a", "2 3 -", None), ("a", "1 2 -", None)], [TREE], ["da1", "da2", "da3"]),
        ([("a", None, "1 2 -"), ("a", None, "2 1 -"), ("a", None, "3 1 -")], [TREE], ["ia1 ia2", "ia3"]),
        ([("a", None, "1 1 -")], [TREE], ["ia1"]),
        ([("a", None, "1 - x"), ("a", "2 - x", None)], [], ["da2", "ia1"]),
        ([("a", None, "1 - x"), ("a", "2 - X ", "2 - y")], [], ["ua2", "ia1"]),
        ([("a", "1 - x", "1 - y"), ("a", "2 - y", "2 - z")], [], ["ua2", "ua1"]),
        ([("a", "1 - x", "1 - y"), ("a", "2 - y", "2 - x")], [], ["da1", "da2", "ia1", "ia2"]),
        ([("a", "1 - x", "1 - y"), ("a", "2 - y", "2 - x")], [TO_A], ["da1 da2 ia1 ia2"]),
        (
            [("a", None, "3 - c"), ("a", "8 - c", None), ("b", "3 8 -", "3 3 -"), ("b", None, "4 3 -")],
            [TO_A],
            ["ub3 da8 ia3", "ib4"],
        ),
    ],
)
def test_the_order(steps: list[tuple[str, str | None, str | None]], keys: list[ForeignKey], order: list[str]) -> None:
    assert shown([step(*one) for one in steps], *keys) == order


ROWS = st.dictionaries(
    st.integers(1, 6), st.tuples(st.integers(0, 6), st.sampled_from(["-", "x", "y", "z", "X"])), max_size=6
)


def _valid(rows: dict[int, tuple[int, str]], *, whole: bool) -> bool:
    ones = [one.casefold() for _, one in rows.values() if one != "-"]
    refers = all(up == 0 or up in rows for up, _ in rows.values())
    return len(ones) == len(set(ones)) and (refers or not whole)


def _text(number: int, row: tuple[int, str]) -> str:
    return f"{number} {row[0] or '-'} {row[1]}"


@settings(max_examples=300, deadline=None)
@given(ROWS, ROWS)
def test_whatever_the_rows_every_state_on_the_way_is_allowed(
    before: dict[int, tuple[int, str]], after: dict[int, tuple[int, str]]
) -> None:
    """Unique keys hold after every statement, foreign keys after every group; at the end all is as wanted."""
    if not (_valid(before, whole=True) and _valid(after, whole=True)):
        return
    steps = [
        step("a", _text(n, before[n]) if n in before else None, _text(n, after[n]) if n in after else None)
        for n in sorted(before.keys() | after.keys())
        if before.get(n) != after.get(n)
    ]
    now = dict(before)
    for group in ordered(steps, Relations([TREE], UNIQUES)):
        for one in group:
            number = int((one.before or one.after or (b"",))[0] or b"0")
            if one.after is None:
                del now[number]
            else:
                assert one.kind != "insert" or number not in now
                now[number] = (int(one.after[1] or b"0"), (one.after[2] or b"-").decode())
            assert _valid(now, whole=False)
        assert _valid(now, whole=True)
    assert now == after
