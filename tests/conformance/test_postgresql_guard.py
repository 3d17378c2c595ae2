"""Guard slots and memories of tables on PostgreSQL: what was written since a moment is told afterwards."""

from __future__ import annotations

import threading

import psycopg
import pytest

from replguard.engines.base import Wanted
from replguard.engines.controls import Guards, Keeps, Remembers
from replguard.engines.postgresql import memory as memory_module
from replguard.errors import ControlError, DeadlineError, StreamError, Unsupported
from replguard.model.changes import Change, Interest, Operation, Trouble
from replguard.model.tables import TableName
from tests.conformance.test_postgresql_links import TABLES as LINKED
from tests.conformance.test_postgresql_links import Pair, until
from tests.servers.choices import versions

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())

KEYED = Wanted(interest=lambda _: Interest.keyed)


def read(stream):
    found = []
    with stream:
        while not stream.caught_up:
            found += stream.poll(0.2)
    assert not [item for item in found if isinstance(item, Trouble)]
    return [(item.operation, item.tables[0].name, item.key) for item in found if isinstance(item, Change)]


def slots(side):
    return side.sql("SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'replguard%'")


@pytest.fixture
def name(pg_one):
    name = f"replguard_guard_{pg_one.unique('t')}"
    yield name
    pg_one.sql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{name}'")


def has_decoding(server, name):
    """Whether the server has test_decoding; where it has not, a guard says so and leaves nothing."""
    try:
        server.streams.make_guard(name, 10)
    except Unsupported as error:
        told = f"{error.message}: {error.remedy}"
    else:
        return True
    assert "test_decoding" in told
    assert "contrib" in told
    assert server.streams.guards() == ()
    return False


def test_a_guard_shows_what_was_written_since_as_often_as_it_is_asked(pg_one, name):
    pg_one.sql("CREATE TABLE account (id int PRIMARY KEY, v text); CREATE TABLE event (id int)")
    server = pg_one.connect()
    assert isinstance(server.streams, Guards)
    assert isinstance(server.streams, Keeps)
    if not has_decoding(server, name):
        return
    made = server.streams.make_guard(name, 10)
    assert server.streams.make_guard(name, 10) == made
    assert server.streams.guards() == (name,)
    pg_one.sql("INSERT INTO account VALUES (1, 'before')")
    since = server.replication.position()
    pg_one.sql(
        "INSERT INTO account VALUES (2, 'x')",
        "UPDATE account SET v = 'y' WHERE id = 1",
        "DELETE FROM account WHERE id = 2",
        "TRUNCATE event",
    )
    later = [
        (Operation.insert, "account", {"id": 2}),
        (Operation.update, "account", {"id": 1}),
        (Operation.delete, "account", {"id": 2}),
        (Operation.truncate, "event", None),
    ]
    for _ in range(2):
        assert read(server.streams.guarded(name, KEYED)) == [(Operation.insert, "account", {"id": 1}), *later]
        assert read(server.streams.guarded(name, KEYED, since)) == later
    kept = server.streams.guard_kept(name)
    assert kept.bytes_kept is not None
    assert kept.lost is None
    assert slots(pg_one) == [(name,)], "reading left a slot behind"
    server.streams.drop_guard(name)
    server.streams.drop_guard(name)
    assert server.streams.guards() == ()
    assert server.streams.guard_kept(name).lost
    with pytest.raises(StreamError, match="is gone"):
        server.streams.guarded(name, KEYED)


def test_a_guard_waits_for_open_transactions_until_its_deadline_and_names_them(pg_one, name):
    pg_one.sql("CREATE TABLE account (id int PRIMARY KEY)")
    server = pg_one.connect()
    if not has_decoding(server, name):
        return
    server.streams.drop_guard(name)
    with psycopg.connect(pg_one.dsn) as writer:
        writer.execute("INSERT INTO account VALUES (1)")
        with pytest.raises(DeadlineError, match=f"pid {writer.info.backend_pid}"):
            server.streams.make_guard(name, 0.5)
        assert server.streams.guards() == ()
        made = []
        thread = threading.Thread(target=lambda: made.append(server.streams.make_guard(name, 30)))
        thread.start()
        until(
            lambda: pg_one.sql(
                "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%create_logical%' AND wait_event_type = 'Lock'"
            )
        )
        writer.commit()
        thread.join(30)
    assert made
    assert read(server.streams.guarded(name, KEYED, made[0])) == []


def test_a_guard_is_copied_from_a_slot_that_is_there_and_waits_for_nobody(pg_pair):
    pair = Pair(*pg_pair)
    for side in pg_pair:
        side.sql(LINKED)
    pair.publish("FOR TABLE account")
    pair.subscribe()
    name = f"replguard_guard_{pair.name}"
    server = pair.source
    if not has_decoding(server, name):
        return
    server.streams.drop_guard(name)
    with psycopg.connect(pair.blue.dsn) as writer:
        writer.execute("INSERT INTO event VALUES (1, 'open before')")
        server.streams.make_guard(name, 0.1)
        since = server.replication.position()
        writer.commit()
    assert read(server.streams.guarded(name, KEYED, since)) == [(Operation.insert, "event", {"id": 1})]
    kept = server.streams.kept(pair.link, pair.target)
    assert kept.written >= kept.bytes_kept >= 0
    assert kept.no_disk
    server.streams.drop_guard(name)
    pair.blue.sql(f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')")
    with pytest.raises(ControlError, match="no guard"):
        server.streams.make_guard(name, 1)
    server.streams.drop_guard(name)


TABLES = """
CREATE TABLE same (id int PRIMARY KEY, v text);
CREATE TABLE added (id int, raw bytea, v text, PRIMARY KEY (id, raw));
CREATE TABLE updated (id bigint PRIMARY KEY, v text);
CREATE TABLE deleted (id int PRIMARY KEY, v text);
CREATE TABLE moved (id int PRIMARY KEY, v text);
CREATE TABLE swapped (id int PRIMARY KEY, v text);
CREATE TABLE both_ways (id int PRIMARY KEY, v text);
CREATE TABLE emptied (id int PRIMARY KEY, v text);
CREATE TABLE bag (v text);
CREATE TABLE bag_less (v text);
CREATE TABLE unclear (v text);
CREATE TABLE altered (id int PRIMARY KEY);
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
INSERT INTO same SELECT g, 'v' FROM generate_series(1, 9) g;
INSERT INTO added SELECT g, '\\x00ff', 'v' FROM generate_series(1, 9) g;
INSERT INTO updated SELECT g, 'v' FROM generate_series(1, 9) g;
INSERT INTO deleted SELECT g, 'v' FROM generate_series(1, 9) g;
INSERT INTO moved SELECT g, 'v' FROM generate_series(1, 9) g;
INSERT INTO swapped SELECT g, 'v' || g FROM generate_series(1, 9) g;
INSERT INTO both_ways SELECT g, 'v' FROM generate_series(1, 9) g;
INSERT INTO emptied SELECT g, 'v' FROM generate_series(1, 9) g;
INSERT INTO bag VALUES ('a'), ('a'); INSERT INTO bag_less VALUES ('a'), ('a'); INSERT INTO unclear VALUES ('a'), ('b');
INSERT INTO altered VALUES (1);
INSERT INTO parted VALUES (1)
"""
CHANGES = (
    "UPDATE same SET v = v",
    "INSERT INTO added VALUES (10, '\\xff', 'new')",
    "UPDATE updated SET v = 'w' WHERE id = 3",
    "DELETE FROM deleted WHERE id IN (3, 4)",
    "UPDATE moved SET id = 77 WHERE id = 3",
    "UPDATE swapped SET v = CASE id WHEN 1 THEN 'v2' ELSE 'v1' END WHERE id IN (1, 2)",
    "INSERT INTO both_ways VALUES (10, 'v'), (11, 'v')",
    "UPDATE both_ways SET v = 'w' WHERE id < 3",
    "TRUNCATE emptied",
    "INSERT INTO bag VALUES ('a')",
    "DELETE FROM bag_less WHERE ctid = '(0,1)'",
    "UPDATE unclear SET v = 'c' WHERE v = 'a'",
    "ALTER TABLE altered ADD COLUMN v text",
    "INSERT INTO parted VALUES (2)",
)


def test_what_changed_is_told_from_the_rows_where_no_log_was_kept(pg_one, monkeypatch):
    pg_one.sql(*TABLES.split(";"))
    server = pg_one.connect()
    assert isinstance(server.rows, Remembers)
    with psycopg.connect(pg_one.dsn) as older, psycopg.connect(pg_one.dsn) as other:
        older.execute("INSERT INTO added VALUES (50, '', 'open, and so not seen')")
        older.execute("SAVEPOINT s")
        older.execute("INSERT INTO added VALUES (51, '', 'in a transaction within')")
        other.execute("INSERT INTO added VALUES (60, '', 'seen: it ended while an older one was open')")
        other.commit()
        memory = server.rows.remember(server.catalog.tables())
        older.commit()
    assert server.rows.changed_since(memory, [t for t in server.catalog.tables() if t.name.name != "added"]) == []
    pg_one.sql(*CHANGES)
    found = {one.table.name: one for one in server.rows.changed_since(memory, server.catalog.tables())}
    told = {
        name: (sorted(map(str, one.keys)), one.rows, one.deleted, bool(one.why_unknown)) for name, one in found.items()
    }

    def keys(*values):
        return sorted(str({"id": value}) for value in values)

    assert told == {
        "added": ([str({"id": i, "raw": raw}) for i, raw in ((10, "0xff"), (50, "0x"), (51, "0x"))], 3, False, False),
        "updated": (keys(3), 1, False, False),
        "deleted": ([], 0, True, False),
        "moved": (keys(77), 1, True, False),
        "swapped": (keys(1, 2), 2, False, False),
        "both_ways": (keys(1, 2, 10, 11), 4, False, False),
        "emptied": ([], 0, True, False),
        "bag": ([], 1, False, False),
        "bag_less": ([], 0, True, False),
        "unclear": ([], 1, None, False),
        "altered": ([], 0, None, True),
        "parted": (keys(2), 1, False, False),
        "parted_1": (keys(2), 1, False, False),
    }
    monkeypatch.setattr(memory_module, "SECONDS", 0.001)
    tables = server.catalog.tables()
    pg_one.sql("INSERT INTO same SELECT g, repeat('v', 100) FROM generate_series(10, 20000) g")
    slow = server.rows.remember(tables)
    late = {one.table.name: one.why_unknown for one in server.rows.changed_since(slow, tables)}
    assert "could not be remembered" in str(late["same"]), late
    missing = server.rows.changed_since(
        {**memory, "tables": []}, [t for t in server.catalog.tables() if t.name.name == "same"]
    )
    assert [(one.table, bool(one.why_unknown)) for one in missing] == [(TableName("public", "same"), True)]
    future = {**memory, "snapshot": f"{1 << 40}:{1 << 40}:"}
    [same] = server.rows.changed_since(future, [t for t in server.catalog.tables() if t.name.name == "updated"])
    assert same.why_unknown
