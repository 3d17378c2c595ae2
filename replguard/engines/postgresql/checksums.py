"""Portions of tables as their server hashes them: the aggregate of a portion, and the words of its rows.

Two functions. ``record`` takes the server's internal hashes, so both servers must be of one major version and
architecture: these hashes are part of what is on disk (hash partitions, hash indexes), so they do not change within a
major version, but they differ by byte order. ``sha256`` depends on nothing. The ``basis`` of both also tells in which
form the columns enter, so servers that have a column in unlike types share no function.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.postgresql import words
from replguard.engines.postgresql.quoting import quoted
from replguard.engines.postgresql.ranges import Ranges
from replguard.engines.postgresql.rowhash import NAMES, RowHash, form
from replguard.engines.postgresql.shapes import ColumnShape
from replguard.engines.postgresql.view import View
from replguard.engines.sqlfiles import Quoted, joined
from replguard.errors import StatementError
from replguard.model.chunks import WHOLE, Function, KeyRange, Sum

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import Row
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.model.chunks import Portion
    from replguard.model.tables import Table, TableName

_ARCHITECTURE = re.compile(r" on (\w+)-")
_ARMS = 500
"""So many portions stand in one UNION at most: its depth is bounded by the server's stack."""
_GOLDEN = {
    "boolean": 16,
    "character": 18,
    "name": 19,
    "bigint": 20,
    "smallint": 21,
    "integer": 23,
    "text": 25,
    "oid": 26,
    "json": 114,
    "real": 700,
    "double": 701,
    "padded": 1042,
    "binary": 17,
    "varied": 1043,
    "day": 1082,
    "time": 1083,
    "timestamp": 1114,
    "moment": 1184,
    "interval": 1186,
    "timetz": 1266,
    "numeric": 1700,
    "uuid": 2950,
    "jsonb": 3802,
    "list": 1007,
    "range": 3904,
    "place": 600,
}
"""The columns of ``golden.sql`` and the oids of their types."""


class Checksums(View):
    """The part of ``Snapshot`` that hashes."""

    def __init__(self, server: PostgresServer, session: Session) -> None:
        super().__init__(server, session)
        self._ranges = Ranges(session)
        utf8 = server.facts["encoding"] == "UTF8"
        self._hashes = {name: RowHash(name, utf8=utf8) for name in NAMES}
        self._expressions: dict[tuple[TableName, tuple[str, ...], str], Quoted] = {}
        self._trusted: dict[int, bool] = {}

    def functions(self, table: Table, columns: Sequence[str]) -> tuple[Function, ...]:
        shapes = self._shapes.of(table, columns).columns
        self._no_large_objects(table, columns)
        how = form(shapes[column] for column in columns)
        internal = f"PostgreSQL {self._server.major} {self._architecture}, {how}"
        return Function("record", internal), Function("sha256", how)

    @property
    def _architecture(self) -> str:
        build: str = self._server.facts["build"]
        found = _ARCHITECTURE.search(build)
        return found[1] if found else build

    def golden(self, function: Function) -> bytes:
        columns = {name: ColumnShape(base) for name, base in _GOLDEN.items()}
        text = self._session.text("golden", hash=self._hashes[function.name].of(columns))
        found: str = self._run([text], f"trying the function {function.name}")[0]["golden"]
        return found.encode()

    def sums(self, portions: Sequence[Portion]) -> list[Sum]:
        if not portions:
            return []
        arms = [self._arm(run) for run in _runs(portions)]
        unions = [joined(arms[place : place + _ARMS], "\nUNION ALL ") for place in range(0, len(arms), _ARMS)]
        tables = [portion.table for portion in portions]
        rows = sorted(self._read_at_once(tables, unions), key=lambda row: int(row["place"]))
        self._ranges.check_ordered(tables, rows)
        return [Sum(row["rows"], row["hashed"], int(row["total"])) for row in rows]

    def words(self, portion: Portion) -> list[bytes]:
        table, within = portion.table, portion.within
        key = Quoted("") if within.nulls else words.key_parts(table, self._shapes.of(table))
        text = self._text("words", portion, key=key)
        found = self._read_at_once([table], [text])
        self._ranges.check_ordered([table], found)
        result: list[bytes] = (found[0]["words"] or "").encode().split()
        if len(result) != found[0]["rows"]:
            raise StatementError(
                f"{self._server.name}: table {table.name} has {found[0]['rows']} rows here, and {len(result)} words",
                cluster=self._server.name,
            )
        return result

    def key_of_word(self, table: Table, word: bytes) -> Row:
        return words.key_of_word(table, word)

    def has_ranges(self, table: Table) -> bool:
        """Also where a collation's library has changed, False: an index that it built may miss rows."""
        shape = self._shapes.of(table)
        collations = [shape.columns[column].collation for column in table.key]
        return self._ranges.usable(table, shape) and all(self._trusts(one) for one in collations if one)

    def _trusts(self, collation: int) -> bool:
        if collation not in self._trusted:
            text = self._session.text("collation_moved", {"collation": collation})
            self._trusted[collation] = not self._run([text], "reading the versions of collations")[0]["moved"]
        return self._trusted[collation]

    def boundary(self, table: Table, lower: Row | None, rows: int) -> Row | None:
        shape = self._shapes.of(table)
        text = self._session.text(
            "boundary",
            key=words.key_parts(table, shape),
            columns=joined([quoted(column) for column in table.key]),
            table=self._source(table),
            where=self._ranges.where(table, shape, KeyRange(lower)),
            rows=self._number(rows),
        )
        found = self._read_at_once([table], [text])
        return words.key_of_word(table, found[0]["word"].encode()) if found else None

    def highest(self, table: Table) -> Row | None:
        shape = self._shapes.of(table)
        columns = [quoted(column) for column in table.key]
        text = self._session.text(
            "highest",
            key=words.key_parts(table, shape),
            columns=joined(columns),
            order=joined([self._session.text("descending", column=column) for column in columns]),
            table=self._source(table),
            where=self._ranges.where(table, shape, WHOLE),
        )
        found = self._read_at_once([table], [text])
        return words.key_of_word(table, found[0]["word"].encode()) if found else None

    def _arm(self, run: Sequence[tuple[int, Portion]]) -> Quoted:
        """The sums of some ranges of one table, or of one portion."""
        place, first = run[0]
        if len(run) == 1:
            return self._sum(place, first)
        ranges = [(self._number(place), portion.within) for place, portion in run]
        slots = self._ranges.of_list(first.table, self._shapes.of(first.table), ranges)
        source, hashed = self._source(first.table), self._hash(first)
        return self._session.text("sums_ranges", None, table=source, hash=hashed, **slots)

    def _sum(self, place: int, portion: Portion) -> Quoted:
        return self._text("sums_portion", portion, place=self._number(place))

    def _text(self, name: str, portion: Portion, **slots: Quoted) -> Quoted:
        table, within = portion.table, portion.within
        shape = self._shapes.of(table)
        return self._session.text(
            name,
            None,
            table=self._source(table),
            where=self._ranges.where(table, shape, within),
            ordered=self._ranges.ordered(table, shape, within),
            hash=self._hash(portion),
            **slots,
        )

    def _hash(self, portion: Portion) -> Quoted:
        key = (portion.table.name, portion.columns, portion.function)
        if key not in self._expressions:
            shapes = self._shapes.of(portion.table, portion.columns).columns
            self._no_large_objects(portion.table, portion.columns)
            wanted = {column: shapes[column] for column in portion.columns}
            self._expressions[key] = self._hashes[portion.function].of(wanted)
        return self._expressions[key]

    def _check_ordered(self, table: Table, within: KeyRange) -> None:
        if within.lower is not None and within.upper is not None:
            ordered = self._ranges.ordered(table, self._shapes.of(table), within)
            text = self._session.text("range_order", ordered=ordered)
            self._ranges.check_ordered([table], self._run([text], self._doing([table])))

    def _number(self, value: int) -> Quoted:
        return self._session.text("value", {"value": value})


def _runs(portions: Sequence[Portion]) -> Iterator[list[tuple[int, Portion]]]:
    """Portions with their places: ranges of one table that follow one another together, all others by themselves."""
    run: list[tuple[int, Portion]] = []
    for place, portion in enumerate(portions):
        if run and not _alike(run[-1][1], portion):
            yield run
            run = []
        run.append((place, portion))
    if run:
        yield run


def _alike(one: Portion, other: Portion) -> bool:
    """Whether two portions are ranges of one table that can be summed together."""
    bounds = (one.within.lower, one.within.upper, other.within.lower, other.within.upper)
    return (
        None not in bounds
        and one.function == other.function
        and one.table.name == other.table.name
        and one.columns == other.columns
        and one.table.key == other.table.key
    )
