"""What is known of the pair while it is watched: catalogs, links and filters, read again as they change.

Changes are judged by what was read last. What was opened and closed again between two looks is not remembered.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.audit import filters as audit_filters
from replguard.audit import tables as audit_tables
from replguard.audit.links import between
from replguard.errors import ServerError
from replguard.model.changes import Change, Operation
from replguard.watch.judge import Judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.engines.pair import Pair
    from replguard.model.findings import Finding
    from replguard.model.links import Link
    from replguard.model.tables import TableName
    from replguard.policy import TableClass
    from replguard.watch.readings import Reading

    Basis = tuple[object, dict[TableName, TableClass]]

FILTERS_EVERY = 5.0
"""Seconds between two looks at links and filters."""
CATALOG_EVERY = 60.0
"""Seconds between two looks at the catalogs; DDL and unknown names bring the next one forward."""
_SOONEST = 1.0
_CLOCKS = 60.0
"""Seconds by which the clocks of servers may be wrong."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One link and its filters as they were read last; ``described`` tells whether they are still the same."""

    link: Link
    filters: LinkFilters
    described: Mapping[str, Any]
    judge: Judge

    @property
    def carries(self) -> object:
        """What decides what the link's stream holds; another one needs another stream."""
        return (self.link.source, *(repr(self.link.detail.get(name)) for name in ("slot", "publications", "origin")))


class Known:
    """``rules`` by the label of the link; a link whose filters cannot be read is in ``unread``, with the error."""

    def __init__(self, pair: Pair, tables: TableMap, links: tuple[Link, ...], *, waits: bool = False) -> None:
        self.pair = pair
        self.tables = tables
        self.rules: dict[str, Rules] = {}
        self.unread: dict[Link, ServerError] = {}
        self._waits = waits
        self._absent: set[TableName] = set()
        self._looked = {"filters": time.monotonic(), "catalog": time.monotonic()}
        self._read_at = datetime.now(UTC)
        for link in links:
            try:
                self.rules[link.label] = self._read(link)
            except ServerError as error:
                self.unread[link] = error
        self._crossing: dict[tuple[str, TableName], bool] = {}
        self.audited: dict[tuple[object, ...], Finding] = {}

    def _read(self, link: Link) -> Rules:
        filters = self.pair.server(link.target).filters.of(link, self.pair.server(str(link.source)))
        judge = Judge(self.tables, link, filters, waits=self._waits)
        return Rules(link, filters, dict(filters.describe()), judge)

    def judge(self, link: Link) -> Judge:
        return self.rules[link.label].judge

    def lands(self, link: Link, name: TableName) -> TableName:
        """The target's table that changes of this table of the source are applied to."""
        return self.rules[link.label].filters.lands(name)

    def drops(self, link: Link, name: TableName) -> bool:
        """Whether the link's filters certainly drop all rows of this table."""
        key = (link.label, name)
        if key not in self._crossing:
            table = self.tables.on(str(link.source)).get(name)
            found = self.rules[link.label].filters.crosses(table) if table else None
            self._crossing[key] = found is not None and found.crosses is False
        return self._crossing[key]

    def notice(self, cluster: str, change: Change) -> bool:
        """Take note of a change that says that the catalogs may be out of date; whether they were read again."""
        names = [name for name in change.tables if self.tables.in_scope(cluster, name.schema)]
        if change.operation is Operation.ddl and names:
            self._absent.clear()
            self._looked["catalog"] = min(self._looked["catalog"], time.monotonic() - CATALOG_EVERY + _SOONEST)
        unknown = {name for name in names if name.name != "*" and not self.tables.is_table(cluster, name)}
        if not unknown - self._absent or self._was_absent_then(change):
            return False
        read = self.look(catalog=True)
        self._absent |= {name for name in unknown if not self.tables.is_table(cluster, name)}
        return read

    def _was_absent_then(self, change: Change) -> bool:
        """Whether a look after this change did not find its table: then it is gone, and no later look finds it."""
        return change.committed_at is not None and (self._read_at - change.committed_at).total_seconds() > _CLOCKS

    def due(self) -> bool:
        """Look again where it is time to; whether anything was read."""
        now = time.monotonic()
        if now - self._looked["catalog"] >= CATALOG_EVERY:
            return self.look(catalog=True)
        return now - self._looked["filters"] >= FILTERS_EVERY and self.look(catalog=False)

    def look(self, *, catalog: bool) -> bool:
        """Read links and filters, and the catalogs too; False where the servers do not answer now."""
        self._looked["filters"] = time.monotonic()
        if catalog:
            self._looked["catalog"] = time.monotonic()
        try:
            if catalog:
                begun = datetime.now(UTC)
                self.tables, self._read_at = audit_tables.read([*self.pair], self.tables.policy), begun
            links = {link.label: link for link in between(self.pair.links(), self.tables.clusters)}
            self.rules |= {label: self._read(links[label]) for label in self.rules if label in links}
        except ServerError:
            return False
        self._crossing.clear()
        return True

    def audit(self) -> None:
        """Hold the policy against the filters as they are now, and keep what would leak, each thing once."""
        servers = [*self.pair]
        check = audit_filters.audit(
            self.tables,
            {rules.link: rules.filters for rules in self.rules.values()},
            applier_cascades=servers[0].capabilities.applier_cascades,
            applier_triggers=[server.name for server in servers if server.capabilities.applier_triggers],
            links_wanted=True,
        )
        for finding in check.findings:
            if finding.code in ("leak.configured", "check.not_run"):
                self.audited.setdefault((finding.code, finding.severity, finding.link, finding.message), finding)

    def basis(self, reading: Reading) -> Basis:
        """What a stream is opened by: what its link carries, and the classes of the tables."""
        carries = self.rules[reading.link.label].carries if reading.kind == "sent" and reading.link else None
        on = self.tables.on(reading.cluster)
        return carries, {name: self.tables.classify(name).table_class for name in on}

    def is_outdated(self, reading: Reading) -> bool:
        """Whether the stream is read as it should not be any more: other publications, tables of another class."""
        before, now = reading.basis, self.basis(reading)
        if before is None or before[0] != now[0]:
            return before is not None
        return any(now[1].get(name, table_class) != table_class for name, table_class in before[1].items())
