"""Settling, replayed from scripted readings: what is drift, what was on its way, what nobody can say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from replguard.diff import settle as settling
from replguard.diff.result import Difference, TableResult, not_compared
from replguard.diff.settle import Settled, settle
from replguard.errors import ControlError, ReplguardError
from replguard.model.positions import Position, PositionKind
from tests.unit.builders import LINK, table, table_map

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack

    from replguard.engines.pair import Pair

TABLE = table_map([table("t")], [table("t")]).tables[0]
A, B = (b"1",), (b"2",)
OLD = Difference("differs", (b"1", b"old"), (b"1", b"new"))
MOVED = Difference("differs", (b"1", b"newer"), (b"1", b"new"))
MISSING = Difference("missing", (b"2", b"x"), None)


@dataclass(slots=True)
class Replica:
    """A server whose answers about replication are scripted; it counts the waits."""

    answers: list[bool | ReplguardError] = field(default_factory=lambda: [True])
    positions: int = 0
    waits: int = 0

    @property
    def replication(self) -> Replica:
        return self

    def position(self) -> Position:
        self.positions += 1
        return Position(PositionKind.lsn, f"0/{self.positions}")

    def wait_applied(self, link: object, source: object, position: Position, timeout: float) -> bool:
        answer = self.answers[min(self.waits, len(self.answers) - 1)]
        self.waits += 1
        if isinstance(answer, ReplguardError):
            raise answer
        return answer


@dataclass(slots=True)
class Both:
    """A pair that knows its servers by name, which is all that settling asks of it."""

    green: Replica
    blue: Replica = field(default_factory=Replica)

    def server(self, name: str) -> Replica:
        return {"blue": self.blue, "green": self.green}[name]


def reading(*, total: int | None = None, **differences: Difference) -> TableResult:
    keys: dict[str, Any] = {"a": A, "b": B}
    found = {keys[name]: difference for name, difference in differences.items()}
    return TableResult(TABLE, ("id", "value"), 1, {}, found, len(found) if total is None else total)


def replay(
    first: TableResult, *later: TableResult, answers: Iterable[bool | ReplguardError] = (True,), seconds: float = 0.0
) -> Settled:
    """Settle one table: each further reading in turn, the last one again and again."""
    script = list(later)

    def compare(_stack: ExitStack, results: Iterable[TableResult]) -> list[TableResult]:
        assert len(list(results)) == 1
        return [script.pop(0) if len(script) > 1 else script[0]]

    pair = cast("Pair", Both(Replica(list(answers))))
    (settled,) = settle(pair, (LINK,), [first], compare, seconds)
    return settled


def test_equal_tables_are_not_read_again() -> None:
    def compare(_stack: ExitStack, _results: Iterable[TableResult]) -> list[TableResult]:
        raise AssertionError("nothing was there to settle")

    (settled,) = settle(cast("Pair", Both(Replica())), (LINK,), [reading()], compare, 1.0)
    assert (settled.drift, settled.in_flight, settled.unsettled) == ([], {}, [])


def test_what_is_equal_after_arrival_was_in_flight() -> None:
    settled = replay(reading(a=OLD, b=MISSING), reading())
    assert settled.in_flight == {A: "0/1", B: "0/1"}
    assert (settled.drift, settled.unsettled) == ([], [])


def test_what_stays_as_it_was_after_arrival_is_drift() -> None:
    settled = replay(reading(a=OLD, b=MISSING), reading(a=OLD))
    assert settled.drift == [A]
    assert settled.in_flight == {B: "0/1"}
    assert settled.unsettled == []


def test_what_changed_again_is_read_once_more() -> None:
    settled = replay(reading(a=OLD), reading(a=MOVED), reading(), seconds=30.0)
    assert settled.in_flight == {A: "0/2"}
    settled = replay(reading(a=OLD), reading(a=MOVED), reading(a=MOVED), seconds=30.0)
    assert settled.drift == [A]


def test_a_row_that_was_equal_and_differs_again_is_not_in_flight_any_more() -> None:
    settled = replay(reading(a=OLD, b=MISSING), reading(b=Difference("missing", (b"2", b"y"), None)), reading(a=OLD))
    assert settled.in_flight == {A: "0/1"}
    settled = replay(
        reading(a=OLD, b=MISSING), reading(b=Difference("missing", (b"2", b"y"), None)), reading(a=OLD), seconds=0.05
    )
    assert A not in settled.in_flight


def test_what_never_holds_still_is_unsettled() -> None:
    settled = replay(reading(a=OLD), reading(a=MOVED))
    assert (settled.drift, settled.unsettled, settled.in_flight) == ([], [A], {})
    assert "kept changing" in settled.why


def test_there_is_one_reading_even_without_time() -> None:
    assert replay(reading(a=OLD), reading(a=OLD), seconds=-1.0).drift == [A]


@pytest.mark.parametrize(
    ("answer", "why"),
    [(False, "did not reach 0/1"), (ControlError("the applier is stopped"), "does not move: the applier is stopped")],
)
def test_an_obstacle_is_never_drift_and_never_a_pass(answer: bool | ReplguardError, why: str) -> None:
    settled = replay(reading(a=OLD, b=MISSING), reading(a=OLD, b=MISSING), answers=[answer])
    assert settled.drift == []
    assert settled.unsettled == [A, B]
    assert why in settled.why


def test_an_obstacle_hides_no_unlisted_difference_and_calls_none_drift() -> None:
    settled = replay(reading(a=OLD, total=5), reading(a=OLD, total=5), answers=[False])
    assert (settled.drift, settled.unsettled) == ([], [A])
    assert settled.unlisted == 4


def test_a_row_that_became_equal_beside_an_obstacle_is_in_flight() -> None:
    settled = replay(reading(a=OLD, b=MISSING), reading(b=MISSING), answers=[False])
    assert A in settled.in_flight
    assert settled.unsettled == [B]


def test_an_obstacle_that_goes_away_settles_what_it_left_open() -> None:
    stayed = replay(reading(a=OLD), reading(a=OLD), reading(a=OLD), answers=[False, True], seconds=30.0)
    assert (stayed.drift, stayed.unsettled) == ([A], [])
    arrived = replay(reading(a=OLD), reading(a=OLD), reading(), answers=[False, True], seconds=30.0)
    assert arrived.in_flight == {A: "0/2"}
    moved = replay(reading(a=OLD), reading(a=OLD), reading(a=MOVED), answers=[False, True])
    assert "did not reach" in moved.why


def test_the_reason_is_that_of_the_last_reading() -> None:
    settled = replay(
        reading(a=OLD),
        reading(a=OLD),
        *(reading(a=MOVED), reading(a=OLD)) * 40_000,
        answers=[False, True],
        seconds=0.02,
    )
    assert settled.unsettled == [A]
    assert "kept changing" in settled.why


def test_unlisted_differences_beside_drift_are_counted() -> None:
    settled = replay(reading(a=OLD, total=5), reading(a=OLD, total=4))
    assert settled.drift == [A]
    assert settled.unlisted == 3


def test_a_cut_list_explains_nothing_away() -> None:
    settled = replay(reading(a=OLD, total=3), reading(b=MISSING, total=3))
    assert settled.in_flight == {}, "it may only have moved out of the list"
    assert settled.unsettled == [B]


def test_a_table_that_can_no_more_be_compared_is_a_problem_and_no_pass() -> None:
    settled = replay(reading(a=OLD), not_compared(TABLE, "the connection was lost"))
    assert settled.result.problem is not None
    assert (settled.drift, settled.unsettled) == ([], [])


def test_without_links_rows_are_read_again_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "PAUSE", 0.0)
    script = [reading(a=OLD)]
    (settled,) = settle(cast("Pair", Both(Replica())), (), [reading(a=OLD, b=MISSING)], lambda *_: script, 0.0)
    assert settled.drift == [A]
    assert settled.in_flight == {B: ""}


def test_only_open_tables_are_read_again() -> None:
    seen: list[int] = []
    script = [[reading(), reading(a=MOVED)], [reading(a=MOVED)]]

    def compare(_stack: ExitStack, results: Iterable[TableResult]) -> list[TableResult]:
        seen.append(len(list(results)))
        return script[len(seen) - 1]

    pair = cast("Pair", Both(Replica()))
    states = settle(pair, (LINK,), [reading(a=OLD), reading(a=OLD), reading()], compare, 30.0)
    assert seen == [2, 1]
    assert [len(state.drift) for state in states] == [0, 1, 0]
