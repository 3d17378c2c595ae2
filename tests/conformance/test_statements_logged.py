"""The corpus of DDL on real servers: what they accept and write into their binlog is what must be matched."""

from __future__ import annotations

import random
import re

import pymysql
import pytest

from replguard.model.changes import Change, Operation
from replguard.model.tables import TableName
from tests.conformance.mysql_mariadb_sides import LOCAL, of_server, two_sides
from tests.unit.corpus import statements

pytestmark = pytest.mark.engines("mariadb", "mysql")
SEED, SAMPLE = 7, 40
LOGGED = {"mariadb": 60, "mysql": 50}
"""How many of the corpus each engine takes and logs as DDL, at least."""
FIXTURE = (
    "DROP DATABASE {db}",
    "CREATE DATABASE {db}",
    "USE {db}",
    "CREATE TABLE event (id INT PRIMARY KEY, x INT, u INT) ENGINE=InnoDB",
    "CREATE TABLE account (id INT PRIMARY KEY, b INT, name TEXT)",
)
SCHEMA = re.compile(r"\bst\b(?=`? ?\.)")
ALONE = ("b", "x")
"""Tables that are there too; ``a`` is made for the statements that do not make it themselves."""


@pytest.fixture
def blue(pair, pairs):
    """One of two servers without replication between them; ``pair`` is what skips a missing engine."""
    apart = pairs.get("none")
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as (side, _):
        yield side


def run_all(side, texts):
    """Each statement in a database made anew without a trace; those that the server takes."""
    raw = pymysql.connect(host=side.host, port=side.port, user=side.user, password=side.password, autocommit=True)
    taken = []
    with raw, raw.cursor() as cursor:
        for text in texts:
            cursor.execute(LOCAL)
            for line in FIXTURE:
                cursor.execute(line.format(db=side.database))
            for name in (*ALONE, *(() if "TABLE a" in text and "CREATE" in text else ("a",))):
                cursor.execute(f"CREATE TABLE {name} (id INT, b INT, x INT, KEY (id))")
            cursor.execute("SET SESSION sql_log_bin = 1")
            try:
                cursor.execute(SCHEMA.sub(side.database, text))
            except pymysql.MySQLError:
                continue
            taken.append(text)
    return taken


def test_what_the_server_logs_of_the_corpus_is_matched(blue, thorough):
    texts = statements("hits")
    texts = texts if thorough else random.Random(SEED).sample(texts, SAMPLE)
    server = blue.connect()
    start = server.replication.position()
    run_all(blue, texts)
    event = TableName(blue.database, "event")
    found = []
    with server.streams.own(start) as stream:
        while not stream.caught_up:
            found += stream.poll(0.5)
    logged = [
        change
        for change in found
        if isinstance(change, Change) and change.default_schema == blue.database and change.operation is Operation.ddl
    ]
    # What a table is made from is not in the log where rows are: only the new table is. An EVENT is no table.
    logged = [
        change
        for change in logged
        if "event" in str(change.statement).lower() and not str(change.statement).startswith("DROP EVENT")
    ]
    missed = [change.statement for change in logged if event.folded() not in {name.folded() for name in change.tables}]
    assert not missed
    assert len(logged) >= (LOGGED[blue.engine] if thorough else SAMPLE // 5)
