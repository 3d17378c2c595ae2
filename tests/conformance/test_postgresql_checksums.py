"""Portions of PostgreSQL's tables: both servers make the same of them, ranges hold each row once, none is dropped."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from replguard.errors import DeadlineError, PrivilegeError, StatementError, Unsupported
from replguard.model.chunks import WHOLE, KeyRange, Portion
from tests.servers.choices import versions

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())

NULLS = KeyRange(nulls=True)
KEYS = {
    "small": ("smallint", "0", "-32768", "32767", "7", "-1"),
    "whole": ("integer", "0", "-2147483648", "2147483647", "10", "9"),
    "big": ("bigint", "0", "-9223372036854775808", "9223372036854775807", "4294967296", "1"),
    "exact": ("numeric", "0", "'NaN'", "'-Infinity'", "1.0", "-1.00", "1e-20"),
    "float": ("float8", "'-0'", "'NaN'", "'-Infinity'", "'Infinity'", "0.1", "5e-324"),
    "half": ("real", "'-0'", "'NaN'", "'-Infinity'", "'Infinity'", "0.1"),
    "truth": ("boolean", "false", "true"),
    "word": ("text", "''", "'a'", "'A'", "'a b'", "'~'", "'\u00e9'", "'e\u0301'", "'Z'", "E'\\t'", "'10'", "'9'"),
    "varied": ("varchar(20)", "''", "'a'", "'A'", "'a '", r"'\N'", "'{{key}}'", "'100%s'", "'it''s'"),
    "padded": ("char(5)", "''", "'a'", "'B'", "'b'", "'\u00e9'"),
    "raw": ("bytea", "''", r"'\x00'", r"'\xff5c'", r"'\x5c'", r"'\x00ff'"),
    "ident": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"),
    "number": ("oid", "0", "4294967295", "2147483648"),
    "day": ("date", "'infinity'", "'-infinity'", "'0044-03-15 BC'", "'2024-02-29'"),
    "hour": ("time", "'00:00'", "'24:00'", "'12:00:00.000001'"),
    "zoned": ("timetz", "'12:00+00'", "'13:00+01'", "'12:00+01'"),
    "stamp": ("timestamp", "'infinity'", "'-infinity'", "'2024-02-29 23:59:59.999999'", "'0044-03-15 BC'"),
    "moment": ("timestamptz", "'infinity'", "'-infinity'", "'2024-02-29 23:59:59.999999+05:30'"),
    "local": ("word_of_its_own", "'a'", "'B'", "'c'", "''"),
    "free": ('text COLLATE "free"', "'A'", "'e\u0301x'", "'co-op'", "'coop'", "'B'", "'a'", "'b'", "'\u00e9'", "'Z'"),
    "c": ('text COLLATE "C"', "'a'", "'A'", "'\u00e9'", "'z'"),
}
UNORDERED = {"inet": "'10.0.0.1'", "interval": "'1 day'", "int[]": "'{1}'", "mood": "'ok'", "pair": "ROW('a', 1)"}


@contextmanager
def looking(side, **options):
    """A snapshot of a database, and its tables by name."""
    server = side.connect()
    tables = {table.name.name: table for table in server.catalog.tables()}
    with server.rows.snapshot(**options) as view:
        yield view, tables


def names(table):
    return tuple(column.name for column in table.columns)


def portion(table, within=WHOLE, function="record"):
    return Portion(table, names(table), function, within)


def ranges(view, table, rows=2):
    bounds = [None]
    while (bound := view.boundary(table, bounds[-1], rows)) is not None:
        bounds.append(bound)
    return [KeyRange(*pair) for pair in zip(bounds, [*bounds[1:], None], strict=True)]


def added(sums):
    return (sum(one.rows for one in sums), sum(one.hashed for one in sums), sum(one.total for one in sums))


def check_partition(view, table, function, rows=2):
    """Ranges hold each row once, by sums, by words and by rows; returns how many ranges."""
    parts = ranges(view, table, rows)
    whole = view.sums([portion(table, function=function)])
    assert added(view.sums([portion(table, part, function) for part in parts])) == added(whole)
    assert whole[0].rows == whole[0].hashed
    words = sorted(view.words(portion(table, function=function)))
    assert sorted(word for part in parts for word in view.words(portion(table, part, function))) == words
    assert len(words) == whole[0].rows
    every = sorted(view.read(table, table.key))
    assert sorted(view.key_of_word(table, word) for word in words) == every
    assert sorted(row for part in parts for row in view.read(table, table.key, part)) == every
    return len(parts)


def test_both_servers_have_the_same_functions(pg_pair):
    for number, side in enumerate(pg_pair):
        side.sql(
            *(f"CREATE TYPE other_{i} AS ENUM ('{i}')" for i in range(number)),
            "CREATE TYPE mood AS ENUM ('ok', 'bad')",
            "CREATE DOMAIN words AS text",
            "CREATE TABLE t (id bigint PRIMARY KEY, m mood, ms mood[], w words, n numeric)",
            "INSERT INTO t VALUES (1, 'ok', '{bad}', 'x', 1.0), (2, 'bad', '{ok,NULL}', '', 2)",
            "INSERT INTO t VALUES (3)",
            "CREATE TABLE u (id int PRIMARY KEY, v int)",
        )
    with looking(pg_pair[0]) as (blue, tables), looking(pg_pair[1]) as (green, others):
        functions = blue.functions(tables["t"], names(tables["t"]))
        assert functions == green.functions(others["t"], names(others["t"]))
        assert [one.name for one in functions] == ["record", "sha256"]
        for function in functions:
            assert blue.golden(function) == green.golden(function)
            mine, theirs = portion(tables["t"], function=function.name), portion(others["t"], function=function.name)
            assert blue.sums([mine]) == green.sums([theirs])
            assert sorted(blue.words(mine)) == sorted(green.words(theirs))
        assert len({blue.golden(function) for function in functions}) == 2
        assert blue.functions(tables["u"], ("id", "v")) != functions


def test_a_column_of_another_type_leaves_no_function_in_common(pg_pair):
    for side, type_ in zip(pg_pair, ("int", "bigint"), strict=True):
        side.sql(f"CREATE TABLE t (id int PRIMARY KEY, v {type_})")
    with looking(pg_pair[0]) as (blue, tables), looking(pg_pair[1]) as (green, others):
        assert not set(blue.functions(tables["t"], ("id", "v"))) & set(green.functions(others["t"], ("id", "v")))


def test_databases_of_two_encodings_share_a_function(pg_pair, pg_one):
    name = pg_one.unique("latin")
    pg_one.sql(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    latin = replace(pg_one, endpoint=replace(pg_one.endpoint, database=name), servers=[])
    try:
        for side in (latin, pg_pair[1]):
            side.sql(
                "SET client_encoding = 'UTF8'",
                "CREATE TYPE mood AS ENUM ('\u00e9')",
                "CREATE TABLE t (id text PRIMARY KEY, v text, w varchar(5), m mood, a text[], c char(3), n name)",
                "INSERT INTO t SELECT v, v, v, '\u00e9', ARRAY[v], v, v FROM unnest(ARRAY['', 'a', '\u00e9']) v",
                "INSERT INTO t SELECT 'long', repeat('\u00e9', 60000)",
            )
        with looking(latin) as (one, tables), looking(pg_pair[1]) as (other, others):
            for function in ("sha256", "record"):
                mine, theirs = portion(tables["t"], function=function), portion(others["t"], function=function)
                assert sorted(one.words(mine)) == sorted(other.words(theirs))
    finally:
        for server in latin.servers:
            server.close()
        pg_one.sql(f"DROP DATABASE {name}")


def has_icu(side):
    """Whether the server is built with ICU; the oldest version that tests run on is."""
    return bool(side.sql("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'")[0][0])


@pytest.fixture
def keyed(pg_one):
    """A table for each type of key, some rows in each, and a copy of it of which the key is one of three columns."""
    locale = "provider = icu, locale = 'und'" if has_icu(pg_one) else "provider = libc, locale = 'C.utf8'"
    statements = [
        f"CREATE COLLATION free ({locale})",
        "CREATE TABLE numbers AS SELECT generate_series(-1, 1) AS a",
        "CREATE TABLE words AS SELECT unnest(ARRAY['', 'b', 'B']) AS b",
        "CREATE DOMAIN word_of_its_own AS text COLLATE \"free\" CHECK (value <> 'x')",
    ]
    for name, (type_, *values) in KEYS.items():
        listed = ", ".join(f"(({value})::{type_.partition(' COLLATE')[0]})" for value in values)
        statements += [
            f"CREATE TABLE {name} (k {type_} PRIMARY KEY, v int)",
            f"INSERT INTO {name} SELECT v, row_number() OVER () FROM (VALUES {listed}) AS t (v)",
            f"CREATE TABLE {name}_3 (a int, k {type_}, b text, v int, PRIMARY KEY (a, k, b))",
            f"INSERT INTO {name}_3 SELECT a, v, b, 1 FROM (VALUES {listed}) AS t (v), numbers, words",
        ]
    pg_one.sql(*statements)
    return pg_one


@pytest.mark.parametrize("function", ["record", "sha256"])
def test_ranges_hold_each_row_once(keyed, function):
    with looking(keyed) as (view, tables):
        for name, (_, *values) in KEYS.items():
            assert view.has_ranges(tables[name])
            assert check_partition(view, tables[name], function) > len(values) // 3
            assert check_partition(view, tables[f"{name}_3"], function, rows=7) > 2


def test_ranges_are_served_by_the_index_of_the_key(keyed):
    with looking(keyed) as (view, tables), psycopg.connect(keyed.dsn) as connection:
        for setting in ("enable_seqscan", "enable_bitmapscan", "enable_sort"):
            connection.execute(f"SET {setting} = off".encode())
        for name in [*KEYS, *(f"{name}_3" for name in KEYS)]:
            keyed.sent.clear()
            view.sums([portion(tables[name], ranges(view, tables[name], 1)[-1])])
            for asked, wanted in (("AS total", "Index Cond"), ("OFFSET 1", "Index Only Scan")):
                text = next(part for sent in keyed.sent for part in sent.split(";\n") if asked in part)
                plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {text}".encode()))
                assert wanted in plan, (name, plan)


def test_a_boundary_is_some_rows_on(pg_one):
    pg_one.sql("CREATE TABLE t (k int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(10, 19)")
    with looking(pg_one) as (view, tables):
        table = tables["t"]
        assert view.boundary(table, None, 0) == (b"10",)
        assert view.boundary(table, None, 3) == (b"13",)
        assert view.boundary(table, (b"13",), 3) == (b"16",)
        assert view.boundary(table, (b"5",), 3) == (b"13",)
        assert view.boundary(table, (b"13",), 7) is None
        assert view.boundary(table, (b"99",), 0) is None


def test_types_whose_order_nobody_relies_on_have_no_ranges(pg_one):
    pg_one.sql(
        "CREATE TYPE mood AS ENUM ('ok')",
        "CREATE TYPE pair AS (a text, b int)",
        "CREATE TABLE none (v int)",
        *(
            f"CREATE TABLE t_{place} (k {type_} PRIMARY KEY); INSERT INTO t_{place} VALUES ({value})"
            for place, (type_, value) in enumerate(UNORDERED.items())
        ),
    )
    with looking(pg_one) as (view, tables):
        for table in tables.values():
            assert not view.has_ranges(table)
            if table.key:
                [word] = view.words(portion(table))
                assert [view.key_of_word(table, word)] == list(view.read(table, table.key))


def test_nondeterministic_collations(pg_one):
    if not has_icu(pg_one):
        pytest.skip("this server is built without ICU")
    pg_one.sql(
        "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
        'CREATE TABLE t (k text COLLATE "loose" PRIMARY KEY, v text COLLATE "loose")',
        "INSERT INTO t VALUES ('a', 'x'), ('B', 'x'), ('c\u00e9', 'x'), ('', 'x'), ('co-op', 'x'), ('Z', 'x')",
        'CREATE TABLE u (k text COLLATE "loose" PRIMARY KEY, v text COLLATE "loose")',
        "INSERT INTO u VALUES ('A', 'x'), ('B', 'X'), ('ce', 'x'), ('', 'x'), ('co-op', 'x'), ('Z', 'x')",
    )
    with looking(pg_one) as (view, tables):
        for function in ("record", "sha256"):
            assert check_partition(view, tables["t"], function) == 3
            one, other = (set(view.words(portion(tables[name], function=function))) for name in "tu")
            assert len(one & other) == 3


@pytest.mark.parametrize("distinct", ["", "NULLS NOT DISTINCT"])
def test_nullable_keys(pg_one, distinct):
    if distinct and pg_one.major < 15:
        pytest.skip("NULLS NOT DISTINCT came with 15")
    pg_one.sql(
        f"CREATE TABLE t (a int, b text, v int, UNIQUE {distinct} (a, b))",
        "INSERT INTO t VALUES (1, 'x', 1), (2, '', 2), (2, 'y', 3), (4, 'z', 7)",
        "INSERT INTO t VALUES (3, NULL, 4), (NULL, 'x', 5), (NULL, NULL, 6)",
        f"CREATE TABLE u (a inet, v int, UNIQUE {distinct} (a)); INSERT INTO u VALUES ('10.0.0.1', 1), (NULL, 2)",
    )
    with looking(pg_one) as (view, tables):
        table = tables["t"]
        assert (table.key, table.nullable_key) == ((), ("a", "b"))
        assert view.sums([portion(table)])[0].rows == 7
        keyed = replace(table, key=table.nullable_key)
        parts = ranges(view, keyed)
        assert len(parts) == 2
        known, nulls = view.sums([portion(keyed), portion(keyed, NULLS)])
        assert (known.rows, nulls.rows) == (4, 3)
        assert added(view.sums([portion(keyed, part) for part in parts])) == added([known])
        assert added([known, nulls]) == added(view.sums([portion(table)]))
        words = view.words(portion(keyed, NULLS))
        assert len(set(words)) == 3
        assert set(words) < set(view.words(portion(table)))
        assert sorted(view.read(keyed, ["v"], NULLS)) == [(b"4",), (b"5",), (b"6",)]
        assert sorted(view.read(keyed, ["v"])) == [(b"1",), (b"2",), (b"3",), (b"7",)]
        other = replace(tables["u"], key=("a",))
        assert [one.rows for one in view.sums([portion(other), portion(other, NULLS)])] == [1, 1]


def test_a_composite_of_nulls_is_not_null(pg_one):
    pg_one.sql(
        "CREATE TYPE pair AS (a text, b int)",
        "CREATE TABLE t (k pair UNIQUE, v pair)",
        "INSERT INTO t VALUES (ROW(NULL, NULL), NULL), (NULL, ROW(NULL, NULL)), (NULL, ROW('', NULL))",
    )
    with looking(pg_one) as (view, tables):
        table = replace(tables["t"], key=("k",))
        assert [one.rows for one in view.sums([portion(table), portion(table, NULLS)])] == [1, 2]
        assert len(set(view.words(Portion(tables["t"], ("v",), "record")))) == 3
        assert len(set(view.words(Portion(tables["t"], ("v",), "sha256")))) == 3


def test_partitions_and_heirs(pg_one):
    pg_one.sql(
        "CREATE TABLE t (d date, n int, PRIMARY KEY (d, n)) PARTITION BY RANGE (d)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2024-01-02')",
        "CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM ('2024-01-02') TO ('2024-01-03') PARTITION BY LIST (d)",
        "CREATE TABLE t_2_x PARTITION OF t_2 DEFAULT",
        "INSERT INTO t SELECT date '2024-01-01' + i % 2, i FROM generate_series(1, 20) i",
        "CREATE TABLE parent (k int PRIMARY KEY); CREATE TABLE child (PRIMARY KEY (k)) INHERITS (parent)",
        "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1), (2)",
    )
    with looking(pg_one) as (view, tables):
        assert check_partition(view, tables["t"], "record", 7) == 3
        whole, one, two, parent, child = view.sums([portion(tables[n]) for n in ("t", "t_1", "t_2", "parent", "child")])
        assert (whole.rows, parent.rows, child.rows) == (20, 1, 2)
        assert added([one, two]) == added([whole])


def test_bounds_that_a_server_has_in_another_order_are_refused(pg_one):
    pg_one.sql('CREATE TABLE t (k text COLLATE "C" PRIMARY KEY)', "INSERT INTO t VALUES ('a'), ('B')")
    with looking(pg_one) as (view, tables):
        wrong = KeyRange((b"a",), (b"B",))
        for read in (
            lambda: view.sums([portion(tables["t"]), portion(tables["t"], wrong)]),
            lambda: view.words(portion(tables["t"], wrong)),
            lambda: list(view.read(tables["t"], ["k"], wrong)),
        ):
            with pytest.raises(Unsupported, match="another way"):
                read()
        assert view.sums([portion(tables["t"])])[0].rows == 2


def test_bounds_that_are_none(pg_one):
    pg_one.sql("CREATE TABLE t (k int PRIMARY KEY)", "CREATE TABLE u (k int)")
    with looking(pg_one) as (view, tables):
        for table, within in (
            (tables["t"], KeyRange((b"1", b"2"))),
            (tables["t"], KeyRange((None,))),
            (tables["u"], KeyRange((b"1",))),
            (tables["t"], KeyRange((b"1",), nulls=True)),
        ):
            with pytest.raises(ValueError, match="bound"):
                view.sums([portion(table, within)])


def test_many_tables_are_summed_in_few_statements(pg_one):
    pg_one.sql(
        *(f"CREATE TABLE t_{i} (k int PRIMARY KEY, v text, w timestamptz)" for i in range(120)),
        *(f"INSERT INTO t_{i} SELECT g, 'x', now() FROM generate_series(1, {i}) g" for i in range(120)),
    )
    with looking(pg_one) as (view, tables):
        pg_one.sent.clear()
        for table in tables.values():
            view.functions(table, names(table))
        wanted = [tables[f"t_{i % 120}"] for i in range(1200)]
        sums = view.sums([portion(table) for table in wanted])
        assert [one.rows for one in sums] == [i % 120 for i in range(1200)]
        assert len(pg_one.sent) == 2


def test_no_portions_and_no_rows(pg_one):
    pg_one.sql("CREATE TABLE t (k int PRIMARY KEY)", "CREATE TABLE u ()", "INSERT INTO u DEFAULT VALUES")
    with looking(pg_one) as (view, tables):
        assert view.sums([]) == []
        assert added(view.sums([portion(tables["t"])])) == (0, 0, 0)
        assert view.words(portion(tables["t"])) == []
        assert view.sums([portion(tables["u"])])[0].rows == len(view.words(portion(tables["u"]))) == 1


def test_wide_rows_and_long_values(pg_one):
    columns = ", ".join(f"c{i} {'text' if i % 2 else 'float8'}" for i in range(1500))
    pg_one.sql(
        f"CREATE TABLE wide ({columns})",
        "INSERT INTO wide (c0) VALUES (1)",
        "INSERT INTO wide (c1499) VALUES ('x')",
        "INSERT INTO wide (c1) VALUES ('x')",
        "CREATE TABLE long (k int PRIMARY KEY, a text, b bytea, c varchar, d xml)",
        "INSERT INTO long SELECT i, repeat('x', 99999 + i), NULL, NULL FROM generate_series(1, 4) i",
        "INSERT INTO long SELECT 4 + i, NULL, decode(repeat('00', 99999 + i), 'hex') FROM generate_series(1, 4) i",
        "INSERT INTO long SELECT 8 + i, NULL, NULL, repeat('x', 99999 + i) FROM generate_series(1, 4) i",
        "INSERT INTO long SELECT 13, repeat('x', 200000), NULL, NULL",
        "INSERT INTO long SELECT 14, repeat('x', 199999) || 'y', NULL, NULL",
    )
    with looking(pg_one) as (view, tables):
        for function in ("record", "sha256"):
            assert len(set(view.words(portion(tables["wide"], function=function)))) == 3
            words = view.words(Portion(replace(tables["long"], key=()), ("a", "b", "c"), function))
            assert len(set(words)) == 14


def test_a_row_larger_than_the_server_can_hold_at_once(pg_one, thorough):
    if not thorough:
        pytest.skip("a row of more than 1 GB: run whole")
    pg_one.sql(
        "CREATE TABLE t (k int PRIMARY KEY, a text, b text, c text, d text)",
        "INSERT INTO t SELECT 1, repeat('x', 300000000)",
        "UPDATE t SET b = a, c = a",
        "INSERT INTO t SELECT 2, a, b, c FROM t",
        "UPDATE t SET d = a || 'y' WHERE k = 1",
        "UPDATE t SET d = a || 'z' WHERE k = 2",
    )
    with looking(pg_one) as (view, tables):
        for function in ("record", "sha256"):
            [whole] = view.sums([portion(tables["t"], function=function)])
            assert (whole.rows, whole.hashed) == (2, 2)
            hashes = {word.split(b",")[0] for word in view.words(Portion(tables["t"], tuple("abcd"), function))}
            assert len(hashes) == 2


def test_a_deadline_leaves_the_view_usable(pg_one):
    pg_one.sql("CREATE TABLE t (k int PRIMARY KEY)", "CREATE TABLE u (k int PRIMARY KEY)", "INSERT INTO u VALUES (1)")
    with looking(pg_one, statement_timeout=0.4) as (view, tables), psycopg.connect(pg_one.dsn) as other:
        other.execute("LOCK TABLE t")
        for read in (
            lambda: view.sums([portion(tables["u"]), portion(tables["t"])]),
            lambda: view.words(portion(tables["t"])),
            lambda: list(view.read(tables["t"], ["k"])),
        ):
            with pytest.raises(DeadlineError, match="statement timeout"):
                read()
            assert view.sums([portion(tables["u"])])[0].rows == 1
        other.rollback()
        assert view.sums([portion(tables["t"])])[0].rows == 0


def test_what_is_missing_is_told_as_by_reading(pg_one):
    role = pg_one.unique("reader")
    pg_one.sql(
        *(f"CREATE TABLE {name} (k int PRIMARY KEY)" for name in ("open", "shut", "ruled")),
        "INSERT INTO open VALUES (1); INSERT INTO ruled VALUES (1)",
        f"CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT ON open, ruled TO {role}; ALTER TABLE ruled ENABLE ROW LEVEL SECURITY",
        "CREATE TABLE objects (k int PRIMARY KEY, v oid); INSERT INTO objects VALUES (1, lo_create(0))",
        f"GRANT SELECT ON objects TO {role}",
    )
    server = pg_one.connect(user=role, password="x")
    try:
        tables = {table.name.name: table for table in server.catalog.tables()}
        assert server.running() is None
        with server.rows.snapshot() as view:
            for name in ("shut", "ruled"):
                with pytest.raises(PrivilegeError) as caught:
                    view.sums([portion(tables["open"]), portion(tables[name])])
                assert name in caught.value.message
                with pytest.raises(PrivilegeError):
                    view.words(portion(tables[name]))
                with pytest.raises(PrivilegeError):
                    view.boundary(tables[name], None, 1)
            with pytest.raises(PrivilegeError) as caught:
                view.sums([portion(tables["shut"])])
            assert f'GRANT SELECT ON TABLE "public"."shut" TO "{role}"' in str(caught.value.remedy)
            for read in (
                lambda: view.functions(tables["objects"], ["k", "v"]),
                lambda: view.sums([portion(tables["objects"])]),
            ):
                with pytest.raises(Unsupported, match="large objects"):
                    read()
            assert view.functions(tables["objects"], ["k"])
            for gone in (
                portion(replace(tables["open"], name=replace(tables["open"].name, name="gone"))),
                Portion(tables["open"], ("k", "gone"), "record"),
            ):
                with pytest.raises(StatementError):
                    view.sums([gone])
            assert view.sums([portion(tables["open"])])[0].rows == 1
    finally:
        server.close()
        pg_one.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize(
    "ddl",
    [
        "TRUNCATE t",
        "ALTER TABLE t ALTER v TYPE bigint",
        "ALTER TABLE p DETACH PARTITION p_1",
        "CREATE TABLE p_2 PARTITION OF p FOR VALUES IN (2)",
        "TRUNCATE p_1",
        "DROP TABLE t",
    ],
)
def test_a_table_that_was_emptied_since_the_snapshot_is_not_taken_for_empty(pg_one, ddl):
    pg_one.sql(
        "CREATE TABLE t (k int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1)",
        "CREATE TABLE p (k int PRIMARY KEY) PARTITION BY LIST (k)",
        "CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p VALUES (1)",
    )
    with looking(pg_one) as (view, tables):
        table = tables["p" if "p_" in ddl else "t"]
        assert view.sums([portion(table)])[0].rows == 1
        assert len(list(view.read(table, ["k"]))) == 1
        # No lock is held any more.
        pg_one.sql("SET lock_timeout = '2s'", ddl)
        for read in (
            lambda: view.sums([portion(table)]),
            lambda: view.words(portion(table)),
            lambda: list(view.read(table, ["k"])),
            lambda: list(view.read_keys(table, ["k"], [(b"1",)])),
        ):
            with pytest.raises(StatementError):
                read()


def test_statistics(pg_one):
    pg_one.sql(
        "CREATE TABLE t (k int PRIMARY KEY, v text)",
        "INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 5000) g",
        "CREATE TABLE p (k int) PARTITION BY LIST (k); CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1)",
        "CREATE TABLE p_2 PARTITION OF p FOR VALUES IN (2)",
        "INSERT INTO p SELECT 1 FROM generate_series(1, 100); INSERT INTO p SELECT 2 FROM generate_series(1, 50)",
        "CREATE TABLE unknown (k int)",
        "ANALYZE t, p_1, p_2",
    )
    with looking(pg_one) as (_, tables):
        assert tables["t"].estimate == 5000
        assert 500_000 < tables["t"].size < 2_000_000
        assert tables["p"].estimate == 150
        assert tables["p"].size == tables["p_1"].size + tables["p_2"].size > 0
        assert (tables["unknown"].estimate, tables["unknown"].size) == (None, None)


def test_running_statements(pg_one):
    server = pg_one.connect()
    with psycopg.connect(pg_one.dsn, autocommit=True) as other:
        before = server.running()
        other.pgconn.send_query(b"SELECT pg_sleep(60)")
        while server.running() <= before:
            pass
        other.cancel()
        while other.pgconn.get_result():
            pass


def test_hostile_names(pg_one):
    hostile = ['Order"; DROP--', "100%s", "{{hash}}", "new\nline", "\u00fcml\u00e4ut", "%(value)s", " "]
    create = sql.SQL("CREATE TABLE {0} ({0} text PRIMARY KEY, v text); INSERT INTO {0} VALUES ({1}, 'b'), ('%s', {1})")
    pg_one.sql(*(create.format(sql.Identifier(name), sql.Literal(name)) for name in hostile))
    with looking(pg_one) as (view, tables):
        for name in hostile:
            for function in ("record", "sha256"):
                assert check_partition(view, tables[name], function, 1) == 2
