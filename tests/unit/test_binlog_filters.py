"""The filter rules as a pure function; what the real servers do is compared in tests/conformance."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest

from replguard.engines.binlog.filters import BinlogLinkFilters, filters_from
from replguard.engines.binlog.rawfilters import RawFilters
from replguard.model.changes import Change, Operation
from replguard.model.positions import Position, PositionKind
from replguard.model.tables import Table, TableName

HERE = Position(PositionKind.file, "b.000001:4")


def filters(**rules: Any) -> BinlogLinkFilters:
    return BinlogLinkFilters(replace(RawFilters(source_binlog_known=True), **rules))


def crosses(name: str, **rules: Any) -> bool | None:
    return filters(**rules).crosses(Table(TableName(*name.split(".")), ())).crosses


def statement(text: str, schema: str | None = "st", **detail: Any) -> Change:
    return Change(Operation.ddl, (), HERE, statement=text, default_schema=schema, detail=detail)


@pytest.mark.parametrize(
    ("name", "rules", "expected"),
    [
        ("st.event", {}, True),
        ("st.event", {"ignore_table": ("st.event",)}, False),
        ("st.Event", {"ignore_table": ("st.event",), "case_sensitive": True}, True),
        ("st.Event", {"ignore_table": ("st.event",), "case_sensitive": False}, False),
        ("st.event", {"ignore_table": ("other.event",)}, True),
        ("st.dmzxzone", {"wild_ignore_table": ("st.dmz_%",)}, False),
        ("st.dmzxzone", {"wild_ignore_table": (r"st.dmz\_%",)}, True),
        ("st.dmz_zone", {"wild_ignore_table": (r"st.dmz\_%",)}, False),
        ("st.event", {"do_table": ("st.event",), "ignore_table": ("st.event",)}, True),
        ("st.event", {"ignore_table": ("st.event",), "wild_do_table": ("st.%",)}, False),
        ("st.account", {"ignore_table": ("st.event",), "wild_do_table": ("st.%",)}, True),
        ("st.event", {"wild_do_table": ("st.%",), "wild_ignore_table": ("st.event",)}, True),
        ("st.account", {"do_table": ("st.event",)}, False),
        ("st.account", {"do_db": ("st",), "ignore_db": ("st",)}, True),
        ("zz.account", {"do_db": ("st",), "ignore_db": ("yy",)}, False),
        ("st.account", {"ignore_db": ("st",)}, False),
        ("st.account", {"ignore_db": ("ST",)}, True),
        ("st.account", {"ignore_db": ("ST",), "lower_case_table_names": 1}, None),
        ("st.account", {"do_db": ("st",), "ignore_table": ("st.account",)}, False),
        ("a.account", {"rewrite_db": (("a", "b"),), "ignore_table": ("b.account",)}, False),
        ("a.account", {"rewrite_db": (("a", "b"),), "ignore_table": ("a.account",)}, True),
        ("st.event", {"source_binlog_ignore_db": ("st",)}, False),
        ("st.event", {"source_binlog_known": False}, None),
        ("st.event", {"source_binlog_known": False, "ignore_table": ("st.event",)}, False),
        ("st.event", {"ignore_table": ("st.event",), "unreadable": ("the rules",)}, None),
    ],
)
def test_rows(*, name: str, rules: dict[str, Any], expected: bool | None) -> None:
    assert crosses(name, **rules) is expected


@pytest.mark.parametrize(
    ("change", "rules", "expected"),
    [
        (statement("TRUNCATE TABLE event"), {"ignore_table": ("st.event",)}, False),
        (statement("TRUNCATE event", "other"), {"ignore_table": ("st.event",)}, True),
        (statement("DROP TABLE st.event", "other"), {"ignore_db": ("st",)}, True),
        (statement("DROP TABLE other.t"), {"ignore_db": ("st",)}, False),
        (statement("DROP TABLE st.event", None), {"ignore_db": ("st",)}, True),
        (statement("DROP TABLE st.event", None), {"do_db": ("st",)}, False),
        (statement("RENAME TABLE event TO a, b TO c"), {"ignore_table": ("st.event",)}, False),
        (statement("RENAME TABLE b TO c, event TO a"), {"ignore_table": ("st.event",)}, False),
        (statement("RENAME TABLE b TO c, event TO a"), {"do_table": ("st.b",), "ignore_table": ("st.event",)}, True),
        (statement("ALTER TABLE account ADD event INT"), {"ignore_table": ("st.event",)}, True),
        (statement("CREATE TABLE a LIKE event"), {"ignore_table": ("st.event",)}, True),
        (statement("DROP DATABASE st"), {"wild_ignore_table": ("st.%",)}, False),
        (statement("DROP DATABASE st"), {"ignore_table": ("st.event",)}, True),
        (statement("DROP DATABASE zz"), {"wild_do_table": ("st.%",)}, False),
        (statement("CREATE VIEW v AS SELECT * FROM event"), {"ignore_table": ("st.event",)}, True),
        (statement("CREATE VIEW event AS SELECT * FROM v"), {"ignore_table": ("st.event",)}, False),
        (
            statement("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM event"),
            {"ignore_table": ("st.event",)},
            True,
        ),
        (statement("CREATE PROCEDURE p() DELETE FROM event"), {"do_table": ("st.a",)}, True),
        (statement("CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW SET @b = 1"), {"ignore_table": ("st.a",)}, False),
        (statement("DROP TRIGGER event"), {"ignore_table": ("st.event",)}, None),
        (statement("GRANT SELECT ON event TO u"), {"ignore_table": ("st.event",)}, None),
        (statement("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE event"), {"ignore_table": ("st.event",)}, False),
        (statement("DROP /*!80000 TEMPORARY */ TABLE /*!80000 a, */ event"), {"ignore_table": ("st.event",)}, None),
        (statement("CREATE VIEW v AS SELECT * FROM event"), {}, True),
        (statement("INSERT INTO event SELECT * FROM a"), {"ignore_table": ("st.event",)}, False),
        (statement("UPDATE a, event SET a.x = 1"), {"ignore_table": ("st.event",)}, None),
        (statement('DROP TABLE "event"', sql_mode=4), {"ignore_table": ("st.event",)}, False),
        (statement("DROP TABLE t", server_id=7), {"ignore_server_ids": frozenset({7})}, False),
        (statement("DROP TABLE t", server_id=7), {"target_server_id": 7}, False),
        (statement("DROP TABLE t", server_id=7), {"target_server_id": 7, "replicate_same_server_id": True}, True),
        (statement("DROP TABLE t", domain_id=3), {"ignore_domain_ids": frozenset({3})}, False),
        (statement("DROP TABLE t", domain_id=3), {"do_domain_ids": frozenset({4})}, False),
        (statement("DROP TABLE t", skip_replication=True), {}, None),
    ],
)
def test_changes(*, change: Change, rules: dict[str, Any], expected: bool | None) -> None:
    assert filters(**rules).applies(change).crosses is expected


@pytest.mark.parametrize(
    "rules",
    [
        {"ignore_server_ids": frozenset({7})},
        {"target_server_id": 7},
        {"ignore_domain_ids": frozenset({3})},
        {"do_domain_ids": frozenset({4})},
    ],
)
def test_what_the_source_writes_itself_may_be_dropped_as_a_whole(rules: dict[str, Any]) -> None:
    event = Table(TableName("st", "event"), ())
    source = {"source_server_id": 7, "source_domain_id": 3}
    crossing = filters(**source, **rules).crosses(event)
    assert (crossing.crosses, crossing.partial) == (True, True)
    assert filters(**source, **rules, ignore_table=("st.event",)).crosses(event).crosses is False
    assert not filters(**source).crosses(event).partial


def test_a_namesake_in_a_database_that_is_rewritten_into_this_one() -> None:
    event = Table(TableName("st", "event"), ())
    rules = {"rewrite_db": (("other", "st"), ("st", "zz")), "wild_ignore_table": ("zz.%",)}
    assert filters(**rules).crosses(event).crosses is None
    guarded = {**rules, "wild_ignore_table": ("zz.%", "st.event")}
    assert filters(**guarded).crosses(event).crosses is False


def test_the_reason_names_the_rule() -> None:
    judged = filters(wild_ignore_table=(r"st.dmz\_%",)).crosses(Table(TableName("st", "dmz_zone"), ()))
    assert judged.why == r"is stopped by replicate_wild_ignore_table 'st.dmz\_%'"


def messages(tables: str, **rules: Any) -> str:
    known = [Table(TableName("st", name), ()) for name in tables.split()]
    return "\n".join(f"{fragility.message} -> {fragility.remedy}" for fragility in filters(**rules).fragile(known))


def test_fragile_rules() -> None:
    told = messages("dmz_zone dmzxy", wild_ignore_table=("st.dmz_%", "st.gone"))
    assert "catches st.dmzxy" in told
    assert r"write 'st.dmz\_%'" in told
    assert "'st.gone' matches no table" in told
    assert "made later crosses" in told


def test_a_rule_in_another_case_than_the_table() -> None:
    told = messages("Event", ignore_table=("st.event",), case_sensitive=True)
    assert "the table is called st.Event" in told


def test_rules_that_speak_of_other_databases() -> None:
    assert "matches too much" in messages("event", wild_ignore_table=("%.event",))
    assert "matches too much" not in messages("event", wild_ignore_table=(r"s\%t.event", "st.%"))


def test_no_rule_is_not_fragile() -> None:
    assert filters().fragile([Table(TableName("st", "event"), ())]) == ()


def test_database_rules_and_mixed_rules_are_fragile() -> None:
    told = messages("event", do_db=("st",), ignore_table=("st.event",), do_table=("st.a",))
    assert "replicate_do_db judges DDL and statements by the USE database" in told
    assert "replicate_do_table and replicate_ignore_table are mixed" in told
    assert "does not cross until" in told


def test_describe_shows_what_is_set() -> None:
    assert filters(ignore_table=("st.event",)).describe() == {
        "replicate_ignore_table": ["st.event"],
        "source_binlog_known": True,
        "case_sensitive": False,
    }


EVERYTHING = RawFilters(
    do_db=("a",),
    ignore_db=("b, c",),
    do_table=("a.b",),
    ignore_table=("a.c", "a.d e"),
    wild_do_table=("a.%",),
    wild_ignore_table=(r"a.dmz\\_%",),
    rewrite_db=(("a", "b"), ("c", "d")),
    ignore_server_ids=frozenset({3, 1}),
    do_domain_ids=frozenset({0}),
    ignore_domain_ids=frozenset({7}),
    lower_case_table_names=1,
    target_server_id=2,
    source_server_id=0,
    source_domain_id=0,
    replicate_same_server_id=True,
    case_sensitive=True,
    source_binlog_do_db=("a",),
    source_binlog_ignore_db=("b",),
    source_binlog_known=True,
    unreadable=("the rules",),
    configured_by={"REPLICATE_DO_DB": "STARTUP_OPTIONS"},
)


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
def test_what_is_described_is_read_back(engine: str) -> None:
    """Of every rule there is one here, so that none is left out on the way."""
    assert all(getattr(EVERYTHING, rule.name) != rule.default for rule in fields(RawFilters))
    for raw in (EVERYTHING, RawFilters()):
        told = json.loads(json.dumps(BinlogLinkFilters(raw).describe()))
        read = filters_from(told, engine)
        assert read == BinlogLinkFilters(raw)
        assert read.describe() == told


def test_rules_as_a_user_writes_them() -> None:
    written = {
        "replicate-wild-ignore-table": r"st.dmz\\_%, st.event",
        "replicate_rewrite_db": {"a": "st"},
        "ignore_server_ids": 7,
        "server_id": "2",
    }
    described = filters_from(written, "mariadb").describe()
    assert described == {
        "replicate_wild_ignore_table": [r"st.dmz\\_%", "st.event"],
        "replicate_rewrite_db": ["a->st"],
        "ignore_server_ids": [7],
        "server_id": 2,
        "case_sensitive": False,
    }
    assert filters_from({}, "mysql").describe() == {"case_sensitive": True}
    assert filters_from({"lower_case_table_names": 1}, "mysql").describe()["case_sensitive"] is False


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"replicate_ignore_tables": ["st.event"]}, "replicate_ignore_tables: no such rule"),
        ({"replicate_ignore_table": ["event"]}, "replicate_ignore_table: 'event' is not written as database.table"),
        ({"replicate_wild_ignore_table": [3]}, "replicate_wild_ignore_table: 3 is no name"),
        ({"replicate_do_db": [None]}, "replicate_do_db: None is no name"),
        ({"replicate_rewrite_db": ["a"]}, "replicate_rewrite_db: 'a' is not written as from->to"),
        ({"ignore_server_ids": ["one"]}, "ignore_server_ids: 'one' is no number"),
        ({"server_id": True}, "server_id: True is no number"),
        ({"server_id": -1}, "server_id: -1 is no number"),
        ({"lower_case_table_names": 3}, "lower_case_table_names: 3 is neither"),
        ({"case_sensitive": "yes"}, "case_sensitive: 'yes' is neither true nor false"),
        ({"configured_by": ["x"]}, "configured_by: ['x'] is no mapping"),
        ({"server_id": 1, "server-id": 2}, "server-id: is given twice"),
        ({3: 4}, "3: no such rule"),
    ],
)
def test_what_is_no_rule_is_named(written: dict[Any, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        filters_from(written, "mysql")
