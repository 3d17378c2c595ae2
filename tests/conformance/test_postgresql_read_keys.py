"""Rows of PostgreSQL are found again by the keys that reading them gave."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import pytest

from replguard.errors import Unsupported
from tests.conformance.test_postgresql_rows import EXACT, PAIRS
from tests.servers.choices import versions

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())
HOSTILE = ["' OR 1=1 -- ", "\\", "x\\' OR '1'='1", "%s", "{{table}}", '"', "{a,b}", "NULL", "\u2019", "\n\t", ""]


def the_table(side, name):
    server = side.connect()
    return server, next(table for table in server.catalog.tables() if table.name.name == name)


def test_rows_are_found_by_every_type_of_key_and_no_others(pg_one):
    kinds: dict[str, list[str]] = {}
    for kind, literal, *_ in EXACT:
        kinds.setdefault(kind, []).append(literal)
    for kind, *literals in PAIRS:
        kinds.setdefault(kind, []).extend(literals)
    names = {f"v{number}": kind for number, kind in enumerate(kinds)}
    statements = ["CREATE TABLE every (id int PRIMARY KEY, " + ", ".join(f"{n} {k}" for n, k in names.items()) + ")"]
    for number in range(max(map(len, kinds.values()))):
        having = {name: kinds[kind][number] for name, kind in names.items() if number < len(kinds[kind])}
        row = ", ".join(f"({literal})::{names[name]}" for name, literal in having.items())
        statements.append(f"INSERT INTO every (id, {', '.join(having)}) VALUES ({number}, {row})")
    pg_one.sql(*statements)
    server, table = the_table(pg_one, "every")
    with server.rows.snapshot() as snapshot:
        for name, kind in names.items():
            keyed = replace(table, key=(name,))
            of_key: dict = {}
            for number, key in snapshot.read(table, ["id", name]):
                if key is not None:
                    of_key.setdefault((key,), []).append((number,))
            everything = sorted(chain.from_iterable(of_key.values()))
            assert sorted(snapshot.read_keys(keyed, ["id"], list(of_key))) == everything, kind
            for key, numbers in of_key.items():
                assert sorted(snapshot.read_keys(keyed, ["id"], [key])) == sorted(numbers), (kind, key)


def test_composite_keys_hostile_values_and_many_keys(pg_one):
    pg_one.sql(
        "CREATE TYPE colour AS ENUM ('red', 'it''s')",
        'CREATE TABLE t ("k %" text COLLATE "C", b bytea, k0 int, e colour, PRIMARY KEY (b, "k %", e))',
        "INSERT INTO t SELECT 'n' || n, 'm', n, 'red' FROM generate_series(1, 2500) n",
        *(
            "INSERT INTO t VALUES ('{}', 'x', {}, 'it''s')".format(h.replace("'", "''"), -n)
            for n, h in enumerate(HOSTILE)
        ),
    )
    server, table = the_table(pg_one, "t")
    with server.rows.snapshot() as snapshot:
        rows = {row[1:]: row[:1] for row in snapshot.read(table, ["k0", *table.key])}
        assert len(rows) == 2500 + len(HOSTILE)
        absent = [(b"m", b"N1", b"red"), (b"m", b"n1", b"it's"), (b"", b"", b"red"), (None, b"n1", b"red")]
        assert sorted(snapshot.read_keys(table, ["k0"], [*rows, *absent, *rows])) == sorted(rows.values())
        assert list(snapshot.read_keys(table, ["k0"], absent)) == []
        assert list(snapshot.read_keys(table, ["k0"], [])) == []
        assert len(list(snapshot.read(table, ["k0"]))) == len(rows)
        with pytest.raises(Unsupported, match="no key"):
            list(snapshot.read_keys(replace(table, key=()), ["k0"], [(b"1",)]))


@pytest.mark.engines("postgresql-15")
def test_a_collation_that_ignores_case_finds_no_other_row(pg_one):
    pg_one.sql(
        "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "CREATE TABLE t (k text COLLATE caseless PRIMARY KEY, n int)",
        "INSERT INTO t VALUES ('Ä', 1), ('b', 2)",
    )
    server, table = the_table(pg_one, "t")
    with server.rows.snapshot() as snapshot:
        assert list(snapshot.read_keys(table, ["n"], [("ä".encode(),), (b"B",)])) == []
        assert list(snapshot.read_keys(table, ["n"], [("Ä".encode(),), (b"B",)])) == [(b"1",)]


def test_an_index_serves_the_look_up_of_ordinary_keys(pg_one):
    pg_one.sql(
        "CREATE TABLE t (a int, b text, PRIMARY KEY (a, b))",
        "INSERT INTO t SELECT n, 'x' || n FROM generate_series(1, 20000) n",
        "ANALYZE t",
    )
    server, table = the_table(pg_one, "t")
    with server.rows.snapshot() as snapshot:
        assert list(snapshot.read_keys(table, ["b"], [(b"7", b"x7")])) == [(b"x7",)]
    asked = next(text for text in pg_one.sent if "IN (SELECT * FROM unnest" in text)
    query = asked[asked.index("(") + 1 : asked.rindex(")")]
    plan = "\n".join(line for (line,) in pg_one.sql(f"EXPLAIN {query}"))
    assert "Index" in plan, plan
