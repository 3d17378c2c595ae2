"""Row events of tables that somebody is interested in, as changes: one an event, or one a row with its key.

What all changes of a transaction have in common is made once for each transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.binlog import telling
from replguard.engines.binlog.events import FLAG_SKIP_REPLICATION, Damage, NotUnderstood
from replguard.engines.binlog.tablemaps import ROW_EVENTS
from replguard.engines.binlog.transactions import NO_GTID
from replguard.model.changes import Change, Interest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from replguard.engines.binlog.events import EventType
    from replguard.engines.binlog.known import Known
    from replguard.engines.binlog.rowimages import RowImage
    from replguard.engines.binlog.standing import Standing
    from replguard.model.positions import Position

    Head = tuple[int, int, int]
    """Time, server id and flags of an event's header."""

ROW_KINDS = {kind.value: kind for kind in ROW_EVENTS}
_NO_ROW = (None, None, None, None, None)


class RowChanges:
    """Makes the changes of row events, and counts them in the tally."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._of: tuple[object, object] = (None, None)
        self._gtid = NO_GTID
        self._position: Position = standing.place
        self._stamp = -1
        self._committed_at: datetime | None = None

    def of(self, known: Known, kind: EventType, head: Head, body: bytes, *, whole: bool = True) -> Iterator[Change]:
        """The changes of one event. Raises Damage and NotUnderstood after what could be told."""
        standing = self._standing
        form, changes = standing.form, standing.tally.changes
        if known.interest < Interest.keyed or form is None:
            changes[known.name] = changes.get(known.name, 0) + 1
            if known.told:
                yield self._change(known, kind, head)
            return
        count = 0
        try:
            decoder = standing.known.decoder(known, form)
            for row in decoder.rows(kind, body, form, whole=whole):
                count += 1
                if row[1] is not None:
                    yield self._change(known, kind, head, row._replace(key=row.old_key), {"moved_to": row.key})
                yield self._change(known, kind, head, row)
        except (Damage, NotUnderstood):
            # That there was a change of this table is certain all the same.
            yield self._change(known, kind, head)
            raise
        finally:
            changes[known.name] = changes.get(known.name, 0) + (count or 1)
        if decoder.cut or not whole:
            # Rows may follow in the part that was not kept.
            yield self._change(known, kind, head, None, {"cut": True})

    def _change(
        self,
        known: Known,
        kind: EventType,
        head: Head,
        row: RowImage | None = None,
        more: dict[str, Any] | None = None,
    ) -> Change:
        timestamp, server_id, flags = head
        standing = self._standing
        transaction = standing.transaction
        if transaction.identity is not self._of[0] or standing.boundary is not self._of[1]:
            self._of = (transaction.identity, standing.boundary)
            self._gtid = transaction.told()
            self._position = standing.place
        text, origin, domain, micros = self._gtid
        stamp = micros or timestamp
        if stamp != self._stamp:
            self._stamp = stamp
            self._committed_at = telling.committed_at(micros, timestamp)
        detail: dict[str, Any] = {"server_id": server_id, "file": standing.file, "offset": standing.offset}
        if domain is not None:
            detail["domain_id"] = domain
            if flags & FLAG_SKIP_REPLICATION:
                detail["skip_replication"] = True
        if more:
            detail |= more
        key, _, changed, before, after = row or _NO_ROW
        return Change(
            ROW_EVENTS[kind],
            known.names,
            self._position,
            text,
            self._committed_at,
            origin or str(server_id),
            1,
            key,
            changed,
            before,
            after,
            transaction.pending,
            None,
            None,
            detail,
        )
