"""Rows of MariaDB and MySQL are found again by the keys that reading them gave."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replguard.errors import Unsupported
from tests.conformance.mysql_mariadb_sides import LOCAL, of_server, two_sides
from tests.conformance.test_mysql_mariadb_rows import LOOSE, NEIGHBOURS, ONLY

pytestmark = pytest.mark.engines("mariadb", "mysql")
NO_KEYS = ("point", "geometry", "json", "vector")
LONG = ("longtext", "blob")
HOSTILE = [b"' OR 1=1 -- ", b"\\", b"x\\' OR '1'='1", b"%s", b"{{table}}", b'"', "\u2019".encode(), b"\x1a\n"]


@pytest.fixture
def blue(pair):
    with two_sides(of_server("blue", pair.blue), of_server("green", pair.green)) as (side, _):
        yield side


def the_table(side, name):
    server = side.connect()
    return server, next(table for table in server.catalog.tables() if table.name.name == name)


def test_rows_are_found_by_every_type_of_key_and_no_others(blue):
    literals_of = {**NEIGHBOURS, **ONLY[blue.engine]}
    kinds = {f"v{n}": pair for n, pair in enumerate(literals_of.items()) if not pair[0].startswith(NO_KEYS)}
    columns = [f"{name} {kind}" for name, (kind, _) in kinds.items()]
    columns += [f"INDEX ({name}{'(9)' if kind in LONG else ''})" for name, (kind, _) in kinds.items()]
    blue.sql(LOCAL, LOOSE, f"CREATE TABLE every (id INT PRIMARY KEY, {', '.join(columns)})")
    for number in range(max(len(literals) for _, literals in kinds.values())):
        values = {name: literals[number] for name, (_, literals) in kinds.items() if number < len(literals)}
        row = f"({number}, {', '.join(values.values())})"
        blue.sql(LOCAL, "SET NAMES utf8mb4", LOOSE, f"INSERT IGNORE INTO every (id, {', '.join(values)}) VALUES {row}")
    server, table = the_table(blue, "every")
    with server.rows.snapshot() as snapshot:
        for name, (kind, _) in kinds.items():
            keyed = replace(table, key=(name,))
            of_key = {(key,): (number,) for number, key in snapshot.read(table, ["id", name]) if key is not None}
            for key in [key for key in of_key if key[0].startswith(b"\xed\xa0")]:
                del of_key[key]
                with pytest.raises(Unsupported, match="looked up by column"):
                    list(snapshot.read_keys(keyed, ["id"], [key]))
            assert sorted(snapshot.read_keys(keyed, ["id"], list(of_key))) == sorted(of_key.values()), kind
            for key, expected in of_key.items():
                assert list(snapshot.read_keys(keyed, ["id"], [key])) == [expected], (kind, key)


def test_composite_keys_hostile_values_and_many_keys(blue):
    blue.sql(LOCAL, "CREATE TABLE t (a VARCHAR(60), b VARBINARY(60), c INT, PRIMARY KEY (b, a))")
    server, table = the_table(blue, "t")
    rows = [(text, text) for text in HOSTILE] + [(b"n%d" % n, b"m") for n in range(450)] + [(b"A", b"a")]
    with_hex = [f"(CONVERT(X'{a.hex()}' USING utf8mb4), X'{b.hex()}', {n})" for n, (a, b) in enumerate(rows)]
    blue.sql(LOCAL, f"INSERT INTO t VALUES {', '.join(with_hex)}")
    with server.rows.snapshot() as snapshot:
        assert {(b, a) for a, b in rows} == {tuple(row) for row in snapshot.read(table, ["b", "a"])}
        keys = [(b, a) for a, b in rows]
        absent = [(b"a", b"a"), (b"A", b"A"), (b"m", b"n1 "), (b"m", b"n9999"), (b"", b""), (None, b"n1")]
        found = list(snapshot.read_keys(table, ["c", "a"], [*keys, *absent, *keys]))
        assert sorted(found) == sorted((b"%d" % n, a) for n, (a, _) in enumerate(rows))
        assert list(snapshot.read_keys(table, ["c"], absent)) == []
        assert list(snapshot.read_keys(table, ["c"], [])) == []
    asked = [text for text in blue.sent if "FROM" in text and " OR " in text]
    assert len(asked) > 2
    assert max(map(len, asked)) < 300_000


def test_what_is_no_key_is_refused(blue):
    blue.sql(LOCAL, "CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    server, table = the_table(blue, "t")
    with server.rows.snapshot() as snapshot:
        with pytest.raises(ValueError, match="no value of column id"):
            list(snapshot.read_keys(table, ["v"], [(b"1 OR 1=1",)]))
        with pytest.raises(Unsupported, match="no key"):
            list(snapshot.read_keys(replace(table, key=()), ["v"], [(b"1",)]))
