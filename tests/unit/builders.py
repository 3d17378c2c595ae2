"""Tables, links and filters as plain values, for tests that need no server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from replguard.audit.tables import TableMap, pair_up
from replguard.model.changes import Change, Operation
from replguard.model.links import Crossing, Fragility, Link, LinkState
from replguard.model.positions import Position, PositionKind
from replguard.model.tables import Column, ColumnKind, ForeignKey, Table, TableName
from replguard.policy import Policy, Rule, TableClass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Position(PositionKind.lsn, "0/10")
LINK = Link("", "green", "blue", LinkState.running, lag_seconds=0.0)


def name(text: str) -> TableName:
    """``schema.table``, or a table of schema ``st``."""
    schema, _, table = text.rpartition(".")
    return TableName(schema or "st", table)


def table(
    text: str,
    *columns: Column,
    key: tuple[str, ...] = ("id",),
    ancestors: tuple[str, ...] = (),
    partitioned: bool = False,
    foreign_keys: tuple[ForeignKey, ...] = (),
) -> Table:
    """A table with an integer key and a text, unless columns are given."""
    shown = columns or (Column("id", "bigint", ColumnKind.integer, nullable=False), Column("value", "text"))
    return Table(name(text), shown, key, tuple(map(name, ancestors)), partitioned, foreign_keys)


def rules(**classes: Sequence[str]) -> tuple[Rule, ...]:
    return tuple(Rule(glob, TableClass(kind)) for kind, globs in classes.items() for glob in globs)


def policy(**classes: Sequence[str]) -> Policy:
    """A policy of rules by class; everything else is config unless that class is given."""
    return Policy(rules=rules(**{"config": ("*",), **classes}))


def table_map(blue: Sequence[Table], green: Sequence[Table], used: Policy | None = None) -> TableMap:
    schemas = {
        cluster: frozenset(table.name.schema.casefold() for table in tables) | {"st"}
        for cluster, tables in (("blue", blue), ("green", green))
    }
    return pair_up({"blue": tuple(blue), "green": tuple(green)}, used or policy(), schemas)


def change(operation: Operation, *tables: str, **parts: Any) -> Change:
    return Change(operation, tuple(map(name, tables)), HERE, **parts)


@dataclass(frozen=True, slots=True)
class ListedFilters:
    """Filters that drop the tables of one list, do not know about those of another, and let all others through."""

    dropped: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    weaknesses: tuple[Fragility, ...] = field(default=())
    rewritten: dict[TableName, TableName] = field(default_factory=dict)

    def crosses(self, table: Table) -> Crossing:
        return self._judged(table.name)

    def applies(self, change: Change) -> Crossing:
        if not change.tables:
            return Crossing(None, "nobody knows what it writes")
        return self._judged(change.tables[0])

    def lands(self, name: TableName) -> TableName:
        return self.rewritten.get(name, name)

    def fragile(self, tables: Sequence[Table]) -> tuple[Fragility, ...]:
        return self.weaknesses

    def describe(self) -> Mapping[str, Any]:
        return {"dropped": list(self.dropped)}

    def _judged(self, table: TableName) -> Crossing:
        if table.name in self.dropped:
            return Crossing(crosses=False, why="a rule drops it")
        if table.name in self.unclear:
            return Crossing(None, "the rule cannot be read")
        return Crossing(crosses=True, why="no rule drops it")
