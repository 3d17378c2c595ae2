"""The operators' lock on MySQL and MariaDB: GET_LOCK, held by a connection of its own.

Who holds it is told by what its connection said of itself (an attribute of the connection), where the server keeps that
and this user may read it: MariaDB does not, unless its performance schema is on. Then account and address must do.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from replguard.engines.controls import Holder, LockHeld
from replguard.errors import ConnectionLost, PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.binlog.server import BinlogServer

_SINCE = " since "


@contextmanager
def held(server: BinlogServer, name: str, who: str) -> Iterator[Callable[[], bool]]:
    """See :meth:`replguard.engines.controls.Locks.lock`."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with server.open_as(f"replguard {who}{_SINCE}{now}") as session:
        session.run("lock_session")
        if session.run("lock_take", name)[0]["held"] != 1:
            raise LockHeld(holder(server, name) or Holder("somebody who has let go of it meanwhile"))

        def kept() -> bool:
            try:
                return bool(session.run("lock_kept", name)[0]["kept"])
            except ConnectionLost:
                return False

        yield kept


def holder(server: BinlogServer, name: str) -> Holder | None:
    """See :meth:`replguard.engines.controls.Locks.lock_holder`."""
    connection = server.run("lock_holder", name)[0]["holder"]
    if connection is None:
        return None
    for statement in ("lock_program", "lock_program_of_all"):
        if program := _ask(server, statement, int(connection), "program"):
            who, _, since = program.removeprefix("replguard ").partition(_SINCE)
            return Holder(f"{who} (connection {connection})", _time(since))
    account = _ask(server, "lock_account", int(connection), "account")
    return Holder(f"connection {connection}" + (f" of {account}" if account else ", which this user is not shown"))


def _ask(server: BinlogServer, statement: str, connection: int, column: str) -> str | None:
    try:
        rows = server.run(statement, connection)
    except PrivilegeError:
        return None
    return str(rows[0][column]) if rows else None


def _time(text: str) -> datetime | None:
    """When, as it was written by :func:`held`; None for what is cut off.

    >>> _time("2026-01-02T03:04:05+00:00").year, _time("2026-01-")
    (2026, None)
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
