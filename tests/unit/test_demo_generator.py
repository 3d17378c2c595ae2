"""The demo's schema, its rows and the presets agree with each other; no server is asked."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from replguard import config
from replguard.demo import activity, configuration
from replguard.demo.generator import BLOCK_ROWS, rows
from replguard.demo.schema import (
    TRACKING_TABLES,
    Engine,
    Part,
    insert_statement,
    partition_name,
    partitions,
    statements,
    tables,
)
from replguard.policy import TableClass

ENGINES: tuple[Engine, ...] = ("postgresql", "mariadb", "mysql")
ZERO_DOWNTIME = {
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
}
REFERENCES = (
    ("businessunit", "parent_id", "businessunit", "id"),
    ("administrator", "role_name", "adminrole", "name"),
    ("administrator_businessunit", "administrator_login", "administrator", "login"),
    ("administrator_businessunit", "businessunit_id", "businessunit", "id"),
    ("account", "businessunit_id", "businessunit", "id"),
    ("account", "bandwidthpolicy_name", "bandwidthpolicy", "name"),
    ("virtualuser", "account_id", "account", "id"),
    ("certificate", "account_id", "account", "id"),
    ("pgpkey", "account_id", "account", "id"),
    ("site", "account_id", "account", "id"),
    ("site", "client_certificate_id", "certificate", "id"),
    ("application", "schedule_id", "schedule", "id"),
    ("subscription", "application_name", "application", "name"),
    ("route", "subscription_id", "subscription", "id"),
    ("routestep", "route_id", "route", "id"),
    ("routestep", "site_id", "site", "id"),
    ("transferdetails", "transfer_id", "transferdata", "id"),
)
TRACKING = {name for name in ZERO_DOWNTIME if name.startswith(("TRANSFER", "SUBTRANSMISSION"))}


def patterns(preset: str, table_class: TableClass = TableClass.must_not_sync) -> list[str]:
    policy = config.from_options({"a": "mysql://u@h1/x", "b": "mysql://u@h2/x"}, preset, ()).policy
    return [rule.pattern for rule in policy.rules if rule.table_class is table_class]


def references(engine: Engine, part: Part) -> Iterator[tuple[str, str]]:
    """(child, parent) of every foreign key, in the order of the schema."""
    for text in statements(engine, part):
        if table := re.match(r"CREATE TABLE (\w+)", text):
            for parent in re.findall(r"REFERENCES (\w+)", text):
                yield table.group(1), parent


@pytest.mark.parametrize("engine", ENGINES)
def test_all_25_tables_exist_and_no_more(engine: Engine) -> None:
    names = tables(engine, "must_not_sync")
    assert len(names) == 25
    assert {name.upper() for name in names} == ZERO_DOWNTIME


@pytest.mark.parametrize("engine", ENGINES)
def test_config_tables_are_many_and_outside_every_rule(engine: Engine) -> None:
    names = tables(engine, "config")
    assert len(names) >= 18
    assert len({name.casefold() for name in names}) == len(names)
    assert not {name.upper() for name in names} & ZERO_DOWNTIME


def test_case_of_names_differs_by_engine() -> None:
    assert all(name.islower() for part in ("config", "must_not_sync") for name in tables("postgresql", part))
    for engine in ("mariadb", "mysql"):
        assert {"Event", "DMZ_EDGE", "TransferData"} <= set(tables(engine, "must_not_sync"))
        assert "TransferStatus" in tables(engine, "lookalikes")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("part", ["config", "must_not_sync"])
def test_foreign_keys_stay_inside_their_part_and_follow_their_parents(engine: Engine, part: Part) -> None:
    order = list(tables(engine, part))
    found = list(references(engine, part))
    assert found
    for child, parent in found:
        assert parent in order, f"{child} refers across the border to {parent}"
        assert order.index(parent) <= order.index(child), f"{child} is made before {parent}"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", [1, 30])
def test_every_config_table_gets_rows(engine: Engine, size: int) -> None:
    counts: Counter[str] = Counter()
    for block in rows(engine, 1, size, part="config"):
        counts[block.table] += len(block.rows)
    assert list(counts) == list(tables(engine, "config"))
    assert counts["account"] == size
    assert all(counts.values())


@pytest.mark.parametrize("engine", ENGINES)
def test_must_not_sync_gets_events_and_transfers(engine: Engine) -> None:
    filled = {block.table.upper() for block in rows(engine, 1, 5, part="must_not_sync")}
    assert {"EVENT", "AUDITLOG", "TRANSFERDATA", "TRANSFERDETAILS", "SUBTRANSMISSIONSTATUS"} <= filled
    assert filled <= ZERO_DOWNTIME


@pytest.mark.parametrize("engine", ENGINES)
def test_the_generator_is_deterministic(engine: Engine) -> None:
    first = list(rows(engine, 7, 40))
    assert first == list(rows(engine, 7, 40))
    assert first != list(rows(engine, 8, 40))


def test_the_values_are_these_on_every_machine() -> None:
    (account, *_) = next(block for block in rows("postgresql", 7, 3) if block.table == "account").rows
    assert account[:6] == (1, "account1", 1, None, "service", "account1@example.com")


def test_config_is_the_same_for_all_sites_and_activity_is_not() -> None:
    assert list(rows("mysql", 7, 5, part="config")) == list(rows("mysql", 7, 5, part="config", site="green"))
    blue, green = (list(rows("mysql", 7, 5, part="must_not_sync", site=site)) for site in ("blue", "green"))
    assert blue != green


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_fit_their_columns_and_references_are_met(engine: Engine) -> None:
    kept: dict[str, list[dict[str, Any]]] = {}
    for block in rows(engine, 3, 700):
        assert 0 < len(block.rows) <= BLOCK_ROWS
        assert {len(row) for row in block.rows} == {len(block.columns)}
        assert block.insert.count("%s") == len(block.columns)
        kept.setdefault(block.table.casefold(), []).extend(
            dict(zip(block.columns, row, strict=True)) for row in block.rows
        )
    for child, column, parent, key in REFERENCES:
        known = {row[key] for row in kept[parent]}
        used = {row[column] for row in kept[child]} - {None}
        assert used <= known, f"{child}.{column}"


def test_the_table_without_a_key_holds_a_row_twice() -> None:
    block = next(block for block in rows("mariadb", 1, 5, part="config") if block.table == "addressrule")
    assert max(Counter(block.rows).values()) == 2


def test_every_maker_belongs_to_a_table() -> None:
    assert set(configuration.TABLES) == set(tables("postgresql", "config"))
    assert set(activity.TABLES) <= set(tables("postgresql", "must_not_sync"))


def test_a_demo_without_accounts_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one account"):
        next(rows("mysql", 1, 0))


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("postgresql", 'INSERT INTO "a""b" ("x", "y") VALUES (%s, %s)'),
        ("mysql", 'INSERT INTO `a"b` (`x`, `y`) VALUES (%s, %s)'),
    ],
)
def test_insert_quotes_names(engine: Engine, text: str) -> None:
    assert insert_statement(engine, 'a"b', ("x", "y")) == text


def test_partitions_are_named_by_start_and_end() -> None:
    made = partitions("postgresql", date(2026, 12, 31), 2)
    assert len(made) == 2 * len(TRACKING_TABLES)
    assert partition_name("transferdata", date(2026, 12, 31)) == "transferdata_20261231v1798761600000"
    assert made[0] == (
        'CREATE TABLE "transferdata_20261231v1798761600000" PARTITION OF "transferdata" '
        "FOR VALUES FROM ('2026-12-31 00:00:00+00') TO ('2027-01-01 00:00:00+00')"
    )
    assert partitions("mysql") == ()
    assert {name.upper() for name in TRACKING_TABLES} == {name for name in TRACKING if not name.endswith("_TEMP")}


def test_zero_downtime_lists_exactly_25_tables() -> None:
    found = patterns("securetransport-zero-downtime")
    assert len(found) == 25
    assert set(found) == ZERO_DOWNTIME


def test_the_other_presets_follow_the_table_of_modes() -> None:
    assert set(patterns("securetransport-5.4-page")) == {"DMZ_EDGE", "DMZ_ZONE", "EVENT"}
    assert set(patterns("securetransport-active-active")) == {"AUDITLOG"} | TRACKING
    assert set(patterns("securetransport-passive")) == {"AUDITLOG"} | TRACKING
    assert set(patterns("securetransport-passive-legacy")) == {"AUDITLOG", "EVENT"} | TRACKING
    assert {"cluster", "server", "install_state"} <= set(patterns("zato"))
    assert {"alembic_version", "sec_*"} <= set(patterns("zato", TableClass.config))


@pytest.mark.parametrize("mode", ["active-active", "passive", "passive-legacy"])
def test_presets_of_self_synchronising_clusters_expect_no_links(mode: str) -> None:
    clusters = {"a": "mysql://u@h1/x", "b": "mysql://u@h2/x"}
    assert config.from_options(clusters, f"securetransport-{mode}", ()).links == "none"
    assert config.from_options(clusters, "securetransport-zero-downtime", ()).links == "discover"
