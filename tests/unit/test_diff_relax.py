"""What rules excuse, and that they excuse nothing more."""

from __future__ import annotations

import base64
import json
import os
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replguard.diff import equality
from replguard.diff.relax import Outcome, Relaxed, described, rules_for
from replguard.model.tables import Column, ColumnKind
from replguard.policy import Equality, ExpectedDifference, NaturalKey, Policy, Relaxation, RowFilter, Rule, TableClass
from replguard.predicate import parse
from tests.unit.builders import table

if TYPE_CHECKING:
    from collections.abc import Sequence

TODAY = date(2027, 6, 30)
ON_T = Rule("t", TableClass.config)
COLUMNS = ("id", "a", "b", "raw")
WIDE = table(
    "t",
    Column("id", "bigint", ColumnKind.integer, nullable=False),
    Column("a", "text"),
    Column("b", "text"),
    Column("raw", "bytea", ColumnKind.binary),
)
quick = settings(max_examples=150, deadline=None)


def relaxation(equality: str, *columns: str, **parts) -> Relaxation:
    return Relaxation(ON_T, columns or ("a",), Equality(equality), "a reason", **parts)


def only(where: str, until: date | None = None) -> RowFilter:
    return RowFilter(ON_T, parse(where), "a reason", until)


def relaxed(*items: Relaxation | RowFilter, columns: Sequence[str] = COLUMNS, width: int = 1) -> Relaxed:
    policy = Policy(
        relaxations=tuple(item for item in items if isinstance(item, Relaxation)),
        row_filters=tuple(item for item in items if isinstance(item, RowFilter)),
    )
    found = rules_for(policy, WIDE, columns, TODAY, width)
    assert found
    return found


def row(a: bytes | None, b: bytes | None = b"b", key: bytes = b"1", raw: bytes = b"") -> tuple[bytes | None, ...]:
    return (key, a, b, raw)


def same(rules: Relaxed, left: bytes | None, right: bytes | None) -> bool:
    forward, backward = rules.same(row(left), row(right)), rules.same(row(right), row(left))
    assert forward is backward, "whether two rows are the same does not depend on their order"
    assert rules.same(row(left), row(left))
    assert forward is (rules.differing(row(left), row(right)) == ())
    return forward


FLOAT = {"tolerance": Decimal("0.01")}


@pytest.mark.parametrize(
    ("rule", "left", "right", "expected"),
    [
        ("trim", b"a", b" a\t\n", True),
        ("trim", b"a b", b"a  b", False),
        ("trim", b"", b"  ", True),
        ("trim", b"a", "a\u00a0".encode(), False),
        ("trim", b"a", b"A", False),
        ("case", b"Name", b"nAME", True),
        ("case", "Größe".encode(), "GRÖSSE".encode(), True),
        ("case", "é".encode(), "É".encode(), True),
        ("case", "é".encode(), "e\u0301".encode(), False),
        ("case", b"i", "\u0131".encode(), False),
        ("case", b"a", b"a ", False),
        ("case", b"\xffA", b"\xffa", False),
        ("json", b'{"a": 1, "b": [2]}', b'{"b":[2.0],"a":1}', True),
        ("json", b'{"a": 1}', b'{"a": "1"}', False),
        ("json", b"[1, 2]", b"[2, 1]", False),
        ("json", b"1.0", b"1", True),
        ("json", b"1e400", b"1e401", False),
        ("json", b"12345678901234567890", b"12345678901234567891", False),
        ("json", b"0.1", b"0.10000000000000000555", False),
        ("json", b"0.10", b"1e-1", True),
        ("json", b"-0", b"0", True),
        ("json", b"true", b"1", False),
        ("json", b"null", b"0", False),
        ("json", b'"\\u0041"', b'"A"', True),
        ("json", b'"\\ud83d\\ude00"', '"😀"'.encode(), True),
        ("json", b'"\\ud83d"', b'"\\ud83e"', False),
        ("json", b'{"a": 1, "a": 2}', b'{"a": 2}', False),
        ("json", b'{"a": 1, "a": 1}', b'{"a":1,"a":1}', False),
        ("json", b'{"a": {"b": 1, "b": 1}}', b'{"a": {"b": 1,"b": 1}}', False),
        ("json", b"{'a': 1}", b"{'a':1}", False),
        ("json", b"NaN", b" NaN", False),
        ("json", b"", b" ", False),
        ("json", b"[1e99999999999999999999]", b"[1e99999999999999999999 ]", False),
        ("json", b"[" * 100_000 + b"]" * 100_000, b" " + b"[" * 100_000 + b"]" * 100_000, False),
        ("json", b"1" * 5000, b"1" * 5000 + b".0", True),
        ("json", b'"a"', b'"A"', False),
        ("json", b'"a"', b'"a "', False),
        ("float", b"1.0", b"1.01", True),
        ("float", b"1.0", b"1.0100000000000000000001", False),
        ("float", b"1.0", b"1.01" + b"0" * 60 + b"1", False),
        ("float", b"1", b"1.0", True),
        ("float", b"-0", b"0", True),
        ("float", b"NaN", b"NaN", True),
        ("float", b"NaN", b"0", False),
        ("float", b"Infinity", b"inf", True),
        ("float", b"Infinity", b"-Infinity", False),
        ("float", b"Infinity", b"1e308", False),
        ("float", b"1e308", b"1.0000000000000001e308", False),
        ("float", b"1.0", b"1.0 ", False),
        ("float", b"one", b"One", False),
        ("float", b"1_0", b"10", False),
        ("float", "\u0661".encode(), b"1", False),
        ("float", b"1e999999999999999999999", b"2e999999999999999999999", False),
    ],
)
def test_a_rule_excuses_what_it_says_and_no_more(rule: str, left: bytes, right: bytes, *, expected: bool) -> None:
    used = relaxed(relaxation(rule, **(FLOAT if rule == "float" else {})))
    assert same(used, left, right) is expected


def test_a_share_of_the_larger_number() -> None:
    used = relaxed(relaxation("float", relative=Decimal("1e-6")))
    assert same(used, b"1000000", b"1000001")
    assert not same(used, b"1000000", b"1000002")
    assert not same(used, b"0", b"1e-300"), "no share of nothing is enough"
    both = relaxed(relaxation("float", relative=Decimal("1e-6"), tolerance=Decimal("1e-9")))
    assert same(both, b"0", b"1e-300")


def test_null_is_the_same_as_null_alone() -> None:
    every = [relaxation(one.value, **(FLOAT if one is Equality.float else {})) for one in Equality]
    used = relaxed(*every)
    for value in (b"", b"0", b"null", b"NaN", b" "):
        assert not same(used, None, value)
    assert same(used, None, None)


def test_rules_act_together_on_one_column_and_on_no_other() -> None:
    used = relaxed(relaxation("case"), relaxation("trim"))
    assert same(used, b" A", b"a ")
    assert used.differing(row(b" A"), row(b"a ", b"B")) == ("b",)
    assert used.judge(row(b" A"), row(b"a ", b"B")).relaxed == ("a",)
    assert not relaxed(relaxation("case")).same(row(b"a", raw=b"A"), row(b"a", raw=b"a"))
    named = used.judge(row(b"x "), row(b"x"))
    assert [rule.equality.value for rule in named.rules if isinstance(rule, Relaxation)] == ["trim"]


def test_columns_are_globs_without_case() -> None:
    used = relaxed(relaxation("trim", "A*"))
    assert same(used, b"x", b"x ")
    assert not relaxed(relaxation("trim", "raw", "A")).same(row(b"a", raw=b"x"), row(b"a", raw=b"x ")), (
        "bytes are bytes"
    )


def test_the_key_is_exact_and_a_rule_that_wants_it_otherwise_is_told() -> None:
    used = relaxed(relaxation("case", "id", "a"))
    assert not used.same(row(b"a", key=b"k"), row(b"a", key=b"K"))
    assert [item.rule for item in used.unusable] == [relaxation("case", "id", "a")]
    assert "key" in used.unusable[0].why
    assert same(used, b"a", b"A"), "the rule still holds for the other column"


def test_a_rule_whose_day_has_passed_is_no_rule() -> None:
    policy = Policy(relaxations=(relaxation("trim", until=TODAY - timedelta(days=1)),))
    assert rules_for(policy, WIDE, COLUMNS, TODAY, 1) is None
    assert rules_for(policy, WIDE, COLUMNS, TODAY - timedelta(days=1), 1)
    assert policy.expired(TODAY) == policy.relaxations
    assert rules_for(Policy(relaxations=(relaxation("trim"),)), table("u"), COLUMNS[:2], TODAY) is None


def test_only_rows() -> None:
    rule = only("a <> 'x'")
    used = relaxed(rule)
    assert used.excluded(row(b"x", b"1"), row(b"x", b"2"))
    assert used.excluded(row(b"x"), None)
    assert used.excluded(None, row(b"x"))
    assert not used.excluded(row(b"x"), row(b"y")), "a row that came into sight or left it is a difference"
    assert not used.excluded(row(b"y"), None)
    assert used.excluded(row(None), None), "a comparison with NULL is false"
    assert used.judge(row(b"y"), row(b"z")).outcome is Outcome.differs
    assert used.judge(row(b"x"), None).rules == (rule,)
    both = relaxed(only("a <> 'x'"), only("b <> 'y'"))
    assert both.excluded(row(b"x", b"b"), row(b"a", b"y")), "every filter has to let a row through"


def test_a_filter_that_cannot_be_judged_keeps_no_row_out() -> None:
    used = relaxed(only("missing = 'x'"))
    assert not used.excluded(row(b"a"), None)
    assert ["missing" in item.why for item in used.unusable] == [True]
    shared = rules_for(
        Policy(row_filters=(only("a = 'x'"),)), table("t", Column("a", "text"), Column("A", "text")), ("a", "A"), TODAY
    )
    assert shared
    assert shared.unusable
    assert not shared.excluded((b"y", b"y"), None)


def fernet(length: int) -> bytes:
    return base64.urlsafe_b64encode(b"\x80" + bytes(8) + os.urandom(16 + length + 32))


def test_secrets_that_may_be_the_same_are_indeterminate() -> None:
    used = relaxed(relaxation("secret"))
    one, two, longer = fernet(32), fernet(32), fernet(48)
    found = used.judge(row(one), row(two))
    assert (found.outcome, found.columns, found.excused) == (Outcome.indeterminate, ("a",), False)
    assert not used.same(row(one), row(two))
    assert used.judge(row(one), row(longer)).outcome is Outcome.differs, "they hide texts of different length"
    assert used.judge(row(one), row(b"plain")).outcome is Outcome.differs
    marked = b"zato.secf." + one, b"zato.secf." + two
    assert used.judge(*map(row, marked)).outcome is Outcome.indeterminate
    assert used.judge(row(marked[0]), row(two)).outcome is Outcome.differs
    assert used.judge(row(one[:-4]), row(two[:-4])).outcome is Outcome.differs
    assert used.judge(row(one), row(two, b"other")).outcome is Outcome.differs
    assert used.judge(row(one), row(two, b"other")).columns == ("b", "a")
    assert used.judge(row(b"$pbkdf2$1$abc"), row(b"$pbkdf2$2$xyz")).outcome is Outcome.indeterminate
    assert used.judge(row(one), row(None)).outcome is Outcome.differs
    folded = relaxed(relaxation("secret"), relaxation("case"))
    assert folded.judge(row(one), row(two)).outcome is Outcome.indeterminate


def test_rows_of_one_form_are_the_same() -> None:
    used = relaxed(relaxation("trim"), relaxation("case"), relaxation("json", "b"), width=0)
    assert used.form(row(b" A", b'{"x": 1}')) == used.form(row(b"a", b' {"x":1.0}'))
    assert used.form(row(b"a", b"{")) != used.form(row(b"a", b" {"))
    assert used.form(row(None)) != used.form(row(b""))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@quick
@given(json_values, json_values)
def test_json_of_one_form_has_one_meaning(one: object, two: object) -> None:
    first, again = (equality.json_form(json.dumps(one, indent=indent).encode()) for indent in (None, 2))
    assert first is not None
    assert first == again
    assert equality.json_form(first.replace(b",}", b"}").replace(b",]", b"]")) is not None or b'"' in first
    second = equality.json_form(json.dumps(two).encode())
    parsed = [json.loads(json.dumps(value), parse_int=Decimal, parse_float=Decimal) for value in (one, two)]
    assert (first == second) is (_strict(parsed[0]) == _strict(parsed[1]))


def _strict(value: object) -> object:
    """Python takes True for 1; JSON does not."""
    if isinstance(value, dict):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return (isinstance(value, bool), value)


decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None)


@quick
@given(decimals, decimals)
def test_numbers_of_one_form_are_equal_and_no_others(one: Decimal, two: Decimal) -> None:
    forms = [equality.json_form(f"{number:e}".encode()) for number in (one, two)]
    assert None not in forms
    assert (forms[0] == forms[1]) is (one == two)
    scaled = f"{one:e}".partition("e")
    longer = f"{scaled[0]}{'' if '.' in scaled[0] else '.'}000e{scaled[2]}"
    assert equality.json_form(longer.encode()) == forms[0]


values = st.none() | st.sampled_from(
    [b"", b" ", b"a", b"A ", b"1", b"1.0", b"1.005", b"NaN", b"-inf", b'{"a":1}', b'{"a": 1.0}', b"\xff"]
)
rows = st.tuples(st.just(b"1"), values, values, values)


@quick
@given(
    st.lists(
        st.builds(
            lambda one, columns: relaxation(one.value, *columns, **(FLOAT if one is Equality.float else {})),
            st.sampled_from(Equality),
            st.lists(st.sampled_from(["a", "b", "raw", "*"]), min_size=1),
        ),
        min_size=1,
    ),
    rows,
    rows,
)
def test_being_the_same_is_reflexive_and_symmetric(rules: list[Relaxation], left, right) -> None:
    used = relaxed(*rules)
    assert used.same(left, left)
    assert used.same(right, right)
    assert used.same(left, right) is used.same(right, left)
    assert used.judge(left, right).outcome is used.judge(right, left).outcome
    if used.form(left) == used.form(right):
        assert used.same(left, right)


def test_the_report_lists_every_rule_with_what_it_excused() -> None:
    trim, share = relaxation("trim"), relaxation("float", "b", relative=Decimal("1e-6"))
    rows_of = only("a <> 'x'", TODAY)
    expected = ExpectedDifference(ON_T, parse("id = 7"), "names the site")
    gone = ExpectedDifference(ON_T, parse("id = 8"), "over", TODAY - timedelta(days=1))
    policy = Policy(
        ignored=((ON_T, frozenset({"raw"})),),
        relaxations=(trim, share),
        row_filters=(rows_of,),
        expected=(expected, gone),
    )
    used = rules_for(policy, WIDE, COLUMNS[:3], TODAY, 1)
    found = described(WIDE, policy, TODAY, used, {trim: 3, expected: 1})
    assert [(item.kind, item.rule, item.columns, item.rows) for item in found] == [
        ("ignore_columns", "not compared", ("raw",), None),
        ("relax", "as trim", ("a",), 3),
        ("relax", "as float relative 0.000001", ("b",), 0),
        ("only_rows", "a <> 'x'", (), 0),
        ("expected_differences", "id = 7", (), 1),
    ]
    assert found[3].until == "2027-06-30"
    assert described(WIDE, Policy(), TODAY) == ()


def test_the_report_says_by_what_rows_were_paired() -> None:
    key = NaturalKey(ON_T, ("a", "b"), "installed separately", ("id", "other"))
    (found,) = described(WIDE, Policy(natural_keys=(key,)), TODAY)
    assert (found.kind, found.columns, found.reason, found.rows) == ("natural_keys", ("id",), key.reason, None)
    assert found.rule == "paired by a, b, references by what they lead to, without id"
