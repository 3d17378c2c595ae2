"""The language of ``where:``."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replguard.errors import PolicyError
from replguard.predicate import parse

ROW = {"name": "node.ip", "node": None, "n": "5", "odd name": "it's", "or": "x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'node.ip'", True),
        ("NAME = 'node.ip'", True),
        ("name = 'Node.IP'", False),
        ("name <> 'x'", True),
        ("name != 'node.ip'", False),
        ("name IN ('a', 'node.ip')", True),
        ("name in ('a')", False),
        ("name NOT IN ('a')", True),
        ("name not in ('a', 'node.ip')", False),
        ("name LIKE 'node.%'", True),
        ("name LIKE 'node_ip'", True),
        (r"name LIKE 'node\_ip'", False),
        ("name LIKE 'node'", False),
        ("name NOT LIKE 'x%'", True),
        ("name NOT LIKE '%ip'", False),
        ("node IS NULL", True),
        ("node IS NOT NULL", False),
        ("name IS NOT NULL", True),
        ("n = 5", True),
        ("n = 5.0", False),
        ("n IN (4, 5)", True),
        ("n = -5", False),
        ("\"odd name\" = 'it''s'", True),
        ("\"or\" = 'x' AND n = 5", True),
        ("(name = 'node.ip')", True),
        ("  name\n=\t'node.ip'  ", True),
        ("name='node.ip'AND n=5", True),
    ],
)
def test_operators(text: str, *, expected: bool) -> None:
    assert parse(text).holds(ROW) is expected


@pytest.mark.parametrize(
    "text",
    [
        "node = 'x'",
        "node <> 'x'",
        "node != 'x'",
        "node IN ('x')",
        "node NOT IN ('x')",
        "node LIKE '%'",
        "node NOT LIKE 'x'",
    ],
)
def test_a_comparison_with_null_is_false(text: str) -> None:
    assert parse(text).holds(ROW) is False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n = 5 OR n = 5 AND n = 6", True),
        ("(n = 5 OR n = 5) AND n = 6", False),
        ("n = 6 AND n = 6 OR n = 5", True),
        ("n = 6 AND (n = 6 OR n = 5)", False),
    ],
)
def test_and_binds_tighter_than_or(text: str, *, expected: bool) -> None:
    assert parse(text).holds(ROW) is expected


def test_columns_that_are_read_are_known_folded() -> None:
    assert parse("Name = 'a' OR (NODE IS NULL AND \"Odd Name\" IN ('x'))").columns == {"name", "node", "odd name"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "a column name is missing"),
        ("name", "no comparison follows"),
        ("name =", "a literal is missing"),
        ("name = other", "a literal is missing"),
        ("name = 'x' AND", "a column name is missing"),
        ("name = 'x' name", "unexpected 'name'"),
        ("(name = 'x'", "a parenthesis is not closed"),
        ("name = 'x')", "unexpected ')'"),
        ("name IN 'x'", "needs a list"),
        ("name IN ()", "a literal is missing"),
        ("name IN ('x'", "a parenthesis is not closed"),
        ("name > 'x'", "cannot read"),
        ("name = 'x", "cannot read"),
        ("name = 'x'; DROP TABLE t", "cannot read"),
        ("'x' = name", "a column name is missing"),
        ("NOT name = 'x'", "no comparison follows"),
        ("lower(name) = 'x'", "no comparison follows"),
        ("name IS 'x'", "no comparison follows"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, what: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(text)
    assert what in caught.value.message
    assert repr(text) in caught.value.message
    assert caught.value.remedy
    assert caught.value.exit_code == 2


Tree = tuple  # ("=", column, literal) | ("null", column) | ("and" | "or", left, right)
leaves = st.one_of(
    st.tuples(st.just("="), st.sampled_from("abc"), st.sampled_from(["", "x", "it's"])),
    st.tuples(st.just("<>"), st.sampled_from("abc"), st.sampled_from(["", "x", "it's"])),
    st.tuples(st.just("null"), st.sampled_from("abc")),
)
trees = st.recursive(leaves, lambda inner: st.tuples(st.sampled_from(["and", "or"]), inner, inner), max_leaves=8)


def written(tree: Tree) -> str:
    match tree:
        case ("and" | "or" as word, left, right):
            return f"({written(left)}) {word} ({written(right)})"
        case ("null", column):
            return f"{column} IS NULL"
    sign, column, literal = tree
    return f"{column} {sign} '{literal.replace(chr(39), chr(39) * 2)}'"


def judged(tree: Tree, row: dict[str, str | None]) -> bool:
    match tree:
        case ("and", left, right):
            return judged(left, row) and judged(right, row)
        case ("or", left, right):
            return judged(left, row) or judged(right, row)
        case ("null", column):
            return row[column] is None
    sign, column, literal = tree
    return row[column] is not None and (row[column] == literal) is (sign == "=")


@settings(max_examples=200, deadline=None)
@given(trees, st.fixed_dictionaries(dict.fromkeys("abc", st.sampled_from([None, "", "x", "it's"]))))
def test_it_means_what_a_reader_takes_it_for(tree: Tree, row: dict[str, str | None]) -> None:
    assert parse(written(tree)).holds(row) is judged(tree, row)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(PolicyError):
        parse(text)
