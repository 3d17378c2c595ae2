"""PostgreSQL's values are read exactly: every type, one-bit differences, names that hurt."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from replguard.errors import PrivilegeError, StatementError
from replguard.model.tables import ColumnKind, TableName
from tests.servers.choices import versions

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())

EXACT = [
    ("boolean", "true", b"t"),
    ("smallint", "-32768", b"-32768"),
    ("integer", "0", b"0"),
    ("bigint", "9223372036854775807", b"9223372036854775807"),
    ("numeric", "1.00", b"1.00"),
    ("numeric", "'NaN'", b"NaN"),
    ("numeric", "'-Infinity'", b"-Infinity"),
    ("real", "0.1", b"0.1"),
    ("double precision", "0.1::float8 + 0.2::float8", b"0.30000000000000004"),
    ("double precision", "'-0'", b"-0"),
    ("double precision", "'NaN'", b"NaN"),
    ("double precision", "'infinity'", b"Infinity"),
    ("double precision", "5e-324", b"5e-324"),
    ("text", "''", b""),
    ("text", r"E'tab\tnewline\nback\\slash\r\b\f\013'", b"tab\tnewline\nback\\slash\r\b\f\v"),
    ("text", r"'\N'", rb"\N"),
    ("text", "U&'\\00e9\\+01F600'", "\u00e9\U0001f600".encode()),
    ("varchar(10)", "'a '", b"a "),
    ("char(5)", "'a'", b"a    "),
    ('"char"', "'x'", b"x"),
    ("name", "'n'", b"n"),
    ("bytea", r"'\x00ff5c0a09'", b"\x00\xff\\\n\t"),
    ("bytea", "''", b""),
    ("date", "'0044-03-15 BC'", b"0044-03-15 BC"),
    ("date", "'infinity'", b"infinity"),
    ("time(6)", "'24:00:00'", b"24:00:00"),
    ("timetz", "'04:05:06.789+05:30'", b"04:05:06.789+05:30"),
    ("timestamp", "'2024-02-29 23:59:59.999999'", b"2024-02-29 23:59:59.999999"),
    ("timestamp", "'-infinity'", b"-infinity"),
    ("timestamptz", "'2024-01-01 00:00:00.5+05:30'", b"2023-12-31 18:30:00.5+00"),
    ("interval", "'-1 mon +1 day -00:00:00.000001'", b"-1 mons +1 day -00:00:00.000001"),
    ("json", """'{"a": 1,  "a":2}'""", b'{"a": 1,  "a":2}'),
    ("jsonb", """'{"b": 1.00, "a": null}'""", b'{"a": null, "b": 1.00}'),
    ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("inet", "'10.0.0.1/8'", b"10.0.0.1/8"),
    ("cidr", "'10.0.0.0/8'", b"10.0.0.0/8"),
    ("macaddr8", "'08:00:2b:01:02:03:04:05'", b"08:00:2b:01:02:03:04:05"),
    ("bit(3)", "B'101'", b"101"),
    ("varbit", "B''", b""),
    ("int[]", "'[0:1]={1,NULL}'", b"[0:1]={1,NULL}"),
    ("text[]", """ARRAY['NULL', '', 'a"b\\c']""", rb'{"NULL","","a\"b\\c"}'),
    ("float8[]", "ARRAY[0.1::float8 + 0.2::float8]", b"{0.30000000000000004}"),
    ("bytea[]", r"ARRAY['\x5c'::bytea]", rb'{"\\x5c"}'),
    ("int4range", "'(1,5]'", b"[2,6)"),
    ("nummultirange", "'{[1.0,2.00)}'", b"{[1.0,2.00)}"),
    ("tstzrange", "'[2024-01-01 00:00+01,)'", b'["2023-12-31 23:00:00+00",)'),
    ("point", "point(0.1::float8 + 0.2::float8, 2)", b"(0.30000000000000004,2)"),
    ("money", "12345.67", b"$12,345.67"),
    ("tsvector", "'b:2A a'", b"'a' 'b':2A"),
    ("pg_lsn", "'16/B374D848'", b"16/B374D848"),
]

PAIRS = [
    ("double precision", "1.0", "1.0000000000000002"),
    ("double precision", "'0'", "'-0'"),
    ("real", "16777216", "16777218"),
    ("numeric", "1.0", "1.00"),
    ("interval", "'1 day'", "'24:00:00'"),
    ("interval", "'1 mon'", "'30 days'"),
    ("timetz", "'12:00+00'", "'13:00+01'"),
    ("json", "'{\"a\":1}'", "'{\"a\": 1}'"),
    ("text", "'a '", "'a'"),
    ("text", "U&'\\00e9'", "U&'e\\0301'"),
    ("bpchar", "'a '", "'a'"),
    ("text", "NULL", "''"),
    ("bytea", r"'\x00'", "''"),
    ("int[]", "'{1}'", "'[2:2]={1}'"),
    ("inet", "'10.0.0.1'", "'10.0.0.1/31'"),
    ("varbit", "B'0'", "B'00'"),
]


@pytest.fixture
def table(pg_one):
    """A way to make a table of one cluster's database and to find it in the catalog."""

    def make(ddl: str, *more: str, name: str = "t"):
        with psycopg.connect(pg_one.dsn, autocommit=True) as connection:
            for statement in (ddl, *more):
                connection.execute(statement.encode())
        server = pg_one.connect()
        return server, {one.name.name: one for one in server.catalog.tables()}[name]

    return make


def read(server, table, columns=None):
    with server.rows.snapshot() as snapshot:
        return list(snapshot.read(table, columns or [column.name for column in table.columns]))


def read_all(side, values):
    """A table for each case in one database, read in one snapshot: (type, values) to the values read."""
    side.sql(
        *(
            f"CREATE TABLE t_{place} (n serial PRIMARY KEY, v {type_}); "
            f"INSERT INTO t_{place} (v) VALUES {', '.join(f'(({value})::{type_})' for value in given)}"
            for place, (type_, *given) in enumerate(values)
        )
    )
    server = side.connect()
    tables = {table.name.name: table for table in server.catalog.tables()}
    with server.rows.snapshot() as snapshot:
        return [[row[0] for row in snapshot.read(tables[f"t_{place}"], ["v"])] for place in range(len(values))]


def test_values_are_exact(pg_one):
    got = read_all(pg_one, [(type_, literal, "NULL") for type_, literal, _ in EXACT])
    wrong = {case: rows for case, rows in zip(EXACT, got, strict=True) if rows != [case[2], None]}
    assert not wrong


def test_nearly_equal_values_differ(pg_one):
    got = read_all(pg_one, PAIRS)
    same = [case for case, (one, other) in zip(PAIRS, got, strict=True) if one == other]
    assert not same


def test_user_types(table):
    server, found = table(
        "CREATE TYPE mood AS ENUM ('ok', 'so\"so')",
        "CREATE DOMAIN pounds AS numeric(6, 2)",
        "CREATE TYPE pair AS (a text, b int)",
        "CREATE DOMAIN raw AS bytea",
        "CREATE DOMAIN blob AS raw",
        "CREATE DOMAIN small AS smallint",
        "CREATE TABLE t (e mood, d pounds, r pair, b blob, i small)",
        "INSERT INTO t VALUES ('so\"so', 1.50, ROW('', NULL), '\\x5c', 7)",
    )
    assert read(server, found) == [(b'so"so', b"1.50", b'("",)', b"\\", b"7")]
    assert [column.kind for column in found.columns][3:] == [ColumnKind.binary, ColumnKind.integer]
    assert found.columns[0].type == "public.mood"


def test_large_values(table):
    server, found = table(
        "CREATE TABLE t (id int PRIMARY KEY, b bytea, c text)",
        "INSERT INTO t SELECT 1, decode(repeat('5c00ff0a', 1310720), 'hex'), repeat('x\\y', 1747627)",
    )
    [(_, blob, text)] = read(server, found)
    assert blob == b"\\\x00\xff\n" * 1310720
    assert text == b"x\\y" * 1747627


HOSTILE = ['Order"; DROP--', "100%s", "{{table}}", "new\nline", "\u00fcml\u00e4ut", "%(read)s", " "]


def test_hostile_names(pg_one):
    create = sql.SQL("CREATE TABLE {0} ({0} int PRIMARY KEY, v text); INSERT INTO {0} VALUES (2, 'b'), (1, 'a')")
    pg_one.sql(*(create.format(sql.Identifier(name)) for name in HOSTILE))
    server = pg_one.connect()
    found = server.catalog.tables()
    assert sorted(table.name.name for table in found) == sorted(HOSTILE)
    for table in found:
        assert table.key == (table.name.name,)
        assert read(server, table) == [(b"1", b"a"), (b"2", b"b")]


def test_order_is_by_bytes_of_the_key(table):
    server, found = table(
        "CREATE TABLE t (k text, n int, PRIMARY KEY (k, n))",
        "INSERT INTO t SELECT k, n FROM unnest(ARRAY['b', 'B', 'a', 'é', '', 'Z', '~']) k, unnest(ARRAY[10, 9, -1]) n",
    )
    rows = read(server, found)
    assert rows == sorted(rows, key=lambda row: (row[0], int(row[1])))
    assert len(rows) == 21


def test_order_of_other_key_types_is_by_canonical_bytes(table):
    server, found = table(
        "CREATE TABLE t (d timestamptz, c char(3), PRIMARY KEY (d, c))",
        "INSERT INTO t VALUES ('infinity', 'b'), ('0044-01-01 BC', 'a'), ('2024-01-01', 'z'), ('2024-01-01', 'Z')",
    )
    rows = read(server, found)
    assert rows == sorted(rows)


def test_partitions_are_read_through_the_root_and_inheritance_parents_alone(table):
    server, root = table(
        "CREATE TABLE t (d date) PARTITION BY RANGE (d)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-01-02')",
        "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM ('2024-01-02') TO ('2024-01-03') PARTITION BY LIST (d)",
        "CREATE TABLE t_2_x PARTITION OF t_2 DEFAULT",
        "INSERT INTO t VALUES ('2024-01-01'), ('2024-01-02')",
        "CREATE TABLE parent (d date); CREATE TABLE child () INHERITS (parent)",
        "INSERT INTO parent VALUES ('2024-01-01'); INSERT INTO child VALUES ('2024-01-02')",
    )
    tables = {one.name.name: one for one in server.catalog.tables()}
    assert sorted(read(server, root)) == [(b"2024-01-01",), (b"2024-01-02",)]
    assert read(server, tables["parent"]) == [(b"2024-01-01",)]
    assert tables["t_2_x"].ancestors == (TableName("public", "t_2"), TableName("public", "t"))
    assert tables["child"].ancestors == (TableName("public", "parent"),)
    assert [name for name, one in tables.items() if one.partitioned] == ["t", "t_2"]


def test_keys(table):
    server, _ = table(
        "CREATE TABLE t (a int)",
        "CREATE TABLE nullable (a int UNIQUE)",
        "CREATE TABLE late (a int NOT NULL UNIQUE DEFERRABLE)",
        "CREATE TABLE part (a int NOT NULL); CREATE UNIQUE INDEX ON part (a) WHERE a > 0",
        "CREATE TABLE expr (a int NOT NULL); CREATE UNIQUE INDEX ON expr ((a + 1))",
        "CREATE TABLE two (a int NOT NULL, b int NOT NULL, c int, UNIQUE (b, a) INCLUDE (c))",
        "CREATE TABLE pk (a int NOT NULL UNIQUE, b text, PRIMARY KEY (b, a))",
    )
    keys = {one.name.name: one.key for one in server.catalog.tables()}
    empty = dict.fromkeys(["t", "nullable", "late", "part", "expr"], ())
    assert keys == {**empty, "two": ("b", "a"), "pk": ("b", "a")}


def test_columns_foreign_keys_and_triggers(table):
    _, found = table(
        "CREATE TABLE p (id int PRIMARY KEY, b int, a int, UNIQUE (a, b))",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN /* writes event */ RETURN NEW; END'",
        'CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, n varchar(7) COLLATE "C" NOT NULL DEFAULT 0, '
        "u text GENERATED ALWAYS AS (upper(n)) STORED, p int REFERENCES p ON DELETE CASCADE ON UPDATE SET NULL, "
        "y int, x int, CONSTRAINT t_wide FOREIGN KEY (y, x) REFERENCES p (a, b))",
        "CREATE TRIGGER tr AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
    )
    n, u = found.column("n"), found.column("u")
    assert (n.type, n.nullable, n.collation) == ("character varying(7)", False, 'pg_catalog."C"')
    assert u.default is None
    assert u.generated is not None
    assert found.column("id").identity
    [foreign_key, wide] = found.foreign_keys
    assert (foreign_key.columns, foreign_key.parent_columns) == (("p",), ("id",))
    assert (wide.columns, wide.parent_columns) == (("y", "x"), ("a", "b"))
    assert (foreign_key.parent.name, foreign_key.on_delete, foreign_key.on_update) == ("p", "CASCADE", "SET NULL")
    [trigger] = found.triggers
    assert trigger.event == "AFTER INSERT OR UPDATE"
    assert "writes event" in trigger.body


def test_missing_privilege_names_the_grant(pg_one):
    with psycopg.connect(pg_one.dsn, autocommit=True) as connection:
        role = sql.Identifier(pg_one.unique("reader"))
        connection.execute(sql.SQL("CREATE TABLE t (id int); CREATE ROLE {} LOGIN PASSWORD 'geheim'").format(role))
    server = pg_one.connect(user=role.as_string(None).strip('"'), password="geheim")
    [found] = server.catalog.tables()
    with pytest.raises(PrivilegeError) as caught:
        read(server, found)
    assert 'GRANT SELECT ON TABLE "public"."t" TO "' in (caught.value.remedy or "")
    assert "geheim" not in str(caught.value)


def test_row_security_is_never_a_silent_filter(pg_one):
    name = pg_one.unique("reader")
    role = sql.Identifier(name)
    make = sql.SQL(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE ROLE {0} LOGIN PASSWORD 'geheim'; "
        "GRANT SELECT ON t TO {0}; ALTER TABLE t ENABLE ROW LEVEL SECURITY"
    )
    with psycopg.connect(pg_one.dsn, autocommit=True) as connection:
        connection.execute(make.format(role))
    server = pg_one.connect(user=name, password="geheim")
    with pytest.raises(PrivilegeError):
        read(server, server.catalog.tables()[0])


def test_a_table_dropped_meanwhile_is_an_error(pg_one, table):
    server, found = table("CREATE TABLE t (id int)")
    with psycopg.connect(pg_one.dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE t")
    with pytest.raises(StatementError):
        read(server, found)


def test_snapshot_stands_still_and_ends_early(table, pg_one):
    server, found = table("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 200000)")
    with server.rows.snapshot() as snapshot:
        with psycopg.connect(pg_one.dsn, autocommit=True) as connection:
            connection.execute("DELETE FROM t WHERE id > 10")
        reading = snapshot.read(found, ["id"])
        assert next(reading) == (b"1",)
        reading.close()
        assert sum(1 for _ in snapshot.read(found, ["id"])) == 200000
