"""Subscriptions as links: found, matched, judged, filtered, read, paused and resumed on two real servers."""

from __future__ import annotations

import secrets
import time
from typing import Any

import psycopg
import pytest
from psycopg import sql

from replguard.errors import ControlError, PrivilegeError, StreamError
from replguard.model.changes import Operation, Trouble, TroubleKind
from replguard.model.links import LinkState
from replguard.model.tables import TableName
from tests.servers.choices import versions

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())

TABLES = "CREATE TABLE account (id int PRIMARY KEY, v text); CREATE TABLE event (id int PRIMARY KEY, v text)"


def until(question, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return answer


class Pair:
    """Blue publishes to green; ``link`` is that link, read now."""

    def __init__(self, blue, green):
        self.blue, self.green = blue, green
        self.name = blue.unique("s")
        self.source: Any = None
        self.target: Any = None

    def connect(self):
        self.source, self.target = self.blue.connect(), self.green.connect()
        return self

    def publish(self, what, publication="p", options=""):
        self.blue.sql(f"CREATE PUBLICATION {publication} {what} {options}")

    def subscribe(self, publications="p", options="copy_data = false", name=None):
        make = sql.SQL("CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH (").format(
            sql.Identifier(name or self.name), sql.Literal(self.blue.dsn), sql.SQL(publications)
        )
        self.green.sql(make + sql.SQL(options + ")"))
        return self.connect()

    def links(self):
        return self.target.replication.links({"blue": self.source, "green": self.target})

    @property
    def link(self):
        [link] = self.links()
        return link

    def filters(self):
        return self.target.filters.of(self.link, self.source)

    def crosses(self, table, schema="public"):
        tables = {one.name: one for one in self.source.catalog.tables()}
        return self.filters().crosses(tables[TableName(schema, table)])

    def alter(self, words):
        self.green.sql(sql.SQL("ALTER SUBSCRIPTION {} " + words).format(sql.Identifier(self.name)))

    def idle(self):
        """Disabled, and its slot free."""
        self.alter("DISABLE")
        until(lambda: self.link.state is LinkState.paused)
        until(lambda: not self.slot("active"))

    def slot(self, column):
        [(value,)] = self.blue.sql(f"SELECT {column}::text FROM pg_replication_slots WHERE slot_name = '{self.name}'")
        return None if value == "false" else value

    def read(self, stream, polls=40):
        found = []
        for _ in range(polls):
            found += stream.poll(0.1)
            if stream.caught_up:
                break
        return found


@pytest.fixture
def pair(pg_pair):
    blue, green = pg_pair
    for side in pg_pair:
        side.sql(TABLES)
    return Pair(blue, green)


def test_running_link_is_matched_and_known(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    until(lambda: pair.link.received is not None)  # a worker has heard nothing before its source speaks
    link = pair.link
    assert (link.source, link.target, link.state, link.errors) == ("blue", "green", LinkState.running, ())
    assert link.label == f"blue->green/{pair.name}"
    assert link.lag_seconds is not None
    assert link.received is not None
    assert link.applied is not None
    assert link.detail["publications"] == ["p"]
    assert "password" not in str(link)
    assert pair.source.replication.links({"green": pair.target}) == ()
    assert pair.target.replication.problems(link, "running", pair.source) == ()
    assert pair.target.replication.problems(link, "paused", pair.source) != ()


def test_unknown_publisher_stays_unmatched(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    [link] = pair.target.replication.links({"green": pair.target})
    assert link.source is None
    assert link.why_unmatched == "there is no other cluster to compare with"
    pair.blue.sql(f"SELECT pg_create_logical_replication_slot('{pair.name}_x', 'pgoutput')")
    other = pair.blue.unique("other")
    pair.green.sql(
        sql.SQL("CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION p WITH (connect = false, slot_name = {})").format(
            sql.Identifier(other), sql.Literal("dbname=elsewhere host=h"), sql.Literal(f"{pair.name}_x")
        )
    )
    found = {link.name: link for link in pair.links()}[other]
    assert found.source is None
    assert "database 'elsewhere'" in found.why_unmatched


@pytest.mark.engines("postgresql-18")
def test_failing_apply_is_broken(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.green.sql("INSERT INTO account VALUES (1, 'mine')")
    pair.blue.sql("INSERT INTO account VALUES (1, 'theirs')")
    until(lambda: pair.link.state is LinkState.broken)
    for _ in range(2):
        link = pair.link
        assert (link.source, link.state) == ("blue", LinkState.broken)
        assert "apply worker" in link.errors[0]


def test_dropped_slot_is_broken_or_unmatched(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.idle()
    pair.blue.sql(f"SELECT pg_drop_replication_slot('{pair.name}')")
    assert pair.link.source is None
    assert "no logical slot" in pair.link.why_unmatched


def test_crossing_needs_publication_and_subscription(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    assert pair.crosses("account").crosses is True
    assert pair.crosses("event").crosses is False
    pair.blue.sql("ALTER PUBLICATION p ADD TABLE event")
    assert pair.crosses("event").crosses is False
    assert "REFRESH" in " ".join(one.message for one in pair.filters().fragile(pair.source.catalog.tables()))
    pair.alter("REFRESH PUBLICATION")
    assert pair.crosses("event").crosses is True
    pair.blue.sql("ALTER PUBLICATION p DROP TABLE event")
    assert pair.crosses("event").crosses is False
    assert "still subscribed" in " ".join(one.message for one in pair.filters().fragile(pair.source.catalog.tables()))


def test_union_of_publications(pair):
    pair.publish("FOR TABLE account")
    pair.publish("FOR TABLE event", "q")
    pair.subscribe("p, q")
    assert (pair.crosses("account").crosses, pair.crosses("account").partial) == (True, False)
    assert pair.crosses("event").crosses is True


def test_operations_unite_and_a_part_is_told(pair):
    pair.publish("FOR TABLE account", "p", "WITH (publish = 'insert')")
    pair.publish("FOR TABLE account", "q", "WITH (publish = 'update, delete')")
    pair.subscribe("p, q")
    crossing = pair.crosses("account")
    assert (crossing.crosses, crossing.partial) == (True, True)
    assert "no truncate" in crossing.why


def test_all_tables_and_unlogged(pair):
    for side in (pair.blue, pair.green):
        side.sql("CREATE UNLOGGED TABLE scratch (id int)")
    pair.publish("FOR ALL TABLES")
    pair.subscribe()
    assert pair.crosses("event").crosses is True
    assert pair.crosses("scratch").crosses is False
    assert any("FOR ALL TABLES" in one.message for one in pair.filters().fragile(()))


def test_schema_row_filter_and_column_list(pair):
    for side in (pair.blue, pair.green):
        side.sql("CREATE SCHEMA st; CREATE TABLE st.a (id int PRIMARY KEY)")
    pair.publish("FOR TABLES IN SCHEMA st, TABLE account WHERE (id > 5)")
    pair.publish("FOR TABLE event (id)", "q")
    pair.subscribe("p, q")
    assert pair.crosses("a", "st").crosses is True
    assert pair.crosses("account").partial
    assert "id > 5" in pair.crosses("account").why
    assert pair.crosses("event").partial
    assert any("TABLES IN SCHEMA st" in one.message for one in pair.filters().fragile(()))


ROOT = (
    "CREATE TABLE track (d date, id int, PRIMARY KEY (d, id)) PARTITION BY RANGE (d)",
    "CREATE TABLE track_1 PARTITION OF track FOR VALUES FROM ('2024-01-01') TO ('2024-01-02')",
)


@pytest.mark.parametrize("via_root", ["true", "false"])
def test_partitions_cross_with_their_root(pair, via_root):
    for side in (pair.blue, pair.green):
        side.sql(*ROOT)
    pair.publish("FOR TABLE track", options=f"WITH (publish_via_partition_root = {via_root})")
    pair.subscribe()
    assert pair.crosses("track").crosses is True
    assert pair.crosses("track_1").crosses is True
    with pair.source.streams.sent(pair.link, pair.target, "now") as stream:
        pair.blue.sql("INSERT INTO track VALUES ('2024-01-01', 7)")
        [change] = until(lambda: stream.poll(0.1))
    assert change.tables == (TableName("public", "track" if via_root == "true" else "track_1"),)
    assert change.key == {"d": "2024-01-01", "id": 7}
    assert pair.filters().applies(change).crosses is True


def test_future_partition_needs_refresh_without_via_root(pair):
    for side in (pair.blue, pair.green):
        side.sql(*ROOT)
    pair.publish("FOR TABLE track")
    pair.subscribe()
    pair.blue.sql("CREATE TABLE track_2 PARTITION OF track DEFAULT")
    assert pair.crosses("track_2").crosses is False
    assert any("new partitions" in one.message for one in pair.filters().fragile(pair.source.catalog.tables()))


def test_without_source_nothing_is_claimed(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    filters = pair.target.filters.of(pair.link, None)
    crossings = {table.name.name: filters.crosses(table).crosses for table in pair.target.catalog.tables()}
    assert crossings == {"account": None, "event": False}


def test_no_replica_identity_is_told(pair):
    for side in (pair.blue, pair.green):
        side.sql("CREATE TABLE bare (v text)")
    pair.publish("FOR TABLE bare", options="WITH (publish = 'insert')")
    pair.publish("FOR TABLE bare", "q", "WITH (publish = 'insert, update')")
    pair.subscribe("p, q")
    assert any("no replica identity" in one.message for one in pair.filters().fragile(pair.source.catalog.tables()))


def test_initial_copy_counts(pair):
    pair.blue.sql("INSERT INTO event SELECT generate_series(1, 10)")
    pair.green.sql("INSERT INTO event VALUES (5)")
    pair.publish("FOR TABLE event")
    pair.subscribe(options="copy_data = true")
    assert pair.link.initial_copy == ("public.event",)
    crossing = pair.crosses("event")
    assert crossing.crosses is True
    assert "initial copy" in crossing.why


def test_stream_shows_every_kind_of_change_and_moves_nothing(pair):
    pair.publish("FOR TABLE account, event")
    pair.subscribe()
    pair.idle()
    before = pair.slot("(restart_lsn, confirmed_flush_lsn)")
    pair.blue.sql(
        "INSERT INTO event VALUES (1, 'a'), (2, 'b')",
        "UPDATE event SET id = 3 WHERE id = 2",
        "DELETE FROM event WHERE id = 1",
        "TRUNCATE event, account",
        "INSERT INTO account VALUES (9, NULL)",
    )
    with pair.source.streams.pending(pair.link, pair.target) as stream:
        changes = pair.read(stream)
        assert stream.caught_up
        assert list(stream.poll(0.0)) == []
        pair.blue.sql("INSERT INTO account VALUES (10, 'later')")
        assert list(stream.poll(0.3)) == []
    shown = [(one.operation, one.tables[0].name, dict(one.key) if one.key else None) for one in changes]
    assert shown[:4] == [
        (Operation.insert, "event", {"id": 1}),
        (Operation.insert, "event", {"id": 2}),
        (Operation.update, "event", {"id": 3}),
        (Operation.delete, "event", {"id": 1}),
    ]
    assert sorted(shown[4:6]) == [(Operation.truncate, "account", None), (Operation.truncate, "event", None)]
    assert shown[6:] == [(Operation.insert, "account", {"id": 9})]
    assert changes[2].detail == {"old_key": {"id": 2}}
    assert all(one.transaction and one.committed_at for one in changes)
    assert pair.slot("(restart_lsn, confirmed_flush_lsn)") == before
    until(
        lambda: (
            pair.blue.sql("SELECT count(*) FROM pg_replication_slots WHERE temporary AND slot_name ~ 'replguard'")[0][0]
            == 0
        )
    )


def test_now_start_and_a_position(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.idle()
    pair.blue.sql("INSERT INTO account VALUES (1)")
    middle = pair.source.replication.position()
    pair.blue.sql("INSERT INTO account VALUES (2)")
    seen = {}
    for name, since in {"start": "start", "middle": middle, "now": "now"}.items():
        with pair.source.streams.sent(pair.link, pair.target, since) as stream:
            seen[name] = [change.key["id"] for change in pair.read(stream)]
    assert seen == {"start": [1, 2], "middle": [2], "now": []}


def test_a_table_that_appears_while_the_stream_is_read_is_never_said_to_stay(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    filters = pair.filters()
    assert pair.crosses("event").crosses is False
    with pair.source.streams.sent(pair.link, pair.target, "now") as stream:
        pair.blue.sql("ALTER TABLE account RENAME TO forbidden", "INSERT INTO forbidden VALUES (1)")
        [change] = until(lambda: stream.poll(0.1))
        assert filters.applies(change).crosses is None
        pair.green.sql("ALTER TABLE account RENAME TO forbidden")
        until(lambda: filters.applies(change).crosses is True)
        pair.blue.sql("ALTER PUBLICATION p ADD TABLE event", "INSERT INTO event VALUES (1)")
        [change] = until(lambda: stream.poll(0.1))
        assert filters.applies(change).crosses is False
        pair.alter("REFRESH PUBLICATION WITH (copy_data = false)")
        until(lambda: filters.applies(change).crosses is True)


def test_what_is_gone_is_a_gap(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    old = pair.source.replication.position()
    pair.blue.sql("INSERT INTO account VALUES (1)")
    assert pair.target.replication.wait_applied(pair.link, pair.source, pair.source.replication.position(), 20)
    with pair.source.streams.sent(pair.link, pair.target, old) as stream:
        [trouble] = [one for one in pair.read(stream) if isinstance(one, Trouble)]
    assert trouble.kind is TroubleKind.gap


def test_a_large_transaction_comes_in_portions(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.idle()
    pair.blue.sql("INSERT INTO account SELECT generate_series(1, 12000)")
    with pair.source.streams.pending(pair.link, pair.target) as stream:
        portions = []
        while not stream.caught_up:
            portions.append(len(stream.poll(0.1)))
    assert sum(portions) == 12000
    assert max(portions) == 5000


def test_own_origin_option_hides_what_is_not_sent(pair):
    if pair.blue.major < 16:
        pytest.skip("the origin option came with version 16")
    pair.publish("FOR TABLE account")
    pair.subscribe(options="copy_data = false, origin = none")
    pair.idle()
    pair.blue.sql(
        "SELECT pg_replication_origin_create('x')",
        "SELECT pg_replication_origin_session_setup('x'); INSERT INTO account VALUES (1)",
        "INSERT INTO account VALUES (2)",
    )
    with pair.source.streams.pending(pair.link, pair.target) as stream:
        assert [one.key["id"] for one in pair.read(stream)] in ([2], [])
    pair.blue.sql("SELECT pg_replication_origin_drop('x')")


def test_streaming_needs_replication(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    role = pair.blue.unique("reader")
    pair.blue.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'")
    reader = pair.blue.connect(user=role, password="geheim")
    with pytest.raises(PrivilegeError) as caught:
        reader.streams.sent(pair.link, pair.target, "now")
    assert caught.value.remedy == f'ALTER ROLE "{role}" REPLICATION'
    pair.blue.sql(f"ALTER ROLE {role} REPLICATION")
    again = pair.blue.connect(user=role, password="geheim")
    with again.streams.sent(pair.link, pair.target, "now") as stream:
        assert list(stream.poll(0.1)) == []


def test_a_slot_that_is_gone_is_a_stream_error(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.idle()
    link = pair.link
    pair.blue.sql(f"SELECT pg_drop_replication_slot('{pair.name}')")
    with pytest.raises(StreamError):
        pair.source.streams.pending(link, pair.target)


def test_least_privilege_leaves_the_address_unknown_and_still_matches(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    role = pair.green.unique("reader")
    pair.green.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'")
    reader = pair.green.connect(user=role, password="geheim")
    [link] = reader.replication.links({"blue": pair.source})
    assert (link.source, link.state, link.address) == ("blue", LinkState.running, "")
    assert "subconninfo" in link.detail["address_unknown"]
    with pytest.raises(PrivilegeError):
        reader.replication.stop_receiver(link)


def test_applied_rows_tell_their_origin(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    pair.green.sql("INSERT INTO account VALUES (100, 'local')")
    pair.blue.sql("INSERT INTO account VALUES (1), (2)")
    assert pair.target.replication.wait_applied(pair.link, pair.source, pair.source.replication.position(), 20)
    [found] = pair.target.streams.applied_rows(pair.link, pair.source, pair.target.catalog.tables())
    assert (found.table.name, found.count) == ("account", 2)
    assert found.origin.startswith("pg_")
    assert found.first_at is not None


def test_copied_rows_are_told_though_their_origin_is_dropped(pair):
    pair.blue.sql("INSERT INTO event VALUES (1), (2), (3)")
    pair.publish("FOR TABLE event")
    pair.subscribe(options="copy_data = true")
    until(lambda: not pair.link.initial_copy)
    tables = pair.target.catalog.tables()

    def told():
        [found] = pair.target.streams.applied_rows(pair.link, pair.source, tables)
        assert (found.table.name, found.count) == ("event", 3)
        return found.origin

    # The worker of the copy drops its origin a moment after the copy is done.
    until(lambda: told().startswith("initial copy"))
    pair.blue.sql("ALTER PUBLICATION p DROP TABLE event", "ALTER PUBLICATION p ADD TABLE account")
    pair.alter("REFRESH PUBLICATION")
    until(lambda: not pair.link.initial_copy)
    [found] = pair.target.streams.applied_rows(pair.link, pair.source, tables)
    assert (found.count, found.certain) == (3, False), "they came by replication, over a link that is not remembered"


def test_what_the_target_applied_is_not_pending(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    for number in range(20):
        pair.blue.sql(f"INSERT INTO account VALUES ({number})")
    until(lambda: pair.green.sql("SELECT count(*) FROM account") == [(20,)])
    pair.idle()
    with pair.source.streams.pending(pair.link, pair.target) as stream:
        assert pair.read(stream) == []


def test_pause_is_drained_and_resume_runs(pair):
    pair.publish("FOR TABLE account")
    pair.subscribe()
    control = pair.target.replication
    for number in range(1, 6):
        pair.blue.sql(f"INSERT INTO account SELECT generate_series({number * 1000}, {number * 1000 + 99})")
        link = pair.link
        assert control.wait_applied(link, pair.source, pair.source.replication.position(), 20)
        control.stop_receiver(link)
        assert control.drain(link, 5)
        control.stop_applier(link)
        assert control.problems(link, "paused", pair.source) == ()
        assert pair.link.state is LinkState.paused
        assert pair.green.sql("SELECT count(*) FROM account") == [(number * 100,)]
        pair.blue.sql(f"INSERT INTO event VALUES ({number})")
        with pytest.raises(ControlError):
            control.wait_applied(link, pair.source, pair.source.replication.position(), 20)
        assert control.problems(link, "running", pair.source) != ()
        control.start(link)
        assert control.problems(link, "running", pair.source) == ()
    assert control.statements(pair.link, "pause") == (f'ALTER SUBSCRIPTION "{pair.name}" DISABLE',)
    assert control.statements(pair.link, "resume") == (f'ALTER SUBSCRIPTION "{pair.name}" ENABLE',)


def test_hostile_names_all_the_way(pair):
    name = pair.blue.unique('Order"; DROP--%s{{x}}')
    table = sql.Identifier('Order"; DROP--')
    for side in (pair.blue, pair.green):
        side.sql(sql.SQL("CREATE TABLE {0} ({0} int PRIMARY KEY)").format(table))
    pair.blue.sql(sql.SQL("CREATE PUBLICATION {0} FOR TABLE {0}").format(table))
    pair.name = name
    slot = pair.blue.unique("slot")
    pair.subscribe(table.as_string(None), f"copy_data = false, slot_name = '{slot}'")
    link = pair.link
    assert (link.name, link.state) == (name, LinkState.running)
    assert pair.crosses('Order"; DROP--').crosses is True
    with pair.source.streams.sent(link, pair.target, "now") as stream:
        pair.blue.sql(sql.SQL("INSERT INTO {} VALUES (1)").format(table))
        [change] = until(lambda: stream.poll(0.1))
    assert change.key == {'Order"; DROP--': 1}
    pair.target.replication.stop_receiver(link)
    assert pair.target.replication.problems(link, "paused", pair.source) == ()


def test_probe_tells_servers_apart(pair):
    pair.connect()
    for token in (secrets.randbits(63), 2**64 - 1 - secrets.randbits(60)):
        with pair.source.probe(token):
            assert pair.source.sees_probe(token)
            assert not pair.target.sees_probe(token)
            assert not pair.source.sees_probe(token - 1)
        until(lambda token=token: not pair.source.sees_probe(token))


def test_readers_cannot_write(pair):
    pair.connect()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        pair.source.session._connection.execute("CREATE TABLE x ()")
