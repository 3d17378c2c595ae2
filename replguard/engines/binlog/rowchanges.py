"""Row events of tables that somebody is interested in, as changes: one an event, or one a row with its key.

What all changes of a transaction have in common is made once for each transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.binlog import telling
from replguard.engines.binlog.events import FLAG_SKIP_REPLICATION, Damage, NotUnderstood
from replguard.engines.binlog.tablemaps import ROW_EVENTS
from replguard.model.changes import Change, Interest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from replguard.engines.binlog.events import EventType, Format, Header
    from replguard.engines.binlog.known import Known
    from replguard.engines.binlog.rowimages import RowImage
    from replguard.engines.binlog.standing import Standing
    from replguard.model.positions import Position


class RowChanges:
    """Makes the changes of row events, and counts them in the tally."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._of: tuple[object, object] = (None, None)
        self._text: str | None = None
        self._origin: str | None = None
        self._domain: int | None = None
        self._position: Position = standing.place
        self._timestamp = -1
        self._committed_at: datetime | None = None

    def of(self, known: Known, kind: EventType, header: Header, body: bytes, *, whole: bool = True) -> Iterator[Change]:
        """The changes of one event. Raises Damage and NotUnderstood after what could be told."""
        form = self._standing.form
        if known.interest < Interest.keyed or form is None:
            self._count(known, 1)
            if known.told:
                yield self._change(known, kind, header, None)
            return
        try:
            yield from self._rows(known, kind, header, body, form, whole=whole)
        except (Damage, NotUnderstood):
            # That there was a change of this table is certain all the same.
            self._count(known, 1)
            yield self._change(known, kind, header, None)
            raise

    def _rows(
        self, known: Known, kind: EventType, header: Header, body: bytes, form: Format, *, whole: bool
    ) -> Iterator[Change]:
        decoder = self._standing.known.decoder(known, form)
        count = 0
        for image in decoder.rows(kind, body, form, whole=whole):
            count += 1
            if image.old_key is not None:
                yield self._change(known, kind, header, image._replace(key=image.old_key), {"moved_to": image.key})
            yield self._change(known, kind, header, image)
        if decoder.cut or not whole:
            # Rows may follow in the part that was not kept.
            count += 1
            yield self._change(known, kind, header, None, {"cut": True})
        self._count(known, count)

    def _count(self, known: Known, count: int) -> None:
        changes = self._standing.tally.changes
        changes[known.name] = changes.get(known.name, 0) + count

    def _change(
        self,
        known: Known,
        kind: EventType,
        header: Header,
        row: RowImage | None,
        more: dict[str, Any] | None = None,
    ) -> Change:
        self._look_at_transaction(header.timestamp)
        standing = self._standing
        detail: dict[str, Any] = {"server_id": header.server_id, "file": standing.file, "offset": standing.offset}
        if self._domain is not None:
            detail["domain_id"] = self._domain
            if header.flags & FLAG_SKIP_REPLICATION:
                detail["skip_replication"] = True
        if more:
            detail |= more
        key, _, changed, before, after = row or (None, None, None, None, None)
        return Change(
            ROW_EVENTS[kind],
            (known.name,),
            self._position,
            self._text,
            self._committed_at,
            self._origin or str(header.server_id),
            1,
            key,
            changed,
            before,
            after,
            standing.transaction.pending,
            None,
            None,
            detail,
        )

    def _look_at_transaction(self, timestamp: int) -> None:
        standing = self._standing
        now = (standing.transaction.identity, standing.boundary)
        if now[0] is not self._of[0] or now[1] is not self._of[1]:
            self._of, self._timestamp = now, -1
            gtid = standing.transaction.gtid
            self._text, self._origin, self._domain = (gtid.text, gtid.origin, gtid.domain_id) if gtid else (None,) * 3
            self._position = standing.place
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            self._committed_at = telling.committed_at(standing.transaction.gtid, timestamp)
