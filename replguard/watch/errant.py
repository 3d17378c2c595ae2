"""What was written on a passive side itself: judged by the tables it touches.

The passive side of a pair that replicates one way writes too: its own nodes, queues and events, which must not sync.
That is normal. A config table, a table that nobody has classified, DDL that names one of them, or a statement that
stands in the log as text is a finding. Where a log tells, changes are read from it; where rows tell who wrote them,
they are asked. What neither tells any more is unknown, unless the config tables were compared meanwhile and are equal:
then nothing of it is left in them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replguard.engines.base import AppliedRows, Wanted
from replguard.engines.controls import TellsLocalRows, TellsOwnWrites
from replguard.errors import StreamError, Unsupported
from replguard.model.changes import Change, Interest, Operation, TransactionEnd, Trouble
from replguard.model.findings import Check, Finding, Severity, Verdict
from replguard.policy import TableClass
from replguard.watch.freeze import Freezer
from replguard.watch.gather import Gathered
from replguard.watch.judge import evidence_of, key_text, what
from replguard.watch.known import Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from replguard.audit.tables import TableMap
    from replguard.engines.base import ChangeStream
    from replguard.engines.controls import OwnWrites
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.model.tables import Table, TableName

CHECK = "errant.writes"
CODE = "errant.write"
UNREAD = "errant.unread"
SECONDS = 10.0
"""How long all sides together may be read."""
_POLL = 0.25
_NORMAL = (TableClass.must_not_sync, TableClass.local)


@dataclass(frozen=True, slots=True)
class Options:
    """``seconds`` bounds the reading; what was not read by then is told as unknown.

    ``equal`` says that the config tables were compared after these writes, and are equal. ``since`` are positions by
    cluster: what was written before them is not looked at.
    """

    today: date
    seconds: float = SECONDS
    equal: bool = False
    since: Mapping[str, Position] | None = None


def passive(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """The links whose target is the source of none: one a target."""
    sources = {link.source for link in links}
    return tuple({link.target: link for link in links if link.target not in sources}.values())


def check(pair: Pair, tables: TableMap, links: tuple[Link, ...], options: Options) -> Check:
    """Judge what was written on the passive side of these links, which are those between the clusters."""
    into = passive(links)
    if not into:
        words = "both sides are written on" if links else "there is no link"
        return Check(CHECK, f"no side is passive: {words}", applicable=False)
    deadline = time.monotonic() + options.seconds
    looks = [_Look(pair, tables, link, links, options, deadline) for link in into]
    findings = tuple(finding for look in looks for finding in look.findings())
    return Check(CHECK, "; ".join(look.summary for look in looks), findings)


class _Look:
    """At one passive side."""

    def __init__(
        self, pair: Pair, tables: TableMap, link: Link, links: tuple[Link, ...], options: Options, deadline: float
    ) -> None:
        self._source, self._target = pair.server(str(link.source)), pair.server(link.target)
        self._known = Known(pair, tables, links)
        self._freezer = Freezer(self._known, options.today)
        self._tables = tables
        self._link = link
        self._options = options
        self._deadline = deadline
        self._gathered = Gathered()
        self.summary = f"{link.target} wrote nothing itself"

    @property
    def _cluster(self) -> str:
        return self._link.target

    def findings(self) -> tuple[Finding, ...]:
        """All that there is to tell, many changes of one kind as one finding."""
        try:
            self._look()
        except Unsupported as error:
            self._gathered.add(self._unread(error.message, error.remedy))
            self.summary = f"what {self._cluster} wrote itself is not told"
        return tuple(map(self._excused, self._gathered.findings()))

    def _look(self) -> None:
        streams = self._target.streams
        if isinstance(streams, TellsOwnWrites):
            since = (self._options.since or {}).get(self._cluster)
            self._read(streams.own_writes(self._source, since))
        elif isinstance(streams, TellsLocalRows):
            self._ask(streams)
        else:
            raise Unsupported(f"what was written on {self._cluster} itself is told by no log", cluster=self._cluster)

    # What a log tells.

    def _read(self, own: OwnWrites) -> None:
        if own.unread:
            self._gathered.add(self._unread(own.unread, None, own.transactions))
        if own.transactions:
            self.summary = f"{self._cluster} wrote itself: {_shortened(own.transactions)}"
        if own.open is None:
            return
        with own.open(Wanted(self._interest, self._shape)) as stream:
            try:
                for change in self._changes(stream, own):
                    self._gathered.extend(self._judged(change))
            except StreamError as error:
                self._gathered.add(self._unread(f"its log could not be read on: {error.message}", error.remedy))

    def _changes(self, stream: ChangeStream, own: OwnWrites) -> Iterator[Change]:
        """Those that are meant. A transaction that was rolled back is none of them; one that is prepared counts, since
        it may be committed at any time.
        """
        open_ones: dict[str | None, list[Change]] = {}
        while not stream.caught_up:
            if time.monotonic() >= self._deadline:
                self._gathered.add(
                    self._unread(f"its log was read for {self._options.seconds:g} s, up to {stream.position}", _LONGER)
                )
                break
            for item in stream.poll(_POLL):
                if isinstance(item, Trouble):
                    self._gathered.add(self._trouble(item))
                elif isinstance(item, TransactionEnd):
                    ended = open_ones.pop(item.transaction, [])
                    yield from ended if item.committed else ()
                elif own.holds(item):
                    if item.pending:
                        open_ones.setdefault(item.transaction, []).append(item)
                    else:
                        yield item
        for changes in open_ones.values():
            yield from changes

    def _interest(self, name: TableName) -> Interest:
        if not self._tables.in_scope(self._cluster, name.schema):
            return Interest.counted
        table_class = self._tables.classify(name).table_class
        if table_class is TableClass.config and self._tables.policy.expected_for(name):
            return Interest.whole
        return Interest.counted if table_class in _NORMAL else Interest.keyed

    def _shape(self, name: TableName) -> Table | None:
        return self._tables.on(self._cluster).get(name)

    def _judged(self, change: Change) -> Iterator[Finding]:
        schemas = {name.schema for name in change.tables} | ({change.default_schema} - {None, ""})
        if schemas and not any(self._tables.in_scope(self._cluster, str(schema)) for schema in schemas):
            return
        if change.operation is Operation.statement:
            yield self._finding(change, None, Severity.unknown, "a statement that can write more tables than it names")
            return
        for written in change.tables:
            for name in self._tables.meant(self._cluster, written):
                if self._tables.in_scope(self._cluster, name.schema):
                    yield from self._of_table(change, name)

    def _of_table(self, change: Change, name: TableName) -> Iterator[Finding]:
        table_class = self._tables.classify(name).table_class
        subject = f"{what(change)} {name}{key_text(change)}"
        ddl = change.operation is Operation.ddl
        unsure = ddl and (name in change.detail.get("guessed", ()) or not self._is_known(name))
        if table_class in _NORMAL:
            return
        if table_class is TableClass.unclassified or unsure:
            why = "may be meant for a config table" if unsure else "no rule says whether it may"
            yield self._finding(change, name, Severity.unknown, f"{subject}, and {why},")
        elif reason := None if ddl else self._freezer.harmless(self._cluster, change, name):
            yield self._finding(change, name, Severity.info, f"{subject}, a config table ({reason}),")
        else:
            yield self._finding(change, name, Severity.fail, f"{subject}, a config table,")

    def _is_known(self, name: TableName) -> bool:
        return any(self._tables.is_table(side, name) for side in self._tables.clusters)

    # What rows tell.

    def _ask(self, streams: TellsLocalRows) -> None:
        on = self._tables.on(self._cluster)
        asked = [
            table
            for name, table in on.items()
            if self._tables.classify(name).table_class not in _NORMAL
            and self._tables.read_as(self._cluster, name) == name
        ]
        left = max(0.1, self._deadline - time.monotonic())
        self.summary = f"{len(asked)} tables of {self._cluster} were asked who wrote their rows"
        self._gathered.add(self._unread("deletions, and rows that were replaced since, are not told by rows", None))
        for found in streams.local_rows(asked, left):
            if isinstance(found, AppliedRows):
                self._gathered.add(self._rows(found))
            else:
                self._gathered.add(self._unread(found.message, found.remedy))

    def _rows(self, rows: AppliedRows) -> Finding:
        """Rows do not tell whether somebody wrote them by mistake or loaded a dump before replication began."""
        evidence = {"rows": rows.count, "first_at": rows.first_at, "last_at": rows.last_at}
        if not rows.certain:
            words = f"who wrote {rows.count} rows of {rows.table} is not remembered any more"
            unread = self._unread(words, None)
            return replace(unread, schema=rows.table.schema, table=rows.table.name, evidence=evidence)
        table_class = self._tables.classify(rows.table).table_class
        kind = "a config table" if table_class is TableClass.config else "which no rule classifies"
        return Finding(
            CODE,
            Severity.unknown,
            f"{rows.count} rows of {rows.table}, {kind}, were written on {self._cluster} itself, or loaded there "
            f"before the link began; the last at {rows.last_at}",
            cluster=self._cluster,
            link=self._link.label,
            schema=rows.table.schema,
            table=rows.table.name,
            remedy=self._remedy,
            evidence=evidence,
        )

    # Findings.

    @property
    def _remedy(self) -> str:
        return (
            f"find out who writes on {self._cluster}, which only replicates from {self._source.name}; take it back or "
            "do the same there, then compare with `replguard diff`"
        )

    def _finding(self, change: Change, name: TableName | None, severity: Severity, words: str) -> Finding:
        return Finding(
            CODE,
            severity,
            f"{words} was made on {self._cluster} itself",
            cluster=self._cluster,
            link=self._link.label,
            schema=name.schema if name else None,
            table=name.name if name else None,
            key=dict(change.key) if change.key else None,
            remedy=None if severity is Severity.info else self._remedy,
            evidence=evidence_of(change),
        )

    def _trouble(self, trouble: Trouble) -> Finding:
        return Finding(
            trouble.kind.value,
            Severity.unknown,
            f"in what {self._cluster} wrote itself: {trouble.message}",
            cluster=self._cluster,
            link=self._link.label,
            remedy="look at this position of its binlog by hand",
            evidence={"position": trouble.position.text if trouble.position else None, **trouble.evidence},
        )

    def _unread(self, words: str, remedy: str | None, transactions: str = "") -> Finding:
        evidence: dict[str, Any] = {"operation": words}
        if transactions:
            evidence["transactions"] = transactions
        return Finding(
            UNREAD,
            Severity.unknown,
            f"not all that {self._cluster} wrote itself could be judged: {words}",
            cluster=self._cluster,
            link=self._link.label,
            remedy=remedy or "compare the config tables with `replguard diff`: what is equal was not changed for good",
            evidence=evidence,
        )

    def _excused(self, finding: Finding) -> Finding:
        """What could not be told has left no trace where a comparison found the config tables equal."""
        if not self._options.equal or finding.severity is not Severity.unknown:
            return finding
        if finding.code == UNREAD:
            message = f"{finding.message}; the config tables were compared and are equal"
            return replace(finding, severity=Severity.info, message=message, remedy=None)
        if finding.code == CODE and "rows" in finding.evidence:
            message = f"{finding.message}; the config tables were compared and are equal"
            return replace(finding, severity=Severity.warn, message=message)
        return finding


_LONGER = "look at its binlog with `replguard watch --since`, or compare the config tables with `replguard diff`"


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."


def compared(checks: Iterable[Check]) -> bool:
    """Whether these checks say that the config tables were compared and are equal, in schema and rows."""
    found = {check.id: check for check in checks}
    return all(
        name in found and found[name].applicable and found[name].verdict is Verdict.passed
        for name in ("diff.schema", "diff.data")
    )
