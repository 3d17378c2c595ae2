"""What a link's stream says has moved, replayed from scripted changes."""

from __future__ import annotations

from typing import Any

import pytest

from replguard.diff import moved as moving
from replguard.diff.moved import Moves
from replguard.errors import StreamError
from replguard.model.changes import Interest, Operation, TransactionEnd, Trouble, TroubleKind
from replguard.model.tables import Column, ColumnKind, ForeignKey
from replguard.policy import TableClass
from tests.unit.builders import HERE, LINK, ListedFilters, change, name, policy, table, table_map

INSERT, UPDATE, DELETE = Operation.insert, Operation.update, Operation.delete
A, B = (b"1",), (b"2",)


def key_to(parent: str, child: str, **actions: str) -> ForeignKey:
    given = {"on_delete": "NO ACTION", "on_update": "NO ACTION", **actions}
    return ForeignKey("fk", name(child), name(parent), given["on_delete"], given["on_update"], ("p",), ("id",))


def moves(*tables: Any, filters: ListedFilters | None = None, cascades: bool = True, **classes: Any) -> Moves:
    found = table_map(tables, tables, policy(**classes))
    compared = [one for one in found.of(TableClass.config) if not one.partition]
    return Moves(found, LINK, filters or ListedFilters(), compared, cascades=cascades)


def rows(found: Moves, text: str = "t") -> set[Any]:
    return {key for key, _ in found.rows(name(text))}


def test_rows_move_by_their_keys_and_the_last_change_counts() -> None:
    found = moves(table("t"))
    found.take(change(INSERT, "t", key={"id": 1}, transaction="a"))
    found.take(change(UPDATE, "t", key={"id": 2}, transaction="b"))
    found.take(change(DELETE, "t", key={"id": 1}, transaction="c"))
    assert rows(found) == {A, B}
    (touch,) = found.of(name("t"), A)
    assert (touch.change.transaction, touch.number) == ("c", 3)
    assert found.whole(name("t"), keyed=True) is None
    assert found.whole(name("t"), keyed=False) == touch
    assert found.of(name("t"), (b"3",)) == []


def test_both_keys_of_a_key_change_move() -> None:
    found = moves(table("t"))
    found.take(change(UPDATE, "t", key={"id": 1}, detail={"old_key": {"id": 2}}))
    assert rows(found) == {A, B}


@pytest.mark.parametrize(
    "item",
    [
        change(Operation.truncate, "t"),
        change(Operation.ddl, "t"),
        change(Operation.ddl, "st.*"),
        change(Operation.ddl, "T"),
        change(Operation.statement, "elsewhere"),
        change(UPDATE, "t"),
        change(UPDATE, "t", key={"other": 1}),
        change(UPDATE, "t", key={"id": 1}, detail={"old_key": None}),
    ],
    ids=lambda item: f"{item.operation}-{item.tables[0]}-{item.key}",
)
def test_what_tells_no_row_moves_the_table(item: Any) -> None:
    found = moves(table("t"))
    found.take(item)
    assert found.whole(name("t"), keyed=True) is not None
    assert found.of(name("t"), A), "so does it each row"


def test_what_filters_drop_moves_nothing_and_what_is_not_known_does() -> None:
    found = moves(table("t"), table("u"), filters=ListedFilters(dropped=("t",), unclear=("u",)))
    found.take(change(INSERT, "t", key={"id": 1}))
    found.take(change(INSERT, "u", key={"id": 1}))
    assert (rows(found), rows(found, "u")) == (set(), {A})


def test_names_are_followed_where_filters_rewrite_them() -> None:
    found = moves(table("st.t"), filters=ListedFilters(rewritten={name("old.t"): name("st.t")}))
    assert found.interest(name("old.t")) is Interest.keyed
    found.take(change(INSERT, "old.t", key={"id": 1}))
    assert rows(found) == {A}


def test_partitions_count_for_the_table_above() -> None:
    root, part = table("t", partitioned=True), table("t_1", ancestors=("t",))
    found = moves(root, part)
    found.take(change(INSERT, "t_1", key={"id": 1}))
    assert rows(found) == {A}
    assert found.interest(name("t_1")) is Interest.keyed


def test_only_what_is_compared_is_asked_for() -> None:
    found = moves(table("t"), table("event"), must_not_sync=("event",))
    assert found.interest(name("event")) is Interest.counted
    assert found.interest(name("t")) is Interest.keyed
    found.take(change(INSERT, "event", key={"id": 1}))
    assert rows(found, "event") == set()


CHILD = table("child", foreign_keys=(key_to("parent", "child", on_delete="CASCADE"),))
GRANDCHILD = table("grandchild", foreign_keys=(key_to("child", "grandchild", on_delete="SET NULL"),))
FOLLOWER = table("follower", foreign_keys=(key_to("parent", "follower", on_update="CASCADE"),))


def acted_on(item: Any, *, cascades: bool = True) -> set[str]:
    found = moves(table("parent"), CHILD, GRANDCHILD, FOLLOWER, cascades=cascades)
    found.take(item)
    return {text for text in ("child", "grandchild", "follower") if found.whole(name(text), keyed=True)}


def test_a_parent_moves_what_its_foreign_keys_act_on() -> None:
    assert acted_on(change(DELETE, "parent", key={"id": 1})) == {"child", "grandchild"}
    assert acted_on(change(UPDATE, "parent", key={"id": 1}, changed=frozenset({"value"}))) == set()
    assert acted_on(change(UPDATE, "parent", key={"id": 1}, changed=frozenset({"ID"}))) == {"follower"}
    assert acted_on(change(UPDATE, "parent", key={"id": 1})) == {"follower"}
    assert acted_on(change(INSERT, "parent", key={"id": 1})) == set()
    assert acted_on(change(DELETE, "parent", key={"id": 1}), cascades=False) == set()


def test_a_parent_that_is_not_compared_is_asked_for_too() -> None:
    found = moves(table("parent"), CHILD, local=("parent",))
    assert found.interest(name("parent")) is Interest.keyed
    found.take(change(DELETE, "parent", key={"id": 1}))
    assert found.whole(name("child"), keyed=True)


def test_what_is_prepared_moves_when_it_is_committed() -> None:
    found = moves(table("t"))
    for transaction, number in (("x", 1), ("y", 2)):
        found.take(change(INSERT, "t", key={"id": number}, transaction=transaction, pending=True))
    assert rows(found) == set()
    found.take(TransactionEnd("x", committed=True, position=HERE))
    found.take(TransactionEnd("y", committed=False, position=HERE))
    assert rows(found) == {A}
    assert found.of(name("t"), A)[0].number == 3
    assert found.of(name("t"), A)[0].change.transaction == "x"
    found.take(change(INSERT, "t", key={"id": 2}, transaction="z", pending=True))
    found.take(TransactionEnd("z", committed=True, position=HERE, decided_by="later"))
    touch = found.of(name("t"), B)[0].change
    assert (touch.transaction, touch.pending) == ("later", False)


def test_what_is_not_understood_ends_it() -> None:
    with pytest.raises(StreamError, match="what is that"):
        moves(table("t")).take(Trouble(TroubleKind.unknown, "what is that"))


def test_keys_are_those_that_are_read() -> None:
    columns = (Column("b", "bytea", ColumnKind.binary), Column("id", "int", ColumnKind.integer))
    found = moves(table("t", *columns, key=("b", "id")))
    found.take(change(INSERT, "t", key={"id": 7, "b": "\\x00ff"}))
    found.take(change(INSERT, "t", key={"id": 8, "b": "0x00fe"}))
    assert rows(found) == {(b"\x00\xff", b"7"), (b"\x00\xfe", b"8")}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "MOST_KEYS", 10)
    found = moves(table("t"), table("u"))
    found.take(change(INSERT, "u", key={"id": 1}))
    for number in range(25):
        found.take(change(INSERT, "t", key={"id": number}, transaction=str(number)))
    assert len(rows(found)) + len(rows(found, "u")) <= 10
    whole = found.whole(name("t"), keyed=True)
    assert whole
    assert whole.number >= 11
    for number in range(25):
        found.take(change(INSERT, "t", key={"id": number}, transaction="open", pending=True))
    found.take(TransactionEnd("open", committed=True, position=HERE))
    whole = found.whole(name("t"), keyed=True)
    assert whole
    assert whole.change.transaction == "open"
