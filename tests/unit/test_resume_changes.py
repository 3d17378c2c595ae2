"""What changed on both sides of a pause, gathered from streams and held against one another, without any server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from replguard.control import ready
from replguard.control.conflicts import Conflict, findings, judge
from replguard.control.settle import Settlement, _step
from replguard.control.touched import MOST_KEYS, Carried, Touch, Touched
from replguard.model.changes import Interest, Operation, TransactionEnd, Trouble, TroubleKind
from replguard.model.findings import Severity
from replguard.model.links import Identity
from replguard.policy import ExpectedDifference, Policy, Rule, TableClass
from replguard.predicate import parse
from tests.unit.builders import HERE, LINK, ListedFilters, change, name, rules, table, table_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.pair import Pair
    from replguard.model.changes import Change

POLICY = Policy(
    rules=rules(must_not_sync=["event"], local=["cache"], config=["*"]),
    ignored=((Rule("account", TableClass.config), frozenset({"lastlogin"})),),
    expected=(ExpectedDifference(Rule("setting", TableClass.config), parse("name = 'Site'"), "names the site"),),
)
TABLES = [
    *(table(text) for text in ("account", "setting", "event", "cache", "keyless", "part")),
    table("part_1", ancestors=("part",)),
]
MAP = table_map(
    [replace(one, partitioned=one.name.name == "part") for one in TABLES],
    [replace(one, partitioned=one.name.name == "part") for one in TABLES],
    POLICY,
)
CARRIED = Carried(LINK, ListedFilters(dropped=("event", "setting")))


def gathered(*items: Any, carried: Carried | None = None, cluster: str = "blue") -> Touched:
    touched = Touched(MAP, cluster, frozenset({"theirs"}), date(2026, 3, 1))
    for item in items:
        touched.take(item, carried)
    touched.close()
    return touched


def row(operation: Operation, text: str, number: int, **parts: Any) -> Change:
    return change(operation, text, key={"id": number}, **parts)


def found(*items: Any, carried: Carried | None = None) -> list[tuple[str, dict[str, Any] | None, list[str]]]:
    return [(one.table.name, one.shown, one.operations) for one in gathered(*items, carried=carried).touches()]


INSERT, UPDATE, DELETE = Operation.insert, Operation.update, Operation.delete


def test_rows_of_config_tables_alone_are_gathered_by_key() -> None:
    told = found(
        row(INSERT, "account", 1),
        row(UPDATE, "account", 1, changed=frozenset({"value"})),
        row(INSERT, "event", 2),
        row(INSERT, "cache", 3),
        row(INSERT, "other.account", 4),
        row(INSERT, "account", 5, origin="theirs"),
        row(DELETE, "part_1", 6),
        change(Operation.truncate, "setting"),
        change(INSERT, "keyless"),
    )
    assert told == [
        ("account", {"id": 1}, ["insert", "update"]),
        ("part", {"id": 6}, ["delete"]),
        ("setting", None, ["truncate"]),
        ("keyless", None, ["insert"]),
    ]


def test_a_key_that_was_changed_is_one_row_gone_and_another_new() -> None:
    moved = replace(row(UPDATE, "account", 8), detail={"old_key": {"id": 7}})
    assert found(moved) == [("account", {"id": 7}, ["delete"]), ("account", {"id": 8}, ["insert"])]


def test_what_the_policy_excuses_is_counted_and_left_out() -> None:
    site = {"name": "Site"}
    touched = gathered(
        row(UPDATE, "account", 1, changed=frozenset({"LastLogin"})),
        row(UPDATE, "setting", 2, before=site, after=site),
        row(UPDATE, "account", 3),
        row(UPDATE, "account", 4, changed=frozenset({"lastlogin", "value"})),
    )
    assert (touched.harmless, [one.shown for one in touched.touches()]) == (2, [{"id": 3}, {"id": 4}])
    ((paired, keys),) = touched.doubtful()
    assert (paired.name, keys) == (name("account"), [(b"3",)]), "only where the stream does not tell"
    touched.excuse(name("account"), frozenset({(b"3",)}))
    assert [one.shown for one in touched.touches()] == [{"id": 4}]


def test_what_a_link_carries_waits_in_it_and_what_it_drops_does_not() -> None:
    account, setting = gathered(row(INSERT, "account", 1), row(INSERT, "setting", 2), carried=CARRIED).touches()
    assert (account.links, account.dropped) == (["blue->green"], False)
    assert (setting.links, setting.dropped) == ([], True)


def test_a_transaction_counts_when_it_is_committed_and_where_nobody_knows() -> None:
    first, second, third = (row(INSERT, "account", n, pending=True, transaction=str(n)) for n in (1, 2, 3))
    ends = TransactionEnd("1", committed=True, position=HERE), TransactionEnd("2", committed=False, position=HERE)
    assert [key for _, key, _ in found(first, second, third, *ends)] == [{"id": 1}, {"id": 3}]


def test_what_cannot_be_judged_is_unknown() -> None:
    touched = gathered(
        Trouble(TroubleKind.gap, "purged"),
        change(Operation.statement, "account"),
        change(Operation.ddl, "nowhere"),
        change(Operation.ddl, "account", detail={"guessed": (name("account"),)}),
    )
    assert [one.code for one in touched.unknowns()] == ["stream.gap", "stream.opaque", "freeze.changed"]
    assert touched.touches() == ()
    assert found(change(Operation.ddl, "account")) == [("account", None, ["ddl"])]


def test_only_what_is_judged_is_decoded() -> None:
    touched = gathered()
    own = {text: touched.interest(name(text), None) for text in ("account", "setting", "event", "cache", "x.y")}
    assert own == {
        "account": Interest.keyed,
        "setting": Interest.whole,
        "event": Interest.counted,
        "cache": Interest.counted,
        "x.y": Interest.counted,
    }
    assert touched.interest(name("event"), CARRIED) is Interest.counted, "the filters drop it"
    assert touched.interest(name("event"), Carried(LINK, ListedFilters())) is Interest.named


def test_beyond_the_bound_a_table_counts_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_KEYS > 10_000
    monkeypatch.setattr("replguard.control.touched.MOST_KEYS", 2)
    assert [key for _, key, _ in found(*(row(INSERT, "account", n) for n in range(5)))] == [{"id": 0}, {"id": 1}, None]


# Both sides


def touch(cluster: str, number: int | None, first: str = "update", text: str = "account", **parts: Any) -> Touch:
    key = None if number is None else (str(number).encode(),)
    shown = None if number is None else {"id": number}
    return Touch(cluster, name(text), key, shown, first, [first], **parts)


def judged(*touches: Touch, sources: frozenset[str] = frozenset({"blue"})) -> Any:
    sides = {side: [one for one in touches if one.cluster == side] for side in ("blue", "green")}
    return judge(sides, sources)


def test_one_side_only_is_told_by_what_becomes_of_it() -> None:
    result = judged(
        touch("blue", 1, links=["blue->green"]),
        touch("blue", 2),
        touch("blue", 3, dropped=True),
        touch("green", 4),
        touch("green", 1, text="setting"),
    )
    assert [one.shown["id"] for one in result.flows] == [1]
    assert [one.shown["id"] for one in result.flowed] == [2]
    assert sorted(one.shown["id"] for one in result.stays) == [1, 3, 4]
    assert result.conflicts == ()
    severities = {
        accepted: {one.severity for one in findings(result, changes=accepted, conflicts=False)}
        for accepted in (False, True)
    }
    assert severities == {False: {Severity.fail, Severity.info}, True: {Severity.warn, Severity.info}}


def test_the_same_row_and_a_table_as_a_whole_conflict() -> None:
    same = judged(touch("blue", 1), touch("green", 1), touch("green", 2))
    assert [one.shown for one in same.conflicts] == [{"id": 1}]
    assert [one.shown for one in same.stays] == [{"id": 2}]
    whole = judged(touch("blue", None, "truncate"), touch("green", 1), touch("green", 2), touch("blue", 3))
    assert [one.shown for one in whole.conflicts] == [{"id": 1}, {"id": 2}]
    assert [one.shown for one in whole.flowed] == [{"id": 3}]
    other = judged(touch("blue", 1), touch("green", None, "ddl"))
    assert ([one.shown for one in other.conflicts], other.stop) == ([{"id": 1}], True)
    assert {one.code for one in findings(other, changes=True, conflicts=False)} == {"resume.conflict"}


A, B = (b"1", b"a"), (b"1", b"b")
LINKED: dict[str, Any] = {"links": ["over"]}


@pytest.mark.parametrize(
    ("winner", "loser", "rows", "step", "first", "blocked"),
    [
        ("update", "update", (A, B), A, False, False),
        ("insert", "insert", (A, B), None, True, False),
        ("update", "delete", (A, None), A, True, False),
        ("delete", "update", (None, B), ..., False, False),
        ("delete", "delete", (None, None), ..., False, True),
        ("insert", "insert", (A, None), ..., False, False),
    ],
)
def test_what_a_link_from_the_winner_needs(
    winner: str, loser: str, rows: tuple[Any, Any], step: Any, *, first: bool, blocked: bool
) -> None:
    settled = Settlement("blue", "green")
    conflict = Conflict(
        name("account"),
        (b"1",),
        {"id": 1},
        {"blue": touch("blue", 1, winner, **LINKED), "green": touch("green", 1, loser)},
    )
    assert _step(conflict, *rows, settled) == (None if step is ... else (step,))
    assert (settled.first, bool(settled.blocked), settled.travels) == (first, blocked, False)


def test_what_flows_from_the_loser_is_followed_by_the_row_of_the_winner() -> None:
    def stepped(rows: tuple[Any, Any], kind: str, **both: Any) -> tuple[Any, bool, bool, bool]:
        settled = Settlement("blue", "green")
        sides = {"blue": touch("blue", 1, **both), "green": touch("green", 1, kind, **LINKED)}
        step = _step(Conflict(name("account"), (b"1",), {"id": 1}, sides), *rows, settled)
        return step, settled.first, settled.travels, bool(settled.blocked)

    assert stepped((A, B), "update") == ((A,), False, True, False)
    assert stepped((A, B), "update", **LINKED) == ((A,), True, True, False), "else both rows change places"
    assert stepped((A, A), "update", **LINKED) == (None, False, True, False)
    assert stepped((A, B), "insert") == (None, False, False, True)
    assert stepped((None, B), "update") == (None, False, False, True)


# Servers


class Sides:
    """A pair of servers that only say who they are."""

    def __init__(self, sides: dict[str, Any]) -> None:
        self.sides = sides

    def server(self, side: str) -> Any:
        return self.sides[side]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.sides.values())


def servers(blue: str, green: str, held: dict[str, Any], *, log: bool = True, accepted: bool = False) -> list[Any]:
    def one(side: str, version: str) -> Any:
        identity = Identity("mysql", version, f"mysql:{side}")
        return SimpleNamespace(name=side, identity=identity, capabilities=SimpleNamespace(sends_own_stream=log))

    check = ready.servers(
        cast("Pair", Sides({"blue": one("blue", blue), "green": one("green", green)})), [LINK], held, accepted=accepted
    )
    return [(one.code, one.severity.value) for one in check.findings]


def test_a_newer_source_than_its_replica_stops_unless_it_was_so_before() -> None:
    before = {"clusters": {"blue": {"version": "8.4.1"}, "green": {"version": "8.0.4"}}}
    assert servers("8.4.1", "8.4.9", {}) == servers("8.0.1", "9.1.0", {}) == []
    assert servers("8.4.1", "8.0.4", {}) == [("resume.newer_source", "fail")]
    assert servers("8.4.1", "8.0.4", before) == [("resume.newer_source", "warn")]
    assert servers("8.4.1", "8.0.4", {}, accepted=True) == [("resume.newer_source", "warn")]
    assert servers("17.2", "16.9", {}, log=False) == [("resume.newer_source", "warn")]
    assert servers("17.2", "17.1", {}, log=False) == []


def test_a_server_that_is_not_the_one_that_was_paused_stops() -> None:
    held = {"clusters": {"blue": {"identity": "mysql:blue"}, "green": {"identity": "mysql:other"}}}
    assert servers("8.4", "8.4", held) == [("resume.identity", "fail")]
    assert servers("8.4", "8.4", held, accepted=True) == [("resume.identity", "warn")]
