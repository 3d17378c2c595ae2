"""What is asked of a snapshot, as functions of a module, so that a task that names one can be pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.errors import ConnectionLost, ServerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Row, Snapshot
    from replguard.model.chunks import Function, Portion, Sum
    from replguard.model.tables import Table

    Means = tuple[tuple[Function, ...], bool]
    """The functions that are safe for a table's columns, and whether it can be cut into ranges."""


def means_of(view: Snapshot, tables: Sequence[tuple[Table, Sequence[str]]]) -> list[Means | ServerError]:
    """For each table how it can be summed, or what stands against reading it."""
    found: list[Means | ServerError] = []
    for table, columns in tables:
        try:
            found.append((view.functions(table, columns), bool(table.key) and view.has_ranges(table)))
        except ConnectionLost:
            raise
        except ServerError as error:
            found.append(error)
    return found


def golden_of(view: Snapshot, function: Function) -> bytes:
    return view.golden(function)


def sums_of(view: Snapshot, portions: Sequence[Portion]) -> list[Sum]:
    return view.sums(portions)


def words_of(view: Snapshot, portion: Portion) -> list[bytes]:
    return view.words(portion)


def key_of(view: Snapshot, table: Table, words: Sequence[bytes]) -> list[Row]:
    return [view.key_of_word(table, word) for word in words]


def boundary_of(view: Snapshot, table: Table, lower: Row | None, rows: int) -> Row | None:
    return view.boundary(table, lower, rows)


def highest_of(view: Snapshot, table: Table) -> Row | None:
    return view.highest(table)


def cuts_of(view: Snapshot, table: Table, lower: Row | None, rows: int, count: int) -> list[Row]:
    """The keys that stand ``rows``, twice ``rows``, ... rows after ``lower``: at most ``count`` of them."""
    found: list[Row] = []
    while len(found) < count:
        lower = view.boundary(table, lower, rows)
        if lower is None:
            break
        found.append(lower)
    return found


def rows_of(view: Snapshot, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> list[Row]:
    return list(view.read_keys(table, columns, keys))
