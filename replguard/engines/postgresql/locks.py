"""The operators' lock on PostgreSQL: an exclusive advisory lock of the database, held by a session of its own.

Who holds it is told by the session's application_name, which every user may read; it is cut off after 63 bytes.
"""

from __future__ import annotations

from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

from replguard.engines.controls import Holder, LockHeld
from replguard.errors import ConnectionLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.postgresql.server import PostgresServer


@contextmanager
def held(server: PostgresServer, name: str, who: str) -> Iterator[Callable[[], bool]]:
    """See :meth:`replguard.engines.controls.Locks.lock`."""
    token = _token(name)
    session = server.open(program=f"replguard {who}")
    try:
        session.rows("lock_session")
        if not session.row("lock_take", token)["held"]:
            raise LockHeld(holder(server, name) or Holder("somebody who has let go of it meanwhile"))

        def kept() -> bool:
            try:
                return bool(session.row("lock_kept", token)["kept"])
            except ConnectionLost:
                return False

        yield kept
    finally:
        session.close()


def _token(name: str) -> dict[str, int]:
    return {"token": int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)}


def holder(server: PostgresServer, name: str) -> Holder | None:
    """See :meth:`replguard.engines.controls.Locks.lock_holder`."""
    found = server.session.rows("lock_holder", _token(name))
    if not found:
        return None
    row = found[0]
    who = str(row["program"] or f"a session of {row['role']}").removeprefix("replguard ")
    return Holder(f"{who} (process {row['pid']})", row["since"])
