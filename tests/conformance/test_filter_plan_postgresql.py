"""Publications and subscriptions set by plan: what crosses then, what of a backlog is applied, what is taken back."""

from __future__ import annotations

import json
import random
import threading
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from replguard.demo.servers import until
from replguard.engines.controls import WantedFilter
from replguard.errors import ControlError, PrivilegeError
from tests.conformance.application import TABLES as TABLES_OF_APPLICATION
from tests.conformance.application import Application, codes, told
from tests.servers.choices import versions

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines(*versions())

TABLES = """
CREATE TABLE account (id int PRIMARY KEY, v text);
CREATE TABLE setting (id int PRIMARY KEY, v text, active boolean NOT NULL DEFAULT true);
CREATE TABLE event (id int PRIMARY KEY, v text);
CREATE TABLE "Odd, ""name" (id int PRIMARY KEY);
CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (100);
CREATE TABLE part_high PARTITION OF part FOR VALUES FROM (100) TO (200);
CREATE TABLE heir (more text) INHERITS (account); ALTER TABLE heir ADD PRIMARY KEY (id);
CREATE SCHEMA other; CREATE TABLE other.local (id int PRIMARY KEY)
"""
LOCAL = {"local"}
TWO_WAY = ("account", "setting", "token", "event", "auditlog")
STATE = ("publications", "subscribed", "reads", "slot", "enabled")


class DiedError(Exception):
    """The process dies here."""


class Link:
    """A link from blue to green whose filters are planned; everything is read from the servers."""

    def __init__(self, sides):
        self.blue, self.green = sides
        self.name = self.blue.unique("s")
        self.countdown: int | None = None
        self.forbidden = {"event", "heir"}
        for side in sides:
            side.sql(*TABLES.split(";"))

    def subscribe(self, publications, options="", name=None):
        make = sql.SQL("CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH (copy_data = false" + options + ")")
        names = sql.SQL(publications)
        self.green.sql(make.format(sql.Identifier(name or self.name), sql.Literal(self.blue.dsn), names))
        self.connect()

    def connect(self, **changes):
        self.source, self.target = self.blue.connect(**changes), self.green.connect(**changes)
        self.target._on_statement = self.source._on_statement = self._count

    def _count(self, _cluster, text):
        if self.countdown is not None and text.startswith(("ALTER", "CREATE", "DROP")):
            self.countdown -= 1
            if self.countdown == 0:
                raise DiedError

    @property
    def link(self):
        found = self.target.replication.links({"blue": self.source, "green": self.target})
        return next(link for link in found if link.name == self.name)

    def alter(self, words, name=None):
        self.green.sql(sql.SQL("ALTER SUBSCRIPTION {} " + words).format(sql.Identifier(name or self.name)))

    def pause(self):
        self.alter("DISABLE")
        until(lambda: not self.workers(), "the workers to end")

    def workers(self):
        return self.green.sql(f"SELECT pid FROM pg_stat_subscription WHERE subname = '{self.name}' AND pid IS NOT NULL")

    def wanted(self):
        tables = self.source.catalog.tables()
        chosen: dict[str, list] = {kind: [] for kind in ("forbidden", "config", "local")}
        for table in tables:
            name = table.name.name
            chosen["forbidden" if name in self.forbidden else "local" if name in LOCAL else "config"].append(table)
        return WantedFilter(**{kind: tuple(found) for kind, found in chosen.items()})

    def plan(self):
        made = self.target.filters.plan(self.link, self.source, self.wanted())
        assert json.loads(json.dumps(made.state)) == made.state
        return made

    def state(self):
        found = self.target.filters.state(self.link, self.source)
        return {key: found[key] for key in STATE}

    def apply(self, plan):
        """Each step done twice, and what they say of the state held against the state."""
        link = self.link
        before = self.target.filters.state(link, self.source)
        known = {key: [before[key], *(step.after[key] for step in plan.steps if key in step.after)] for key in before}
        for step in plan.steps:
            for _ in range(2):
                self.target.filters.do(link, self.source, step)
            now = self.target.filters.state(link, self.source)
            assert all(now[key] in known[key] for key in now)
        final = {key: value for step in plan.steps for key, value in step.after.items()}
        assert {key: now[key] for key in final} == final

    def do(self, plan):
        link = self.link
        for step in plan.steps:
            self.target.filters.do(link, self.source, step)

    def undo(self, plan):
        link = self.link
        for step in reversed(plan.steps):
            for _ in range(2):
                self.target.filters.undo(link, self.source, step)

    def write(self, *statements):
        self.blue.sql(*statements)

    @contextmanager
    def load(self):
        """Rows written one by one meanwhile; the ids of those that were."""
        written: list[int] = []
        stop = threading.Event()

        def write():
            with psycopg.connect(self.blue.dsn, autocommit=True) as connection:
                while not stop.is_set():
                    connection.execute("INSERT INTO account VALUES (%s)", [1000 + len(written)])
                    written.append(1000 + len(written))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            yield written
        finally:
            stop.set()
            writer.join()

    @contextmanager
    def open_transaction(self, statement):
        """A transaction of the application that is open already; gives what commits it."""
        with psycopg.connect(self.blue.dsn) as connection:
            connection.execute(statement)
            yield connection.commit

    def caught_up(self):
        position = self.source.replication.position()
        assert self.target.replication.wait_applied(self.link, self.source, position, 30)

    def ids(self, table, side="green"):
        return [row for (row,) in getattr(self, side).sql(f"SELECT id FROM {table} ORDER BY id")]

    def leaks(self):
        filters = self.target.filters.of(self.link, self.source)
        crossing = {table.name.name: filters.crosses(table) for table in self.source.catalog.tables()}
        return {
            name
            for name, found in crossing.items()
            if name not in LOCAL
            and (found.crosses is (name in self.forbidden) or (found.partial and name not in self.forbidden))
        }

    def confirmed(self):
        [(position,)] = self.blue.sql(
            f"SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = '{self.name}'"
        )
        return position


@pytest.fixture
def link(pg_pair):
    made = Link(pg_pair)
    yield made
    made.countdown = None


def test_listed_publications_are_changed_and_changed_back(link):
    """Two publications of the link alone: one with a forbidden table, a row filter and no deletes, one of a schema."""
    rows = " WHERE (active)" if link.blue.major >= 15 else ""
    schema = "TABLES IN SCHEMA other" if link.blue.major >= 15 else "TABLE other.local"
    listed = f'TABLE account, event, part, "Odd, ""name", setting{rows}'
    link.write(
        f"CREATE PUBLICATION p FOR {listed} WITH (publish = 'insert, update')", f"CREATE PUBLICATION q FOR {schema}"
    )
    link.subscribe("p, q")
    assert link.leaks() >= {"event", "account"}
    before, plan = link.state(), link.plan()
    assert [(step.cluster, step.action) for step in plan.steps] == [
        ("blue", "publish"),
        ("green", "aside"),
        ("green", "refresh"),
        ("green", "back"),
    ]
    assert all(text.startswith(("ALTER ", "/* on blue */ ")) for step in plan.steps for text in step.undo)
    assert plan.refused == ()
    link.apply(plan)
    assert link.leaks() == set()
    assert link.plan().steps == ()
    assert link.state()["reads"] == ["p", "q"]
    link.write("INSERT INTO event VALUES (1); INSERT INTO account VALUES (1); INSERT INTO other.local VALUES (1)")
    link.write(
        "INSERT INTO setting VALUES (1, 'x', false); INSERT INTO part VALUES (5), (105); DELETE FROM part WHERE id = 5"
    )
    link.caught_up()
    assert (link.ids("event"), link.ids("account"), link.ids("other.local")) == ([], [1], [1])
    assert (link.ids("setting"), link.ids("part")) == ([1], [105])
    link.undo(plan)
    assert link.state() == before
    link.write("INSERT INTO event VALUES (2)")
    link.caught_up()
    assert link.ids("event") == [2]


def test_backlog_of_a_paused_link_is_neither_applied_nor_lost(link):
    """Forbidden rows wait behind a truncate of a config table in one transaction, and in one so large that it is
    streamed to a worker of its own; the link stays where it stood. A table that inherits is another table.
    """
    link.write("CREATE PUBLICATION p FOR TABLE account, event")
    link.write(f"ALTER DATABASE {link.blue.endpoint.database} SET logical_decoding_work_mem = '64kB'")
    link.subscribe("p", ", streaming = parallel" if link.blue.major >= 16 else ", streaming = on")
    link.write("INSERT INTO account VALUES (1); INSERT INTO event VALUES (1)")
    link.caught_up()
    link.pause()
    link.write("BEGIN; TRUNCATE account; INSERT INTO event VALUES (2); INSERT INTO account VALUES (2); COMMIT")
    link.write("DELETE FROM event; TRUNCATE event; INSERT INTO event VALUES (3); INSERT INTO heir VALUES (9)")
    link.write("INSERT INTO event SELECT 10 * n, repeat('x', 100) FROM generate_series(1, 5000) AS n")
    stood, plan = link.confirmed(), link.plan()
    assert "newly subscribed without a copy: " in " ".join(plan.notes)
    link.apply(plan)
    assert (link.confirmed(), link.ids("account"), link.ids("event")) == (stood, [1], [1])
    assert link.state()["enabled"] is False
    assert link.workers() == []
    link.alter("ENABLE")
    link.write("INSERT INTO setting VALUES (1)")
    link.caught_up()
    assert (link.ids("account"), link.ids("event"), link.ids("setting")) == ([2], [1], [1])
    assert link.leaks() == set()
    [(streamed,)] = link.blue.sql(f"SELECT stream_txns FROM pg_stat_replication_slots WHERE slot_name = '{link.name}'")
    assert streamed > 0


@pytest.mark.parametrize("paused", [False, True])
def test_all_tables_are_replaced_by_a_list(link, paused):
    """The new publication was not there when the backlog was written: the old one is read until that is through.

    The application goes on writing all the time.
    """
    link.write("CREATE PUBLICATION p FOR ALL TABLES")
    link.subscribe("p")
    link.caught_up()
    before = link.state()
    if paused:
        link.pause()
        link.write("INSERT INTO account VALUES (1); INSERT INTO event VALUES (1)")
    plan = link.plan()
    assert [step.action for step in plan.steps] == ["publish", "aside", "refresh", "back", "switch"][
        : 4 if paused else 5
    ]
    with link.load() as written, link.open_transaction("INSERT INTO account VALUES (-1)") as end:
        ending = threading.Timer(1.0, end)
        ending.start()
        link.apply(plan)
        ending.join()
    if paused:
        assert "goes on reading p" in " ".join(plan.notes)
        link.alter("ENABLE")
        link.caught_up()
        assert (link.ids("account"), link.ids("event")) == ([-1, 1, *written], [])
        [step] = link.plan().steps
        assert step.action == "switch"
        link.target.filters.do(link.link, link.source, step)
    own = f"replguard_{link.name}"
    assert link.state()["reads"] == [own]
    assert link.leaks() == set()
    assert link.plan().steps == ()
    link.write(
        "CREATE TABLE later (id int PRIMARY KEY)", "INSERT INTO event VALUES (2); INSERT INTO account VALUES (2)"
    )
    link.caught_up()
    assert link.ids("account") == sorted({*([-1, 1, 2] if paused else [-1, 2]), *written})
    assert (len(written) > 10, set(link.ids("event")) & {1, 2}) == (True, set())
    if not paused:
        link.undo(plan)
        assert link.state() == before


def test_what_others_read_is_not_changed(link):
    """Another subscription, and a slot of which nobody knows what it is read with."""
    link.write("CREATE PUBLICATION p FOR TABLE ONLY account, event")
    link.subscribe("p")
    early = link.plan()
    link.subscribe("p", name=link.name + "_2")
    with pytest.raises(ControlError, match="p may be read by others by now"):
        link.do(early)
    plan = link.plan()
    assert [step.action for step in plan.steps] == ["publish", "aside", "refresh", "back", "switch"]
    assert "p may be read by other subscriptions" in " ".join(plan.notes)
    link.apply(plan)
    assert link.leaks() == set()
    link.write("INSERT INTO event VALUES (1)")
    link.caught_up()
    until(lambda: link.ids("event") == [1], "the other subscription to have applied it")
    [(listed,)] = link.blue.sql("SELECT count(*) FROM pg_publication_tables WHERE pubname = 'p'")
    assert listed == 2


def test_partitions_go_on_travelling_as_they_do(link):
    link.write("CREATE PUBLICATION p FOR TABLE part, event WITH (publish_via_partition_root = true)")
    link.subscribe("p")
    link.apply(link.plan())
    assert ["public", "part"] in link.state()["subscribed"]
    assert ["public", "part_low"] not in link.state()["subscribed"]
    assert link.leaks() == set()
    link.forbidden.add("part_low")
    [why] = link.plan().refused
    assert "part_high travels as public.part" in why


def test_what_cannot_be_published_is_left_out_and_said(link):
    link.write("CREATE PUBLICATION p FOR TABLE ONLY account")
    link.subscribe("p")
    link.write("CREATE TABLE keyless (v text)", "CREATE TABLE onlyhere (id int PRIMARY KEY)")
    link.green.sql("CREATE TABLE keyless (v text)")
    plan = link.plan()
    notes = " ".join(plan.notes)
    assert "public.keyless is left out: it has no replica identity" in notes
    assert "public.onlyhere is left out: the target has no such table" in notes
    assert not [step for step in plan.steps if step.detail.get("put_aside")]  # nothing is removed: no interruption
    link.apply(plan)
    assert link.leaks() == {"keyless", "onlyhere"}
    link.alter("SET PUBLICATION p, gone WITH (refresh = false)")
    assert "gone" in link.plan().refused[0]


def test_a_role_without_rights_is_told_whose(link):
    role = link.blue.unique("r")
    link.write("CREATE PUBLICATION p FOR TABLE account, event")
    link.subscribe("p")
    for side in (link.blue, link.green):
        side.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'x'", f"GRANT pg_monitor TO {role}")
    owner = link.link.detail["owner"]
    try:
        link.connect(user=role, password="x")
        before, plan = link.state(), link.plan()
        with pytest.raises(PrivilegeError) as publishing:
            link.target.filters.do(link.link, link.source, plan.steps[0])
        assert str(publishing.value.remedy).startswith(f'GRANT "{owner}" TO "{role}"')
        with pytest.raises(PrivilegeError) as subscribing:
            link.target.filters.do(link.link, link.source, plan.steps[1])
        assert str(subscribing.value.remedy).startswith(f'GRANT "{owner}" TO "{role}"')
        assert link.state() == before
    finally:
        for server in (*link.blue.servers, *link.green.servers):
            server.close()
        for side in (link.blue, link.green):
            side.sql(f"DROP ROLE {role}")


@pytest.mark.engines("postgresql-18")
def test_interrupted_anywhere_it_is_finished_or_taken_back(link, thorough):
    """Death before each statement, with forbidden rows waiting: nothing of them is applied, nothing else is lost.

    The publication that is made was not there when these were written, so nothing may be read by it.
    """
    link.write("CREATE PUBLICATION p FOR ALL TABLES")
    link.subscribe("p")
    link.caught_up()
    link.pause()
    link.write("INSERT INTO event VALUES (1); INSERT INTO account VALUES (1)")
    before, plan = link.state(), link.plan()
    total = sum(len(step.statements) for step in plan.steps)
    deaths = range(1, total + 1)
    for number in deaths if thorough else sorted(random.Random(5).sample(deaths, 3)):
        for finish in (True, False) if thorough else (number % 2 == 0,):
            link.countdown = number
            with pytest.raises(DiedError):
                link.do(plan)
            link.countdown = None
            assert link.link.source == "blue"
            if finish:
                link.apply(plan)
                assert link.leaks() == set()
            link.undo(plan)
            assert link.state() == before
            assert (link.ids("event"), link.ids("account")) == ([], [])
    link.apply(plan)
    link.alter("ENABLE")
    link.caught_up()
    assert (link.ids("event"), link.ids("account")) == ([], [1])


def _planned(clusters, path):
    """Audit fails, plan, apply, audit passes, nothing more to do."""
    assert "leak.configured" in codes(clusters.audit())
    report = clusters.plan_filters(path)
    assert report.verdict == "pass", told(report)
    done = clusters.apply_filters(path)
    assert done.verdict == "pass", told(done)
    assert codes(clusters.audit()) == []
    assert [item.message for item in told(clusters.audit()) if item.code == "filter.fragile"] == []
    assert "nothing to do" in clusters.plan_filters().checks[0].summary


@pytest.mark.engines("postgresql")
def test_one_way_pair_is_planned_and_applied_while_paused(app, tmp_path):
    """By the commands' own way, with a plan that is refused once its state has changed."""
    path = tmp_path / "filters.plan"
    app.let_cross()
    with app.clusters() as clusters:
        assert clusters.plan_filters(path).verdict == "pass"
        app.stop_applying()
        assert "plan.stale" in codes(clusters.apply_filters(path))
        app.db.run("blue", "INSERT INTO event VALUES (7, 'x')", "INSERT INTO account VALUES (77, 'y', NULL)")
        _planned(clusters, path)
        assert app.db.query("green", "SELECT count(*) FROM account WHERE id = 77") == [(0,)]
        app.db.run("green", f"ALTER SUBSCRIPTION {app.subscription} ENABLE")
        app.db.wait_caught_up()
        assert app.db.query("green", "SELECT count(*) FROM account WHERE id = 77") == [(1,)]
        assert app.db.query("green", "SELECT count(*) FROM event WHERE id = 7") == [(0,)]
        undone = clusters.undo_filters(path)
        assert undone.verdict == "pass", told(undone)
        assert "leak.configured" in codes(clusters.audit())


def test_two_way_pair_with_two_subscriptions(two_way_db, tmp_path):
    """Two subscriptions share the tables out: what neither carries is carried by one, and nothing by both."""
    app = Application(two_way_db, tmp_path)
    two_way_db.both(*TABLES_OF_APPLICATION["postgresql"])
    two_way_db.link(["public.account", "public.event", "public.auditlog"])
    [(source,)] = two_way_db.query(
        "green",
        "SELECT subconninfo FROM pg_subscription WHERE subdbid = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    two_way_db.run("blue", "CREATE PUBLICATION extra FOR TABLE token, event")
    name = f"{two_way_db.name}_extra"
    two_way_db.run(
        "green",
        f"CREATE SUBSCRIPTION {name} CONNECTION '{source}' PUBLICATION extra WITH (copy_data = false, origin = none)",
    )
    with app.clusters() as clusters:
        _planned(clusters, tmp_path / "filters.plan")
        assert len(clusters.links()[0]) == 3
    two_way_db.run(
        "blue",
        "INSERT INTO event VALUES (1, 'x')",
        "INSERT INTO account VALUES (1, 'x', NULL)",
        "INSERT INTO setting VALUES ('x', 'y')",
        "INSERT INTO token VALUES ('x')",
    )
    two_way_db.run("green", "INSERT INTO auditlog VALUES (1, 'x')", "INSERT INTO account VALUES (2, 'x', NULL)")
    two_way_db.wait_caught_up()
    counts = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in TWO_WAY)
    assert two_way_db.query("green", counts) == [(2, 1, 1, 0, 1)]
    assert two_way_db.query("blue", counts) == [(2, 1, 1, 1, 0)]
