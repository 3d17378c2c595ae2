"""Room and rights on a PostgreSQL server: slots, senders, workers, sessions, memberships, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.capacity import Hindrance, Lack, Places
from replguard.engines.postgresql.quoting import quoted
from replguard.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link
    from replguard.model.tables import TableName

_CONNECTIONS = 10
"""As many as a watch, a pause and a link may open beside those that are open now."""
_SLOTS = 3
"""The guard of a pause, a copy of the link's slot, and the slot of a link that leads back."""
_LEAST_MEGABYTES = 64
"""Four segments: less is gone before somebody could look."""


def places(server: PostgresServer) -> Iterator[Places]:
    row = server.session.row("capacity")
    for what, setting, kind, least in (
        ("replication slots", "max_replication_slots", "slots", _SLOTS),
        ("WAL senders", "max_wal_senders", "senders", _SLOTS),
        ("logical replication workers", "max_logical_replication_workers", "workers", 1),
        ("connections", "max_connections", "connections", _CONNECTIONS),
    ):
        raised = f"ALTER SYSTEM SET {setting} = N, and restart the server"
        yield Places(what, setting, row[f"{kind}_most"], row[kind], least, raised)
    role, database = quoted(server.facts["role"]), quoted(server.facts["database"])
    for what, kind, raised in (
        (f"connections of role {role}", "role", f"ALTER ROLE {role} CONNECTION LIMIT N"),
        (f"connections to database {database}", "database", f"ALTER DATABASE {database} CONNECTION LIMIT N"),
    ):
        if row[f"{kind}_most"] >= 0:
            yield Places(what, "CONNECTION LIMIT", row[f"{kind}_most"], row[f"of_{kind}"], _CONNECTIONS, raised)


def lacks(server: PostgresServer, links: Sequence[Link], tables: Sequence[TableName]) -> Iterator[Lack]:
    into = [link.name for link in links if link.target == server.name]
    out = [link for link in links if link.source == server.name]
    role, only = quoted(server.facts["role"]), " WITH INHERIT TRUE, SET FALSE" if server.major >= 16 else ""
    row = server.session.row("capacity_rights", {"subscriptions": into})
    if not row["replicates"]:
        yield Lack("pause, resume, watch", f"{role} lacks REPLICATION", f"ALTER ROLE {role} REPLICATION")
    for owner in row["owners"]:
        remedy = f"GRANT {quoted(owner)} TO {role}{only}"
        yield Lack("pause, resume", f"{role} lacks the rights of {quoted(owner)}, who owns a subscription", remedy)
    if out:
        yield from _publishing(server, out, tables, role, only)


def _publishing(
    server: PostgresServer, links: Sequence[Link], tables: Sequence[TableName], role: str, only: str
) -> Iterator[Lack]:
    names = sorted({name for link in links for name in link.detail.get("publications", ())})
    wanted = {
        "publications": names,
        "schemas": [table.schema for table in tables],
        "names": [table.name for table in tables],
    }
    row = server.session.row("publication_owners", wanted)
    for owner in row["owners"]:
        what = f"{role} lacks the rights of {quoted(owner)}, who owns a publication or a config table"
        yield Lack("filter apply", what, f"GRANT {quoted(owner)} TO {role}{only}", moves=False)


def way_back(server: PostgresServer, pause: float, forbidden: Sequence[TableName]) -> Iterator[Hindrance]:
    row = server.session.row("capacity_back")
    if row["wal_level"] != "logical":
        what = f"its wal_level is {row['wal_level']}, by which nothing can subscribe to it"
        remedy = "ALTER SYSTEM SET wal_level = logical, and restart the server"
        yield Hindrance("back.impossible", Severity.fail, what, remedy)
    if 0 <= row["megabytes"] < _LEAST_MEGABYTES:
        what = f"it keeps {row['megabytes']} MB of WAL for a slot (max_slot_wal_keep_size), which is soon lost"
        remedy = "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB', then SELECT pg_reload_conf()"
        yield Hindrance("back.retention", Severity.fail, what, remedy)
    if row["idle"] and row["idle"] < pause:
        what = f"it gives up slots that were idle for {row['idle']:g} s, and a pause may last {pause:g} s"
        remedy = "ALTER SYSTEM SET idle_replication_slot_timeout = 0, then SELECT pg_reload_conf()"
        yield Hindrance("back.retention", Severity.fail, what, remedy)
    if not row["has_login"]:
        what = "no role of it may log in and replicate, so nobody can subscribe to it"
        yield Hindrance("back.account", Severity.fail, what, "CREATE ROLE ... LOGIN REPLICATION PASSWORD ...")
    elif not row["has_role"]:
        what = "no role of it may log in and replicate but superusers and replguard's own"
        yield Hindrance("back.account", Severity.info, what, "CREATE ROLE ... LOGIN REPLICATION PASSWORD ...")
    if not row["publishes"]:
        what = "its database has no publication yet that a link which leads back could read"
        remedy = "make one of the config tables alone at the switchover: CREATE PUBLICATION ... FOR TABLE ..."
        yield Hindrance("back.filters", Severity.info, what, remedy)
    yield from _published(server, forbidden)


def _published(server: PostgresServer, forbidden: Sequence[TableName]) -> Iterator[Hindrance]:
    apart = {(table.schema, table.name) for table in forbidden}
    for row in server.session.rows("capacity_published"):
        if (row["schema"], row["name"]) in apart:
            table = f"{quoted(row['schema'])}.{quoted(row['name'])}"
            what = f"its publication {quoted(row['publication'])} publishes {table}, which must not sync"
            remedy = f"ALTER PUBLICATION {quoted(row['publication'])} DROP TABLE {table}, or let no link read it"
            yield Hindrance("back.filters", Severity.warn, what, remedy)
