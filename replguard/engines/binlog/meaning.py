"""The careful path: what one event means, whatever it is.

Takes events whose frame, place and checksum the reader has judged. An event of an unknown type that is not marked
ignorable, a row event without its table map, a statement or transaction that does not end: each becomes a Trouble.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.engines.binlog import events, queries, statements, transactions
from replguard.engines.binlog.events import Damage, EventType, Fields, Format, Header, MariaDBEvent, MySQLEvent
from replguard.engines.binlog.files import follows, is_file_name
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet, covers
from replguard.engines.binlog.payloads import Payload
from replguard.engines.binlog.rowchanges import RowChanges
from replguard.engines.binlog.tablemaps import ROW_EVENTS
from replguard.engines.binlog.telling import change, committed_at, trouble
from replguard.model.changes import Operation, TransactionEnd, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.binlog.payloads import Inner
    from replguard.engines.binlog.standing import Standing
    from replguard.model.changes import StreamItem, Trouble

_WITHOUT_MEANING: frozenset[EventType] = frozenset(
    {
        MySQLEvent.INTVAR,
        MySQLEvent.RAND,
        MySQLEvent.USER_VAR,
        MySQLEvent.BEGIN_LOAD_QUERY,
        MySQLEvent.APPEND_BLOCK,
        MySQLEvent.DELETE_FILE,
        MySQLEvent.IGNORABLE,
        MySQLEvent.TRANSACTION_CONTEXT,
        MySQLEvent.VIEW_CHANGE,
        MariaDBEvent.BINLOG_CHECKPOINT,
    }
)
"""Context of other events: a change that they belong to is told by the row or query event itself."""
_BEFORE_STATEMENTS = (MySQLEvent.ROWS_QUERY, MariaDBEvent.ANNOTATE_ROWS)
"""The text of a statement, before its table maps."""
_STATEMENTS = (MySQLEvent.QUERY, MariaDBEvent.QUERY_COMPRESSED, MySQLEvent.EXECUTE_LOAD_QUERY)
_CUT = frozenset({*_WITHOUT_MEANING, *_BEFORE_STATEMENTS, *_STATEMENTS})
HEARTBEATS = (MySQLEvent.HEARTBEAT, MySQLEvent.HEARTBEAT_V2)
_LOAD_HEAD = 13
_MOST_BEGINS = 1024
_XID_SIZE = 8
_MOST_PREPARED = 10_000


class Meaning:
    """``gtids_learned`` is whether the first file's own head tells what was executed before it."""

    def __init__(self, standing: Standing, *, gtids_learned: bool, contiguous: bool) -> None:
        self._standing = standing
        self._learns_gtids = gtids_learned
        self._learned = False
        self._prepared: dict[str, str] = {}
        self._contiguous = contiguous
        self.rows = RowChanges(standing)

    def must_follow(self) -> bool:
        """Whether the next event may not stand elsewhere than where the last one ended."""
        transaction = self._standing.transaction
        return self._contiguous or transaction.open or transaction.expected

    def of(
        self, kind: EventType | None, header: Header, body: bytes, form: Format, *, whole: bool = True
    ) -> Iterator[StreamItem]:
        """What an event means. Raises Damage and NotUnderstood."""
        standing = self._standing
        if kind is None or kind is MariaDBEvent.START_ENCRYPTION:
            if not header.flags & events.FLAG_IGNORABLE:
                yield self._unknown(kind, header)
        elif kind in ROW_EVENTS:
            known = standing.known.changed(kind, body, form)
            if known is not None:
                yield from self._orphan(header)
                if not self._standing.transaction.open:
                    message = "the beginning of this row change's transaction is missing"
                    yield trouble(self._standing, TroubleKind.gap, message, header)
                head = (header.timestamp, header.server_id, header.flags)
                yield from self.rows.of(known, kind, head, body, whole=whole)
        elif kind is MySQLEvent.TABLE_MAP:
            standing.known.map(body, form)
        elif kind in (MySQLEvent.QUERY, MariaDBEvent.QUERY_COMPRESSED):
            query = queries.query(body, compressed=kind is not MySQLEvent.QUERY, whole=whole)
            yield from self._query(query, header, body[8:] if kind is MySQLEvent.QUERY else None)
        elif kind is MySQLEvent.EXECUTE_LOAD_QUERY:
            yield from self._query(queries.query(body, extra_head=_LOAD_HEAD, whole=whole), header)
        elif kind is MySQLEvent.TRANSACTION_PAYLOAD:
            payload = Payload()
            yield from self.inner(payload.take(body), form)
            yield from self.inner(payload.end(), form)
        else:
            yield from self._control(kind, header, body)

    def of_large(self, kind: EventType | None, header: Header, body: bytes, form: Format) -> Iterator[StreamItem]:
        """What an event means of whose body only the beginning was kept. Raises Damage and NotUnderstood."""
        if kind is None or kind in ROW_EVENTS or kind in _CUT:
            yield from self.of(kind, header, body, form, whole=False)
        else:
            raise events.NotUnderstood(f"an event of type {kind.name} that has {header.size} bytes")

    def _control(self, kind: EventType, header: Header, body: bytes) -> Iterator[StreamItem]:
        """What begins and ends transactions, and what tells of the stream itself."""
        standing = self._standing
        found = transactions.of_event(kind, body, header.server_id)
        if found is not None:
            if kind in (MySQLEvent.GTID, MySQLEvent.ANONYMOUS_GTID):
                self._count_by(anonymous=kind is MySQLEvent.ANONYMOUS_GTID)
            yield from self.ended(header)
            standing.transaction.begin(found)
        elif kind is MySQLEvent.XID:
            if len(body) != _XID_SIZE:
                raise Damage(f"a commit of {len(body)} bytes")
            yield from self._commit(header)
        elif kind is MySQLEvent.XA_PREPARE:
            at_once, xid = _prepared(body)
            yield from self._commit(header, xid=None if at_once else xid)
        elif kind in HEARTBEATS:
            self._heartbeat(kind, header, body)
        elif kind is MySQLEvent.INCIDENT:
            message = f"the server logged an incident, after which changes may be missing: {_incident(body)}"
            yield trouble(standing, TroubleKind.gap, message, header)
            standing.transaction.reset()
        elif kind in (MySQLEvent.PREVIOUS_GTIDS, MariaDBEvent.GTID_LIST):
            yield from self._known_gtids(kind, header, body)
        elif kind is MySQLEvent.STOP:
            yield from self.ended(header)
        elif kind in _BEFORE_STATEMENTS:
            yield from self.end_statement(header)
        elif kind not in _WITHOUT_MEANING:
            yield self._unknown(kind, header)

    def ended(self, header: Header) -> Iterator[Trouble]:
        """Here begins a transaction or ends a file: what came before must have ended."""
        yield from self.end_statement(header)
        transaction = self._standing.transaction
        if transaction.open or transaction.expected:
            message = f"the transaction before this event ({transaction.name}) does not end"
            yield trouble(self._standing, TroubleKind.gap, message, header)
            transaction.reset()

    def _count_by(self, *, anonymous: bool) -> None:
        self._standing.anonymous = anonymous
        if anonymous:
            # A set cannot name such a transaction, so from here on only file and offset tell where one is.
            self._standing.gtids, self._learns_gtids, self._standing.at_head = None, False, None

    def _known_gtids(self, kind: EventType, header: Header, body: bytes) -> Iterator[Trouble]:
        """What the head of a file counts as executed: all that was read before it, and nothing else."""
        standing = self._standing
        if standing.transaction.open or standing.transaction.expected:
            raise Damage("the list of what was executed, which heads a file, stands within a transaction")
        before: MySQLGtidSet | MariaDBGtidState = (
            MySQLGtidSet.decode(body) if kind is MySQLEvent.PREVIOUS_GTIDS else MariaDBGtidState.decode(body)
        )
        if self._learns_gtids and standing.gtids is None:
            standing.at_head = before
            if before.covers_anything:
                standing.gtids, self._learned = before, True
        elif self._contiguous and standing.files > 1 and standing.gtids is not None and not header.artificial:
            if not covers(standing.gtids, before):
                message = f"the file begins after transactions that were not read: it counts {before} as executed"
                yield trouble(standing, TroubleKind.gap, message, header)
            elif self._learned and not covers(before, standing.gtids):
                message = f"the file does not count as executed what was read before it: only {before}"
                yield trouble(standing, TroubleKind.gap, message, header)

    def rotate(self, header: Header, body: bytes) -> Iterator[Trouble]:
        """A real rotate ends a file, an artificial one names the file that is sent next. Raises Damage."""
        standing = self._standing
        fields = Fields(body)
        offset, name = fields.number(8), fields.rest().decode("utf-8", "replace")
        if not is_file_name(name):
            raise Damage(f"a rotate event to {name!r}, which is no file's name")
        if is_file_name(standing.file) and name != standing.file and not follows(standing.file, name):
            message = f"file {name} does not follow {standing.file}"
            yield trouble(standing, TroubleKind.gap, message, header)
        if not header.artificial:
            yield from self.ended(header)
        standing.file, standing.offset = name, offset

    def inner(self, events_inside: Iterator[Inner], form: Format) -> Iterator[StreamItem]:
        """The events of a compressed transaction have no checksum and no place of their own."""
        for header, body, whole in events_inside:
            kind = events.event_type(self._standing.flavour, header.type)
            if kind is MySQLEvent.TRANSACTION_PAYLOAD:
                raise Damage("a compressed transaction within a compressed transaction")
            yield from (self.of if whole else self.of_large)(kind, header, body, form)

    def _query(self, query: queries.Query, header: Header, known_as: bytes | None = None) -> Iterator[StreamItem]:
        yield from self.end_statement(header)
        mode = statements.Mode.of(query.sql_mode)
        operation = statements.operation(query.text, mode)
        if operation is None:
            if query.text == "BEGIN" and known_as is not None and len(self._standing.begins) < _MOST_BEGINS:
                self._standing.begins.add(known_as)
            yield from self._transaction_statement(query.text, header)
            return
        if operation is not Operation.statement:
            self._standing.known.forget()
        if not query.exact and statements.names_beyond_ascii(query.text, mode):
            operation = Operation.statement
        schema = query.schema or ""
        found = statements.references(query.text, schema, mode)
        yield from self._orphan(header)
        if query.cut:
            message = "a statement is too long to be judged whole"
            yield trouble(self._standing, TroubleKind.opaque, message, header)
        told = change(self._standing, operation, found.tables + found.guessed, header, query)
        yield replace(told, detail={**told.detail, "guessed": found.guessed}) if found.guessed else told
        if not self._standing.transaction.open:
            self._standing.transaction.expected = True
            yield from self._commit(header)

    def _transaction_statement(self, text: str, header: Header) -> Iterator[StreamItem]:
        effect = statements.transaction_effect(text)
        words = text.split(None, 2)
        transaction = self._standing.transaction
        xid = words[2] if len(words) > 2 and words[0].upper() == "XA" else None
        if effect is statements.Effect.begins:
            transaction.open = True
            if xid is not None:
                transaction.pending, transaction.label = True, f"XA {xid}"
        elif effect is statements.Effect.ends or not transaction.open:
            if xid is not None:
                yield from self._decided(xid, header, committed=words[1].upper() == "COMMIT")
            yield from self._commit(header, committed=words[0].upper() != "ROLLBACK")

    def _decided(self, xid: str, header: Header, *, committed: bool) -> Iterator[StreamItem]:
        """XA COMMIT and XA ROLLBACK of what was prepared before."""
        name = self._prepared.pop(xid, None)
        if name is not None:
            yield self._end(name, header, committed=committed)
        elif committed:
            message = f"the transaction {xid} is committed that was prepared before the reading began, and not seen"
            yield trouble(self._standing, TroubleKind.opaque, message, header)

    def _end(self, name: str, header: Header, *, committed: bool) -> TransactionEnd:
        decided_by, _, _, micros = self._standing.transaction.told()
        when = committed_at(micros, header.timestamp)
        return TransactionEnd(name, committed, self._standing.place, when, decided_by)

    def _commit(self, header: Header, *, xid: str | None = None, committed: bool = True) -> Iterator[StreamItem]:
        """The transaction ends; with ``xid`` it is prepared by that name, and what becomes of it comes later."""
        yield from self.end_statement(header)
        standing = self._standing
        transaction = standing.transaction
        if not transaction.open and not transaction.expected:
            yield trouble(standing, TroubleKind.gap, "a commit comes without the transaction that it ends", header)
        name = transaction.told()[0]
        if name is not None and transaction.pending:
            if xid is None:
                yield self._end(name, header, committed=committed)
            else:
                yield from self._remember(xid, name, header)
        standing.note_commits(1, header.timestamp)
        executed = transaction.end()
        if executed is not None:
            standing.gtids = standing.gtids or standing.at_head
            if standing.gtids is not None:
                standing.gtids.add(executed)

    def _remember(self, xid: str, name: str, header: Header) -> Iterator[Trouble]:
        self._prepared[xid] = name
        if len(self._prepared) > _MOST_PREPARED:
            oldest = next(iter(self._prepared))
            del self._prepared[oldest]
            message = f"more than {_MOST_PREPARED} transactions are prepared: what becomes of {oldest} is not told"
            yield trouble(self._standing, TroubleKind.opaque, message, header)

    def end_statement(self, header: Header) -> Iterator[Trouble]:
        """Row events must have ended their statement before the transaction ends, and every statement has some."""
        if self._standing.known.open_rows or self._standing.known.current:
            yield trouble(self._standing, TroubleKind.gap, "row events of a statement are missing", header)
        self._standing.known.end_statement()

    def _heartbeat(self, kind: EventType, header: Header, body: bytes) -> None:
        """An idle server tells how far it has read; what it left out on the way was not asked for."""
        standing = self._standing
        if kind is not MySQLEvent.HEARTBEAT or body.decode("utf-8", "replace") != standing.file:
            return
        if not self.must_follow() and header.end_pos > standing.offset:
            standing.offset = header.end_pos

    def _orphan(self, header: Header) -> Iterator[Trouble]:
        """Every transaction begins with a GTID, if only an anonymous one: without it, what stood before is lost."""
        if not self._standing.transaction.has_gtid:
            yield trouble(self._standing, TroubleKind.gap, "the GTID of this change is missing", header)

    def _unknown(self, kind: EventType | None, header: Header) -> Trouble:
        name = f"{kind.name} ({header.type})" if kind else str(header.type)
        message = f"an event of type {name} is not understood"
        return trouble(self._standing, TroubleKind.unknown, message, header)


def _prepared(body: bytes) -> tuple[bool, str]:
    """Whether an XA_PREPARE commits at once, and the transaction's name as statements spell it. Raises Damage."""
    fields = Fields(body)
    at_once, number, global_size, branch_size = (fields.number(size) for size in (1, 4, 4, 4))
    name, branch = fields.take(global_size), fields.take(branch_size)
    return bool(at_once), f"X'{name.hex()}',X'{branch.hex()}',{number}"


def _incident(body: bytes) -> str:
    return (
        body[3 : 3 + body[2] if len(body) > 2 else None].decode("utf-8", "replace")
        or f"number {int.from_bytes(body[:2], 'little')}"
    )
