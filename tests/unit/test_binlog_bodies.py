"""What stored programs write, from their bodies."""

from __future__ import annotations

import pytest

from replguard.engines.binlog.bodies import written


@pytest.mark.parametrize(
    ("body", "tables", "perhaps"),
    [
        ("DELETE FROM event WHERE x < NOW()", "event", ""),
        ("delete from `EVENT`", "EVENT", ""),
        ("BEGIN INSERT INTO a SELECT * FROM event; END", "a", ""),
        ("BEGIN IF (SELECT 1 FROM event) THEN REPLACE a VALUES (1); ELSE UPDATE b SET x = 1; END IF; END", "a b", ""),
        ("UPDATE a JOIN event USING (id) SET a.x = 1", "", "a event"),
        ("DELETE a FROM a, event WHERE a.id = event.id", "", "a event"),
        ("WITH x AS (SELECT 1) DELETE FROM event", "event", ""),
        ("WITH x AS (SELECT 1) SELECT * FROM event", "", ""),
        ("BEGIN SELECT COUNT(*) INTO @n FROM event; SET @x = REPLACE(@n, 'a', 'b'); END", "", ""),
        ("TRUNCATE event", "event", ""),
        ("ALTER TABLE event DROP PARTITION p", "event", ""),
        ("RENAME TABLE event TO a", "event a", ""),
        ("DROP TABLE IF EXISTS a, event", "a event", ""),
        ("CREATE TABLE a SELECT * FROM event", "a", ""),
        ("one: LOOP DELETE FROM event LIMIT 10; LEAVE one; END LOOP", "event", ""),
        ("WHILE 1 DO INSERT INTO event VALUES (1); END WHILE", "event", ""),
        ("SELECT 'DELETE FROM event' /* DELETE FROM event */", "", ""),
        ("/*!99999 SELECT 1; */ DELETE FROM event", "event", ""),
    ],
)
def test_what_is_written(body: str, tables: str, perhaps: str) -> None:
    found = written(body, "st")
    assert [table.name for table in found.tables] == tables.split()
    assert [table.name for table in found.perhaps] == perhaps.split()
    assert not found.opaque


@pytest.mark.parametrize(
    "body", ["CALL purge()", "BEGIN SET @a = 1; CALL event.purge(); END", "BEGIN PREPARE s FROM @x; EXECUTE s; END"]
)
def test_what_runs_out_of_sight(body: str) -> None:
    assert written(body, "st").opaque


def test_a_made_up_statement_may_write_what_its_parts_name() -> None:
    found = written("BEGIN EXECUTE IMMEDIATE CONCAT('DELETE FROM ', 'event'); END", "st")
    assert "event" in {table.name for table in found.perhaps}


def test_the_mode_of_the_program_decides_what_is_a_name() -> None:
    assert [table.name for table in written('DELETE FROM "event"', "st", "ANSI_QUOTES,STRICT_ALL_TABLES").tables] == [
        "event"
    ]
