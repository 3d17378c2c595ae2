"""The gate: every check once, one verdict. A check that fails to run, or hangs, is unknown and stops no other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from replguard.errors import ReplguardError, UsageError
from replguard.gates.activity import Backups, PreparedTransactions, Transactions
from replguard.gates.attestations import Attestations
from replguard.gates.base import Outcome
from replguard.gates.capacity import FreePlaces, Privileges, WayBack
from replguard.gates.caughtup import CaughtUp
from replguard.gates.clocks import Clocks
from replguard.gates.clusters import Clusters
from replguard.gates.commands import Commands
from replguard.gates.copied import Copied
from replguard.gates.data import Data
from replguard.gates.direction import Direction
from replguard.gates.endpoints import Endpoints
from replguard.gates.errant import Errant
from replguard.gates.events import Events
from replguard.gates.files import Files
from replguard.gates.filters import Filters
from replguard.gates.health import Health
from replguard.gates.keys import Keys
from replguard.gates.links import Links
from replguard.gates.passive import PassiveReadOnly, PassiveWriters
from replguard.gates.receipt import Receipt
from replguard.gates.retention import Positions, Retention
from replguard.gates.settings import Settings
from replguard.gates.streams import Streams
from replguard.gates.tables import Tables
from replguard.gates.tools import Operators, OtherTools
from replguard.model.findings import Check, Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from replguard.engines.pair import Pair
    from replguard.gates.base import Context, Gate, Options, Purpose

GATES: tuple[Gate, ...] = (
    Clusters(),
    Direction(),
    Clocks(),
    Settings(),
    Links(),
    Receipt(),
    Health(),
    CaughtUp(),
    Filters(),
    Tables(),
    Keys(),
    Events(),
    Copied(),
    Streams(),
    Data(),
    Errant(),
    Transactions(),
    PreparedTransactions(),
    Backups(),
    PassiveReadOnly(),
    PassiveWriters(),
    OtherTools(),
    Operators(),
    Files(),
    Endpoints(),
    Commands(),
    Attestations(),
    Positions(),
    Retention(),
    FreePlaces(),
    Privileges(),
    WayBack(),
)
LANES = 4
"""So many checks run at once: most wait for servers, and each lane costs a connection to both of them."""

OnCheck = Callable[["Gate", Outcome | None], None]


def _nobody(_gate: Gate, _outcome: Outcome | None) -> None:
    """Nobody looks on."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What the gate has to say; ``abandoned`` are the checks that were given up while they hung."""

    outcome: Outcome
    abandoned: tuple[str, ...] = ()


def asked(purpose: Purpose, options: Options, gates: Sequence[Gate] = GATES) -> list[Gate]:
    """The gates that are run for this purpose. UsageError for an id that is none."""
    only = options.only
    if only is not None and (unknown := only - {gate.id for gate in gates}):
        raise UsageError(
            f"there is no check {', '.join(sorted(unknown))}", remedy=f"known: {', '.join(gate.id for gate in gates)}"
        )
    return [gate for gate in gates if purpose in gate.when and (only is None or gate.id in only)]


def run(
    context: Context, open_pair: Callable[[], Pair], on_check: OnCheck = _nobody, gates: Sequence[Gate] = GATES
) -> Ran:
    """Run all gates that are asked for; ``on_check`` is called before (with None) and after each, by this thread.

    ``open_pair`` connects anew to both clusters: checks that run at the same time share no connection.
    """
    wanted = asked(context.purpose, context.options, gates)
    work = _Work(context, open_pair, on_check, wanted)
    try:
        work.go_on()
    finally:
        work.close()
    outcomes = [work.done[gate.id] for gate in wanted]
    return Ran(
        Outcome(
            tuple(check for outcome in outcomes for check in outcome.checks),
            Coverage(
                tables=tuple(table for outcome in outcomes for table in outcome.coverage.tables),
                streams=tuple(stream for outcome in outcomes for stream in outcome.coverage.streams),
            ),
            next((outcome.strength for outcome in outcomes if outcome.strength), None),
        ),
        tuple(work.abandoned),
    )


class _Lane:
    """A thread with connections of its own, which runs one check after another."""

    def __init__(self, connect: Callable[[], Pair], finished: SimpleQueue[tuple[_Lane, Outcome]]) -> None:
        self.gate: Gate | None = None
        self.until = 0.0
        self._connect = connect
        self._pair: Pair | None = None
        self._given: SimpleQueue[tuple[Gate, Context] | None] = SimpleQueue()
        self._finished = finished
        # A check that hangs must not keep the process from ending.
        Thread(target=self._run, daemon=True).start()

    def give(self, gate: Gate, context: Context) -> None:
        self.gate = gate
        self.until = time.monotonic() + context.options.deadline + gate.takes(context.options)
        self._given.put((gate, context))

    def end(self) -> None:
        """Close the connections when what runs is done; never waits."""
        self._given.put(None)

    def _run(self) -> None:
        while given := self._given.get():
            gate, context = given
            self._finished.put((self, self._outcome(gate, context)))
        if self._pair:
            self._pair.close()

    def _outcome(self, gate: Gate, context: Context) -> Outcome:
        try:
            self._pair = self._pair or self._connect()
            return gate.run(replace(context, pair=self._pair))
        except ReplguardError as error:
            return Outcome((Check.not_run(gate.id, error.message, error.remedy, error.cluster),))
        except Exception as error:  # noqa: BLE001 - a fault of ours in one check must not hide what the others find
            why = f"replguard failed: {type(error).__name__}: {error}"
            return Outcome((Check.not_run(gate.id, why, "run again with --debug and report this"),))


@dataclass(slots=True)
class _Work:
    """What is to be done, in work, and done. Only the thread that calls the gate touches it."""

    context: Context
    open_pair: Callable[[], Pair]
    on_check: OnCheck
    waiting: list[Gate]
    done: dict[str, Outcome] = field(default_factory=dict)
    abandoned: list[str] = field(default_factory=list)
    finished: SimpleQueue[tuple[_Lane, Outcome]] = field(default_factory=SimpleQueue)
    lanes: list[_Lane] = field(default_factory=list)

    def __post_init__(self) -> None:
        # What takes longest begins first; the order of the report stays that of the list.
        self.waiting = sorted(self.waiting, key=lambda gate: -gate.takes(self.context.options))

    def go_on(self) -> None:
        while self.waiting or self._busy():
            self._hand_out()
            self._take(min(lane.until for lane in self._busy()))

    def close(self) -> None:
        for lane in self.lanes:
            lane.end()

    def _busy(self) -> list[_Lane]:
        return [lane for lane in self.lanes if lane.gate]

    def _hand_out(self) -> None:
        asked_for = {gate.id for gate in self.waiting} | {lane.gate.id for lane in self._busy() if lane.gate}
        for gate in [gate for gate in self.waiting if not asked_for & set(gate.after)]:
            lane = self._free()
            if lane is None:
                return
            self.waiting.remove(gate)
            self.on_check(gate, None)
            lane.give(gate, replace(self.context, earlier=tuple(self._earlier(gate.after))))

    def _free(self) -> _Lane | None:
        for lane in self.lanes:
            if lane.gate is None:
                return lane
        if len(self.lanes) >= LANES:
            return None
        self.lanes.append(_Lane(self.open_pair, self.finished))
        return self.lanes[-1]

    def _earlier(self, ids: Iterable[str]) -> Iterable[Check]:
        return (check for one in ids if one in self.done for check in self.done[one].checks)

    def _take(self, until: float) -> None:
        """Take the next outcome, or give up what has had its time."""
        try:
            lane, outcome = self.finished.get(timeout=max(until - time.monotonic(), 0.0))
        except Empty:
            self._give_up()
            return
        if lane in self.lanes and lane.gate:
            gate, lane.gate = lane.gate, None
            self._note(gate, outcome)

    def _give_up(self) -> None:
        for lane in [lane for lane in self._busy() if lane.until <= time.monotonic()]:
            gate = lane.gate
            self.lanes.remove(lane)
            lane.end()
            if gate:
                self.abandoned.append(gate.id)
                allowed = self.context.options.deadline + gate.takes(self.context.options)
                why = f"it took longer than {allowed:.0f} s and was given up"
                remedy = "look whether a server hangs or a lock is held; give the checks more time with --deadline"
                self._note(gate, Outcome((Check.not_run(gate.id, why, remedy),)))

    def _note(self, gate: Gate, outcome: Outcome) -> None:
        self.done[gate.id] = outcome
        self.on_check(gate, outcome)
