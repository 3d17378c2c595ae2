"""The last change of wanted keys, and whose an origin is: without any server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from replguard.cli.tracing import refuse_nonsense
from replguard.diff.lastchange import Aim, LastChanges, Seen
from replguard.diff.trace import cluster_of
from replguard.errors import UsageError
from replguard.model.changes import Change, Interest, Operation, TransactionEnd, Trouble, TroubleKind
from replguard.model.links import Identity
from tests.unit.builders import HERE, change, name, table

ACCOUNT, PART = name("account"), name("account_p1")
INSERT, UPDATE, DELETE = Operation.insert, Operation.update, Operation.delete
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def changes_of(*keys: bytes, begins: datetime | None = None) -> LastChanges:
    aim = Aim(ACCOUNT, table("account"), frozenset((key,) for key in keys))
    part = Aim(ACCOUNT, table("account_p1"), aim.keys)
    every = (ACCOUNT, PART)
    return LastChanges({ACCOUNT: aim, PART: part}, lambda named: every if named.name == "*" else (named,), begins)


def transaction_of(changes: LastChanges, key: bytes) -> str | None:
    seen, _ = changes.of(ACCOUNT, (key,))
    return seen.transaction if seen else None


def row(operation: Operation, key: object, transaction: str, on: str = "account", **parts: object) -> Change:
    return change(operation, on, key={"id": key}, transaction=transaction, **parts)


def test_the_last_change_of_each_wanted_key_is_kept_and_no_other() -> None:
    changes = changes_of(b"1", b"2", b"3")
    for item in (row(INSERT, 1, "a"), row(UPDATE, 1, "b"), row(INSERT, 2, "c", on="account_p1"), row(INSERT, 9, "d")):
        changes.take(item)
    changes.take(row(INSERT, 1, "e", on="other"))
    assert [transaction_of(changes, key) for key in (b"1", b"2", b"3", b"9")] == ["b", "c", None, None]
    assert changes.interest(ACCOUNT) is Interest.keyed
    assert changes.interest(name("other")) is Interest.counted


def test_what_a_change_was_is_told() -> None:
    changes = changes_of(b"1")
    changes.take(row(UPDATE, 1, "a", changed=frozenset({"value", "at"}), origin="uuid", committed_at=NOW))
    seen, _ = changes.of(ACCOUNT, (b"1",))
    assert seen is not None
    assert seen.told(cluster_of({"blue": Identity("mysql", "9", "b", frozenset({"uuid"}))})) == {
        "transaction": "a",
        "position": HERE.text,
        "committed_at": "2026-03-01T12:00:00+00:00",
        "origin": "blue",
        "identity": "uuid",
        "operation": "update",
        "columns": ["at", "value"],
        "told_by": "stream",
    }
    assert seen.told(cluster_of({}))["origin"] == "uuid"
    assert Seen(1, INSERT, None, "0/1", None, None).told(cluster_of({}))["origin"] is None


def test_a_changed_key_counts_for_both() -> None:
    changes = changes_of(b"1", b"2", b"3", b"4")
    changes.take(row(UPDATE, 2, "pg", detail={"old_key": {"id": 1}}))
    changes.take(row(UPDATE, 3, "binlog", detail={"moved_to": {"id": 4}}))
    changes.take(row(UPDATE, 4, "binlog"))
    assert [transaction_of(changes, key) for key in (b"1", b"2", b"3", b"4")] == ["pg", "pg", "binlog", "binlog"]


@pytest.mark.parametrize("operation", [Operation.truncate, Operation.ddl, Operation.statement])
@pytest.mark.parametrize("named", ["account", "*"])
def test_what_is_done_to_a_table_counts_for_all_its_keys(operation: Operation, named: str) -> None:
    changes = changes_of(b"1", b"2")
    changes.take(row(UPDATE, 1, "row"))
    changes.take(change(operation, named, transaction="whole"))
    changes.take(change(operation, "other", transaction="other"))
    assert [transaction_of(changes, key) for key in (b"1", b"2")] == ["whole", "whole"]
    assert changes.of(ACCOUNT, (b"1",))[1] is not None
    assert changes.of(ACCOUNT, (b"2",))[1] is None
    changes.take(row(UPDATE, 1, "after"))
    assert transaction_of(changes, b"1") == "after"
    assert changes.of(ACCOUNT, (b"1",))[1] is None
    assert changes.opaque == (2 if operation is Operation.statement else 0)


def test_what_is_pending_counts_from_its_commit_on() -> None:
    changes = changes_of(b"1", b"2", b"3")
    changes.take(row(UPDATE, 1, "open", pending=True))
    changes.take(row(UPDATE, 2, "undone", pending=True))
    changes.take(row(UPDATE, 3, "stays", pending=True))
    changes.take(row(UPDATE, 1, "between"))
    assert [transaction_of(changes, key) for key in (b"1", b"2", b"3")] == ["between", None, None]
    changes.take(TransactionEnd("undone", committed=False, position=HERE))
    changes.take(TransactionEnd("open", committed=True, position=HERE, committed_at=NOW))
    assert [transaction_of(changes, key) for key in (b"1", b"2", b"3")] == ["open", None, None]
    seen, _ = changes.of(ACCOUNT, (b"1",))
    assert seen is not None
    assert seen.committed_at == NOW


def test_what_cannot_be_told_is_counted() -> None:
    changes = changes_of(b"1", begins=NOW)
    changes.take(change(UPDATE, "account"))
    changes.take(change(UPDATE, "account", key={"other": 1}))
    changes.take(row(UPDATE, 1, "before", committed_at=NOW - timedelta(seconds=1)))
    for _ in range(5):
        changes.take(Trouble(TroubleKind.gap, "purged"))
    assert changes.untold == {ACCOUNT: 2}
    assert transaction_of(changes, b"1") is None
    assert (len(changes.troubles), changes.more_troubles) == (3, 2)


def test_an_origin_is_the_cluster_s_that_has_it_now_or_alone_had_it() -> None:
    blue = Identity("mysql", "9", "b", frozenset({"b2"}), frozenset({"b1", "b2", "g1", "g2", "both"}))
    green = Identity("mysql", "9", "g", frozenset({"g1", "g2"}), frozenset({"g1", "b2", "both"}))
    named = cluster_of({"blue": blue, "green": green})
    assert [named(origin) for origin in ("b2", "g1", "g2", "b1", "both", "x")] == [
        *("blue", "green", "green", "blue"),
        None,
        None,
    ]


@pytest.mark.parametrize("text", ["now", "yesterday", "7", "2weeks"])
def test_what_is_no_place_to_begin_at_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--trace"):
        refuse_nonsense([text])


@pytest.mark.parametrize("text", ["start", "2h", "30m", "blue=0-1-270", "2026-03-01T12:00:00", "receipt"])
def test_places_to_begin_at_are_taken(text: str) -> None:
    refuse_nonsense([text])
