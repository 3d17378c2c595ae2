"""No edit of a row of MariaDB or MySQL escapes any of the functions that hash rows, and nothing else is reported."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict

import pytest

from replguard.model.chunks import Portion
from tests.adversarial.binlog_mutations import colliding, columns, crc32c, mutations, shifts, unchanged
from tests.conformance.mysql_mariadb_sides import LOCAL, of_server, two_sides
from tests.conformance.test_mysql_mariadb_rows import LOOSE

pytestmark = pytest.mark.engines("mariadb", "mysql")
GROUP = 4
LEAST = 500


@pytest.fixture
def blue(pair):
    with two_sides(of_server("blue", pair.blue), of_server("green", pair.green)) as (side, _):
        yield side


@pytest.fixture
def edits(blue):
    """Tables ``before`` and ``after``: each edit has some rows, whose ids begin at its number times GROUP."""
    found = [*mutations(blue.engine), *shifts(blue.engine)]
    rest = unchanged(blue.engine)
    wanted = ", ".join(f"{name} {kind}" for name, kind in columns(blue.engine).items())
    blue.sql(LOCAL, LOOSE, *(f"CREATE TABLE `{name}` (id INT PRIMARY KEY, {wanted})" for name in ("before", "after")))
    for table in ("before", "after"):
        rows = defaultdict(list)
        for number, edit in enumerate([*found, *rest]):
            for place, row in enumerate(getattr(edit, table)):
                rows[tuple(row)].append(f"({number * GROUP + place}, {', '.join(row.values())})")
        inserts = [
            f"INSERT IGNORE INTO `{table}` (id, {', '.join(row)}) VALUES {', '.join(values)}"
            for row, values in rows.items()
        ]
        blue.sql(LOCAL, "SET NAMES utf8mb4", LOOSE, *inserts)
    return found, rest


def hashes(snapshot, table, function):
    """The sum of the hashes of each edit's rows."""
    names = tuple(column.name for column in table.columns if column.name != "id")
    found: Counter[int] = Counter()
    counts: Counter[int] = Counter()
    for word in snapshot.words(Portion(table, names, function)):
        (key,) = snapshot.key_of_word(table, word)
        group = int(key) // GROUP
        found[group] += int(word.rpartition(b",")[2])
        counts[group] += 1
    return {group: (counts[group], found[group]) for group in counts}


def canonical(snapshot, table):
    names = ["id", *(column.name for column in table.columns if column.name != "id")]
    found = defaultdict(list)
    for row in snapshot.read(table, names):
        found[int(row[0]) // GROUP].append(row[1:])
    return {group: Counter(rows) for group, rows in found.items()}


def unlike(one, other):
    return {group for group in one.keys() | other.keys() if one.get(group) != other.get(group)}


def test_no_edit_escapes_any_function_and_nothing_else_is_reported(blue, edits):
    changed, same = edits
    assert len(changed) >= LEAST
    expected = set(range(len(changed)))
    names = [edit.name for edit in [*changed, *same]]
    server = blue.connect()
    before, after = (next(t for t in server.catalog.tables() if t.name.name == name) for name in ("before", "after"))
    with server.rows.snapshot() as snapshot:
        functions = snapshot.functions(before, [column.name for column in before.columns])
        assert functions
        for function in functions:
            reported = unlike(*(hashes(snapshot, table, function.name) for table in (before, after)))
            assert not [names[group] for group in expected - reported], function
            assert not [names[group] for group in reported - expected], function
        assert {
            names[group] for group in unlike(canonical(snapshot, before), canonical(snapshot, after)) ^ expected
        } == set()


def test_a_weak_checksum_would_miss_some_of_these_edits(blue, edits):
    changed, _ = edits
    joint = ", ".join(f"{name}" for name in columns(blue.engine) if not columns(blue.engine)[name].startswith("vector"))
    weak = f"SELECT id DIV {GROUP}, BIT_XOR(CRC32(CONCAT_WS('#', {joint})))"
    one, other = (dict(blue.sql(f"{weak} FROM `{table}` GROUP BY 1")) for table in ("before", "after"))
    missed = [edit.name for group, edit in enumerate(changed) if one.get(group) == other.get(group)]
    assert len(missed) > 50
    assert any("swapped between rows" in name for name in missed)


def test_what_is_made_to_collide_in_both_checksums_is_told_apart_by_sha2_alone(blue):
    """The limit of the cheapest function, which chance does not meet: 64 bits were made to agree."""
    one, other = colliding(lambda data: zlib.crc32(data) << 32 | crc32c(data), bits=64)
    blue.sql(LOCAL, "CREATE TABLE a (v VARBINARY(12))", "CREATE TABLE b (v VARBINARY(12))")
    blue.sql(LOCAL, f"INSERT INTO a VALUES (x'{one.hex()}')", f"INSERT INTO b VALUES (x'{other.hex()}')")
    server = blue.connect()
    a, b = server.catalog.tables()
    with server.rows.snapshot() as snapshot:
        same = {
            function.name: snapshot.words(Portion(a, ("v",), function.name))
            == snapshot.words(Portion(b, ("v",), function.name))
            for function in snapshot.functions(a, ["v"])
        }
    assert same == {"mariadb": {"crc32*crc32c": True, "sha2-64": False}, "mysql": {"sha2-64": False}}[blue.engine]
