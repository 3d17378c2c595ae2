"""What a policy relaxes on real servers: it excuses what it says, nothing beyond, and the report lists it."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from replguard import api, config
from replguard.diff.run import Options
from replguard.model.findings import Severity, Verdict
from tests.conformance.application import codes, of, told
from tests.conformance.test_main_job import TODAY

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.demo.servers import Side
    from replguard.model.findings import Report, TableCoverage
    from tests.servers.workspace import Workspace

SIDES: tuple[Side, ...] = ("blue", "green")
QUICK = Options(TODAY, settle=5.0)
_TOKENS = [base64.urlsafe_b64encode(b"\x80" + bytes(8) + bytes([mark]) * 80).decode() for mark in (1, 2)]
_COLUMNS = "id int PRIMARY KEY, js text, tr varchar(80), ca varchar(80), fl double precision, se varchar(200)"
_ROW = f"""({{}}, '{{{{"a": 1, "b": [2, 1e400]}}}}', 'text', 'Größe', 0.25, '{_TOKENS[0]}')"""
_PLANTED = {
    1: """js = '{"b":[2.0,1E+400],"a":1.0}'""",
    2: r"tr = ' text  '",
    3: "ca = 'GRÖSSE'",
    4: "fl = 0.2500000001",
    5: f"se = '{_TOKENS[1]}'",
    11: """js = '{"b":[2,1e401],"a":1}'""",
    12: "tr = 'te xt'",
    13: "ca = 'Große'",
    14: "fl = 0.2501",
    15: "se = 'plain'",
    16: "js = NULL",
    17: "tr = 'TEXT'",
    18: "ca = ' Größe', tr = ' text'",
}
_RULES = [
    {"table": "wide", "columns": ["js"], "as": "json", "reason": "keys in any order"},
    {"table": "wide", "columns": ["tr"], "as": "trim", "reason": "typed by hand"},
    {"table": "wide", "columns": ["ca"], "as": "case", "reason": "typed by hand"},
    {"table": "wide", "columns": ["f*"], "as": "float", "tolerance": "1e-9", "reason": "computed"},
    {"table": "wide", "columns": ["SE"], "as": "secret", "reason": "a random vector"},
]


def compared(db: Workspace, folder: Path, **policy: Any) -> Report:
    """The comparison of both databases by this policy."""
    path = folder / "replguard.yaml"
    clusters = {"blue": {"url": db.blue_url}, "green": {"url": db.green_url}}
    path.write_text(yaml.safe_dump({"clusters": clusters, "policy": policy}))
    with api.connect(replace(config.load(path), state_dir=folder / "state")) as connected:
        return connected.diff(QUICK)


def coverage(report: Report, table: str) -> TableCoverage:
    return next(one for one in report.coverage.tables if one.table == table)


def excused(report: Report, table: str) -> dict[str, int | None]:
    return {item.rule: item.rows for item in coverage(report, table).relaxed}


def keys(report: Report, code: str = "row.differs") -> list[int]:
    return sorted(item.key["id"] for item in of(report, code) if item.key)


def test_each_relaxation_excuses_what_it_says_and_nothing_beyond(db: Workspace, tmp_path: Path) -> None:
    db.both(f"CREATE TABLE wide ({_COLUMNS})")
    rows = ", ".join(_ROW.format(number) for number in range(1, 21))
    for side in SIDES:
        db.run_local(side, f"INSERT INTO wide VALUES {rows}")
    db.run_local("green", *(f"UPDATE wide SET {text} WHERE id = {number}" for number, text in _PLANTED.items()))
    plain = compared(db, tmp_path)
    assert (plain.verdict, keys(plain)) == (Verdict.failed, sorted(_PLANTED))
    assert coverage(plain, "wide").relaxed == ()
    found = compared(db, tmp_path, relax=_RULES)
    assert (found.verdict, keys(found)) == (Verdict.failed, [number for number in _PLANTED if number > 10])
    assert keys(found, "row.indeterminate") == [5]
    (both,) = [item for item in of(found, "row.differs") if item.key == {"id": 18}]
    assert both.message.endswith("differs in ca, and within the policy in tr")
    assert (both.evidence["columns"], both.evidence["relaxed"]) == ({"ca": ["Größe", " Größe"]}, ["tr"])
    assert excused(found, "wide") == {
        "as json": 1,
        "as trim": 1,
        "as case": 1,
        "as float tolerance 1E-9": 1,
        "as secret": 0,
    }
    db.run_local("green", *(f"DELETE FROM wide WHERE id = {number}" for number in _PLANTED if number > 10))
    db.run_local("blue", *(f"DELETE FROM wide WHERE id = {number}" for number in _PLANTED if number > 10))
    found = compared(db, tmp_path, relax=_RULES)
    assert (found.verdict, codes(found)) == (Verdict.inconclusive, ["row.indeterminate"])
    assert of(found, "row.indeterminate")[0].severity is Severity.unknown
    db.run_local("green", f"UPDATE wide SET se = '{_TOKENS[0]}'")
    found = compared(db, tmp_path, relax=_RULES)
    assert (found.verdict, told(found)) == (Verdict.passed, [])
    over = [{**rule, "until": TODAY - timedelta(days=1)} for rule in _RULES[:1]]
    found = compared(db, tmp_path, relax=[*over, *_RULES[1:]])
    assert (keys(found), [item.code for item in told(found)]) == ([1], ["row.differs", "policy.expired"])


def test_row_filters_and_keys_that_stay_exact(db: Workspace, tmp_path: Path) -> None:
    db.both(
        "CREATE TABLE setting (name varchar(40), node varchar(20), value varchar(40), PRIMARY KEY (name))",
        "CREATE TABLE loose (word varchar(40), node varchar(20))",
    )
    owners: dict[Side, str] = {"blue": "b", "green": "g"}
    for side, own in owners.items():
        db.run_local(
            side,
            f"INSERT INTO setting VALUES ('one', 'x', '{own}'), ('two', 'y', '2'), ('only-{own}', 'x', '3')",
            f"INSERT INTO loose VALUES ('{own}', 'x'), ('word', 'y'), ('word', 'y')",
        )
    assert codes(compared(db, tmp_path)) == ["row.differs", *["row.extra"] * 2, *["row.missing"] * 2]
    rule = {"table": "*", "where": "node <> 'x'", "reason": "node x is of one site"}
    found = compared(db, tmp_path, only_rows=[rule])
    assert (found.verdict, told(found)) == (Verdict.passed, [])
    assert excused(found, "setting") == {"node <> 'x'": 3}
    assert list(excused(found, "loose")) == ["node <> 'x'"]
    db.run_local("green", "UPDATE setting SET node = 'x' WHERE name = 'two'", "UPDATE loose SET word = 'WORD'")
    found = compared(db, tmp_path, only_rows=[rule])
    assert sorted({(item.table, item.code) for item in told(found)}) == [
        ("loose", "row.extra"),
        ("loose", "row.missing"),
        ("setting", "row.differs"),
    ]
    case = {"table": "*", "columns": ["word", "name"], "as": "case", "reason": "typed by hand"}
    db.run_local("green", "UPDATE setting SET name = 'TWO', node = 'y' WHERE name = 'two'")
    found = compared(db, tmp_path, only_rows=[rule], relax=[case])
    assert sorted((item.table, item.code) for item in told(found)) == [
        ("setting", "row.extra"),
        ("setting", "row.missing"),
    ], "a key is exact"


_TABLES = {
    "service": "name varchar(40), cluster_id int, impl varchar(40)",
    "channel": "name varchar(40), kind varchar(10), service_id int, FOREIGN KEY (service_id) REFERENCES service (id)",
    "permit": "channel_id int, pattern varchar(40), opaque1 text, FOREIGN KEY (channel_id) REFERENCES channel (id)",
    "detail": "realm varchar(40), FOREIGN KEY (id) REFERENCES channel (id)",
}
_BLUE = (
    "INSERT INTO service VALUES (1, 'ping', 1, 'p'), (2, 'pong', 1, 'q'), (3, 'Größe', 1, NULL)",
    "INSERT INTO channel VALUES (1, 'a', 'in', 1), (2, 'a', 'out', 2), (3, 'none', 'in', NULL)",
    """INSERT INTO permit VALUES (1, 1, '*', '{"a": 1}'), (2, 2, '*', NULL), (3, 2, 'x', NULL)""",
    "INSERT INTO detail VALUES (1, 'r')",
)
_GREEN = (
    "INSERT INTO service VALUES (7, 'Größe', 4, NULL), (8, 'pong', 4, 'q'), (9, 'ping', 4, 'p')",
    "INSERT INTO channel VALUES (1, 'none', 'in', NULL), (2, 'a', 'in', 9), (3, 'a', 'out', 8)",
    """INSERT INTO permit VALUES (4, 3, '*', NULL), (5, 3, 'x', NULL), (6, 2, '*', '{"a":1}')""",
    "INSERT INTO detail VALUES (2, 'r')",
)
_REASON = {"reason": "installed separately"}
_NATURAL = {
    "natural_keys": [
        {"table": "service", "key": ["name"], "ignore": ["id", "cluster_id"], **_REASON},
        {"table": "channel", "key": ["name", "kind"], "ignore": ["id"], **_REASON},
        {"table": "permit", "key": ["channel_id", "pattern"], "ignore": ["id"], **_REASON},
        {"table": "detail", "key": ["id"], **_REASON},
    ],
    "relax": [{"table": "*", "columns": ["opaque1"], "as": "json", "reason": "keys in any order"}],
}


@pytest.fixture
def separate(db: Workspace) -> Workspace:
    """Two clusters with the same configuration under other numbers."""
    db.both(*(f"CREATE TABLE {name} (id int PRIMARY KEY, {columns})" for name, columns in _TABLES.items()))
    db.run_local("blue", *_BLUE)
    db.run_local("green", *_GREEN)
    return db


def test_clusters_installed_separately_compare_by_name(separate: Workspace, tmp_path: Path) -> None:
    db = separate
    assert compared(db, tmp_path).verdict is Verdict.failed
    found = compared(db, tmp_path, **_NATURAL)
    assert (found.verdict, told(found)) == (Verdict.passed, [])
    assert coverage(found, "permit").rows == {"blue": 3, "green": 3}
    assert [(item.kind, item.rows) for item in coverage(found, "permit").relaxed] == [
        ("natural_keys", None),
        ("relax", 1),
    ]
    db.run_local(
        "green",
        "UPDATE channel SET service_id = 7 WHERE id = 3",
        "UPDATE detail SET realm = 'other'",
        "UPDATE service SET impl = 'Q' WHERE id = 8",
        "DELETE FROM permit WHERE id = 5",
        "INSERT INTO permit VALUES (9, 1, '*', NULL)",
    )
    found = compared(db, tmp_path, **_NATURAL)
    assert {(item.table, item.code): item.key for item in told(found)} == {
        ("channel", "row.differs"): {"name": "a", "kind": "out"},
        ("detail", "row.differs"): {"id": '{"name": "a", "kind": "in"}'},
        ("service", "row.differs"): {"name": "pong"},
        ("permit", "row.missing"): {"channel_id": '{"name": "a", "kind": "out"}', "pattern": "x"},
        ("permit", "row.extra"): {"channel_id": '{"name": "none", "kind": "in"}', "pattern": "*"},
    }
    (swapped,) = [item for item in told(found) if item.table == "channel"]
    assert swapped.evidence["columns"] == {"service_id": ['{"name": "pong"}', '{"name": "Größe"}']}


def test_what_names_no_single_row_is_not_compared(separate: Workspace, tmp_path: Path) -> None:
    db = separate
    db.run_local("green", "INSERT INTO service VALUES (99, 'ping', 5, 'p')")
    found = compared(db, tmp_path, **_NATURAL)
    assert found.verdict is Verdict.inconclusive
    assert {item.table for item in of(found, "table.not_compared")} == {"service", "channel"}
    assert all('"ping"' in item.message and "green" in item.message for item in of(found, "table.not_compared"))
    assert not coverage(found, "service").compared
    assert coverage(found, "permit").compared, "it leads to channels, whose names need no service"


_ZATO = {
    "cluster": "name varchar(200)",
    "alembic_version": "version_num varchar(32)",
    "service": "name varchar(200), impl_name varchar(2000), opaque1 text, cluster_id int REFERENCES cluster (id)",
    "sec_base": "name varchar(200), password varchar(1000), sec_type varchar(45), cluster_id int",
    "sec_basic_auth": "realm varchar(200), FOREIGN KEY (id) REFERENCES sec_base (id)",
    "sec_multi": "conn_id varchar(100), security_id int, FOREIGN KEY (security_id) REFERENCES sec_base (id)",
    "http_soap": "name varchar(200), connection varchar(20), transport varchar(200), security_id int, service_id int, "
    "opaque1 text, cluster_id int, FOREIGN KEY (security_id) REFERENCES sec_base (id), "
    "FOREIGN KEY (service_id) REFERENCES service (id)",
    "job": "name varchar(200), service_id int, cluster_id int, FOREIGN KEY (service_id) REFERENCES service (id)",
    "job_interval_based": "job_id int, seconds int, FOREIGN KEY (job_id) REFERENCES job (id)",
    "pubsub_topic": "name varchar(200), created varchar(40), last_updated varchar(40), cluster_id int",
    "pubsub_permission": "pattern varchar(200), access_type varchar(20), created varchar(40), "
    "last_updated varchar(40), sec_base_id int, cluster_id int, FOREIGN KEY (sec_base_id) REFERENCES sec_base (id)",
}


def _installed(offset: int, token: str, opaque: str, when: str) -> list[str]:
    """One installation, whose numbers, ciphertext and JSON are its own."""
    first, second, cluster = offset + 1, offset + 2, offset + 40
    if offset:
        first, second = second, first
    rows = {
        "cluster": [f"{cluster}, 'cluster{offset}'"],
        "alembic_version": ["1, 'a3f'"],
        "service": [f"{first}, 'ping', 'x.Ping', '{opaque}', {cluster}", f"{second}, 'pong', 'x', NULL, {cluster}"],
        "sec_base": [
            f"{second}, 'api', 'zato.secf.{token}', 'basic_auth', {cluster}",
            f"{first}, 'pubsub', 'plain', 'basic_auth', {cluster}",
        ],
        "sec_basic_auth": [f"{second}, 'realm'", f"{first}, 'other'"],
        "sec_multi": [f"{first}, '{first}', {second}"],
        "http_soap": [
            f"{first}, 'a', 'channel', 'plain_http', {second}, {first}, '{opaque}', {cluster}",
            f"{second}, 'a', 'outgoing', 'plain_http', NULL, NULL, NULL, {cluster}",
        ],
        "job": [f"{first}, 'hourly', {second}, {cluster}"],
        "job_interval_based": [f"{offset + 7}, {first}, 3600"],
        "pubsub_topic": [f"{first}, 't', '{when}', '{when}', {cluster}"],
        "pubsub_permission": [f"{first}, '/a', 'publisher', '{when}', '{when}', {second}, {cluster}"],
    }
    return [f"INSERT INTO {table} VALUES {', '.join(f'({one})' for one in values)}" for table, values in rows.items()]


@pytest.mark.engines("postgresql-18", "mysql")
def test_zato_clusters_installed_separately(db: Workspace, tmp_path: Path) -> None:
    db.both(*(f"CREATE TABLE {name} (id int PRIMARY KEY, {columns})" for name, columns in _ZATO.items()))
    db.run_local("blue", *_installed(0, _TOKENS[0], '{"a": 1, "b": null}', "2026-01-01"))
    db.run_local("green", *_installed(100, _TOKENS[1], '{"b":null,"a":1}', "2027-02-02"))
    found = compared(db, tmp_path, preset="zato-separate")
    assert (found.verdict, codes(found)) == (Verdict.inconclusive, ["row.indeterminate"])
    (secret,) = of(found, "row.indeterminate")
    assert (secret.table, secret.key) == ("sec_base", {"name": "api"})
    covered = {table.table: table for table in found.coverage.tables}
    assert sorted(name for name, table in covered.items() if not table.compared) == ["cluster", "sec_multi"]
    db.run_local("green", f"UPDATE sec_base SET password = 'zato.secf.{_TOKENS[0]}' WHERE name = 'api'")
    found = compared(db, tmp_path, preset="zato-separate")
    assert (found.verdict, told(found)) == (Verdict.passed, [])
    db.run_local(
        "green",
        "UPDATE http_soap SET service_id = 101 WHERE connection = 'channel'",
        "UPDATE pubsub_permission SET sec_base_id = 102",
        "UPDATE job_interval_based SET seconds = 60",
        "UPDATE sec_basic_auth SET realm = 'none' WHERE id = 101",
    )
    found = compared(db, tmp_path, preset="zato-separate")
    assert {(item.table, item.code, str(item.key)) for item in told(found)} == {
        ("http_soap", "row.differs", str({"name": "a", "connection": "channel", "transport": "plain_http"})),
        ("job_interval_based", "row.differs", str({"job_id": '{"name": "hourly"}'})),
        ("sec_basic_auth", "row.differs", str({"id": '{"name": "api"}'})),
        *(
            ("pubsub_permission", code, str({"sec_base_id": key, "pattern": "/a", "access_type": "publisher"}))
            for code, key in (("row.missing", '{"name": "api"}'), ("row.extra", '{"name": "pubsub"}'))
        ),
    }
