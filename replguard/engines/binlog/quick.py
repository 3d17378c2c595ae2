"""The quick path: small events of transactions in which nobody is interested, a million a second.

One loop does what the careful path (:mod:`replguard.engines.binlog.meaning`) does, for those events alone that it
recognises exactly: a table map by its bytes, row events of a table that is only counted, a plain GTID, BEGIN by its
bytes, a commit, and context without meaning. Size, place and checksum of each are verified here as there. At the first
event that is anything else, or stands in any other state, it stops before it; the careful path takes that event. So
the loop never judges, and what it does not know cannot slip through it.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING
from uuid import UUID

from replguard.engines.binlog.events import CRC_SIZE, FLAG_ARTIFICIAL, HEADER_SIZE, MariaDBEvent, MySQLEvent
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
from replguard.engines.binlog.tablemaps import ROW_EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.engines.binlog.known import Known
    from replguard.engines.binlog.standing import Standing

    Tell = Callable[[Known, bytes, int, int], None]

LARGE = 4 << 20
"""An event of more bytes is never taken as a whole."""
PACKET_HEAD = 5
RESIDUE = 0x2144DF1C
"""The CRC32 of anything that ends in its own CRC32."""

_HEAD = struct.Struct("<4xB4xIIH")
_PACKET = struct.Struct("<IB4xB4xIIH")
_ROWS = struct.Struct("<Q")
_MARIADB_GTID = struct.Struct("<5xI10xQIB")
_MYSQL_GTID = struct.Struct("<20x16sQ")
_TIME = struct.Struct("<I")
_NUMBER = 0xFFFFFFFFFFFF
_WRAP = 0xFFFFFFFF
_MAP, _XID, _QUERY = MySQLEvent.TABLE_MAP.value, MySQLEvent.XID.value, MySQLEvent.QUERY.value
_ROW_KINDS = frozenset(kind.value for kind in ROW_EVENTS)
_SILENT = frozenset({MySQLEvent.ROWS_QUERY.value, MariaDBEvent.ANNOTATE_ROWS.value})
_PLAIN_MARIADB = 2 | 4 | 8 | 16
"""Flags of MariaDB's GTID that change nothing here: group commit, transactional, may run in parallel, waited."""
_QUERY_START = HEADER_SIZE + 8
_BETWEEN, _EXPECTED, _OPEN = range(3)


def plain_events(  # noqa: PLR0915 - one loop without calls is what makes it quick
    standing: Standing, data: bytes, at: int, tell: Tell, *, packets: bool
) -> int:
    """Take in what is plain, from ``at`` on; return where the first event begins that is not, or is not whole.

    With ``packets`` each event stands in a packet of the client protocol. ``tell`` is called for row events of a table
    that somebody is interested in, with the data and where in it the event begins and ends.
    """
    form, offset = standing.form, standing.offset
    if form is None or not standing.plain:
        return at
    transaction, known, gtids = standing.transaction, standing.known, standing.gtids
    if transaction.pending or (transaction.open and not transaction.has_gtid):
        return at
    if gtids is None and standing.at_head is not None:
        return at
    mariadb = standing.flavour == "mariadb"
    gtid_kind = _gtid_kind(standing, mariadb=mariadb)
    phase = _OPEN if transaction.open else _EXPECTED if transaction.expected else _BETWEEN
    by_body, current, begins = known.by_body, known.current, standing.begins
    checksum, tail = form.checksum, CRC_SIZE if form.checksum else 0
    stop = standing.stop_at
    least = HEADER_SIZE + tail
    size_of_data, began = len(data), offset
    view = memoryview(data)
    crc32, head_of, packet_of, rows_of = zlib.crc32, _HEAD.unpack_from, _PACKET.unpack_from, _ROWS.unpack_from
    last = gtids.last if isinstance(gtids, MariaDBGtidState) else {}
    grows = isinstance(gtids, MySQLGtidSet) and gtid_kind == MySQLEvent.GTID
    run_source, run_first, run_next = b"", 0, 0
    source, server, number, domain = b"", 0, 0, 0
    gtid_at, gtid_end, committed_at, bound = -1, 0, -1, -1
    count = transactions = 0
    mine = phase == _BETWEEN
    if not mine and transaction.plain is not None:
        mine = True
        if mariadb:
            server, number, domain, _ = _MARIADB_GTID.unpack_from(transaction.plain)
        else:
            source, number = _MYSQL_GTID.unpack_from(transaction.plain)
    try:
        while True:
            if packets:
                packet, status, kind, size, end_pos, flags = packet_of(data, at)
                if packet & 0xFFFFFF != size + 1 or status:
                    break
                head = at + PACKET_HEAD
            else:
                kind, size, end_pos, flags = head_of(data, at)
                head = at
            end = head + size
            after = offset + size
            if not least <= size <= LARGE or end > size_of_data or offset >= stop:
                break
            if after & _WRAP != end_pos or flags & FLAG_ARTIFICIAL or not end_pos:
                break
            if checksum and crc32(view[head:end]) != RESIDUE:
                break
            if kind == _MAP:
                entry = by_body.get(data[head + HEADER_SIZE : end - tail])
                if entry is None or phase != _OPEN:
                    break
                current[entry.number] = entry
            elif kind in _ROW_KINDS:
                (word,) = rows_of(data, head + HEADER_SIZE)
                entry = current.get(word & _NUMBER)
                if entry is None or phase != _OPEN or size < least + 8:
                    break
                if entry.told:
                    standing.offset = offset
                    if gtid_at >= 0:
                        transaction.hold(data[gtid_at:gtid_end])
                        gtid_at = -1
                    if bound >= 0:
                        standing.boundary = (standing.file, bound)
                        bound = -1
                    tell(entry, data, head, end - tail)
                else:
                    entry.events += 1
                if word >> 48 & 1:
                    current.clear()
                    known.open_rows = False
                else:
                    known.open_rows = True
            elif kind == _XID:
                if phase != _OPEN or not mine or known.open_rows or current or size != least + 8:
                    break
                if mariadb:
                    if gtids is not None:
                        last[domain] = (server, number)
                elif grows:
                    if number == run_next and source == run_source:
                        run_next = number + 1
                    else:
                        _extend(gtids, run_source, run_first, run_next)
                        run_source, run_first, run_next = source, number, number + 1
                if gtid_at < 0:
                    transaction.reset()
                gtid_at, phase, committed_at = -1, _BETWEEN, head
                transactions += 1
                bound = after
            elif kind == gtid_kind:
                if phase != _BETWEEN or known.open_rows or current:
                    break
                if mariadb:
                    server, number, domain, more = _MARIADB_GTID.unpack_from(data, head)
                    if more & ~_PLAIN_MARIADB or size < least + 13:
                        break
                    phase = _OPEN
                else:
                    source, number = _MYSQL_GTID.unpack_from(data, head)
                    if number < (kind == MySQLEvent.GTID) or size < least + 25:
                        break
                    phase = _EXPECTED
                gtid_at, gtid_end, mine = head, end - tail, True
            elif kind == _QUERY:
                if phase != _EXPECTED or data[head + _QUERY_START : end - tail] not in begins:
                    break
                phase = _OPEN
            elif kind in _SILENT:
                if phase == _BETWEEN or current or known.open_rows:
                    break
            else:
                break
            at, offset = end, after
            count += 1
    except struct.error:
        pass  # the data ends within an event
    if count:
        standing.offset = offset
        if bound >= 0:
            standing.boundary = (standing.file, bound)
        if gtid_at >= 0:
            transaction.hold(data[gtid_at:gtid_end])
        transaction.open, transaction.expected = phase == _OPEN, phase != _BETWEEN
        if run_first:
            _extend(gtids, run_source, run_first, run_next)
        tally = standing.tally
        tally.events += count
        tally.bytes += offset - began
        if transactions:
            standing.note_commits(transactions, *_TIME.unpack_from(data, committed_at))
        standing.note_counted()
    return at


def _gtid_kind(standing: Standing, *, mariadb: bool) -> int:
    """The type of GTID events that change nothing but the set: anonymous ones must have been met before."""
    if mariadb:
        return MariaDBEvent.GTID
    return MySQLEvent.ANONYMOUS_GTID if standing.anonymous else MySQLEvent.GTID


def _extend(gtids: MySQLGtidSet | MariaDBGtidState | None, source: bytes, first: int, after: int) -> None:
    if isinstance(gtids, MySQLGtidSet) and first:
        gtids.extend(str(UUID(bytes=source)), first, after - 1)
