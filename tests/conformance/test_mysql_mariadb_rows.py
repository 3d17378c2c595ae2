"""Rows of MariaDB and MySQL are read exactly: unlike values never give equal bytes, equal values always do."""

from __future__ import annotations

import threading

import pymysql
import pytest

from replguard.engines.binlog.gtid import MySQLGtidSet
from replguard.errors import DeadlineError, Unsupported
from replguard.model.tables import ColumnKind
from tests.conformance.mysql_mariadb_sides import LOCAL, of_server, two_sides

pytestmark = pytest.mark.engines("mariadb", "mysql")


@pytest.fixture
def sides(pair, pairs):
    """Two servers without replication between them, started once; ``pair`` is what skips a missing engine."""
    apart = pairs.get("none")
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as both:
        yield both


NEIGHBOURS = {
    "tinyint": ["NULL", "-128", "0", "127"],
    "bigint": ["NULL", "-9223372036854775808", "-1", "0", "9223372036854775806", "9223372036854775807"],
    "bigint unsigned": ["0", "18446744073709551614", "18446744073709551615"],
    "int(8) unsigned zerofill": ["0", "7", "70", "4294967295"],
    "year": ["NULL", "0", "1901", "2026"],
    "bit(1)": ["NULL", "b'0'", "b'1'"],
    "bit(64)": ["0", "1", "b'1000000000000000000000000000000000000000000000000000000000000000'", "~0"],
    "decimal(65,30)": ["NULL", "0", "0.000000000000000000000000000001", "-0.000000000000000000000000000001", "1.1"],
    "decimal(10,0)": ["0", "9999999999", "-9999999999"],
    "float": ["NULL", "0", "16777215", "16777214", "0.1", "0.1000000089406967", "1e-45", "3e-45", "3.4028234e38"],
    "float(9,3)": ["0", "1.234", "1.235", "123456.5", "123456.508"],
    "double": [
        *("NULL", "0", "0.1", "0.10000000000000002", "0.30000000000000004", "0.3", "9007199254740992"),
        *("9007199254740994", "5e-324", "1e-323", "2.2250738585072014e-308", "1.7976931348623157e308"),
        *("1.7976931348623155e308", "1e15", "1e16", "123456789012345680000", "-0.1"),
    ],
    "char(5)": ["NULL", "''", "'a'", "'A'", "'ä'", "'a b'", "' a'", "'😀'"],
    "varchar(20)": ["NULL", "''", "'a'", "'a '", "'A'", "'NULL'", "'\\\\N'", "'a\\0b'", "'é'", "'e\u0301'", "'😀'"],
    "varchar(20) character set latin1": ["''", "'a'", "'ÿ'", "'€'", "'?'", "x'81'", "x'8d'"],
    "varchar(20) character set utf16": ["''", "'a'", "'a '", "'?'", "'?\\0b'", "'😀'", "'€'"],
    "varchar(20) character set ucs2": ["''", "'?'", "x'd800'", "x'd801'"],
    "varchar(20) character set sjis": ["''", "'?'", "'ソ'"],
    "varchar(20) character set binary": ["''", "x'00'", "x'0000'", "x'ff'"],
    "longtext": ["NULL", "''", "'a'", "'a\\n'", "'a\\r\\n'"],
    "binary(3)": ["NULL", "''", "'a'", "'a '", "x'ffffff'"],
    "varbinary(10)": ["NULL", "''", "x'00'", "x'0000'", "'a'", "'a '", "x'ff'", "x'c3a4'", "x'e4'"],
    "blob": ["NULL", "''", "x'00'", "x'80'", "'%s'", "'{{x}}'"],
    "date": ["NULL", "'0000-00-00'", "'2026-00-00'", "'2026-02-00'", "'1000-01-01'", "'9999-12-31'"],
    "datetime": ["NULL", "'0000-00-00 00:00:00'", "'2026-03-29 02:30:00'", "'2026-03-29 03:30:00'"],
    "datetime(6)": ["'2026-01-01 00:00:00'", "'2026-01-01 00:00:00.000001'", "'2026-01-01 00:00:00.100000'"],
    "timestamp null": ["NULL", "'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2026-10-25 00:30:00'"],
    "timestamp(6) null": ["'2026-10-25 00:30:00'", "'2026-10-25 01:30:00'", "'2026-10-25 00:30:00.000001'"],
    "time": ["NULL", "'-838:59:59'", "'-00:00:01'", "'00:00:00'", "'00:00:01'", "'838:59:59'"],
    "time(3)": ["'00:00:00'", "'00:00:00.001'", "'-00:00:00.001'"],
    "enum('','a','A b','ä')": ["NULL", "0", "1", "2", "3", "4"],
    "set('','a','b')": ["NULL", "0", "1", "2", "3", "4", "6", "7"],
    "point": ["NULL", "ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('POINT(2 1)')"],
    "geometry": [
        "ST_GeomFromText('POINT(1 2)')",
        "ST_GeomFromText('POINT(1 2)', 4326)",
        "ST_GeomFromText('LINESTRING(0 0,1 2)')",
    ],
    "json": ["NULL", "'null'", "'1'", "'1.0'", "'\"1\"'", "'[]'", "'{}'", '\'{"a": [1, 2.5, null, "é"]}\'', "'true'"],
}
ONLY = {
    "mariadb": {
        "uuid": ["NULL", "'123e4567-e89b-12d3-a456-426655440000'", "'123e4567-e89b-12d3-a456-426655440001'"],
        "inet4": ["NULL", "'0.0.0.0'", "'192.0.2.1'"],
        "inet6": ["NULL", "'::'", "'::1'", "'::ffff:192.0.2.1'"],
        "varchar(20) character set ascii ": ["NULL", "''", "'?'", "x'80'", "x'81'", "x'ff'", "x'613f'", "x'61ff'"],
    },
    "mysql": {
        "float ": ["0", "0e0 * -1e0"],
        "double ": ["0", "0e0 * -1e0", "5e-324"],
        "vector(2)": ["NULL", "STRING_TO_VECTOR('[1,2]')", "STRING_TO_VECTOR('[1,2.0000002]')"],
        "json ": ["'18446744073709551615'", "'-0.0'", "'0.0'", "'0'", "CAST(NOW() AS JSON)", "'1e300'"],
    },
}
LOOSE = "SET SESSION sql_mode = '', SESSION time_zone = '+00:00'"


def read(server, name, columns=None):
    table = next(table for table in server.catalog.tables() if table.name.name == name)
    chosen = columns or [column.name for column in table.columns]
    with server.rows.snapshot() as snapshot:
        return list(snapshot.read(table, chosen))


def fill(side, table, kind, literals):
    side.sql(LOCAL, LOOSE, f"CREATE TABLE {table} (id INT PRIMARY KEY, v {kind})")
    rows = ", ".join(f"({number}, {text})" for number, text in enumerate(literals))
    side.sql(LOCAL, "SET NAMES utf8mb4", LOOSE, f"INSERT IGNORE INTO {table} VALUES {rows}")


def test_unlike_values_of_every_type_give_unlike_bytes_and_equal_ones_equal_bytes(sides):
    blue, green = sides
    kinds = {**NEIGHBOURS, **ONLY[blue.engine]}
    if blue.engine == "mysql":
        del kinds["int(8) unsigned zerofill"], kinds["year"]  # looked at below, by their numbers
    for number, (kind, literals) in enumerate(kinds.items()):
        for side in sides:
            fill(side, f"t{number}", kind, literals)
    one, two = blue.connect(), green.connect()
    for number, (kind, literals) in enumerate(kinds.items()):
        values = [row[1] for row in read(one, f"t{number}")]
        assert len(values) == len(literals), kind
        assert len(set(values)) == len(values), (kind, values)
        if "NOW()" not in " ".join(literals):
            assert [row[1] for row in read(two, f"t{number}")] == values, kind


def test_what_the_canonical_form_looks_like(sides):
    blue, _ = sides
    blue.sql(
        LOOSE,
        "CREATE TABLE forms (id INT PRIMARY KEY, z INT(6) ZEROFILL, y YEAR, b BIT(9), f FLOAT, d DOUBLE, "
        "c DECIMAL(6,2), t TIMESTAMP(3) NULL, e ENUM('x','y'), s SET('x','y'), l VARCHAR(9) CHARACTER SET latin1, "
        "bin VARBINARY(9), ti TIME, da DATE)",
        "SET SESSION time_zone = '+05:00'",
        "INSERT INTO forms VALUES (1, 42, 0, b'100000001', 0.1, 1e100, -1.5, '2026-01-01 05:00:00.5', 'y', 'x,y', "
        "'é', x'00ff', '-01:02:03', '0000-00-00')",
    )
    assert read(blue.connect(), "forms") == [
        (
            *(b"1", b"42", b"0", b"257", b"0.10000000149011612", b"1e100", b"-1.50", b"2026-01-01 00:00:00.500"),
            *(b"y", b"x,y", "é".encode(), b"\x00\xff", b"-01:02:03", b"0000-00-00"),
        )
    ]


def test_a_lob_of_5_mb_comes_whole_and_one_byte_counts(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE lobs (id INT PRIMARY KEY, t LONGTEXT, b LONGBLOB)")
    blue.sql("INSERT INTO lobs VALUES (1, REPEAT('é', 2500000), REPEAT(x'00', 5000000))")
    blue.sql("INSERT INTO lobs SELECT 2, CONCAT(LEFT(t, 2499999), 'e'), CONCAT(LEFT(b, 4999999), x'01') FROM lobs")
    first, second = read(blue.connect(), "lobs")
    assert first[1] == "é".encode() * 2500000
    assert len(first[2]) == len(second[2]) == 5000000
    assert first[2][:-1] == second[2][:-1]
    assert first[2] != second[2]
    assert second[1] == first[1][:-2] + b"e"


@pytest.mark.parametrize(
    "name",
    [
        'Order"; DROP--',
        "back`tick",
        "100% %s",
        "{{table}} {0}",
        "naïve 😀".replace("😀", "語"),
        "a.b",
        "x' or ''='",
        "t\\",
    ],
)
def test_hostile_names_are_names(sides, name):
    blue, _ = sides
    column = f"c {name}"[:60]
    table, quoted_column = f"`{name.replace('`', '``')}`", f"`{column.replace('`', '``')}`"
    blue.sql(
        f"CREATE TABLE {table} (id INT PRIMARY KEY, {quoted_column} VARCHAR(9))", f"INSERT INTO {table} VALUES (1, 'x')"
    )
    server = blue.connect()
    assert [table.name.name for table in server.catalog.tables()] == [name]
    assert read(server, name) == [(b"1", b"x")]
    assert server.catalog.tables()[0].columns[1].name == column


def test_rows_come_in_the_order_of_the_key_and_columns_as_asked(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE pairs (a VARCHAR(9), b INT, c INT, PRIMARY KEY (b, a))")
    blue.sql("INSERT INTO pairs VALUES ('y', 2, 1), ('x', 2, 2), ('z', 1, 3)")
    assert read(blue.connect(), "pairs", ["c", "a"]) == [(b"3", b"z"), (b"2", b"x"), (b"1", b"y")]


def test_a_snapshot_does_not_see_later_rows_and_bounds_its_position(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE moving (id INT PRIMARY KEY)", "INSERT INTO moving VALUES (1)")
    server = blue.connect()
    table = server.catalog.tables()[0]
    before = server.replication.position()
    with server.rows.snapshot() as snapshot:
        blue.sql("INSERT INTO moving VALUES (2)")
        assert list(snapshot.read(table, ["id"])) == [(b"1",)]
        assert list(snapshot.read(table, ["id"])) == [(b"1",)]
        assert snapshot.lower == snapshot.upper == before
    assert server.replication.position() != before


def test_an_alter_table_does_not_wait_for_a_snapshot_that_has_read_the_table(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    server = blue.connect()
    (table,) = server.catalog.tables()
    with server.rows.snapshot() as snapshot:
        assert len(list(snapshot.read(table, ["id"]))) == 2
        blue.sql("SET SESSION lock_wait_timeout = 1", "ALTER TABLE t ADD COLUMN x INT")


def test_the_bounds_of_a_snapshot_hold_while_others_commit(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY)")
    server = blue.connect()
    (table,) = server.catalog.tables()
    base = last_number(server.replication.position(), server)
    stop = threading.Event()

    def write():
        raw = pymysql.connect(host=blue.host, port=blue.port, user=blue.user, password=blue.password, autocommit=True)
        with raw, raw.cursor() as cursor:
            while not stop.is_set():
                cursor.execute(f"INSERT INTO {blue.database}.t VALUES ()")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    try:
        seen = []
        for _ in range(20):
            with server.rows.snapshot() as snapshot:
                rows = sum(1 for _ in snapshot.read(table, ["id"]))
                bounds = [last_number(position, server) - base for position in (snapshot.lower, snapshot.upper)]
                seen.append((bounds[0], rows, bounds[1]))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert all(lower <= rows <= upper for lower, rows, upper in seen), seen
    assert seen[-1][1] > seen[0][1]
    if blue.engine == "mariadb":
        assert all(lower == rows == upper for lower, rows, upper in seen)


def last_number(position, server):
    """How many transactions the server itself has written up to a position."""
    own = server.identity.detail.get("server_uuid") or str(server.identity.detail["gtid_domain_id"])
    if server.flavour == "mysql":
        executed = MySQLGtidSet.parse(position.text).intervals
        return sum(last - first + 1 for source, found in executed.items() if source == own for first, last in found)
    part = next(part for part in position.text.split(",") if part.startswith(own))
    return int(part.rpartition("-")[2])


def test_a_snapshot_cannot_write(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    blue.connect()
    assert any("READ ONLY" in text for text in blue.sent)


def test_leaving_a_read_early_does_not_fetch_the_rest(sides):
    blue, _ = sides
    blue.sql(
        "CREATE TABLE long_one (id INT PRIMARY KEY, pad CHAR(200))",
        "INSERT INTO long_one SELECT seq, REPEAT('x', 200) FROM (" + _numbers(100000) + ") n",
    )
    server = blue.connect()
    table = server.catalog.tables()[0]
    with server.rows.snapshot() as snapshot:
        rows = snapshot.read(table, ["id", "pad"])
        assert next(rows)[0] == b"0"
        rows.close()
        assert sum(1 for _ in snapshot.read(table, ["id"])) == 100000


def test_a_read_can_be_interrupted_from_another_thread(sides):
    blue, _ = sides
    blue.sql(
        "CREATE TABLE slow (id INT PRIMARY KEY, v CHAR(200))",
        "INSERT INTO slow SELECT seq, REPEAT('x', 200) FROM (" + _numbers(100000) + ") n",
    )
    server = blue.connect()
    table = server.catalog.tables()[0]
    with server.rows.snapshot() as snapshot:
        rows = snapshot.read(table, ["id", "v"])
        next(rows)
        thread = threading.Thread(target=snapshot.interrupt)
        thread.start()
        thread.join()
        with pytest.raises(DeadlineError):
            list(rows)


def test_a_type_nobody_has_made_sure_of_is_refused_by_name(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE odd (id INT PRIMARY KEY, v INT)")
    server = blue.connect()
    table = server.catalog.tables()[0]
    odd = type(table)(table.name, tuple(type(c)(c.name, "quaternion", ColumnKind.text) for c in table.columns))
    with server.rows.snapshot() as snapshot, pytest.raises(Unsupported, match="column v has type quaternion"):
        next(snapshot.read(odd, ["v"]))


def _numbers(count):
    digits = (
        "(SELECT 0 d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 "
        "UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)"
    )
    width = len(str(count - 1))
    joined = " CROSS JOIN ".join(f"{digits} d{i}" for i in range(width))
    return "SELECT " + " + ".join(f"d{i}.d * {10**i}" for i in range(width)) + f" AS seq FROM {joined}"
