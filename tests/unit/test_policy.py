"""Rules over table names, and the presets that come with replguard."""

from __future__ import annotations

import json
from datetime import date
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from replguard.config import from_options, preset_names
from replguard.policy import ExpectedDifference, Policy, Rule, TableClass
from replguard.predicate import parse
from tests.unit.builders import name, policy, rules

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
CLUSTERS = {"blue": "mysql://u@h1/st", "green": "mysql://u@h2/st"}
LISTED = [
    "AUDITLOG",
    "CLUSTERNODE",
    "DMZ_EDGE",
    "DMZ_EDGE_IP_ADDRESS",
    "DMZ_EDGE_PROTOCOL",
    "DMZ_EDGE_PROXY",
    "DMZ_ZONE",
    "EVENT",
    "HT_BUSINESSUNIT",
    "LOGGING_EVENT",
    "LOGGING_EVENT_EXCEPTION",
    "LOGGING_EVENT_EXCEPTION_TEMP",
    "LOGGING_EVENT_PROPERTY",
    "LOGGING_EVENT_PROPERTY_TEMP",
    "LOGGING_EVENT_TEMP",
    "SUBTRANSMISSIONSTATUS",
    "SUBTRANSMISSIONSTATUS_TEMP",
    "TRANSFERDATA",
    "TRANSFERDATA_TEMP",
    "TRANSFERDETAILS",
    "TRANSFERDETAILS_TEMP",
    "TRANSFERPROTOCOLCOMMANDS",
    "TRANSFERPROTOCOLCOMMANDS_TEMP",
    "TRANSFERRESUBMITDATA",
    "TRANSFERRESUBMITDATA_TEMP",
]


def preset(name: str) -> Policy:
    return from_options(CLUSTERS, name, ()).policy


def class_of(used: Policy, text: str, *ancestors: str) -> TableClass:
    return used.classify(name(text), [name(above) for above in ancestors]).table_class


def mixed(text: str) -> str:
    return "".join(letter.lower() if index % 2 else letter for index, letter in enumerate(text))


def test_the_preset_lists_the_25_tables_and_no_other() -> None:
    listed = [rule for rule in preset("securetransport-zero-downtime").rules if rule.names]
    assert len(LISTED) == 25
    assert sorted(rule.pattern for rule in listed) == sorted(LISTED)
    assert {rule.table_class for rule in listed} == {TableClass.must_not_sync}


@pytest.mark.parametrize("case", [str.upper, str.lower, str.title, mixed])
@pytest.mark.parametrize("listed", LISTED)
def test_the_25_tables_must_not_sync_in_any_case(listed: str, case) -> None:
    assert class_of(preset("securetransport-zero-downtime"), case(listed)) is TableClass.must_not_sync


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("BUSINESSUNIT", TableClass.config),
        ("account", TableClass.config),
        ("DMZXEDGE", TableClass.config),
        ("DMZ_EDGES", TableClass.config),
        ("EVENTS", TableClass.config),
        ("AUDITLOG_OLD", TableClass.unclassified),
        ("TransferStatus", TableClass.unclassified),
        ("HT_ACCOUNT", TableClass.unclassified),
        ("HTXACCOUNT", TableClass.config),
        ("ACCOUNT_TEMP", TableClass.unclassified),
        ("TEMP", TableClass.config),
    ],
)
def test_what_the_list_does_not_name(table: str, expected: TableClass) -> None:
    assert class_of(preset("securetransport-zero-downtime"), table) is expected


def test_the_page_of_5_4_names_three_tables() -> None:
    used = preset("securetransport-5.4-page")
    assert {rule.pattern for rule in used.rules if rule.table_class is TableClass.must_not_sync} == {
        "DMZ_EDGE",
        "DMZ_ZONE",
        "EVENT",
    }


def test_an_underscore_is_an_underscore() -> None:
    used = policy(must_not_sync=["DMZ_*"])
    assert class_of(used, "dmz_zone") is TableClass.must_not_sync
    assert class_of(used, "DMZX") is TableClass.config
    assert class_of(used, "DMZXZONE") is TableClass.config


def test_must_not_sync_beats_local_beats_config() -> None:
    assert class_of(policy(must_not_sync=["a"], local=["a"], config=["a"]), "A") is TableClass.must_not_sync
    assert class_of(policy(must_not_sync=["*"], local=["a"], config=["a"]), "A") is TableClass.must_not_sync
    assert class_of(policy(local=["*"], config=["a"]), "A") is TableClass.local


def test_what_no_rule_names_is_unclassified() -> None:
    found = policy(config=["account"]).classify(name("other"))
    assert (found.table_class, found.rule) == (TableClass.unclassified, None)


@pytest.mark.parametrize("kind", ["must_not_sync", "local", "config"])
def test_an_explicit_rule_beats_a_lookalike(kind: str) -> None:
    lookalike = Rule("HT_*", TableClass.unclassified)
    used = Policy(rules=rules(**{"config": ["*"], kind: ["HT_ACCOUNT", "*"]}), lookalikes=(lookalike,))
    assert class_of(used, "ht_account") is TableClass(kind)


@pytest.mark.parametrize("catch_all", ["*", "*.*", "**"])
def test_a_catch_all_does_not_beat_a_lookalike(catch_all: str) -> None:
    used = Policy(rules=rules(config=[catch_all]), lookalikes=(Rule("HT_*", TableClass.unclassified),))
    found = used.classify(name("ht_account"))
    assert (found.table_class, found.lookalike) == (TableClass.unclassified, "HT_*")


@pytest.mark.parametrize(
    ("pattern", "table", "matches"),
    [
        ("st.event", "st.EVENT", True),
        ("ST.Event", "st.event", True),
        ("other.event", "st.event", False),
        ("st.*", "st.anything", True),
        ("s?.ev*", "st.event", True),
        ("*.event", "any.event", True),
        ("event", "any.event", True),
        ("event", "st.event2", False),
        ("even?", "st.event", True),
    ],
)
def test_schema_and_table(pattern: str, table: str, *, matches: bool) -> None:
    assert Rule(pattern, TableClass.config).matches(name(table)) is matches


def test_names_with_dots_brackets_and_line_breaks() -> None:
    def matches(pattern: str, schema: str, table: str) -> bool:
        return Rule(pattern, TableClass.config).matches(type(name("x"))(schema, table))

    assert matches("a.b", "st", "a.b")
    assert matches("st.a.b", "st", "a.b")
    assert matches("my.schema.t", "my.schema", "t")
    assert not matches("st.a.b", "st", "a_b")
    assert matches("log[1]", "st", "LOG[1]"), "a name written out names its table"
    assert matches("st.log[1]", "st", "log[1]")
    assert matches("*", "st", "two\nlines")
    assert matches('Order"; DROP--', "st", 'order"; drop--')
    assert not matches("event", "st", "event\n")


def test_a_rule_covers_partitions_through_their_ancestors() -> None:
    used = policy(must_not_sync=["TRANSFERDATA"])
    leaf = "transferdata_20260101v1767312000000"
    found = used.classify(name(leaf), [name("transferdata")])
    assert (found.table_class, found.via) == (TableClass.must_not_sync, name("transferdata"))
    assert class_of(used, leaf) is TableClass.config, "the name alone is not what makes a partition"
    assert class_of(used, "sub", "mid", "transferdata") is TableClass.must_not_sync
    assert used.classify(name("transferdata")).via is None


def test_a_partition_of_a_listed_table_is_no_lookalike() -> None:
    used = preset("securetransport-zero-downtime")
    assert class_of(used, "auditlog_20260101v1", "auditlog") is TableClass.must_not_sync


def test_unmatched_rules_are_those_that_single_out_and_find_nothing() -> None:
    used = policy(must_not_sync=["event", "evnet", "zz.*"])
    assert [rule.pattern for rule in used.unmatched_rules([name("EVENT")])] == ["evnet", "zz.*"]


def test_ignored_columns_are_united() -> None:
    used = Policy(
        ignored=(
            (Rule("virtual*", TableClass.config), frozenset({"lastlogin"})),
            (Rule("virtualuser", TableClass.config), frozenset({"seen"})),
            (Rule("other", TableClass.config), frozenset({"no"})),
        )
    )
    assert used.ignored_columns(name("VirtualUser")) == {"lastlogin", "seen"}


def test_an_expected_difference_holds_through_its_last_day() -> None:
    item = ExpectedDifference(Rule("t", TableClass.config), parse("a = 'b'"), "why", date(2027, 6, 30))
    assert item.valid_on(date(2027, 6, 30))
    assert not item.valid_on(date(2027, 7, 1))
    assert ExpectedDifference(item.rule, item.where, "why").valid_on(date(9999, 1, 1))


@pytest.mark.parametrize("preset_name", preset_names())
def test_every_preset_loads_and_follows_the_schema(preset_name: str) -> None:
    text = (resources.files("replguard.policies") / f"{preset_name}.yaml").read_text(encoding="utf-8")
    schema = json.loads((SCHEMAS / "policy.schema.json").read_text())
    data = yaml.safe_load(text)
    jsonschema.validate(data, schema, format_checker=jsonschema.FormatChecker())
    assert data["name"] == preset_name
    assert preset(preset_name).title == data["title"]


def test_presets_whose_application_synchronises_want_no_links() -> None:
    own = {
        "securetransport-passive",
        "securetransport-passive-legacy",
        "securetransport-active-active",
        "zato-separate",
    }
    assert {name for name in preset_names() if from_options(CLUSTERS, name, ()).links == "none"} == own


def test_zato_compares_what_it_lists_and_asks_about_the_rest() -> None:
    used = preset("zato")
    assert class_of(used, "sec_base") is TableClass.config
    assert class_of(used, "server") is TableClass.must_not_sync
    assert class_of(used, "a_new_table") is TableClass.unclassified
    assert class_of(used, "service_x") is TableClass.unclassified


def test_zato_by_numbers_or_by_names() -> None:
    """Replicated clusters have the same numbers and the same ciphertext; separate ones have neither."""
    linked, separate = preset("zato"), preset("zato-separate")
    assert linked.natural_keys == ()
    assert [item.equality.value for item in linked.relaxations_for(name("http_soap"))] == ["json"]
    assert {item.equality.value for item in separate.relaxations_for(name("sec_base"))} == {"json", "secret"}
    without = {rule for rule in separate.rules if rule.table_class is not TableClass.local}
    assert {(rule.pattern, rule.table_class) for rule in without} == {
        (rule.pattern, rule.table_class) for rule in linked.rules
    }
    compared = [rule.pattern for rule in linked.rules if rule.table_class is TableClass.config]
    keyed = {table: separate.natural_key(name(table)) for table in compared if table != "alembic_version"}
    assert all(keyed.values()), "every compared table has a natural key"
    assert [separate.natural_key(name(table)).key for table in ("sec_base", "sec_oauth")] == [("name",), ("id",)]  # type: ignore[union-attr]
