"""``--repair-sql`` on every engine: the file, run by hand, makes both sides equal, and travels nowhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from replguard import api, config
from replguard.diff.repair import Request
from replguard.diff.run import Options, diff
from replguard.errors import UsageError
from replguard.model.findings import Report, Verdict
from tests.conformance.test_mysql_mariadb_rows import LOOSE, NEIGHBOURS, ONLY
from tests.conformance.test_postgresql_rows import EXACT, PAIRS

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.servers.workspace import Workspace

QUICK = Options(datetime.now(UTC).date(), settle=5.0)
KEYS = {
    "postgresql": ("varchar(40)", "bytea", r"'\x{}'"),
    "mysql": ("VARCHAR(40) CHARACTER SET latin1", "VARBINARY(9)", "x'{}'"),
}
HOSTILE = ('Order"; DROP--', "tick`s ``", "100%s %(x)s {{x}}", "new\nline; -- x", "it's \\ '' \\'", "we[ird] ☃ \u2028x")


class Drifted:
    """A pair whose config tables differ, and the files of repairs made of it."""

    def __init__(self, db: Workspace, folder: Path) -> None:
        self.db = db
        self.family = "postgresql" if db.engine == "postgresql" else "mysql"
        self.file = folder / "repair.sql"
        urls = {"blue": db.blue_url, "green": db.green_url}
        self.config = replace(config.from_options(urls, None, ("never",)), state_dir=folder / "state")

    def clusters(self) -> AbstractContextManager[api.Clusters]:
        return api.connect(self.config)

    def diff(self, cluster: str | None = None, *, write: bool = True) -> Report:
        with self.clusters() as clusters:
            return clusters.diff(QUICK, Request(self.file, cluster) if write else None)

    @property
    def text(self) -> str:
        return self.file.read_text(encoding="utf-8", errors="surrogateescape")

    def apply(self, side: Any) -> None:
        """Run the file as a client does: in one connection, up to the first error."""
        with self.db.pair.server(side).connect(self.db.name) as connection:
            connection.run(self.text)

    def apply_and_go_on(self, side: Any) -> list[str]:
        """Run the file as an interactive client does, which goes on after errors; what these said."""
        said = []
        with self.db.pair.server(side).connect(self.db.name) as connection:
            for statement in _statements(self.text):
                try:
                    connection.run(statement)
                except Exception as error:  # noqa: BLE001 - any driver's
                    said.append(str(error))
        return said

    def quoted(self, name: str) -> str:
        mark = '"' if self.family == "postgresql" else "`"
        return mark + name.replace(mark, mark * 2) + mark


def _statements(text: str) -> list[str]:
    """The statements of a file without dollar quotes that end within a line."""
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part for part in re.split(r";\n", "\n".join(lines) + "\n") if part.strip()]


@pytest.fixture
def drifted(db: Workspace, tmp_path: Path) -> Drifted:
    return Drifted(db, tmp_path)


def told(report: Report) -> list[tuple[str, str | None, str]]:
    return [
        (item.code, item.table, item.message)
        for check in report.checks
        for item in check.findings
        if item.severity.value in ("fail", "unknown") or item.code == "repair.incomplete"
    ]


def assert_equal(report: Report) -> None:
    assert (report.verdict, told(report)) == (Verdict.passed, [])


def _kinds(db: Workspace) -> dict[str, list[str]]:
    """By type, some values as literals."""
    if db.engine != "postgresql":
        return {kind: values for kind, values in (NEIGHBOURS | ONLY[db.engine]).items() if "NOW()" not in str(values)}
    kinds: dict[str, list[str]] = {}
    for kind, *values in [*((kind, literal, "NULL") for kind, literal, _ in EXACT), *PAIRS]:
        known = kinds.setdefault(kind, [])
        known += [value for value in values if value not in known]
    kinds |= {
        "mood": ["'ok'", "'so\"so'"],
        "pounds": ["1.50", "2.00"],
        "duo": ["ROW('', NULL)", "ROW('a\\b', 1)"],
        "raw": [r"'\x5c'", r"'\x00'"],
        "text ": [r"E'a\nb;\n-- c'", "'$replguard$'", "E'\\u200b\\t\\x01'"],
    }
    if db.query("blue", "SELECT 1 FROM pg_config WHERE name = 'CONFIGURE' AND setting LIKE '%libxml%'"):
        kinds["xml"] = ["'<a/>'", """'<?xml version="1.0"?><a/>'"""]
    return kinds


def _row(db: Workspace, kinds: dict[str, list[str]], number: int, shift: int) -> str:
    values = [values[(number + shift) % len(values)] for values in kinds.values()]
    if db.engine == "postgresql":
        values = [f"(({value})::{kind})" for value, kind in zip(values, kinds, strict=True)]
    return f"({number}, {', '.join(values)})"


def plant_types(drifted: Drifted) -> None:
    """A table with a column of every type; each row differs in all of them, and each value was and is once."""
    db, kinds = drifted.db, _kinds(drifted.db)
    rows = max(map(len, kinds.values()))
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(kinds))
    if db.engine == "postgresql":
        db.both(
            "CREATE TYPE mood AS ENUM ('ok', 'so\"so')",
            "CREATE DOMAIN pounds AS numeric(6, 2)",
            "CREATE TYPE duo AS (a text, b int)",
            "CREATE DOMAIN raw AS bytea",
        )
        db.both(f"CREATE TABLE types (id int PRIMARY KEY, {columns})")
        insert = "INSERT INTO types VALUES {}"
    else:
        db.both(f"{LOOSE}; CREATE TABLE types (id int PRIMARY KEY, {columns})")
        insert = f"SET NAMES utf8mb4; {LOOSE}; INSERT IGNORE INTO types VALUES {{}}"
    local = {"blue": range(rows + 1), "green": (*range(rows), rows + 1)}
    for shift, (side, numbers) in enumerate(local.items()):
        side_rows = ", ".join(_row(db, kinds, number, shift) for number in numbers)
        db.run_local(side, insert.format(side_rows))  # type: ignore[arg-type]


@pytest.mark.parametrize("cluster", ["green", "blue"])
def test_every_type_is_put_right_in_either_direction(drifted: Drifted, cluster: str) -> None:
    plant_types(drifted)
    report = drifted.diff(cluster)
    assert report.verdict is Verdict.failed
    assert not [item for item in told(report) if item[0] == "repair.incomplete"]
    drifted.apply(cluster)
    assert_equal(drifted.diff())
    assert drifted.file.stat().st_mode & 0o777 == 0o600
    assert "INSERT" not in drifted.text


BOTH = (
    "CREATE TABLE parent (id int PRIMARY KEY, name varchar(20) UNIQUE)",
    "CREATE TABLE child (id int PRIMARY KEY, up int NOT NULL, FOREIGN KEY (up) REFERENCES parent (id))",
    "CREATE TABLE tree (id int PRIMARY KEY, up int, FOREIGN KEY (up) REFERENCES tree (id))",
    "CREATE TABLE hen (id int PRIMARY KEY, egg int)",
    "CREATE TABLE egg (id int PRIMARY KEY, hen int NOT NULL, FOREIGN KEY (hen) REFERENCES hen (id))",
    "ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg (id)",
    "CREATE TABLE lone (id int PRIMARY KEY, one int UNIQUE)",
)
STARTS = (
    "INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)",
    "INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2)",
    "INSERT INTO lone VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
)
BLUE = (
    "INSERT INTO parent VALUES (5, 'e')",
    "INSERT INTO child VALUES (5, 5)",
    "INSERT INTO tree VALUES (9, 1)",
    "INSERT INTO tree VALUES (8, 9)",
    "INSERT INTO hen VALUES (1, NULL)",
    "INSERT INTO egg VALUES (1, 1)",
    "UPDATE hen SET egg = 1",
    "DELETE FROM lone WHERE id = 4",
    "UPDATE lone SET one = 4 WHERE id = 3",
    "INSERT INTO lone VALUES (5, 3)",
    "INSERT INTO lone VALUES (6, NULL)",
)
GREEN = (
    # Row 3 was made anew under another number, with its children.
    "DELETE FROM child WHERE id = 3",
    "DELETE FROM parent WHERE id = 3",
    "INSERT INTO parent VALUES (8, 'c')",
    "INSERT INTO child VALUES (3, 8)",
    # Two rows exchanged their names, and others refer to them.
    "UPDATE parent SET name = 'x' WHERE id = 1",
    "UPDATE parent SET name = 'a' WHERE id = 2",
    "UPDATE parent SET name = 'b' WHERE id = 1",
    "INSERT INTO tree VALUES (7, 3)",
    "UPDATE tree SET up = 7 WHERE id = 2",
    "INSERT INTO hen VALUES (2, NULL)",
    "INSERT INTO egg VALUES (2, 2)",
    "UPDATE hen SET egg = 2 WHERE id = 2",
    "UPDATE lone SET one = 9 WHERE id = 1",
    "UPDATE lone SET one = 1 WHERE id = 2",
    "UPDATE lone SET one = 2 WHERE id = 1",
)


@pytest.mark.parametrize("cluster", ["green", "blue"])
def test_rows_that_refer_to_one_another_are_put_right_in_an_order_that_holds(drifted: Drifted, cluster: str) -> None:
    drifted.db.both(*BOTH)
    drifted.db.run_local("blue", *STARTS, *BLUE)
    drifted.db.run_local("green", *STARTS, *GREEN)
    report = drifted.diff(cluster)
    assert {table for _, table, _ in told(report)} == {"parent", "child", "tree", "hen", "egg", "lone"}
    drifted.apply(cluster)
    assert_equal(drifted.diff())


def plant_keys(drifted: Drifted) -> None:
    """Keys of several columns, in text and bytes; rows without a key, several times and with NULLs; names that hurt."""
    db = drifted.db
    text, binary, raw = KEYS[drifted.family]
    db.both(
        f"CREATE TABLE keyed (a {text}, b {binary}, v varchar(20), PRIMARY KEY (a, b))",
        "CREATE TABLE bag (a varchar(9), n int)",
        "CREATE TABLE loose (k int UNIQUE, v varchar(9))",
        *(
            f"CREATE TABLE {drifted.quoted(name)} (id varchar(40) PRIMARY KEY, {drifted.quoted(name)} varchar(80))"
            for name in HOSTILE
        ),
    )
    same = ("INSERT INTO bag VALUES ('same', 1), ('same', 1)", "INSERT INTO keyed VALUES ('same', {0}, 's')")
    sides = {
        "blue": (
            f"INSERT INTO keyed VALUES ('é''s', {raw.format('00')}, 'a'), ('A', {raw.format('ff')}, 'a ')",
            f"INSERT INTO keyed VALUES ('only blue', {raw.format('')}, NULL)",
            "INSERT INTO bag VALUES ('x', 1), ('x', 1), ('x', 1), ('y', NULL), (NULL, NULL), ('', 0)",
            "INSERT INTO loose VALUES (1, 'a'), (2, 'b'), (NULL, 'x'), (NULL, 'x')",
        ),
        "green": (
            f"INSERT INTO keyed VALUES ('é''s', {raw.format('00')}, 'A'), ('A', {raw.format('ff')}, 'a')",
            f"INSERT INTO keyed VALUES ('only green', {raw.format('')}, '')",
            "INSERT INTO bag VALUES ('x', 1), ('y', NULL), ('y', NULL), (NULL, NULL), (NULL, 0)",
            "INSERT INTO loose VALUES (1, 'A'), (3, 'c'), (NULL, 'x'), (NULL, 'y')",
        ),
    }
    for side, texts in sides.items():
        names = [
            f"INSERT INTO {drifted.quoted(name)} VALUES ('{{x}} %s', '{side}'), ('k{side}', '-- \u2028 $replguard$')"
            for name in HOSTILE
        ]
        db.run_local(side, *(one.format(raw.format("07")) for one in same), *texts, *names)  # type: ignore[arg-type]


@pytest.mark.parametrize("cluster", ["green", "blue"])
def test_keys_of_any_kind_none_and_names_that_hurt(drifted: Drifted, cluster: str) -> None:
    plant_keys(drifted)
    report = drifted.diff(cluster)
    assert {table for _, table, _ in told(report)} == {"keyed", "bag", "loose", *HOSTILE}
    first = drifted.text
    drifted.apply(cluster)
    assert_equal(drifted.diff(write=False))
    with pytest.raises(Exception, match=r"1242|1062|nothing is changed|duplicate key"):
        drifted.apply(cluster)
    # Rows without a key alone: no key stands in their way.
    head, *parts = first.split("\n\n-- ")
    foot = parts[-1].partition("\n\n")[2]
    bags = [part for part in parts if part.startswith(("insert", "delete")) and ".bag\n" in part]
    assert len(bags) > 3
    drifted.file.write_text("\n\n-- ".join([head, *bags, f"\n{foot}"]))
    with pytest.raises(Exception, match=r"1242|nothing is changed"):
        drifted.apply(cluster)
    assert_equal(drifted.diff(write=False))


def test_the_servers_own_client_reads_the_file(drifted: Drifted, tmp_path: Path) -> None:
    plant_keys(drifted)
    drifted.diff()
    assert client(drifted, "green").returncode == 0
    assert_equal(drifted.diff(write=False))
    ended = client(drifted, "green")
    assert ended.returncode != 0
    assert_equal(drifted.diff(write=False))


def client(drifted: Drifted, side: Any) -> subprocess.CompletedProcess[str]:
    access = drifted.db.pair.server(side).admin
    if drifted.family == "postgresql":
        words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", drifted.db.name, "-f", str(drifted.file)]
        where = {
            "PGHOST": access.host,
            "PGPORT": str(access.port),
            "PGUSER": access.user,
            "PGPASSWORD": access.password,
        }
    else:
        words = [
            "mariadb",
            "--no-defaults",
            f"-h{access.host}",
            f"-P{access.port}",
            f"-u{access.user}",
            drifted.db.name,
        ]
        where = {"MYSQL_PWD": access.password}
    if not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not on this machine")
    with drifted.file.open() as text:
        return subprocess.run(
            words, stdin=text, env={**os.environ, **where}, capture_output=True, text=True, check=False, timeout=60
        )


def test_what_is_not_as_it_was_stops_the_whole_file(drifted: Drifted) -> None:
    db = drifted.db
    db.both("CREATE TABLE account (id int PRIMARY KEY, name varchar(20))")
    db.run_local("blue", "INSERT INTO account VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    db.run_local("green", "INSERT INTO account VALUES (1, 'x'), (2, 'y'), (4, 'd')")
    drifted.diff()
    now = [(1, "x"), (2, "Y"), (4, "d")]
    db.run_local("green", "UPDATE account SET name = 'Y' WHERE id = 2")
    with pytest.raises(Exception, match=r"1242|nothing is changed"):
        drifted.apply("green")
    assert db.query("green", "SELECT * FROM account ORDER BY id") == now
    if drifted.family == "mysql":
        said = drifted.apply_and_go_on("green")
        assert len(said) == 1
        assert db.query("green", "SELECT * FROM account ORDER BY id") == now
    # On the other server it does nothing at all.
    with pytest.raises(Exception, match=r"1242|nothing is changed"):
        drifted.apply("blue")
    if drifted.family == "mysql":
        assert drifted.apply_and_go_on("blue")
    assert db.query("blue", "SELECT * FROM account ORDER BY id") == [(1, "a"), (2, "b"), (3, "c")]


def test_it_does_not_travel_over_a_two_way_link(two_way_db: Workspace, tmp_path: Path) -> None:
    db, drifted = two_way_db, Drifted(two_way_db, tmp_path)
    db.both("CREATE TABLE account (id int PRIMARY KEY, name varchar(20))", "CREATE TABLE mark (id int PRIMARY KEY)")
    db.link()
    db.run("blue", "INSERT INTO account VALUES (1, 'a'), (2, 'b')")
    db.wait_caught_up()
    db.run_local("green", "UPDATE account SET name = 'x' WHERE id = 1", "DELETE FROM account WHERE id = 2")
    db.run_local("green", "INSERT INTO account VALUES (3, 'c')")
    for cluster in ("green", "blue"):
        report = drifted.diff(cluster)
        assert len(told(report)) == 3
        before = positions(db)
        other = "blue" if cluster == "green" else "green"
        stood = db.query(other, "SELECT * FROM account ORDER BY id")  # type: ignore[arg-type]
        drifted.apply(cluster)
        if drifted.family == "mysql":
            assert positions(db) == before
        # Whatever went before it over either link has arrived with this.
        db.run("green", f"INSERT INTO mark VALUES ({len(cluster)})")
        db.run("blue", f"INSERT INTO mark VALUES (1{len(cluster)})")
        db.wait_caught_up()
        assert db.query(other, "SELECT * FROM account ORDER BY id") == stood  # type: ignore[arg-type]
        assert_equal(drifted.diff(write=False))
        db.run_local("green", "DELETE FROM account WHERE id > 1", "INSERT INTO account VALUES (5, 'e'), (6, 'f')")
    if drifted.family == "postgresql":
        assert db.query("green", "SELECT roname FROM pg_replication_origin WHERE roname LIKE 'replguard%'") == []


def positions(db: Workspace) -> list[Any]:
    text = {"mariadb": "SELECT @@GLOBAL.gtid_binlog_pos", "mysql": "SELECT @@GLOBAL.gtid_executed"}.get(db.engine)
    return [db.query(side, text) for side in ("blue", "green")] if text else []


TRIGGERS = {
    "postgresql": (
        """CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO note VALUES (NEW.id); RETURN NEW; END $$""",
        'CREATE TRIGGER "no;ted" AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION noted()',
        "CREATE TRIGGER asleep AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION noted()",
        "ALTER TABLE account DISABLE TRIGGER asleep",
    ),
    "mysql": ("CREATE TRIGGER noted AFTER INSERT ON account FOR EACH ROW INSERT INTO note VALUES (NEW.id)",),
}


def test_what_acts_behind_the_statements_is_kept_out_or_told(drifted: Drifted) -> None:
    db = drifted.db
    db.both("CREATE TABLE account (id int PRIMARY KEY, name varchar(20))", "CREATE TABLE note (id int)")
    db.both("CREATE TABLE at (id int PRIMARY KEY, up int, FOREIGN KEY (up) REFERENCES account (id) ON DELETE CASCADE)")
    db.run_local("blue", "INSERT INTO account VALUES (1, 'a')")
    db.run_local("green", "INSERT INTO account VALUES (2, 'b')")
    db.both(*TRIGGERS[drifted.family])
    drifted.diff()
    assert re.search(
        r"^-- Rows taken out of \S+account take rows of \S+at .*ON DELETE CASCADE", drifted.text, re.MULTILINE
    )
    drifted.apply("green")
    report = drifted.diff(write=False)
    if drifted.family == "mysql":
        assert re.search(r"^-- \S+account has triggers that fire .*: noted\.", drifted.text, re.MULTILINE)
        assert {table for _, table, _ in told(report)} == {"note"}
        return
    assert re.search(r"^-- Triggers are disabled .*: no;ted of public.account$", drifted.text, re.MULTILINE)
    assert_equal(report)
    states = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
    assert db.query("green", states) == [("asleep", "D"), ("no;ted", "O")]


@pytest.mark.engines("postgresql")
def test_where_a_link_would_carry_it_the_file_refuses_to_run(drifted: Drifted) -> None:
    db = drifted.db
    db.both("CREATE TABLE account (id int PRIMARY KEY, name varchar(20))", "CREATE TABLE apart (id int PRIMARY KEY)")
    db.link(["public.account"])
    if int(db.pair.version.partition(".")[0]) > 15:
        db.run("green", f"ALTER SUBSCRIPTION {db.name}_from_blue SET (origin = any)")
    db.run_local("green", "INSERT INTO apart VALUES (1)")
    drifted.diff("blue")
    assert "no link carries these tables from blue" in drifted.text
    drifted.apply("blue")
    assert_equal(drifted.diff("green", write=False))
    db.run_local("green", "INSERT INTO account VALUES (1, 'a')")
    drifted.diff("blue")
    assert "IT WOULD TRAVEL over blue->green" in drifted.text
    with pytest.raises(Exception, match="nothing is changed: the link"):
        drifted.apply("blue")
    drifted.diff("green")
    drifted.apply("green")
    assert_equal(drifted.diff(write=False))


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_compared(drifted: Drifted) -> None:
    drifted.file = drifted.file.parent / "absent" / "repair.sql"
    with pytest.raises(UsageError, match="no file can be written"):
        drifted.diff()
    drifted.file = drifted.file.parent.parent / "repair.sql"
    with pytest.raises(UsageError, match="no cluster 'gren'"):
        drifted.diff("gren")
    assert not drifted.file.exists()


@pytest.mark.engines("mariadb", "mysql")
def test_a_link_whose_source_is_not_known_counts_as_one_between_the_clusters(db: Workspace, tmp_path: Path) -> None:
    drifted = Drifted(db, tmp_path)
    db.both("CREATE TABLE account (id int PRIMARY KEY)")
    db.run_local("green", "INSERT INTO account VALUES (1)")
    with drifted.clusters() as clusters:
        _, found = clusters.links()
        unknown = tuple(replace(link, source=None) for link in found)
        report = diff(clusters.pair, clusters.tables(), found, QUICK)
        Request(drifted.file).write(clusters.pair, clusters.tables(), unknown, report.drift)
    assert "SET SESSION sql_log_bin = 0;" in drifted.text
    with drifted.clusters() as clusters:
        Request(drifted.file).write(clusters.pair, clusters.tables(), (), report.drift)
    assert "SET SESSION sql_log_bin = 0;" not in drifted.text
    assert "Logged as any other change" in drifted.text


@pytest.mark.engines("postgresql")
@pytest.mark.parametrize("cluster", ["green", "blue"])
def test_partitions_identities_and_generated_columns_of_postgresql(drifted: Drifted, cluster: str) -> None:
    drifted.db.both(
        "CREATE TABLE part (a int, v text) PARTITION BY LIST (a)",
        "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)",
        "CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2)",
        "CREATE TABLE always (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int)",
        "ALTER TABLE always ADD w int GENERATED ALWAYS AS (v * 2) STORED",
        "CREATE TABLE above (id int PRIMARY KEY)",
        "CREATE TABLE below () INHERITS (above)",
    )
    drifted.db.run_local(
        "blue",
        "INSERT INTO part VALUES (1, 'x'), (1, 'x'), (2, 'x'), (2, 'y')",
        "INSERT INTO always OVERRIDING SYSTEM VALUE VALUES (7, 1), (8, 2)",
        "INSERT INTO above VALUES (1), (2)",
        "INSERT INTO below VALUES (3)",
    )
    drifted.db.run_local(
        "green",
        "INSERT INTO part VALUES (1, 'x'), (2, 'x'), (2, 'x'), (2, 'x')",
        "INSERT INTO always OVERRIDING SYSTEM VALUE VALUES (8, 3), (9, 3)",
        "INSERT INTO above VALUES (3)",
        "INSERT INTO below VALUES (3), (4)",
    )
    report = drifted.diff(cluster)
    assert not [item for item in told(report) if item[0] == "repair.incomplete"]
    drifted.apply(cluster)
    assert_equal(drifted.diff(write=False))
