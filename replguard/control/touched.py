"""Config rows that were changed on one cluster, gathered from its streams as they are read. Asks no server.

A table is touched as a whole (``key`` None) by a truncate, DDL, a change without its full key, and where more keys were
touched than are kept. What the policy excuses is left out and counted; updates of which the stream does not tell what
they changed are doubtful until somebody compares the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from replguard.diff.moved import read_with
from replguard.model.changes import Change, Interest, Operation, TransactionEnd
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass
from replguard.watch import harmless
from replguard.watch.gather import Gathered
from replguard.watch.judge import evidence_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.engines.base import LinkFilters, Row
    from replguard.model.changes import StreamItem
    from replguard.model.links import Link
    from replguard.model.tables import Table, TableName

MOST_KEYS = 100_000
"""Keys that are kept of one cluster."""
_ROWS = frozenset({Operation.insert, Operation.update, Operation.delete})


@dataclass(slots=True)
class Touch:
    """What is known of the changes of one row, or of a table as a whole, on one cluster.

    ``table`` is the pair's name for it, ``key`` in canonical form and ``shown`` as a report has it. ``first`` is what
    was done first; ``columns`` those that updates changed, None where that is not told of all. ``links`` are the
    labels of the links in which it waits, ``dropped`` says that one has it whose filters drop it. ``told_by`` is
    ``stream``, or ``rows`` where the rows themselves told.
    """

    cluster: str
    table: TableName
    key: Row | None
    shown: dict[str, Any] | None
    first: str
    operations: list[str] = field(default_factory=list)
    columns: set[str] | None = field(default_factory=set)
    last: dict[str, Any] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    dropped: bool = False
    doubtful: bool = True
    told_by: str = "stream"

    def described(self) -> dict[str, Any]:
        """As plain data for a report."""
        return {
            "operations": self.operations,
            "columns": sorted(self.columns) if self.columns is not None else None,
            **{name: self.last.get(name) for name in ("position", "transaction", "committed_at", "origin")},
            "links": self.links,
            "told_by": self.told_by,
        }


@dataclass(frozen=True, slots=True)
class Carried:
    """The link that a change was read from, with its filters.

    ``whole`` says that its stream holds what the filters drop, so that these decide. Elsewhere what stands in the
    stream is applied, whatever the filters have become since.
    """

    link: Link
    filters: LinkFilters
    whole: bool = True


class Touched:
    """Takes in the streams of one cluster. ``foreign`` are the identities whose changes were made on the other one."""

    def __init__(self, tables: TableMap, cluster: str, foreign: frozenset[str], today: date) -> None:
        self.tables = tables
        self.cluster = cluster
        self.harmless = 0
        self._foreign = foreign
        self._today = today
        config = [table for table in tables.of(TableClass.config) if not table.partition]
        self._paired = {table.name: table for table in config}
        self._index = read_with(tables, config, cluster)
        self._folded = {name.folded(): paired for name, paired in self._index.items()}
        self._found: dict[tuple[TableName, Row | None], Touch] = {}
        self._open: dict[str, list[tuple[Change, Carried | None]]] = {}
        self._unknown = Gathered()

    # What is asked of a stream

    def interest(self, name: TableName, carried: Carried | None) -> Interest:
        """Keys of config tables, and values where the policy tells by these what it expects; else as little as will do.

        Of a link's other tables names are told, unless its filters drop them: they may be such as must not sync.
        """
        if carried and carried.filters.lands(name) != name:
            return Interest.keyed
        if not self.tables.in_scope(self.cluster, name.schema):
            return Interest.counted
        table_class = self.tables.classify(name).table_class
        if table_class is TableClass.config:
            return Interest.whole if self.tables.policy.expected_for(name) else Interest.keyed
        if carried is None or table_class is TableClass.local:
            return Interest.counted
        table = self.shape(name)
        dropped = carried.whole and table is not None and carried.filters.crosses(table).crosses is False
        return Interest.counted if dropped else Interest.named

    def shape(self, name: TableName) -> Table | None:
        return self.tables.on(self.cluster).get(name)

    # What a stream tells

    def take(self, item: StreamItem, carried: Carried | None) -> None:
        """What came next: of a link's backlog, or of the cluster's own stream."""
        if isinstance(item, TransactionEnd):
            for change, by in self._open.pop(item.transaction, ()):
                if item.committed:
                    self._change(change, by)
        elif not isinstance(item, Change):
            self.unknown(
                item.kind.value,
                f"a part of the stream of {self.cluster} cannot be judged: {item.message}",
                "look at this position of the stream by hand",
                {"position": item.position.text if item.position else None, **item.evidence},
            )
        elif item.pending and item.transaction is not None:
            self._open.setdefault(item.transaction, []).append((item, carried))
        else:
            self._change(item, carried)

    def close(self) -> None:
        """The stream is read: what is prepared and not committed counts, since it may be at any time."""
        for waiting in self._open.values():
            for change, carried in waiting:
                self._change(change, carried)
        self._open.clear()

    def unknown(self, code: str, message: str, remedy: str | None, evidence: Mapping[str, Any] | None = None) -> None:
        """Something that nobody can judge."""
        self._unknown.add(
            Finding(code, Severity.unknown, message, cluster=self.cluster, remedy=remedy, evidence=dict(evidence or {}))
        )

    def _change(self, change: Change, carried: Carried | None) -> None:
        if not self._in_scope(change) or (change.origin is not None and change.origin in self._foreign):
            return
        if change.operation is Operation.statement:
            what = f"a statement on {self.cluster} stands in the log as text and can have changed config tables"
            self.unknown("stream.opaque", what, "set binlog_format=ROW, for all sessions", evidence_of(change))
            return
        crosses = carried is not None and carried.filters.applies(change).crosses is not False
        for name in self._config(change, carried):
            if change.operation is Operation.ddl and not self._is_certain(change, name):
                what = f"DDL on {self.cluster} names {name}, which may be meant for a config table"
                self.unknown("freeze.changed", what, "look at the statement by hand", evidence_of(change))
                continue
            self._row(change, name, (carried.link.label if crosses else "") if carried else None)

    def _config(self, change: Change, carried: Carried | None) -> Iterator[TableName]:
        """The config tables that a change is of, by the names of this cluster and by those under which it lands."""
        names = [name for written in change.tables for name in self.tables.meant(self.cluster, written)]
        if carried:
            names += self.tables.landing(carried.link.target, carried.filters, change.tables)
        for name in dict.fromkeys(names):
            scoped = name not in self._index and not self.tables.in_scope(self.cluster, name.schema)
            if not scoped and self.tables.classify(name).table_class is TableClass.config:
                yield name

    def _in_scope(self, change: Change) -> bool:
        schemas = {name.schema for name in change.tables} | ({change.default_schema} - {None, ""})
        return not schemas or any(self.tables.in_scope(self.cluster, str(schema)) for schema in schemas)

    def _is_certain(self, change: Change, name: TableName) -> bool:
        known = any(self.tables.is_table(side, name) for side in self.tables.clusters)
        return known and name not in change.detail.get("guessed", ())

    def _row(self, change: Change, name: TableName, link: str | None) -> None:
        """``link`` is the label of the link that carries it, empty where that drops it, None for the own stream."""
        ignored = harmless.only_ignored(self.tables.policy, change, name)
        if ignored or harmless.expected(self.tables.policy, self._today, change, name):
            self.harmless += 1
            return
        table = self._index.get(name) or self._folded.get(name.folded(), name)
        for key, operation in _keys(change):
            self._touch(table, key, operation, change, link, doubtful=ignored is None)

    def _touch(
        self,
        table: TableName,
        shown: Mapping[str, Any] | None,
        operation: Operation,
        change: Change,
        link: str | None,
        *,
        doubtful: bool,
    ) -> None:
        touch = self.touch(table, shown, operation.value)
        if change.operation is Operation.update and touch.columns is not None:
            touch.columns = None if change.changed is None else touch.columns | change.changed
        touch.last = evidence_of(change)
        touch.doubtful = touch.doubtful and doubtful
        touch.dropped = touch.dropped or link == ""
        if link and link not in touch.links:
            touch.links.append(link)

    def touch(self, table: TableName, shown: Mapping[str, Any] | None, operation: str) -> Touch:
        """The row as touched by this, too."""
        key = self._canonical(table, shown)
        if len(self._found) >= MOST_KEYS and (table, key) not in self._found:
            key = None
        touch = self._found.get((table, key))
        if touch is None:
            named = dict(shown) if shown and key is not None else None
            touch = self._found[table, key] = Touch(self.cluster, table, key, named, operation)
        if operation not in touch.operations:
            touch.operations.append(operation)
        return touch

    def _canonical(self, table: TableName, shown: Mapping[str, Any] | None) -> Row | None:
        """The key as rows are read; None where it is not all there. Of a table that is gone: as it is told."""
        if not shown:
            return None
        side = self._paired[table].sides.get(self.cluster) if table in self._paired else None
        if side is None:
            return tuple(str(value).encode() for value in shown.values())
        try:
            return side.key_values(shown)
        except (ValueError, KeyError):
            return None

    # What was found

    def touches(self) -> tuple[Touch, ...]:
        return tuple(self._found.values())

    def doubtful(self) -> Iterator[tuple[PairedTable, list[Row]]]:
        """By table the keys of rows of which only ignored columns may have changed."""
        by_table: dict[TableName, list[Row]] = {}
        for touch in self._found.values():
            if touch.doubtful and touch.key is not None:
                by_table.setdefault(touch.table, []).append(touch.key)
        yield from ((self._paired[table], keys) for table, keys in by_table.items() if table in self._paired)

    def excuse(self, table: TableName, keys: frozenset[Row]) -> None:
        """These rows are equal on both sides but for columns that the policy ignores."""
        for key in keys:
            self.harmless += self._found.pop((table, key), None) is not None

    def unknowns(self) -> tuple[Finding, ...]:
        return self._unknown.findings()


def _keys(change: Change) -> Iterator[tuple[Mapping[str, Any] | None, Operation]]:
    """The rows that a change is of: where it changed the key, one is gone and another is new."""
    if change.operation not in _ROWS:
        yield None, change.operation
    elif "old_key" in change.detail:
        yield change.detail["old_key"], Operation.delete
        yield change.key, Operation.insert
    else:
        yield change.key, change.operation
