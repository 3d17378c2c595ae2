"""PostgreSQL's streams on real servers: what is seen before its commit, what is given up, what is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import sql

from replguard.engines.base import Wanted
from replguard.engines.postgresql import watchdog
from replguard.errors import ConnectError, DeadlineError, StreamError, Unsupported
from replguard.model.changes import Change, Interest, Operation, TransactionEnd, Trouble
from replguard.model.tables import TableName
from tests.conformance.test_postgresql_links import pair, until
from tests.servers.choices import versions

__all__ = ["pair"]

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())

WHOLE = Wanted(interest=lambda _: Interest.whole)
COUNTED = Wanted(interest=lambda _: Interest.counted)
MANY = "INSERT INTO account SELECT g, 'row ' || g FROM generate_series({}, {}) g"
SLOTS = "SELECT slot_name, plugin, temporary, two_phase, restart_lsn, confirmed_flush_lsn FROM pg_replication_slots"


def all_of(stream, done):
    """Everything until ``done`` says so of what was gathered."""
    found: list = []

    def enough():
        found.extend(stream.poll(0.1))
        return done(found)

    until(enough)
    return found


def ends(found):
    return [(item.transaction, item.committed) for item in found if isinstance(item, TransactionEnd)]


def changes(found):
    assert not [item for item in found if isinstance(item, Trouble)]
    return [item for item in found if isinstance(item, Change)]


@pytest.fixture
def running(pair):
    """A link whose source sends a transaction in parts as soon as it is larger than 64 kB."""
    name = sql.Identifier(pair.blue.endpoint.database).as_string(None)
    pair.blue.sql(f"ALTER DATABASE {name} SET logical_decoding_work_mem = '64kB'")
    pair.publish("FOR TABLE account, event")
    pair.subscribe()
    return pair


def test_large_transactions_are_told_before_their_commit_and_cleared_after_a_rollback(running):
    with (
        running.source.streams.sent(running.link, running.target, "now") as stream,
        psycopg.connect(running.blue.dsn) as writer,
    ):
        writer.execute(MANY.format(1, 5000).encode())
        seen = changes(all_of(stream, lambda found: len(found) > 100))
        assert all(change.pending and change.committed_at is None for change in seen)
        writer.rollback()
        found = all_of(stream, ends)
        assert ends(found) == [(seen[0].transaction, False)]
        writer.execute(MANY.format(1, 5000).encode())
        writer.commit()
        found = all_of(stream, ends)
        [(_, committed)] = ends(found)
        assert committed
        assert found[-1].committed_at is not None
        assert len({change.key["id"] for change in changes(found)}) == 5000


def test_a_subtransaction_that_is_rolled_back_is_cleared_alone(running):
    with (
        running.source.streams.sent(running.link, running.target, "now") as stream,
        psycopg.connect(running.blue.dsn) as writer,
    ):
        writer.execute(MANY.format(1, 3000).encode())
        writer.execute("SAVEPOINT a")
        writer.execute(MANY.format(3001, 6000).encode())
        until(lambda: len(stream.poll(0.1)) > 0)
        writer.execute("ROLLBACK TO a")
        writer.execute(MANY.format(6001, 9000).encode())
        writer.commit()
        found = all_of(stream, lambda found: True in [end[1] for end in ends(found)])
    fate = dict(ends(found))
    assert sorted(fate.values()) in ([False, True], [False, True, True])
    [cleared] = [label for label, committed in fate.items() if not committed]
    assert "/" in cleared
    told = {change.key["id"] for change in changes(found) if fate[change.transaction]}
    assert not told & set(range(3001, 6001))
    assert set(range(6001, 9001)) <= told


def test_what_is_only_counted_is_counted_in_parts_too(running):
    with running.source.streams.sent(running.link, running.target, "now", COUNTED) as stream:
        running.blue.sql(MANY.format(1, 20000), "UPDATE account SET v = 'x' WHERE id <= 5000", "TRUNCATE event")
        found = all_of(stream, lambda _found: stream.tally.transactions == 3)
        assert [change.operation for change in changes(found)] == [Operation.truncate]
        assert stream.tally.changes[TableName("public", "account")] == 25000


def test_prepared_transactions_are_told_when_they_are_prepared(running):
    if running.blue.major < 15:
        pytest.skip("pgoutput sends prepared transactions since version 15")
    with running.source.streams.sent(running.link, running.target, "now") as stream:
        for number, end in ((1, "ROLLBACK"), (2, "COMMIT")):
            running.blue.sql(f"BEGIN; INSERT INTO account VALUES ({number}); PREPARE TRANSACTION 'p''{number}'")
            [change] = all_of(stream, lambda found: found)
            assert change.pending
            running.blue.sql(f"{end} PREPARED 'p''{number}'")
            found = all_of(stream, lambda found: found)
            assert ends(found) == [(change.transaction, end == "COMMIT")]
        running.blue.sql("BEGIN; " + MANY.format(10, 5000) + "; PREPARE TRANSACTION 'large'")
        first = all_of(stream, lambda found: len(found) >= 4991)
        running.blue.sql("COMMIT PREPARED 'large'")
        assert ends(all_of(stream, ends)) == [(first[0].transaction, True)]


def test_a_preview_has_what_was_prepared_as_the_subscription_gets_it(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.idle()
    before = pair.blue.sql(SLOTS)
    pair.blue.sql("INSERT INTO account VALUES (1)", "BEGIN; INSERT INTO account VALUES (2); PREPARE TRANSACTION 'open'")
    with psycopg.connect(pair.blue.dsn) as writer:
        writer.execute("INSERT INTO account VALUES (3)")
        with pair.source.streams.pending(pair.link, pair.target) as stream:
            assert [change.key["id"] for change in pair.read(stream)] == [1]
            assert stream.caught_up
    until(lambda: pair.blue.sql(SLOTS) == before)
    pair.blue.sql("ROLLBACK PREPARED 'open'")


def test_which_columns_differ_where_the_old_row_is_there(pair):
    for side in (pair.blue, pair.green):
        side.sql(
            "CREATE TABLE full_row (id int PRIMARY KEY, a int, b text, big text)",
            "ALTER TABLE full_row REPLICA IDENTITY FULL",
            "ALTER TABLE full_row ALTER big SET STORAGE EXTERNAL",
            "CREATE TABLE by_index (id int PRIMARY KEY, other int NOT NULL UNIQUE, v text)",
            "ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_other_key",
            "CREATE TABLE nothing (id int PRIMARY KEY)",
            "ALTER TABLE nothing REPLICA IDENTITY NOTHING",
        )
    pair.publish("FOR TABLE full_row, by_index")
    pair.publish("FOR TABLE nothing", "q", "WITH (publish = 'insert')")
    pair.subscribe("p, q")
    with pair.source.streams.sent(pair.link, pair.target, "now", WHOLE) as stream:
        pair.blue.sql(
            "INSERT INTO full_row VALUES (1, 2, NULL, repeat('x', 10000))",
            "UPDATE full_row SET a = 3",
            "UPDATE full_row SET b = 'b', a = 3",
            "INSERT INTO by_index VALUES (1, 10, 'v')",
            "UPDATE by_index SET other = 11",
            "UPDATE by_index SET v = 'w'",
            "DELETE FROM by_index",
            "INSERT INTO nothing VALUES (7)",
        )
        found = changes(all_of(stream, lambda found: len(found) >= 8))
    assert [change.changed for change in found] == [None, {"a"}, {"b"}, None, None, None, None, None]
    assert (found[1].before["a"], found[1].after["a"], found[1].key) == (2, 3, {"id": 1})
    assert found[4].before == {"other": 10}
    assert (found[4].key, found[5].key, found[6].key, found[7].key) == ({"id": 1}, {"id": 1}, {"other": 11}, {"id": 7})


def test_a_table_that_is_altered_is_asked_about_again(pair):
    pair.publish("FOR TABLE account, event")
    pair.subscribe()
    wanted = Wanted(interest=lambda name: Interest.keyed if name.name == "forbidden" else Interest.counted)
    with pair.source.streams.sent(pair.link, pair.target, "now", wanted) as stream:
        pair.blue.sql("INSERT INTO account VALUES (1)", "ALTER TABLE account RENAME TO forbidden")
        pair.blue.sql("INSERT INTO forbidden VALUES (2)", "INSERT INTO event VALUES (3)")
        [change] = changes(all_of(stream, lambda found: found))
        assert change.tables == (TableName("public", "forbidden"),)
        until(lambda: stream.poll(0.1) or TableName("public", "event") in stream.tally.changes)
    assert stream.tally.changes == {TableName("public", name): 1 for name in ("account", "forbidden", "event")}


def test_an_idle_stream_lets_go_of_the_wal(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    with pair.source.streams.sent(pair.link, pair.target, "now") as stream:
        pair.blue.sql("INSERT INTO event SELECT generate_series(1, 1000)")
        [(end,)] = pair.blue.sql("SELECT pg_current_wal_lsn()")
        slot = f"SELECT confirmed_flush_lsn >= '{end}' FROM pg_replication_slots WHERE temporary AND active"

        def confirmed():
            assert list(stream.poll(0.1)) == []
            return all(row[0] for row in pair.blue.sql(slot))

        until(confirmed)
        assert stream.passed(stream.position)


def test_a_consumer_that_does_not_come_is_stood_in_for(pair, monkeypatch):
    monkeypatch.setattr(watchdog, "CONFIRM_SECONDS", 0.1)
    pair.publish("FOR TABLE account")
    pair.subscribe()
    with pair.source.streams.sent(pair.link, pair.target, "now") as stream:
        replies = "SELECT max(reply_time) FROM pg_stat_replication WHERE application_name = 'replguard'"
        [(first,)] = until(lambda: [row for row in pair.blue.sql(replies) if row[0]])
        pair.blue.sql(MANY.format(1, 50000))
        until(lambda: pair.blue.sql(replies)[0][0] > first)
        assert len(all_of(stream, lambda found: len(found) >= 50000)) == 50000


def test_no_commit_ever_waits_for_us(pair):
    """A server that takes any reader for a synchronous standby must not take us for one."""
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.idle()
    ours = "SELECT sync_state, flush_lsn, write_lsn FROM pg_stat_replication WHERE application_name = 'replguard'"
    try:
        pair.blue.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        until(lambda: pair.blue.sql("SHOW synchronous_standby_names") == [("*",)])
        with pair.source.streams.sent(pair.link, pair.target, "now") as stream:
            until(lambda: not stream.poll(0.1) and pair.blue.sql(ours)[0][2])
            [(state, flushed, _)] = pair.blue.sql(ours)
            assert flushed is None
            assert state != "sync"
    finally:
        pair.blue.sql("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
    until(lambda: pair.blue.sql("SHOW synchronous_standby_names") == [("",)])


def test_a_slot_that_holds_too_much_is_given_up_and_it_is_said(pair, monkeypatch):
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.1)
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.source.streams.wal_limit = 1 << 20
    before = pair.blue.sql("SELECT slot_name FROM pg_replication_slots")
    with pair.source.streams.sent(pair.link, pair.target, "now") as stream:
        number = iter(range(0, 10_000_000, 5000))

        def gone():
            start = next(number)
            pair.blue.sql(MANY.format(start, start + 4999), "CHECKPOINT")
            return pair.blue.sql("SELECT slot_name FROM pg_replication_slots") == before

        until(gone, 60)
        with pytest.raises(StreamError, match="given up"):
            all_of(stream, lambda _: False)


def test_a_reader_that_is_killed_leaves_nothing(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.idle()
    look = (SLOTS, "SELECT pubname, puballtables FROM pg_publication", "SELECT * FROM pg_publication_tables")
    before = [pair.blue.sql(one) for one in look]
    code = (
        "import json, sys; from replguard.endpoint import Endpoint; from replguard.engines.postgresql import ENGINE\n"
        "from replguard.model.links import Link, LinkState\n"
        "given = json.load(sys.stdin)\n"
        "server = ENGINE.connect(Endpoint(**given['endpoint']), lambda *_: None)\n"
        "link = Link('s', 'green', 'blue', LinkState.paused, detail=given['detail'])\n"
        "stream = server.streams.sent(link, server, 'start')\n"
        "print('reading', flush=True)\n"
        "while True: stream.poll(1)\n"
    )
    endpoint = {name: getattr(pair.blue.endpoint, name) for name in ("name", "engine", "host", "port", "user")}
    endpoint |= {"password": pair.blue.endpoint.password, "database": pair.blue.endpoint.database}
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write(json.dumps({"endpoint": endpoint, "detail": dict(pair.link.detail)}).encode())
        reader.stdin.close()
        assert reader.stdout.readline() == b"reading\n"
        assert [pair.blue.sql(one) for one in look] != before
        os.kill(reader.pid, signal.SIGKILL)
    until(lambda: [pair.blue.sql(one) for one in look] == before)


def test_exhausted_slots_and_senders_are_named(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    link = pair.link
    free = "SELECT current_setting('max_replication_slots')::int - count(*)::int FROM pg_replication_slots"
    with psycopg.connect(pair.blue.dsn, autocommit=True) as holder:
        for number in range(pair.blue.sql(free)[0][0]):
            holder.execute(f"SELECT pg_create_physical_replication_slot('full_{number}', false, true)".encode())
        with pytest.raises(StreamError) as caught:
            pair.source.streams.sent(link, pair.target, "now")
        assert "max_replication_slots" in str(caught.value.remedy)
    free = "SELECT current_setting('max_wal_senders')::int - count(*)::int FROM pg_stat_replication"
    with ExitStack() as stack:
        for _ in range(pair.blue.sql(free)[0][0]):
            stack.enter_context(psycopg.connect(pair.blue.dsn, replication="database", autocommit=True))
        with pytest.raises(ConnectError) as refused:
            pair.source.streams.sent(link, pair.target, "now")
        assert "max_wal_senders" in str(refused.value.remedy)


def shows_all(side):
    return side.major == 15  # the only one of the harness that has contrib


def test_without_test_decoding_it_is_said(pair):
    if shows_all(pair.blue):
        pytest.skip("this server has test_decoding")
    server = pair.blue.connect()
    assert not server.capabilities.shows_applied
    assert "test_decoding" in server.capabilities.why_not_shown
    with pytest.raises(Unsupported) as caught:
        server.streams.own("now")
    assert "contrib" in str(caught.value.remedy)


def test_a_publication_of_our_own_is_removed_also_after_a_kill(pair):
    if shows_all(pair.blue):
        pytest.skip("this server has test_decoding, so no publication is made")
    pair.publish("FOR TABLE account")
    pair.subscribe()
    assert pair.link.source == "blue"
    ours = "SELECT pubname, pubupdate, pubdelete FROM pg_publication WHERE pubname ~ '^replguard_'"
    pair.green.sql("CREATE PUBLICATION replguard_1_0123456789ab FOR ALL TABLES WITH (publish = 'insert, truncate')")
    pair.green.sql("CREATE PUBLICATION replguard_notes FOR ALL TABLES WITH (publish = 'insert, truncate')")
    pair.target.streams.may_publish = True
    with pair.target.streams.own("now", WHOLE) as stream:
        [notes, (name, *published)] = sorted(pair.green.sql(ours), reverse=True)
        assert (notes[0], published) == ("replguard_notes", [False, False])
        with pair.target.streams.own("now", WHOLE):
            assert name in {row[0] for row in pair.green.sql(ours)}, "what another stream uses is left alone"
        pair.blue.sql("INSERT INTO account VALUES (1, 'theirs')")
        pair.green.sql("CREATE TABLE bare (v text); INSERT INTO bare VALUES ('mine')", "UPDATE bare SET v = 'x'")
        pair.green.sql("TRUNCATE bare")
        found = changes(all_of(stream, lambda found: len(found) >= 3))
    blue, green = pair.source.identity.text, pair.target.identity.text
    told = {(change.tables[0].name, change.operation.value): change.origin for change in found}
    assert told == {("account", "insert"): blue, ("bare", "insert"): green, ("bare", "truncate"): green}
    assert [row[0] for row in pair.green.sql(ours)] == ["replguard_notes"]


@pytest.fixture
def texts(pair):
    if not shows_all(pair.blue):
        pytest.skip("this server has no test_decoding")
    return pair


def test_own_stream_tells_local_from_replicated_changes(texts):
    texts.publish("FOR TABLE account")
    texts.subscribe()
    assert texts.link.source == "blue"
    assert texts.target.capabilities.shows_applied
    with texts.target.streams.own("now", WHOLE) as stream:
        assert stream.kind == "test_decoding"
        texts.blue.sql("INSERT INTO account VALUES (1, 'theirs')")
        texts.green.sql(
            "INSERT INTO event VALUES (2, 'mine')",
            "CREATE UNLOGGED TABLE scratch (id int)",
            "INSERT INTO scratch VALUES (1)",
            "CREATE TABLE later (id int, v text)",
            "INSERT INTO later VALUES (3, NULL)",
            "UPDATE event SET v = 'new' WHERE id = 2",
            "DELETE FROM event",
            "TRUNCATE event, later",
        )
        found = changes(all_of(stream, lambda found: len(found) >= 7))
        until(lambda: stream.poll(0.1) or stream.caught_up)
    blue, green = texts.source.identity, texts.target.identity
    foreign = (blue.past | blue.origins) - green.origins
    told = {(change.tables[0].name, change.operation.value): change.origin for change in found}
    assert told.pop(("account", "insert")) in foreign
    assert set(told.values()) == {green.text}
    assert {name for name, _ in told} == {"event", "later"}
    assert all(change.committed_at for change in found)
    by_key = {(change.tables[0].name, change.operation.value): change.key for change in found}
    assert by_key[("event", "update")] == by_key[("event", "delete")] == {"id": 2}


def test_own_stream_reaches_back_as_far_as_a_slot_does(texts):
    server = texts.blue.connect()
    texts.publish("FOR TABLE account")
    texts.subscribe()
    texts.idle()
    since = server.replication.position()
    texts.blue.sql("INSERT INTO event VALUES (1)")
    with server.streams.own(since) as stream:
        assert [change.key for change in changes(all_of(stream, lambda found: found))] == [{"id": 1}]
    texts.blue.sql(f"SELECT pg_replication_slot_advance('{texts.name}', pg_current_wal_lsn())")
    with server.streams.own(since) as stream:
        [gap] = all_of(stream, lambda found: found)
    assert isinstance(gap, Trouble)


def test_own_stream_counts_what_is_not_wanted(texts):
    server = texts.blue.connect()
    with server.streams.own("now", COUNTED) as stream:
        texts.blue.sql(MANY.format(1, 10000), "TRUNCATE event")
        [change] = changes(all_of(stream, lambda found: found))
    assert change.operation is Operation.truncate
    assert stream.tally.changes[TableName("public", "account")] == 10000


def test_making_a_slot_has_a_deadline_and_names_who_is_waited_for(texts):
    server = texts.blue.connect()
    server.streams.slot_deadline = 0.5
    role = texts.blue.unique("streamer")
    texts.blue.sql(f"CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'geheim'")
    lesser = texts.blue.connect(user=role, password="geheim")
    lesser.streams.slot_deadline = 0.5
    with psycopg.connect(texts.blue.dsn) as writer:
        writer.execute("INSERT INTO account VALUES (1)")
        with pytest.raises(DeadlineError) as caught:
            server.streams.own("now")
        assert f"pid {writer.info.backend_pid} (" in caught.value.message
        assert "INSERT INTO account" in caught.value.message
        with pytest.raises(DeadlineError) as caught:
            lesser.streams.own("now")
        assert f"pid {writer.info.backend_pid}" in caught.value.message
        assert "INSERT" not in caught.value.message
        assert "pg_read_all_stats" in str(caught.value.remedy)
    texts.blue.sql("BEGIN; INSERT INTO account VALUES (9); PREPARE TRANSACTION 'blocks'")
    with pytest.raises(DeadlineError, match="prepared transaction 'blocks'"):
        server.streams.own("now")
    texts.blue.sql("ROLLBACK PREPARED 'blocks'")
    with server.streams.own("now") as stream:
        assert list(stream.poll(0.1)) == []
    until(lambda: texts.blue.sql(SLOTS) == [])


HOSTILE = 'Ta: INSERT: b[integer]:1"'


def test_hostile_names_and_values_in_text(texts):
    server = texts.blue.connect()
    schema, table = sql.Identifier('we.ird "s'), sql.Identifier('we.ird "s', HOSTILE)
    kind = sql.Identifier('we.ird "s', "ty]pe:x")
    texts.blue.sql(
        sql.SQL("CREATE SCHEMA {}").format(schema),
        sql.SQL("CREATE TYPE {} AS ENUM ('a b', 'c''d')").format(kind),
        sql.SQL(
            'CREATE TABLE {} (id bigint PRIMARY KEY, "co]l[:x" text, "null" numeric, arr text[], bin bytea, '
            'bits varbit, f float8, e {}, ea {}[], j jsonb, "char" "char", big text, truth boolean)'
        ).format(table, kind, kind),
        sql.SQL("ALTER TABLE {} ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL").format(table),
    )
    text = "it's null[x]:'a' \nnew-tuple: (no-tuple-data)\\"
    with server.streams.own("now", WHOLE) as stream:
        texts.blue.sql(
            sql.SQL(
                "INSERT INTO {} VALUES (1, {}, 'NaN', ARRAY['a', 'b c', NULL, 'q''x'], '\\x00ff', '1011', '-Infinity', "
                "'c''d', '{{a b}}', '{{\"a\": \"b\"}}', 'x', repeat('x', 10000), true)"
            ).format(table, sql.Literal(text)),
            sql.SQL("UPDATE {} SET truth = NULL, f = 1e-300").format(table),
            sql.SQL("DELETE FROM {}").format(table),
        )
        insert, update, delete = changes(all_of(stream, lambda found: len(found) >= 3))
    assert insert.tables == (TableName('we.ird "s', HOSTILE),)
    assert insert.after == {
        "id": 1,
        "co]l[:x": text,
        "null": "NaN",
        "arr": '{a,"b c",NULL,q\'x}',
        "bin": "\\x00ff",
        "bits": "1011",
        "f": "-Infinity",
        "e": "c'd",
        "ea": '{"a b"}',
        "j": '{"a": "b"}',
        "char": "x",
        "big": "x" * 10000,
        "truth": "true",
    }
    assert update.changed == {"truth", "f"}
    assert (update.after["f"], update.after["truth"]) == ("1e-300", None)
    assert delete.key == {"id": 1}
