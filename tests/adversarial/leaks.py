"""Leaks of every kind: what is run on blue, and what a watch must find of it. One entry a kind.

``{p}`` begins the name of every table that may be forbidden: the same traffic is run once with ``ban_``, which must not
sync, and once with ``fine_``, which may, so that a finding about the second is a false alarm. ``{db}`` is the database,
``{file}`` a file with the line ``1<tab>x``. Tables of a case exist on both sides before, as ``tables`` says: name and,
where it is not the usual one, definition. Each holds the rows 1 to 3 unless it begins with ``-``; ``ok:x`` is a table
``ok_{p}x`` that may sync.
"""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = "(id int PRIMARY KEY, v varchar(200))"
SENT = "leak.sent"
OPAQUE = "stream.opaque"


@dataclass(frozen=True)
class Leak:
    """``found``: bare table (without its beginning), and the code that tells of it; ``{p}`` stands before it."""

    name: str
    tables: tuple[str, ...]
    run: tuple[str, ...]
    found: frozenset[tuple[str, str]]
    engines: tuple[str, ...] = ()
    on_target: tuple[str, ...] = ()
    """Run on green before: DDL that PostgreSQL does not replicate."""


def _leak(
    name: str,
    tables: tuple[str, ...],
    *run: str,
    found: tuple[str, ...] | None = None,
    code: str = SENT,
    engines: tuple[str, ...] = (),
    on_target: tuple[str, ...] = (),
) -> Leak:
    named = found if found is not None else tuple(table.lstrip("-").split(" ")[0] for table in tables)
    return Leak(name, tables, run, frozenset((table, code) for table in named), engines, on_target)


_ROWS = (
    _leak("an insert", ("ins",), "INSERT INTO {p}ins VALUES (11, 'x')"),
    _leak("an update", ("upd",), "UPDATE {p}upd SET v = 'y' WHERE id = 1"),
    _leak("a delete", ("del",), "DELETE FROM {p}del WHERE id = 2"),
    _leak("an update of the key", ("key",), "UPDATE {p}key SET id = id + 100"),
    _leak("a truncate", ("trunc",), "TRUNCATE TABLE {p}trunc"),
    _leak(
        "rows among many allowed ones",
        ("among",),
        "BEGIN; INSERT INTO ok_a VALUES (21, 'a'); INSERT INTO {p}among VALUES (21, 'x'); "
        "INSERT INTO ok_a VALUES (22, 'a'); COMMIT; DELETE FROM ok_a WHERE id > 20",
    ),
    _leak(
        "rows that go as they came",
        ("gone",),
        "BEGIN; INSERT INTO {p}gone VALUES (31, 'x'); DELETE FROM {p}gone WHERE id = 31; COMMIT",
    ),
    _leak(
        "rows after a savepoint",
        ("save",),
        "BEGIN; SAVEPOINT s; INSERT INTO {p}save VALUES (41, 'x'); RELEASE SAVEPOINT s; COMMIT",
    ),
    _leak("rows that were rolled back", ("back",), "BEGIN; INSERT INTO {p}back VALUES (51, 'x'); ROLLBACK", found=()),
    _leak(
        "rows rolled back to a savepoint",
        ("part",),
        "BEGIN; INSERT INTO ok_a VALUES (61, 'x'); SAVEPOINT s; "
        "INSERT INTO {p}part VALUES (61, 'x'); ROLLBACK TO SAVEPOINT s; COMMIT; DELETE FROM ok_a WHERE id = 61",
        found=(),
    ),
    _leak(
        "a select",
        ("seen",),
        "INSERT INTO ok_a SELECT id + 70, v FROM {p}seen; DELETE FROM ok_a WHERE id > 70",
        found=(),
    ),
)
_MYSQL = (
    _leak("REPLACE", ("repl",), "REPLACE INTO {p}repl VALUES (1, 'x')"),
    _leak("ON DUPLICATE KEY", ("dup",), "INSERT INTO {p}dup VALUES (1, 'x') ON DUPLICATE KEY UPDATE v = 'd'"),
    _leak(
        "an update of two tables",
        ("multi",),
        "UPDATE ok_a, {p}multi SET ok_a.v = 'm', {p}multi.v = 'm' WHERE ok_a.id = {p}multi.id",
    ),
    _leak("a delete from two tables", ("mdel",), "DELETE ok_b, {p}mdel FROM ok_b JOIN {p}mdel USING (id)"),
    _leak("LOAD DATA", ("-load",), "LOAD DATA INFILE '{file}' INTO TABLE {p}load"),
    _leak("ALTER TABLE", ("alter",), "ALTER TABLE {p}alter ADD COLUMN w int"),
    _leak("ALTER with hints in comments", ("hint",), "ALTER /* x */ TABLE /*!50000 {p}hint */ COMMENT 'c'"),
    _leak("an index", ("index",), "CREATE INDEX by_v ON {p}index (v)"),
    _leak("DROP TABLE", ("drop",), "DROP TABLE {p}drop"),
    _leak("DROP among allowed", ("dropm",), "CREATE TABLE ok_drop (id int); DROP TABLE ok_drop, {p}dropm"),
    _leak("a rename away", ("from",), "RENAME TABLE {p}from TO ok_{p}from"),
    _leak(
        "a rename into",
        (),
        "CREATE TABLE ok_{p}into (id int PRIMARY KEY); RENAME TABLE ok_{p}into TO {p}into",
        found=("into",),
    ),
    _leak("ALTER ... RENAME", ("aren",), "ALTER TABLE {p}aren RENAME ok_{p}aren"),
    _leak("CREATE TABLE", (), "CREATE TABLE {p}made (id int PRIMARY KEY)", found=("made",)),
    _leak("CREATE ... LIKE it", ("like",), "CREATE TABLE ok_{p}like LIKE {p}like"),
    _leak(
        "CREATE ... SELECT into it",
        (),
        "CREATE TABLE {p}ctas (id int PRIMARY KEY) AS SELECT id FROM ok_a",
        found=("ctas",),
    ),
    _leak(
        "EXCHANGE PARTITION",
        ("-exch",),
        "CREATE TABLE ok_{p}parts (id int PRIMARY KEY, v varchar(200)) PARTITION BY HASH "
        "(id) PARTITIONS 2; ALTER TABLE ok_{p}parts EXCHANGE PARTITION p0 WITH TABLE {p}exch",
    ),
    _leak(
        "TRUNCATE PARTITION",
        ("tpart (id int PRIMARY KEY, v varchar(200)) PARTITION BY HASH (id) PARTITIONS 2",),
        "ALTER TABLE {p}tpart TRUNCATE PARTITION p0",
    ),
    _leak("a view on it", ("view",), "CREATE VIEW ok_{p}v AS SELECT * FROM {p}view; DROP VIEW ok_{p}v"),
    _leak(
        "a trigger that writes it",
        ("trig",),
        "CREATE TRIGGER t_{p} AFTER INSERT ON ok_c FOR EACH ROW "
        "INSERT INTO {p}trig VALUES (NEW.id, 't'); INSERT INTO ok_c VALUES (900, 'x'); DROP TRIGGER t_{p}; "
        "DELETE FROM ok_c WHERE id = 900",
    ),
    _leak(
        "an event that writes it",
        ("sched",),
        "CREATE EVENT e_{p} ON SCHEDULE EVERY 1 DAY DISABLE DO INSERT INTO {p}sched VALUES (5, 'e'); DROP EVENT e_{p}",
    ),
    _leak(
        "a procedure that writes it",
        ("proc",),
        "CREATE PROCEDURE p_{p}() INSERT INTO {p}proc VALUES (91, 'p'); CALL p_{p}(); DROP PROCEDURE p_{p}",
    ),
    _leak(
        "XA",
        ("xa",),
        "XA START '{p}'; INSERT INTO {p}xa VALUES (91, 'x'); XA END '{p}'; XA PREPARE '{p}'; XA COMMIT '{p}'",
    ),
    _leak("rows from another database", ("far",), "USE {db}_x; INSERT INTO {db}.{p}far VALUES (92, 'x'); USE {db}"),
    _leak("DDL from another database", ("fddl",), "USE {db}_x; ALTER TABLE {db}.{p}fddl COMMENT 'x'; USE {db}"),
    _leak(
        "a statement that names it",
        ("stmt",),
        "SET SESSION binlog_format = STATEMENT; INSERT INTO {p}stmt VALUES (93, 'x'); SET SESSION binlog_format = ROW",
        code=OPAQUE,
    ),
    _leak(
        "a temporary table of its name",
        (),
        "CREATE TEMPORARY TABLE {p}tmp (id int); INSERT INTO {p}tmp VALUES (1); DROP TEMPORARY TABLE {p}tmp",
        found=(),
    ),
    _leak(
        "its name in a text, a comment, a column",
        (),
        "ALTER TABLE ok_c ADD COLUMN {p}ins int COMMENT '{p}ins'; "
        "UPDATE ok_c /* {p}ins */ SET v = '{p}ins'; ALTER TABLE ok_c DROP COLUMN {p}ins",
        found=(),
    ),
    _leak(
        "image minimal",
        ("mini",),
        "SET SESSION binlog_row_image = MINIMAL; UPDATE {p}mini SET v = 'x'; SET SESSION binlog_row_image = FULL",
    ),
    _leak(
        "compressed by this session",
        ("zstd",),
        "SET SESSION binlog_transaction_compression = ON; "
        "INSERT INTO {p}zstd VALUES (94, REPEAT('x', 100)); SET SESSION binlog_transaction_compression = OFF",
        engines=("mysql",),
    ),
    _leak(
        "a tagged transaction",
        ("tag",),
        "SET gtid_next = 'AUTOMATIC:blue'; INSERT INTO {p}tag VALUES (95, 'x'); SET gtid_next = 'AUTOMATIC'",
        engines=("mysql",),
    ),
    _leak(
        "partial JSON",
        ("json (id int PRIMARY KEY, v json)",),
        "SET SESSION binlog_row_value_options = PARTIAL_JSON; "
        "UPDATE {p}json SET v = JSON_SET(v, '$.a', 1); SET SESSION binlog_row_value_options = ''",
        engines=("mysql",),
    ),
    _leak(
        "a cascade (logged from 9.6 on)",
        (
            "ok:par",
            "casc (id int PRIMARY KEY, v varchar(200), FOREIGN KEY (id) REFERENCES ok_{p}par (id) ON DELETE CASCADE)",
        ),
        "DELETE FROM ok_{p}par WHERE id = 2",
        found=("casc",),
        engines=("mysql",),
    ),
    _leak(
        "compressed by the server",
        ("comp",),
        "SET GLOBAL log_bin_compress = ON; SET GLOBAL log_bin_compress_min_len "
        "= 10; INSERT INTO {p}comp VALUES (96, REPEAT('x', 150)); SET GLOBAL log_bin_compress = OFF; "
        "SET GLOBAL log_bin_compress_min_len = DEFAULT",
        engines=("mariadb",),
    ),
    _leak(
        "a sequence of its name",
        (),
        "CREATE SEQUENCE {p}seq; DROP SEQUENCE {p}seq",
        found=("seq",),
        engines=("mariadb",),
    ),
    _leak("CREATE OR REPLACE", ("cor",), "CREATE OR REPLACE TABLE {p}cor (id int PRIMARY KEY)", engines=("mariadb",)),
)
_POSTGRESQL = (
    _leak("COPY", ("copy",), "COPY {p}copy FROM PROGRAM 'echo 11,x' WITH (FORMAT csv)"),
    _leak("a truncate among allowed", ("tmany",), "TRUNCATE ok_d, {p}tmany"),
    _leak(
        "a truncate that cascades",
        ("tcasc",),
        "ALTER TABLE {p}tcasc ADD FOREIGN KEY (id) REFERENCES ok_e (id) "
        "NOT VALID; TRUNCATE ok_e CASCADE; ALTER TABLE {p}tcasc DROP CONSTRAINT {p}tcasc_id_fkey",
    ),
    _leak(
        "a delete that cascades",
        ("ok:par", "casc"),
        "ALTER TABLE {p}casc ADD FOREIGN KEY (id) REFERENCES ok_{p}par (id) "
        "ON DELETE CASCADE; DELETE FROM ok_{p}par WHERE id = 2; ALTER TABLE {p}casc DROP CONSTRAINT {p}casc_id_fkey",
        found=("casc",),
    ),
    _leak("ON CONFLICT", ("conf",), "INSERT INTO {p}conf VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET v = 'd'"),
    _leak(
        "a trigger that writes it",
        ("trig",),
        "CREATE FUNCTION f_{p}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO {p}trig VALUES (NEW.id, 't'); RETURN NEW; END $$; CREATE TRIGGER t_{p} AFTER INSERT ON ok_c FOR "
        "EACH ROW EXECUTE FUNCTION f_{p}(); INSERT INTO ok_c VALUES (900, 'x'); DROP TRIGGER t_{p} ON ok_c; "
        "DELETE FROM ok_c WHERE id = 900",
    ),
    _leak(
        "a table renamed into the forbidden",
        ("-ok:was",),
        "ALTER TABLE ok_{p}was RENAME TO {p}was; INSERT INTO {p}was VALUES (5, 'x')",
        found=("was",),
        on_target=("ALTER TABLE ok_{p}was RENAME TO {p}was",),
    ),
    _leak(
        "a partition, by its leaf",
        ("leaf (id int PRIMARY KEY, v varchar(200)) PARTITION BY RANGE (id)",),
        "INSERT INTO {p}leaf VALUES (1001, 'x')",
        found=("leaf_1",),
    ),
    _leak("replica identity full", ("full (id int, v varchar(200))",), "DELETE FROM {p}full WHERE id = 1"),
    _leak(
        "a large value, unchanged",
        ("toast (id int PRIMARY KEY, v varchar(200), big text)",),
        "UPDATE {p}toast SET v = 't'",
    ),
    _leak(
        "MERGE", ("merge",), "MERGE INTO {p}merge m USING ok_a a ON m.id = a.id WHEN MATCHED THEN UPDATE SET v = 'g'"
    ),
)


def cases(engine: str) -> list[Leak]:
    """All that an engine can do; ids are the names."""
    family = _POSTGRESQL if engine == "postgresql" else _MYSQL
    return [leak for leak in (*_ROWS, *family) if not leak.engines or engine in leak.engines]
