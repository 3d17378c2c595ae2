"""What goes on on a MySQL or MariaDB server: sessions and their transactions, locks, backups, prepared transactions.

A server whose performance schema is off does not tell what program a session is of. So what replguard's own account
only reads is taken for replguard's: its snapshots last as long as a comparison does.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replguard.engines.activity import Activity, Prepared, ReadOnly, Session, Unseen, ddl
from replguard.engines.binlog.errors import grant
from replguard.engines.binlog.privileges import Privileges, account
from replguard.errors import PrivilegeError
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.engines.binlog.server import BinlogServer

REPLICATION = "system user"
_RUNS = frozenset({"Query", "Execute", "Connect", "Slave_SQL", "Slave_worker"})
_WAITS = re.compile(r"waiting for (?:.*metadata|global read|commit|backup|table level) lock", re.IGNORECASE)
_DUMPING = re.compile(
    r"\s*(?:SELECT /\*!40001 SQL_NO_CACHE \*/|FLUSH (?:/\*!\d+ LOCAL \*/ )?TABLES WITH READ LOCK"
    r"|BACKUP STAGE|LOCK INSTANCE)",
    re.IGNORECASE,
)
_SERVER_WIDE = frozenset({"GLOBAL", "COMMIT", "BACKUP LOCK", "Backup lock"})
_WRITES_ONLY = frozenset({"SHARED_WRITE", "MDL_SHARED_WRITE"})
_KEEPS_OUT = frozenset({"SHARED_READ_ONLY", "SHARED_NO_WRITE", "SHARED_NO_READ_WRITE", "EXCLUSIVE"})
_OF_BACKUPS = frozenset({"SHARED", "MDL_BACKUP_FTWRL1", "MDL_BACKUP_FTWRL2"})
_STAGE = re.compile(r"MDL_BACKUP_(?:START|FLUSH|WAIT_FLUSH|WAIT_DDL|WAIT_COMMIT)")
_SHORT = 1
"""Seconds for which rows may be waited for without being worth telling."""


def look(server: BinlogServer) -> Activity:
    """One look at all sessions."""
    Privileges(server).require_everywhere("PROCESS", hidden="transactions and locks of other users")
    locks, unseen = _locks(server)
    rows = server.run("activity_sessions")
    sessions = tuple(session for row in rows if (session := _session(server, row, locks)))
    cloning, unclear = _cloning(server)
    return Activity(sessions, cloning, (*unseen, *unclear))


def _session(
    server: BinlogServer, row: Mapping[str, Any], locks: Mapping[int, list[dict[str, Any]]] | None
) -> Session | None:
    """None for a session that does nothing worth telling."""
    user, replicates = str(row["user"]), row["user"] == REPLICATION
    seconds, writes = row["open_seconds"], bool(row["writes"])
    held = locks.get(int(row["thread"]), []) if locks is not None and row["thread"] is not None else None
    statement = str(row["statement"]) if row["statement"] and row["command"] in _RUNS else None
    if user == server.account.rpartition("@")[0] and not writes:
        seconds = None
    found = Session(
        str(row["id"]),
        f"{user}@{str(row['host']).rpartition(':')[0] or row['host']}",
        None if seconds is None else max(float(seconds), 0.0),
        writes,
        _written(held, modified=bool(row["modified"])),
        ddl(statement),
        _waits(row),
        tuple(_kept_out(held or ())),
        _backup(statement, held or ()),
        replicates,
        end="" if replicates else f"KILL {int(row['id'])}",
    )
    idle = replace(found, tables=None)
    telling = idle.seconds is not None or idle.ddl or idle.waits or idle.locks or idle.backup
    return found if telling else None


def _waits(row: Mapping[str, Any]) -> str | None:
    state = str(row["state"] or "")
    if _WAITS.search(state):
        return state[0].lower() + state[1:]
    if row["waits_seconds"] is not None and row["waits_seconds"] >= _SHORT:
        return f"waiting for a lock on rows since {row['waits_seconds']} s"
    return None


def _written(held: Sequence[Mapping[str, Any]] | None, *, modified: bool) -> tuple[TableName, ...] | None:
    """The tables that the session's transaction writes to; None where locks are not shown."""
    if held is None:
        return None
    names = {_table(row) for row in held if row["mode"] in _WRITES_ONLY and row["table_name"]}
    return tuple(sorted(names)) if names or not modified else None


def _kept_out(held: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(
        {
            f"{_mode(row)} on {_table(row)}"
            for row in held
            if row["kind"] not in _SERVER_WIDE and _mode(row) in _KEEPS_OUT and row["table_name"]
        }
    )


def _backup(statement: str | None, held: Sequence[Mapping[str, Any]]) -> str | None:
    for row in held:
        if row["kind"] in _SERVER_WIDE and (row["mode"] in _OF_BACKUPS or _STAGE.fullmatch(str(row["mode"]))):
            what = "the backup lock" if "ackup" in str(row["kind"]).lower() and "FTWRL" not in row["mode"] else None
            return f"it holds {what or 'the global read lock'}"
    if statement and _DUMPING.match(statement):
        return "it runs a statement of a dump"
    return None


def _mode(row: Mapping[str, Any]) -> str:
    return str(row["mode"]).removeprefix("MDL_")


def _table(row: Mapping[str, Any]) -> TableName:
    return TableName(str(row["table_schema"]), str(row["table_name"]))


def _locks(server: BinlogServer) -> tuple[dict[int, list[dict[str, Any]]] | None, tuple[Unseen, ...]]:
    """Locks by the thread that holds them; None where they are not shown."""
    if why := server.hides_locks():
        return None, (why,)
    found: dict[int, list[dict[str, Any]]] = {}
    try:
        rows = server.run("activity_locks")
    except PrivilegeError as error:
        return None, (Unseen("locks that sessions hold on tables or on the whole server", error.remedy or ""),)
    for row in rows:
        found.setdefault(int(row["thread"]), []).append(row)
    return found, ()


def _cloning(server: BinlogServer) -> tuple[tuple[str, ...], tuple[Unseen, ...]]:
    if server.flavour == "mariadb" or not server.run("activity_clone_there")[0]["there"]:
        return (), ()
    try:
        return tuple("the server is being cloned" for _ in server.run("activity_clone")), ()
    except PrivilegeError as error:
        return (), (Unseen("whether the server is being cloned", error.remedy or ""),)


def prepared(server: BinlogServer) -> tuple[Prepared, ...]:
    """What XA RECOVER lists."""
    if server.flavour == "mysql":
        Privileges(server).require_everywhere("XA_RECOVER_ADMIN", hidden="prepared transactions")
    names = [_xid(row) for row in server.run("activity_prepared")]
    return tuple(Prepared(name, None, f"XA ROLLBACK {name}") for name in names)


def _xid(row: Mapping[str, Any]) -> str:
    """The transaction's name as a statement takes it."""
    data = row["data"].decode() if isinstance(row["data"], bytes) else str(row["data"])
    if not data.startswith("0x"):
        return data
    digits, first = data[2:], int(row["gtrid_length"]) * 2
    return f"X'{digits[:first]}',X'{digits[first:]}',{int(row['formatID'])}"


def read_only(server: BinlogServer) -> ReadOnly:
    """By ``super_read_only`` where there is one, else by ``read_only``, in spite of which some accounts write."""
    values = {str(row["Variable_name"]): str(row["Value"]).upper() for row in server.run("activity_read_only")}
    strict, plain = values.get("super_read_only"), values.get("read_only", "OFF")
    name = "read_only" if strict is None else "super_read_only"
    on, for_all = plain not in {"OFF", "0"}, strict == "ON" or plain == "NO_LOCK_NO_ADMIN"
    exempt: tuple[str, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    if on and not for_all:
        exempt, unseen = _exempt(server)
    set_by, keep = f"SET PERSIST {name} = ON", ""
    if strict is None:
        set_by, keep = f"SET GLOBAL {name} = ON", f"put {name} = ON into its option file as well, or a restart ends it"
    note = "" if for_all else "accounts with " + ("CONNECTION_ADMIN or SUPER" if strict else _bypass(server))
    return ReadOnly(on, name if for_all else "read_only", set_by, keep, note, exempt, unseen)


def _bypass(server: BinlogServer) -> str:
    return "READ ONLY ADMIN" if server.version >= (10, 11) else "READ ONLY ADMIN or SUPER"


def _exempt(server: BinlogServer) -> tuple[tuple[str, ...], tuple[Unseen, ...]]:
    """Sessions of accounts that may write all the same."""
    if not Privileges(server).has("SELECT", "mysql"):
        remedy = grant("SELECT", "mysql.*", account(server.account))
        return (), (Unseen("which of the connected accounts write in spite of read_only", remedy, needed=False),)
    ignored = {"SUPER"} if server.flavour == "mariadb" and server.version >= (10, 11) else set()
    rows = [row for row in server.run("activity_exempt") if row["privilege"] not in ignored]
    names = {_user(str(row["account"])) for row in rows} - {server.account.rpartition("@")[0]}
    sessions = [row for row in server.run("activity_sessions") if str(row["user"]) in names]
    return tuple(f"session {row['id']} of {row['user']}@{row['host']}" for row in sessions), ()


def _user(grantee: str) -> str:
    """The name in ``'name'@'host'``."""
    return grantee.rpartition("@")[0].strip("'").replace("''", "'")
