"""Events of a binlog in, changes and troubles out: pure, one event at a time, for live streams and files alike.

Nothing is dropped silently. An event of an unknown type that is not marked ignorable, a wrong checksum, a torn event, a
row event without its table map, a hole in the file: each becomes a Trouble with file and offset, and what follows is
read on. A change's position is where its transaction begins, so that one can start reading there; its own offset stands
in the detail. Where bytes come from is the business of :mod:`replguard.engines.binlog.streams`.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog import events, gtid, queries, statements
from replguard.engines.binlog.events import Damage, EventType, Fields, Format, Header, MariaDBEvent, MySQLEvent
from replguard.engines.binlog.files import follows, is_file_name
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
from replguard.engines.binlog.payloads import inner_events
from replguard.engines.binlog.tablemaps import ROW_EVENTS, TableMaps
from replguard.engines.binlog.transactions import Transaction
from replguard.model.changes import Change, Operation, Trouble, TroubleKind
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replguard.engines.binlog.gtid import Gtid
    from replguard.model.tables import TableName

_WITHOUT_MEANING: frozenset[EventType] = frozenset(
    {
        MySQLEvent.STOP,
        MySQLEvent.INTVAR,
        MySQLEvent.RAND,
        MySQLEvent.USER_VAR,
        MySQLEvent.BEGIN_LOAD_QUERY,
        MySQLEvent.APPEND_BLOCK,
        MySQLEvent.DELETE_FILE,
        MySQLEvent.IGNORABLE,
        MySQLEvent.ROWS_QUERY,
        MySQLEvent.TRANSACTION_CONTEXT,
        MySQLEvent.VIEW_CHANGE,
        MariaDBEvent.ANNOTATE_ROWS,
        MariaDBEvent.BINLOG_CHECKPOINT,
    }
)
"""Context of other events: a change that they belong to is told by the row or query event itself."""
_HEARTBEATS = (MySQLEvent.HEARTBEAT, MySQLEvent.HEARTBEAT_V2)
_LOAD_HEAD = 13
_HEAD = 4
_WRAP = 1 << 32


class BinlogReader:
    """Reads the events of one stream, in order.

    ``gtids`` is what was executed before the first event (``None``: positions are files and offsets, unless the file
    itself says). ``contiguous`` is false where the server leaves out transactions that were not asked for.
    """

    def __init__(
        self,
        flavour: events.Flavour,
        file: str = "",
        offset: int = 4,
        *,
        gtids: MySQLGtidSet | MariaDBGtidState | None = None,
        contiguous: bool = True,
    ) -> None:
        self._flavour = flavour
        self.file = file
        self.offset = offset
        self.gtids = gtids
        self._contiguous = contiguous
        self._format: Format | None = None
        self._maps = TableMaps()
        self._transaction = Transaction()
        self._boundary = (file, offset)
        self._moved = False
        # A set that a file tells counts only where reading begins at the file's head.
        self._learns_gtids = gtids is None and offset <= _HEAD
        self._at_head: MySQLGtidSet | MariaDBGtidState | None = None

    @property
    def position(self) -> Position:
        """The last commit boundary: everything before it was handed out."""
        if self.gtids is not None:
            return Position(PositionKind.gtid, str(self.gtids))
        return Position(PositionKind.file, "{}:{}".format(*self._boundary))

    def feed(self, raw: bytes) -> list[Change | Trouble]:
        """Take in one whole event, header and checksum included."""
        at = self.offset
        try:
            header = Header.of(raw)
        except Damage as damage:
            self._advance_over_damage(raw)
            return [self._trouble(TroubleKind.corrupt, str(damage), at)]
        found: list[Change | Trouble] = list(self._place(header))
        at = self.offset
        try:
            found += self._event(header, raw)
        except Damage as damage:
            found.append(self._trouble(TroubleKind.corrupt, str(damage), at, header))
        except events.NotUnderstood as what:
            found.append(self._trouble(TroubleKind.unknown, f"not understood: {what}", at, header))
        if _has_place(header) and not self._moved:
            self.offset = at + header.size
        self._moved = False
        self._note_boundary()
        return found

    def _place(self, header: Header) -> Iterator[Trouble]:
        """Where the event stands in its file, and whether anything is missing before it."""
        if not _has_place(header):
            return
        begins = (header.end_pos - header.size) % _WRAP
        if begins == self.offset % _WRAP:
            return
        if self._format is not None and header.type != MySQLEvent.FORMAT_DESCRIPTION and self._must_follow():
            message = f"the event at {begins} does not follow what ended at {self.offset}"
            yield self._trouble(TroubleKind.gap, message, self.offset, header)
        self.offset = begins + (self.offset // _WRAP) * _WRAP

    def _must_follow(self) -> bool:
        return self._contiguous or self._transaction.open or self._transaction.expected

    def _event(self, header: Header, raw: bytes) -> Iterator[Change | Trouble]:
        kind = events.event_type(self._flavour, header.type)
        if kind is MySQLEvent.FORMAT_DESCRIPTION:
            self._begin_file(Format.of(raw))
            return
        if kind is MySQLEvent.ROTATE:
            yield from self._rotate(header, raw)
            return
        form = self._format
        if form is None:
            raise Damage("an event comes before the format description of its file")
        body = events.body_of(raw, checksum=form.checksum)
        yield from self._understood(kind, header, body, form)

    def _understood(
        self, kind: EventType | None, header: Header, body: bytes, form: Format
    ) -> Iterator[Change | Trouble]:
        if kind is None or kind is MariaDBEvent.START_ENCRYPTION:
            if not header.flags & events.FLAG_IGNORABLE:
                yield self._unknown(kind, header)
        elif kind in ROW_EVENTS:
            table = self._maps.changed(kind, body, form)
            if table is not None:
                yield from self._orphan(header)
                yield self._change(ROW_EVENTS[kind], (table,), header)
        elif kind is MySQLEvent.TABLE_MAP:
            self._maps.map(body, form)
        elif kind in (MySQLEvent.QUERY, MariaDBEvent.QUERY_COMPRESSED):
            yield from self._query(queries.query(body, compressed=kind is not MySQLEvent.QUERY), header)
        elif kind is MySQLEvent.EXECUTE_LOAD_QUERY:
            yield from self._query(queries.query(body, extra_head=_LOAD_HEAD), header)
        elif kind is MySQLEvent.TRANSACTION_PAYLOAD:
            yield from self._payload(body, form)
        else:
            yield from self._control(kind, header, body)

    def _control(self, kind: EventType, header: Header, body: bytes) -> Iterator[Trouble]:
        """What begins and ends transactions, and what tells of the stream itself."""
        found = self._gtid(kind, header, body)
        if found is not None:
            yield from self._end_statement(header)
            if self._transaction.open:
                message = f"the transaction before this one ({self._transaction.name}) does not end"
                yield self._trouble(TroubleKind.gap, message, self.offset, header)
            self._transaction.begin(found)
        elif kind in (MySQLEvent.XID, MySQLEvent.XA_PREPARE):
            yield from self._commit(header)
        elif kind in _HEARTBEATS:
            self._heartbeat(kind, header, body)
        elif kind is MySQLEvent.INCIDENT:
            message = f"the server logged an incident, after which changes may be missing: {_incident(body)}"
            yield self._trouble(TroubleKind.gap, message, self.offset, header)
        elif kind in (MySQLEvent.PREVIOUS_GTIDS, MariaDBEvent.GTID_LIST):
            self._known_gtids(kind, body)
        elif kind not in _WITHOUT_MEANING:
            yield self._unknown(kind, header)

    def _gtid(self, kind: EventType, header: Header, body: bytes) -> Gtid | None:
        if kind in (MySQLEvent.GTID, MySQLEvent.ANONYMOUS_GTID):
            if kind is MySQLEvent.ANONYMOUS_GTID:
                # A set cannot name such a transaction, so from here on only file and offset tell where one is.
                self.gtids, self._learns_gtids, self._at_head = None, False, None
            return gtid.mysql_gtid(body, anonymous=kind is MySQLEvent.ANONYMOUS_GTID)
        if kind is MySQLEvent.GTID_TAGGED:
            return gtid.mysql_tagged_gtid(body)
        return gtid.mariadb_gtid(body, header.server_id) if kind is MariaDBEvent.GTID else None

    def _known_gtids(self, kind: EventType, body: bytes) -> None:
        before = MySQLGtidSet.decode(body) if kind is MySQLEvent.PREVIOUS_GTIDS else MariaDBGtidState.decode(body)
        if self._learns_gtids and self.gtids is None:
            self._at_head = before
            if before.covers_anything:
                self.gtids = before

    def _begin_file(self, form: Format) -> None:
        self._format = form
        self._maps.clear()

    def _rotate(self, header: Header, raw: bytes) -> Iterator[Trouble]:
        """A real rotate ends a file, an artificial one names the file that is sent next."""
        if header.artificial or self._format is None:
            body = events.body_of_unknown_mode(raw)
        else:
            body = events.body_of(raw, checksum=self._format.checksum)
        fields = Fields(body)
        offset, name = fields.number(8), fields.rest().decode("utf-8", "replace")
        if not is_file_name(name):
            raise Damage(f"a rotate event to {name!r}, which is no file's name")
        if self.file and name != self.file and not follows(self.file, name):
            yield self._trouble(TroubleKind.gap, f"file {name} does not follow {self.file}", self.offset, header)
        self.file, self.offset, self._moved = name, offset, True

    def _payload(self, body: bytes, form: Format) -> Iterator[Change | Trouble]:
        """The events of a compressed transaction have no checksum and no place of their own."""
        for inner in inner_events(body):
            header = Header.of(inner)
            kind = events.event_type(self._flavour, header.type)
            yield from self._understood(kind, header, inner[events.HEADER_SIZE :], form)

    def _query(self, query: queries.Query, header: Header) -> Iterator[Change | Trouble]:
        mode = statements.Mode.of(query.sql_mode)
        operation = statements.operation(query.text, mode)
        if operation is None:
            yield from self._transaction_statement(query.text, header)
            return
        schema = query.schema or ""
        tables = statements.named(query.text, schema, mode)
        yield from self._orphan(header)
        yield self._change(operation, tables, header, query)
        if not self._transaction.open:
            yield from self._commit(header)

    def _transaction_statement(self, text: str, header: Header) -> Iterator[Trouble]:
        effect = statements.transaction_effect(text)
        if effect is statements.Effect.begins:
            self._transaction.open = True
        elif effect is statements.Effect.ends or not self._transaction.open:
            yield from self._commit(header)

    def _commit(self, header: Header) -> Iterator[Trouble]:
        yield from self._end_statement(header)
        executed = self._transaction.end()
        if executed is not None:
            self.gtids = self.gtids or self._at_head
            if self.gtids is not None:
                self.gtids.add(executed)

    def _end_statement(self, header: Header) -> Iterator[Trouble]:
        """Row events must have ended their statement before the transaction ends."""
        if self._maps.open_rows:
            yield self._trouble(TroubleKind.gap, "row events of a statement are missing", self.offset, header)
        self._maps.clear()

    def _note_boundary(self) -> None:
        if not self._transaction.open and not self._transaction.expected:
            self._boundary = (self.file, self.offset)

    def _heartbeat(self, kind: EventType, header: Header, body: bytes) -> None:
        """An idle server tells how far it has read; what it left out on the way was not asked for."""
        if kind is MySQLEvent.HEARTBEAT and body.decode("utf-8", "replace") == self.file and not self._must_follow():
            self.offset = max(self.offset, header.end_pos)

    def _orphan(self, header: Header) -> Iterator[Trouble]:
        """Where transactions have GTIDs, a change without one has lost what stood before it."""
        if self.gtids is not None and self._transaction.gtid is None:
            yield self._trouble(TroubleKind.gap, "the GTID of this change is missing", self.offset, header)

    def _change(
        self, operation: Operation, tables: tuple[TableName, ...], header: Header, query: queries.Query | None = None
    ) -> Change:
        current = self._transaction.gtid
        return Change(
            operation=operation,
            tables=tables,
            position=Position(PositionKind.file, "{}:{}".format(*self._boundary)),
            transaction=current.text if current else None,
            committed_at=_time(current, header),
            origin=(current.origin if current else None) or str(header.server_id),
            statement=query.text if query else None,
            default_schema=query.schema if query else None,
            detail=self._detail(header, current, query),
        )

    def _detail(self, header: Header, current: Gtid | None, query: queries.Query | None) -> Mapping[str, Any]:
        detail: dict[str, Any] = {"server_id": header.server_id, "file": self.file, "offset": self.offset}
        if current and current.domain_id is not None:
            detail["domain_id"] = current.domain_id
        if query and query.sql_mode:
            detail["sql_mode"] = query.sql_mode
        if self._flavour == "mariadb" and header.flags & events.FLAG_SKIP_REPLICATION:
            detail["skip_replication"] = True
        return detail

    def _unknown(self, kind: EventType | None, header: Header) -> Trouble:
        name = f"{kind.name} ({header.type})" if kind else str(header.type)
        message = f"an event of type {name} is not understood"
        return self._trouble(TroubleKind.unknown, message, self.offset, header)

    def _trouble(self, kind: TroubleKind, message: str, offset: int, header: Header | None = None) -> Trouble:
        evidence: dict[str, Any] = {"file": self.file, "offset": offset}
        if header:
            evidence |= {"type": header.type, "size": header.size, "server_id": header.server_id}
        where = f"{self.file or '?'}:{offset}"
        return Trouble(kind, f"{where}: {message}", Position(PositionKind.file, where), evidence)

    def _advance_over_damage(self, raw: bytes) -> None:
        self.offset += len(raw)


def _has_place(header: Header) -> bool:
    """Whether the event stands in a file: heartbeats and what the server makes up on the way do not."""
    return not header.artificial and header.type not in _HEARTBEATS


def _time(current: Gtid | None, header: Header) -> datetime | None:
    """MySQL tells when a transaction was committed here; else the time at which the statement began."""
    if current and current.commit_micros:
        with suppress(OverflowError, ValueError, OSError):
            return datetime.fromtimestamp(current.commit_micros / 1_000_000, UTC)
    return datetime.fromtimestamp(header.timestamp, UTC) if header.timestamp else None


def _incident(body: bytes) -> str:
    return body[3:].decode("utf-8", "replace") or f"number {int.from_bytes(body[:2], 'little')}"
