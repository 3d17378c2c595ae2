"""No edit of a row escapes a function that a PostgreSQL server hashes rows with, and none is seen where there is none.

Before and after stand on two servers whose types have other oids. Each row of the tables carries one edit, so one
statement a function and side judges them all. What is an edit is what reading the rows says.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from types import SimpleNamespace

import psycopg
import pytest

from replguard.model.chunks import Portion
from tests.adversarial.values_postgresql import GROUPS, ROWS, SAME, SETUP, TYPES, XML
from tests.servers.choices import versions

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())

FUNCTIONS = ("record", "sha256")
WEAK = {
    "not finalised": "hash_record_extended(r, 0)",
    "finalised by hashint8": "hashint8extended(hash_record_extended(r, 0), 1)",
}


def edits(types):
    """Number, column and value before and after of each edit of one cell."""
    columns = {type_: f"c{place}" for place, type_ in enumerate(types)}
    for type_, values in types.items():
        for before, after in combinations([*values, "NULL"], 2):
            yield columns[type_], before, after


def same(types):
    columns = {type_: f"c{place}" for place, type_ in enumerate(types)}
    for type_, before, after in SAME:
        yield columns[type_], before, after
    for type_, values in types.items():
        for value in values:
            yield columns[type_], value, value


def swaps(types):
    """For each type two edits that exchange what two rows have."""
    for place, values in enumerate(types.values()):
        yield f"c{place}", values[0], values[1]
        yield f"c{place}", values[1], values[0]


def cells(name, types, found, place):
    """A table of a column for each type, and a row for each edit with the other columns at their defaults."""
    defaults = ", ".join(
        f"c{number} {type_} DEFAULT ({values[0]})::{type_.partition(' COLLATE')[0]}"
        for number, (type_, values) in enumerate(types.items())
    )
    yield f"CREATE TABLE {name} (n int PRIMARY KEY, {defaults})"
    by_column = defaultdict(list)
    for number, edit in enumerate(found):
        by_column[edit[0]].append((number, edit[place]))
    bases = {f"c{number}": type_.partition(" COLLATE")[0] for number, type_ in enumerate(types)}
    for column, values in by_column.items():
        listed = ", ".join(f"({number}, ({value})::{bases[column]})" for number, value in values)
        yield f"INSERT INTO {name} (n, {column}) VALUES {listed}"


@pytest.fixture
def sides(pg_pair):
    """Both servers with their tables, what was changed and how."""
    types = dict(TYPES)
    if xml_is_there(pg_pair[0]):
        types["xml"] = XML
    changed = [*edits(types), *((column, a, b) for column, a, b in same(types))]
    count = len(list(edits(types)))
    views = []
    for number, side in enumerate(pg_pair):
        rows = ", ".join(f"({place}, {row[number]})" for place, row in enumerate(ROWS))
        side.sql(
            *(f"CREATE TYPE other_{place} AS ENUM ('x')" for place in range(3 * number)),
            *SETUP,
            *cells("cells", types, changed, 1 + number),
            *cells("swaps", types, swaps(types), 1 + number),
            "CREATE TABLE lines (n int PRIMARY KEY, a text, b text, c bytea, d int)",
            f"INSERT INTO lines VALUES {rows}",
        )
        for place, group in enumerate(GROUPS):
            side.sql(
                f"CREATE TABLE g_{place} (a int, b text, c int)",
                *(f"INSERT INTO g_{place} VALUES ({row})" for row in group[number]),
            )
        server = side.connect()
        views.append(
            SimpleNamespace(side=side, server=server, tables={t.name.name: t for t in server.catalog.tables()})
        )
    with views[0].server.rows.snapshot() as before, views[1].server.rows.snapshot() as after:
        views[0].view, views[1].view = before, after
        yield SimpleNamespace(sides=views, edits=changed, count=count)


def xml_is_there(side):
    try:
        side.sql("SELECT '<a/>'::xml")
    except psycopg.errors.FeatureNotSupported:
        return False
    return True


def portion(side, name, function):
    table = side.tables[name]
    return Portion(table, tuple(column.name for column in table.columns), function)


def hashes(side, name, function):
    """The hash of each row by its key; together they are the sum that the server makes."""
    found = {}
    wanted = portion(side, name, function)
    for word in side.view.words(wanted):
        key = int(side.view.key_of_word(wanted.table, word)[0])
        found[key] = signed(int(word.partition(b",")[0], 16))
    [whole] = side.view.sums([wanted])
    assert (whole.rows, whole.hashed, whole.total) == (len(found), len(found), sum(found.values()))
    return found


def signed(value):
    return value - 2**64 if value >= 2**63 else value


def changed_rows(sides, name):
    """The keys of the rows that read differently."""
    read = [
        {row[0]: row for row in side.view.read(side.tables[name], [c.name for c in side.tables[name].columns])}
        for side in sides.sides
    ]
    assert read[0].keys() == read[1].keys()
    return {int(key) for key, row in read[0].items() if row != read[1][key]}


def check_cells(sides, function):
    before, after = (hashes(side, "cells", function) for side in sides.sides)
    seen = {number for number, value in before.items() if value != after[number]}
    missed = [sides.edits[number] for number in set(range(sides.count)) - seen]
    invented = [sides.edits[number] for number in seen - set(range(sides.count))]
    assert (function, missed, invented) == (function, [], [])


def check_swaps(sides, function):
    before, after = (hashes(side, "swaps", function) for side in sides.sides)
    pairs = [(number, number + 1) for number in range(0, len(before), 2)]
    assert [two for two in pairs if sum(before[n] for n in two) == sum(after[n] for n in two)] == []


def check_lines(sides, function):
    before, after = (hashes(side, "lines", function) for side in sides.sides)
    assert [ROWS[number] for number in before if before[number] == after[number]] == []


def check_groups(sides, function):
    names = [f"g_{place}" for place in range(len(GROUPS))]
    before, after = (side.view.sums([portion(side, name, function) for name in names]) for side in sides.sides)
    assert [group for group, one, other in zip(GROUPS, before, after, strict=True) if one == other] == []


def test_every_edit_is_seen_and_nothing_else(sides):
    table = sides.sides[0].tables["cells"]
    columns = [column.name for column in table.columns]
    assert [one.name for one in sides.sides[0].view.functions(table, columns)] == list(FUNCTIONS)
    assert sides.count > 500
    assert changed_rows(sides, "cells") == set(range(sides.count))
    assert changed_rows(sides, "lines") == set(range(len(ROWS)))
    for function in FUNCTIONS:
        for check in (check_cells, check_swaps, check_lines, check_groups):
            check(sides, function)


def test_weak_functions_are_caught(sides):
    """The same rows by functions that are known to be weak miss what this suite is there for."""
    for weak, expression in WEAK.items():
        (before, groups_before), (after, groups_after) = (weakly(side, expression) for side in sides.sides)
        missed = {sides.edits[number][1:] for number in range(sides.count) if before[number] == after[number]}
        assert {("1", "4294967296"), ("-1", "4294967295"), ("1", "-1"), ("1", "1.0"), ("0", "'-0'")} <= missed
        cancelled = [group for group, one, two in zip(GROUPS, groups_before, groups_after, strict=True) if one == two]
        assert bool(cancelled) == (weak == "not finalised")


def weakly(side, expression):
    places = [place for place, type_ in enumerate(TYPES) if type_ in ("bigint", "numeric", "real", "text")]
    columns = ", ".join(f"c{place}" for place in places)
    cells = dict(side.side.sql(f"SELECT n, {expression} FROM (SELECT n, {columns} FROM cells) AS r"))
    groups = [side.side.sql(f"SELECT sum({expression}) FROM g_{place} AS r")[0][0] for place in range(len(GROUPS))]
    return cells, groups
