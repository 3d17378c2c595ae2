"""Links of MariaDB and MySQL: discovered, matched by identity, judged, paused and resumed, on real pairs."""

from __future__ import annotations

import pytest

from replguard.errors import ControlError, PrivilegeError
from replguard.model.links import LinkState
from tests.conformance.mysql_mariadb_sides import (
    LOCAL,
    START,
    STOP,
    STOP_APPLIER,
    STOP_RECEIVER,
    eventually,
    of_server,
    two_sides,
)

pytestmark = pytest.mark.engines("mariadb", "mysql")


@pytest.fixture
def sides(make_pair):
    """Two servers without replication between them, and an empty database of the same name on each."""
    pair = make_pair(direction="none")
    with two_sides(of_server("blue", pair.blue), of_server("green", pair.green)) as both:
        yield both


def servers(sides):
    return {side.name: side.connect() for side in sides}


def link(peers, target="green", name=""):
    return next(found for found in peers[target].replication.links(peers) if found.name == name)


def running(peers, target="green", name=""):
    return eventually(lambda: (found := link(peers, target, name)).state is LinkState.running and found)


def test_a_pair_without_replication_has_no_link(sides):
    peers = servers(sides)
    assert peers["green"].replication.links(peers) == ()


def test_a_running_link_is_matched_by_the_identity_of_its_source(sides):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    found = running(peers)
    assert (found.source, found.target, found.why_unmatched, found.errors) == ("blue", "green", None, ())
    assert found.label == "blue->green"
    assert found.address == f"127.0.0.1:{blue.port}"
    assert found.detail["source_server_id"] == peers["blue"].identity.detail["server_id"]
    assert eventually(lambda: link(peers).lag_seconds is not None)
    assert peers["blue"].replication.links(peers) == ()


def test_both_directions_and_several_channels_are_told_apart(sides):
    blue, green = sides
    green.replicate(blue, "from_blue")
    blue.replicate(green)
    green.replicate(type(green)("nobody", green.engine, "127.0.0.1", 9, "x", "x"), "it_s dr", start=False)
    peers = servers(sides)
    assert running(peers, "blue").source == "green"
    assert running(peers, "green", "from_blue").source == "blue"
    strange = link(peers, "green", "it_s dr")
    assert strange.source is None
    assert "never reached" in strange.why_unmatched
    assert strange.state is LinkState.paused
    green.switch(START, "it_s dr")
    broken = eventually(
        lambda: (found := link(peers, "green", "it_s dr")).state is LinkState.broken and found.errors and found
    )
    assert "127.0.0.1:9" in broken.errors[0]
    assert broken.lag_seconds is None


def test_a_source_that_is_no_peer_is_unmatched_and_says_so(sides):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    running(peers)
    found = peers["green"].replication.links({"green": peers["green"]})[0]
    assert found.source is None
    assert "none of green" in found.why_unmatched


@pytest.mark.parametrize("stopped", [STOP_RECEIVER, STOP_APPLIER])
def test_half_a_link_is_broken(sides, stopped):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    running(peers)
    green.switch(stopped)
    assert link(peers).state is LinkState.broken
    if stopped is STOP_APPLIER:
        assert link(peers).lag_seconds is None
    green.switch(STOP)
    assert link(peers).state is LinkState.paused


def test_an_apply_error_makes_the_link_broken_and_names_it(sides):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    eventually(lambda: green.sql("SHOW TABLES LIKE 't'"))
    green.sql(LOCAL, "INSERT INTO t VALUES (1)")
    blue.sql("INSERT INTO t VALUES (1)")
    found = eventually(lambda: (found := link(peers)).state is LinkState.broken and found)
    assert any("1062" in error for error in found.errors)
    assert any("1062" in problem for problem in peers["green"].replication.problems(found, "running", peers["blue"]))
    with pytest.raises(ControlError, match="no progress"):
        peers["green"].replication.wait_applied(found, peers["blue"], peers["blue"].replication.position(), 20)
    green.sql(LOCAL, "DELETE FROM t")
    green.switch(STOP)
    green.switch(START)
    assert running(peers)


def test_waiting_ends_when_everything_is_applied_and_not_before(sides):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    running(peers)
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)", *(f"INSERT INTO t VALUES ({n})" for n in range(50)))
    position = peers["blue"].replication.position()
    assert peers["green"].replication.wait_applied(link(peers), peers["blue"], position, 20)
    assert green.sql("SELECT COUNT(*) FROM t") == ((50,),)
    green.switch(STOP_APPLIER)
    blue.sql("INSERT INTO t VALUES (50)")
    with pytest.raises(ControlError, match="applier is stopped"):
        peers["green"].replication.wait_applied(link(peers), peers["blue"], peers["blue"].replication.position(), 20)
    green.switch(STOP)


def test_a_position_of_a_two_way_pair_holds_the_targets_own_writes_and_is_reached(sides):
    blue, green = sides
    green.replicate(blue)
    blue.replicate(green)
    peers = servers(sides)
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    eventually(lambda: green.sql("SHOW TABLES LIKE 't'"))
    green.sql("INSERT INTO t VALUES (1)")
    eventually(lambda: blue.sql("SELECT * FROM t"))
    blue.sql("INSERT INTO t VALUES (2)")
    for source, target in (("blue", "green"), ("green", "blue")):
        found = running(peers, target)
        position = peers[source].replication.position()
        assert peers[target].replication.wait_applied(found, peers[source], position, 20)


def test_waiting_for_what_never_comes_ends_at_its_time(sides):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    found = running(peers)
    kind = type(peers["blue"].replication.position())
    never = {"mariadb": "77-77-77", "mysql": "00000000-0000-0000-0000-000000000001:1"}[blue.engine]
    position = kind(peers["blue"].replication.position().kind, never)
    assert not peers["green"].replication.wait_applied(found, peers["blue"], position, 1.2)


def test_pause_drained_and_resume(sides):
    blue, green = sides
    green.replicate(blue, "main")
    peers = servers(sides)
    replication = peers["green"].replication
    found = running(peers, name="main")
    assert replication.problems(found, "running", peers["blue"]) == ()
    assert replication.problems(found, "paused", peers["blue"])
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    replication.wait_applied(found, peers["blue"], peers["blue"].replication.position(), 20)
    replication.stop_receiver(found)
    assert replication.drain(found, 20)
    replication.stop_applier(found)
    assert replication.problems(found, "paused", peers["blue"]) == ()
    assert link(peers, name="main").state is LinkState.paused
    blue.sql("INSERT INTO t VALUES (2)")
    assert replication.problems(found, "paused", peers["blue"]) == ()
    assert green.sql("SELECT * FROM t") == ((1,),)
    replication.start(found)
    running(peers, name="main")
    assert eventually(lambda: len(green.sql("SELECT * FROM t")) == 2)
    assert eventually(lambda: replication.problems(found, "running", peers["blue"]) == ())


def test_what_was_fetched_and_not_applied_stands_against_paused(sides):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    replication = peers["green"].replication
    found = running(peers)
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    eventually(lambda: green.sql("SHOW TABLES LIKE 't'"))
    green.switch(STOP_APPLIER)
    before = link(peers)
    blue.sql("INSERT INTO t VALUES (1)")
    eventually(lambda: link(peers).received != before.received)
    green.switch(STOP_RECEIVER)
    assert "not everything that was fetched is applied" in replication.problems(found, "paused", None)
    with pytest.raises(ControlError, match="cannot be drained"):
        replication.drain(found, 5)
    replication.start(found)
    eventually(lambda: replication.problems(found, "running", peers["blue"]) == ())


def test_the_statements_shown_are_those_that_run(sides):
    blue, green = sides
    green.replicate(blue, "main")
    peers = servers(sides)
    replication = peers["green"].replication
    found = running(peers, name="main")
    shown = [*replication.statements(found, "pause"), *replication.statements(found, "resume")]
    green.sent.clear()
    replication.stop_receiver(found)
    replication.stop_applier(found)
    replication.start(found)
    assert [text for text in green.sent if text.startswith(("STOP", "START"))] == shown
    assert all("main" in text for text in shown)


def test_who_may_not_see_links_is_told_the_grant(sides):
    _, green = sides
    server = green.connect(**green.account(f"SELECT ON {green.database}.*"))
    wanted = {"mariadb": "GRANT SLAVE MONITOR ON *.*", "mysql": "GRANT REPLICATION CLIENT ON *.*"}[green.engine]
    with pytest.raises(PrivilegeError) as caught:
        server.replication.links({})
    assert str(caught.value.remedy).startswith(wanted)
    assert caught.value.cluster == "green"


def test_who_may_not_stop_links_is_told_the_grant(sides):
    blue, green = sides
    green.replicate(blue)
    peers = servers(sides)
    found = running(peers)
    monitor = {"mariadb": "SLAVE MONITOR ON *.*", "mysql": "REPLICATION CLIENT ON *.*"}[green.engine]
    server = green.connect(**green.account(f"SELECT ON {green.database}.*", monitor))
    assert server.replication.links(peers)[0].source == "blue"
    with pytest.raises(PrivilegeError) as caught:
        server.replication.stop_receiver(found)
    assert "REPLICATION SLAVE ADMIN" in str(caught.value.remedy).replace("_", " ")
    assert link(peers).state is LinkState.running


def test_raw_filters_are_read_as_set(sides):
    blue, green = sides
    peers = servers(sides)
    green.replicate(blue, "main", start=False)
    if green.engine == "mariadb":
        green.sql(
            "SET GLOBAL main.replicate_wild_ignore_table = 'st.DMZ\\\\_%,st.x'",
            "SET GLOBAL main.replicate_ignore_table = 'st.Event'",
        )
    else:
        green.sql(
            "CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ('st.DMZ\\\\_%', 'st.x'), "
            "REPLICATE_IGNORE_TABLE = (st.Event), REPLICATE_REWRITE_DB = ((a, b)) FOR CHANNEL 'main'"
        )
    read = __import__(f"replguard.engines.{green.engine}.filters", fromlist=["read"]).read
    raw = read(peers["green"], link(peers, name="main"), peers["blue"])
    assert set(raw.wild_ignore_table) == {"st.DMZ\\_%", "st.x"}
    assert raw.ignore_table == ("st.Event",)
    assert raw.source_binlog_known
    assert raw.target_server_id == peers["green"].identity.detail["server_id"]
    assert not raw.do_table
    if green.engine == "mysql":
        assert raw.rewrite_db == (("a", "b"),)
        assert raw.configured_by["REPLICATE_IGNORE_TABLE"] == "CHANGE_REPLICATION_FILTER_FOR_CHANNEL"
        green.sql(
            "CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = (), REPLICATE_IGNORE_TABLE = (), "
            "REPLICATE_REWRITE_DB = () FOR CHANNEL 'main'"
        )
