"""What the real servers write for the corpus: one scene, one session, one binlog file (or some, where it rotates).

A scene is statements; ``{n}`` is the database, ``{n}2`` a second one and ``{file}`` a file that the server may load.
``GLOBAL`` settings are undone by the scene itself, so that each scene stands alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Scene = tuple[str, ...]

_TABLES: Scene = (
    "CREATE TABLE account (id INT PRIMARY KEY, name VARCHAR(40), note TEXT, amount DECIMAL(12,3), at DATETIME(6))",
    "CREATE TABLE event (a INT, b VARCHAR(10), payload BLOB, PRIMARY KEY (a, b))",
    "CREATE TABLE `Größe.x` (e ENUM('x','y'), s SET('a','b'), b BIT(9), f DOUBLE, t TIME(3), y YEAR, g BIGINT)",
    "CREATE TABLE parent (id INT PRIMARY KEY)",
    "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)",
)
_ROWS: Scene = (
    (
        "INSERT INTO account VALUES (1, 'one', 'x', 1.5, '2026-01-01 00:00:00.000001'), (2, NULL, NULL, NULL, NULL), "
        "(3, 'three', REPEAT('long', 90), -7.125, '1999-12-31 23:59:59')"
    ),
    "INSERT INTO event VALUES (1, 'k', x'00ff'), (2, 'l', NULL)",
    "UPDATE account SET note = CONCAT(IFNULL(note, ''), '!'), id = id + 10 WHERE id <> 2",
    "REPLACE INTO event VALUES (1, 'k', 'replaced')",
    "INSERT INTO event VALUES (2, 'l', 'z') ON DUPLICATE KEY UPDATE payload = 'dup'",
    "INSERT INTO `Größe.x` VALUES ('x', 'a,b', b'101', 1e300, '-11:22:33.5', 2026, -9)",
    "DELETE FROM `Größe.x`",
    "INSERT INTO parent VALUES (1), (2)",
    "INSERT INTO child VALUES (1, 1), (2, 2)",
    "DELETE FROM parent WHERE id = 1",
    (
        "BEGIN; INSERT INTO account (id) VALUES (50); SAVEPOINT s; DELETE FROM event; ROLLBACK TO s; "
        "UPDATE account, event SET account.name = 'm', event.payload = 'm' WHERE event.a = 1; COMMIT"
    ),
    "BEGIN; INSERT INTO account (id) VALUES (60); ROLLBACK",
    (
        "XA START 'x','y',3; INSERT INTO account (id) VALUES (70); XA END 'x','y',3; XA PREPARE 'x','y',3; "
        "XA COMMIT 'x','y',3"
    ),
    "XA START 'r'; INSERT INTO account (id) VALUES (80); XA END 'r'; XA PREPARE 'r'; XA ROLLBACK 'r'",
    "XA START 'o'; INSERT INTO account (id) VALUES (81); XA END 'o'; XA COMMIT 'o' ONE PHASE",
    "CREATE TEMPORARY TABLE tmp (id INT); INSERT INTO tmp VALUES (1); DROP TEMPORARY TABLE tmp",
)
_DDL: Scene = (
    "CREATE TABLE other LIKE account",
    "CREATE TABLE made (x INT) AS SELECT id AS x FROM account",
    "RENAME TABLE other TO another, made TO done",
    "ALTER TABLE another ADD COLUMN event INT, ADD INDEX by_name (name)",
    (
        "CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id) "
        "(PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)"
    ),
    "CREATE TABLE whole (id INT PRIMARY KEY)",
    "ALTER TABLE parts EXCHANGE PARTITION p0 WITH TABLE whole",
    "ALTER TABLE parts TRUNCATE PARTITION p0",
    "CREATE VIEW seen AS SELECT * FROM event",
    "CREATE TRIGGER written AFTER INSERT ON whole FOR EACH ROW INSERT INTO event VALUES (NEW.id, 't', NULL)",
    "INSERT INTO whole VALUES (1000), (1001)",
    "CREATE PROCEDURE p() UPDATE account SET note = 'p'",
    "CALL p()",
    "CREATE DATABASE {n}2; CREATE TABLE {n}2.away (id INT PRIMARY KEY); INSERT INTO {n}2.away VALUES (1)",
    "TRUNCATE TABLE event",
    "DROP DATABASE {n}2",
    "DROP VIEW seen; DROP TABLE another, done, parts",
    "ANALYZE TABLE account",
)
_STATEMENTS: Scene = (
    "SET SESSION binlog_format = STATEMENT",
    "SET @v = 'user', @n = 5; INSERT INTO account (id, name) VALUES (100 + @n, @v)",
    "UPDATE account SET note = RAND() WHERE id = 105",
    "SET NAMES latin1",
    "UPDATE account SET note = 'now', at = NOW() WHERE id = 105",
    "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
    "DELETE FROM \"account\" WHERE name = 'back\\'",
    "SET SESSION sql_mode = DEFAULT",
    "LOAD DATA INFILE '{file}' INTO TABLE event (a, b)",
    "SET SESSION binlog_format = MIXED",
    "INSERT INTO account (id, name) VALUES (110, UUID())",
    "DELETE FROM account WHERE id = 110",
)
_IMAGES: Scene = (
    "SET SESSION binlog_row_image = MINIMAL",
    "INSERT INTO account (id, name) VALUES (200, 'm')",
    "UPDATE account SET name = 'n' WHERE id = 200",
    "DELETE FROM account WHERE id = 200",
    "SET SESSION binlog_row_image = NOBLOB",
    "INSERT INTO account (id, name) VALUES (201, 'm')",
    "UPDATE account SET name = 'n' WHERE id = 201",
)
_SEVERAL_EVENTS: Scene = (
    (
        "INSERT INTO event SELECT seq + 1000, 'w', REPEAT('w', 600) FROM (SELECT 0 seq UNION SELECT 1 UNION SELECT 2 "
        "UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7) s"
    ),
    "UPDATE event SET payload = CONCAT(payload, 'u') WHERE a >= 1000",
    "DELETE FROM event WHERE a >= 1000",
)
_CHECKSUM_OFF = "SET GLOBAL binlog_checksum = NONE"
_CHECKSUM_ON = "SET GLOBAL binlog_checksum = CRC32"
_LITTLE: Scene = (
    "INSERT INTO account (id, name) VALUES (300, 'little')",
    "UPDATE account SET name = 'more' WHERE id = 300",
    "DELETE FROM account WHERE id = 300",
    "ALTER TABLE account COMMENT 'x'",
)
_INCIDENT: Scene = (
    "SET GLOBAL binlog_stmt_cache_size = 4096; SET GLOBAL max_binlog_stmt_cache_size = 4096",
    "CREATE TABLE plain (id INT PRIMARY KEY, v LONGTEXT) ENGINE = MyISAM",
    "!INSERT INTO plain VALUES (1, REPEAT('a', 40000)), (2, REPEAT('b', 40000))",
    "SET GLOBAL max_binlog_stmt_cache_size = DEFAULT; SET GLOBAL binlog_stmt_cache_size = DEFAULT",
)
"""A statement that begins with ``!`` is expected to fail."""

_MARIADB_COMPRESSED: Scene = (
    "SET GLOBAL log_bin_compress = ON; SET GLOBAL log_bin_compress_min_len = 10",
    "INSERT INTO account (id, note) VALUES (400, REPEAT('x', 500)), (401, REPEAT('y', 500))",
    "UPDATE account SET note = REPEAT('z', 400) WHERE id >= 400",
    "DELETE FROM account WHERE id >= 400",
    "CREATE TABLE squeezed (id INT COMMENT 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx')",
    "SET SESSION binlog_format = STATEMENT",
    "UPDATE account SET note = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    "SET GLOBAL log_bin_compress = OFF; SET GLOBAL log_bin_compress_min_len = DEFAULT",
)
_MYSQL_COMPRESSED: Scene = (
    "SET SESSION binlog_transaction_compression = ON",
    "INSERT INTO account (id, note) VALUES (400, REPEAT('x', 500)), (401, REPEAT('y', 500))",
    "BEGIN; UPDATE account SET note = REPEAT('z', 400) WHERE id >= 400; UPDATE event SET payload = 'c'; COMMIT",
    "DELETE FROM account WHERE id >= 400",
    "SET SESSION binlog_transaction_compression = OFF",
    "INSERT INTO account (id) VALUES (402)",
)
_MYSQL_MORE: Scene = (
    "SET SESSION binlog_rows_query_log_events = ON",
    "SET SESSION gtid_next = 'AUTOMATIC:blue_tag'",
    "INSERT INTO account (id, name) VALUES (500, 'tagged')",
    "SET SESSION gtid_next = 'AUTOMATIC'",
    "UPDATE account SET name = 'query' WHERE id = 500",
    "CREATE TABLE doc (id INT PRIMARY KEY, j JSON)",
    "INSERT INTO doc VALUES (1, JSON_OBJECT('a', 'aaaaaaaaaa', 'b', JSON_ARRAY(1, 2, 3)))",
    "SET SESSION binlog_row_value_options = PARTIAL_JSON",
    "UPDATE doc SET j = JSON_SET(j, '$.a', 'b')",
    "UPDATE doc SET j = JSON_REMOVE(j, '$.b[1]')",
    "SET SESSION binlog_transaction_compression = ON",
    "UPDATE doc SET j = JSON_SET(j, '$.a', 'c')",
)
_MYSQL_ANONYMOUS: Scene = (
    "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = OFF_PERMISSIVE",
    *_LITTLE,
    "XA START 'a'; INSERT INTO account (id) VALUES (600); XA END 'a'; XA PREPARE 'a'; XA COMMIT 'a'",
    "SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = ON",
)
_BOTH: dict[str, Scene] = {
    "tables": _TABLES,
    "rows": _ROWS,
    "ddl": _DDL,
    "statements": _STATEMENTS,
    "images": _IMAGES,
    "several": _SEVERAL_EVENTS,
    "plain": (_CHECKSUM_OFF, *_LITTLE, *_SEVERAL_EVENTS, _CHECKSUM_ON),
}
SCENES: Mapping[str, Mapping[str, Scene]] = {
    "mariadb": {**_BOTH, "compressed": _MARIADB_COMPRESSED, "little": _LITTLE, "incident": _INCIDENT},
    "mysql": {
        **_BOTH,
        "compressed": _MYSQL_COMPRESSED,
        "more": _MYSQL_MORE,
        "anonymous": _MYSQL_ANONYMOUS,
        "little": _LITTLE,
        "incident": _INCIDENT,
    },
}
WITH_TROUBLE = "incident"
"""The one scene that a sound reader calls a gap."""
