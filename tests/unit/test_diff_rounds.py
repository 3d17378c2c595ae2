"""Rounds of settling, replayed from scripts: what is drift, what was on its way, what is open."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from replguard.diff.result import Difference, TableResult, not_compared
from replguard.diff.rounds import settle
from replguard.diff.settled import Explanation, Settled
from replguard.diff.window import Views
from replguard.model.findings import Strength
from replguard.model.positions import Position, PositionKind
from tests.unit.builders import name, table, table_map

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.audit.tables import PairedTable
    from replguard.diff.result import Identity
    from replguard.diff.window import Window
    from replguard.engines.base import Row, Snapshot

TABLE = table_map([table("t")], [table("t")]).tables[0]
A, B, C = (b"1",), (b"2",), (b"3",)
OLD = Difference("differs", (b"1", b"old"), (b"1", b"new"))
NEWER = Difference("differs", (b"1", b"newer"), (b"1", b"new"))
MISSING = Difference("missing", (b"2", b"x"), None)


@dataclass(frozen=True, slots=True)
class Mark:
    """A snapshot of which only the bounds count."""

    lower: Position
    awaits: bool = False

    @property
    def upper(self) -> Position:
        return self.lower


@dataclass(slots=True)
class Round:
    """What one round reads, and what moves in it, in tables that name its rows too: ``found`` are rows that differ."""

    found: Mapping[Row, Difference] = field(default_factory=dict)
    moving: frozenset[Row] = frozenset()
    whole: bool = False
    parents: bool = False
    awaits: bool = False
    obstacle: str = ""
    lost: bool = False
    total: int | None = None
    result: TableResult | None = None

    def compared(self) -> TableResult:
        total = len(self.found) if self.total is None else self.total
        found: dict[Identity, Difference] = dict(self.found.items())
        return self.result or TableResult(TABLE, ("id", "value"), 1, {}, found, total)


@dataclass(slots=True)
class Script:
    """Stands for the window and for the reader: the rounds one after the other, the last one again and again."""

    rounds: list[Round]
    kind: PositionKind = PositionKind.gtid
    strength: Strength = Strength.unaligned
    at: int = 0
    asked: list[Any] = field(default_factory=list)
    stands: bool = False

    @property
    def now(self) -> Round:
        return self.rounds[min(self.at, len(self.rounds) - 1)]

    def seen(self) -> Views:
        mark = cast("Snapshot", Mark(Position(self.kind, f"at {self.at}"), self.now.awaits))
        return Views(marks={"blue": mark}, obstacles={"blue->green": self.now.obstacle} if self.now.obstacle else {})

    # The window

    @contextmanager
    def views(self, seconds: float) -> Iterator[Views]:
        assert seconds > 0
        self.at += 1
        yield self.seen()

    def complete(self) -> bool:
        return not any(one.lost for one in self.rounds[: self.at + 1])

    def read_to_end(self, views: Views) -> bool:
        assert views.marks
        return self.complete()

    def is_whole(self, views: Views, name: object, *, keyed: bool = True) -> bool:
        _ = views
        if name != TABLE.name:
            return self.now.parents
        return self.now.whole or (not keyed and bool(self.now.moving))

    def lies_between(self, views: Views, name: object, key: Row) -> bool:
        _ = views, name
        return key in self.now.moving

    def moving(self, views: Views, name: object) -> set[Row]:
        _ = views, name
        return set(self.now.moving)

    def moved(self, name: object) -> int:
        _ = name
        return len({key for one in self.rounds for key in one.moving})

    def explain(self, name: object, key: Row | None) -> Explanation:
        _ = name
        return Explanation(f"last of {key}")

    # The reader

    def recompare(self, views: object, paired: Sequence[PairedTable]) -> list[TableResult]:
        _ = views
        self.asked.append("all")
        return [self.now.compared() for _ in paired]

    def again(self, views: object, before: Sequence[TableResult]) -> list[TableResult]:
        return self.recompare(views, [one.table for one in before])

    def reread(self, views: object, table: PairedTable, keys: Sequence[Row]) -> Mapping[Row, Difference]:
        _ = views, table
        self.asked.append(list(keys))
        return {key: one for key, one in self.now.found.items() if key in keys}


def replay(
    *rounds: Round, seconds: float = 5.0, kind: PositionKind = PositionKind.gtid, stands: bool = False
) -> tuple[Settled, Script]:
    script = Script(list(rounds), kind, stands=stands)
    window = cast("Window", script)
    (found,) = settle(window, script.seen(), [script.now.compared()], script, seconds)
    return found, script


def outcome(found: Settled) -> tuple[list[Any], list[Any], list[Any]]:
    return found.drift, list(found.in_flight), list(found.unsettled)


def moves(*keys: Row) -> frozenset[Row]:
    return frozenset(keys)


def test_equal_tables_in_which_nothing_moved_are_exact() -> None:
    found, script = replay(Round())
    assert (outcome(found), script.asked) == (([], [], []), [])
    assert script.strength is Strength.exact


def test_what_did_not_move_is_drift_at_once() -> None:
    found, script = replay(Round({A: OLD, B: MISSING}))
    assert (outcome(found), script.asked, script.strength) == (([A, B], [], []), [], Strength.exact)
    assert found.result.differences == {A: OLD, B: MISSING}


def test_what_moved_is_read_again_whether_or_not_it_differed() -> None:
    found, script = replay(Round({A: OLD, C: OLD}, moves(A, B)), Round({B: MISSING, C: OLD}))
    assert script.asked == [[A, B]], "what was decided is not read again"
    assert outcome(found) == ([C, B], [A], []), "B was equal by chance, and a change of it is lost"
    assert found.result.differences == {B: MISSING, C: OLD}
    assert found.result.total == 2
    assert found.in_flight[A] == Explanation(f"last of {A}")
    assert (script.strength, found.moved) == (Strength.settled, 2)


def test_rounds_go_on_as_long_as_something_moves() -> None:
    found, script = replay(Round({}, moves(A)), Round({A: OLD}, moves(A)), Round({A: NEWER}, moves(A)), Round())
    assert script.asked == [[A], [A], [A]]
    assert outcome(found) == ([], [A], [])


def test_what_never_holds_still_is_open() -> None:
    found, script = replay(Round({A: OLD, B: MISSING}, moves(A, C)), seconds=0.05)
    assert outcome(found) == ([B], [], [A, C])
    assert found.result.differences == {A: OLD, B: MISSING}
    assert "kept coming" in found.unsettled[A]
    assert len(script.asked) >= 1


def test_there_is_one_more_round_even_without_time() -> None:
    found, script = replay(Round({A: OLD}, moves(A)), Round(), seconds=-1.0)
    assert (outcome(found), script.asked) == (([], [A], []), [[A]])


def test_an_obstacle_is_named() -> None:
    found, _ = replay(Round({A: OLD}, moves(A), obstacle="the link is paused"), seconds=0.0)
    assert found.unsettled == {A: "the link is paused"}


@pytest.mark.parametrize("kind", [PositionKind.lsn, PositionKind.file])
def test_where_a_commit_shows_late_a_difference_is_seen_twice(kind: PositionKind) -> None:
    found, script = replay(Round({A: OLD, B: MISSING}), Round({A: OLD}), kind=kind)
    assert (outcome(found), script.asked) == (([A], [B], []), [[A, B]])
    found, script = replay(Round({A: OLD}), Round({A: OLD}, moves(A)), Round({A: OLD}), Round({A: OLD}), kind=kind)
    assert (outcome(found), script.asked) == (([A], [], []), [[A], [A], [A]]), "twice without a movement in between"


def test_nobody_waits_where_all_links_stand() -> None:
    found, script = replay(Round({A: OLD}, moves(A), obstacle="blue->green is paused"), seconds=3600.0, stands=True)
    assert (outcome(found), script.asked) == (([], [], [A]), [[A]])
    assert found.unsettled[A] == "blue->green is paused"


def test_what_waits_for_a_standby_is_not_decided() -> None:
    found, script = replay(Round({A: OLD}, awaits=True), seconds=0.0)
    assert outcome(found) == ([], [], [A])
    assert "standby" in found.unsettled[A]
    assert script.strength is Strength.unaligned
    found, script = replay(Round({A: OLD, B: MISSING}, awaits=True), Round({B: MISSING}))
    assert outcome(found) == ([B], [A], [])


def test_a_table_that_moved_as_a_whole_is_compared_again() -> None:
    found, script = replay(Round({A: OLD}, whole=True), Round({B: MISSING}, moves(C), whole=True), Round({B: MISSING}))
    assert script.asked == ["all", "all"]
    assert (outcome(found), found.open) == (([B], [A], []), None)
    found, script = replay(Round({A: OLD}, whole=True), Round({A: OLD, B: MISSING}, moves(A)), Round({B: MISSING}))
    assert script.asked == ["all", [A]]
    assert outcome(found) == ([B], [A], [])
    found, script = replay(Round({A: OLD}, whole=True), seconds=0.0)
    assert outcome(found) == ([], [], [A])
    assert found.open
    found, script = replay(Round(whole=True), seconds=0.0)
    assert found.open, "equal by chance is not equal"
    assert script.strength is Strength.unaligned


def test_rows_become_a_table_when_it_moves_as_a_whole() -> None:
    found, script = replay(Round({A: OLD}, moves(A)), Round({A: OLD}, whole=True), Round({A: OLD}))
    assert script.asked == [[A], [A]]
    assert outcome(found) == ([A], [], [])


DIGESTS: dict[Any, Difference] = {b"x": MISSING, b"y": MISSING}


def keyless(**found: Any) -> TableResult:
    return TableResult(TABLE, ("value",), 0, {}, {key.encode(): one for key, one in found.items()}, len(found))


def test_a_table_without_a_key_is_compared_as_a_whole() -> None:
    found, script = replay(Round(result=keyless(x=MISSING)))
    assert (found.drift, script.asked) == ([b"x"], [])
    found, script = replay(
        Round(moving=moves(A), result=keyless(x=MISSING, y=MISSING)), Round(result=keyless(y=MISSING))
    )
    assert (outcome(found), script.asked) == (([b"y"], [b"x"], []), ["all"])
    found, script = replay(
        Round(result=keyless(x=MISSING, y=MISSING)), Round(result=keyless(y=MISSING)), kind=PositionKind.lsn
    )
    assert (outcome(found), script.asked) == (([b"y"], [b"x"], []), ["all"])


def natural(**found: Difference) -> TableResult:
    """Rows by a natural key that happens to be the columns of the table's own key."""
    differences: dict[Identity, Difference] = {(key.encode(),): one for key, one in found.items()}
    return TableResult(TABLE, ("id", "value"), 1, {}, differences, len(found), parents=(name("parent"),))


def test_a_natural_key_names_no_row_of_a_stream() -> None:
    x, y = (b"x",), (b"y",)
    found, script = replay(Round(result=natural(x=MISSING)))
    assert (found.drift, script.asked, script.strength) == ([x], [], Strength.exact)
    found, script = replay(
        Round(moving=moves(A), result=natural(x=MISSING, y=MISSING)), Round(result=natural(y=MISSING))
    )
    assert (outcome(found), script.asked) == (([y], [x], []), ["all"])


def test_what_moves_in_a_parent_moves_the_rows_that_it_names() -> None:
    x, y = (b"x",), (b"y",)
    found, script = replay(Round(parents=True, result=natural(x=MISSING, y=MISSING)), Round(result=natural(y=MISSING)))
    assert (outcome(found), script.asked, script.strength) == (([y], [x], []), ["all"], Strength.settled)
    found, script = replay(Round(parents=True, result=natural()), seconds=0.0)
    assert found.open, "equal by chance is not equal"
    found, script = replay(Round({A: OLD}, parents=True))
    assert (found.drift, script.asked) == ([A], []), "nobody else waits for parents"


def test_a_list_that_was_cut_is_followed_as_a_whole() -> None:
    found, script = replay(Round({A: OLD}, total=5))
    assert (found.drift, found.unlisted, found.open, script.asked) == ([A], 4, None, [])
    found, script = replay(Round({A: OLD}, moves(B), total=5), Round({A: OLD}, total=1))
    assert (outcome(found), found.unlisted, script.asked) == (([A], [], []), 0, ["all"])
    found, script = replay(Round({A: OLD}, moves(B), total=5), seconds=0.0)
    assert (found.drift, found.unlisted, list(found.unsettled)) == ([], 4, [A])
    assert found.open
    assert found.result.total == 5


def test_a_table_that_can_no_more_be_compared_is_a_problem() -> None:
    gone = Round(result=not_compared(TABLE, "the connection was lost"))
    found, _ = replay(gone)
    assert found.result.problem
    found, _ = replay(Round({A: OLD}, whole=True), gone)
    assert found.result.problem
    assert outcome(found) == ([], [], [])


def test_a_stream_that_is_lost_is_said_plainly() -> None:
    found, script = replay(Round({A: OLD}, lost=True), Round({A: OLD}))
    assert (outcome(found), script.strength) == (([A], [], []), Strength.unaligned)
    found, script = replay(Round({A: OLD, B: MISSING}, moves(A)), Round({A: OLD}, lost=True), Round({A: OLD}))
    assert script.strength is Strength.unaligned
    assert outcome(found)[0] == [A]
