"""What MariaDB and MySQL make of portions of tables: hashes as they are defined, and ranges that hold each row once."""

from __future__ import annotations

import hashlib
import zlib
from contextlib import suppress
from dataclasses import replace

import pymysql
import pytest

from replguard.engines.binlog.catalog import BINARIES, base_type
from replguard.errors import DeadlineError, PrivilegeError, StatementError, Unsupported
from replguard.model.chunks import WHOLE, KeyRange, Portion, Sum
from tests.adversarial.binlog_mutations import UNHASHED, crc32c, types
from tests.conformance.mysql_mariadb_sides import LOCAL, eventually, of_server, two_sides
from tests.conformance.test_mysql_mariadb_rows import LOOSE, NEIGHBOURS, _numbers

pytestmark = pytest.mark.engines("mariadb", "mysql")
NAMES = {"mariadb": ["crc32*crc32c", "sha2-64"], "mysql": ["sha2-64"]}


@pytest.fixture
def sides(pair, pairs):
    """Two servers without replication between them, started once; ``pair`` is what skips a missing engine."""
    apart = pairs.get("none")
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as both:
        yield both


@pytest.fixture
def blue(sides):
    return sides[0]


def the_table(side, name):
    server = side.connect()
    return server, next(table for table in server.catalog.tables() if table.name.name == name)


def every(table):
    return tuple(column.name for column in table.columns)


def insert(side, table, rows):
    """Rows of literals; what is a duplicate by the key's rules is left out."""
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    side.sql(LOCAL, "SET NAMES utf8mb4", LOOSE, f"INSERT IGNORE INTO {table} VALUES {values}")


# ------------------------------------------------------------------------------------------------ functions


def test_both_servers_offer_the_same_functions_which_agree_about_fixed_rows(sides):
    found = []
    for side in sides:
        side.sql(LOCAL, "CREATE TABLE t (id INT PRIMARY KEY, j JSON)")
        server, table = the_table(side, "t")
        with server.rows.snapshot() as snapshot:
            plain, json = snapshot.functions(table, ["id"]), snapshot.functions(table, ["id", "j"])
            assert [function.name for function in plain] == NAMES[side.engine]
            assert {function.basis for function in plain} == {""}
            assert {bool(function.basis) for function in json} == {side.engine == "mysql"}
            found.append([(function, snapshot.golden(function)) for function in json])
    assert found[0] == found[1]
    assert all(len(set(golden.split(b","))) == 4 for _, golden in found[0])


def test_half_surrogates_have_no_function_and_odd_types_are_refused(blue):
    blue.sql(LOCAL, f"CREATE TABLE t (id INT PRIMARY KEY, v {UNHASHED})")
    server, table = the_table(blue, "t")
    odd = replace(table, columns=(table.columns[0], replace(table.columns[1], type="quaternion")))
    with server.rows.snapshot() as snapshot:
        assert snapshot.functions(table, ["id"])
        assert snapshot.functions(table, ["v"]) == ()
        with pytest.raises(Unsupported, match="quaternion"):
            snapshot.functions(odd, ["v"])


def encoded(column, value):
    """The part of a row's string that a value makes, by the definition of the encoding; None for floats."""
    kind = base_type(column.type)
    if kind in {"float", "double"}:
        return None
    if kind in BINARIES:
        long = kind in {"blob", "mediumblob", "longblob", "vector"} or kind not in {"binary", "varbinary", "tinyblob"}
        if value is None:
            return b"\xfe\xff"
        whole = value if not long or len(value) <= 65535 else hashlib.sha256(value).hexdigest().encode()
        return b"%d\xff%b" % (len(value), whole)
    if value is None:
        return b"\xfe\xff"
    if kind in {"mediumtext", "longtext", "json"} and len(value) > 65535:
        value = b"\xfd" + hashlib.sha256(value).hexdigest().encode()
    return value + b"\xff"


MODELS = {
    "crc32*crc32c": lambda row: zlib.crc32(row) * crc32c(row),
    "sha2-64": lambda row: int.from_bytes(hashlib.sha256(row).digest()[:8], "big"),
}


def test_hashes_are_those_of_the_canonical_form_in_the_documented_encoding(blue):
    kinds = {f"v{n}": pair for n, pair in enumerate(types(blue.engine).items())}
    columns = [f"{name} {kind}" for name, (kind, _) in kinds.items()]
    blue.sql(LOCAL, LOOSE, f"CREATE TABLE every (id INT PRIMARY KEY, {', '.join(columns)})")
    for number in range(5):
        values = {name: literals[number % len(literals)] for name, (_, literals) in kinds.items()}
        insert(blue, f"every (id, {', '.join(values)})", [(str(number), *values.values())])
    server, table = the_table(blue, "every")
    chosen = tuple(c.name for c in table.columns if base_type(c.type) not in {"float", "double"})
    with server.rows.snapshot() as snapshot:
        rows = list(snapshot.read(table, chosen))
        assert len(rows) == 5
        strings = [
            b"".join(encoded(table.column(name), value) for name, value in zip(chosen, row, strict=True))
            for row in rows
        ]
        for function in snapshot.functions(table, chosen):
            portion = Portion(table, chosen, function.name)
            expected = [
                b"%b,%d" % (row[0], MODELS[function.name](text)) for row, text in zip(rows, strings, strict=True)
            ]
            assert sorted(snapshot.words(portion)) == sorted(expected)
            total = sum(int(word.rpartition(b",")[2]) for word in expected)
            assert snapshot.sums([portion]) == [Sum(5, 5, total)]
            (none,) = snapshot.sums([Portion(table, (), function.name)])
            assert (none.rows, none.hashed, none.total % 5) == (5, 5, 0)


def test_sums_of_many_tables_come_in_one_statement_in_the_order_asked_for(blue):
    for n in range(3):
        blue.sql(LOCAL, f"CREATE TABLE t{n} (id INT PRIMARY KEY, v INT)")
    insert(blue, "t0", [("1", "1")])
    insert(blue, "t2", [("1", "1"), ("2", "NULL")])
    server = blue.connect()
    tables = server.catalog.tables()
    with server.rows.snapshot() as snapshot:
        assert snapshot.sums([]) == []
        for name in NAMES[blue.engine]:
            portions = [Portion(table, ("id", "v"), name) for table in reversed(tables)] * 2
            blue.sent.clear()
            found = snapshot.sums(portions)
            assert sum("SELECT" in text for text in blue.sent) == 1
            assert [each.rows for each in found] == [2, 0, 1] * 2
            assert found[1] == Sum(0, 0, 0)
            assert found[:3] == found[3:]
            assert found[2] == snapshot.sums([portions[2]])[0]


def test_a_row_that_is_too_large_for_a_function_is_told_of_and_never_dropped(blue):
    blue.sql(LOCAL, "CREATE TABLE t (id INT PRIMARY KEY, a TEXT, b MEDIUMTEXT, c MEDIUMTEXT)")
    insert(blue, "t", [("1", "'a'", "'b'", "'c'"), ("2", "''", "REPEAT('b', 1048500)", "REPEAT('c', 1048570)")])
    ((usual,),) = blue.sql("SELECT @@GLOBAL.max_allowed_packet")
    try:
        blue.sql("SET GLOBAL max_allowed_packet = 1048576")
        server, table = the_table(blue, "t")
        with server.rows.snapshot() as snapshot:
            for name in NAMES[blue.engine]:
                portion = Portion(table, every(table), name)
                (whole,) = snapshot.sums([portion])
                assert (whole.rows, whole.hashed) == (2, 2)
                assert len(snapshot.words(portion)) == 2
        insert(blue, "t", [("3", "REPEAT('a', 65535)", "'b'", "'c'")])
        blue.sql("SET GLOBAL max_allowed_packet = 16384")
        server, table = the_table(blue, "t")
        with server.rows.snapshot() as snapshot:
            for name in NAMES[blue.engine]:
                portion = Portion(table, every(table), name)
                (whole,) = snapshot.sums([portion])
                assert (whole.rows, whole.hashed) == (3, 2)
                (rest,) = snapshot.sums([replace(portion, within=KeyRange(None, (b"3",)))])
                assert (rest.rows, rest.hashed, rest.total) == (2, 2, whole.total)
                with pytest.raises(Unsupported, match="too large"):
                    snapshot.words(portion)
    finally:
        blue.sql(f"SET GLOBAL max_allowed_packet = {usual}")


# --------------------------------------------------------------------------------------------------- ranges

TEXTS = [
    *(
        "''",
        "' '",
        "'a'",
        "'A '",
        "'b'",
        "'B'",
        "'ä'",
        "'a\u0308'",
        "'ss'",
        "'ß'",
        "'ch'",
        "'cz'",
        "'z'",
        "'æ'",
        "'ll'",
    ),
    *("'\\0'", "'a\\0'", "'a\\tb'", "'%'", "'\\''", "'\\\\'", "'~'", "'1'", "'10'", "'9'", "'ÿ'", "'€'"),
]
WIDE = [*TEXTS, "'😀'", "'語'", "'\u200d'", "'\uffff'"]
KEYS = {
    "tinyint": ["-128", "-1", "0", "1", "127"],
    "int": ["-2147483648", "-1", "0", "1", "9", "10", "2147483647"],
    "bigint unsigned": ["0", "1", "9223372036854775807", "9223372036854775808", "18446744073709551615"],
    "int(8) unsigned zerofill": ["0", "7", "70", "4294967295"],
    "year": ["1901", "1970", "2026", "'0000'"],
    "decimal(10,2)": ["-99999999.99", "-1.5", "-0.01", "0", "0.01", "1.10", "99999999.99"],
    "decimal(65,30)": NEIGHBOURS["decimal(65,30)"][1:],
    "float": NEIGHBOURS["float"][1:],
    "double": NEIGHBOURS["double"][1:],
    "date": ["'0000-00-00'", "'1000-01-01'", "'2026-00-00'", "'2026-02-00'", "'2026-02-28'", "'9999-12-31'"],
    "datetime(6)": ["'0000-00-00'", "'2026-01-01'", "'2026-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'"],
    "timestamp(3)": ["'1970-01-01 00:00:01'", "'2026-10-25 00:30:00'", "'2026-10-25 01:30:00.001'"],
    "time(3)": ["'-838:59:59'", "'-00:00:00.001'", "'00:00:00'", "'00:00:00.001'", "'09:00:00'", "'838:59:59'"],
    "binary(3)": ["''", "'a'", "x'00ff'", "x'610061'", "x'ffffff'"],
    "varbinary(9)": ["''", "x'00'", "x'0000'", "'a'", "'a '", "x'6100'", "x'2c3b'", "x'ff'", "x'fe'", "'A'"],
    "varchar(9)": WIDE,
    "char(9)": WIDE,
    "varchar(9) collate utf8mb4_bin": WIDE,
    "varchar(9) collate utf8mb4_general_ci": WIDE,
    "varchar(9) collate utf8mb4_unicode_520_ci": WIDE,
    "varchar(9) collate utf8mb4_czech_ci": WIDE,
    "varchar(9) collate utf8mb4_spanish2_ci": WIDE,
    "varchar(9) character set utf8mb3": TEXTS,
    "varchar(9) character set ascii": ["''", "' '", "'a'", "'A'", "'~'", "'\\0'"],
    "varchar(9) collate latin1_swedish_ci": TEXTS,
    "varchar(9) collate latin1_german2_ci": TEXTS,
    "varchar(9) collate latin1_bin": TEXTS,
}
KEYS_ONLY = {
    "mariadb": {
        "varchar(9) character set ascii ": ["''", "'?'", "'a'", "x'80'", "x'81'", "x'ff'", "x'613f'", "x'61ff'"],
        "uuid": ["'123e4567-e89b-12d3-a456-426655440000'", "'00000000-0000-0000-0000-000000000001'",
                 "'ffffffff-ffff-1fff-8000-000000000000'", "'00000000-0000-4000-8000-000000000000'"],
        "inet4": ["'0.0.0.0'", "'9.0.0.1'", "'10.0.0.1'", "'255.255.255.255'"],
        "inet6": ["'::'", "'::1'", "'::ffff:192.0.2.1'", "'ff::'"],
        "varchar(9) collate utf8mb4_nopad_bin": WIDE,
        "varchar(9) collate utf8mb4_uca1400_ai_ci": WIDE,
    },
    "mysql": {
        "varchar(9) collate utf8mb4_0900_as_cs": WIDE,
        "varchar(9) collate utf8mb4_ja_0900_as_cs": WIDE,
        "varchar(9) collate utf8mb4_de_pb_0900_ai_ci": WIDE,
    },
}  # fmt: skip
NO_RANGES = [
    "enum('b','a')",
    "set('a','b')",
    "bit(9)",
    "varchar(9) character set utf16",
    "varchar(9) character set sjis",
]


def walked(snapshot, table, step):
    """The ranges that walking by boundaries gives, unbounded at both ends."""
    lower, found = None, []
    while (upper := snapshot.boundary(table, lower, step)) is not None:
        found.append(KeyRange(lower, upper))
        assert len(found) < 1000, "the walk does not come on"
        lower = upper
    return [*found, KeyRange(lower, None)]


def check_partition(snapshot, table, ranges, whole=WHOLE):
    """Each row of ``whole`` is in exactly one of the ranges, for sums, words and rows alike."""
    names = every(table)
    portion = Portion(table, names, snapshot.functions(table, names)[0].name, whole)
    (total,) = snapshot.sums([portion])
    parts = snapshot.sums([replace(portion, within=within) for within in ranges])
    assert total == Sum(*(sum(getattr(part, of) for part in parts) for of in ("rows", "hashed", "total")))
    words = [word for within in ranges for word in snapshot.words(replace(portion, within=within))]
    assert sorted(words) == sorted(snapshot.words(portion))
    rows = list(snapshot.read(table, names, whole))
    assert sorted(map(str, rows)) == sorted(str(row) for each in ranges for row in snapshot.read(table, names, each))
    assert len(words) == len(rows) == total.rows
    places = [names.index(name) for name in table.key]
    keys = [tuple(row[place] for place in places) for row in rows]
    assert sorted(snapshot.key_of_word(table, word) for word in words) == sorted(keys)
    return total.rows


def test_ranges_hold_each_row_once_for_every_type_of_key_also_by_bounds_of_another_server(sides):
    blue, green = sides
    kinds = {**KEYS, **KEYS_ONLY[blue.engine]}
    if blue.engine == "mariadb" and blue.sql("SELECT 1 FROM information_schema.COLLATIONS WHERE COLLATION_NAME = "
                                             "'uca1400_ai_ci'") == ():  # fmt: skip
        del kinds["varchar(9) collate utf8mb4_uca1400_ai_ci"]
    made = []
    for n, (kind, literals) in enumerate(kinds.items()):
        rows = ", ".join(f"({text}, {place})" for place, text in enumerate(literals))
        made.append(f"CREATE TABLE k{n:02} (k {kind} NOT NULL PRIMARY KEY, v INT)")
        made.append(f"INSERT IGNORE INTO k{n:02} VALUES {rows}")
    blue.sql(LOCAL, "SET NAMES utf8mb4", LOOSE, *made)
    gone = [f"DELETE FROM k{n:02} WHERE v % 3 = 1" for n in range(len(kinds))]
    green.sql(LOCAL, "SET NAMES utf8mb4", LOOSE, *made, *gone)
    one, two = blue.connect(), green.connect()
    tables = zip(one.catalog.tables(), two.catalog.tables(), kinds, strict=True)
    with one.rows.snapshot() as first, two.rows.snapshot() as second:
        for table, other, kind in tables:
            assert first.has_ranges(table), kind
            keys = list(first.read(table, ["k"]))
            ranges = walked(first, table, 3)
            assert [within.lower for within in ranges] == [None, *keys[3::3]], kind
            assert check_partition(first, table, ranges) == len(keys), kind
            assert 0 < check_partition(second, other, ranges) < len(keys), kind


def test_composite_keys_of_three_parts(sides):
    blue, _ = sides
    blue.sql(
        LOCAL,
        "CREATE TABLE t (v INT, c VARBINARY(9), b VARCHAR(9) CHARACTER SET latin1, a BIGINT UNSIGNED, "
        "PRIMARY KEY (a, b, c))",
    )
    texts, raw = ["''", "'a'", "'B'", "'ä'", "'a b'", "','"], ["''", "x'00'", "x'2c'", "x'ff'"]
    rows = [("1", c, b, a) for a in ("0", "1", "18446744073709551615") for b in texts for c in raw]
    insert(blue, "t", rows)
    server, table = the_table(blue, "t")
    with server.rows.snapshot() as snapshot:
        for step in (1, 7, 100):
            check_partition(snapshot, table, walked(snapshot, table, step))
        assert snapshot.boundary(table, (b"1", b"a", b"\xff"), 1) == (b"1", b"a b", b"")
        assert snapshot.boundary(table, (b"18446744073709551615", b"a", b"\xff\xff"), 999) is None
        with pytest.raises(ValueError, match="no value of column a"):
            snapshot.boundary(table, (b"0 OR 1=1", b"", b""), 1)


def test_keys_with_nulls_are_apart_from_every_range(blue):
    blue.sql(LOCAL, LOOSE, "CREATE TABLE t (a INT, d DATE NOT NULL, v INT, UNIQUE (a, d))")
    insert(blue, "t", [(a, d, "1") for a in ("NULL", "NULL", "-1", "0", "7") for d in ("'0000-00-00'", "'2026-01-01'")])
    server, table = the_table(blue, "t")
    assert (table.key, table.nullable_key) == ((), ("a", "d"))
    keyed = replace(table, key=table.nullable_key)
    nulls = KeyRange(nulls=True)
    with server.rows.snapshot() as snapshot:
        for step in (1, 2, 50):
            assert check_partition(snapshot, keyed, walked(snapshot, keyed, step)) == 6
        for name in NAMES[blue.engine]:
            portions = [Portion(keyed, every(table), name, within) for within in (WHOLE, nulls)]
            apart = snapshot.sums(portions)
            (all_rows,) = snapshot.sums([Portion(table, every(table), name)])
            assert [each.rows for each in apart] == [6, 4]
            assert sum(each.total for each in apart) == all_rows.total
            words = snapshot.words(portions[1])
            assert len(words) == 4
            assert len(set(words)) == 2
            assert all(word.isdigit() for word in words)
        assert len(list(snapshot.read(keyed, ["v"], nulls))) == 4
        strict = replace(table, key=("d",))
        assert snapshot.sums([Portion(strict, ("v",), name, nulls)]) == [Sum(0, 0, 0)]
        with pytest.raises(ValueError, match="NULL"):
            snapshot.sums([Portion(keyed, ("v",), name, KeyRange((None, b"2026-01-01")))])


def test_tables_without_a_key_are_multisets(blue):
    rows = {"one": "12", "two": "21", "pair": "1122", "other": "3344", "ones": "1111", "thrice": "1112"}
    for name, values in rows.items():
        blue.sql(LOCAL, f"CREATE TABLE `{name}` (v VARCHAR(9))")
        insert(blue, f"`{name}`", [(f"'{value}'",) for value in values])
    server = blue.connect()
    tables = {table.name.name: table for table in server.catalog.tables()}
    with server.rows.snapshot() as snapshot:
        for name in NAMES[blue.engine]:
            sums = {key: snapshot.sums([Portion(table, ("v",), name)])[0] for key, table in tables.items()}
            words = {key: sorted(snapshot.words(Portion(table, ("v",), name))) for key, table in tables.items()}
            assert sums["one"] == sums["two"]
            assert words["one"] == words["two"]
            assert len(set(sums.values())) == len(rows) - 1
            assert words["pair"] == sorted(words["one"] * 2)
            assert not snapshot.has_ranges(tables["one"])


def test_keys_whose_order_cannot_be_told_have_no_ranges_but_words(blue):
    for n, kind in enumerate(NO_RANGES):
        blue.sql(LOCAL, f"CREATE TABLE t{n} (k {kind} NOT NULL PRIMARY KEY)")
        insert(blue, f"t{n}", [("'a'",), ("'b'",)] if "bit" not in kind else [("5",), ("300",)])
    blue.sql(LOCAL, "CREATE TABLE t9 (k TEXT, PRIMARY KEY (k(9)))")
    insert(blue, "t9", [("'a'",), ("'b,;'",)])
    server = blue.connect()
    with server.rows.snapshot() as snapshot:
        for table in server.catalog.tables():
            assert not snapshot.has_ranges(table)
            words = snapshot.words(Portion(table, ("k",), NAMES[blue.engine][0]))
            keys = sorted(snapshot.key_of_word(table, word) for word in words)
            assert keys == sorted(snapshot.read(table, ["k"]))
            assert len(keys) == 2


def test_the_servers_serve_ranges_and_boundaries_from_the_index_of_the_key(blue):
    kinds = {
        "k1": "a INT NOT NULL, b INT NOT NULL, c INT NOT NULL",
        "k2": "a VARCHAR(20) NOT NULL, b INT NOT NULL, c INT NOT NULL",
        "k3": "a VARCHAR(20) CHARACTER SET latin1 NOT NULL, b DECIMAL(9,2) NOT NULL, c INT NOT NULL",
        "k4": "a VARBINARY(20) NOT NULL, b VARCHAR(9) COLLATE utf8mb4_bin NOT NULL, c INT NOT NULL",
        "k5": "a CHAR(20) CHARACTER SET utf8mb3 NOT NULL, b BIGINT UNSIGNED NOT NULL, c INT NOT NULL",
        "k6": "a DOUBLE NOT NULL, b INT NOT NULL, c INT NOT NULL",
        "k7": "a INT, b INT, c INT",
    }
    for name, columns in kinds.items():
        key = "UNIQUE KEY k" if name == "k7" else "PRIMARY KEY"
        blue.sql(
            LOCAL,
            f"CREATE TABLE {name} ({columns}, pad CHAR(100) DEFAULT 'x', {key} (a, b, c))",
            f"INSERT INTO {name} (a, b, c) SELECT seq DIV 500, seq DIV 20, seq FROM ({_numbers(1000)}) n",
            f"ANALYZE TABLE {name}",
        )
    server = blue.connect()
    with server.rows.snapshot() as snapshot:
        for table in server.catalog.tables():
            keyed = replace(table, key=table.key or table.nullable_key)
            lower = snapshot.boundary(keyed, None, 610)
            upper = snapshot.boundary(keyed, lower, 50)
            portion = Portion(keyed, ("a", "pad"), NAMES[blue.engine][0], KeyRange(lower, upper))
            assert snapshot.sums([portion])[0].rows == 50
            summed = blue.sent[-2]
            for text in (summed, next(text for text in reversed(blue.sent) if "OFFSET 50" in text)):
                (plan,) = blue.explained(text)
                assert plan["type"] == "range", (table.name, text, plan)
                assert plan["key"] == ("k" if table.name.name == "k7" else "PRIMARY")
                assert "filesort" not in (plan["Extra"] or "")
            assert int(blue.explained(summed)[0]["rows"]) < 200
            if table.name.name == "k7":
                boundary = next(text for text in reversed(blue.sent) if "OFFSET 50" in text)
                assert "Using index" in blue.explained(boundary)[0]["Extra"]


# -------------------------------------------------------------------------------- words, time, locks, errors


def test_words_that_are_too_long_for_one_value_are_fetched_one_by_one(blue):
    blue.sql(LOCAL, "CREATE TABLE t (k VARCHAR(60) PRIMARY KEY)")
    insert(blue, "t", [(f"'{'x' * 40}{n:04}'",) for n in range(500)])
    server, table = the_table(blue, "t")
    with server.rows.snapshot() as snapshot:
        for name in NAMES[blue.engine]:
            portion = Portion(table, ("k",), name)
            whole = sorted(snapshot.words(portion))
            assert len(set(whole)) == 500
            blue.sent.clear()
            for limit in (2000, sum(map(len, whole)) + 499, sum(map(len, whole)) + 480):
                snapshot._session.raw.query(f"SET SESSION group_concat_max_len = {limit}")
                assert sorted(snapshot.words(portion)) == whole
            assert sum("GROUP_CONCAT" in text for text in blue.sent) == 3
            assert sum(text.startswith("SELECT HEX") for text in blue.sent) == 3
            snapshot._session.raw.query("SET SESSION group_concat_max_len = 1000000")


def test_a_statement_ends_at_its_timeout_and_the_view_can_be_used_on(blue):
    blue.sql(
        LOCAL,
        "CREATE TABLE small (id INT PRIMARY KEY)",
        "INSERT INTO small VALUES (1)",
        "CREATE TABLE t (id INT PRIMARY KEY, v CHAR(200))",
        f"INSERT INTO t SELECT seq, REPEAT('x', 200) FROM ({_numbers(100000)}) n",
    )
    server = blue.connect()
    small, table = server.catalog.tables()
    portion = Portion(table, ("id", "v"), "sha2-64")
    with server.rows.snapshot(statement_timeout=0.03) as snapshot:
        blue.sql(LOCAL, "INSERT INTO small VALUES (2)")
        for ask in (lambda: snapshot.sums([portion] * 3), lambda: snapshot.words(portion)):
            with pytest.raises(DeadlineError):
                ask()

        def usable():
            try:
                return snapshot.sums([Portion(small, ("id",), "sha2-64")])
            except DeadlineError:
                return None

        assert eventually(usable)[0].rows == 1


def test_an_alter_table_waits_for_none_of_this(blue):
    blue.sql(LOCAL, "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (2, 2)")
    server, table = the_table(blue, "t")
    portion = Portion(table, ("id", "v"), NAMES[blue.engine][0])
    asks = [
        lambda view: view.sums([portion]),
        lambda view: view.words(portion),
        lambda view: view.boundary(table, None, 1),
        lambda view: list(view.read(table, ["id"], KeyRange((b"1",), (b"2",)))),
    ]
    for number, ask in enumerate(asks):
        with server.rows.snapshot() as snapshot:
            assert ask(snapshot)
            blue.sql("SET SESSION lock_wait_timeout = 1", f"ALTER TABLE t ADD COLUMN x{number} INT")


def test_what_may_not_be_read_or_is_gone_fails_as_reading_does(blue):
    for name in ("kept", "gone"):
        blue.sql(LOCAL, f"CREATE TABLE {name} (id INT PRIMARY KEY)")
    server = blue.connect()
    gone, kept = server.catalog.tables()
    account = blue.account(f"SELECT ON `{blue.database}`.`gone`")
    poor = blue.connect(**account)
    blue.sql(LOCAL, "DROP TABLE gone")
    name = NAMES[blue.engine][0]
    for reader, table, error in ((poor, kept, PrivilegeError), (server, gone, StatementError)):
        portions = [Portion(table, ("id",), name)]
        with reader.rows.snapshot() as snapshot:
            for ask in (
                lambda view, table=table: list(view.read(table, ["id"])),
                lambda view, portions=portions: view.sums(portions),
                lambda view, portions=portions: view.words(portions[0]),
                lambda view, table=table: view.boundary(table, None, 1),
            ):
                with pytest.raises(error) as caught:
                    ask(snapshot)
                assert table.name.name in caught.value.message


# ------------------------------------------------------------------------------------------ catalog and load


def test_the_catalog_tells_nullable_keys_and_how_large_tables_are(blue):
    blue.sql(
        LOCAL,
        "CREATE TABLE a (x INT, y INT NOT NULL, UNIQUE q (x, y), UNIQUE r (x))",
        "CREATE TABLE b (x INT, y INT NOT NULL, UNIQUE q (x), UNIQUE r (y))",
        "CREATE TABLE c (x INT, t TEXT, UNIQUE q (t(5)))",
        "CREATE TABLE d (id INT PRIMARY KEY, pad CHAR(200), x INT, UNIQUE (x))",
        f"INSERT INTO d SELECT seq, REPEAT('x', 200), seq FROM ({_numbers(10000)}) n",
        "ANALYZE TABLE d",
    )
    a, b, c, d = blue.connect().catalog.tables()
    assert [(table.key, table.nullable_key) for table in (a, b, c, d)] == [
        ((), ("x", "y")),
        (("y",), ()),
        ((), ()),
        (("id",), ()),
    ]
    assert 5000 < d.estimate < 20000
    assert d.size > 200 * 5000
    assert (a.estimate, b.estimate) == (0, 0)


def test_running_statements_are_counted_where_they_may_be_seen(blue):
    account = blue.account(f"SELECT ON `{blue.database}`.*")
    assert blue.connect(**account).running() is None
    server = blue.connect()
    blue.sql(LOCAL, "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    eventually(lambda: server.running() == 0)  # what a test before this one left may run for a moment
    with server.open("sleeper") as session:
        session.raw._execute_command(3, "SELECT SLEEP(30)")
        eventually(lambda: server.running() == 1)
        session.kill_query()
        with suppress(pymysql.OperationalError):
            session.raw._read_query_result()
    eventually(lambda: server.running() == 0)
