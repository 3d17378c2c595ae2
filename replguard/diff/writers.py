"""Who wrote rows, as the rows themselves tell: by columns that the policy names, and by what the server remembers."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from replguard.diff.lastchange import origin_told
from replguard.diff.values import Display
from replguard.engines.base import TellsWriters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from replguard.diff.result import Identity, TableResult
    from replguard.engines.base import Row, Snapshot
    from replguard.engines.pair import Pair
    from replguard.model.tables import Table


@dataclass(slots=True)
class Views:
    """A snapshot of each cluster, taken when the first is asked for. A context manager."""

    pair: Pair
    _taken: dict[str, Snapshot] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def of(self, cluster: str) -> Snapshot:
        """Raises ServerError."""
        if cluster not in self._taken:
            self._taken[cluster] = self._stack.enter_context(self.pair.server(cluster).rows.snapshot())
        return self._taken[cluster]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def side_of(result: TableResult, cluster: str) -> Table:
    """The table as one cluster has it, with the columns as its key by which its rows were told apart."""
    side = result.table.sides[cluster]
    theirs = {result.table.fold(column.name): column.name for column in side.columns}
    return replace(side, key=tuple(theirs[result.table.fold(name)] for name in result.columns[: result.width]))


def keys_of(identities: Sequence[Identity]) -> list[Row]:
    return [identity for identity in identities if isinstance(identity, tuple)]


def written(
    view: Snapshot, table: Table, keys: Sequence[Row], cluster_of: Callable[[str], str | None]
) -> dict[Row, dict[str, Any]]:
    """Who wrote the rows that stand under these keys, as evidence; empty where the server remembers nothing.

    Raises ServerError.
    """
    if not keys or not isinstance(view, TellsWriters):
        return {}
    return {
        key: {
            "transaction": found.transaction,
            "position": None,
            "committed_at": found.committed_at.isoformat() if found.committed_at else None,
            **origin_told(found.origin, cluster_of),
            "operation": None,
            "columns": None,
            "told_by": "row",
        }
        for key, found in view.written(table, keys).items()
    }


def display_of(result: TableResult, cluster: str, wanted: Sequence[str], *, mask: bool) -> tuple[Display, list[str]]:
    """How the cluster's columns of these names are shown, and the names that its table does not have."""
    side = result.table.sides[cluster]
    there = {column.name.casefold(): column.name for column in side.columns}
    found = [there[name.casefold()] for name in wanted if name.casefold() in there]
    return Display(side, found, mask=mask), [name for name in wanted if name.casefold() not in there]


def changed_by(
    views: Views, result: TableResult, identities: Sequence[Identity], cluster: str, display: Display
) -> Mapping[Identity, dict[str, Any]]:
    """The values of the columns of ``display`` on one cluster, of each row that stands there.

    Columns that were compared are told as they were then; others are read now, where rows have a key that
    both sides number alike. Raises ServerError.
    """
    columns = [column.name for column in display.columns]
    rows = _compared(result, identities, columns, first=cluster == views.pair.first.name)
    if rows is None and result.parents is not None:
        return {}
    if rows is None:
        rows = _read(views.of(cluster), side_of(result, cluster), columns, keys_of(identities))
    return {
        identity: {
            column.name: display.value(column, value) for column, value in zip(display.columns, row, strict=True)
        }
        for identity, row in rows.items()
    }


def _compared(
    result: TableResult, identities: Sequence[Identity], columns: Sequence[str], *, first: bool
) -> dict[Identity, Row] | None:
    """The columns of the rows as they were compared; None where they were not compared, or rows not kept."""
    order = {result.table.fold(name): place for place, name in enumerate(result.columns)}
    places = [order.get(result.table.fold(name)) for name in columns]
    differences = [result.differences[identity] for identity in identities]
    if None in places or any(one.left is None and one.right is None for one in differences):
        return None
    rows = [one.left if first else one.right for one in differences]
    return {
        identity: tuple(row[place] for place in places if place is not None)
        for identity, row in zip(identities, rows, strict=True)
        if row is not None
    }


def _read(view: Snapshot, side: Table, columns: Sequence[str], keys: Sequence[Row]) -> dict[Identity, Row]:
    if not keys:
        return {}
    width = len(side.key)
    return {row[:width]: row[width:] for row in view.read_keys(side, (*side.key, *columns), keys)}
