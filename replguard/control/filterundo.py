"""Taking a plan of filters back: what was done or half done is put back as the plan found it, in reverse."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from replguard.control import filterplan, filterstate
from replguard.errors import ConnectError, ConnectionLost, ControlError, ReplguardError
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from replguard.control.filterapply import Job
    from replguard.control.filterstate import Bound
    from replguard.engines.controls import Step
    from replguard.engines.pair import Pair
    from replguard.journal import Entry

    T = TypeVar("T")

CHECK = "filter.undo"
POLL = 0.2
CAUGHT_UP = 5.0
"""How long, in seconds, a link is given to reach its source's end; one that lags longer runs all the same."""


def undo(job: Job) -> tuple[Check, ...]:
    """Take back what was applied of the plan. Where nothing of it stands, that is no error."""
    pair, entry = job.pair, job.entry()
    if against := filterstate.other_pair(pair, job.plan):
        return (Check(CHECK, "not taken back", against),)
    bound, gone = filterstate.bind(pair, job.plan)
    states = [(one, one.state(pair)) for one in bound if one.planned.steps]
    if entry is None:
        stale = [found for one, now in states for found in filterstate.strayed(one, now)]
        if stale:
            return (Check(CHECK, "not taken back: the filters are no longer those of the plan", tuple(stale)),)
    todo = [one for one, now in states if _touched(one, now) != _touched(one, one.planned.state)]
    for one in reversed(todo):
        for line in filterstate.lines(one, undo=True):
            job.options.show(line)
    if todo and not job.options.confirm():
        return (Check.not_run(CHECK, "nothing was done: it was not confirmed", "say yes, or give --yes"),)
    if todo or entry:
        entry = entry or job.begin(filterplan.UNDO)
        if problems := put_back(pair, todo, entry, job.options.timeout):
            return (Check(CHECK, "not everything is as it was", tuple(problems)),)
    links = ", ".join(one.link.label for one in todo)
    told = tuple(_only_told(found) for found in gone)
    return (Check(CHECK, f"taken back on {links}" if todo else "nothing to take back", told),)


def nothing() -> Check:
    """Where no plan was begun and none is named."""
    return Check(CHECK, "nothing to take back: no plan stands half done")


def put_back(pair: Pair, begun: Sequence[Bound], entry: Entry, timeout: float) -> list[Finding]:
    """Undo all steps of these links in reverse, and see that it worked; what could not be put back is told.

    The entry of the journal is closed where all of it worked, and left open else.
    """
    problems = [
        _not_undone(one, error, entry) for one in reversed(begun) if (error := _back(pair, one, entry, timeout))
    ]
    if not problems:
        entry.close("undone")
    return problems


def _back(pair: Pair, one: Bound, entry: Entry, timeout: float) -> ReplguardError | None:
    """Undo the steps of one link that were begun; returns why it is not as it was, where it is not.

    What counts is how it is then: who may not stop a link may not start it either, and it never stood. Where it is not
    as it was, all steps are undone: a restart may have lost rules and started the link meanwhile.
    """
    failed: ReplguardError | None = None
    for steps in (one.steps[: one.begun], one.steps):
        failed = None
        for step in reversed(steps):
            try:
                insist(pair, partial(_undo, pair, one, step, entry), timeout)
            except ReplguardError as error:
                failed = failed or error
        try:
            _as_it_was(pair, one, timeout)
        except ReplguardError as error:
            failed = failed or error
        else:
            return None
    return failed


def insist(pair: Pair, act: Callable[[], T], timeout: float) -> T:
    """Do something that may be done again, over new connections where the old ones are lost.

    What fails for another reason, as with a lock that went with its connection, is tried once more.
    """
    deadline = time.monotonic() + timeout
    failed = False
    while True:
        try:
            return act()
        except ReplguardError as error:
            lost = isinstance(error, (ConnectionLost, ConnectError))
            if time.monotonic() >= deadline or (failed and not lost):
                raise
            failed = failed or not lost
        time.sleep(POLL)
        for server in (*pair,):
            with suppress(ConnectError, ConnectionLost):
                pair.reconnect(server.name)


def flows(pair: Pair, one: Bound, timeout: float) -> None:
    """See a link run that ran before; ControlError where it does not. What it lags behind is not waited for."""
    link, source = one.link, one.source(pair)
    replication = pair.server(link.target).replication
    deadline = time.monotonic() + timeout
    while problems := replication.problems(link, "running", source):
        if time.monotonic() >= deadline:
            raise ControlError(f"{link.label} does not run: {'; '.join(problems)}", cluster=link.target)
        time.sleep(POLL)
    # Threads may start and die of the first change: only one that was applied shows more.
    replication.wait_applied(link, source, source.replication.position(), min(CAUGHT_UP, timeout))
    if problems := replication.problems(link, "running", source):
        raise ControlError(f"{link.label} does not run: {'; '.join(problems)}", cluster=link.target)


def _undo(pair: Pair, one: Bound, step: Step, entry: Entry) -> None:
    entry.still()
    # What is to be undone stands in the journal already: where it can no longer be written to, that must not hinder.
    with suppress(ControlError):
        entry.note(f"{one.link.label}: undo: {step.words}")
    filterplan.setter(pair, one.link).undo(one.link, one.source(pair), step)


def _as_it_was(pair: Pair, one: Bound, timeout: float) -> None:
    now, before = insist(pair, lambda: _touched(one, one.state(pair)), timeout), _touched(one, one.planned.state)
    if now != before:
        wrong = ", ".join(sorted(key for key in before if now[key] != before[key]))
        raise ControlError(f"{wrong} is not as it was", cluster=one.link.target)
    if one.planned.runs:
        insist(pair, lambda: flows(pair, one, timeout), timeout)


def _touched(one: Bound, state: dict[str, object]) -> dict[str, object]:
    """The part of a link's state that the steps change."""
    return {key: state.get(key) for step in one.planned.steps for key in step.after}


def _not_undone(one: Bound, error: ReplguardError, entry: Entry) -> Finding:
    return Finding(
        "plan.not_undone",
        Severity.fail,
        f"{one.link.label} could not be put back as it was, and may stand: {error.message}",
        cluster=one.link.target,
        link=one.link.label,
        remedy=entry.data.get("remedy"),
    )


def _only_told(found: Finding) -> Finding:
    return Finding("plan.note", Severity.info, found.message, cluster=found.cluster, link=found.link)
