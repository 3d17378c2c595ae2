"""By whom rows that differ were changed last, as far as streams, the rows themselves or their columns tell.

The streams of both clusters are read from where the user says to their present end, by the keys that differ alone.
Where rows remember who wrote them (PostgreSQL with commit timestamps) they are asked. And columns that the policy names
as telling who changed a row are shown. All this is evidence: what cannot be read is told, and never changes a verdict.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from replguard.diff import auditlog, writers
from replguard.diff.lastchange import Aim, LastChanges
from replguard.diff.traced import Traced
from replguard.diff.values import Display
from replguard.diff.writers import Views, keys_of, side_of
from replguard.engines.base import LogsOwnWrites, Wanted
from replguard.errors import ServerError, Unsupported
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from replguard.audit.tables import TableMap
    from replguard.diff.result import Identity, TableResult
    from replguard.engines.base import ChangeStream, Row
    from replguard.engines.pair import Pair
    from replguard.model.links import Identity as Server
    from replguard.model.positions import Position
    from replguard.model.tables import TableName

    Drift = Sequence[tuple[TableResult, Sequence[Identity]]]

CODE = "trace.incomplete"
_POLL = 0.2


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where the streams are read from: the oldest that is there, or a position by cluster (one without is not read).

    What was committed before ``begins`` is passed over. Reading takes ``seconds`` at most.
    """

    since: Literal["start"] | Mapping[str, Position] = "start"
    begins: datetime | None = None
    seconds: float = 60.0


def trace(pair: Pair, tables: TableMap, drift: Drift, tracing: Tracing | None, *, mask: bool = False) -> Traced:
    """What is known of the last changes of these rows.

    Streams are read where ``tracing`` says from where; columns that tell who changed a row are shown in any case.
    """
    told = _Told()
    with Views(pair) as views:
        _name_writers(views, tables, drift, told, mask=mask)
        numbered = _numbered_alike(drift, told) if tracing else []
        if tracing and numbered:
            _ask_audits(views, tables, numbered, told, tracing.seconds, mask=mask)
            _Tracer(views, tables, numbered, tracing, told).run()
    return Traced(told.evidence, tuple(told.findings))


@dataclass(slots=True)
class _Told:
    """What is gathered: evidence by row, kind and cluster, and findings."""

    evidence: dict[tuple[TableName, Identity], dict[str, dict[str, Any]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def add(self, name: TableName, identity: Identity, kind: str, cluster: str, value: Mapping[str, Any]) -> None:
        self.evidence.setdefault((name, identity), {}).setdefault(kind, {})[cluster] = value

    def say(
        self, cluster: str | None, message: str, remedy: str | None = None, evidence: dict[str, Any] | None = None
    ) -> None:
        self.findings.append(
            Finding(CODE, Severity.info, message, cluster=cluster, remedy=remedy, evidence=evidence or {})
        )

    def say_error(self, cluster: str, what: str, error: ServerError | ValueError) -> None:
        remedy = error.remedy if isinstance(error, ServerError) else None
        self.say(cluster, f"{what}: {error.message if isinstance(error, ServerError) else error}", remedy)


def _name_writers(views: Views, tables: TableMap, drift: Drift, told: _Told, *, mask: bool) -> None:
    """The values of the columns that the policy names as telling who changed a row."""
    for result, identities in drift:
        name = result.table.name
        wanted = tables.policy.changed_by_columns(name)
        for cluster in tables.clusters if wanted else ():
            display, absent = writers.display_of(result, cluster, wanted, mask=mask)
            if absent:
                told.say(cluster, f"{name} has no column {', '.join(absent)} on {cluster}", "mend changed_by")
            if not display.columns:
                continue
            try:
                found = writers.changed_by(views, result, identities, cluster, display)
            except (ServerError, ValueError) as error:
                told.say_error(
                    cluster, f"the columns that tell who changed rows of {name} on {cluster} could not be read", error
                )
                continue
            for identity, values in found.items():
                told.add(name, identity, "changed_by", cluster, values)


def _numbered_alike(drift: Drift, told: _Told) -> Drift:
    """The rows that streams and audit tables name as the comparison does."""
    apart = [str(result.table.name) for result, _ in drift if result.parents is not None]
    if apart:
        told.say(None, f"rows paired by a natural key are not followed in a stream: those of {', '.join(apart)}")
    return [(result, identities) for result, identities in drift if result.parents is None]


def _ask_audits(views: Views, tables: TableMap, drift: Drift, told: _Told, seconds: float, *, mask: bool) -> None:
    """The last lines about the rows in the audit tables that the policy names."""
    deadline = time.monotonic() + seconds
    for result, identities in drift:
        asked = [(rule, name) for rule in tables.policy.audits_of(result.table.name) for name in tables.clusters]
        keys = keys_of(identities)
        for rule, cluster in asked if keys else ():
            left = max(deadline - time.monotonic(), 0.001)
            try:
                table, columns = auditlog.table_of(rule, tables.on(cluster))
                found = auditlog.last_lines(views.of(cluster), table, columns, keys, left)
            except (ServerError, ValueError) as error:
                what = f"the audit table {rule.table.pattern} of {result.table.name} on {cluster} was not read"
                told.say_error(cluster, what, error)
                continue
            display = Display(table, columns[1:], mask=mask)
            for key, line in found.items():
                value = {"table": str(table.name), "row": display.row(line)}
                told.add(result.table.name, key, "audited", cluster, value)


def cluster_of(identities: Mapping[str, Server]) -> Callable[[str], str | None]:
    """Names the cluster that writes, or wrote once, under an identity; None for one that is nobody's or both's."""
    now = {origin: name for name, identity in identities.items() for origin in identity.origins}
    past: dict[str, set[str]] = {}
    for name, identity in identities.items():
        for origin in identity.past:
            past.setdefault(origin, set()).add(name)
    once = {origin: next(iter(names)) for origin, names in past.items() if len(names) == 1}
    return (once | now).get


@dataclass(slots=True)
class _Reading:
    """One cluster's stream on its way to its present end."""

    cluster: str
    changes: LastChanges
    stream: ChangeStream | None = None

    @property
    def running(self) -> bool:
        return self.stream is not None and not self.stream.caught_up


class _Tracer:
    """Reads both streams side by side, then asks the rows that still stand."""

    def __init__(self, views: Views, tables: TableMap, drift: Drift, tracing: Tracing, told: _Told) -> None:
        self._pair = views.pair
        self._views = views
        self._tables = tables
        self._drift = drift
        self._tracing = tracing
        self._told = told
        self._say = told.say
        self._cluster_of = cluster_of({server.name: server.identity for server in views.pair})

    def run(self) -> None:
        self._say_keyless()
        readings = [_Reading(server.name, self._wanted(server.name)) for server in self._pair]
        deadline = time.monotonic() + self._tracing.seconds
        with ExitStack() as stack:
            for reading in readings:
                self._open(stack, reading)
            while any(reading.running for reading in readings) and time.monotonic() < deadline:
                for reading in readings:
                    self._read_on(reading, deadline)
            for reading in readings:
                self._say_unread(reading)
                self._attach(reading)

    def _say_keyless(self) -> None:
        names = [str(result.table.name) for result, identities in self._drift if not keys_of(identities)]
        if names:
            self._say(None, f"rows without a key cannot be followed in a stream: those of {', '.join(names)}")

    def _wanted(self, cluster: str) -> LastChanges:
        """The keys by the names of their tables in the cluster's stream, which may name partitions."""
        aims: dict[TableName, Aim] = {}
        for result, identities in self._drift:
            keys = keys_of(identities)
            if not keys:
                continue
            side = side_of(result, cluster)
            aim = Aim(result.table.name, side, frozenset(keys))
            aims[side.name] = aim
            parts = (part for part in self._tables.on(cluster).values() if side.partitioned)
            for part in parts:
                if side.name in part.ancestors:
                    aims[part.name] = replace(aim, table=replace(part, key=side.key))
        return LastChanges(aims, lambda name: self._tables.meant(cluster, name), self._tracing.begins)

    def _open(self, stack: ExitStack, reading: _Reading) -> None:
        since = self._tracing.since
        begin = since if since == "start" else since.get(reading.cluster)
        if not reading.changes.aims:
            return
        if begin is None:
            self._say(reading.cluster, f"the stream of {reading.cluster} was not read, since nobody said from where")
            return
        wanted = Wanted(reading.changes.interest, reading.changes.shape)
        try:
            stream = self._own_or_part(reading.cluster, begin, wanted)
            stack.enter_context(stream)
        except ServerError as error:
            self._told.say_error(reading.cluster, f"the stream of {reading.cluster} could not be read", error)
        else:
            reading.stream = stream

    def _own_or_part(self, cluster: str, begin: Literal["start"] | Position, wanted: Wanted) -> ChangeStream:
        """The cluster's own stream; else its log without what it applied from elsewhere, or what a link carries."""
        streams = self._pair.server(cluster).streams
        try:
            return streams.own(begin, wanted)
        except Unsupported as error:
            if isinstance(streams, LogsOwnWrites):
                stream, part = streams.written_here(begin, wanted), f"what was written on {cluster} itself is told"
            else:
                out = [link for link in self._pair.links() if link.source == cluster]
                if not out:
                    raise
                stream = streams.sent(out[0], self._pair.server(out[0].target), begin, wanted)
                part = f"what {out[0].label} carries is told"
            self._say(cluster, f"of the changes on {cluster} only {part}: {error.message}", error.remedy)
            return stream

    def _read_on(self, reading: _Reading, deadline: float) -> None:
        if reading.stream is None or not reading.running:
            return
        left = max(deadline - time.monotonic(), 0.0)
        try:
            for item in reading.stream.poll(min(_POLL, left)):
                reading.changes.take(item)
        except ServerError as error:
            reading.stream = None
            if error.message not in reading.changes.troubles:
                self._told.say_error(reading.cluster, f"the stream of {reading.cluster} could not be read on", error)

    def _say_unread(self, reading: _Reading) -> None:
        """What of the stream was not read, or does not tell enough."""
        changes, cluster = reading.changes, reading.cluster
        if reading.running and reading.stream:
            self._say(
                cluster,
                f"the stream of {cluster} was read for {self._tracing.seconds:g} s, up to {reading.stream.position}: "
                "what came later is not told",
                "give it more time with --trace-for, or begin later with --trace",
                {"read_to": reading.stream.position.text},
            )
        for message in changes.troubles:
            self._say(cluster, f"a part of the stream of {cluster} could not be read: {message}")
        if changes.more_troubles:
            self._say(cluster, f"{changes.more_troubles} more parts of the stream of {cluster} could not be read")
        for name, count in sorted(changes.untold.items()):
            self._say(cluster, f"{count} row changes of {name} on {cluster} do not tell whole keys")
        if changes.opaque:
            self._say(
                cluster,
                f"{changes.opaque} statements stand in the stream of {cluster} as text, and may have changed rows of "
                "tables that they do not name",
            )

    def _attach(self, reading: _Reading) -> None:
        cluster, unknown = reading.cluster, 0
        for result, identities in self._drift:
            name = result.table.name
            found = {key: self._seen(reading, name, key) for key in keys_of(identities)}
            silent = [key for key, seen in found.items() if not seen]
            found |= self._written(result, cluster, silent)
            unknown += sum(1 for seen in found.values() if not seen)
            for key, seen in found.items():
                if seen:
                    self._told.add(name, key, "last_change", cluster, seen)
        if unknown and reading.stream:
            start, end = reading.stream.start, reading.stream.position
            self._say(
                cluster,
                f"who changed {unknown} of the differing rows last on {cluster} is not known: no change of them stands "
                f"in its stream between {start} and {end}",
                "begin earlier with --trace",
                {"start": start.text, "end": end.text},
            )

    def _seen(self, reading: _Reading, name: TableName, key: Row) -> dict[str, Any] | None:
        last, own = reading.changes.of(name, key)
        if last is None:
            return None
        told = last.told(self._cluster_of)
        if own:
            told["row_before"] = own.told(self._cluster_of)
        if reading.running and reading.stream:
            told["read_to"] = reading.stream.position.text
        return told

    def _written(self, result: TableResult, cluster: str, keys: Sequence[Row]) -> dict[Row, dict[str, Any] | None]:
        try:
            view = self._views.of(cluster)
            return dict(writers.written(view, side_of(result, cluster), keys, self._cluster_of))
        except (ServerError, ValueError) as error:
            self._told.say_error(cluster, f"rows of {result.table.name} on {cluster} do not tell who wrote them", error)
            return {}
