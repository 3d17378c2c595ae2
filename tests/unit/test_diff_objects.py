"""How objects around tables are matched and told, without servers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from replguard.diff.objects import Sides, compare, key, used
from replguard.diff.schema import compared, differences, with_versions
from replguard.model.findings import Severity
from replguard.model.schema import Inventory, ObjectKind, SchemaObject, Unseen
from replguard.model.tables import Column, TableName
from tests.unit.builders import table, table_map

SIDES = Sides("blue", "green")


def index(name: str, *, made_up: bool = False, **facts: Any) -> SchemaObject:
    return SchemaObject(ObjectKind.index, "st", "t", name, facts or {"columns": "a"}, made_up)


def beside(kind: ObjectKind, name: str, *names: str, body: str = "x", **more: Any) -> SchemaObject:
    naming = frozenset(TableName(*full.split(".")) for full in names)
    return SchemaObject(kind, "st", None, name, {"body": body}, names=naming, **more)


def words(ours: list[SchemaObject], theirs: list[SchemaObject]) -> list[str]:
    return [word for found in compare(ours, theirs, SIDES) for word in found.words]


def test_the_same_in_any_order() -> None:
    one, other = index("one"), index("other", columns="b")
    assert compare([one, other], [other, one], SIDES) == []


def test_facts_by_name() -> None:
    (found,) = compare([index("i", columns="a", unique="yes")], [index("i", columns="a, b")], SIDES)
    assert found.words == (
        "index i: columns is 'a' on blue and 'a, b' on green",
        "index i: unique is 'yes' on blue and nothing on green",
    )
    assert found.facts == {"columns": ("a", "a, b"), "unique": ("yes", None)}
    assert found.grave


def test_made_up_names_are_matched_by_what_they_name() -> None:
    ours = [index("t_chk_1", made_up=True, columns="a"), index("t_chk_2", made_up=True, columns="b")]
    theirs = [index("t_chk_1", made_up=True, columns="b"), index("t_chk_2", made_up=True, columns="a")]
    assert compare(ours, theirs, SIDES) == []


def test_two_alike_are_not_one() -> None:
    ours = [index("a_1", made_up=True), index("a_2", made_up=True)]
    assert words(ours, [index("a_1", made_up=True)]) == ["index a_2 is on blue only"]


def test_a_chosen_name_counts_a_little() -> None:
    (found,) = compare([index("mine")], [index("theirs", made_up=True)], SIDES)
    assert found.words == ("index mine of blue is called theirs on green",)
    assert not found.grave


@pytest.mark.parametrize(("facts", "grave"), [({"columns": "a"}, False), ({"columns": "a", "unique": "yes"}, True)])
def test_an_index_on_one_side(facts: dict[str, Any], grave: bool) -> None:
    (found,) = compare([], [index("i", **facts)], SIDES)
    assert (found.words, found.grave) == (("index i is on green only",), grave)
    assert found.facts["columns"] == (None, "a")


def test_an_index_that_is_not_unique_only_speeds_things_up() -> None:
    (found,) = compare([index("i", columns="a")], [index("i", columns="b")], SIDES)
    assert not found.grave
    excluding = [index("i", columns=column, constraint="EXCLUDE") for column in ("a", "b")]
    (found,) = compare(excluding[:1], excluding[1:], SIDES)
    assert found.grave


def test_case_counts_in_all_but_names_of_columns() -> None:
    assert words([index("i", columns="A")], [index("i", columns="a")]) == []
    assert words([index("i", definition="A")], [index("i", definition="a")])
    assert compare([index("i", columns="A")], [index("i", columns="a")], Sides("blue", "green", folds=False))


def test_long_texts_are_shown_where_they_differ() -> None:
    ours, theirs = "a" * 3000 + "b" + "c" * 3000, "a" * 3000 + "d" + "c" * 3000
    (found,) = compare([index("i", body=ours)], [index("i", body=theirs)], SIDES)
    assert len(found.words[0]) < 500
    assert "ab" in found.words[0]
    assert "ad" in found.words[0]
    assert found.facts == {"body": (ours, theirs)}


def test_what_is_used_directly_and_through_others() -> None:
    view = beside(ObjectKind.view, "v", "st.t")
    above = beside(ObjectKind.view, "above", "st.v")
    apart = beside(ObjectKind.view, "apart", "st.event")
    kind = beside(ObjectKind.type, "mood", used_by=frozenset({TableName("st", "t")}))
    inner = beside(ObjectKind.routine, "inner")
    outer = beside(ObjectKind.routine, "outer(int)", "st.inner", bare="outer")
    loose = beside(ObjectKind.routine, "loose", ".t")
    trigger = SchemaObject(ObjectKind.trigger, "st", "t", "tr", {}, names=frozenset({TableName("st", "outer")}))
    objects = [above, view, apart, kind, inner, outer, loose, trigger]
    assert used(objects, [TableName("ST", "T")]) == {key(one) for one in (above, view, kind, inner, outer, loose)}


def test_findings_of_tables_and_of_what_stands_beside_them() -> None:
    tables = table_map([table("t"), table("event")], [table("t"), table("event")])
    view = beside(ObjectKind.view, "v", "st.t")
    ours = Inventory((index("i"), view))
    theirs = Inventory((beside(ObjectKind.view, "v", body="y"),))
    found = list(compared(tables, tables.tables, {"blue": ours, "green": theirs}))
    assert [(item.code, item.severity, item.table) for item in found] == [
        ("schema.differs", Severity.warn, "t"),
        ("schema.differs", Severity.fail, None),
    ]
    assert found[0].evidence["objects"] == {"index": {"i": {"columns": ["a", None]}}}
    assert found[1].evidence["objects"] == {"view": {"v": {"body": ["x", "y"]}}}
    assert "st.v" in found[1].message


def test_the_order_of_columns_counts_where_rows_go_by_place() -> None:
    left = table("t", Column("a", "int"), Column("b", "int"), key=())
    right = table("t", Column("b", "int"), Column("a", "int"), key=())
    pair = table_map([left], [right]).tables[0]
    (found,) = differences(pair, "blue", "green", by_place=True)
    assert "the columns stand in the order a, b on blue and b, a on green" in found.message
    less = table_map([left], [table("t", Column("b", "int"), key=())]).tables[0]
    (found,) = differences(less, "blue", "green", by_place=True)
    assert found.evidence["differences"] == ["column a is on blue only"]


def test_what_one_side_does_not_show_is_compared_on_neither() -> None:
    tables = table_map([table("t")], [table("t")])
    view, hidden = beside(ObjectKind.view, "v", "st.t"), beside(ObjectKind.view, "v", body="")
    routine, trigger = beside(ObjectKind.routine, "r", "st.t"), replace(index("tr"), kind=ObjectKind.trigger)
    ours = Inventory((view, routine, trigger, index("i")))
    unseen = (
        Unseen("the definition", kind=ObjectKind.view, schema="st", name="v"),
        Unseen("routines", kind=ObjectKind.routine),
        Unseen("triggers", kind=ObjectKind.trigger, schema="ST"),
    )
    for one, other in ((ours, Inventory((hidden,), unseen)), (Inventory((hidden,), unseen), ours)):
        (found,) = compared(tables, tables.tables, {"blue": one, "green": other})
        assert list(found.evidence["objects"]) == ["index"]
    assert list(compared(tables, tables.tables, {"blue": ours, "green": Inventory((), (Unseen("all"),))})) == []


def test_servers_of_two_versions_are_named() -> None:
    tables = table_map([table("t")], [table("t")])
    (found,) = compared(tables, tables.tables, {"blue": Inventory((index("i"),)), "green": Inventory()})
    told = with_versions(found, {"blue": "8.0", "green": "9.7"})
    assert told.message == (
        f"{found.message} (blue runs 8.0 and green runs 9.7: versions may print the same definition differently)"
    )
    assert told.evidence["versions"] == {"blue": "8.0", "green": "9.7"}
    assert with_versions(found, {"blue": "8.0", "green": "8.0"}) == found


@pytest.mark.parametrize(
    ("versions", "severity"),
    [(("15.18 (Debian)", "18.4"), "unknown"), (("18.3", "18.4"), "fail"), (("10.11.1", "11.4.1"), "unknown")],
)
def test_what_two_series_print_differently_is_not_known_to_differ(versions: tuple[str, str], severity: str) -> None:
    tables = table_map([table("t")], [table("t")])
    views = [replace(beside(ObjectKind.view, "v", "st.t"), facts={"definition": text}) for text in ("a", "b")]
    (found,) = compared(tables, tables.tables, {"blue": Inventory((views[0],)), "green": Inventory((views[1],))})
    by_cluster = dict(zip(("blue", "green"), versions, strict=True))
    assert with_versions(found, by_cluster).severity == severity
    (found,) = compared(tables, tables.tables, {"blue": Inventory((views[0],)), "green": Inventory()})
    assert with_versions(found, by_cluster).severity == "fail"
