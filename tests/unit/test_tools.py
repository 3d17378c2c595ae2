"""Programs are known by what they say of themselves, and no other is taken for one."""

from __future__ import annotations

import pytest

from replguard.engines.activity import ddl
from replguard.engines.tools import actor, manager, reader


@pytest.mark.parametrize(
    "name",
    ["orchestrator", "orc_server", "mha", "maxscale", "Patroni heartbeat", "repmgrd", "pg_autoctl", "stolon-keeper"],
)
def test_managers_of_failovers(name: str) -> None:
    assert manager(name, "session 1") is not None


@pytest.mark.parametrize(
    "text",
    [
        "INSERT /* gh-ost `st`.`account` */ IGNORE INTO",
        "INSERT LOW_PRIORITY IGNORE INTO x SELECT 1 /*pt-online-schema-change 77 copy nibble*/",
        "REPLACE INTO x /*percona-toolkit src_db:st pt-table-sync*/",
        "REPLACE INTO percona.checksums SELECT /*checksum chunk*/ 1",
        "pg_repack",
    ],
)
def test_programs_that_change_tables(text: str) -> None:
    assert actor(text, "session 1") is not None


@pytest.mark.parametrize("name", ["Debezium Streaming", "awsdms_x", "pglogical apply 16384", "maxwell"])
def test_programs_that_read_changes(name: str) -> None:
    assert reader(name, "session 1") is not None


@pytest.mark.parametrize("name", ["root", "app", "psql", "orca", "mhall", "SELECT ghost FROM t", "administrator"])
def test_others_are_none_of_these(name: str) -> None:
    assert [kind(name, "session 1") for kind in (actor, manager, reader)] == [None, None, None]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("alter table a add b int", "ALTER TABLE"),
        ("-- note\n  DROP INDEX x", "DROP INDEX"),
        ("/* a */ /* b */ truncate a", "TRUNCATE A"),
        ("VACUUM FULL a", "VACUUM FULL"),
        ("/*!50000 ALTER TABLE a */", None),
        ("CREATE TEMPORARY TABLE a (b int)", None),
        ("DROP TEMPORARY TABLE a", None),
        ("SELECT 'ALTER TABLE a'", None),
        ("VACUUM a", None),
        ("", None),
        (None, None),
    ],
)
def test_ddl_is_told_by_its_first_words(text: str | None, told: str | None) -> None:
    assert ddl(text) == told
