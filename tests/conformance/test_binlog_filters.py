r"""Filter rules of MariaDB and MySQL: what the pure function says against what the servers do.

The cases stand in ``filter_cases.yaml``. Each sets its rules on a real link, sends every probe over it, and looks which
arrived.
"""

from __future__ import annotations

import random
from pathlib import Path

import pymysql
import pytest
import yaml

from replguard.model.changes import Change
from tests.conformance.mysql_mariadb_sides import LOCAL, START, STOP, eventually, of_server, two_sides, unique

pytestmark = pytest.mark.engines("mariadb", "mysql")

TABLE = yaml.safe_load((Path(__file__).parent / "filter_cases.yaml").read_text(encoding="utf-8"))
SEED, SAMPLE = 6, 5
KINDS = ("do_db", "ignore_db", "do_table", "ignore_table", "wild_do_table", "wild_ignore_table", "rewrite_db")
TABLES = (
    *("event", "Event", "évent", "dmz_zone", "dmzxzone", "acc", "stated", "one", "event_two", "dmz_drop", "two"),
    *("free", "dmz_old", "moved", "dmz_more", "dmz_up", "dmz_del", "dmz_rep", "sel", "dmz_sel", "joined", "dmz_j"),
    *("gone", "dmz_gone", "dmz_ex"),
)


@pytest.fixture
def sides(pair, pairs):
    """Two servers without replication between them, started once; ``pair`` is what skips a missing engine."""
    apart = pairs.get("none")
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as both:
        yield both


def set_rules(side, rules):
    side.switch(STOP)
    if side.engine == "mysql":
        clauses = [
            f"REPLICATE_{kind.upper()} = ({', '.join(map(mysql_rule(kind), rules.get(kind, [])))})" for kind in KINDS
        ]
        side.sql(f"CHANGE REPLICATION FILTER {', '.join(clauses)} FOR CHANNEL ''".replace("\\", "\\\\"))
    else:
        for kind in KINDS:
            side.sql(f"SET GLOBAL replicate_{kind} = %s", args=[",".join(rules.get(kind, []))])
    side.switch(START)


def mysql_rule(kind):
    if kind == "rewrite_db":
        return lambda rule: "({})".format(rule.replace("->", ", "))
    if kind.startswith("wild"):
        return "'{}'".format
    return lambda rule: f"`{rule}`".replace(".", "`.`")


def tables(words, where):
    """Made on a side without a trace, new for every case."""
    made = []
    for database in where:
        made.append(f"CREATE DATABASE {database}")
        for name in TABLES:
            made += [f"CREATE TABLE {database}.`{name}` (id BIGINT)", f"INSERT INTO {database}.`{name}` VALUES (0)"]
        made += [
            f"CREATE TABLE {database}.parted (id BIGINT) PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (100))",
            f"INSERT INTO {database}.parted VALUES (5)",
            f"CREATE VIEW {database}.dmz_old_view AS SELECT 1 AS id",
            f"CREATE PROCEDURE {database}.dropped() SELECT 1",
        ]
    made += ["CREATE DATABASE {b}", "CREATE TABLE {b}.event (id BIGINT)", "INSERT INTO {b}.event VALUES (0)"]
    made += ["CREATE TABLE {b}.more (id BIGINT)", "INSERT INTO {b}.more VALUES (0)"]
    made += ["CREATE DATABASE {d}_{n}x", "CREATE DATABASE {d}_{n}y CHARACTER SET utf8mb4"]
    return [LOCAL, *(statement.format(**words) for statement in made)]


def clean(side, words):
    databases = ["{a}", "{b}", "{c}", "{d}_{n}", "{d}_{n}x", "{d}_{n}y"]
    side.sql(LOCAL, *(f"DROP DATABASE IF EXISTS {name}".format(**words) for name in databases), database="")


def in_order(uses=("", "{a}", "{b}")):
    return [(use, probe) for use in uses for probe in TABLE["probes"] if probe.get("use", "{a}") == use]


def send(side, words):
    """All probes, each with the database in use that it asks for: a session without any comes first."""
    for use in ("", "{a}", "{b}"):
        texts = [f"USE {use}"] if use else []
        for _, probe in in_order((use,)):
            texts += [f"SET SESSION binlog_format = {probe.get('mode', 'ROW')}", probe["text"]]
        side.sql(*(text.format(**words) for text in texts), database="")


def arrived(side, words):
    """For every probe whether it arrived: in the database that it names, or in the one that this is rewritten to."""
    raw = pymysql.connect(host=side.host, port=side.port, user=side.user, password=side.password, autocommit=True)
    with raw, raw.cursor() as cursor:
        places = [words, {**words, "a": words["c"]}] if words["rewritten"] else [words]
        return [any(cursor.execute(probe["arrived"].format(**place)) for place in places) for _, probe in in_order()]


def changes(stream):
    found = []
    while not stream.caught_up:
        found += stream.poll(0.5)
    return [thing for thing in found if isinstance(thing, Change)]


def judged_wrongly(servers, link, green, blue, words):
    """What the rules said and the server did not do, or the other way round."""
    judged = servers["green"].filters.of(link, servers["blue"])
    start = servers["blue"].streams.own("now")
    with start:
        send(blue, words)
    with servers["blue"].streams.sent(link, servers["green"], start.start) as stream:
        found = changes(stream)
    position = servers["blue"].replication.position()
    assert servers["green"].replication.wait_applied(link, servers["blue"], position, 20)
    for (_, probe), change, came in zip(in_order(), found, arrived(green, words), strict=True):
        said = judged.applies(change).crosses
        if said is not came and not (said is None and probe.get("unknown")):
            yield f"{probe['text']}: arrived {came}, said {said}"


def cases(*, thorough):
    """All rule sets, or a seeded sample that holds at least one in which rules of two kinds meet."""
    every = TABLE["cases"]
    if thorough:
        return every
    chosen = random.Random(SEED).sample(sorted(every), SAMPLE)
    return {case: every[case] for case in {*chosen, "ignore and wild do"}}


def test_the_rules_decide_as_the_server_does(sides, thorough):
    """All cases over one link, which is far faster than a link for each."""
    blue, green = sides
    green.replicate(blue)
    servers = {side.name: side.connect() for side in sides}
    link = eventually(
        lambda: next((found for found in servers["green"].replication.links(servers) if found.source), None)
    )
    wrong = []
    try:
        for case, rules in cases(thorough=thorough).items():
            stem = unique("rf")
            rewritten = "rewrite_db" in rules
            words = {letter: f"{stem}{letter}" for letter in "aAbcd"} | {"n": 7, "rewritten": rewritten}
            blue.sql(*tables(words, ["{a}"]), database="")
            green.sql(*tables(words, ["{a}", "{c}"] if rewritten else ["{a}"]), database="")
            set_rules(green, {kind: [value.format(**words) for value in values] for kind, values in rules.items()})
            wrong += [f"{case}: {line}" for line in judged_wrongly(servers, link, green, blue, words)]
            for side in sides:
                clean(side, words)
    finally:
        set_rules(green, {})
    assert not wrong, "\n".join(wrong)


def test_what_the_link_says_of_itself(sides):
    blue, green = sides
    green.replicate(blue)
    try:
        set_rules(green, {"wild_ignore_table": ["st.dmz_%"], "ignore_db": ["zz"]})
        servers = {side.name: side.connect() for side in sides}
        link = next(iter(servers["green"].replication.links(servers)))
        judged = servers["green"].filters.of(link, servers["blue"])
        described = judged.describe()
        assert described["replicate_wild_ignore_table"] == ["st.dmz_%"]
        assert described["replicate_ignore_db"] == ["zz"]
        told = " ".join(fragility.message for fragility in judged.fragile([]))
        assert "unescaped" in told
        lost = judged.after_restart()
        assert [change.rule for change in lost.changes] == ["replicate_ignore_db", "replicate_wild_ignore_table"]
        assert "replicate_ignore_db" not in lost.filters.describe()
    finally:
        set_rules(green, {})
