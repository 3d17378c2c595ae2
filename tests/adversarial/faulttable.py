"""The page of the documents that tells what came of each fault at each step, written from a campaign's trials.

``python -m tests.adversarial.faulttable TRIALS docs/faults.md``
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.adversarial.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = ("filter plan", "filter apply", "pause", "resume")
ORDER = (
    "before",
    "begin",
    "wait until",
    "stop the receiver",
    "stop the applier",
    "all links",
    "start",
    "LINK: list",
    "LINK: stop",
    "LINK: set",
    "LINK: refresh",
    "LINK: give",
    "LINK: go on",
    "LINK: look",
    "",
    "closed",
)
"""How steps begin, as they follow one another; the empty one stands for all others."""
_LABEL = re.compile(r"\b(?:blue|green)->(?:blue|green)(?:/\w+)?")
_HEAD = """# Faults, step by step

Written by `python -m tests.adversarial.faulttable` from the trials of `python -m tests.adversarial.faults`, which let
one fault befall a command before one of its statements: kill -9; all connections of replguard's user to the statement's
server ended by that server; the server stopped and started again; the statement spoilt, so that the server refuses it.
Real servers, writers on every side that is written on, and beside the link of the pair a channel to a third server
(MySQL, MariaDB) or two subscriptions a direction (PostgreSQL). What a wait asks again and again counts as one boundary.

After each fault it is held against the servers themselves, not against what replguard says:

- a link that stands is told by `status`, and an action that is half done stands open in the journal;
- a command that ends with 0 has done its work, one that does not says why;
- **one** command, the same again or its opposite (drawn by lot), ends with 0 and brings links and filters to where it
  promises, and no entry of the journal stays open;
- the other channel was not touched;
- at the end every row that a writer committed stands once on each side.

A step is the note in the journal that was written last. In the cells: how many trials ended so. *Died*: killed. *Given
up*: the command ended with 1 or 3, and the links were put back, or told. *Done, and told what failed*: the work was
done, and something after it was not.

Of each command some trials were drawn by lot; `REPLGUARD_LONG=1` runs every fault at every boundary on all engines.

Not in the table, and counted as wrong by the suite: a MariaDB server that is restarted after `pause` has looked at it
for the last time, and before `pause` has ended, starts its link again (`skip_slave_start` is an option of the start
alone). `pause` warns of that beforehand (`pause.fragile`), and `status` tells it afterwards (`pause.ended_by_itself`).
Seen once.
"""


def page(trials: Iterable[dict[str, Any]]) -> str:
    """The whole page."""
    known = list(trials)
    engines = sorted({(trial["engine"], trial["direction"]) for trial in known})
    wrong = [trial for trial in known if trial["wrong"]]
    parts = [_HEAD, _summary(known, engines, wrong)]
    for command in COMMANDS:
        of_it = [trial for trial in known if trial["command"] == command]
        if of_it:
            parts.append(f"\n## {command}\n\n{_table(of_it)}")
    if wrong:
        parts.append("\n## Not mended\n\n" + "".join(f"- {_line(trial)}\n" for trial in wrong))
    return "".join(parts)


def _summary(known: list[dict[str, Any]], engines: list[tuple[str, str]], wrong: list[dict[str, Any]]) -> str:
    rows = [
        f"| {engine} | {direction} | "
        + " | ".join(
            str(sum((t["engine"], t["direction"], t["command"]) == (engine, direction, command) for t in known))
            for command in COMMANDS
        )
        + " |\n"
        for engine, direction in engines
    ]
    mended = Counter(trial["mended_by"] for trial in known)
    words = ", ".join(f"`{name}` {count}" for name, count in sorted(mended.items()))
    return (
        f"\n{len(known)} trials, of which {len(wrong)} were found wrong. Mended by: {words}.\n\n"
        f"| engine | pair | {' | '.join(COMMANDS)} |\n|{' --- |' * (2 + len(COMMANDS))}\n{''.join(rows)}"
    )


def step_of(step: str) -> str:
    """A step as the table has it: whatever the links are called.

    >>> step_of("stop the receiver of blue->green/db_from_blue")
    'stop the receiver of LINK'
    """
    return _LABEL.sub("LINK", step)


def _table(trials: list[dict[str, Any]]) -> str:
    steps: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    statements: dict[str, set[str]] = defaultdict(set)
    for trial in trials:
        step = step_of(trial["step"])
        steps[step][trial["fault"]][trial["outcome"]] += 1
        statements[step].add(trial["statement"])
    head = f"| step | statements | {' | '.join(Fault)} |\n|{' --- |' * (2 + len(Fault))}\n"
    rows = [
        f"| {step} | {len(statements[step])} | " + " | ".join(_cell(cells[fault]) for fault in Fault) + " |\n"
        for step, cells in sorted(steps.items(), key=lambda item: _place(item[0]))
    ]
    return head + "".join(rows)


def _place(step: str) -> int:
    known = (place for place, begins in enumerate(ORDER) if begins and step.startswith(begins))
    return next(known, ORDER.index(""))


def _cell(outcomes: Counter[str]) -> str:
    return "; ".join(f"{outcome} ({count})" for outcome, count in sorted(outcomes.items())) or "not tried"


def _line(trial: dict[str, Any]) -> str:
    what = f"{trial['engine']} {trial['direction']}, {trial['command']}, {trial['step']}, {trial['statement']}"
    return f"{what}, {trial['fault']}: {trial['wrong'][0].splitlines()[0]}"


def main() -> None:
    """Write the page."""
    trials, target = map(Path, sys.argv[1:])
    target.write_text(page(map(json.loads, trials.read_text().splitlines())), encoding="utf-8")


if __name__ == "__main__":
    main()
