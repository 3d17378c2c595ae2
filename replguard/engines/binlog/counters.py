"""Where AUTO_INCREMENT and MariaDB's sequences stand beside the columns that get their numbers from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.connection import integer, literal, quoted
from replguard.engines.sqlfiles import Quoted, joined
from replguard.errors import PrivilegeError
from replguard.model.schema import Counter, Counters, Unseen
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.tables import Table

# MySQL takes ten times as long for four times as many.
_AT_ONCE = 50
_GREATEST = 2**64 - 1
_NEXT_VALUE = re.compile(r"nextval\((?:`((?:[^`]|``)+)`\.)?`((?:[^`]|``)+)`\)", re.IGNORECASE)

Place = tuple[TableName, str]


def counters(server: BinlogServer, tables: Iterable[Table], *, standing: bool, extremes: bool) -> Counters:
    """The counters of these tables."""
    places = {
        (table.name, column.name): (table, sequence_of(column.default or "", table.name.schema))
        for table in tables
        for column in table.columns
        if column.identity or sequence_of(column.default or "", table.name.schema)
    }
    by_index = _indexed(server, {place: table for place, (table, _) in places.items()}) if extremes else set(places)
    readable = [place for place in places if place in by_index]
    most = _Many(server, "counter_extreme", [_extreme(place) for place in readable] if extremes else [], readable)
    known = [place for place, row in zip(readable, most.rows, strict=True) if row or not extremes]
    extreme = {place: row["extreme"] for place, row in zip(readable, most.rows, strict=True) if row}
    found = _Standing(server, known, {place: sequence for place, (_, sequence) in places.items()}, asked=standing)
    return Counters(
        tuple(found.counter(place, extreme.get(place)) for place in known if place not in found.hidden),
        (*most.unseen, *found.unseen),
        tuple(map(_shown, (place for place in places if place not in by_index))),
    )


def sequence_of(default: str, schema: str) -> TableName | None:
    """The sequence that a default takes its value from.

    >>> sequence_of("nextval(`st`.`a``b`)", "x"), sequence_of("'a'", "x")
    (TableName(schema='st', name='a`b'), None)
    """
    found = _NEXT_VALUE.search(default)
    return TableName((found[1] or schema).replace("``", "`"), found[2].replace("``", "`")) if found else None


def _shown(place: Place) -> str:
    return f"{place[0]}.{place[1]}"


def _full(name: TableName) -> Quoted:
    return Quoted(f"{quoted(name.schema)}.{quoted(name.name)}")


def _extreme(place: Place) -> dict[str, Quoted]:
    return {"extreme": Quoted("MAX"), "column": quoted(place[1]), "table": _full(place[0])}


def _indexed(server: BinlogServer, places: Mapping[Place, Table]) -> set[Place]:
    """The columns that begin an index. Indexes are asked for only where a table's key does not tell."""
    known = {place for place, table in places.items() if table.key[:1] == (place[1],)}
    left = {place for place in places if place not in known}
    if left:
        schemas = joined([literal(schema) for schema in sorted({name.schema for name, _ in left})])
        last: tuple[Any, ...] = ()
        for row in server.run("indexes", schemas=schemas):
            index = (row["schema_name"], row["table_name"], row["name"])
            if index != last:
                known.add((TableName(row["schema_name"], row["table_name"]), row["column_name"]))
            last = index
    return known


class _Many:
    """A statement for each of ``parts``, many at once. What may not be read has no row, and is told in ``unseen``."""

    def __init__(
        self, server: BinlogServer, name: str, parts: Sequence[Mapping[str, Quoted]], of: Sequence[Place | TableName]
    ) -> None:
        self._server = server
        self._name = name
        self._parts = parts
        self._of = of
        self.rows: list[dict[str, Any] | None] = [None] * len(of)
        self.unseen: tuple[Unseen, ...] = ()
        for start in range(0, len(parts), _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, len(parts)))
            try:
                self._read(numbers)
            except PrivilegeError:
                self._one_by_one(numbers)

    def _read(self, numbers: Iterable[int]) -> None:
        texts = [self._server.text(self._name, number=integer(number), **self._parts[number]) for number in numbers]
        for row in self._server.run("counters", parts=joined(texts, " UNION ALL ")):
            self.rows[int(row["number"])] = row

    def _one_by_one(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            try:
                self._read([number])
            except PrivilegeError as error:
                of = self._of[number]
                title = f"sequence {of}" if isinstance(of, TableName) else f"column {_shown(of)}"
                self.unseen += (Unseen(title, error.remedy),)


class _Standing:
    """Where the counters of columns stand, as far as ``asked``. What a sequence has given out ahead to its cache counts
    as given.
    """

    def __init__(
        self, server: BinlogServer, places: Sequence[Place], sequences: Mapping[Place, TableName | None], *, asked: bool
    ) -> None:
        self._sequences = {place: name for place in places if (name := sequences[place]) is not None}
        self._asked = asked
        self._steps = {"increment": 1, "first_number": 1}
        self._following: dict[TableName, int] = {}
        automatic = [place for place in places if place not in self._sequences]
        if asked and automatic:
            self._steps = server.run("auto_increment_steps")[0]
            schemas = joined([literal(schema) for schema in sorted({table.schema for table, _ in automatic})])
            rows = server.fresh("auto_increments", schemas=schemas)
            self._following = {TableName(row["schema_name"], row["table_name"]): int(row["next"]) for row in rows}
        names = sorted(set(self._sequences.values()))
        states = _Many(server, "counter_next", [{"sequence": _full(name)} for name in names], names)
        self._states = {name: row for name, row in zip(names, states.rows, strict=True) if row}
        self.unseen = states.unseen
        self.hidden = {place for place, name in self._sequences.items() if name not in self._states}

    def counter(self, place: Place, extreme: Any) -> Counter:
        most = None if extreme is None else int(extreme)
        if place in self._sequences:
            return self._sequence(place, self._sequences[place], most)
        # A table that was not opened since the server started has none yet: opened, it goes on behind the greatest.
        following = self._following.get(place[0], (most or 0) + 1)
        return Counter(
            *place,
            "AUTO_INCREMENT",
            next=following if self._asked else None,
            extreme=most,
            increment=int(self._steps["increment"]),
            least=1,
            greatest=_GREATEST,
            offset=int(self._steps["first_number"]),
            setting=(f"ALTER TABLE {_full(place[0])} AUTO_INCREMENT = ", ""),
        )

    def _sequence(self, place: Place, name: TableName, most: int | None) -> Counter:
        state = self._states[name]
        return Counter(
            *place,
            str(name),
            next=int(state["next"]) if self._asked else None,
            extreme=most,
            increment=int(state["increment"]),
            least=int(state["least"]),
            greatest=int(state["greatest"]),
            cycles=bool(state["cycles"]),
            setting=(f"DO SETVAL({_full(name)}, ", ", 0)"),
        )
