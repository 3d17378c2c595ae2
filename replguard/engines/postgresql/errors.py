"""The server's and the driver's errors, turned into replguard's: every SQLSTATE is named here and nowhere else.

A failed connection carries no SQLSTATE in libpq, so its message is read; a message in another language than English
still becomes a ConnectError, only not a more precise one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.postgresql.tls import on_handshake
from replguard.errors import (
    AuthError,
    ConnectError,
    ConnectionLost,
    DeadlineError,
    NoSuchDatabase,
    PrivilegeError,
    ReplguardError,
    ServerError,
    StatementError,
    StreamError,
    Unsupported,
)

if TYPE_CHECKING:
    import psycopg

    from replguard.endpoint import Endpoint

INSUFFICIENT_PRIVILEGE = "42501"
UNDEFINED_OBJECT = "42704"
NOT_IN_PREREQUISITE_STATE = "55000"
OBJECT_IN_USE = "55006"
LOCK_NOT_AVAILABLE = "55P03"
QUERY_CANCELED = "57014"
CONFIGURATION_LIMIT_EXCEEDED = "53400"
UNDEFINED_FILE = "58P01"
DATA_CORRUPTED = "XX001"
_LOST_CLASSES = ("08", "57P")
_STREAM = {UNDEFINED_OBJECT, NOT_IN_PREREQUISITE_STATE, OBJECT_IN_USE, CONFIGURATION_LIMIT_EXCEEDED, UNDEFINED_FILE}

_NO_PASSWORD = re.compile(r"password authentication failed|no password supplied|authentication failed|no pg_hba.conf")
_NO_ROLE = re.compile(r'role ".*" (does not exist|is not permitted to log in)', re.DOTALL)
_NO_DATABASE = re.compile(r'database ".*" does not exist', re.DOTALL)
_NO_SENDER = re.compile(r"permission denied to start WAL sender|must be .*replication role to start walsender")
_SENDERS_USED = re.compile(r"exceeds \"?max_wal_senders")
_NO_CONNECT = re.compile(r"permission denied for database|does not have CONNECT privilege")


def text_of(error: psycopg.Error) -> str:
    """The server's first line, with its detail; never the statement, which may hold values."""
    primary = error.diag.message_primary
    if not primary:
        return " ".join(str(error).split())
    detail = error.diag.message_detail
    return f"{primary} ({detail})" if detail else primary


def connect_error(error: psycopg.Error, endpoint: Endpoint) -> ReplguardError:
    """Why there is no connection, with host, port and database, and without a password."""
    text = " ".join(str(error).split())
    for secret in (endpoint.password, endpoint.options.get("sslpassword")):
        text = text.replace(secret, "***") if secret else text
    place = f"cluster {endpoint.name} at {endpoint.address}"
    known: dict[str, str | None] = {"cluster": endpoint.name}
    if broken := on_handshake(text, endpoint, place):
        return broken
    if _NO_DATABASE.search(text):
        remedy = "correct the database at the end of the cluster's URL, or create it"
        return NoSuchDatabase(f"{place}: there is no database {endpoint.database!r}", remedy=remedy, **known)
    if _NO_CONNECT.search(text):
        remedy = f'GRANT CONNECT ON DATABASE "{endpoint.database}" TO "{endpoint.user}"'
        return AuthError(f"{place}: user {endpoint.user!r} may not connect to this database", remedy=remedy, **known)
    if _NO_PASSWORD.search(text) or _NO_ROLE.search(text):
        remedy = "check user and password of the URL (or .pgpass), and the server's pg_hba.conf"
        return AuthError(f"{place} refused user {endpoint.user!r}: {text}", remedy=remedy, **known)
    if _NO_SENDER.search(text):
        remedy = f'ALTER ROLE "{endpoint.user}" REPLICATION'
        return PrivilegeError(f"{place}: user {endpoint.user!r} may not read its WAL", remedy=remedy, **known)
    if _SENDERS_USED.search(text):
        remedy = "raise max_wal_senders (needs a restart), or end a reader that nobody needs: see pg_stat_replication"
        return ConnectError(f"{place}: all its WAL senders are in use", remedy=remedy, **known)
    remedy = "check host and port of the URL, that the server runs, and that it can be reached from here"
    return ConnectError(f"{place} cannot be reached: {text}", remedy=remedy, **known)


def server_error(error: psycopg.Error, cluster: str, doing: str, remedy: str | None = None) -> ServerError:
    """What a failed statement means. ``remedy`` is the grant that ``doing`` needs."""
    state = error.sqlstate or ""
    message = f"{cluster}: {doing}: {text_of(error)}"
    if state == INSUFFICIENT_PRIVILEGE:
        return PrivilegeError(message, remedy=remedy or error.diag.message_hint, cluster=cluster)
    if not state or state.startswith(_LOST_CLASSES):
        return ConnectionLost(message, remedy="run the command again once the server is back", cluster=cluster)
    if state in {LOCK_NOT_AVAILABLE, QUERY_CANCELED}:
        return DeadlineError(message, remedy="try again when the server is less busy", cluster=cluster)
    return StatementError(message, remedy=error.diag.message_hint, cluster=cluster)


def stream_error(error: psycopg.Error, cluster: str, doing: str, remedy: str | None = None) -> ServerError:
    """The same for a slot: one that is gone, lost or in use cannot be read on."""
    if error.sqlstate == UNDEFINED_FILE and "test_decoding" in text_of(error):
        remedy = "install the server's contrib package (postgresql-contrib), which needs no restart"
        return Unsupported(f"{cluster} has no output plugin test_decoding", remedy=remedy, cluster=cluster)
    if (error.sqlstate or "") in _STREAM:
        return StreamError(f"{cluster}: {doing}: {text_of(error)}", remedy=error.diag.message_hint, cluster=cluster)
    return server_error(error, cluster, doing, remedy)
