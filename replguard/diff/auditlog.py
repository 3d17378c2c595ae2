"""What an application's own audit tables say of rows: the last line about each.

An audit table need have no index over what it is about, and may be large. So it is read for so long and no longer, and
of its lines no more is kept than the last about each row.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from threading import Timer
from typing import TYPE_CHECKING

from replguard.errors import Unsupported
from replguard.model.tables import Column, ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from replguard.engines.base import Row, Snapshot, Value
    from replguard.model.tables import Table, TableName
    from replguard.policy import AuditTable


def table_of(rule: AuditTable, tables: Mapping[TableName, Table]) -> tuple[Table, tuple[str, ...]]:
    """The one table among these that the rule names, with what the line is about as its key; and the columns to read:
    that by which the last line is found, then those that are shown. Unsupported where a table or a column is not there.
    """
    found = [table for name, table in tables.items() if rule.table.matches(name)]
    if len(found) != 1:
        raise Unsupported(f"{len(found)} tables are called {rule.table.pattern}", remedy="name one under audit_tables")
    (table,) = found
    there = {column.name.casefold(): column.name for column in table.columns}
    wanted = [*rule.key, rule.latest, *rule.columns]
    absent = [name for name in wanted if name.casefold() not in there]
    if absent:
        raise Unsupported(f"{table.name} has no column {', '.join(absent)}", remedy="mend audit_tables")
    names = tuple(there[name.casefold()] for name in wanted)
    width = len(rule.key)
    return replace(table, key=names[:width]), names[width:]


def last_lines(
    view: Snapshot, table: Table, columns: Sequence[str], keys: Sequence[Row], seconds: float
) -> dict[Row, Row]:
    """For each key that some line is about the columns of the last of them, but for the first, which tells the order.

    Raises ServerError, DeadlineError where it takes longer; ValueError for keys that no line can be about.
    """
    width = len(table.key)
    with _no_longer(view, seconds):
        lines = ((row[:width], row[width:]) for row in view.read_keys(table, (*table.key, *columns), keys))
        return latest(table.column(columns[0]), lines)


def latest(column: Column, lines: Iterable[tuple[Row, Row]]) -> dict[Row, Row]:
    """The line of each key whose first value is the highest: integers by number, all else by its text.

    >>> number = Column("id", "bigint", ColumnKind.integer)
    >>> latest(number, [((b"7",), (b"9", b"ann")), ((b"7",), (b"10", b"bob")), ((b"8",), (None, b"eve"))])
    {(b'7',): (b'bob',), (b'8',): (b'eve',)}
    """
    found: dict[Row, Row] = {}
    for key, line in lines:
        if key not in found or _order(column, line[0]) >= _order(column, found[key][0]):
            found[key] = line
    return {key: line[1:] for key, line in found.items()}


def _order(column: Column, value: Value) -> tuple[bool, int | bytes]:
    if value is None:
        return False, 0
    return True, int(value) if column.kind is ColumnKind.integer else value


@contextmanager
def _no_longer(view: Snapshot, seconds: float) -> Iterator[None]:
    """A read within this is ended when the time is up."""
    timer = Timer(seconds, view.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
