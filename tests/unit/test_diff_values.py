"""How values are shown, and how differences become findings."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from replguard.diff.join import MultisetDifferences, row_digest
from replguard.diff.result import Difference, TableResult, Teller, coverage, multiset, not_compared
from replguard.diff.run import Options, _data_check, _teller
from replguard.diff.settled import Explanation, Settled
from replguard.diff.values import LONGEST, Display
from replguard.model.findings import Severity, Strength, Verdict
from replguard.model.tables import Column, ColumnKind
from replguard.policy import ExpectedDifference, Policy, Rule, TableClass
from replguard.predicate import parse
from tests.unit.builders import name, rules, table, table_map

ID = Column("id", "bigint", ColumnKind.integer)
TEXT = Column("Value", "text")
RAW = Column("raw", "bytea", ColumnKind.binary)
COLUMNS = ("id", "Value", "raw")
WIDE = table("t", ID, TEXT, RAW)
TODAY = date(2027, 6, 30)
HERE = Explanation("0/1", "742")
MOVES = {(b"1",): "it moves"}


def display(*, mask: bool = False) -> Display:
    return Display(WIDE, COLUMNS, mask=mask)


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        (ID, b"7", 7),
        (ID, b"-9223372036854775808", -(2**63)),
        (ID, b"18446744073709551615", 2**64 - 1),
        (ID, None, None),
        (TEXT, None, None),
        (TEXT, b"", ""),
        (TEXT, "ä日".encode(), "ä日"),
        (TEXT, b"\xff", "\\xff"),
        (TEXT, b"x" * LONGEST, "x" * LONGEST),
        (RAW, b"", "0x"),
        (RAW, b"\0\xff", "0x00ff"),
    ],
)
def test_values(column: Column, value: bytes | None, shown: Any) -> None:
    assert display().value(column, value) == shown


def test_long_values_are_cut_and_told_apart() -> None:
    one, two = (display().value(TEXT, b"x" * 5000 + end) for end in (b"1", b"2"))
    assert len(one) < LONGEST + 10
    assert "5001 bytes" in one
    assert one != two


def test_masked_values_show_nothing_but_whether_they_are_the_same() -> None:
    masked = display(mask=True)
    shown = masked.differing((b"7", b"s3cret", b"\1"), (b"42", b"s3cret2", b"\1"))
    assert set(shown) == {"id", "Value"}
    assert "s3cret" not in str(shown)
    assert not any(isinstance(value, int) for pair in shown.values() for value in pair)
    assert masked.value(TEXT, b"a") == masked.value(TEXT, b"a") != masked.value(TEXT, b"b")
    assert masked.value(TEXT, None) is None
    assert masked.key((b"7", b"s3cret")) == {"id": 7, "Value": masked.value(TEXT, b"s3cret")}
    assert "42" not in str(masked.row((b"42", b"", b""))["id"])


def test_keys() -> None:
    assert display().key((b"7", b"a")) == {"id": 7, "Value": "a"}
    assert display().key(()) is None


def test_what_a_predicate_sees_is_whole_and_folded() -> None:
    assert display(mask=True).texts((b"7", b"x" * 500, None)) == {"id": "7", "value": "x" * 500, "raw": None}


KINDS = {
    "differs": Difference("differs", (b"1", b"a", None), (b"1", b"b", None)),
    "missing": Difference("missing", (b"2", b"a", None), None),
    "extra": Difference("extra", None, (b"3", b"a", None)),
}


def teller(*expected: ExpectedDifference) -> Teller:
    return Teller(table_map([WIDE], [WIDE]), {name("t"): expected}, mask=False)


def result_of(*kinds: str, total: int | None = None) -> TableResult:
    found: dict[Any, Difference] = {(b"%d" % number,): KINDS[kind] for number, kind in enumerate(kinds, 1)}
    return TableResult(
        table_map([WIDE], [WIDE]).tables[0], COLUMNS, 1, {}, found, len(found) if total is None else total
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("differs", "differs in Value"),
        ("missing", "stands on blue and not on green"),
        ("extra", "stands on green and not on blue"),
    ],
)
def test_each_kind_of_difference(kind: str, words: str) -> None:
    (found,) = teller().drift(result_of(kind), [(b"1",)])
    assert (found.code, found.severity, found.cluster) == (f"row.{kind}", Severity.fail, "green")
    assert (found.schema, found.table, found.key) == ("st", "t", {"id": 1})
    assert words in found.message
    assert found.remedy
    assert found.evidence == ({"columns": {"Value": ["a", "b"]}} if kind == "differs" else {})


def test_rows_without_a_key_have_counts() -> None:
    row = (b"1", None, b"")
    found = MultisetDifferences(10, [5, 2], {row_digest(row): 3}, 3, 0)
    differences = multiset(found, {row_digest(row): row})
    result = TableResult(table_map([WIDE], [WIDE]).tables[0], COLUMNS, 0, differences=differences, total=3)
    assert result.listed == 3
    (told,) = teller().drift(result, [row_digest(row)])
    assert (told.code, told.key) == ("row.missing", None)
    assert told.evidence == {"row": {"id": 1, "Value": None, "raw": "0x"}, "count": 3}


def expected(where: str, until: date | None = None) -> ExpectedDifference:
    return ExpectedDifference(Rule("t", TableClass.config), parse(where), "a reason", until)


@pytest.mark.parametrize(
    ("where", "kind", "severity"),
    [
        ("id = 1", "differs", Severity.info),
        ("VALUE IN ('a', 'b')", "differs", Severity.info),
        ("value = 'a'", "differs", Severity.fail),
        ("value = 'a'", "missing", Severity.info),
        ("value = 'a'", "extra", Severity.info),
        ("raw IS NULL", "extra", Severity.info),
        ("no_such_column = 'a'", "missing", Severity.fail),
    ],
)
def test_an_expected_difference_must_hold_for_both_states(where: str, kind: str, severity: Severity) -> None:
    (found,) = teller(expected(where)).drift(result_of(kind), [(b"1",)])
    assert found.severity is severity
    assert ("expected" in found.evidence) is (severity is Severity.info)


def judged(item: Settled, *rows: ExpectedDifference, limit: int = 1000) -> Any:
    used = Policy(rules=rules(config=["*"]), expected=rows)
    options = Options(TODAY, limit=limit)
    teller = _teller(table_map([WIDE], [WIDE], used), [item], options)
    return _data_check(teller, [item], Strength.unaligned, options)


def test_an_expected_difference_ends_after_its_day() -> None:
    item = Settled(result_of("differs"), drift=[(b"1",)])
    assert judged(item, expected("id = 1", TODAY)).verdict is Verdict.passed
    assert judged(item, expected("id = 1", date(2027, 6, 29))).verdict is Verdict.failed


def test_an_expected_difference_that_is_gone_is_told() -> None:
    codes = [finding.code for finding in judged(Settled(result_of()), expected("id = 1")).findings]
    assert codes == ["expected.unused"]
    problem = not_compared(table_map([WIDE], [WIDE]).tables[0], "why not")
    assert [finding.code for finding in judged(Settled(problem), expected("id = 1")).findings] == ["table.not_compared"]


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("item", "rows", "verdict"),
    [
        (Settled(result_of("differs", "missing"), drift=[(b"1",), (b"2",)]), ["id = 1"], Verdict.failed),
        (Settled(result_of("differs", "missing"), drift=[(b"1",), (b"2",)]), ["id = 1", "id = 2"], Verdict.passed),
        (Settled(result_of("missing", "extra"), drift=[(b"1",)], unsettled={(b"2",): "it moves"}), [], Verdict.failed),
        (
            Settled(result_of("missing"), unsettled={(b"1",): "it moves"}, in_flight={(b"9",): HERE}),
            [],
            Verdict.inconclusive,
        ),
        (Settled(result_of(), in_flight={(b"8",): HERE, (b"9",): HERE}), [], Verdict.passed),
        (Settled(result_of("missing", total=9), unsettled={(b"1",): "it moves"}, unlisted=8), [], Verdict.inconclusive),
        (Settled(result_of("missing", total=9), drift=[(b"1",)], unlisted=8), [], Verdict.failed),
        (Settled(result_of("missing", total=9), drift=[(b"1",)], unlisted=8), ["id = 2"], Verdict.inconclusive),
    ],
)
def test_the_verdict_never_depends_on_the_limit(limit: int, item: Settled, rows: list[str], verdict: Verdict) -> None:
    check = judged(item, *map(expected, rows), limit=limit)
    assert check.verdict is verdict
    listed = [finding for finding in check.findings if "not_listed" not in finding.evidence]
    cut = [finding for finding in check.findings if "not_listed" in finding.evidence]
    assert len([finding for finding in listed if finding.code.startswith("row.")]) <= limit
    differences = len(item.drift) + len(item.unsettled) + len(item.in_flight)
    assert sum(finding.evidence["not_listed"] for finding in cut) == max(differences - limit, 0) + item.unlisted


def test_what_could_not_be_compared_is_no_pass() -> None:
    problem = not_compared(table_map([WIDE], [WIDE]).tables[0], "no right", "GRANT SELECT")
    assert judged(Settled(problem)).verdict is Verdict.inconclusive
    told = coverage(problem, {"blue": "0-1-7"})
    assert (told.compared, told.class_, told.positions) == (False, "config", {})
    assert "no right" in str(told.note)
