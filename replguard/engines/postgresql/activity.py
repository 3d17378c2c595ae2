"""What goes on on a PostgreSQL server: sessions and their transactions, locks, backups, prepared transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.activity import Activity, Prepared, ReadOnly, Session, Unseen, ddl
from replguard.engines.postgresql.quoting import quoted
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.engines.postgresql.server import PostgresServer

_SHORT = 1.0
"""Seconds for which a lock may be waited for without being worth telling."""


def look(server: PostgresServer) -> Activity:
    """One look at the sessions of this database, and at those that write elsewhere on the server."""
    unseen: tuple[Unseen, ...] = ()
    if not server.session.row("activity_sees_all")["sees"]:
        remedy = f"GRANT pg_read_all_stats TO {quoted(server.facts['role'])}"
        unseen = (Unseen("what sessions of other users do", remedy),)
    backups = {row["pid"]: _backup(row) for row in server.session.rows("activity_backups")}
    rows = server.session.rows("activity_sessions")
    sessions = tuple(session for row in rows if (session := _session(row, backups.pop(row["pid"], None))))
    return Activity(sessions, tuple(backups.values()), unseen)


def _session(row: Mapping[str, Any], backup: str | None) -> Session | None:
    """None for a session that does nothing worth telling."""
    replicates = row["kind"] != "client backend"
    elsewhere = "" if row["here"] else f" in database {row['database']}"
    program = f" ({row['program']})" if row["program"] else ""
    found = Session(
        str(row["pid"]),
        f"{row['role']}@{row['host']}{program}{elsewhere}",
        row["seconds"],
        bool(row["writes"]),
        _written(row) if row["here"] else (),
        ddl(row["statement"]) if row["here"] else None,
        _waits(row),
        tuple(sorted(_held(lock) for lock in row["held"] or ())),
        backup,
        replicates,
        bool(row["superuser"]),
        "" if replicates else f"SELECT pg_terminate_backend({row['pid']})",
    )
    telling = found.seconds is not None or found.ddl or found.waits or found.locks or found.backup
    return found if telling else None


def _written(row: Mapping[str, Any]) -> tuple[TableName, ...]:
    return tuple(sorted(TableName(schema, name) for schema, name in row["written"] or ()))


def _waits(row: Mapping[str, Any]) -> str | None:
    if not row["waits_for"] or (row["waits_seconds"] or 0.0) < _SHORT:
        return None
    blockers = ", ".join(map(str, row["blockers"] or ())) or "nobody that is shown"
    return f"waiting for a lock ({row['waits_for']}) that {blockers} holds"


def _held(lock: list[str]) -> str:
    mode, schema, name = lock
    return f"{mode} on {TableName(schema, name)}" if name else f"{mode} on a table that it has not committed yet"


def _backup(row: Mapping[str, Any]) -> str:
    kind = "a base backup" if row["base"] else "a backup"
    return f"{kind} by process {row['pid']} of {row['role']} ({row['program']})"


def prepared(server: PostgresServer) -> tuple[Prepared, ...]:
    """Of this database alone; every user is shown all of them."""
    rows = server.session.rows("activity_prepared")
    return tuple(Prepared(row["gid"], row["seconds"], f"ROLLBACK PREPARED {row['literal']}") for row in rows)


def read_only(server: PostgresServer) -> ReadOnly:
    """By ``default_transaction_read_only``, which every session may set otherwise for itself."""
    row = server.session.row("activity_read_only")
    name = f"default_transaction_read_only of database {row['database']}"
    on = bool(row["standby"]) or str(row["value"]).lower() in {"on", "true", "yes", "1"}
    set_by = f"ALTER DATABASE {quoted(row['database'])} SET default_transaction_read_only = on"
    exempt = tuple(f"role {role}, whose own setting is off" for role in row["exempt"])
    return ReadOnly(on, name, set_by, "", "" if row["standby"] else "any session that sets it off", exempt)
