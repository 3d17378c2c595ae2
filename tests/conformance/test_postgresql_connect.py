"""Connections that fail say why, name the remedy and show no secret; those that stand are pinned and named."""

from __future__ import annotations

import socket
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from replguard.endpoint import endpoint
from replguard.engines.postgresql import ENGINE
from replguard.engines.postgresql.errors import connect_error
from replguard.errors import AuthError, ConfigError, ConnectError, ConnectionLost, NoSuchDatabase

pytest_plugins = ["tests.conformance.postgresql_sides"]
pytestmark = pytest.mark.engines("postgresql")


def connect(side, **changes):
    return ENGINE.connect(replace(side.endpoint, **changes), lambda _cluster, _text: None)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_nobody_listens(pg_one):
    port = free_port()
    with pytest.raises(ConnectError) as caught:
        connect(pg_one, port=port, password="geheim")
    assert f"127.0.0.1:{port}/" in caught.value.message
    assert "geheim" not in caught.value.message
    assert caught.value.remedy


def test_host_that_does_not_resolve(pg_one):
    with pytest.raises(ConnectError, match=r"no-such-host\.invalid"):
        connect(pg_one, host="no-such-host.invalid")


def test_no_such_database(pg_one):
    with pytest.raises(NoSuchDatabase, match="nowhere"):
        connect(pg_one, database="nowhere")


def test_no_such_role(pg_one):
    with pytest.raises(AuthError, match="nobody"):
        connect(pg_one, user="nobody", password="geheim")


def test_no_right_to_connect(pg_one):
    role = pg_one.unique("outsider")
    pg_one.sql(
        f"CREATE ROLE {role} LOGIN PASSWORD 'geheim'",
        f"REVOKE CONNECT ON DATABASE {pg_one.endpoint.database} FROM PUBLIC",
    )
    with pytest.raises(AuthError) as caught:
        connect(pg_one, user=role, password="geheim")
    assert caught.value.remedy == f'GRANT CONNECT ON DATABASE "{pg_one.endpoint.database}" TO "{role}"'


def test_the_password_never_shows():
    target = endpoint("blue", "postgresql://u:geheim@h/d")
    error = psycopg.OperationalError('password authentication failed: "geheim"')
    assert "geheim" not in connect_error(error, target).message


def test_unknown_option_is_named(pg_one):
    with pytest.raises(ConfigError, match="read_default_file"):
        connect(pg_one, options={"read_default_file": "x"})


def test_a_killed_session_is_lost(pg_one):
    server = pg_one.connect()
    pg_one.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'replguard' AND datname = current_database()"
    )
    with pytest.raises(ConnectionLost):
        server.catalog.schemas()
    server.close()
    server.close()


def test_identity_names_system_timeline_and_database(pg_one):
    server = pg_one.connect()
    [(system,)] = pg_one.sql("SELECT system_identifier FROM pg_control_system()")
    assert server.identity.text == f"pg:{system}:1/{pg_one.endpoint.database}"
    assert server.identity.engine == "postgresql"
    assert server.capabilities.pause_survives_restart


def test_every_statement_is_told_before_it_is_sent(pg_one):
    server = pg_one.connect(schemas=("it's",))
    assert server.catalog.schemas() == ()
    assert "set_config" in pg_one.sent[0]
    assert "'{it''s}'" in pg_one.sent[-1]


def test_a_schema_that_hides_functions_is_never_asked(pg_one):
    pg_one.sql(
        "CREATE SCHEMA evil",
        "CREATE FUNCTION evil.format(text, anyelement) RETURNS text LANGUAGE sql AS 'SELECT 1 / 0'",
        f"ALTER DATABASE {pg_one.endpoint.database} SET search_path = evil, pg_catalog",
    )
    assert pg_one.connect().catalog.tables() == ()


def test_scope_is_all_but_the_systems_schemas_or_what_is_named(pg_one):
    pg_one.sql("CREATE SCHEMA st", "CREATE TABLE st.a (i int)", "CREATE TABLE b (i int)", "CREATE VIEW v AS SELECT 1")
    assert pg_one.connect().catalog.schemas() == ("public", "st")
    assert [str(table.name) for table in pg_one.connect().catalog.tables()] == ["public.b", "st.a"]
    assert [str(table.name) for table in pg_one.connect(schemas=("st",)).catalog.tables()] == ["st.a"]


def test_a_database_name_that_hurts(pg_one):
    name = pg_one.unique('Da"ta base; --%')
    with psycopg.connect(pg_one.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            server = connect(pg_one, database=name)
            assert server.identity.text.endswith("/" + name)
            server.close()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
