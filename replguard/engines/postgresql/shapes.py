"""Tables as one snapshot sees them: what their columns are made of, for as many tables at once as one statement can.

A snapshot's catalog does not change, so what was read stays true; whether the table itself is still the one that the
snapshot would have read is asked with each read (``View``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.postgresql.quoting import quoted
from replguard.engines.sqlfiles import Quoted
from replguard.errors import StatementError, Unsupported
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from replguard.engines.postgresql.session import Session
    from replguard.model.tables import Table

_KNOWN_KINDS = frozenset("bcerm")
_MOST = 2000
"""So many tables are remembered at most, before the next are read."""


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column's type below domains: its oid and ``pg_type.typtype``; ``name`` is the type as the server spells it.

    ``collation`` is an oid, 0 for none, and ``collated`` its name; ``short`` says that values are limited to some ten
    thousand characters.
    """

    base: int
    kind: str = "b"
    name: str = ""
    collation: int = 0
    collated: Quoted | None = None
    nullable: bool = True
    short: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's oid and columns."""

    oid: int
    columns: Mapping[str, ColumnShape]


class Shapes:
    """The shapes of tables, read when they are asked for together with those of the next tables by name."""

    def __init__(self, session: Session, run: Callable[[list[Quoted], str], list[Mapping[str, Any]]]) -> None:
        """``run`` gives the rows of statements, and leaves the snapshot as it was."""
        self._session = session
        self._run = run
        self._known: dict[TableName, Shape] = {}

    def of(self, table: Table, columns: Iterable[str] = ()) -> Shape:
        """The table's shape. StatementError where it or one of the columns or of its key is not there, Unsupported
        where such a column has a type that cannot be read exactly.
        """
        shape = self._known.get(table.name) or self._read(table.name)
        for column in (*columns, *table.key):
            self._check(table, column, shape.columns.get(column))
        return shape

    def _read(self, name: TableName) -> Shape:
        if len(self._known) > _MOST:
            self._known.clear()
        text = self._session.text("shapes", {"schema": name.schema, "name": name.name})
        for row in self._run([text], f"looking up table {name}"):
            self._known[TableName(row["schema"], row["name"])] = _shape(row)
        if name not in self._known:
            cluster = self._session.cluster
            raise StatementError(f"{cluster}: table {name} is not there", cluster=cluster)
        return self._known[name]

    def _check(self, table: Table, column: str, shape: ColumnShape | None) -> None:
        cluster = self._session.cluster
        if shape is None:
            raise StatementError(
                f"{cluster}: table {table.name} has no column {column!r}",
                remedy="the table was altered meanwhile: run the command again",
                cluster=cluster,
            )
        if shape.kind not in _KNOWN_KINDS:
            raise Unsupported(
                f"{cluster}: column {column!r} of {table.name} has type {shape.name}, which cannot be read exactly",
                remedy="name the column in ignore_columns, with a reason",
                cluster=cluster,
            )


def _shape(row: Mapping[str, Any]) -> Shape:
    lists = ("bases", "kinds", "types", "nullable", "short", "collations", "collation_schemas", "collation_names")
    columns: dict[str, ColumnShape] = {}
    for name, *plain, schema, collation in zip(row["names"], *(row[key] or () for key in lists), strict=True):
        base, kind, type_, nullable, short, oid = plain
        collated = Quoted(f"{quoted(schema)}.{quoted(collation)}") if collation else None
        columns[name] = ColumnShape(base, kind, type_, oid, collated, nullable=nullable, short=short)
    return Shape(row["oid"], columns)
