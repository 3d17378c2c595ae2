"""The plainest comparison there is, to try windows and rounds with: both sides are read whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.diff.result import Difference, TableResult
from replguard.diff.rounds import settle
from replguard.diff.window import Window
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from replguard.api import Clusters
    from replguard.audit.tables import PairedTable
    from replguard.diff.result import Identity
    from replguard.diff.settled import Settled
    from replguard.engines.base import Row, Snapshot
    from replguard.model.findings import Strength


class PlainReader:
    """Fulfils ``diff.settled.Reader`` for tables that are the same on both sides."""

    def __init__(self, clusters: tuple[str, str]) -> None:
        self.clusters = clusters
        self.rounds = 0

    def recompare(self, views: Mapping[str, Snapshot], paired: Sequence[PairedTable]) -> list[TableResult]:
        self.rounds += 1
        return [self._compared(views, table) for table in paired]

    def again(self, views: Mapping[str, Snapshot], before: Sequence[TableResult]) -> list[TableResult]:
        return self.recompare(views, [one.table for one in before])

    def reread(
        self, views: Mapping[str, Snapshot], table: PairedTable, keys: Sequence[Row]
    ) -> Mapping[Row, Difference]:
        self.rounds += 1
        return _differences([self._rows(views, name, table, keys) for name in self.clusters])

    def _compared(self, views: Mapping[str, Snapshot], table: PairedTable) -> TableResult:
        columns, width = _ordered(table)
        sides = [self._rows(views, name, table) for name in self.clusters]
        found: dict[Identity, Difference] = dict(_differences(sides).items())
        return TableResult(table, columns, width, {}, found, len(found))

    @staticmethod
    def _rows(
        views: Mapping[str, Snapshot], name: str, table: PairedTable, keys: Sequence[Row] | None = None
    ) -> dict[Row, Row]:
        columns, width = _ordered(table)
        side = table.sides[name]
        rows = views[name].read(side, columns) if keys is None else views[name].read_keys(side, columns, keys)
        return {row[: width or len(row)]: row for row in rows}


def _ordered(table: PairedTable) -> tuple[tuple[str, ...], int]:
    side = next(iter(table.sides.values()))
    rest = [column.name for column in side.columns if column.name not in side.key]
    return (*side.key, *rest), len(side.key)


def _differences(sides: Sequence[Mapping[Row, Row]]) -> dict[Row, Difference]:
    left, right = sides
    found = {}
    for key in {**left, **right}:
        ours, theirs = left.get(key), right.get(key)
        if ours != theirs:
            found[key] = Difference("differs" if ours and theirs else "missing" if ours else "extra", ours, theirs)
    return found


def compared(
    clusters: Clusters,
    seconds: float = 20.0,
    *,
    at_first: float | None = None,
    then: Callable[[], None] = lambda: None,
) -> tuple[dict[str, Settled], Strength, PlainReader]:
    """What becomes of each config table, by its bare name, and how strongly that holds.

    Before the first reading targets are given ``at_first`` seconds to arrive, else as many as afterwards; ``then`` is
    called after it.
    """
    tables = clusters.tables()
    wanted = tables.of(TableClass.config)
    reader = PlainReader(tables.clusters)
    with Window(clusters.pair, tables, clusters.links()[1], wanted) as window:
        with window.views(seconds if at_first is None else at_first) as views:
            results = reader.recompare(views.of, wanted)
        then()
        found = settle(window, views, results, reader, seconds)
    return {one.result.table.name.name: one for one in found}, window.strength, reader
