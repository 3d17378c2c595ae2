"""Whatever a test does to replication, the next one finds it running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from replguard.demo.servers import Pair

TABLE = "CREATE TABLE acc (id int PRIMARY KEY)"
_NOWHERE = "MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'x'"
BREAK = {
    "stopped": {"mariadb": "STOP SLAVE", "mysql": "STOP REPLICA"},
    "gone": {"mariadb": "STOP SLAVE; RESET SLAVE ALL", "mysql": "STOP REPLICA; RESET REPLICA ALL"},
    "filtered": {
        "mariadb": "STOP SLAVE; SET GLOBAL replicate_wild_ignore_table = '%.acc'; START SLAVE",
        "mysql": "STOP REPLICA; CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ('%.acc'); START REPLICA",
    },
    "twofold": {
        "mariadb": f"CHANGE MASTER 'dr' TO {_NOWHERE}; START SLAVE 'dr'",
        "mysql": f"CHANGE REPLICATION SOURCE TO {_NOWHERE.replace('MASTER', 'SOURCE')} FOR CHANNEL 'dr'",
    },
}


def crosses(pair: Pair) -> bool:
    with workspace(pair) as db:
        db.both(TABLE)
        db.link()
        db.run("blue", "INSERT INTO acc VALUES (1)")
        db.wait_caught_up()
        return db.query("green", "SELECT id FROM acc") == [(1,)]


@pytest.mark.engines("mariadb", "mysql")
@pytest.mark.parametrize("how", sorted(BREAK))
def test_replication_that_was_changed(pair: Pair, how: str) -> None:
    with workspace(pair) as db:
        db.run("green", BREAK[how][pair.engine])
        db.run("blue", TABLE)
    assert crosses(pair)


@pytest.mark.engines("mariadb", "mysql")
def test_replication_with_an_error(pair: Pair) -> None:
    with workspace(pair) as db:
        db.both(TABLE)
        db.run_local("green", "INSERT INTO acc VALUES (1)")
        db.run("blue", "INSERT INTO acc VALUES (1)")
        with pytest.raises(TimeoutError, match="uplicate"):
            db.wait_caught_up(timeout=3)
    assert crosses(pair)


@pytest.mark.engines("postgresql")
def test_a_subscription_that_is_disabled(pair: Pair) -> None:
    with workspace(pair) as db:
        db.both(TABLE)
        db.link()
        db.run("green", f"ALTER SUBSCRIPTION {db.name}_from_blue DISABLE")
    assert crosses(pair)


def test_servers_that_are_down(pair: Pair) -> None:
    with workspace(pair):
        pair.green.kill()
        pair.blue.stop()
    assert crosses(pair)
