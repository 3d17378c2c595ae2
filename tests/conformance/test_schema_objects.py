"""What stands around tables, on real servers: each kind of difference is told by name, and nothing else is."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from replguard import api, config
from replguard.demo.servers.access import identifier
from replguard.diff import schema, sequences
from replguard.model.findings import Severity
from replguard.model.schema import ObjectKind
from replguard.policy import TableClass
from tests.conformance import schema_cases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replguard.demo.servers.pair import Side
    from replguard.model.findings import Check, Finding
    from tests.servers.workspace import Workspace

SIDES: tuple[Side, Side] = ("blue", "green")
FAMILY = {"mariadb": "binlog", "mysql": "binlog", "postgresql": "postgresql"}


class Checks(NamedTuple):
    schema: Check
    sequences: Check


@contextmanager
def _clusters(db: Workspace, **urls: str) -> Iterator[api.Clusters]:
    both = {"blue": db.blue_url, "green": db.green_url} | urls
    with api.connect(config.from_options(both, None, ("event",))) as clusters:
        yield clusters


def _checks(clusters: api.Clusters) -> Checks:
    tables = clusters.tables()
    _, links = clusters.links()
    wanted = tables.of(TableClass.config)
    found = schema.check(clusters.pair, tables, wanted)
    return Checks(found, sequences.check(clusters.pair, tables, wanted, links))


def _create(db: Workspace) -> list[schema_cases.Case]:
    """One of everything on both sides, and all the differences that can be planted on green."""
    for statement in schema_cases.everything(db.engine):
        db.both(statement)
    return schema_cases.cases(db.engine, int(db.pair.version.partition(".")[0]))


def test_each_difference_is_told_and_nothing_else(db: Workspace) -> None:
    cases = _create(db)
    with _clusters(db) as clusters:
        assert _checks(clusters).schema.findings == ()
        for case in cases:
            db.run_local("green", *case.plant)
            found = _checks(clusters).schema.findings
            db.run_local("green", *case.undo)
            assert [item.code for item in found] == ["schema.differs"], (case, found)
            _see(case, found[0])
        assert _checks(clusters).schema.findings == ()


def _see(case: schema_cases.Case, found: Finding) -> None:
    assert found.severity is (Severity.fail if case.fails else Severity.warn), (case, found)
    assert any(word.startswith(case.words) for word in found.evidence["differences"]), (case, found)
    assert case.words in found.message, (case, found)
    (facts,) = found.evidence["objects"][case.kind].values()
    assert case.fact in facts, (case, found)
    ours, theirs = facts[case.fact]
    assert ours != theirs
    assert found.table == case.table, (case, found)


def test_names_that_a_server_makes_up_do_not_count(db: Workspace) -> None:
    db.both("CREATE TABLE parent (id INT PRIMARY KEY)")
    db.run_local("blue", "CREATE TABLE t (id INT PRIMARY KEY, v INT, w INT, UNIQUE (v), CHECK (v > 0), CHECK (w > 0))")
    db.run_local("green", "CREATE TABLE t (id INT PRIMARY KEY, v INT, w INT, CHECK (w > 0), CHECK (v > 0), UNIQUE (v))")
    for side in SIDES:
        db.run_local(side, "ALTER TABLE t ADD FOREIGN KEY (w) REFERENCES parent (id)")
    with _clusters(db) as clusters:
        assert _checks(clusters).schema.findings == ()
        db.run_local("blue", "CREATE INDEX mine ON t (w, v)")
        db.run_local("green", "CREATE INDEX theirs ON t (w, v)")
        (found,) = _checks(clusters).schema.findings
        assert found.severity is Severity.warn
        assert "index mine of blue is called theirs on green" in found.message


def test_what_must_not_sync_and_what_only_it_uses_is_not_compared(db: Workspace) -> None:
    _create(db)
    db.run_local("green", *schema_cases.BESIDE[FAMILY[db.engine]])
    with _clusters(db) as clusters:
        assert _checks(clusters).schema.findings == ()


@pytest.mark.engines("mariadb", "mysql")
def test_what_a_user_may_not_see_is_told_with_the_grants_that_help(db: Workspace) -> None:
    _create(db)
    name = f"u_{secrets.token_hex(4)}"
    database = str(identifier(db.engine, db.name))
    for side in SIDES:
        db.run_local(
            side,
            f"CREATE USER {name}@'%' IDENTIFIED BY 'secret'",
            f"GRANT SELECT, TRIGGER ON {database}.* TO {name}@'%'",
        )
    try:
        _grow_rights(db, name)
    finally:
        for side in SIDES:
            db.run_local(side, f"DROP USER {name}@'%'")


def _grow_rights(db: Workspace, name: str) -> None:
    with _clusters(db) as all_of_it, _clusters(db, **_urls(db, name)) as clusters:
        _see_that_what_is_hidden_is_told(all_of_it, clusters)
        check = _checks_without_links(clusters)
        assert check.verdict == "inconclusive"
        hidden = " ".join(finding.message for finding in check.findings)
        for object_ in ("view", "routines"):
            assert object_ in hidden
        assert {finding.code for finding in check.findings} == {"check.not_run"}
        on_blue = [finding for finding in check.findings if finding.cluster == "blue"]
        for finding in on_blue:
            assert finding.remedy
            db.run_local("blue", finding.remedy)
        clusters.pair.reconnect("blue")
        check = _checks_without_links(clusters)
        assert {(finding.code, finding.cluster) for finding in check.findings} == {("check.not_run", "green")}
        for finding in check.findings:
            assert finding.remedy
            db.run_local("green", finding.remedy)
        clusters.pair.reconnect("green")
        assert _checks_without_links(clusters).findings == ()


def _see_that_what_is_hidden_is_told(everything: api.Clusters, shown: api.Clusters) -> None:
    whole, part = (clusters.pair.first.catalog.objects() for clusters in (everything, shown))
    lacking = [one for one in whole.objects if one not in part.objects]
    assert {one.kind for one in lacking} == {ObjectKind.view, ObjectKind.routine}
    assert all(any(hidden.hides(one) for hidden in part.unseen) for one in lacking)
    assert whole.unseen == ()


def _side(finding: Finding) -> Side:
    return "green" if finding.cluster == "green" else "blue"


def _urls(db: Workspace, user: str) -> dict[str, str]:
    return {side: f"{db.engine}://{user}:secret@127.0.0.1:{db.pair.server(side).port}/{db.name}" for side in SIDES}


def _checks_without_links(clusters: api.Clusters) -> Check:
    tables = clusters.tables()
    return schema.check(clusters.pair, tables, tables.of(TableClass.config))


@pytest.mark.engines("postgresql")
def test_a_sequence_that_stays_behind(db: Workspace) -> None:
    """Logical replication carries rows and no sequences: the remedy is run, and then nothing is told."""
    db.both(
        "CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)",
        'CREATE TABLE "q""%s\'é" ("i""%d" serial PRIMARY KEY, v text)',
        "CREATE SEQUENCE down INCREMENT -1",
        "CREATE TABLE d (id int PRIMARY KEY DEFAULT nextval('down'), v text)",
        "CREATE TABLE heap (id serial, v text)",
        "CREATE TABLE empty (id serial PRIMARY KEY, v text)",
    )
    db.link(["a", "q\"%s'é", "d"])
    for table in ("a", '"q""%s\'é"', "d"):
        db.run("blue", f"INSERT INTO {table} (v) SELECT 'x' FROM generate_series(1, 5)")
    db.wait_caught_up()
    with _clusters(db) as clusters:
        findings = _checks(clusters).sequences.findings
        behind = {finding.table: finding for finding in findings if finding.code == "sequence.behind"}
        assert set(behind) == {"a", "q\"%s'é", "d"}
        assert behind["a"].severity is Severity.warn
        assert behind["a"].cluster == "green"
        assert "is 5 already" in behind["a"].message
        assert behind["d"].evidence["extremes"] == {"blue": -5}
        assert [finding.evidence["columns"] for finding in findings if finding.severity is Severity.info] == [
            ["public.heap.id"]
        ]
        for finding in behind.values():
            assert finding.remedy
            db.run("green", finding.remedy[finding.remedy.index("SELECT") :])
        assert all(finding.severity is Severity.info for finding in _checks(clusters).sequences.findings)


@pytest.mark.engines("postgresql")
def test_a_sequence_or_column_that_may_not_be_read(db: Workspace) -> None:
    for table in ("a", "b", "c"):
        db.both(f"CREATE TABLE {table} (id serial PRIMARY KEY)")
    db.both("ALTER TABLE b ENABLE ROW LEVEL SECURITY")
    name = f"u_{secrets.token_hex(4)}"
    for side in SIDES:
        db.run(side, f"CREATE ROLE {name} LOGIN PASSWORD 'secret'; GRANT SELECT ON a, b, b_id_seq, c_id_seq TO {name}")
    try:
        with _clusters(db, **_urls(db, name)) as clusters:
            tables = clusters.tables()
            check = sequences.check(clusters.pair, tables, tables.of(TableClass.config), ())
            assert [(finding.code, finding.severity) for finding in check.findings] == (
                [("check.not_run", Severity.unknown)] * 6
            )
            for finding in check.findings:
                assert finding.remedy
                db.run(_side(finding), finding.remedy)
            assert sequences.check(clusters.pair, tables, tables.of(TableClass.config), ()).findings == ()
    finally:
        for side in SIDES:
            db.run(side, f"DROP OWNED BY {name}; DROP ROLE {name}")


@pytest.mark.engines("mariadb", "mysql")
def test_auto_increment_follows_the_rows_that_are_applied(db: Workspace) -> None:
    for name in ("a", "e"):
        db.both(f"CREATE TABLE {name} (id INT AUTO_INCREMENT PRIMARY KEY, v INT)")
    db.run("blue", "INSERT INTO a (v) VALUES (1), (2), (3)")
    db.wait_caught_up()
    with _clusters(db) as clusters:
        check = _checks(clusters).sequences
        assert check.findings == ()
        assert check.summary.startswith("2 counters")


@pytest.mark.engines("mariadb")
def test_a_sequence_that_rows_have_overtaken(db: Workspace) -> None:
    """AUTO_INCREMENT follows an update of its column, and no sequence what is written without it."""
    db.both(
        "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v INT)",
        "CREATE SEQUENCE `s``%s`",
        "CREATE TABLE `q``%s` (`i``d` INT DEFAULT NEXTVAL(`s``%s`) PRIMARY KEY, v INT)",
    )
    db.run("blue", "INSERT INTO a (v) VALUES (1), (2)", "UPDATE a SET id = 9 WHERE v = 2")
    db.run("blue", "INSERT INTO `q``%s` VALUES (500000, 1)")
    db.wait_caught_up()
    with _clusters(db) as clusters:
        (found,) = _checks(clusters).sequences.findings
        assert (found.code, found.cluster, found.table) == ("sequence.behind", "green", "q`%s")
        assert "would go on with 1, and the greatest number on green is 500000 already" in found.message
        assert found.remedy
        db.run_local("green", found.remedy.partition("run there: ")[2].rstrip(";"))
        assert _checks(clusters).sequences.findings == ()


def test_numbers_that_two_sides_would_both_give(two_way_db: Workspace) -> None:
    db = two_way_db
    column = "serial" if db.engine == "postgresql" else "INT AUTO_INCREMENT"
    db.both(f"CREATE TABLE a (id {column} PRIMARY KEY, v INT)")
    db.link()
    with _clusters(db) as clusters:
        (found,) = _checks(clusters).sequences.findings
        assert (found.code, found.severity) == ("sequence.collides", Severity.warn)
        assert f"{'public' if db.engine == 'postgresql' else db.name}.a.id" in found.evidence["counters"]
        with _apart(db):
            assert _checks(clusters).sequences.findings == ()


@contextmanager
def _apart(db: Workspace) -> Iterator[None]:
    """Let one side give odd numbers and the other even ones."""
    if db.engine == "postgresql":
        for first, side in enumerate(SIDES, 1):
            db.run(side, f"ALTER SEQUENCE a_id_seq INCREMENT 2 RESTART {first}")
        yield
        return
    for first, side in enumerate(SIDES, 1):
        db.run(side, "SET GLOBAL auto_increment_increment = 2", f"SET GLOBAL auto_increment_offset = {first}")
    try:
        yield
    finally:
        for side in SIDES:
            db.run(side, "SET GLOBAL auto_increment_increment = 1", "SET GLOBAL auto_increment_offset = 1")


def test_the_command_tells_both_checks(db: Workspace, tmp_path: Path) -> None:
    _create(db)
    with _clusters(db) as clusters:
        checks = {check.id for check in clusters.diff().checks}
    assert {"diff.schema", "diff.sequences"} <= checks
