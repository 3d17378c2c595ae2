"""Connecting to MariaDB and MySQL, who they are, and what their catalogs show, on real servers."""

from __future__ import annotations

import pytest

from replguard.demo.servers import until
from replguard.engines.base import OtherFlavour
from replguard.errors import (
    AuthError,
    ConfigError,
    ConnectError,
    ConnectionLost,
    NoSuchDatabase,
    PrivilegeError,
    ReplguardError,
    StatementError,
)
from replguard.model.tables import ColumnKind, TableName
from tests.conformance.mysql_mariadb_sides import LOCAL, of_server, two_sides, unique

pytestmark = pytest.mark.engines("mariadb", "mysql")


@pytest.fixture
def sides(pair, pairs):
    """Two servers without replication between them, started once; ``pair`` is what skips a missing engine."""
    apart = pairs.get("none")
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as both:
        yield both


def table(server, name):
    return next(table for table in server.catalog.tables() if table.name.name == name)


def test_every_refusal_is_an_error_of_its_kind_with_a_remedy_and_without_a_secret(sides):
    blue, _ = sides
    nobody = blue.account()
    cases = [
        ({"password": "wrong-and-secret"}, AuthError),
        ({"database": "not_there"}, NoSuchDatabase),
        ({**nobody}, PrivilegeError),
        ({"port": 9}, ConnectError),
        ({"options": {"sslmode": "wat"}}, ConfigError),
    ]
    for changes, kind in cases:
        with pytest.raises(kind) as caught:
            blue.connect(**changes)
        assert isinstance(caught.value, ReplguardError)
        assert caught.value.remedy
        assert caught.value.cluster == "blue"
        assert "secret" not in f"{caught.value} {caught.value.remedy}"


def test_a_remedy_names_the_account_and_the_table_that_the_server_means(sides):
    """The message names the client's host, and on MySQL the table without its database."""
    blue, _ = sides
    login = blue.account(f"SELECT ON `{blue.database}`.*")
    with pytest.raises(PrivilegeError) as caught:
        blue.connect(**login).run("capacity_replicas")
    user = login["user"]
    scope = {"mariadb": "`mysql`.`user`", "mysql": "mysql.`user`"}[blue.engine]
    assert caught.value.remedy == f"GRANT SELECT ON {scope} TO '{user}'@'%';"
    blue.sql(LOCAL, caught.value.remedy)
    assert blue.connect(**login).run("capacity_replicas")


def test_a_server_of_the_other_flavour_is_told_apart(sides):
    blue, _ = sides
    other = {"mariadb": "mysql", "mysql": "mariadb"}[blue.engine]
    with pytest.raises(OtherFlavour) as caught:
        blue.connect(with_engine=other)
    assert caught.value.engine == blue.engine


def test_identity_tells_the_servers_apart_and_names_who_wrote(sides):
    one, two = (side.connect() for side in sides)
    assert one.identity.engine == sides[0].engine
    assert one.identity.text != two.identity.text
    assert one.identity.text == sides[0].connect().identity.text
    assert len(one.identity.origins) == 1
    assert one.identity.origins <= one.identity.past
    assert one.identity.origins != two.identity.origins
    assert one.capabilities.shows_applied
    assert one.capabilities.applier_cascades


def test_the_probe_proves_the_same_server(sides):
    blue, green = sides
    one, again, two = blue.connect(), blue.connect(), green.connect()
    with one.probe(4711):
        assert again.sees_probe(4711)
        assert not again.sees_probe(4712)
        assert not two.sees_probe(4711)
    until(lambda: not again.sees_probe(4711), "the server to notice that the probe has gone")


def test_closing_twice_is_fine_and_a_killed_connection_is_a_lost_one(sides):
    blue, _ = sides
    server = blue.connect()
    blue.sql(f"KILL {server._session.thread_id}")
    with pytest.raises(ConnectionLost):
        server.catalog.tables()
    server.close()
    server.close()


def test_every_statement_is_told_before_it_is_sent(sides):
    blue, _ = sides
    server = blue.connect()
    blue.sent.clear()
    server.catalog.tables()
    assert any("information_schema.COLUMNS" in text and blue.database in text for text in blue.sent)
    assert not any(blue.password in text for text in blue.sent if len(blue.password) > 6)


def test_keys_kinds_and_attributes_of_columns(sides):
    blue, _ = sides
    blue.sql(
        "CREATE TABLE one (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, b BLOB, y YEAR, f BIT(3), "
        "t VARCHAR(9) CHARACTER SET latin1 DEFAULT 'x', g INT AS (f + 2), d DATETIME DEFAULT CURRENT_TIMESTAMP)",
        "CREATE TABLE two (a INT NOT NULL, b INT NOT NULL, n INT, UNIQUE zz (b), UNIQUE aa (a, b), UNIQUE a0 (n))",
        "CREATE TABLE three (a VARCHAR(50) NOT NULL, n INT, UNIQUE p (a(10)), UNIQUE q (n))",
        "CREATE TABLE four (a INT) PARTITION BY HASH (a) PARTITIONS 2",
        "CREATE VIEW five AS SELECT 1",
    )
    tables = {found.name.name: found for found in blue.connect().catalog.tables()}
    assert sorted(tables) == ["four", "one", "three", "two"]
    one = tables["one"]
    assert one.name == TableName(blue.database, "one")
    assert one.key == ("id",)
    assert one.column("id").identity
    assert one.column("id").type.startswith("bigint")
    assert one.column("id").type.endswith("unsigned")
    kinds = [column.kind for column in one.columns]
    assert kinds[:5] == [ColumnKind.integer, ColumnKind.binary, ColumnKind.integer, ColumnKind.integer, ColumnKind.text]
    assert one.column("t").collation.startswith("latin1_")
    assert one.column("t").default == "'x'"
    assert one.column("g").generated
    assert not one.column("t").generated
    assert not one.column("id").nullable
    assert (tables["two"].key, tables["three"].key, tables["four"].key) == (("a", "b"), (), ())
    assert not tables["four"].partitioned


def test_foreign_keys_and_triggers_also_for_who_may_only_read(sides):
    blue, _ = sides
    blue.sql(
        "CREATE TABLE parent (id INT PRIMARY KEY)",
        "CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT `to ``p` FOREIGN KEY (p) REFERENCES parent (id) "
        "ON DELETE CASCADE ON UPDATE SET NULL)",
        "CREATE TABLE wide (b INT, a INT, PRIMARY KEY (a, b))",
        "CREATE TABLE below (y INT, x INT, FOREIGN KEY (y, x) REFERENCES wide (a, b))",
        "CREATE TRIGGER tr AFTER INSERT ON child FOR EACH ROW SET @seen = 1",
    )
    reader = blue.account(f"SELECT ON {blue.database}.*")
    for server in (blue.connect(), blue.connect(**reader)):
        (key,) = table(server, "child").foreign_keys
        assert (key.on_delete, key.on_update, key.parent.name, key.name) == ("CASCADE", "SET NULL", "parent", "to `p")
        assert key.cascades
        assert (key.columns, key.parent_columns) == (("p",), ("id",))
        (key,) = table(server, "below").foreign_keys
        assert (key.columns, key.parent_columns) == (("y", "x"), ("a", "b"))
    (trigger,) = table(blue.connect(), "child").triggers
    assert (trigger.name, trigger.event, trigger.body) == ("tr", "AFTER INSERT", "SET @seen = 1")
    assert blue.connect(**reader).catalog.cannot_see()
    assert not blue.connect().catalog.cannot_see()


def test_events_that_a_server_runs_itself(sides):
    """Only those that are enabled here, where the scheduler runs; who may not see them is told so."""
    blue, _ = sides
    name = blue.database
    reader = blue.account(f"SELECT ON {name}.*")
    blue.sql(
        LOCAL,
        "CREATE TABLE event (id INT)",
        "CREATE EVENT clean ON SCHEDULE EVERY 1 YEAR STARTS '2038-01-01' DO DELETE FROM event",
        "CREATE EVENT called ON SCHEDULE EVERY 1 YEAR STARTS '2038-01-01' DO CALL clean()",
        "CREATE EVENT off ON SCHEDULE EVERY 1 YEAR STARTS '2038-01-01' DISABLE DO DELETE FROM event",
        "CREATE EVENT there ON SCHEDULE EVERY 1 YEAR STARTS '2038-01-01' DISABLE ON SLAVE DO DELETE FROM event",
    )
    ((before,),) = blue.sql("SELECT @@GLOBAL.event_scheduler")
    try:
        blue.sql("SET GLOBAL event_scheduler = OFF")
        assert blue.connect().catalog.events() == ()
        assert blue.connect(**reader).catalog.events() == ()
        blue.sql("SET GLOBAL event_scheduler = ON")
        found = [event for event in blue.connect().catalog.events() if event.schema == name]
        with pytest.raises(PrivilegeError, match="lacks EVENT") as refused:
            blue.connect(**reader).catalog.events()
    finally:
        blue.sql(f"SET GLOBAL event_scheduler = {before}")
    event = TableName(name, "event")
    assert [(one.name, one.writes, one.opaque) for one in found] == [("called", (), True), ("clean", (event,), False)]
    blue.sql(LOCAL, refused.value.remedy)
    assert blue.connect(**reader).catalog.events() == blue.connect().catalog.events()


def test_a_table_hidden_for_want_of_a_privilege_is_an_error_and_not_an_empty_database(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE seen (id INT)", "CREATE TABLE hidden (id INT)")
    few = blue.account(f"SELECT ON {blue.database}.seen")
    with pytest.raises(PrivilegeError) as caught:
        blue.connect(**few).catalog.tables()
    escaped = blue.database.replace("_", "\\_")
    assert caught.value.remedy == f"GRANT SELECT ON `{escaped}`.* TO '{few['user']}'@'%';"
    blue.sql(LOCAL, caught.value.remedy)
    assert len(blue.connect(**few).catalog.tables()) == 2


def test_a_privilege_through_a_role_counts_only_while_the_role_is_active(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE t (id INT)")
    role = unique("role")
    user = blue.account("USAGE ON *.*", f"INSERT ON {blue.database}.*")
    blue.sql(
        LOCAL,
        f"CREATE ROLE {role}",
        f"GRANT SELECT ON {blue.database}.* TO {role}",
        f"GRANT {role} TO '{user['user']}'@'%'",
    )
    try:
        with pytest.raises(PrivilegeError):
            blue.connect(**user).catalog.tables()
        to = {"mariadb": "SET DEFAULT ROLE {} FOR '{}'@'%'", "mysql": "SET DEFAULT ROLE {} TO '{}'@'%'"}[blue.engine]
        blue.sql(LOCAL, to.format(role, user["user"]))
        assert len(blue.connect(**user).catalog.tables()) == 1
    finally:
        blue.sql(LOCAL, f"DROP ROLE {role}")


def test_the_scope_is_the_databases_that_were_named(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE t (id INT)")
    server = blue.connect(schemas=(blue.database, "not_there"))
    assert server.catalog.schemas() == (blue.database,)
    assert [str(found.name) for found in server.catalog.tables()] == [f"{blue.database}.t"]
    assert blue.connect(schemas=("not_there",)).catalog.tables() == ()


def test_the_error_of_a_statement_says_what_the_server_said(sides):
    blue, _ = sides
    blue.sql("CREATE TABLE t (id INT PRIMARY KEY)")
    server = blue.connect()
    (found,) = server.catalog.tables()
    blue.sql("DROP TABLE t")
    with server.rows.snapshot() as snapshot, pytest.raises(StatementError, match="1146"):
        list(snapshot.read(found, ["id"]))


def test_an_empty_database_has_no_tables(sides):
    assert sides[0].connect().catalog.tables() == ()


def test_sequences_and_versioned_tables_are_tables(sides):
    blue, _ = sides
    if blue.engine == "mysql":
        return
    blue.sql(
        "CREATE SEQUENCE s",
        "CREATE TABLE v (id INT PRIMARY KEY, x INT) WITH SYSTEM VERSIONING",
        "INSERT INTO v VALUES (1, 1)",
        "UPDATE v SET x = 2",
    )
    server = blue.connect()
    assert [found.name.name for found in server.catalog.tables()] == ["s", "v"]
    with server.rows.snapshot() as snapshot:
        assert list(snapshot.read(table(server, "v"), ["id", "x"])) == [(b"1", b"2")]
        (row,) = snapshot.read(table(server, "s"), [column.name for column in table(server, "s").columns])
        assert row[0] == b"1"
    assert table(server, "v").key == ("id",)


@pytest.mark.engines("mysql")
def test_transactions_of_several_sources_that_are_being_applied_bound_a_snapshot(sides):
    """``gtid_owned`` puts the next source right behind a thread's number, which may look like one number then."""
    blue, _ = sides
    server = blue.connect()
    owned = ("aaaaaaaa-0000-0000-0000-000000000001:7", "33333333-0000-0000-0000-000000000001:4")
    with server.open("one", read_only=False) as one, server.open("other", read_only=False) as other:
        for session, gtid in zip((one, other), owned, strict=True):
            session.raw.query(f"SET GTID_NEXT = '{gtid}'")
        with server.open("view") as view:
            lower, upper = server.begin_snapshot(view)
        for session in (one, other):
            session.raw.query("ROLLBACK")
            session.raw.query("SET GTID_NEXT = 'AUTOMATIC'")
    assert all(gtid in upper.text and gtid not in lower.text for gtid in owned)
