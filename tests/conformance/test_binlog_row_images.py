"""Row images of MariaDB and MySQL are decoded to what reading the same rows gives."""

from __future__ import annotations

import pytest

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
