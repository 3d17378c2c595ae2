"""Faults at every statement boundary of the commands that change a server, and what becomes of the pair.

One :class:`Campaign` runs on one pair under load. Each trial brings the pair to where a command begins, runs it with
one fault before one of its statements, asks the servers how links and filters stand, hears what ``status`` says of
links that stand, and mends it with one command. What a trial finds wrong is collected, not raised, so that a campaign
tells everything. ``python -m tests.adversarial.faults --help`` runs whole campaigns.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import tempfile
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard.demo.servers import start_pair
from tests.adversarial.grounds import POLICY, Grounds
from tests.adversarial.held import Tool
from tests.adversarial.ledger import balance
from tests.cli.runs import shell_for, url
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.adversarial.held import Statement
    from tests.cli.runs import Run, Shell

KILLED = -signal.SIGKILL
PUT_BACK = ("pause", "filter apply")
"""The commands that put back as it was what they give up, where servers can be reached."""
_AT_REST = ("before anything was written down",)


class Fault(StrEnum):
    kill = "kill -9"
    cut = "connection cut"
    restart = "server restarted"
    fail = "statement refused"


@dataclass(frozen=True, slots=True)
class Boundary:
    """Before which statement: its number in an undisturbed run, and what it is. What one wait asks is one kind."""

    number: int
    cluster: str
    name: str
    step: str

    @property
    def kind(self) -> tuple[str, str, str]:
        return self.step, self.cluster, self.name

    def is_like(self, other: Boundary) -> bool:
        return self.kind == other.kind


NOWHERE = Boundary(0, "", "", "")


@dataclass(frozen=True, slots=True)
class Act:
    """A command: what brings the pair to where it begins, whether it has done its work, and what mends it."""

    name: str
    arguments: tuple[str, ...]
    prepare: Callable[[], None]
    reached: Callable[[], bool]
    mends: tuple[tuple[str, tuple[str, ...], Callable[[], bool]], ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one fault: how the command ended, how the links stood then, and which command mended it."""

    command: str
    boundary: Boundary
    fault: Fault
    code: int
    stood: tuple[tuple[str, str], ...]
    reached: bool
    mended_by: str
    wrong: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """In a few words, for the table."""
        states = {state for _, state in self.stood}
        links = {"running": "links ran", "stopped": "links stood"}.get(min(states), "") if len(states) == 1 else ""
        if self.code == 0:
            return "done"
        if self.code == KILLED:
            return f"died, {links or 'some links stood'}"
        if self.reached:
            return f"done, and told what failed ({links})"
        return f"given up, {links or 'some links stood'}"


@dataclass(slots=True)
class Campaign:
    """Trials on one pair. ``seed`` decides which command mends, and what a sample holds."""

    grounds: Grounds
    tool: Tool
    seed: int = 5
    trials: list[Trial] = field(default_factory=list)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    # The commands.

    def acts(self, *, filters: bool = True) -> dict[str, Act]:
        """Those of filters need a plan, which is made here."""
        grounds, file = self.grounds, self.tool.shell.folder / "filters.plan"
        running, stopped = (lambda: grounds.all_are("running")), (lambda: grounds.all_are("stopped"))
        pause, resume = ("pause",), ("resume",)
        planned = ("filter", "plan", "-o", "again.plan")
        applied = ("filter", "apply", "filters.plan", "--yes")
        undone = ("filter", "apply", "filters.plan", "--undo", "--yes")
        opened, closed = self._filters(file) if filters else (None, None)
        return {
            act.name: act
            for act in (
                Act(
                    "pause",
                    pause,
                    lambda: self._bring("resume", running, closed),
                    stopped,
                    (("pause again", pause, stopped), ("resume", resume, running)),
                ),
                Act(
                    "resume",
                    resume,
                    lambda: self._bring("pause", stopped, closed),
                    running,
                    (("resume again", resume, running), ("pause", pause, stopped)),
                ),
                Act(
                    "filter plan",
                    planned,
                    self._no_plan,
                    (self.tool.shell.folder / "again.plan").exists,
                    (("filter plan again", planned, lambda: running() and grounds.filters() == closed),),
                ),
                Act(
                    "filter apply",
                    applied,
                    self._open,
                    lambda: grounds.filters() == closed,
                    (
                        ("filter apply again", applied, lambda: running() and grounds.filters() == closed),
                        ("filter apply --undo", undone, lambda: running() and grounds.filters() == opened),
                    ),
                ),
            )
        }

    def _filters(self, file: Path) -> tuple[Any, Any]:
        """How filters stand when a forbidden table crosses, and when the plan is applied; the plan is made here."""
        self._bring("resume", lambda: self.grounds.all_are("running"))
        self.grounds.let_cross()
        opened = self.grounds.filters()
        run = self.tool.run("filter", "plan", "-o", file.name)
        assert run.code == 0, run
        run = self.tool.run("filter", "apply", file.name, "--yes")
        assert run.code == 0, run
        closed = self.grounds.filters()
        assert opened != closed
        return opened, closed

    def _bring(self, command: str, there: Callable[[], bool], closed: object = None) -> None:
        """The links where a command begins; with filters by which they may run, where they were opened."""
        if closed is not None and self.grounds.filters() != closed:
            run = self.tool.run("filter", "apply", "filters.plan", "--yes")
            assert run.code == 0, run
        if not there():
            run = self.tool.run(command)
            assert run.code == 0, run
            assert there(), self.grounds.standing()

    def _no_plan(self) -> None:
        self._close()
        for name in ("again.plan", "again.plan.sql"):
            (self.tool.shell.folder / name).unlink(missing_ok=True)

    def _close(self) -> None:
        self._bring("resume", lambda: self.grounds.all_are("running"))
        run = self.tool.run("filter", "apply", "filters.plan", "--yes")
        assert run.code == 0, run

    def _open(self) -> None:
        self._bring("resume", lambda: self.grounds.all_are("running"))
        self.grounds.let_cross()

    # Trials.

    def finish(self) -> None:
        """Everything runs again."""
        self._bring("resume", lambda: self.grounds.all_are("running"))

    def boundaries(self, act: Act) -> list[Boundary]:
        """All of an undisturbed run, each kind once: a wait asks the same thing again and again."""
        act.prepare()
        seen: dict[tuple[str, str, str], Boundary] = {}

        def note(statement: Statement) -> str:
            one = _boundary(statement)
            seen.setdefault(one.kind, one)
            return "go"

        run = self.tool.run(*act.arguments, decide=note)
        assert run.code == 0, run
        return list(seen.values())

    def run(self, act: Act, here: Callable[[Boundary], bool], fault: Fault) -> Trial:
        """Let one fault befall the command before the first statement that is ``here``; the trial may be ``wrong``."""
        act.prepare()
        run, struck = self._disturbed(act, here, fault)
        stood = self.grounds.settled()
        reached = act.reached()
        open_entries = self._open_entries()
        wrong = [] if struck else [f"the statement never came: {run}"]
        if open_entries or set(stood.values()) != {"running"}:
            wrong += _reported(stood, open_entries, self.tool.run("status"))
        wrong += [*_believed(act, run, stood, reached, open_entries), *_journalled(run, struck, open_entries)]
        words, arguments, mended = self._random.choice(act.mends)
        wrong += self._mended(words, self.tool.run(*arguments), mended)
        trial = Trial(
            act.name,
            struck or NOWHERE,
            fault,
            run.code,
            tuple(sorted(stood.items())),
            reached,
            words,
            tuple(wrong),
        )
        self.trials.append(trial)
        return trial

    def _disturbed(self, act: Act, here: Callable[[Boundary], bool], fault: Fault) -> tuple[Run, Boundary | None]:
        struck: list[Boundary] = []

        def decide(statement: Statement) -> str:
            one = _boundary(statement)
            if struck or not here(one):
                return "go"
            struck.append(one)
            return self._befall(fault, statement)

        return self.tool.run(*act.arguments, decide=decide), struck[0] if struck else None

    def _befall(self, fault: Fault, statement: Statement) -> str:
        if fault is Fault.kill:
            os.kill(statement.pid, signal.SIGKILL)
        elif fault is Fault.cut:
            self.grounds.cut(statement.cluster)
        elif fault is Fault.restart:
            self.grounds.restart(statement.cluster)
        return "spoil" if fault is Fault.fail else "go"

    def _open_entries(self) -> list[str]:
        """The actions that the journal says were begun and not finished."""
        found = []
        for path in self.tool.shell.state.glob("pairs/*/journal/*.json"):
            entry = json.loads(path.read_text())
            if not entry["closed_at"]:
                found.append(str(entry["action"]))
        return found

    def _mended(self, words: str, run: Run, mended: Callable[[], bool]) -> Iterator[str]:
        if run.code != 0:
            yield f"{words} did not mend it: {run}"
        if not mended():
            yield f"after {words}: {self.grounds.standing()}, {self.grounds.filters()}"
        if self._open_entries():
            yield f"after {words} the journal has open entries: {self._open_entries()}"
        if set(self.grounds.bystanders().values()) - {"moving"}:
            yield f"after {words} another's channel was touched: {self.grounds.bystanders()}"


def _boundary(statement: Statement) -> Boundary:
    return Boundary(statement.number, statement.cluster, statement.name, statement.step)


def _reported(stood: dict[str, str], open_entries: list[str], status: Run) -> Iterator[str]:
    """No link stands without being told, and nothing is half done without being told."""
    told = {
        f"{item['cluster']}/{item['evidence']['name']}"
        for item in status.findings
        if item["code"] in ("link.paused", "link.broken")
    }
    yield from (
        f"{link} is {state}, and status tells of {sorted(told) or 'no link'}"
        for link, state in stood.items()
        if state != "running" and link not in told
    )
    if len(open_entries) != len(status.found("journal.unfinished")):
        yield f"{open_entries} were not finished, and status tells of {status.found('journal.unfinished')}"


def _believed(act: Act, run: Run, stood: dict[str, str], reached: bool, entries: list[str]) -> Iterator[str]:
    """A command that says that all is well is right; one that says otherwise says what, and what it left."""
    if run.code == 0 and not reached:
        yield f"{act.name} says that all is well, and links are {stood}"
    if run.code == 0 and entries:
        yield f"{act.name} says that all is well, and {entries} are open in the journal"
    if run.code > 0 and not any(item["severity"] in ("fail", "unknown") for item in run.findings):
        yield f"{act.name} ended with {run.code} without a word why"
    if run.code > 0 and act.name in PUT_BACK and not reached and set(stood.values()) != {"running"}:
        yield f"{act.name} was given up and did not put back: {stood}: {run}"


def _journalled(run: Run, struck: Boundary | None, open_entries: list[str]) -> Iterator[str]:
    """A process that died half-way left an open entry."""
    begun = struck is not None and not struck.step.startswith(("before", "closed"))
    if run.code == KILLED and begun and not open_entries:
        yield "it was killed half-way, and the journal does not tell"


def whole(boundaries: Sequence[Boundary], faults: Sequence[Fault], share: int = 1) -> list[tuple[Boundary, Fault]]:
    """Every fault at every boundary; before anything was written down, where all are alike, at every ``share``-th."""
    at_rest = [one for one in boundaries if one.step in _AT_REST]
    chosen = [*at_rest[::share], *(one for one in boundaries if one.step not in _AT_REST)]
    return list(itertools.product(chosen, faults))


def shell_of(grounds: Grounds, folder: Path) -> Shell:
    """Commands on this pair. The config names its links, as one more channel leads to a third server."""
    db = grounds.db
    shell = shell_for(db, folder)
    routes = [{"source": source.name, "target": target.name} for source, target in db.pair.routes]
    shell.write_config(url(db, "blue"), url(db, "green"), POLICY, links=routes)
    return shell


def main() -> None:
    """Run campaigns on one engine, and add what came of them to a file of trials."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("engine", help="mariadb, mysql, postgresql-18")
    parser.add_argument("direction", choices=["one-way", "two-way"])
    parser.add_argument("--commands", default="pause,resume,filter plan,filter apply")
    parser.add_argument("--faults", default=",".join(fault.name for fault in Fault))
    parser.add_argument("--share", type=int, default=1, help="of the boundaries before any change, one in so many")
    parser.add_argument("--most", type=int, default=1_000_000, help="so many trials of each command, drawn by lot")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--trials", type=Path, required=True, help="JSON lines, one a trial, are added here")
    given = parser.parse_args()
    name, _, version = given.engine.partition("-")
    faults = [Fault[fault] for fault in given.faults.split(",")]
    with (
        start_pair(name, version or None, given.direction) as pair,
        workspace(pair) as db,
        tempfile.TemporaryDirectory() as folder,
    ):
        grounds = Grounds(db, Path(folder))
        grounds.create()
        with Tool(shell_of(grounds, Path(folder))) as tool, grounds.load() as writers:
            campaign = Campaign(grounds, tool, given.seed)
            acts = campaign.acts()
            for command in given.commands.split(","):
                wanted = whole(campaign.boundaries(acts[command]), faults, given.share)
                drawn = random.Random(given.seed).sample(wanted, min(given.most, len(wanted)))
                print(f"{command}: {len(drawn)} of {len(wanted)} trials", flush=True)
                for boundary, fault in drawn:
                    trial = campaign.run(acts[command], boundary.is_like, fault)
                    _add(given.trials, given.engine, given.direction, trial, db.name)
            campaign.finish()
        grounds.close()
        db.wait_caught_up(60)
        wrong = balance(db, writers)
        print(f"{len(campaign.trials)} trials, {sum(writer.count for writer in writers)} rows, wrong: {wrong}")


def _add(file: Path, engine: str, direction: str, trial: Trial, database: str) -> None:
    entry = {
        "engine": engine,
        "direction": direction,
        "command": trial.command,
        "step": trial.boundary.step.replace(database, "db"),
        "cluster": trial.boundary.cluster,
        "statement": trial.boundary.name,
        "fault": trial.fault.value,
        "code": trial.code,
        "outcome": trial.outcome,
        "mended_by": trial.mended_by,
        "wrong": list(trial.wrong),
    }
    with file.open("a") as lines:
        lines.write(json.dumps(entry) + "\n")
    print(f"{trial.fault}: {trial.command} {trial.boundary.kind}: {trial.outcome}; {trial.mended_by}", flush=True)
    for wrong in trial.wrong:
        print(f"  WRONG {wrong}", flush=True)


if __name__ == "__main__":
    main()
