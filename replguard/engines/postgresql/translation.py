"""Messages of pgoutput to what is handed out: carries transactions, relations and what is wanted along.

A row of a table that is only counted is never looked at: its kind, transaction and table stand in the message's first
bytes, and these lead to a counter. A change whose transaction is not committed yet (a large one that is streamed in
parts, a prepared one) is told as pending, and what became of it by a ``TransactionEnd``. A subtransaction can be rolled
back alone, so inside a streamed transaction 777 the changes of its subtransaction 779 are labelled ``777/779``, and
each label that was told pending gets an end of its own. Only labels that were told are remembered.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from replguard.engines.base import Tally
from replguard.engines.postgresql.messages import (
    Begin,
    BeginPrepare,
    Commit,
    LogicalMessage,
    Origin,
    Prepare,
    PreparedEnd,
    RelationMessage,
    RowChange,
    StreamAbort,
    StreamCommit,
    StreamStart,
    StreamStop,
    Truncate,
)
from replguard.engines.postgresql.pgoutput import Decoder, MalformedMessage, moment, skim
from replguard.engines.postgresql.position import lsn
from replguard.engines.postgresql.relations import changed_columns, shape_of
from replguard.engines.postgresql.walsender import HEAD
from replguard.model.changes import Change, Interest, Operation, TransactionEnd, Trouble, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from replguard.engines.base import Wanted
    from replguard.engines.postgresql.relations import Shape
    from replguard.model.changes import StreamItem
    from replguard.model.positions import Position
    from replguard.model.tables import TableName

_OPERATIONS = {"I": Operation.insert, "U": Operation.update, "D": Operation.delete}
_B, _C, _I = b"BCI"
_KIND_AND_OID = HEAD + 5
_KIND_XID_AND_OID = HEAD + 9
_BEGIN = struct.Struct(">QqI")
_COMMIT = struct.Struct(">BQQq")
_ROW_OF = {ord("I"): Operation.insert, ord("U"): Operation.update, ord("D"): Operation.delete}
_SKIMMED = {ord("I"): ord("N"), ord("U"): ord("N"), ord("D"): ord("K")}
"""What follows the table of a row whose key can be told from one tuple."""
_CELLS = 10_000
"""Counters inside one part of a streamed transaction, before they are begun anew."""


class Translation:
    """Fulfils ``stream.Feed`` for pgoutput. ``writer`` tells from an origin's name (or none) who wrote first."""

    def __init__(
        self,
        decoder: Decoder,
        wanted: Wanted,
        keys: Mapping[TableName, tuple[str, ...]],
        room: int,
        writer: Callable[[str | None], str | None] = lambda origin: origin,
    ) -> None:
        self.cells: dict[bytes, list[int]] = {}
        self.width = _KIND_AND_OID
        self.items: list[StreamItem] = []
        self.tally = Tally()
        self.reached = 0
        """Everything that was committed before is in ``items`` or was handed out."""
        self.stop_at: int | None = None
        """Transactions that commit from here on are left unread."""
        self.finished = False
        self._decoder = decoder
        self._wanted = wanted
        self._keys = keys
        self._room = room
        self._shapes: dict[int, Shape] = {}
        self._counters: dict[int, list[int]] = {}
        self._top: int | None = None
        self._micros: int | None = None
        self._committed_at: datetime | None = None
        self._last_commit: int | None = None
        self._pending = False
        self._writer = writer
        self._local = writer(None)
        self._origin = self._local
        self._told: dict[int, set[str]] = {}
        self._handlers: dict[type, Callable[[Any, Position], None]] = {
            RelationMessage: self._relation,
            RowChange: self._row,
            Truncate: self._truncate,
            Begin: self._begin,
            Commit: self._commit,
            StreamStart: self._stream_start,
            StreamStop: self._stream_stop,
            StreamCommit: self._stream_commit,
            StreamAbort: self._stream_abort,
            BeginPrepare: self._begin_prepare,
            Prepare: self._prepare,
            PreparedEnd: self._prepared_end,
            Origin: self._came_from,
            LogicalMessage: self._not_asked_for,
        }

    def message(self, view: memoryview) -> bool:
        """Take one message of the wire. Whether there is room for more; one that is not understood is a Trouble.

        What comes with every transaction and row has a short way; all that is not just as expected goes the long one.
        """
        size = len(view) - HEAD
        kind = view[HEAD] if size else 0
        if kind in _ROW_OF and len(view) > self.width:
            short = self._count(view) or self._skim(view, kind)
        elif kind == _B and size == _BEGIN.size + 1 and self.width == _KIND_AND_OID:
            short = self._short_begin(*_BEGIN.unpack_from(view, HEAD + 1))
        elif kind == _C and size == _COMMIT.size + 1 and self.width == _KIND_AND_OID:
            short = self._short_commit(*_COMMIT.unpack_from(view, HEAD + 1))
        else:
            short = False
        if not short:
            self._translate(view[HEAD:].tobytes(), int.from_bytes(view[1:9], "big"))
        return len(self.items) < self._room and not self.finished

    def _short_begin(self, final_lsn: int, micros: int, xid: int) -> bool:
        if self.stop_at is not None and final_lsn >= self.stop_at:
            return False
        self._top, self._micros, self._committed_at = xid, micros, None
        self._pending, self._origin = False, self._local
        return True

    def _short_commit(self, flags: int, _commit_lsn: int, end_lsn: int, micros: int) -> bool:
        if flags:
            return False
        self.reached = max(self.reached, end_lsn)
        self._top = self._micros = self._committed_at = None
        self.tally.transactions += 1
        self._last_commit = micros
        return True

    def _skim(self, view: memoryview, kind: int) -> bool:
        """Tell a row by its key, where one tuple of it has that and nobody asks for more."""
        shape = self._shapes.get(int.from_bytes(view[self.width - 4 : self.width], "big"))
        if (
            shape is None
            or shape.interest is Interest.whole
            or not shape.places
            or view[self.width] != _SKIMMED[kind]
            or (kind != _I and not shape.key_is_identity)
        ):
            return False
        try:
            values = skim(view[self.width + 1 :].tobytes(), 0, shape.columns, shape.places)
            key = shape.skimmed(values) if values is not None else None
        except MalformedMessage:
            return False  # the long way says what is wrong
        if key is None:
            return False
        name = shape.name
        changes = self.tally.changes
        changes[name] = changes.get(name, 0) + 1
        xid = None if self.width == _KIND_AND_OID else int.from_bytes(view[HEAD + 1 : HEAD + 5], "big")
        self.items.append(
            Change(
                _ROW_OF[kind],
                (name,),
                lsn(int.from_bytes(view[1:9], "big")),
                self._label(xid),
                self._commit_time(),
                self._origin,
                1,
                key,
                pending=self._pending,
            )
        )
        return True

    def _commit_time(self) -> datetime | None:
        """When the transaction was committed; worked out once, and only where somebody wants to know."""
        if self._committed_at is None and self._micros is not None:
            self._committed_at = _moment(self._micros)
        return self._committed_at

    def hand_out(self) -> list[StreamItem]:
        found, self.items = self.items, []
        return found

    def keepalive(self, wal_end: int) -> None:
        self.reached = max(self.reached, wal_end)

    def _count(self, view: memoryview) -> bool:
        """Whether the row's table is only counted; then its like is counted by the wire from now on."""
        start = self.width - 4
        counter = self._counters.get(int.from_bytes(view[start : start + 4], "big"))
        if counter is None:
            return False
        counter[0] += 1
        if len(self.cells) >= _CELLS:
            self.cells.clear()
        self.cells[view[HEAD : self.width].tobytes()] = counter
        return True

    def settle_tally(self) -> None:
        """Bring what was counted into the tally."""
        if self._last_commit is not None:
            self.tally.last_commit = _moment(self._last_commit)
            self._last_commit = None
        for oid, counter in self._counters.items():
            if counter[0]:
                self._counted(self._shapes[oid].name, counter[0])
                counter[0] = 0

    def _counted(self, name: TableName, rows: int) -> None:
        self.tally.changes[name] = self.tally.changes.get(name, 0) + rows

    def _translate(self, data: bytes, at: int) -> None:
        try:
            message = self._decoder.decode(data)
            handler = self._handlers.get(type(message))
            if handler:
                handler(message, lsn(at))
        except MalformedMessage as error:
            evidence = {"bytes": data[:32].hex(), "length": len(data)}
            self.items.append(Trouble(TroubleKind.unknown, f"at {lsn(at)}: {error}", lsn(at), evidence))

    def _relation(self, message: RelationMessage, _at: Position) -> None:
        """A table as it is from now on; after DDL it is described again, and may be of another interest."""
        self.settle_tally()
        self.cells.clear()
        self._counters.pop(message.oid, None)
        shape = self._shapes[message.oid] = shape_of(message, self._wanted, self._keys)
        if shape.interest is Interest.counted:
            self._counters[message.oid] = [0]

    def _begin(self, message: Begin, _at: Position) -> None:
        if self.stop_at is not None and message.final_lsn >= self.stop_at:
            self.finished = True
            return
        self._top, self._micros, self._committed_at = message.xid, None, message.committed_at
        self._pending, self._origin = False, self._local

    def _commit(self, message: Commit, _at: Position) -> None:
        self._end_of_transaction(message.end_lsn, message.committed_at)

    def _end_of_transaction(self, reached: int, committed_at: datetime | None) -> None:
        self.reached = max(self.reached, reached)
        self._top = self._micros = self._committed_at = None
        self._pending = False
        if committed_at:
            self.tally.transactions += 1
            self.tally.last_commit = committed_at
            self._last_commit = None

    def _stream_start(self, message: StreamStart, _at: Position) -> None:
        self._top, self._pending, self._origin = message.xid, True, self._local
        self._widen(_KIND_XID_AND_OID)

    def _stream_stop(self, _message: StreamStop, _at: Position) -> None:
        self._top, self._pending = None, False
        self._widen(_KIND_AND_OID)

    def _widen(self, width: int) -> None:
        self.cells.clear()
        self.width = width

    def _stream_commit(self, message: StreamCommit, _at: Position) -> None:
        self._tell_end(message.xid, lsn(message.end_lsn), message.committed_at)
        self._end_of_transaction(message.end_lsn, message.committed_at)

    def _stream_abort(self, message: StreamAbort, at: Position) -> None:
        if message.xid == message.subxid:
            self._tell_end(message.xid, at, None)
            return
        told, label = self._told.get(message.xid, set()), f"{message.xid}/{message.subxid}"
        if label in told:
            told.discard(label)
            self.items.append(TransactionEnd(label, committed=False, position=at))

    def _begin_prepare(self, message: BeginPrepare, _at: Position) -> None:
        if self.stop_at is not None and message.prepare_lsn >= self.stop_at:
            self.finished = True
            return
        self._top, self._micros, self._committed_at = message.xid, None, None
        self._pending, self._origin = True, self._local

    def _prepare(self, message: Prepare, _at: Position) -> None:
        self._end_of_transaction(message.end_lsn, None)

    def _prepared_end(self, message: PreparedEnd, _at: Position) -> None:
        if self.stop_at is not None and message.end_lsn > self.stop_at:
            self.finished = True
            return
        self._tell_end(message.xid, lsn(message.end_lsn), message.at if message.committed else None)
        self._end_of_transaction(message.end_lsn, message.at if message.committed else None)

    def _tell_end(self, xid: int, at: Position, committed_at: datetime | None) -> None:
        committed = committed_at is not None
        ends = [TransactionEnd(label, committed, at, committed_at) for label in sorted(self._told.pop(xid, ()))]
        self.items += ends

    def _not_asked_for(self, message: LogicalMessage, _at: Position) -> None:
        raise MalformedMessage(f"a message with the prefix {message.prefix!r}, which nobody asked for")

    def _came_from(self, message: Origin, _at: Position) -> None:
        self._origin = self._writer(message.name)

    def _row(self, message: RowChange, at: Position) -> None:
        relation = message.relation
        shape = self._shapes[relation.oid]
        self._counted(shape.name, 1)
        key = shape.key_of(message.new if message.new is not None else message.old)
        detail: dict[str, Any] = {}
        if message.new is not None and message.old is not None:
            before = shape.key_of(message.old)
            if before is not None and key is not None and before != key:
                detail["old_key"] = before
        elif message.kind == "U" and shape.key and not shape.key_is_identity:
            # Only what identifies rows travels: the key may be another one than before.
            detail["old_key"] = None
        whole = shape.interest is Interest.whole
        self.items.append(
            Change(
                operation=_OPERATIONS[message.kind],
                tables=(shape.name,),
                position=at,
                transaction=self._label(message.xid),
                committed_at=self._commit_time(),
                origin=self._origin,
                key=key,
                changed=changed_columns(message) if shape.interest >= Interest.keyed else None,
                before=shape.whole(message.old) if whole else None,
                after=shape.whole(message.new) if whole else None,
                pending=self._pending,
                detail=detail,
            )
        )

    def _truncate(self, message: Truncate, at: Position) -> None:
        for relation in message.relations:
            name = self._shapes[relation.oid].name
            self._counted(name, 1)
            self.items.append(
                Change(
                    operation=Operation.truncate,
                    tables=(name,),
                    position=at,
                    transaction=self._label(message.xid),
                    committed_at=self._commit_time(),
                    origin=self._origin,
                    pending=self._pending,
                    detail={"cascade": message.cascade},
                )
            )

    def _label(self, xid: int | None) -> str | None:
        """The transaction as it is told; of a pending one it is remembered that it was."""
        top = self._top
        if top is None:
            return None
        label = str(top) if xid is None or xid == top else f"{top}/{xid}"
        if self._pending:
            self._told.setdefault(top, set()).add(label)
        return label


def _moment(micros: int) -> datetime | None:
    try:
        return moment(micros)
    except OverflowError:
        return None
