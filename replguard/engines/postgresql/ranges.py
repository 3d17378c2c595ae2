"""Rows by ranges of the key, as conditions that an index of the key serves.

A bound is compared as the column is: by its type's own order and its own collation, so each server takes its own order.
However a server orders keys, a row is at or above a bound or below it, so ranges that share their bounds hold each row
at least once; and exactly once where the server has the bounds in order, which is asked of it with each range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.postgresql.quoting import quoted
from replguard.engines.postgresql.rowhash import fragment
from replguard.engines.postgresql.rowkeys import OWN, text_of
from replguard.engines.sqlfiles import Quoted, joined
from replguard.errors import StatementError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from replguard.engines.base import Row
    from replguard.engines.postgresql.session import Session
    from replguard.engines.postgresql.shapes import Shape
    from replguard.model.chunks import KeyRange
    from replguard.model.tables import Table


class Ranges:
    """Makes conditions for one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def where(self, table: Table, shape: Shape, within: KeyRange) -> Quoted:
        """Which rows are in the range, as a WHERE clause; empty where all are. ValueError for bounds that are none."""
        if within.nulls:
            if within.lower is not None or within.upper is not None:
                raise ValueError("a range of rows with NULL in the key has no bounds")
            nulls = [fragment("key_null", column=quoted(column)) for column in table.key]
            return fragment("where", condition=joined(nulls, " OR ") if nulls else fragment("nothing"))
        wanted = [fragment("key_not_null", column=quoted(column)) for column in self._nullable(table, shape)]
        for name, bound in (("range_from", within.lower), ("range_below", within.upper)):
            if bound is not None:
                values = self._bound(table, shape, bound)
                wanted.append(fragment(name, key=joined([quoted(column) for column in table.key]), bound=values))
        return fragment("where", condition=joined(wanted, " AND ")) if wanted else Quoted("")

    def of_list(self, table: Table, shape: Shape, ranges: Sequence[tuple[Quoted, KeyRange]]) -> dict[str, Quoted]:
        """The slots of ``sums_ranges.sql`` that say which ranges, each by its place; all must have both bounds."""
        names = {side: [quoted(f"{side}{place}") for place in range(len(table.key))] for side in ("lower", "upper")}
        bounds: dict[Row, Quoted] = {}
        rows = []
        for place, within in ranges:
            ends = []
            for bound in (within.lower, within.upper):
                if bound is None:
                    raise ValueError("a range of a list has two bounds")
                if bound not in bounds:
                    bounds[bound] = self._bound(table, shape, bound)
                ends.append(bounds[bound])
            rows.append(fragment("range_values", place=place, lower=ends[0], upper=ends[1]))
        values = {side: joined([fragment("range_value", bound=name) for name in names[side]]) for side in names}
        key = joined([quoted(column) for column in table.key])
        wanted = [fragment("key_not_null", column=quoted(column)) for column in self._nullable(table, shape)]
        wanted.append(fragment("range_from", key=key, bound=values["lower"]))
        wanted.append(fragment("range_below", key=key, bound=values["upper"]))
        return {
            "ranges": joined(rows),
            "bounds": joined([*names["lower"], *names["upper"]]),
            "where": fragment("where", condition=joined(wanted, " AND ")),
            **values,
        }

    def ordered(self, table: Table, shape: Shape, within: KeyRange) -> Quoted:
        """Whether this server has the bounds in order."""
        if within.lower is None or within.upper is None:
            return fragment("range_any")
        lower, upper = (self._bound(table, shape, bound) for bound in (within.lower, within.upper))
        return fragment("range_ordered", lower=lower, upper=upper)

    def check_ordered(self, tables: Iterable[Table], rows: Iterable[Mapping[str, Any]]) -> None:
        """Unsupported for the first table whose server has the bounds of its range out of order."""
        for table, row in zip(tables, rows, strict=True):
            if not row["ordered"]:
                cluster = self._session.cluster
                raise Unsupported(
                    f"{cluster} orders the keys of {table.name} in another way than the server that the ranges are of, "
                    "so it cannot take the table by these ranges",
                    remedy="give both servers the same version of the collation's library (ICU or the system's), and "
                    "then REINDEX",
                    cluster=cluster,
                )

    def usable(self, table: Table, shape: Shape) -> bool:
        """Whether the key is of types that the server's own order and index can be relied on for."""
        columns = [shape.columns[column] for column in table.key]
        return bool(columns) and all(column.base in OWN for column in columns)

    def _nullable(self, table: Table, shape: Shape) -> list[str]:
        """The columns of the key that may be NULL. Those which the caller does not know of would be lost."""
        nullable = [column for column in table.key if shape.columns[column].nullable]
        for column in nullable:
            if not table.column(column).nullable:
                cluster = self._session.cluster
                raise StatementError(
                    f"{cluster}: column {column!r} of the key of {table.name} may be NULL now",
                    remedy="the table was altered meanwhile: run the command again",
                    cluster=cluster,
                )
        return nullable

    def _bound(self, table: Table, shape: Shape, bound: Row) -> Quoted:
        if not table.key or len(bound) != len(table.key) or None in bound:
            raise ValueError(f"a bound of {table.name} has not the values of its key")
        parts = []
        for column, value in zip(table.key, bound, strict=True):
            found = shape.columns[column]
            if found.base not in OWN:
                raise Unsupported(f"{self._session.cluster}: {table.name} cannot be taken by ranges of its key")
            values = {"value": text_of(found.base, value or b"")}
            slots = {"type": quoted(OWN[found.base])}
            if found.collated:
                parts.append(self._session.text("key_bound_collated", values, collation=found.collated, **slots))
            else:
                parts.append(self._session.text("key_bound", values, **slots))
        return joined(parts)
