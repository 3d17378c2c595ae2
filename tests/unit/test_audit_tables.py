"""Both catalogs side by side."""

from __future__ import annotations

from replguard.policy import Policy, Rule, TableClass
from tests.unit.builders import name, policy, rules, table, table_map


def test_tables_are_paired_without_case_where_that_is_unambiguous() -> None:
    found = table_map([table("Event"), table("b")], [table("EVENT")])
    assert [(str(pair.name), sorted(pair.sides)) for pair in found] == [
        ("st.Event", ["blue", "green"]),
        ("st.b", ["blue"]),
    ]


def test_names_that_differ_by_case_alone_are_paired_exactly() -> None:
    found = table_map([table("Event"), table("event")], [table("event"), table("EVENT")])
    assert {str(pair.name): sorted(pair.sides) for pair in found} == {
        "st.EVENT": ["green"],
        "st.Event": ["blue"],
        "st.event": ["blue", "green"],
    }


def test_tables_of_other_schemas_are_other_tables() -> None:
    assert len(table_map([table("a.t")], [table("b.t")]).tables) == 2


def test_where_the_sides_disagree_the_stricter_class_holds() -> None:
    used = policy(must_not_sync=["log"])
    (found,) = table_map([table("log_1")], [table("log_1", ancestors=("log",))], used).tables
    assert found.table_class is TableClass.must_not_sync
    lookalike = Policy(rules=rules(local=["log"], config=["*"]), lookalikes=(Rule("log_*", TableClass.unclassified),))
    (found,) = table_map([table("log_1")], [table("log_1", ancestors=("log",))], lookalike).tables
    assert found.table_class is TableClass.unclassified


def test_a_stream_names_tables_that_the_catalog_knows_as_partitions() -> None:
    found = table_map([table("log_1", ancestors=("log",))], [], policy(must_not_sync=["log"]))
    assert found.classify(name("log_1")).table_class is TableClass.must_not_sync, "as the stricter side has it"
    assert found.classify(name("dropped_since")).table_class is TableClass.config


def test_the_scope_ignores_case_and_ends_at_its_schemas() -> None:
    found = table_map([table("t")], [])
    assert found.in_scope("blue", "ST")
    assert not found.in_scope("blue", "mysql")


def test_classes_and_sides() -> None:
    found = table_map([table("a"), table("Event")], [table("event")], policy(must_not_sync=["event"]))
    assert [str(pair.name) for pair in found.of(TableClass.must_not_sync)] == ["st.Event"]
    assert set(found.on("blue")) == {name("a"), name("Event")}
    assert set(found.on("green")) == {name("event")}


def test_a_partition_is_read_as_its_outermost_root_and_a_child_by_inheritance_as_itself() -> None:
    catalog = [
        table("log", partitioned=True),
        table("log_1", ancestors=("log",)),
        table("base"),
        table("child", ancestors=("base",)),
    ]
    found = table_map(catalog, catalog)
    assert found.read_as("blue", name("log_1")) == name("log")
    assert found.read_as("blue", name("child")) == name("child")
    assert {str(pair.name) for pair in found if pair.partition} == {"st.log_1"}
