"""Databases of their own for one test of PostgreSQL, on one or two real servers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from itertools import count

import psycopg
import pytest
from psycopg import sql

from replguard.endpoint import Endpoint
from replguard.engines.postgresql import ENGINE

_NUMBERS = count(1)
_MAJORS = ("18", "16", "15")


def unique(stem):
    return f"{stem}_{os.getpid()}_{next(_NUMBERS)}"


@dataclass
class Side:
    """One database: ``sql`` runs statements as its superuser, ``connect`` gives replguard's server."""

    name: str
    endpoint: Endpoint
    servers: list = field(default_factory=list)
    sent: list = field(default_factory=list)

    @property
    def dsn(self):
        e = self.endpoint
        return psycopg.conninfo.make_conninfo(
            host=e.host, port=e.port, user=e.user, password=e.password, dbname=e.database
        )

    def sql(self, *statements):
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            rows = []
            for statement in statements:
                query = statement.encode() if isinstance(statement, str) else statement
                cursor = connection.execute(query)
                rows = cursor.fetchall() if cursor.description else []
            return rows

    def connect(self, **changes):
        server = ENGINE.connect(replace(self.endpoint, **changes), lambda _, text: self.sent.append(text))
        self.servers.append(server)
        return server

    def unique(self, stem):
        return unique(stem)

    def drop(self):
        for server in self.servers:
            server.close()
        admin = psycopg.conninfo.make_conninfo(self.dsn, dbname="postgres")
        ours = (
            "SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid AND datname = current_database()"
        )
        for (name,) in self.sql(ours):
            subscription = sql.Identifier(name)
            self.sql(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(subscription))
            self.sql(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(subscription))
            self.sql(sql.SQL("DROP SUBSCRIPTION {}").format(subscription))
        return admin


def _remove(side, admin):
    with psycopg.connect(admin, autocommit=True) as connection:
        name = side.endpoint.database
        connection.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = %s AND active", [name]
        )
        for _ in range(100):
            left = connection.execute(
                "SELECT slot_name, active FROM pg_replication_slots WHERE database = %s", [name]
            ).fetchall()
            for slot, active in left:
                if not active:
                    connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
            if not left:
                break
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _make(name, port):
    database = unique("rg")
    endpoint = Endpoint(name, "postgresql", "127.0.0.1", port, "postgres", None, "postgres")
    with psycopg.connect(Side(name, endpoint).dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
    return Side(name, replace(endpoint, database=database))


@pytest.fixture(params=_MAJORS)
def pg_pair(request):
    """Two empty databases, ``blue`` and ``green``, on two servers of one version."""
    sides = [_make("blue", int(f"54{request.param}1")), _make("green", int(f"54{request.param}2"))]
    yield sides
    admins = [side.drop() for side in sides]
    for side, admin in zip(sides, admins, strict=True):
        _remove(side, admin)


@pytest.fixture(params=_MAJORS)
def pg_one(request):
    """One empty database, ``blue``."""
    side = _make("blue", int(f"54{request.param}1"))
    yield side
    _remove(side, side.drop())
