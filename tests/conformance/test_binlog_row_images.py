"""Row images of MariaDB and MySQL are decoded to what reading the same rows gives."""

from __future__ import annotations

import pytest

from replguard.model.changes import Interest
from replguard.model.tables import ColumnKind
from tests.conformance.mysql_mariadb_sides import LOCAL, of_server, two_sides
from tests.conformance.raw_binlog import images
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


UNTOLD = {"varchar(20) character set ucs2": 2, "varchar(20) character set sjis": 3}
"""How many of the values of these types nobody can say exactly: lone surrogates, and a set that Python reads unlike."""


def full_metadata(side, *, wanted):
    """Whether table maps name their columns, for one test."""
    before = side.sql("SELECT @@GLOBAL.binlog_row_metadata")[0][0]
    side.sql(f"SET GLOBAL binlog_row_metadata = {'FULL' if wanted else before}")
    return f"SET GLOBAL binlog_row_metadata = {before}"


@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
def test_values_of_every_type_are_those_that_reading_gives(blue, full):
    kinds = {f"v{number}": pair for number, pair in enumerate({**NEIGHBOURS, **ONLY[blue.engine]}.items())}
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in kinds.items())
    blue.sql(LOCAL, LOOSE, f"CREATE TABLE every (id INT PRIMARY KEY, {columns})")
    (table,) = known = tuple(shapes(blue).values())
    inserts = [
        f"INSERT IGNORE INTO every (id, {', '.join(having)}) VALUES ({number}, {', '.join(having.values())})"
        for number in range(max(len(literals) for _, literals in kinds.values()))
        if (having := {name: literals[number] for name, (_, literals) in kinds.items() if number < len(literals)})
    ]
    restore = full_metadata(blue, wanted=full)
    try:
        found = images(blue, {each.name: each for each in known}, "SET NAMES utf8mb4", LOOSE, *inserts)
    finally:
        blue.sql(restore)
    told = {image.key["id"]: image.after for _, image in found}
    rows = {row["id"]: row for row in read(blue, table)}
    assert len(told) == len(rows) == len(inserts)
    for name, (kind, _) in kinds.items():
        missing = [number for number, row in told.items() if name not in row]
        if blue.engine == "mysql" and kind.startswith("json"):
            continue
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


@pytest.mark.parametrize("compressed", [False, True], ids=["", "compressed"])
@pytest.mark.parametrize("full", [False, True], ids=["plain", "full"])
@pytest.mark.parametrize("image", list(UNTELLING))
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
