"""Both catalogs side by side, each table with its class: what every judging room starts from."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from replguard.errors import PrivilegeError
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.engines.base import LinkFilters, Server
    from replguard.model.tables import ScheduledEvent, Table, TableName
    from replguard.policy import Classification, Policy


@dataclass(frozen=True, slots=True)
class PairedTable:
    """One table of the pair: how each cluster has it (by the cluster's name), and its class.

    Where the two sides disagree about the class (a partition on one, a plain table on the other), the stricter holds.
    """

    name: TableName
    sides: dict[str, Table]
    classification: Classification
    partition: bool = False
    """Whether its rows are read with those of the partitioned table above it. A child by inheritance stands alone."""
    folds_names: bool = True

    @property
    def table_class(self) -> TableClass:
        return self.classification.table_class

    def fold(self, column: str) -> str:
        """A column's name for comparisons, as the servers compare it."""
        return column.casefold() if self.folds_names else column


@dataclass(frozen=True, slots=True)
class TableMap:
    """All tables of both clusters' scopes, classified."""

    clusters: tuple[str, str]
    tables: tuple[PairedTable, ...]
    policy: Policy
    schemas: dict[str, frozenset[str]] = field(default_factory=dict)
    absent: tuple[tuple[str, str], ...] = ()
    """Clusters, with a schema that the config names and that is not there, or not to be seen."""
    events: dict[str, tuple[ScheduledEvent, ...]] = field(default_factory=dict)
    hidden_events: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Clusters whose events may not be seen: why, and what helps."""
    _sides: dict[str, dict[TableName, Table]] = field(init=False, repr=False)
    _classes: dict[TableName, Classification] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Index the tables of each side once: a stream asks for them with every change."""
        sides = {
            cluster: {
                table.sides[cluster].name: table.sides[cluster] for table in self.tables if cluster in table.sides
            }
            for cluster in self.clusters
        }
        object.__setattr__(self, "_sides", sides)
        classes = {side.name: table.classification for table in self.tables for side in table.sides.values()}
        object.__setattr__(self, "_classes", classes)

    def __iter__(self) -> Iterator[PairedTable]:
        return iter(self.tables)

    def of(self, table_class: TableClass) -> tuple[PairedTable, ...]:
        return tuple(table for table in self.tables if table.table_class is table_class)

    def on(self, cluster: str) -> dict[TableName, Table]:
        """The tables of one cluster by name."""
        return self._sides[cluster]

    def is_table(self, cluster: str, name: TableName) -> bool:
        """Whether the cluster has a table of this name; what a statement names may be something else."""
        return name in self.on(cluster)

    def meant(self, cluster: str, name: TableName) -> tuple[TableName, ...]:
        """The tables that a stream means: ``schema.*``, as dropping a whole schema names it, stands for all in it."""
        if name.name != "*":
            return (name,)
        return tuple(known for known in self.on(cluster) if known.schema.casefold() == name.schema.casefold())

    def twins(self, cluster: str, name: TableName) -> dict[str, Table]:
        """The table that this cluster calls by this name, as each cluster has it; empty where it is not known."""
        for table in self.tables:
            if cluster in table.sides and table.sides[cluster].name == name:
                return table.sides
        return {}

    def landing(self, target: str, filters: LinkFilters, names: Iterable[TableName]) -> list[TableName]:
        """The tables of the target that changes of these are applied to, where filters rewrite their names."""
        rewritten = [landing for name in names if (landing := filters.lands(name)) != name]
        meant = [one for landing in rewritten for one in self.meant(target, landing)]
        return [name for name in meant if self.in_scope(target, name.schema)]

    def read_as(self, cluster: str, name: TableName) -> TableName:
        """The table with which this one is read: of a partition the outermost partitioned table, else itself."""
        known = self.on(cluster)
        table = known.get(name)
        above = [root for root in (table.ancestors if table else ()) if root in known and known[root].partitioned]
        return above[-1] if above else name

    def classify(self, name: TableName) -> Classification:
        """The class of a table that a stream names, whether or not it is (still) in a catalog.

        It is the class of the pair: what is a plain table here may be a partition of a forbidden one there.
        """
        return self._classes.get(name) or self.policy.classify(name)

    def in_scope(self, cluster: str, schema: str) -> bool:
        return schema.casefold() in self.schemas[cluster]


def read(servers: Iterable[Server], policy: Policy) -> TableMap:
    """Read both catalogs and pair their tables: by name, else by name without case where that is unambiguous.

    Where the servers tell names apart by case alone, only the very name will do.
    """
    first, second = servers
    with ThreadPoolExecutor(2) as pool:
        looks = dict(zip((first.name, second.name), pool.map(_look, (first, second)), strict=True))
    schemas = {name: look.schemas for name, look in looks.items()}
    found = pair_up(
        {name: look.tables for name, look in looks.items()},
        policy,
        schemas,
        folds_names=first.capabilities.folds_names,
    )
    absent = tuple(
        (server.name, wanted)
        for server in (first, second)
        for wanted in server.endpoint.schemas
        if wanted.casefold() not in schemas[server.name]
    )
    return replace(
        found,
        absent=absent,
        events={name: look.events for name, look in looks.items() if look.events is not None},
        hidden_events={name: look.hidden for name, look in looks.items() if look.hidden},
    )


class _Look(NamedTuple):
    """One side's catalog. ``events`` is None where they may not be seen: the tables can still be judged."""

    tables: tuple[Table, ...]
    schemas: frozenset[str]
    events: tuple[ScheduledEvent, ...] | None
    hidden: tuple[str, str | None] | None


def _look(server: Server) -> _Look:
    tables = server.catalog.tables()
    schemas = frozenset(schema.casefold() for schema in server.catalog.schemas())
    try:
        return _Look(tables, schemas, server.catalog.events(), None)
    except PrivilegeError as error:
        return _Look(tables, schemas, None, (str(error), error.remedy))


def pair_up(
    catalogs: dict[str, tuple[Table, ...]],
    policy: Policy,
    schemas: dict[str, frozenset[str]] | None = None,
    *,
    folds_names: bool = True,
) -> TableMap:
    """The pure half of :func:`read`."""
    sides: dict[TableName, dict[str, Table]] = {}
    foldable = _foldable(catalogs) if folds_names else set()
    for cluster, tables in catalogs.items():
        for table in tables:
            folded = table.name.folded()
            sides.setdefault(folded if folded in foldable else table.name, {})[cluster] = table
    roots = {table.name for tables in catalogs.values() for table in tables if table.partitioned}
    paired = [
        PairedTable(
            next(iter(found.values())).name,
            found,
            _classify(policy, found.values()),
            partition=all(not roots.isdisjoint(table.ancestors) for table in found.values()),
            folds_names=folds_names,
        )
        for found in sides.values()
    ]
    first, second = catalogs
    ordered = tuple(sorted(paired, key=lambda table: table.name))
    return TableMap((first, second), ordered, policy, schemas or {})


def _foldable(catalogs: dict[str, tuple[Table, ...]]) -> set[TableName]:
    """The case-folded names that stand for at most one table on each side."""
    counts = [Counter(table.name.folded() for table in tables) for tables in catalogs.values()]
    names = set().union(*counts)
    return {name for name in names if all(count[name] <= 1 for count in counts)}


_STRICTNESS = (TableClass.must_not_sync, TableClass.unclassified, TableClass.local, TableClass.config)


def _classify(policy: Policy, tables: Iterable[Table]) -> Classification:
    found = [policy.classify(table.name, table.ancestors) for table in tables]
    return min(found, key=lambda item: _STRICTNESS.index(item.table_class))


def describe(table: PairedTable) -> dict[str, Any]:
    """One table with its class and the rule that put it there, as plain data."""
    found = table.classification
    return {
        "schema": table.name.schema,
        "table": table.name.name,
        "class": table.table_class.value,
        "rule": found.rule.pattern if found.rule else None,
        "origin": found.rule.origin if found.rule else None,
        "group": found.rule.group if found.rule else None,
        "via": str(found.via) if found.via else None,
        "lookalike": found.lookalike,
        "clusters": sorted(table.sides),
    }
