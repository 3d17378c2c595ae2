"""Databases of their own for one test of MariaDB or MySQL, on two real servers, and links between these."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from itertools import count

from pymysql.cursors import DictCursor

from replguard.endpoint import Endpoint
from replguard.engines.binlog.connection import driver

_NUMBERS = count(1)

CHANGE = {
    "mariadb": (
        "CHANGE MASTER '{name}' TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='{user}', "
        "MASTER_PASSWORD='{password}', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1"
    ),
    "mysql": (
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='{user}', "
        "SOURCE_PASSWORD='{password}', SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1 "
        "FOR CHANNEL '{name}'"
    ),
}
START = {"mariadb": "START SLAVE '{name}'", "mysql": "START REPLICA FOR CHANNEL '{name}'"}
STOP = {"mariadb": "STOP SLAVE '{name}'", "mysql": "STOP REPLICA FOR CHANNEL '{name}'"}
STOP_RECEIVER = {"mariadb": "STOP SLAVE '{name}' IO_THREAD", "mysql": "STOP REPLICA IO_THREAD FOR CHANNEL '{name}'"}
STOP_APPLIER = {"mariadb": "STOP SLAVE '{name}' SQL_THREAD", "mysql": "STOP REPLICA SQL_THREAD FOR CHANNEL '{name}'"}
FORGET = {"mariadb": "RESET SLAVE '{name}' ALL", "mysql": "RESET REPLICA ALL FOR CHANNEL '{name}'"}
LOCAL = "SET SESSION sql_log_bin = 0"


def unique(stem):
    return f"{stem}_{os.getpid()}_{next(_NUMBERS)}"


def eventually(condition, seconds=20.0):
    """Poll until ``condition()`` is true and return its value; fail with its last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"did not become true in {seconds} s: {value!r}"
        time.sleep(0.05)
    return value


@dataclass
class Side:
    """One database on one server: ``sql`` runs statements as administrator, ``connect`` gives replguard's server."""

    name: str
    engine: str
    host: str
    port: int
    user: str
    password: str
    database: str = ""
    servers: list = field(default_factory=list)
    links: list = field(default_factory=list)
    accounts: list = field(default_factory=list)
    sent: list = field(default_factory=list)

    def sql(self, *statements, database=None, args=None):
        chosen = self.database if database is None else database
        raw = driver()(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=chosen or None,
            autocommit=True,
        )
        with raw, raw.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, args)
            return cursor.fetchall()

    def explained(self, text):
        """The plan of a statement, row by row."""
        raw = driver()(host=self.host, port=self.port, user=self.user, password=self.password, database=self.database)
        with raw, raw.cursor(DictCursor) as cursor:
            cursor.execute("SET NAMES utf8mb4")
            cursor.execute(f"EXPLAIN {'FORMAT=TRADITIONAL' if self.engine == 'mysql' else ''} {text}")
            return cursor.fetchall()

    def connect(self, **changes):
        endpoint = Endpoint(self.name, self.engine, self.host, self.port, self.user, self.password, self.database)
        engine = import_module(f"replguard.engines.{changes.pop('with_engine', self.engine)}").ENGINE
        server = engine.connect(replace(endpoint, **changes), lambda _, text: self.sent.append(text))
        self.servers.append(server)
        return server

    def account(self, *privileges):
        """A user of its own with just these privileges (``SELECT ON db.*``): what to connect with."""
        name = unique("u")
        self.sql(LOCAL, f"CREATE USER '{name}'@'%' IDENTIFIED BY 'secret-{name}'")
        for privilege in privileges:
            self.sql(LOCAL, f"GRANT {privilege} TO '{name}'@'%'")
        self.accounts.append(name)
        return {"user": name, "password": f"secret-{name}"}

    def replicate(self, source, name="", *, start=True):
        """A link from ``source`` into this server that begins at the source's present end."""
        if start:
            self.skip_history(source)
        words = {"name": name, "port": source.port, "user": source.user, "password": source.password}
        self.sql(CHANGE[self.engine].format(**words), database="")
        self.links.append(name)
        if start:
            self.switch(START, name)

    def skip_history(self, source):
        """Count all that the source ever wrote as applied: earlier tests' tables are gone here."""
        if self.engine == "mysql":
            ((executed,),) = source.sql("SELECT @@GLOBAL.gtid_executed", database="")
            ((missing,),) = self.sql("SELECT GTID_SUBTRACT(%s, @@GLOBAL.gtid_executed)", database="", args=[executed])
            if missing:
                self.sql("SET GLOBAL gtid_purged = %s", database="", args=[f"+{missing}"])
            return
        ((theirs,),) = source.sql("SELECT @@GLOBAL.gtid_binlog_pos", database="")
        ((ours,),) = self.sql("SELECT @@GLOBAL.gtid_slave_pos", database="")
        domains = {gtid.partition("-")[0]: gtid for gtid in f"{ours},{theirs}".split(",") if gtid}
        ((own,),) = self.sql("SELECT @@GLOBAL.gtid_domain_id", database="")
        domains.pop(str(own), None)
        self.sql("SET GLOBAL gtid_slave_pos = %s", database="", args=[",".join(domains.values())])

    def switch(self, statements, name=""):
        self.sql(statements[self.engine].format(name=name), database="")

    def clean(self):
        for server in self.servers:
            server.close()
        for name in self.links:
            self.switch(STOP, name)
            self.switch(FORGET, name)
        for name in self.accounts:
            self.sql(LOCAL, f"DROP USER '{name}'@'%'", database="")


@contextmanager
def two_sides(blue, green):
    """Two servers with one empty database of the same name each, made without a trace in the binlogs."""
    sides = (blue, green)
    name = unique("rg")
    for side in sides:
        side.sql(LOCAL, f"CREATE DATABASE {name}", database="")
        side.database = name
    try:
        yield sides
    finally:
        for side in sides:
            side.clean()
        for side in sides:
            side.sql(LOCAL, f"DROP DATABASE {name}", database="")


def of_server(name, server):
    """The side of one of the harness's servers; statements run as its administrator."""
    admin = server.admin
    return Side(name, admin.engine, admin.host, admin.port, admin.user, admin.password)
