"""The judgement of a watch over log files: what a replica that took these files would apply.

No server is asked. Where a link is given, its filters and its clusters' catalogs judge as they do in a watch; else the
policy alone, by the names in the files, and the evidence says that no filter was assumed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from replguard.engines import of_files
from replguard.engines.base import Wanted
from replguard.errors import ServerError, UsageError
from replguard.model.changes import Change, Interest, Operation
from replguard.model.findings import Check, Coverage, Finding, Severity
from replguard.policy import GIVEN, TableClass
from replguard.watch.gather import Gathered
from replguard.watch.judge import Judge
from replguard.watch.readings import Reading
from replguard.watch.uncharted import Assumed
from replguard.watch.window import EVERYTHING, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters, LogFile, LogFiles, LogStream
    from replguard.model.findings import StreamCoverage
    from replguard.model.links import Link
    from replguard.model.tables import Table, TableName
    from replguard.policy import Policy
    from replguard.watch.readings import Told

NO_FILTER = "no filter"
_ROWS = (Operation.insert, Operation.update, Operation.delete)
_STEP = 0.2
_REMEDIES = {
    "stream.corrupt": "copy the file again, from a server that does not write to it any more (FLUSH BINARY LOGS)",
    "stream.gap": "name the missing files too, in one command, or copy again what was cut off",
    "stream.unknown": "read the stream with `replguard watch --since`, or scan with a newer replguard",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How to scan.

    ``filters`` are the link's, as ``filter audit --format json`` tells them; None: those of the link, else no filter.
    ``since`` and ``until`` are positions as a user writes them, ``window`` restricts by time, server and domain.
    ``keys`` asks for every change of a table that is judged, ``rows`` for the values too. ``on_told`` is called with
    every change and trouble and what was found by it, ``on_progress`` with the file, the bytes read and all bytes.
    """

    filters: Mapping[str, Any] | None = None
    since: str | None = None
    until: str | None = None
    window: Window = EVERYTHING
    keys: bool = False
    rows: bool = False
    on_told: Callable[[Told], None] = field(default=lambda _told: None)
    on_progress: Callable[[str, int, int], None] = field(default=lambda _name, _done, _all: None)
    stopped: Callable[[], bool] = field(default=lambda: False)


@dataclass(frozen=True, slots=True)
class Subject:
    """By what files are judged: tables with their classes, and the link that carries them, with its filters."""

    tables: TableMap
    link: Link | None = None
    filters: LinkFilters | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """What was found, and in which files."""

    check: Check
    coverage: Coverage
    data: dict[str, Any]


def look(paths: Sequence[Path]) -> tuple[str, tuple[LogFile, ...]]:
    """The engine of these files, and what each says of itself. Raises UsageError."""
    engine = of_files(paths)
    with _files(paths).open(paths) as stream:
        return engine.name, stream.files


def scan(paths: Sequence[Path], subject: Subject, options: Options) -> Scanned:
    """Judge what stands in the files. Raises UsageError for files that cannot be read as one stream."""
    files = _files(paths)
    filters, assumed = _filters(files, subject, options)
    if options.filters is not None:
        _refuse_anothers(filters, look(paths)[1][0])
    judge = Judge(subject.tables, subject.link, filters)
    stream = files.open(paths, _wanted(subject, filters, options), options.since, options.until)
    reading = Reading(
        "scan", judge.source, subject.link, lambda _since: stream, {"scan": judge.sent}, window=options.window
    )
    found = Gathered()
    seen = _Seen()
    reading.open("start")
    try:
        for told in _read(reading, stream, options, found):
            worded = _worded(told, assumed=assumed)
            found.extend(finding for _, finding in worded.findings)
            options.on_told(worded)
            seen.note(told)
    except ServerError as error:
        found.add(_not_read(f"the files cannot be read on: {error.message}", error.remedy))
    finally:
        reading.close()
    found.extend(_in_words_of_files(finding, _assumption(assumed)) for _, finding in reading.still_pending())
    coverage = _coverage(reading, stream, seen.others)
    data = {"files": [_described(file) for file in stream.files], "assumes": NO_FILTER if assumed else None}
    findings = (*found.findings(), *_unmatched(subject.tables.policy, seen.names | stream.tally.changes.keys()))
    check = Check("scan", _summary(findings, coverage.changes, len(stream.files)), findings)
    return Scanned(check, Coverage(streams=(coverage,)), data)


@dataclass(slots=True)
class _Seen:
    """What was told: how much of it is no row change, and which tables it names."""

    others: int = 0
    names: set[TableName] = field(default_factory=set)

    def note(self, told: Told) -> None:
        if isinstance(told.item, Change) and told.item.operation not in _ROWS:
            self.others += 1
            self.names.update(told.item.tables)


def _unmatched(policy: Policy, names: Iterable[TableName]) -> list[Finding]:
    """What was named on the command line and is in no change: right where nothing leaks, or a slip of the pen."""
    return [
        Finding("policy.unmatched", Severity.info, f"no change in the files is of a table that {rule} names")
        for rule in policy.unmatched_rules(names)
        if rule.origin == GIVEN
    ]


def _files(paths: Sequence[Path]) -> LogFiles:
    files = of_files(paths).files
    if files is None:
        raise UsageError(f"{paths[0]} cannot be read without its server")
    return files


def _filters(files: LogFiles, subject: Subject, options: Options) -> tuple[LinkFilters, bool]:
    """The filters to judge by, and whether they are only assumed."""
    if options.filters is not None:
        try:
            return files.filters(options.filters), False
        except ValueError as error:
            raise UsageError(f"the filters cannot be read: {error}", remedy=_DESCRIBED) from None
    return (Assumed(files.filters({})), True) if subject.filters is None else (subject.filters, False)


def _refuse_anothers(filters: LinkFilters, file: LogFile) -> None:
    """Filters that say whose they are must be those of the replica: as its own server's, they would drop all."""
    described = filters.describe()
    own = described.get("server_id")
    if own is None or file.server is None or described.get("replicate_same_server_id"):
        return
    if file.received and str(own) != file.server:
        what = f"the server with server_id {file.server} keeps this relay log"
    elif not file.received and str(own) == file.server:
        what = "that server wrote this binlog itself"
    else:
        return
    raise UsageError(
        f"the filters are those of the server with server_id {own}, and {what}",
        remedy="name the filters of the replica that takes these files; server_id in them is the replica's own",
    )


_DESCRIBED = "write them as `replguard filter audit --format json` tells them under data.filters"


def _wanted(subject: Subject, filters: LinkFilters, options: Options) -> Wanted:
    cluster = str(subject.link.source) if subject.link else ""
    told = Interest.whole if options.rows else Interest.keyed

    def interest(name: TableName) -> Interest:
        if filters.lands(name) != name:
            return told
        if not subject.tables.in_scope(cluster, name.schema):
            return Interest.counted
        if subject.tables.classify(name).table_class is TableClass.must_not_sync or options.keys:
            return told
        return Interest.named if _asked_about(subject, cluster, name) else Interest.counted

    def shape(name: TableName) -> Table | None:
        return subject.tables.on(cluster).get(name) if subject.link else None

    return Wanted(interest, shape)


def _asked_about(subject: Subject, cluster: str, name: TableName) -> bool:
    """Whether a change of the table may be a finding: it has no class, or no catalog says to what it belongs."""
    unclassified = subject.tables.classify(name).table_class is TableClass.unclassified
    return unclassified or not subject.tables.is_table(cluster, name)


def _read(reading: Reading, stream: LogStream, options: Options, found: Gathered) -> Iterator[Told]:
    total = sum(file.size for file in stream.files)
    while not stream.caught_up:
        if options.stopped():
            found.add(_not_read(f"the files were left at {stream.position}", "let it read to the end"))
            return
        yield from reading.poll(_STEP)
        options.on_progress(stream.position.text, stream.tally.bytes, total)


def _not_read(what: str, remedy: str | None) -> Finding:
    return Finding("check.not_run", Severity.unknown, what, remedy=remedy)


def _worded(told: Told, *, assumed: bool) -> Told:
    """What was told, with findings in the words of files."""
    more = _assumption(assumed)
    if isinstance(told.item, Change) and "relay_log" in told.item.detail:
        more["relay_log"] = told.item.detail["relay_log"]
    return replace(told, findings=tuple((check, _in_words_of_files(one, more)) for check, one in told.findings))


def _assumption(assumed: bool) -> dict[str, Any]:  # noqa: FBT001 - says how the filters are known
    return {"assumes": NO_FILTER} if assumed else {}


def _in_words_of_files(finding: Finding, more: Mapping[str, Any]) -> Finding:
    """No cluster without a link, remedies for files, and what is known of a finding beside its change."""
    worded = replace(
        finding,
        cluster=finding.cluster or None,
        remedy=_REMEDIES.get(finding.code, finding.remedy),
        evidence={**finding.evidence, **more},
    )
    if finding.code == "table.unclassified" and finding.table == "*":
        what = f"DDL of the whole schema {finding.schema}, and which of its tables must not sync is not known"
        return replace(worded, message=what, remedy="scan with -c FILE, so that the catalogs tell")
    return worded


def _coverage(reading: Reading, stream: LogStream, others: int) -> StreamCoverage:
    """What was read: the row changes of all tables, and ``others``, which were told and are none."""
    coverage, files = reading.coverage(), stream.files
    unfinished = tuple(
        f"what came after {coverage.to_position}: {file.path.name} was still being written to"
        for file in files[-1:]
        if file.unfinished
    )
    return replace(
        coverage,
        cluster=coverage.cluster or f"server {files[0].server or '?'}",
        kind=stream.kind,
        changes=sum(coverage.tables.values()) + others,
        cannot_see=(*coverage.cannot_see, *unfinished),
    )


def _summary(findings: Sequence[Finding], changes: int, files: int) -> str:
    counts = Counter(
        finding.code.partition(".")[0] for finding in findings for _ in range(finding.evidence.get("count", 1))
    )
    leaks = counts["leak"]
    what = f"{leaks} leak{'s' * (leaks != 1)}" if leaks else "no leak"
    return f"{what} in {changes} change{'s' * (changes != 1)} of {files} file{'s' * (files != 1)}"


def _described(file: LogFile) -> dict[str, Any]:
    return {
        "path": str(file.path),
        "size": file.size,
        "server": file.server,
        "server_version": file.server_version,
        "relay_log": file.received,
        "unfinished": file.unfinished,
    }
