"""When a change of a config table does no harm: only ignored columns differ, or the policy expects the row to differ.

Where the stream does not tell which columns an update changed, the row is read on both sides by its key.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from replguard.errors import ReplguardError
from replguard.model.changes import Operation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from replguard.engines.base import Row, Snapshot
    from replguard.engines.pair import Pair
    from replguard.model.changes import Change
    from replguard.model.tables import Table, TableName
    from replguard.policy import ExpectedDifference, Policy

IGNORED = "only columns that the policy ignores differ"
EQUAL = "the row is equal on both sides but for columns that the policy ignores"


def only_ignored(policy: Policy, change: Change, name: TableName) -> bool | None:
    """Whether an update touched nothing but columns that the policy ignores; None where the stream does not tell.

    False for what is no update, and for tables of which nothing is ignored.
    """
    ignored = policy.ignored_columns(name)
    if not ignored or change.operation is not Operation.update:
        return False
    if change.changed is None:
        return None if change.key else False
    return bool(change.changed) and {column.casefold() for column in change.changed} <= ignored


def expected(policy: Policy, today: date, change: Change, name: TableName) -> ExpectedDifference | None:
    """The rule that the row satisfies before and after the change, where there is one."""
    states = [_texts(state, change.key) for state in (change.before, change.after) if state is not None]
    wanted = 2 if change.operation is Operation.update else 1
    if len(states) < wanted or change.operation is Operation.truncate:
        return None
    for rule in policy.expected_for(name):
        if rule.valid_on(today) and all(
            rule.where.columns <= state.keys() and rule.where.holds(state) for state in states
        ):
            return rule
    return None


def equal_rows(pair: Pair, twins: Mapping[str, Table], ignored: frozenset[str], keys: Sequence[Row]) -> frozenset[Row]:
    """Those of the keys under which both sides have a row, the same but for the ignored columns.

    ``twins`` is the table as each cluster has it. What cannot be read, or is not one table, is equal to nothing.
    """
    if len(twins) < 2 or not keys:
        return frozenset()
    wanted = [_compared(twin.columns, ignored) for twin in twins.values()]
    if [*map(str.casefold, wanted[0])] != [*map(str.casefold, wanted[1])]:
        return frozenset()
    try:
        with ExitStack() as stack:
            first, second = (
                _rows(stack.enter_context(pair.server(side).rows.snapshot()), twin, columns, keys)
                for (side, twin), columns in zip(twins.items(), wanted, strict=True)
            )
    except (ReplguardError, ValueError):
        return frozenset()
    return frozenset(key for key, row in first.items() if second.get(key) == row)


def _compared(columns: Iterable[Any], ignored: frozenset[str]) -> list[str]:
    return sorted((column.name for column in columns if column.name.casefold() not in ignored), key=str.casefold)


def _rows(view: Snapshot, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> dict[Row, Row]:
    width = len(table.key)
    return {row[:width]: row[width:] for row in view.read_keys(table, (*table.key, *columns), keys)}


def _texts(state: Mapping[str, Any], key: Mapping[str, Any] | None) -> dict[str, str | None]:
    """A row for a predicate: case-folded names to texts."""
    values = {**(key or {}), **state}
    return {name.casefold(): None if value is None else str(value) for name, value in values.items()}
