"""Which counters would give numbers that are taken, without servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from replguard.diff.sequences import judged, taking_over
from replguard.model.findings import Severity
from replguard.model.links import Link, LinkState
from replguard.model.schema import Counter, Counters, Unseen
from tests.unit.builders import LINK, name, table, table_map

if TYPE_CHECKING:
    from replguard.model.findings import Check

TABLES = table_map([table("t")], [table("t")]).tables
BACK = Link("", "blue", "green", LinkState.running)
BOTH = (LINK, BACK)


def counter(following: int | None, extreme: int | None = None, **more: Any) -> Counter:
    facts: dict[str, Any] = {"increment": 1, "least": 1, "greatest": 1000, "setting": ("SET ", " NOW")} | more
    return Counter(name("t"), "id", "q", following, extreme, **facts)


def judge(blue: Counter | None, green: Counter | None, *links: Link) -> Check:
    found = {cluster: Counters((one,) if one else ()) for cluster, one in (("blue", blue), ("green", green))}
    return judged(found, TABLES, links, ("blue", "green"))


def codes(check: Check) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.cluster) for finding in check.findings]


def test_the_side_that_takes_over() -> None:
    assert taking_over((LINK,), ("blue", "green")) == {"green"}
    assert taking_over(BOTH, ("blue", "green")) == {"blue", "green"}
    assert taking_over((), ("blue", "green")) == {"blue", "green"}
    assert taking_over((Link("", "blue", None, LinkState.running),), ("blue", "green")) == {"blue", "green"}


@pytest.mark.parametrize(("following", "behind"), [(5, True), (6, True), (7, False)])
def test_behind_the_rows_of_the_other_side(following: int, behind: bool) -> None:
    check = judge(counter(None, 6), counter(following), LINK)
    assert codes(check) == ([("sequence.behind", "green")] if behind else [])
    if behind:
        assert check.findings[0].severity is Severity.warn
        assert check.findings[0].remedy is not None
        assert check.findings[0].remedy.endswith("SET 7 NOW;")


def test_behind_the_rows_of_its_own_side() -> None:
    assert codes(judge(None, counter(5, 5), LINK)) == [("sequence.behind", "green")]
    assert codes(judge(None, counter(5, 4), LINK)) == []


def test_downwards() -> None:
    down: dict[str, Any] = {"increment": -1, "least": -1000, "greatest": -1}
    assert codes(judge(counter(None, -5, **down), counter(-1, **down), LINK)) == [("sequence.behind", "green")]
    assert codes(judge(counter(None, -5, **down), counter(-6, **down), LINK)) == []


def test_an_empty_column_is_free() -> None:
    assert codes(judge(counter(None), counter(1), LINK)) == []


@pytest.mark.parametrize(
    ("blue", "green", "collides"),
    [
        ({}, {}, True),
        ({"increment": 2}, {"increment": 2, "following": 2}, False),
        ({"increment": 2}, {"increment": 2, "following": 3}, True),
        ({"increment": 2}, {"increment": 3, "following": 2}, True),
        ({"greatest": 500}, {"least": 501, "following": 501}, False),
        ({"greatest": 500}, {"least": 501, "following": 501, "cycles": True}, False),
        ({}, {"following": 900, "cycles": True}, True),
        ({"offset": 1, "increment": 2}, {"offset": 2, "increment": 2}, False),
        ({"offset": 1, "increment": 2, "following": 2}, {"offset": 1, "increment": 2}, True),
    ],
)
def test_collisions_of_both_sides(blue: dict[str, Any], green: dict[str, Any], collides: bool) -> None:
    one, other = (counter(**{"following": 1, **facts}) for facts in (blue, green))
    assert codes(judge(one, other, *BOTH)) == ([("sequence.collides", None)] if collides else [])
    assert codes(judge(one, other, LINK)) == []
    assert codes(judge(one, other)) == []


def test_numbers_of_the_other_side_are_no_reason() -> None:
    """Odd numbers here and even ones there: the greatest is not of this sequence."""
    odd, even = counter(101, 200, increment=2), counter(202, 200, increment=2)
    assert codes(judge(odd, even, *BOTH)) == []


def test_a_sequence_of_two_columns_goes_on_behind_both() -> None:
    wanted = table_map([table("t"), table("u")], [table("t"), table("u")]).tables
    found = {
        "blue": Counters((counter(None, 100), replace(counter(None, 50), table=name("u")))),
        "green": Counters((counter(1), replace(counter(1), table=name("u")))),
    }
    check = judged(found, wanted, (LINK,), ("blue", "green"))
    assert [item.table for item in check.findings] == ["t", "u"]
    assert all(item.remedy and item.remedy.endswith("SET 101 NOW;") for item in check.findings)
    apart = {**found, "green": Counters((counter(1), replace(counter(1), table=name("u"), name="other")))}
    told = judged(apart, wanted, (LINK,), ("blue", "green")).findings
    assert [(item.remedy or "")[-8:-5] for item in told] == ["101", " 51"]


def test_two_counters_of_one_column() -> None:
    found = {"blue": Counters((counter(None, 9), counter(None, 9))), "green": Counters((counter(10), counter(1)))}
    assert codes(judged(found, TABLES, (LINK,), ("blue", "green"))) == [("sequence.behind", "green")]


def test_what_was_not_read_is_told() -> None:
    found = {"blue": Counters(), "green": Counters((), (Unseen("sequence q", "GRANT"),), ("st.t.id",))}
    check = judged(found, TABLES, (), ("blue", "green"))
    assert [(item.code, item.severity, item.cluster) for item in check.findings] == [
        ("check.not_run", Severity.unknown, "green"),
        ("check.not_run", Severity.info, "green"),
    ]
