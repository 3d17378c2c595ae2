"""Row images of MariaDB and MySQL are decoded to what reading the same rows gives."""

from __future__ import annotations

import pytest

from replguard.engines.binlog.events import MariaDBEvent
from replguard.model.changes import Interest
from replguard.model.tables import ColumnKind
from tests.conformance.mysql_mariadb_sides import LOCAL, of_server, two_sides
from tests.conformance.raw_binlog import images, row_events
from tests.conformance.test_mysql_mariadb_rows import LOOSE, NEIGHBOURS, ONLY

pytestmark = pytest.mark.engines("mariadb", "mysql")


@pytest.fixture
def blue(pair, pairs):
    """One of two servers without replication between them: nothing of this reaches another test's replica."""
    apart = pairs.get("none")
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as (side, _):
        yield side


def shapes(side):
    return {table.name: table for table in side.connect().catalog.tables()}


def shown(column, value):
    """A canonical value as a report shows it, but whole."""
    if value is None:
        return None
    if column.kind is ColumnKind.integer:
        return int(value)
    return f"0x{value.hex()}" if column.kind is ColumnKind.binary else value.decode("utf-8", "backslashreplace")


def read(side, table):
    """The rows of a table as reading them gives: each as values by column."""
    with side.connect().rows.snapshot() as snapshot:
        rows = list(snapshot.read(table, [column.name for column in table.columns]))
    return [
        {column.name: shown(column, value) for column, value in zip(table.columns, row, strict=True)} for row in rows
    ]


MORE = {
    "mediumint": ["NULL", "-8388608", "-1", "8388607"],
    "mediumint unsigned": ["0", "16777215"],
    "smallint unsigned": ["0", "65535"],
    "bigint(20) unsigned zerofill": ["0", "18446744073709551615"],
    "decimal(8,3) unsigned zerofill": ["0", "1.5", "99999.999"],
    "decimal(9,9)": ["0", "-0.000000001", "0.999999999"],
    "decimal(19,9)": ["-1234567890.123456789", "1"],
    "double(20,3)": ["0.001", "-123456789.125"],
    "float(9,2)": ["0.01", "-1234567.25"],
    "double": ["1e15", "1e16", "123456789012345.6", "2439207423232252.5", "-1e-14", "1e-15", "1.5e-5", "1e22", "1e23"],
    "bit(9)": ["b'100000001'", "0"],
    "char(100)": ["NULL", "''", "' a'", "REPEAT('é', 100)"],
    "char(9) character set utf16": ["''", "'a b'", "'é😀'"],
    "char(9) character set latin1": ["''", "'é'"],
    "varchar(300)": ["''", "REPEAT('é', 300)"],
    "varchar(9) character set utf32": ["'a😀'"],
    "varchar(9) character set latin2": ["'ł?'", "'a'"],
    "varchar(9) character set gbk": ["'中'", "'?'"],
    "tinytext": ["''", "'é'"],
    "mediumtext character set latin1": ["''", "'é'"],
    "tinyblob": ["''", "x'00'"],
    "mediumblob": ["REPEAT('x', 70000)"],
    "binary(255)": ["''", "x'ff'"],
    "varbinary(300)": ["''", "REPEAT(x'ff', 300)"],
    "time(1)": ["'-838:59:58.9'", "'00:00:00.1'"],
    "time(6)": ["'-00:00:00.000001'", "'838:59:58.999999'"],
    "datetime(1)": ["'9999-12-31 23:59:59.9'", "'0000-00-00 00:00:00'"],
    "datetime(3)": ["'2026-02-28 23:59:59.999'"],
    "timestamp(2) null": ["'2038-01-19 03:14:07.99'", "'0000-00-00'"],
    "enum('a''b','c\\\\d','é') character set latin1": ["NULL", "1", "2", "3"],
    "enum('x','y')": ["0", "1", "2"],
    "set('é','ü') character set latin1": ["0", "1", "2", "3"],
}
MORE_ONLY = {
    "mariadb": {
        "text compressed": ["NULL", "''", "'short'", "REPEAT('é', 1000)"],
        "varchar(500) compressed": ["''", "REPEAT('x', 400)"],
        "blob compressed": ["x'00ff'", "REPEAT(x'00ff', 500)"],
    },
    "mysql": {
        "json": [
            "JSON_OBJECT('a', 1, 'bé', JSON_ARRAY(1, -1, 65535, -32768, 65536, -2147483648, 4294967296, NULL, true))",
            "JSON_ARRAY(1.5, 1e0, -0e0, 1e15, 1e22, CAST(1.50 AS DECIMAL(10,2)), CAST(-3 AS DECIMAL(30,9)))",
            "JSON_ARRAY('', 'é😀', '\"', '\\\\ /', '\\b\\n\\r\\t', CHAR(1, 12, 31, 127 USING utf8mb4))",
            "JSON_ARRAY(REPEAT('x', 127), REPEAT('x', 128), REPEAT('é', 20000))",
            "JSON_ARRAY(DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04:05.006', TIME '-01:02:03.4', TIME '800:00:00')",
            "JSON_ARRAY(x'00ff', b'101', POINT(1, 2), CAST('2026' AS YEAR))",
            "JSON_OBJECT('big', REPEAT('é', 40000), 'n', 7, 'deep', JSON_ARRAY(JSON_ARRAY(), JSON_OBJECT()))",
            "CONCAT('[', REPEAT('123456,', 20000), '-1, 65535, 4000000000, 1e3, null]')",
            "CONCAT(REPEAT('[', 99), '{\"k\": 0}', REPEAT(']', 99))",
        ]
    },
}
UNTOLD = {"varchar(20) character set ucs2": 2, "varchar(20) character set sjis": 3}
"""How many of the values of these types nobody can say exactly: lone surrogates, and a set that Python reads unlike."""


CATALOG_ALONE = ("decimal(8,3) unsigned zerofill", "uuid", "inet4", "inet6")
"""Only the catalog tells these from what they are stored as."""


def full_metadata(side, *, wanted):
    """Whether table maps name their columns, for one test."""
    before = side.sql("SELECT @@GLOBAL.binlog_row_metadata")[0][0]
    side.sql(f"SET GLOBAL binlog_row_metadata = {'FULL' if wanted else before}")
    return f"SET GLOBAL binlog_row_metadata = {before}"


def every_kind(engine):
    """A column's name to its type and the literals to put into it."""
    literals_of = [*NEIGHBOURS.items(), *ONLY[engine].items(), *MORE.items(), *MORE_ONLY[engine].items()]
    return {f"v{number}": pair for number, pair in enumerate(literals_of)}


def inserts(kinds):
    """As many rows as the longest list of literals; the shorter ones leave the rest NULL."""
    for number in range(max(len(literals) for _, literals in kinds.values())):
        having = {name: literals[number] for name, (_, literals) in kinds.items() if number < len(literals)}
        yield f"INSERT IGNORE INTO every (id, {', '.join(having)}) VALUES ({number}, {', '.join(having.values())})"


@pytest.mark.parametrize("told_by", ["catalog", "both", "metadata"])
def test_values_of_every_type_are_those_that_reading_gives(blue, told_by):
    kinds = every_kind(blue.engine)
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in kinds.items())
    blue.sql(LOCAL, LOOSE, f"CREATE TABLE every (id INT PRIMARY KEY, {columns})")
    known = shapes(blue)
    (table,) = known.values()
    restore = full_metadata(blue, wanted=told_by != "catalog")
    try:
        shape = {} if told_by == "metadata" else known
        found = images(blue, shape, "SET NAMES utf8mb4", LOOSE, *inserts(kinds))
    finally:
        blue.sql(restore)
    told = {image.key["id"]: image.after for _, image in found}
    rows = {row["id"]: row for row in read(blue, table)}
    assert told.keys() == rows.keys() == set(range(len(list(inserts(kinds)))))
    for name, (kind, _) in kinds.items():
        if told_by == "metadata" and kind.startswith(CATALOG_ALONE):
            continue
        missing = [number for number, row in told.items() if name not in row]
        assert len(missing) == UNTOLD.get(kind, 0), (kind, missing)
        for number in told.keys() - missing:
            assert told[number][name] == rows[number][name], (kind, number)


ITEMS = (
    "CREATE TABLE items (code VARCHAR(20) CHARACTER SET latin1, n SMALLINT UNSIGNED, name VARCHAR(300), "
    "price DECIMAL(8,2), note TEXT, data BLOB, day DATETIME(3), PRIMARY KEY (n, code))"
)
FIRST, SECOND, MOVED = {"n": 65535, "code": "é"}, {"n": 0, "code": ""}, {"n": 65534, "code": "é"}
CHANGES = [
    "INSERT INTO items VALUES ('é', 65535, 'x', 1.50, 'note', x'00ff', NULL), ('', 0, NULL, NULL, NULL, NULL, NULL)",
    "UPDATE items SET price = 2 WHERE n = 65535",
    "UPDATE items SET n = n - 1 WHERE n = 65535",
    "UPDATE items SET note = 'other', name = NULL WHERE n = 0",
    "UPDATE items SET day = '2026-01-02 03:04:05.006'",
    "DELETE FROM items",
]
TOLD = [
    (FIRST, None, None),
    (SECOND, None, None),
    (FIRST, None, {"price"}),
    (MOVED, FIRST, {"n"}),
    (SECOND, None, {"note"}),
    (SECOND, None, {"day"}),
    (MOVED, None, {"day"}),
    (SECOND, None, None),
    (MOVED, None, None),
]
UNTELLING = {"FULL": set(), "MINIMAL": {"price", "note", "day"}, "NOBLOB": {"note"}}
"""Columns of which these images only say that they were set."""


def told_keys(found):
    return [(image.key, image.old_key, image.changed) for _, image in found]


def expected(image):
    return [(key, old, None if changed and changed & UNTELLING[image] else changed) for key, old, changed in TOLD]


@pytest.mark.parametrize(
    ("image", "full", "compressed"),
    [(image, full, False) for image in UNTELLING for full in (False, True)] + [("FULL", False, True)],
)
def test_keys_and_changed_columns_with_every_row_image(blue, image, full, compressed):
    blue.sql(LOCAL, ITEMS)
    known = shapes(blue)
    switches = ["SET NAMES utf8mb4", f"SET SESSION binlog_row_image = {image}"]
    restore = [full_metadata(blue, wanted=full)]
    if compressed and blue.engine == "mariadb":
        blue.sql("SET GLOBAL log_bin_compress = ON", "SET GLOBAL log_bin_compress_min_len = 10")
        restore += ["SET GLOBAL log_bin_compress = OFF", "SET GLOBAL log_bin_compress_min_len = DEFAULT"]
    elif compressed:
        switches.append("SET SESSION binlog_transaction_compression = ON")
    try:
        if compressed and blue.engine == "mariadb":
            assert isinstance(row_events(blue, CHANGES[0], "DELETE FROM items")[0][0][1], MariaDBEvent)
        found = images(blue, known, *switches, *CHANGES, interest=Interest.keyed)
        nameless = images(blue, {}, *switches, *CHANGES, interest=Interest.keyed)
    finally:
        blue.sql(*restore)
    assert told_keys(found) == expected(image)
    assert told_keys(nameless) == (expected(image) if full else [(None, None, None)] * len(TOLD))


def test_a_table_that_was_altered_since_gives_no_key_by_guess(blue):
    blue.sql(LOCAL, "CREATE TABLE t (id INT PRIMARY KEY, a INT, v VARCHAR(9))")
    changes: tuple[str, ...] = ("INSERT INTO t VALUES (1, 2, 'x')", "DELETE FROM t")
    for alteration in (
        "ALTER TABLE t ADD COLUMN b INT FIRST",
        "ALTER TABLE t DROP COLUMN b",
        "ALTER TABLE t MODIFY id INT AFTER v",
        "ALTER TABLE t MODIFY id BIGINT FIRST",
        "ALTER TABLE t MODIFY id INT UNSIGNED, MODIFY v VARCHAR(90)",
    ):
        before = shapes(blue)
        assert [image.key for _, image in images(blue, before, "SET sql_mode = ''", *changes)] == [{"id": 1}] * 2
        blue.sql(LOCAL, alteration)
        changes = tuple(change.replace("t VALUES", "t (id, a, v) VALUES") for change in changes)
        assert [image.key for _, image in images(blue, before, *changes)] == [None] * 2, alteration


@pytest.mark.engines("mysql")
def test_partial_json_names_the_columns_that_it_changes(blue):
    blue.sql(LOCAL, "CREATE TABLE docs (id INT PRIMARY KEY, one JSON, two JSON, n INT)")
    doc = f'{{"a": 1, "pad": "{"x" * 200}"}}'
    found = images(
        blue,
        shapes(blue),
        "SET SESSION binlog_row_value_options = PARTIAL_JSON",
        f"INSERT INTO docs VALUES (1, '{doc}', '{doc}', 1), (2, '{{}}', NULL, 1)",
        "UPDATE docs SET two = JSON_SET(two, '$.a', 2) WHERE id = 1",
        "UPDATE docs SET one = JSON_SET(one, '$.a', 3), n = 5",
        "UPDATE docs SET one = NULL, id = 3 WHERE id = 1",
        "UPDATE docs SET n = 7",
    )
    assert told_keys(found)[2:] == [
        ({"id": 1}, None, {"two"}),
        ({"id": 1}, None, {"one", "n"}),
        ({"id": 2}, None, {"one", "n"}),
        ({"id": 3}, {"id": 1}, {"one", "id"}),
        ({"id": 2}, None, {"n"}),
        ({"id": 3}, None, {"n"}),
    ]
    assert "two" not in found[2][1].after
    assert found[3][1].after["n"] == 5


@pytest.mark.engines("mariadb")
def test_the_hidden_columns_of_a_versioned_table_do_not_hide_its_key(blue):
    blue.sql(LOCAL, "CREATE TABLE v (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING")
    found = images(blue, shapes(blue), "INSERT INTO v VALUES (1, 2)", "UPDATE v SET a = 3", "DELETE FROM v")
    assert {image.key["id"] for _, image in found} == {1}
    assert found[0][1].after["a"] == 2


@pytest.mark.engines("mariadb")
def test_old_times_of_mariadb_are_passed_over_by_their_size(blue):
    blue.sql("SET GLOBAL mysql56_temporal_format = OFF")
    try:
        blue.sql(
            LOCAL, "CREATE TABLE old (a DATETIME, b TIMESTAMP(4) NULL, c TIME(1), d DATETIME(6), id INT PRIMARY KEY)"
        )
    finally:
        blue.sql("SET GLOBAL mysql56_temporal_format = ON")
    row = "('2026-01-02 03:04:05', '2026-01-02 03:04:05.0001', '-01:02:03.4', '2026-01-02 03:04:05.000006', 7)"
    found = images(blue, shapes(blue), f"INSERT INTO old VALUES {row}", "UPDATE old SET a = NULL, id = 8")
    assert told_keys(found) == [({"id": 7}, None, None), ({"id": 8}, {"id": 7}, {"a", "id"})]
    assert found[0][1].after == {"a": "2026-01-02 03:04:05", "id": 7}
