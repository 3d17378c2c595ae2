"""What it means that one side wins a conflict: statements for the other side, and whether the links can start before.

Nothing of it is run here. A link applies a change to a row that is there, or puts in one that is not: where the other
side is not in that state, the link would end with an error (or skip the change), so its rows are prepared first. Where
the losing side's change flows too, statements on that side that make its row the winner's flow behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.control.conflicts import name_of
from replguard.diff.repair import Request
from replguard.diff.result import TableResult, of_rows
from replguard.diff.schema import comparable_columns
from replguard.errors import ReplguardError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.control.conflicts import Conflict
    from replguard.diff.result import Difference, Identity
    from replguard.engines.base import Row
    from replguard.engines.pair import Pair
    from replguard.model.links import Link

_INSERT = "insert"


@dataclass(slots=True)
class Settlement:
    """``first`` says that the statements must be run before the links are started, ``travels`` that they flow.

    ``blocked`` names what cannot be won by statements on the other side, ``left`` what statements cannot say.
    """

    winner: str
    loser: str
    first: bool = False
    travels: bool = False
    rows: int = 0
    file: str | None = None
    sql: str | None = None
    blocked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, Any]:
        return {
            "winner": self.winner,
            "loser": self.loser,
            "before_start": self.first,
            "rows": self.rows,
            "file": self.file,
            "sql": self.sql,
            "blocked": self.blocked,
            "left": self.left,
        }


def settle(
    pair: Pair, tables: TableMap, links: tuple[Link, ...], conflicts: Iterable[Conflict], winner: str, folder: Path
) -> Settlement:
    """Look at the rows of both sides, and write the statements into a file of ``folder``. Raises ServerError."""
    found = Settlement(winner, pair.other(winner).name)
    by_table: dict[int, list[Conflict]] = {}
    paired = {table.name: table for table in tables}
    for conflict in conflicts:
        table = paired.get(conflict.table)
        if conflict.key is None or table is None or len(table.sides) < 2:
            found.left.append(f"{name_of(conflict)}: make it equal by hand, after `replguard diff`")
        else:
            by_table.setdefault(id(table), []).append(conflict)
    looked = (_table(pair, table, tables, by_table[id(table)], found) for table in tables if id(table) in by_table)
    drift = [(result, identities) for result, identities in looked if identities]
    found.rows = sum(len(identities) for _, identities in drift)
    if drift:
        _write(pair, tables, links, drift, found, folder)
    return found


def _table(
    pair: Pair, table: PairedTable, tables: TableMap, conflicts: list[Conflict], found: Settlement
) -> tuple[TableResult, tuple[Identity, ...]]:
    """The rows of one table that statements must change, as differences that a repair knows how to write."""
    first, second = tables.clusters
    ours, theirs = table.sides[first], table.sides[second]
    if [*map(table.fold, ours.key)] != [*map(table.fold, theirs.key)]:
        found.left += [f"{name_of(one)}: the key is not the same on both sides" for one in conflicts]
        return TableResult(table), ()
    compared = comparable_columns(table, first, second, tables.policy.ignored_columns(table.name))
    columns = (*ours.key, *(name for name in compared if name not in ours.key))
    spelled = {table.fold(column.name): column.name for column in theirs.columns}
    names = {first: columns, second: tuple(spelled[table.fold(name)] for name in columns)}
    keys = [one.key for one in conflicts if one.key is not None]
    rows = {cluster: _rows(pair, table, cluster, names[cluster], keys) for cluster in tables.clusters}
    differences: dict[Identity, Difference] = {}
    for one in conflicts:
        key: Row = one.key or ()
        wins, loses = rows[found.winner].get(key), rows[found.loser].get(key)
        step = _step(one, wins, loses, found)
        if step is not None:
            wanted = step[0]
            sides = {found.winner: wanted, found.loser: loses}
            differences[key] = of_rows(sides[first], sides[second])
    return TableResult(table, columns, len(ours.key), differences=differences, total=len(differences)), tuple(
        differences
    )


def _rows(pair: Pair, table: PairedTable, cluster: str, columns: tuple[str, ...], keys: list[Row]) -> dict[Row, Row]:
    side = table.sides[cluster]
    with pair.server(cluster).rows.snapshot() as view:
        return {row[: len(side.key)]: row for row in view.read_keys(side, columns, keys)}


def _step(conflict: Conflict, wins: Row | None, loses: Row | None, found: Settlement) -> tuple[Row | None] | None:
    """What the loser's row must become, where statements must change it; notes on the way what speaks against it."""
    winner, loser = conflict.touches[found.winner], conflict.touches[found.loser]
    comes, goes = bool(winner.links), bool(loser.links)
    if goes and (loser.first == _INSERT) is (wins is not None):
        where = "has one already" if wins is not None else "has none"
        found.blocked.append(
            f"{name_of(conflict)}: {', '.join(loser.links)} carries the {loser.first} of {found.loser} to a row of "
            f"which {found.winner} {where}"
        )
        return None
    if goes:
        found.travels = True
        found.first = found.first or (comes and wins != loses)
        return (wins,) if wins != loses else None
    if comes and winner.first == _INSERT:
        found.first = found.first or loses is not None
        return (None,) if loses is not None else None
    if comes and loses is None:
        if wins is None:
            found.blocked.append(f"{name_of(conflict)}: {', '.join(winner.links)} changes a row that is on no side now")
            return None
        found.first = True
        return (wins,)
    if comes:
        return (wins,) if wins is not None and wins != loses else None
    return (wins,) if wins != loses else None


def _write(
    pair: Pair,
    tables: TableMap,
    links: tuple[Link, ...],
    drift: list[tuple[TableResult, tuple[Identity, ...]]],
    found: Settlement,
    folder: Path,
) -> None:
    """The statements into a file of their own: where links overwrite rows, it is the last that holds them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{found.winner}-wins-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%f')}.sql"
    try:
        check = Request(path, found.loser).write(pair, tables, () if found.travels else links, drift)
    except ReplguardError as error:
        found.left.append(f"no statements could be written: {error.message}")
        found.blocked += [error.message] if found.first else []
        return
    found.left += [item.message for item in check.findings if item.code == "repair.incomplete"]
    found.file, found.sql = str(path), path.read_text(encoding="utf-8", errors="surrogateescape")
