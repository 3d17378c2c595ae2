"""Applying a plan of filters: refused where it does not fit, shown, journalled, done link by link, looked at again.

Each step is written down before it is taken, and can be taken again. A process that dies half-way leaves an open entry
in the journal, by which applying the same plan again finishes it, and :mod:`replguard.control.filterundo` takes it
back. What fails is taken back at once, in reverse.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from replguard.control import filterplan, filterstate, planfile
from replguard.control.filterundo import flows, put_back
from replguard.errors import ControlError, ReplguardError
from replguard.journal import Journal
from replguard.model.findings import Check, Finding, Severity
from replguard.model.plan import HASH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from replguard.audit.tables import TableMap
    from replguard.control.filterstate import Bound
    from replguard.engines.controls import Step
    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.plan import Plan

CHECK = "filter.apply"


@dataclass(frozen=True, slots=True)
class Options:
    """``confirm`` is asked after everything was shown; ``timeout`` bounds, in seconds, how long is waited for a link to
    carry data again and for a server that went away. ``still`` is called before each change, and raises where it must
    not be made any more.
    """

    show: Callable[[str], None] = field(default=lambda _line: None)
    confirm: Callable[[], bool] = field(default=lambda: True)
    timeout: float = 30.0
    still: Callable[[], None] = field(default=lambda: None)


@dataclass(frozen=True, slots=True)
class Job:
    """One plan on one pair. ``file`` is where the plan lies, for the remedies of the journal."""

    pair: Pair
    folder: Path
    plan: Plan
    file: Path
    options: Options

    def entry(self) -> Entry | None:
        """The open entry of the journal by which this plan was begun, or is being taken back."""
        sha = self.plan.document()[HASH]
        found = self.journal.unfinished(*filterplan.ACTIONS)
        return next((entry for entry in found if entry.data["plan"][HASH] == sha), None)

    def begin(self, action: str) -> Entry:
        """Open an entry that holds the whole plan: whoever finds it needs no file."""
        remedy = (
            f"run `replguard filter apply {self.file}` again to finish it, or `replguard filter apply --undo` to take "
            "it back"
        )
        return self.journal.begin(action, plan=self.plan.document(), plan_file=str(self.file), remedy=remedy)

    @property
    def journal(self) -> Journal:
        return Journal(self.folder, self.options.still)


def job(pair: Pair, folder: Path, path: Path | None, options: Options) -> Job | None:
    """The job of the plan in a file, else of the last that was begun and not finished; None where there is none."""
    if path:
        return Job(pair, folder, planfile.load(path), path.absolute(), options)
    begun = Journal(folder).unfinished(*filterplan.ACTIONS)
    if not begun:
        return None
    return Job(pair, folder, planfile.parsed(begun[-1].data["plan"]), Path(begun[-1].data["plan_file"]), options)


def apply(job: Job, tables: TableMap, audit: Callable[[], tuple[Check, ...]]) -> tuple[Check, ...]:
    """Apply the plan and audit what is set then. Applying what is applied is no error."""
    pair, entry = job.pair, job.entry()
    against = [*_others(job, entry), *filterstate.other_pair(pair, job.plan)]
    if against:
        return (Check(CHECK, "not applied", tuple(against)),)
    bound, gone = filterstate.bind(pair, job.plan)
    states = [(one, one.state(pair)) for one in bound]
    stale = [*gone, *filterstate.moved_tables(tables, job.plan)]
    stale += [found for one, now in states for found in filterstate.moved_state(one, now, begun=entry is not None)]
    if stale:
        return (Check(CHECK, "not applied: the plan is stale", tuple(stale)),)
    todo = [one for one, now in states if now != one.planned.final]
    if not todo:
        if entry:
            entry.close("applied")
        return (Check(CHECK, "nothing to do: all is as the plan wants it"), *audit())
    for one in todo:
        for line in filterstate.lines(one):
            job.options.show(line)
    if not job.options.confirm():
        return (Check.not_run(CHECK, "nothing was done: it was not confirmed", "say yes, or give --yes"),)
    before = audit()
    return _act(job, entry or job.begin(filterplan.APPLY), bound, todo, _Audits(before, audit))


@dataclass(frozen=True, slots=True)
class _Audits:
    """What the audit found before, and how it is asked again."""

    before: tuple[Check, ...]
    again: Callable[[], tuple[Check, ...]]

    def after(self) -> tuple[Check, ...]:
        """What it finds now; ControlError where that is worse than before."""
        now = self.again()
        worse = [found for key, found in _against(now).items() if key not in _against(self.before)]
        if worse:
            raise ControlError(f"the audit finds what it did not find before: {worse[0].message}")
        return now


def _act(job: Job, entry: Entry, bound: Iterable[Bound], todo: list[Bound], audits: _Audits) -> tuple[Check, ...]:
    # What an earlier run of this plan finished is not done again, but taken back with the rest.
    again = bool(entry.data["steps"])
    begun = [one for one in bound if again and one.planned.steps and one not in todo]
    try:
        for one in todo:
            begun.append(one if again else replace(one, begun=0))
            for number, step in enumerate(one.steps, 1):
                begun[-1] = one if again else replace(one, begun=number)
                _step(job, one, step, entry)
            _look(job, one, entry)
        after = audits.after()
    except BaseException as error:
        problems = put_back(job.pair, begun, entry, job.options.timeout)
        if not isinstance(error, ReplguardError):
            raise
        return (_failed(error, problems, entry),)
    entry.close("applied")
    steps = sum(len(one.planned.steps) for one in todo)
    summary = f"{steps} step{'s' * (steps != 1)} done on {', '.join(one.link.label for one in todo)}"
    return (Check(CHECK, summary), *after)


def _step(job: Job, one: Bound, step: Step, entry: Entry) -> None:
    """One step, written down before with what takes it back."""
    taken_back = {"cluster": step.cluster, "link": one.link.name, "action": step.words, "statements": step.undo}
    entry.note(f"{one.link.label}: {step.words}", filterplan.as_data(taken_back))
    filterplan.setter(job.pair, one.link).do(one.link, one.source(job.pair), step)


def _look(job: Job, one: Bound, entry: Entry) -> None:
    """What the steps left; only this link was ever stopped, and runs again where it ran."""
    entry.note(f"{one.link.label}: look at it again")
    pair = job.pair
    now, final = one.state(pair), one.planned.final
    if now != final:
        wrong = ", ".join(sorted(key for key in {*now, *final} if now.get(key) != final.get(key)))
        raise ControlError(
            f"{one.link.label}: all steps were done, and {wrong} is not as planned", cluster=one.link.target
        )
    if one.planned.runs:
        flows(pair, one, job.options.timeout)


def _against(checks: tuple[Check, ...]) -> dict[tuple[str | None, ...], Finding]:
    """What keeps an audit of filters from passing, by what it is about; how the links are is looked at elsewhere."""
    return {
        (found.code, found.link, found.schema, found.table, found.severity.value): found
        for check in checks
        if check.id == "filter.audit"
        for found in check.findings
        if found.severity in (Severity.fail, Severity.unknown)
    }


def _others(job: Job, mine: Entry | None) -> list[Finding]:
    """Another plan that stands half done: what is set is nobody's will then."""
    return [
        filterplan.unfinished(entry.data, Severity.unknown)
        for entry in job.journal.unfinished(*filterplan.ACTIONS)
        if mine is None or entry.path != mine.path
    ]


def _failed(error: ReplguardError, problems: list[Finding], entry: Entry) -> Check:
    """What was given up; what could not be put back is told, never left to be found."""
    back = "not everything is as it was" if problems else "everything is as it was"
    told = Finding(
        "plan.given_up",
        Severity.unknown,
        f"the plan was given up: {error.message}",
        cluster=error.cluster,
        remedy=error.remedy or "mend what the server reports, then apply the plan again",
        evidence={"steps": entry.data["steps"]},
    )
    return Check(CHECK, f"not applied; {back}", (told, *problems))
