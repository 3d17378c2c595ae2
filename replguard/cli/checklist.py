"""The checklist of the gate as it is worked through: live on a terminal, a line for each finished check elsewhere."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.diff.progress import Progress, silent
from replguard.model.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import RenderableType

    from replguard.cli.session import Session
    from replguard.gates.base import Gate, Outcome

_WORDS = {
    Verdict.passed: ("pass", "bold green"),
    Verdict.failed: ("FAIL", "bold red"),
    Verdict.inconclusive: ("????", "bold yellow"),
}


@dataclass(slots=True)
class Checklist:
    """Which checks wait, run and are done. ``say`` gets a line for each that is done."""

    gates: Sequence[Gate]
    say: Callable[[str], None]
    progress: Callable[[Progress], None] = silent
    running: set[str] = field(default_factory=set)
    done: dict[str, Outcome] = field(default_factory=dict)
    comparing: Progress | None = None

    def on_check(self, gate: Gate, outcome: Outcome | None) -> None:
        if outcome is None:
            self.running.add(gate.id)
            return
        self.running.discard(gate.id)
        self.done[gate.id] = outcome
        for line in self.lines(gate, outcome):
            self.say(f"[{len(self.done)}/{len(self.gates)}] {line}")

    def on_progress(self, now: Progress) -> None:
        self.comparing = now

    def lines(self, gate: Gate, outcome: Outcome) -> list[str]:
        """A line for each check of a gate that is done."""
        width = max(len(one.id) for one in self.gates)
        return [
            f"{_word(check.verdict, applicable=check.applicable)[0]}  {check.id:{width}}  {check.summary}"
            for check in outcome.checks
            if check.id == gate.id or check.verdict is not Verdict.passed
        ]

    def __rich__(self) -> RenderableType:
        from rich.spinner import Spinner  # noqa: PLC0415 - only on a terminal
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=4)
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for gate in self.gates:
            if gate.id in self.done:
                word, style, summary = _whole(gate, self.done[gate.id])
                grid.add_row(Text(word, style=style), Text(gate.id), Text(summary, style="dim"))
            elif gate.id in self.running:
                grid.add_row(Spinner("dots"), Text(gate.id, style="bold"), Text(self._work(gate)))
            else:
                grid.add_row("", Text(gate.id, style="dim"), Text(gate.title, style="dim"))
        return grid

    def _work(self, gate: Gate) -> str:
        now = self.comparing
        if gate.id != "diff.data" or now is None or not now.all_tables:
            return gate.title
        return f"{now.tables} of {now.all_tables} tables, {now.rows:,} of about {now.all_rows:,} rows"


def _word(verdict: Verdict, *, applicable: bool) -> tuple[str, str]:
    return _WORDS[verdict] if applicable or verdict is not Verdict.passed else ("n/a ", "dim")


def _whole(gate: Gate, outcome: Outcome) -> tuple[str, str, str]:
    """The worst of a gate's checks, and what that one says."""
    order = (Verdict.failed, Verdict.inconclusive, Verdict.passed)
    worst = min(outcome.checks, key=lambda check: (order.index(check.verdict), check.id != gate.id))
    word, style = _word(worst.verdict, applicable=worst.applicable)
    return word, style, worst.summary


@contextmanager
def following(session: Session, gates: Sequence[Gate]) -> Iterator[Checklist]:
    """The checklist, shown while the context lasts."""
    if session.common.quiet or not sys.stderr.isatty():
        yield Checklist(gates, session.say)
        return
    from rich.live import Live  # noqa: PLC0415 - only on a terminal

    shown = Checklist(gates, lambda _line: None)
    shown.progress = shown.on_progress
    with Live(shown, console=session.errors, refresh_per_second=8, transient=True, redirect_stdout=False):
        yield shown
