"""Resume: every paused link between the clusters started again, and seen to carry data.

Before anything is started it is asked whether that may be: the links find what they need next, the servers are those
that were paused, nothing changed that nobody has accepted (:mod:`replguard.control.since`), the filters hold, the
tables are the same. What fails or is unknown there stops it. A resume that died is finished by calling it again: where
a link runs already, what was asked before is not asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from replguard.audit.links import between
from replguard.control import changed, durable, guard, ready, receipt, starting
from replguard.control.changed import Situation
from replguard.control.pause import SWITCHES
from replguard.control.pause import Options as PauseOptions
from replguard.errors import UsageError
from replguard.journal import Journal
from replguard.model.findings import Check, Coverage, Finding, Severity, Verdict
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from replguard.audit.tables import TableMap
    from replguard.control.changed import Changes
    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.links import Link

_FRESH = timedelta(hours=1)
"""For so long a pause that died half-way needs no receipt: what stands was stopped a moment ago."""
_AGAIN = "run `replguard resume` again"


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Options:
    """``timeout`` bounds catching up after the start, in seconds.

    ``accept_changes`` starts although config tables changed on one side, ``winner`` also although rows changed on both:
    it names the cluster whose rows count. ``accept_unknown`` starts although something could not be judged,
    ``accept_upgrade`` although schema, versions or identities are not what they were. ``still`` is called before each
    change, and raises where it must not be made any more.
    """

    timeout: float = 60.0
    show: Callable[[str], None] = field(default=lambda _line: None)
    accept_changes: bool = False
    winner: str | None = None
    accept_unknown: bool = False
    accept_upgrade: bool = False
    today: date = field(default_factory=_today)
    still: Callable[[], None] = field(default=lambda: None)

    @classmethod
    def of(cls, given: Options | PauseOptions | None) -> Options:
        """These options; those of a pause say how long it may take, and who is told."""
        if isinstance(given, PauseOptions):
            return cls(timeout=given.timeout, show=given.show)
        return given or cls()

    def accepts(self) -> list[str]:
        """What was accepted, for the journal."""
        named = [f"changes, {self.winner} wins" if self.winner else "changes"] if self.accept_changes else []
        named += [f"changes, {self.winner} wins"] if self.winner and not self.accept_changes else []
        return named + ["unknown"] * self.accept_unknown + ["upgrade"] * self.accept_upgrade


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found and done, the links as they are now, and the report of what changed where it was looked at."""

    checks: tuple[Check, ...]
    links: tuple[Link, ...]
    conflicts: dict[str, Any] | None = None
    coverage: Coverage = field(default_factory=Coverage)
    acted: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked before the start."""

    checks: tuple[Check, ...] = ()
    changes: Changes | None = None

    @property
    def stops(self) -> bool:
        return any(check.verdict is not Verdict.passed for check in self.checks)


@dataclass(frozen=True, slots=True)
class _Held:
    """The receipt of the pause, and the folder in which it lies: another one where a server is not who it was."""

    folder: Path
    receipt: dict[str, Any] | None
    entries: tuple[Entry, ...] = ()

    @property
    def was_resuming(self) -> bool:
        return any(entry.data["action"] == "resume" for entry in self.entries)

    @property
    def is_fresh(self) -> bool:
        """Whether there is no receipt because the pause was not finished, a moment ago."""
        begun = [datetime.fromisoformat(entry.data["begun_at"]) for entry in self.entries]
        return self.receipt is None and any(datetime.now(UTC) - when < _FRESH for when in begun)


def resume(
    pair: Pair, tables: TableMap, folder: Path, options: Options, audit: Callable[[], Sequence[Check]]
) -> Outcome:
    """Start all links between the clusters that do not run. Calling it on what runs is no error.

    ``audit`` holds the filters against the policy. UsageError for a winner that is none of the clusters.
    """
    clusters = (pair.first.name, pair.second.name)
    if options.winner is not None and options.winner not in clusters:
        raise UsageError(
            f"there is no cluster {options.winner!r} that could win", remedy=f"name {' or '.join(clusters)}"
        )
    held = _held(pair, folder, options)
    found = pair.links()
    links = between(found, clusters)
    gone = tuple(ready.gone(found, held.receipt, accepted=options.accept_upgrade))
    if not links:
        known = (ready.places(pair, (), gone), ready.servers(pair, (), held.receipt, accepted=options.accept_upgrade))
        return Outcome((*(check for check in known if check.findings), _nothing_to_resume()), ())
    to_start = tuple(link for link in links if link.state is not LinkState.running)
    goes_on = held.was_resuming and len(to_start) < len(links)
    now = Situation(pair, tables, links, to_start, held.receipt)
    asked = _ask(now, gone, held, options, audit) if to_start and not goes_on else _Asked()
    parts = asked.changes.parts() if asked.changes else {}
    if asked.stops:
        return Outcome((*asked.checks, _not_started(asked.checks)), links, **parts)
    done = _start(now, held, options)
    notes = _notes(links, to_start, held, goes_on=goes_on)
    return Outcome(
        (*asked.checks, replace(done, findings=(*done.findings, *notes))),
        between(pair.links(), clusters),
        acted=bool(to_start),
        **parts,
    )


def _held(pair: Pair, folder: Path, options: Options) -> _Held:
    """The receipt that holds; else that of the same pair from before one of its servers became another."""
    found = _Held(folder, receipt.load(folder), Journal(folder, options.still).unfinished(*SWITCHES))
    if found.receipt is not None:
        return found
    identities = {server.name: server.identity for server in pair}
    for other in sorted(folder.parent.glob("*")) if folder.parent.is_dir() else ():
        if other != folder and (before := receipt.load(other)) and ready.before_identity(identities, before):
            return _Held(other, before, (*found.entries, *Journal(other, options.still).unfinished(*SWITCHES)))
    return found


def _ask(
    now: Situation, gone: tuple[Finding, ...], held: _Held, options: Options, audit: Callable[[], Sequence[Check]]
) -> _Asked:
    accepted = changed.Accepted(options.accept_changes or options.winner is not None, options.winner, held.is_fresh)
    upgrade = options.accept_upgrade
    places = ready.places(now.pair, now.standing, gone)
    changes = changed.look(now, accepted, held.folder, options.today)
    checks = (
        places,
        ready.servers(now.pair, now.standing, now.held, accepted=upgrade),
        ready.schemas(now.pair, now.tables, changes.judged, accepted=upgrade),
        *audit(),
        changes.check,
    )
    if options.accept_unknown:
        checks = tuple(replace(check, findings=tuple(map(_accepted, check.findings))) for check in checks)
    return _Asked(checks, changes)


def _accepted(finding: Finding) -> Finding:
    if finding.severity is not Severity.unknown:
        return finding
    message = f"accepted by --accept-unknown: {finding.message}"
    return replace(finding, severity=Severity.warn, message=message)


def _start(now: Situation, held: _Held, options: Options) -> Check:
    """Start, see it carry data, and take back what the pause left. Done again after a crash, it does the rest."""
    pair, links, to_start = now.pair, now.links, now.standing
    set_by_pause = durable.kept(now.held, held.entries)
    starting.show(pair, to_start, options.show)
    for line in durable.release_statements(set_by_pause):
        options.show(line)
    noted = _Noted(Journal(held.folder, options.still), options.accepts())
    found = starting.start(pair, to_start, noted.note)
    found += durable.release(pair, set_by_pause, noted.note)
    found += starting.verify(pair, links, options.timeout) if not found else []
    sound = all(finding.severity is Severity.info for finding in found)
    if sound:
        found += guard.drop(pair, now.held, noted.note)
        receipt.retire(held.folder)
        for entry in (*held.entries, *noted.entries):
            entry.close("resumed")
    words = "resumed" if to_start else "already running"
    summary = f"{len(links)} link{'s' * (len(links) != 1)} {words if sound else 'not running'}"
    return Check("resume", summary, tuple(found))


@dataclass(slots=True)
class _Noted:
    """A journal entry that is begun with the first step: a resume that has nothing to do leaves none."""

    journal: Journal
    accepted: list[str]
    entries: list[Entry] = field(default_factory=list)

    def note(self, step: str) -> None:
        if not self.entries:
            self.entries.append(self.journal.begin("resume", remedy=_AGAIN, accepted=self.accepted))
        self.entries[0].note(step)


def _notes(links: tuple[Link, ...], to_start: tuple[Link, ...], held: _Held, *, goes_on: bool) -> Iterable[Finding]:
    """What is said of links that ran before this was called."""
    ran = [link.label for link in links if link not in to_start]
    if goes_on:
        yield Finding(
            "resume.continued",
            Severity.info,
            f"{', '.join(ran)} ran already, started by a resume that was not finished: what it had asked was not asked "
            "again",
        )
    elif ran and held.receipt is not None and not held.was_resuming:
        yield Finding(
            "resume.unchecked",
            Severity.warn,
            f"{', '.join(ran)} ran already, and was not started by replguard: what changed during the pause was not "
            "looked at before",
            remedy="compare with `replguard diff`, and find out what started it",
            evidence={"paused_at": held.receipt.get("paused_at")},
        )


def _not_started(checks: Iterable[Check]) -> Check:
    """Nothing was started; the checks before say why."""
    failing = [check.id for check in checks if check.verdict is Verdict.failed]
    unknown = [check.id for check in checks if check.verdict is Verdict.inconclusive]
    why = [f"{', '.join(failing)} failed"] if failing else []
    why += [f"{', '.join(unknown)} could not be judged"] if unknown else []
    finding = Finding(
        "resume.not_started",
        Severity.fail if failing else Severity.unknown,
        f"nothing was started: {'; '.join(why)}",
        remedy="do what these checks say, then run `replguard resume` again",
    )
    return Check("resume", "nothing was started", (finding,))


def _nothing_to_resume() -> Check:
    return Check(
        "resume",
        "there is no link to resume",
        (
            Finding(
                "link.missing",
                Severity.unknown,
                "there is no link between the clusters that could be resumed",
                remedy="look at `replguard status`; a link whose source is unknown is not touched",
            ),
        ),
    )
