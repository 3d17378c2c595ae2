"""One stream that is being watched: what was read of it, who judges it, what is still pending in it.

A reading may be without its stream for a while, when the connection was lost; it is opened again at the last position
at which everything before was handed out. What was pending then is told again by the new stream.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.model.changes import Change, TransactionEnd, Trouble
from replguard.model.findings import Finding, Severity, StreamCoverage
from replguard.watch.gather import Gathered
from replguard.watch.window import EVERYTHING, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.base import ChangeStream, Since
    from replguard.model.changes import StreamItem
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.watch.known import Basis

    Judging = Callable[[Change], tuple[Finding, ...]]
    """What one room of judgement has to say about a change."""


@dataclass(frozen=True, slots=True)
class Told:
    """A change, trouble or end of a transaction of one stream, with what was found by it, by check."""

    cluster: str
    link: Link | None
    item: StreamItem
    stream: str
    """``sent``: what the link carries; ``own``: the cluster's own stream; ``pending``: what waits; ``scan``: files."""
    findings: tuple[tuple[str, Finding], ...] = ()


@dataclass(slots=True)
class Reading:
    """A stream of ``cluster`` (what ``link`` carries, or its own), and the judgements by the check they belong to."""

    kind: str
    cluster: str
    link: Link | None
    opener: Callable[[Since], ChangeStream]
    judgements: dict[str, Judging]
    window: Window = EVERYTHING
    until: Position | None = None
    is_own: bool = False
    """Whether what the link carries is judged as the cluster's own stream too."""
    stream: ChangeStream | None = None
    blind: tuple[str, ...] = ()
    start: Position | None = None
    position: Position | None = None
    engine_kind: str = ""
    events: int = 0
    bytes: int = 0
    told: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    troubled: bool = False
    gap: bool = False
    reaches_back: bool = False
    """Whether it is known that the stream holds all that was committed since the time at which to begin."""
    before_notice: Callable[[str, Change], object] = field(default=lambda _cluster, _change: None)
    suspects: dict[str, dict[str, Gathered]] = field(default_factory=dict)
    basis: Basis | None = None
    """What was known when the stream was opened, as far as it decides what is read."""
    _opened_at: Position | None = None

    @property
    def name(self) -> str:
        """What tells it from the other readings, for messages and checkpoints."""
        return f"{self.kind} {self.link.label if self.link and self.kind != 'own' else self.cluster}"

    @property
    def label(self) -> str | None:
        return self.link.label if self.link else None

    def open(self, since: Since) -> None:
        """Open the stream. Raises ServerError. What was pending when it broke off is told anew by this one."""
        self.suspects.clear()
        self.gap = False
        self.stream = self.opener(since)
        self.stream.__enter__()
        self.start = self.start or self.stream.start
        self.position = self._opened_at = self.stream.position
        self.engine_kind = self.stream.kind
        self.blind = tuple(dict.fromkeys((*self.blind, *self.stream.cannot_see)))

    def close(self) -> None:
        """Leave the stream, and remember what it has read."""
        if self.stream is None:
            return
        stream, self.stream = self.stream, None
        self.position = stream.position
        self._add_up(stream)
        stream.__exit__(None, None, None)

    def _add_up(self, stream: ChangeStream) -> None:
        self.events += stream.tally.events
        self.bytes += stream.tally.bytes
        for name, count in stream.tally.changes.items():
            self.tables[str(name)] = self.tables.get(str(name), 0) + count

    @property
    def progressed(self) -> bool:
        """Whether the stream has moved on since it was opened last."""
        return self.position is not None and self.position != self._opened_at

    @property
    def over(self) -> bool:
        """Whether the end that was asked for is reached."""
        if self.stream is None:
            return False
        if self.until is not None and self.stream.passed(self.until):
            return True
        return self.window.is_over(self.stream.tally.last_commit)

    def poll(self, timeout: float) -> Iterator[Told]:
        """What came next, judged. Raises ServerError where the stream cannot be read on."""
        if self.stream is None:
            return
        items = self.stream.poll(timeout)
        self.gap = False
        tally = self.stream.tally
        self.reaches_back |= self.window.is_reached_by(tally.began, tally.last_commit)
        for item in items:
            told = self._judged(item)
            if told is not None:
                yield told
        self.position = self.stream.position

    def _judged(self, item: StreamItem) -> Told | None:
        if isinstance(item, TransactionEnd):
            return self._ended(item)
        if isinstance(item, Trouble):
            self.troubled = self.gap = True
            finding = self._trouble(item)
            return Told(self.cluster, self.link, item, self.kind, ((next(iter(self.judgements)), finding),))
        self.told += 1
        if not self.window.at_time(item.committed_at):
            self.reaches_back |= self.window.is_reached_by(item.committed_at)
            return None
        if not self.window.of_server(item):
            self.left_out += 1
            return None
        self.before_notice(self.cluster, item)
        found = tuple((check, finding) for check, judge in self.judgements.items() for finding in judge(item))
        if item.pending and item.transaction is not None:
            return Told(self.cluster, self.link, item, self.kind, self._suspected(item.transaction, found))
        return Told(self.cluster, self.link, item, self.kind, found)

    def _suspected(self, transaction: str, found: tuple[tuple[str, Finding], ...]) -> tuple[tuple[str, Finding], ...]:
        """Keep what an uncommitted change would mean, and tell it as a suspicion."""
        for check, finding in found:
            self.suspects.setdefault(transaction, {}).setdefault(check, Gathered()).add(finding)
        return tuple((check, suspicion(finding)) for check, finding in found)

    def _ended(self, end: TransactionEnd) -> Told:
        """What was suspected is confirmed by a commit and cleared by anything else."""
        kept = self.suspects.pop(end.transaction, {})
        if not end.committed or not self.window.at_time(end.committed_at):
            return Told(self.cluster, self.link, end, self.kind)
        more = {"position": end.position.text}
        if end.committed_at:
            more["committed_at"] = end.committed_at.isoformat()
        found = tuple(
            (check, replace(finding, evidence={**finding.evidence, **more}))
            for check, gathered in kept.items()
            for finding in gathered.findings()
        )
        return Told(self.cluster, self.link, end, self.kind, found)

    def still_pending(self) -> Iterator[tuple[str, Finding]]:
        """What was suspected in transactions of which nobody knows yet how they end."""
        for kept in self.suspects.values():
            for check, gathered in kept.items():
                yield from ((check, suspicion(finding)) for finding in gathered.findings())

    def _trouble(self, trouble: Trouble) -> Finding:
        return Finding(
            trouble.kind.value,
            Severity.unknown,
            trouble.message,
            cluster=self.cluster,
            link=self.label,
            remedy="look at this position of the stream by hand, or watch again from after it",
            evidence={"position": trouble.position.text if trouble.position else None, **trouble.evidence},
        )

    def coverage(self) -> StreamCoverage:
        """What was read. Call it after :meth:`close`."""
        counted = sum(self.tables.values())
        return StreamCoverage(
            self.cluster,
            self.label,
            f"{self.engine_kind or 'nothing'} ({self.kind}{', own' * self.is_own})",
            self.start.text if self.start else None,
            self.position.text if self.position else None,
            max(counted, self.told),
            (*self.blind, *self.window.left_out()),
            self.events,
            self.bytes,
            dict(sorted(self.tables.items())),
        )


def suspicion(finding: Finding) -> Finding:
    """The finding while its transaction is not committed: it may still be rolled back."""
    if finding.severity not in (Severity.fail, Severity.unknown):
        return finding
    return replace(
        finding,
        severity=Severity.unknown,
        message=f"suspected, its transaction is not committed yet: {finding.message}",
        evidence={**finding.evidence, "suspected": True},
    )
