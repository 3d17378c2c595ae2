"""One stream under watch: suspicions until a transaction ends, what is passed over, what is read on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import pytest

from replguard.engines.base import Tally
from replguard.errors import StreamError
from replguard.model.changes import Operation, TransactionEnd, Trouble, TroubleKind
from replguard.model.findings import Severity
from replguard.model.positions import Position, PositionKind
from replguard.watch.judge import Judge
from replguard.watch.readings import Reading, Told
from replguard.watch.window import Window
from tests.unit.builders import HERE, LINK, ListedFilters, change, policy, table, table_map

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.model.changes import StreamItem

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = [table("event"), table("account")]
JUDGE = Judge(table_map(TABLES, TABLES, policy(must_not_sync=["event"])), LINK, ListedFilters())


class Script:
    """A stream that hands out what it was given, a list a poll; an error is raised."""

    kind = "script"
    cannot_see = ("nothing of the world",)

    def __init__(self, *polls: list[StreamItem] | Exception, at: int = 0) -> None:
        self._polls = list(polls)
        self.tally = Tally()
        self.left = False
        self.start = self.position = Position(PositionKind.lsn, f"0/{at}")

    @property
    def caught_up(self) -> bool:
        return not self._polls

    def passed(self, position: Position) -> bool:
        return int(self.position.text[2:]) >= int(position.text[2:])

    def poll(self, _timeout: float) -> Sequence[StreamItem]:
        if not self._polls:
            return ()
        found = self._polls.pop(0)
        if isinstance(found, Exception):
            raise found
        self.tally.events += len(found)
        self.position = Position(PositionKind.lsn, f"0/{int(self.position.text[2:]) + len(found)}")
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.left = True


def reading(*scripts: Script, **parts: Any) -> Reading:
    left = list(scripts)
    made = Reading("sent", "blue", LINK, lambda _since: left.pop(0), {"watch.sent": JUDGE.sent}, **parts)
    made.open("now")
    return made


def pending(transaction: str = "7", **parts: Any) -> StreamItem:
    return change(Operation.insert, "event", pending=True, transaction=transaction, **parts)


def end(*, committed: bool, transaction: str = "7", at: datetime = NOW) -> TransactionEnd:
    return TransactionEnd(transaction, committed, HERE, at if committed else None)


def found(told: list[Told]) -> list[tuple[str, str, bool]]:
    return [
        (finding.code, finding.severity.value, bool(finding.evidence.get("suspected")))
        for one in told
        for _, finding in one.findings
    ]


SUSPECTED = ("leak.sent", "unknown", True)
LEAK = ("leak.sent", "fail", False)


def test_a_leak_is_suspected_at_once_and_confirmed_by_the_commit() -> None:
    one = reading(Script([pending(), pending()], [end(committed=True)]))
    assert found(list(one.poll(0))) == [SUSPECTED] * 2
    assert [finding.severity for _, finding in one.still_pending()] == [Severity.unknown]
    told = list(one.poll(0))
    assert found(told) == [LEAK]
    ((_, leak),) = told[0].findings
    assert (leak.evidence["count"], leak.evidence["committed_at"]) == (2, NOW.isoformat())
    assert list(one.still_pending()) == []


def test_an_abort_clears_the_suspicion_of_its_transaction_alone() -> None:
    one = reading(Script([pending("7"), pending("8")], [end(committed=False)]))
    list(one.poll(0))
    assert found(list(one.poll(0))) == []
    assert len(list(one.still_pending())) == 1
    assert "8" in one.suspects


def test_what_was_pending_is_told_anew_by_the_stream_that_is_opened_again() -> None:
    one = reading(Script([pending()], StreamError("lost")), Script([pending()], [end(committed=True)]))
    list(one.poll(0))
    with pytest.raises(StreamError):
        list(one.poll(0))
    one.close()
    one.open("now")
    assert list(one.still_pending()) == []
    list(one.poll(0))
    ((_, leak),) = next(iter(one.poll(0))).findings
    assert leak.evidence["count"] == 1


def test_a_transaction_of_another_time_is_no_leak_when_it_ends() -> None:
    one = reading(Script([pending()], [end(committed=True)]), window=Window(ends=NOW - timedelta(seconds=1)))
    list(one.poll(0))
    assert found(list(one.poll(0))) == []


def test_the_time_and_the_servers_decide_what_is_judged() -> None:
    early = change(Operation.insert, "event", committed_at=NOW - timedelta(hours=1), detail={"server_id": 1})
    other = change(Operation.insert, "event", committed_at=NOW, detail={"server_id": 2})
    mine = change(Operation.insert, "event", committed_at=NOW, detail={"server_id": 1})
    nobodys = change(Operation.insert, "event")
    window = Window(begins=NOW, server_ids=frozenset({1}))
    one = reading(Script([early, other, mine, nobodys]), window=window)
    assert found(list(one.poll(0))) == [LEAK, LEAK]
    assert one.left_out == 1
    one.close()
    assert [words for words in one.coverage().cannot_see if "--s" in words] == list(window.left_out())
    assert one.coverage().changes == 4


def test_a_trouble_is_unknown_and_remembered() -> None:
    one = reading(Script([Trouble(TroubleKind.gap, "a hole", HERE)], []))
    assert found(list(one.poll(0))) == [("stream.gap", "unknown", False)]
    assert (one.troubled, one.gap) == (True, True)
    list(one.poll(0))
    assert (one.troubled, one.gap) == (True, False)


def test_an_end_is_reached_by_position_or_by_time() -> None:
    one = reading(Script([change(Operation.insert, "account")]), until=Position(PositionKind.lsn, "0/1"))
    over = [one.over]
    list(one.poll(0))
    assert [*over, one.over] == [False, True]
    script = Script([])
    timed = reading(script, window=Window(ends=NOW))
    over = [timed.over]
    script.tally.last_commit = NOW + timedelta(seconds=1)
    assert [*over, timed.over] == [False, True]


def test_a_reading_that_is_closed_keeps_its_place_and_its_counts() -> None:
    first, second = Script([change(Operation.insert, "account")] * 3), Script([], at=3)
    one = reading(first, second)
    list(one.poll(0))
    one.close()
    one.close()
    assert first.left
    assert one.position == Position(PositionKind.lsn, "0/3")
    one.open("now")
    one.close()
    assert (one.events, one.coverage().events, one.coverage().from_position) == (3, 3, "0/0")
