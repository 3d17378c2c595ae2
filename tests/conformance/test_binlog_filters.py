r"""Filter rules of MariaDB and MySQL: what the pure function says against what the servers do, case by case.

Every case sets the rules on a real link, sends row changes, DDL and statements over it, and looks which arrived.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from replguard.model.changes import Change
from tests.conformance.mysql_mariadb_sides import LOCAL, START, STOP, eventually, of_server, two_sides, unique

pytestmark = pytest.mark.engines("mariadb", "mysql")


@pytest.fixture
def sides(pair, pairs):
    """Two servers without replication between them, started once; ``pair`` is what skips a missing engine."""
    apart = pairs.get("none")
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as both:
        yield both


KINDS = ("do_db", "ignore_db", "do_table", "ignore_table", "wild_do_table", "wild_ignore_table")
NAMES = ("event", "Event", "évent", "dmz_zone", "dmzxzone", "acc")

CASES = {
    "nothing": {},
    "ignore table": {"ignore_table": ["{a}.event"]},
    "ignore tables of both databases": {"ignore_table": ["{a}.acc", "{b}.event"]},
    "ignore in upper case": {"ignore_table": ["{a}.EVENT"]},
    "do table": {"do_table": ["{a}.acc"]},
    "do and ignore the same table": {"do_table": ["{a}.event"], "ignore_table": ["{a}.event", "{a}.acc"]},
    "wild ignore with an unescaped underscore": {"wild_ignore_table": ["{a}.dmz_zone"]},
    "wild ignore escaped": {"wild_ignore_table": [r"{a}.dmz\_%"]},
    "wild ignore of a database": {"wild_ignore_table": ["{a}.%"]},
    "wild ignore over databases": {"wild_ignore_table": ["%.event"]},
    "wild ignore in upper case": {"wild_ignore_table": ["{a}.DMZ%"]},
    "wild do": {"wild_do_table": ["{a}.e%"]},
    "wild do of a database": {"wild_do_table": ["{a}.%"]},
    "wild do and wild ignore": {"wild_do_table": ["{a}.%"], "wild_ignore_table": ["{a}.event"]},
    "ignore and wild do": {"ignore_table": ["{a}.event"], "wild_do_table": ["{a}.%"]},
    "do table and wild ignore": {"do_table": ["{a}.event"], "wild_ignore_table": ["{a}.%"]},
    "ignore database": {"ignore_db": ["{a}"]},
    "ignore database in upper case": {"ignore_db": ["{A}"]},
    "do database": {"do_db": ["{a}"]},
    "do and ignore database": {"do_db": ["{a}"], "ignore_db": ["{a}"]},
    "do database and ignore table": {"do_db": ["{a}"], "ignore_table": ["{a}.event"]},
}


@dataclass(frozen=True)
class Probe:
    """A statement run on the source with ``use`` as its database, and a query whose answer tells that it arrived."""

    text: str
    arrived: str
    use: str | None = "{a}"
    mode: str = "ROW"


TABLE_WITH_COMMENT = (
    "SELECT 1 FROM information_schema.tables "
    "WHERE table_schema = '{%s}' AND table_name = '%s' AND table_comment = '{n}'"
)
EXISTS = "SELECT 1 FROM information_schema.tables WHERE table_schema = '{a}' AND table_name = '%s'"
SCHEMA = "SELECT 1 FROM information_schema.schemata WHERE schema_name = '%s'"
INDEX = "SELECT 1 FROM information_schema.statistics WHERE table_schema = '{a}' AND index_name = 'i_{n}'"
NONE = "SELECT 1 FROM DUAL WHERE NOT EXISTS (%s)"
ROW = "SELECT 1 FROM `{%s}`.`%s` WHERE id = {n}"

PROBES = [
    *(Probe(f"INSERT INTO `{{a}}`.`{name}` VALUES ({{n}})", ROW % ("a", name)) for name in NAMES),
    Probe("INSERT INTO {b}.event VALUES ({n})", ROW % ("b", "event")),
    Probe("ALTER TABLE event COMMENT '{n}'", TABLE_WITH_COMMENT % ("a", "event")),
    Probe("ALTER TABLE {a}.acc COMMENT '{n}'", TABLE_WITH_COMMENT % ("a", "acc"), use="{b}"),
    Probe("ALTER TABLE {b}.event COMMENT '{n}'", TABLE_WITH_COMMENT % ("b", "event"), use=None),
    Probe("CREATE TABLE new_{n} LIKE event", EXISTS % "new_{n}"),
    Probe("CREATE TABLE event_{n} (id INT)", EXISTS % "event_{n}"),
    Probe("CREATE TABLE dmz_new SELECT 1 AS id", EXISTS % "dmz_new", mode="STATEMENT"),
    Probe("DROP TABLE one, event_two", NONE % (EXISTS % "one")),
    Probe("DROP TABLE dmz_drop, two", NONE % (EXISTS % "two")),
    Probe("RENAME TABLE free TO free_{n}, dmz_old TO dmz_moved", EXISTS % "free_{n}"),
    Probe("ALTER TABLE moved RENAME TO dmz_renamed", EXISTS % "dmz_renamed"),
    Probe("TRUNCATE TABLE dmz_more", NONE % "SELECT 1 FROM {a}.dmz_more"),
    Probe("CREATE INDEX i_{n} ON event (id)", INDEX),
    Probe("INSERT INTO stated VALUES ({n})", ROW % ("a", "stated"), mode="STATEMENT"),
    Probe("UPDATE {a}.dmz_up SET id = {n}", ROW % ("a", "dmz_up"), use="{b}", mode="STATEMENT"),
    Probe("DELETE FROM dmz_del", NONE % "SELECT 1 FROM {a}.dmz_del", mode="STATEMENT"),
    Probe("CREATE DATABASE {a}_{n}", SCHEMA % "{a}_{n}"),
    Probe("DROP DATABASE {a}_{n}x", NONE % (SCHEMA % "{a}_{n}x")),
]
EXTRA = ("stated", "one", "event_two", "dmz_drop", "two", "free", "dmz_old", "moved", "dmz_more", "dmz_up", "dmz_del")


def set_rules(side, rules):
    side.switch(STOP)
    if side.engine == "mysql":
        clauses = []
        for kind in KINDS:
            values = [
                f"'{value}'" if kind.startswith("wild") else f"`{value}`".replace(".", "`.`")
                for value in rules.get(kind, [])
            ]
            clauses.append(f"REPLICATE_{kind.upper()} = ({', '.join(values)})".replace("\\", "\\\\"))
        side.sql(f"CHANGE REPLICATION FILTER {', '.join(clauses)} FOR CHANNEL ''")
    else:
        for kind in KINDS:
            side.sql(f"SET GLOBAL replicate_{kind} = %s", args=[",".join(rules.get(kind, []))])
    side.switch(START)


def tables(words):
    """Made on both sides without a trace, new for every case."""
    names = [*(f"`{{a}}`.`{name}`" for name in (*NAMES, *EXTRA)), "{b}.event"]
    made = ["CREATE DATABASE {a}", "CREATE DATABASE {b}", "CREATE DATABASE {a}_{n}x"]
    for name in names:
        made += [f"CREATE TABLE {name} (id BIGINT)", f"INSERT INTO {name} VALUES (0)"]
    return [LOCAL, *(statement.format(**words) for statement in made)]


def clean(side, words):
    databases = ["{a}", "{b}", "{a}_{n}", "{a}_{n}x"]
    side.sql(LOCAL, *(f"DROP DATABASE IF EXISTS {name}".format(**words) for name in databases), database="")


def send(side, words):
    for use in (None, "{a}", "{b}"):
        texts = [f"USE {use}"] if use else []
        for probe in PROBES:
            if probe.use == use:
                texts += [f"SET SESSION binlog_format = {probe.mode}", probe.text]
        side.sql(*(text.format(**words) for text in texts), database="")


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
    sent = [probe for use in (None, "{a}", "{b}") for probe in PROBES if probe.use == use]
    for probe, change in zip(sent, found, strict=True):
        arrived = bool(green.sql(probe.arrived.format(**words), database=""))
        said = judged.applies(change)
        if said.crosses is not arrived:
            yield f"{probe.text}: arrived {arrived}, said {said}"


def test_the_rules_decide_as_the_server_does(sides):
    """All cases over one link, which is far faster than a link for each."""
    blue, green = sides
    green.replicate(blue)
    servers = {side.name: side.connect() for side in sides}
    link = eventually(
        lambda: next((found for found in servers["green"].replication.links(servers) if found.source), None)
    )
    wrong = []
    try:
        for case, rules in CASES.items():
            stem = unique("rf")
            words = {"a": f"{stem}a", "A": f"{stem}A", "b": f"{stem}b", "n": 7}
            for side in sides:
                side.sql(*tables(words), database="")
            set_rules(green, {kind: [value.format(**words) for value in values] for kind, values in rules.items()})
            wrong += [f"{case}: {line}" for line in judged_wrongly(servers, link, green, blue, words)]
            for side in sides:
                clean(side, words)
    finally:
        set_rules(green, {})
    assert wrong == []


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
        assert "restart" in told
    finally:
        set_rules(green, {})
