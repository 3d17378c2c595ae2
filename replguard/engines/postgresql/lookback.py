"""What is needed to read a link's changes from before two snapshots on: a copy of its slot, made at once.

The copy holds all that the target had not confirmed by then. What it had confirmed is visible here, but for a commit
that still waits for a synchronous standby: the target may have it, the copy begins behind it, and no snapshot shows it
yet. Such commits are looked for right after the copy was made, and given a moment to end. Those that still wait are
remembered, and a snapshot that does not show them says so (:attr:`replguard.engines.base.Snapshot.awaits`).

Without membership in ``pg_read_all_stats`` it is not told who waits. Where ``synchronous_standby_names`` is set every
open transaction counts then.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.engines.postgresql.visibility import Visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Snapshot
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.stream import LogicalStream

PATIENCE = 2.0
"""Seconds that commits are given which wait for a standby."""
_PAUSE = 0.02


class PostgresLookback:
    """Fulfils ``Lookback``."""

    def __init__(self, stream: LogicalStream) -> None:
        self._stream = stream

    def stream(self, source_views: Sequence[Snapshot], target_views: Sequence[Snapshot]) -> LogicalStream:
        _ = source_views, target_views
        return self._stream


def still_waiting(server: PostgresServer) -> frozenset[int]:
    """Transactions that are committed in the WAL and perhaps not visible, after they were given a moment."""
    row = server.session.row("sync_waits", doing="looking for commits that wait for a standby")
    seen = Visible.parse(row["snapshot"])
    told = row["running"] if row["untold"] and row["synchronous"] else row["waiting"]
    waiting = frozenset(seen.whole(int(one)) for one in told)
    deadline = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < deadline:
        time.sleep(_PAUSE)
        now = Visible.parse(server.session.row("snapshot_take")["snapshot"])
        waiting = frozenset(one for one in waiting if not now.ended(one))
    return waiting
