"""Tables whose rows are numbered by each cluster itself, paired by what names them on both sides: their natural key.

Where two clusters were installed separately, the same service has the number 7 here and 12 there, and whatever refers
to it says 7 here and 12 there. So columns that hold such numbers are left out, and a foreign key to a table with a
natural key is replaced by that key of the row it leads to, however many tables away: ``service_id`` reads
``{"name": "ping"}``. What is left is the same text on both sides or a difference.

Both sides of such a table, and of the tables it refers to, are read whole within the views and held in memory up to a
limit. Whatever cannot be told for certain is refused (:class:`Unsupported`) and never guessed: a natural key that two
rows share, a reference that leads nowhere, keys that need one another, more rows than the limit.

A link's stream names rows by their own key, not by this one. So what differs while replication runs cannot be followed
there row by row: such a table counts as one without a key, and a change in any table that names its rows as one of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.diff.relax import rules_for
from replguard.diff.schema import comparable_columns
from replguard.errors import Unsupported
from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.relax import Relaxed
    from replguard.engines.base import Row, Snapshot, Value
    from replguard.model.tables import ForeignKey, Table, TableName
    from replguard.policy import NaturalKey

    Names = Mapping[Row, bytes]
    """The columns that a foreign key refers to, and what names the row."""

MOST_BYTES = 96 * 1024 * 1024
"""Beyond this a table is not compared by its natural key. Some hundred thousand rows of a few short columns fit."""
_ROW_COST, _VALUE_COST = 100, 50
"""What a row and a value cost beside their bytes, roughly."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Both sides of a table, paired. ``table`` is how its rows read: references are texts. The first ``width`` of the
    ``columns`` are the natural key. ``unlike`` holds the rows that are not the same bytes, by their natural key;
    ``parents`` are the tables that references were followed into.
    """

    table: PairedTable
    columns: tuple[str, ...]
    width: int
    relaxed: Relaxed | None
    rows: tuple[int, int]
    unlike: list[tuple[Row, Row | None, Row | None]]
    parents: tuple[TableName, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """A table with a natural key: the columns that are compared by the first side's names, those of the key first."""

    table: PairedTable
    rule: NaturalKey
    columns: tuple[str, ...]
    width: int

    @property
    def key(self) -> tuple[str, ...]:
        return self.columns[: self.width]

    def on(self, side: Table, columns: Sequence[str]) -> tuple[str, ...]:
        """These columns as this side calls them."""
        theirs = {self.table.fold(column.name): column.name for column in side.columns}
        return tuple(theirs[self.table.fold(name)] for name in columns)


@dataclass(frozen=True, slots=True)
class _Reference:
    """A foreign key as rows that are read can be followed by it: the places of its columns, and where it leads."""

    key: ForeignKey
    places: tuple[int, ...]
    names: Names
    parent: TableName


@dataclass(slots=True)
class Natural:
    """Matches tables within ``views``; what names the rows of a parent is read once."""

    tables: TableMap
    views: Mapping[str, Snapshot]
    today: date
    most_bytes: int = MOST_BYTES
    _names: dict[tuple[str, TableName, tuple[str, ...]], Names] = field(default_factory=dict, init=False)
    _held: int = field(default=0, init=False)

    def match(self, table: PairedTable) -> Matched:
        """Pair both sides of the table. Raises Unsupported where that cannot be done for certain, and what reading
        raises.
        """
        shape = self._shape(table)
        sides = [self._references(cluster, shape, shape.columns, ()) for cluster in self.tables.clusters]
        resolved = {name for _, references in sides for name in _resolved(shape, references)}
        shown = self._shown(shape, resolved)
        relaxed = rules_for(self.tables.policy, shown.sides[self.tables.clusters[0]], shape.columns, self.today)
        left, right = (
            _Side(shape, cluster, self._rows(cluster, shape, shape.columns, *side), relaxed)
            for cluster, side in zip(self.tables.clusters, sides, strict=True)
        )
        kept = left.by_key(self.most_bytes - self._held)
        unlike = list(right.against(kept, self.most_bytes - self._held - left.cost))
        unlike += [(row[: shape.width], row, None) for row in kept.values()]
        parents = tuple(sorted(self._parents(shape, shape.columns) - {table.name}))
        return Matched(shown, shape.columns, shape.width, relaxed, (left.count, right.count), unlike, parents)

    def _shape(self, table: PairedTable) -> _Shape:
        policy, (first, second) = self.tables.policy, self.tables.clusters
        rule = policy.natural_key(table.name)
        if rule is None or len(table.sides) < len(self.tables.clusters):
            raise Unsupported(f"{table.name} has no natural key on both sides")
        ignored = policy.ignored_columns(table.name) | frozenset(rule.ignore)
        columns = comparable_columns(table, first, second, ignored)
        key = [name for wanted in rule.key for name in columns if name.casefold() == wanted]
        if [name.casefold() for name in key] != list(rule.key):
            raise Unsupported(
                f"its natural key ({', '.join(rule.key)}) is not made of columns that are compared and alike on both "
                "sides",
                remedy="correct the key under natural_keys, or apply the same DDL on both clusters",
            )
        return _Shape(table, rule, (*key, *(name for name in columns if name not in key)), len(key))

    def _shown(self, shape: _Shape, resolved: set[str]) -> PairedTable:
        """The table with the columns that hold references as texts, as they read here."""
        first = self.tables.clusters[0]
        side = shape.table.sides[first]
        columns = tuple(
            replace(column, kind=ColumnKind.text) if shape.table.fold(column.name) in resolved else column
            for column in side.columns
        )
        return replace(shape.table, sides={**shape.table.sides, first: replace(side, columns=columns)})

    def _references(
        self, cluster: str, shape: _Shape, columns: Sequence[str], trail: tuple[TableName, ...]
    ) -> tuple[tuple[str, ...], tuple[_Reference, ...]]:
        """What is to be read of one side for these columns, and the foreign keys by which it is followed."""
        self._same_references(shape, columns)
        read = list(shape.on(shape.table.sides[cluster], columns))
        followed = []
        for key, parent in self._keys(cluster, shape, columns):
            names = self._names_of(cluster, parent, key.parent_columns, trail)
            read += [name for name in key.columns if name not in read]
            followed.append(_Reference(key, tuple(map(read.index, key.columns)), names, parent.table.name))
        return tuple(read), tuple(followed)

    def _keys(self, cluster: str, shape: _Shape, columns: Sequence[str]) -> Iterator[tuple[ForeignKey, _Shape]]:
        """The foreign keys among these columns that lead to a table with a natural key."""
        side = shape.table.sides[cluster]
        wanted = set(shape.on(side, columns))
        for key in side.foreign_keys:
            if not wanted.isdisjoint(key.columns) and (parent := self._parent(cluster, key)):
                yield key, parent

    def _parents(self, shape: _Shape, columns: Sequence[str]) -> set[TableName]:
        """The tables that these columns lead into, however far."""
        found: set[TableName] = set()
        for _, parent in self._keys(self.tables.clusters[0], shape, columns):
            found |= {parent.table.name} | self._parents(parent, parent.key)
        return found

    def _same_references(self, shape: _Shape, columns: Sequence[str]) -> None:
        """A reference that is followed on one side alone would hold a name against a number."""
        found = [
            {
                (
                    tuple(map(shape.table.fold, key.columns)),
                    parent.table.name,
                    tuple(map(str.casefold, key.parent_columns)),
                )
                for key, parent in self._keys(cluster, shape, columns)
            }
            for cluster in self.tables.clusters
        ]
        if found[0] != found[1]:
            raise Unsupported(
                f"the foreign keys of {shape.table.name} do not lead to the same tables on both sides",
                remedy="apply the same DDL on both clusters",
            )

    def _parent(self, cluster: str, key: ForeignKey) -> _Shape | None:
        """The parent where it has a natural key; else the reference is compared as it stands."""
        if self.tables.policy.natural_key(key.parent) is None:
            return None
        for table in self.tables:
            if cluster in table.sides and table.sides[cluster].name == key.parent:
                return self._shape(table)
        raise Unsupported(
            f"{key.name} leads to {key.parent}, which has a natural key and is not among the tables of {cluster}",
            remedy="name its schema under `schemas:` of the cluster, or ignore the column",
        )

    def _names_of(self, cluster: str, parent: _Shape, columns: tuple[str, ...], trail: tuple[TableName, ...]) -> Names:
        """What names the rows of a parent, by the columns that the foreign key refers to."""
        name = parent.table.name
        if name in trail:
            raise Unsupported(
                f"natural keys need one another: {' -> '.join(map(str, (*trail, name)))}",
                remedy="choose a natural key without a reference that leads back",
            )
        if (cluster, name, columns) not in self._names:
            self._names[cluster, name, columns] = self._read_names(cluster, parent, columns, (*trail, name))
        return self._names[cluster, name, columns]

    def _read_names(
        self, cluster: str, parent: _Shape, columns: tuple[str, ...], trail: tuple[TableName, ...]
    ) -> Names:
        read, followed = self._references(cluster, parent, parent.key, trail)
        resolved = _resolved(parent, followed)
        relaxed = rules_for(self.tables.policy, parent.table.sides[self.tables.clusters[0]], parent.key, self.today)
        width, wanted = len(read), [*read, *columns]
        found: dict[Row, bytes] = {}
        taken: set[bytes] = set()
        for row in self._rows(cluster, parent, parent.key, wanted, followed, extra=len(columns)):
            key, at = row[: parent.width], row[parent.width :]
            name = _named(parent, relaxed.form(key) if relaxed else key, resolved)
            if name in taken or at in found:
                raise _not_unique(parent, cluster, name.decode("utf-8", "replace"))
            taken.add(name)
            found[at] = name
            self._held += _ROW_COST + len(name) + sum(map(len, filter(None, at))) + _VALUE_COST * (width + 1)
            if self._held > self.most_bytes:
                raise _too_large(parent)
        return found

    def _rows(
        self,
        cluster: str,
        shape: _Shape,
        columns: Sequence[str],
        read: Sequence[str],
        references: Sequence[_Reference],
        extra: int = 0,
    ) -> Iterator[Row]:
        """Rows of these columns with references resolved, followed by the last ``extra`` of those that were read."""
        side = shape.table.sides[cluster]
        count = len(columns)
        for row in self.views[cluster].read(side, list(read)):
            values = list(row[:count])
            for place, names in _followed(shape, cluster, row, references).items():
                if place < count:
                    values[place] = names
            yield (*values, *row[len(row) - extra :])


def with_parents(tables: TableMap, compared: Sequence[PairedTable]) -> list[PairedTable]:
    """These tables, and all that rows of them may be named by: what moves in any of them can make a row differ."""
    policy = tables.policy
    by_name = {side.name: table for table in tables for side in table.sides.values()}
    found = list(compared)
    known = {table.name for table in compared}
    for table in found:
        if policy.natural_key(table.name) is None:
            continue
        keys = [key for side in table.sides.values() for key in side.foreign_keys]
        for parent in (by_name[key.parent] for key in keys if key.parent in by_name):
            if parent.name not in known and policy.natural_key(parent.name) is not None:
                known.add(parent.name)
                found.append(parent)
    return found


@dataclass(slots=True)
class _Side:
    """One side's rows, with what they cost."""

    shape: _Shape
    cluster: str
    rows: Iterator[Row]
    relaxed: Relaxed | None
    count: int = 0
    cost: int = 0

    def by_key(self, most: int) -> dict[Row, Row]:
        found: dict[Row, Row] = {}
        for row in self.rows:
            key = self._key(row)
            if key in found:
                raise _not_unique(self.shape, self.cluster, _text(row[: self.shape.width]))
            found[key] = row
            self._count(row, most)
        return found

    def against(self, kept: dict[Row, Row], most: int) -> Iterator[tuple[Row, Row | None, Row | None]]:
        """The rows that are not the same as their partners, which are taken out of ``kept``."""
        seen: set[Row] = set()
        for row in self.rows:
            key, shown = self._key(row), row[: self.shape.width]
            if key in seen:
                raise _not_unique(self.shape, self.cluster, _text(shown))
            seen.add(key)
            self._count(row, most)
            partner = kept.pop(key, None)
            if partner != row:
                yield shown, partner, row

    def _key(self, row: Row) -> Row:
        return (self.relaxed.form(row) if self.relaxed else row)[: self.shape.width]

    def _count(self, row: Row, most: int) -> None:
        self.count += 1
        self.cost += _ROW_COST + sum(_VALUE_COST + len(value or b"") for value in row)
        if self.cost > most:
            raise _too_large(self.shape)


def _resolved(shape: _Shape, references: Sequence[_Reference]) -> set[str]:
    """The columns, folded, that hold references which are followed."""
    return {shape.table.fold(name) for reference in references for name in reference.key.columns}


def _followed(shape: _Shape, cluster: str, row: Row, references: Sequence[_Reference]) -> dict[int, Value]:
    """The row's references by place, as what names the row they lead to; of a column of several, all are told.

    With a NULL in one of its columns a reference leads nowhere, and its other columns stand as they are.
    """
    found: dict[int, list[bytes]] = {}
    for reference in references:
        at = tuple(row[place] for place in reference.places)
        name = reference.names.get(at)
        if None in at:
            for place, value in zip(reference.places, at, strict=True):
                if value is not None:
                    found.setdefault(place, []).append(_literal(value))
            continue
        if name is None:
            raise Unsupported(
                f"{shape.table.name} refers by {reference.key.name} to a row of {reference.parent} that is not there "
                f"on {cluster}: {_text(at)}",
                remedy="mend the reference, or name the column under ignore",
            )
        for place in reference.places:
            found.setdefault(place, []).append(name)
    return {place: names[0] if len(names) == 1 else b"[%b]" % b", ".join(names) for place, names in found.items()}


def _named(shape: _Shape, key: Row, resolved: set[str]) -> bytes:
    """A natural key as JSON, so that unlike keys are unlike texts; what was resolved stands in it as it is."""
    parts = []
    for column, value in zip(shape.key, key, strict=True):
        resolves = shape.table.fold(column) in resolved
        text = value if value is not None and resolves else _literal(value)
        parts.append(json.dumps(column, ensure_ascii=False).encode() + b": " + text)
    return b"{%b}" % b", ".join(parts)


def _literal(value: Value) -> bytes:
    if value is None:
        return b"null"
    return json.dumps(value.decode("utf-8", "surrogateescape"), ensure_ascii=False).encode("utf-8", "surrogateescape")


def _text(values: Row) -> str:
    return ", ".join(_literal(value).decode("utf-8", "backslashreplace") for value in values)


def _not_unique(shape: _Shape, cluster: str, key: str) -> Unsupported:
    return Unsupported(
        f"the natural key ({', '.join(shape.key)}) of {shape.table.name} does not name one row on {cluster}: {key}",
        remedy="add columns to the key under natural_keys until it is unique",
    )


def _too_large(shape: _Shape) -> Unsupported:
    return Unsupported(
        f"{shape.table.name} has more rows than are compared by a natural key",
        remedy="where replication gives both sides the same keys, take the rule out of natural_keys; else put the "
        "table under `local:` and compare it by other means",
    )
