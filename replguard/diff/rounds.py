"""Rows that moved while they were compared: drift, in flight, or open.

A *round* is a pair of aligned views (:mod:`replguard.diff.window`) in which rows are read, and the streams of all
links read up to what was written when the views had been taken. In a round a row is decided if no change of it may lie
between the views: equal then is equal, and *in flight* if it ever differed; different is drift. Every other row is read
again in the next round, **equal or not**: a change that was lost can look like an arrival while others are on their
way. What is not decided when the time is up is told as unsettled, never as drift and never as a pass.

The first round is the comparison itself. There a row that differs and did not move is drift. Where something moved a
table as a whole, the table is compared again as a whole in later rounds.

Two things keep a difference from being believed at once. On servers whose bounds are no GTIDs (a commit is in the log a
moment before it is visible, and nothing counts it meanwhile) each is seen in two rounds. And where commits wait for a
standby that a target may have and nothing here shows (``Snapshot.awaits``), nothing is decided in that round.

Without streams that can be read, :mod:`replguard.diff.unaligned` reads again over time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.diff import unaligned
from replguard.diff.result import not_compared
from replguard.diff.settled import Settled
from replguard.errors import ConnectionLost, ServerError
from replguard.model.findings import Strength
from replguard.model.positions import PositionKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from replguard.diff.result import Difference, Identity, TableResult
    from replguard.diff.settled import Explanation, Reader
    from replguard.diff.window import Views, Window
    from replguard.engines.base import Row
    from replguard.model.tables import TableName

_CHANGING = "changes of it kept coming between the readings"
_WHOLE = "changes that tell no single row, such as a truncate, DDL or a cascade, kept coming between the readings"
_AWAITED = "commits of the source waited for a standby throughout, and the other side may have them already"
_CUT = "more rows differ than can be followed one by one"


@dataclass(slots=True)
class _State:
    """One table on the way. ``suspects`` are read again, all of it if ``again``; ``seen`` were found to be drift once.

    ``differed`` are all rows that ever did. ``now`` holds the rows that differ, as they were read last.
    """

    result: TableResult
    suspects: set[Row] = field(default_factory=set)
    again: str | None = None
    seen: set[Identity] = field(default_factory=set)
    drift: set[Identity] = field(default_factory=set)
    differed: set[Identity] = field(default_factory=set)
    now: dict[Identity, Difference] = field(default_factory=dict)
    why: str = _CHANGING

    @property
    def name(self) -> TableName:
        return self.result.table.name

    @property
    def keyed(self) -> bool:
        """Whether rows are told apart by the table's own key, as streams tell them."""
        result = self.result
        if result.parents is not None:
            return False
        key = next(iter(result.table.sides.values())).key
        return 0 < result.width == len(key) and result.columns[: result.width] == key

    @property
    def is_open(self) -> bool:
        return bool(self.suspects or self.seen or self.again) and self.result.problem is None

    @property
    def asked(self) -> set[Row]:
        """The rows to read again."""
        return self.suspects | {key for key in self.seen if isinstance(key, tuple)}

    @property
    def cut(self) -> bool:
        return self.result.total > self.result.listed


def settle(window: Window, views: Views, results: list[TableResult], reader: Reader, seconds: float) -> list[Settled]:
    """Decide each difference of a comparison within ``views``, and each row that moved, in ``seconds`` at most.

    Sets ``window.strength``. Raises ServerError where no views can be had any more.
    """
    deadline = time.monotonic() + seconds
    window.read_to_end(views)
    if not window.complete():
        window.strength = Strength.unaligned
        return unaligned.settle(window, views, results, reader, deadline)
    rounds = _Rounds(window, reader, deadline)
    states = [rounds.begin(views, result) for result in results]
    quiet = not views.awaits and not any(rounds.has_moved(state, views) for state in states)
    window.strength = Strength.exact if quiet else Strength.settled
    rounds.run([state for state in states if state.is_open])
    if not window.complete():
        window.strength = Strength.unaligned
        return rounds.given_up(views, states)
    found = [rounds.told(state) for state in states]
    if any(one.unsettled or one.open for one in found):
        window.strength = Strength.unaligned
    return found


class _Rounds:
    def __init__(self, window: Window, reader: Reader, deadline: float) -> None:
        self.window = window
        self.reader = reader
        self.deadline = deadline

    def begin(self, views: Views, result: TableResult) -> _State:
        """The first round of a table."""
        state = _State(result)
        if result.problem is None:
            self._judge_whole(views, state, result)
        return state

    def has_moved(self, state: _State, views: Views) -> bool:
        """Whether anything of the table lay between the views."""
        return self._is_whole(views, state) or bool(self.window.moving(views, state.name))

    def _is_whole(self, views: Views, state: _State) -> bool:
        """Whether changes that tell no row may lie between the views: of the table, of those that name its rows any."""
        parents = state.result.parents or ()
        return self.window.is_whole(views, state.name, keyed=state.keyed) or any(
            self.window.is_whole(views, parent, keyed=False) for parent in parents
        )

    def run(self, states: list[_State]) -> None:
        """Rounds until everything is decided or the time is up; at least one."""
        first = True
        while states and self.window.complete() and (first or self._may_change()):
            first = False
            with self.window.views(max(self.deadline - time.monotonic(), 1.0)) as views:
                whole = [state for state in states if state.again]
                again = self.reader.recompare(views.of, [state.result.table for state in whole]) if whole else []
                rows = {id(state): self._reread(views, state) for state in states if not state.again}
            if not self.window.read_to_end(views):
                return
            for state, result in zip(whole, again, strict=True):
                state.result = result
                if result.problem is None:
                    self._judge_whole(views, state, result)
            for state in states:
                if id(state) in rows and state.result.problem is None:
                    self._judge_rows(views, state, rows[id(state)])
            states = [state for state in states if state.is_open]

    def _may_change(self) -> bool:
        """Whether another round can tell more: not while all links stand, since nothing arrives."""
        return time.monotonic() < self.deadline and not self.window.stands

    def _reread(self, views: Views, state: _State) -> Mapping[Row, Difference]:
        """The rows of a table again. A table that cannot be read any more has a problem."""
        table = state.result.table
        try:
            return self.reader.reread(views.of, table, sorted(state.asked))
        except ConnectionLost:
            raise
        except ServerError as error:
            state.result = not_compared(table, error.message, error.remedy)
            return {}

    def _judge_whole(self, views: Views, state: _State, result: TableResult) -> None:
        """Judge a comparison of the whole table."""
        state.now = dict(result.differences)
        state.differed |= state.now.keys()
        state.again = self._whole_again(views, state)
        if state.again:
            state.suspects, state.seen = set(), set()
            return
        moving = self.window.moving(views, state.name) if state.keyed else set()
        state.drift.clear()
        if not state.keyed:
            # Rows without a key cannot be looked up: what is to be seen once more is compared once more.
            confirmed = self._confirmed(views, state, set(state.now))
            state.drift |= confirmed
            if state.seen:
                state.again = _CHANGING
            return
        state.suspects = moving
        state.drift |= self._confirmed(views, state, state.now.keys() - moving)

    def _whole_again(self, views: Views, state: _State) -> str | None:
        """Why the whole table must be compared again, if it must."""
        if self._is_whole(views, state):
            return views.obstacle or _WHOLE
        if views.awaits and state.now:
            return _AWAITED
        if state.cut and self.window.moving(views, state.name):
            return _CUT
        return None

    def _judge_rows(self, views: Views, state: _State, found: Mapping[Row, Difference]) -> None:
        """Judge rows that were read again."""
        asked = state.asked
        state.differed |= found.keys()
        for key in asked:
            state.now.pop(key, None)
        state.now |= dict(found.items())
        whole = self.window.is_whole(views, state.name)
        open_ = {
            key
            for key in asked
            if whole or (views.awaits and key in found) or self.window.lies_between(views, state.name, key)
        }
        if open_:
            state.why = views.obstacle or (_AWAITED if views.awaits else _WHOLE if whole else _CHANGING)
        decided = asked - open_
        state.seen &= decided & found.keys()
        state.suspects = open_
        state.drift |= self._confirmed(views, state, decided & found.keys())

    def _confirmed(self, views: Views, state: _State, differing: Iterable[Identity]) -> set[Identity]:
        """Those of the rows that are drift now; the others must be seen once more, and are remembered."""
        found = set(differing)
        sure = found if _is_sure(views) else found & state.seen
        state.seen = found - sure
        return sure

    def told(self, state: _State) -> Settled:
        """What became of the table."""
        if state.result.problem:
            return Settled(state.result)
        name, keyed = state.name, state.keyed
        # What was seen once and could not be seen again is no more than that.
        unsettled: dict[Identity, str] = dict.fromkeys(_sorted(state.suspects | state.seen), state.why)
        if state.again:
            unsettled |= dict.fromkeys(_sorted(state.now.keys() - state.drift), state.again)
        gone = state.differed - state.drift - unsettled.keys()
        known = {key: difference for key, difference in state.now.items() if key in state.drift or key in unsettled}
        unlisted = state.result.total - state.result.listed
        return Settled(
            replace(state.result, differences=known, total=sum(one.count for one in known.values()) + unlisted),
            drift=[key for key in known if key in state.drift],
            in_flight={key: self._explained(name, key, keyed=keyed) for key in _sorted(gone)},
            unsettled=unsettled,
            unlisted=unlisted,
            open=state.again,
            moved=self.window.moved(name),
        )

    def _explained(self, name: TableName, key: Identity, *, keyed: bool) -> Explanation:
        return self.window.explain(name, key if keyed and isinstance(key, tuple) else None)

    def given_up(self, views: Views, states: list[_State]) -> list[Settled]:
        """A stream was lost on the way: what is open is read again over time, what is decided stays."""
        found = [self.told(state) for state in states]
        left = [place for place, state in enumerate(states) if state.is_open]
        rest = unaligned.settle(
            self.window, views, [states[place].result for place in left], self.reader, self.deadline
        )
        for place, one in zip(left, rest, strict=True):
            found[place] = one
        return found


def _sorted(found: Iterable[Identity]) -> list[Identity]:
    """Keys by their values, digests after them."""
    return sorted(found, key=lambda one: (isinstance(one, bytes), one if isinstance(one, tuple) else (one,)))


def _is_sure(views: Views) -> bool:
    """Whether a mark counts a commit only when it is visible, so that one reading is enough."""
    return all(mark.lower.kind is PositionKind.gtid for mark in views.marks.values())
