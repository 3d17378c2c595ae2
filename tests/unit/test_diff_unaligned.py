"""Reading again over time, replayed from scripted readings: what is drift, what was on its way, what nobody can say."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from replguard.diff import unaligned
from replguard.diff.result import Difference, TableResult, not_compared
from replguard.diff.unaligned import settle
from replguard.diff.window import Views
from replguard.model.positions import Position, PositionKind
from tests.unit.builders import table, table_map

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from replguard.diff.settled import Reader, Settled
    from replguard.diff.window import Window
    from replguard.engines.base import Snapshot

TABLE = table_map([table("t")], [table("t")]).tables[0]
A, B = (b"1",), (b"2",)
OLD = Difference("differs", (b"1", b"old"), (b"1", b"new"))
MOVED = Difference("differs", (b"1", b"newer"), (b"1", b"new"))
MISSING = Difference("missing", (b"2", b"x"), None)
OTHER = Difference("missing", (b"2", b"y"), None)


@dataclass(frozen=True, slots=True)
class Mark:
    upper: Position


@dataclass(slots=True)
class Scripted:
    """Stands for window and reader. ``obstacles`` are those of each round, the last again and again; '' is none."""

    readings: list[list[TableResult]]
    obstacles: Sequence[str] = ("",)
    linked: bool = True
    rounds: int = 0
    asked: list[int] = field(default_factory=list)

    @contextmanager
    def views(self, seconds: float) -> Iterator[Views]:
        assert seconds > 0
        obstacle = self.obstacles[min(self.rounds, len(self.obstacles) - 1)]
        self.rounds += 1
        yield self.seen(obstacle)

    def seen(self, obstacle: str = "") -> Views:
        mark = cast("Snapshot", Mark(Position(PositionKind.lsn, f"0/{self.rounds}")))
        return Views(marks={"blue": mark} if self.linked else {}, obstacles={"link": obstacle} if obstacle else {})

    def again(self, views: object, before: Sequence[object]) -> list[TableResult]:
        _ = views
        self.asked.append(len(before))
        return self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]


def reading(*, total: int | None = None, **differences: Difference) -> TableResult:
    keys: dict[str, Any] = {"a": A, "b": B}
    found = {keys[name]: difference for name, difference in differences.items()}
    return TableResult(TABLE, ("id", "value"), 1, {}, found, len(found) if total is None else total)


def run(script: Scripted, first: list[TableResult], seconds: float = 0.0) -> list[Settled]:
    window, reader = cast("Window", script), cast("Reader", script)
    return settle(window, script.seen(), first, reader, time.monotonic() + seconds)


def replay(first: TableResult, *later: TableResult, obstacles: Sequence[str] = ("",), seconds: float = 0.0) -> Settled:
    (found,) = run(Scripted([[one] for one in later], obstacles), [first], seconds)
    return found


def outcome(found: Settled) -> tuple[list[Any], list[Any], list[Any]]:
    return found.drift, list(found.in_flight), list(found.unsettled)


def test_equal_tables_are_not_read_again() -> None:
    script = Scripted([[reading(a=OLD)]])
    (found,) = run(script, [reading()])
    assert (outcome(found), script.asked) == (([], [], []), [])


def test_what_is_equal_after_arrival_was_in_flight() -> None:
    found = replay(reading(a=OLD, b=MISSING), reading())
    assert outcome(found) == ([], [A, B], [])
    assert found.in_flight[A].position == "0/1"


def test_what_stays_as_it_was_after_arrival_is_drift() -> None:
    assert outcome(replay(reading(a=OLD, b=MISSING), reading(a=OLD))) == ([A], [B], [])


def test_what_changed_again_is_read_once_more() -> None:
    found = replay(reading(a=OLD), reading(a=MOVED), reading(), seconds=30.0)
    assert found.in_flight[A].position == "0/2"
    assert replay(reading(a=OLD), reading(a=MOVED), reading(a=MOVED), seconds=30.0).drift == [A]


def test_a_row_that_was_equal_and_differs_again_is_not_in_flight_any_more() -> None:
    first, second = reading(a=OLD, b=MISSING), reading(b=OTHER)
    assert list(replay(first, second, reading(a=OLD)).in_flight) == [A]
    assert A not in replay(first, second, reading(a=OLD), seconds=0.05).in_flight


def test_what_never_holds_still_is_unsettled() -> None:
    found = replay(reading(a=OLD), reading(a=MOVED))
    assert outcome(found) == ([], [], [A])
    assert "kept changing" in found.unsettled[A]


def test_there_is_one_reading_even_without_time() -> None:
    assert replay(reading(a=OLD), reading(a=OLD), seconds=-1.0).drift == [A]


def test_an_obstacle_is_never_drift_and_never_a_pass() -> None:
    found = replay(reading(a=OLD, b=MISSING), reading(a=OLD, b=MISSING), obstacles=["it did not arrive"])
    assert found.drift == []
    assert found.unsettled == dict.fromkeys([A, B], "it did not arrive")


def test_an_obstacle_hides_no_unlisted_difference_and_calls_none_drift() -> None:
    found = replay(reading(a=OLD, total=5), reading(a=OLD, total=5), obstacles=["stuck"])
    assert (found.drift, list(found.unsettled), found.unlisted) == ([], [A], 4)


def test_a_row_that_became_equal_beside_an_obstacle_is_in_flight() -> None:
    assert outcome(replay(reading(a=OLD, b=MISSING), reading(b=MISSING), obstacles=["stuck"])) == ([], [A], [B])


def test_an_obstacle_that_goes_away_settles_what_it_left_open() -> None:
    goes_away = ["stuck", ""]
    stayed = replay(reading(a=OLD), reading(a=OLD), reading(a=OLD), obstacles=goes_away, seconds=30.0)
    assert outcome(stayed) == ([A], [], [])
    arrived = replay(reading(a=OLD), reading(a=OLD), reading(), obstacles=goes_away, seconds=30.0)
    assert outcome(arrived) == ([], [A], [])
    assert replay(reading(a=OLD), reading(a=MOVED), obstacles=["stuck"]).unsettled == {A: "stuck"}


def test_unlisted_differences_beside_drift_are_counted() -> None:
    found = replay(reading(a=OLD, total=5), reading(a=OLD, total=4))
    assert (found.drift, found.unlisted) == ([A], 3)


def test_a_cut_list_explains_nothing_away() -> None:
    found = replay(reading(a=OLD, total=3), reading(b=MISSING, total=3))
    assert outcome(found) == ([], [], [B]), "A may only have moved out of the list"


def test_a_table_that_can_no_more_be_compared_is_a_problem_and_no_pass() -> None:
    found = replay(reading(a=OLD), not_compared(TABLE, "the connection was lost"))
    assert found.result.problem is not None
    assert outcome(found) == ([], [], [])


def test_without_links_rows_are_read_again_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unaligned, "PAUSE", 0.0)
    (found,) = run(Scripted([[reading(a=OLD)]], linked=False), [reading(a=OLD, b=MISSING)])
    assert found.drift == [A]
    assert found.in_flight[B].position == ""


def test_only_open_tables_are_read_again() -> None:
    script = Scripted([[reading(), reading(a=MOVED)], [reading(a=MOVED)]])
    found = run(script, [reading(a=OLD), reading(a=OLD), reading()], 30.0)
    assert script.asked == [2, 1]
    assert [len(one.drift) for one in found] == [0, 1, 0]
