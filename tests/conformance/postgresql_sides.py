"""Databases of their own for one test of PostgreSQL, on the two servers of the harness."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

import psycopg
import pytest

from replguard.endpoint import Endpoint
from replguard.engines.postgresql import ENGINE

if TYPE_CHECKING:
    from tests.servers.workspace import Workspace

_NUMBERS = count(1)


def unique(stem):
    return f"{stem}_{os.getpid()}_{next(_NUMBERS)}"


@dataclass
class Side:
    """One database: ``sql`` runs statements as its superuser, ``connect`` gives replguard's server."""

    endpoint: Endpoint
    major: int
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


def _side(db: Workspace, name):
    server = db.pair.server(name)
    admin = server.admin
    where = Endpoint(name, "postgresql", admin.host, admin.port, admin.user, admin.password, db.name)
    return Side(where, int(server.version.partition(".")[0]))


@pytest.fixture
def pg_pair(db):
    """Two empty databases, ``blue`` and ``green``, on two servers of one version, not linked."""
    sides = [_side(db, name) for name in ("blue", "green")]
    yield sides
    for side in sides:
        for server in side.servers:
            server.close()


@pytest.fixture
def pg_one(pg_pair):
    """One empty database, ``blue``."""
    return pg_pair[0]
