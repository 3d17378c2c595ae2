"""Bytes of a binlog in, changes and troubles out: one path for live streams, binlog files and relay-log files.

Nothing is dropped silently. An event of an unknown type that is not marked ignorable, a wrong checksum, a torn event, a
row event without its table map, a hole in the file: each becomes a Trouble with file and offset. What follows damage is
read on only where it is certain where the next event begins; else the rest of the file is not believed, and that is
said. A change's position is where its transaction begins, so that one can start reading there; its own offset stands in
the detail. Where bytes come from is the business of :mod:`replguard.engines.binlog.streams`.

This module frames: it cuts bytes into events and judges their place. What is plain is taken in by
:mod:`~replguard.engines.binlog.quick`, everything else by :mod:`~replguard.engines.binlog.meaning`.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from replguard.engines.base import NAMES
from replguard.engines.binlog import events
from replguard.engines.binlog.events import (
    FLAG_ARTIFICIAL,
    FLAG_IN_USE,
    FLAG_RELAY,
    HEADER,
    HEADER_SIZE,
    Damage,
    Format,
    Header,
    MySQLEvent,
)
from replguard.engines.binlog.files import follows
from replguard.engines.binlog.incoming import Incoming
from replguard.engines.binlog.large import Packets
from replguard.engines.binlog.meaning import HEARTBEATS, Meaning
from replguard.engines.binlog.quick import LARGE, PACKET_HEAD, RESIDUE, plain_events
from replguard.engines.binlog.rowchanges import ROW_KINDS
from replguard.engines.binlog.standing import Standing
from replguard.engines.binlog.telling import trouble
from replguard.model.changes import TroubleKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.base import Tally, Wanted
    from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
    from replguard.engines.binlog.known import Known
    from replguard.engines.binlog.payloads import Inner
    from replguard.model.changes import StreamItem, Trouble
    from replguard.model.positions import Position

_FILE_HEAD = 4
_WRAP = 1 << 32
_ENDINGS = (MySQLEvent.ROTATE, MySQLEvent.STOP)


class BinlogReader:
    """Reads the events of one stream, in order.

    ``contiguous`` is false where the server leaves out transactions that were not asked for.
    """

    def __init__(
        self,
        flavour: events.Flavour,
        file: str = "",
        offset: int = _FILE_HEAD,
        *,
        gtids: MySQLGtidSet | MariaDBGtidState | None = None,
        contiguous: bool = True,
        wanted: Wanted = NAMES,
    ) -> None:
        self._standing = standing = Standing(flavour, wanted, file, offset)
        standing.gtids = gtids
        # A set that a file tells counts only where reading begins at the file's head.
        learned = gtids is None and offset <= _FILE_HEAD
        self._meaning = Meaning(standing, gtids_learned=learned, contiguous=contiguous)
        self._rest = b""
        self._more: list[bytes] = []
        self._missing = 0
        self._found: list[StreamItem] = []
        self._doubt = False
        self._lost = False
        self._first = False
        self._must_be_closed = False
        self._contiguous = contiguous
        self._last_kind: int = 0
        self._stopped = False
        self._large: Incoming | None = None
        self.said: bytes | None = None
        """What the server said in place of an event: an error, or the end of the stream."""

    @property
    def file(self) -> str:
        return self._standing.file

    @property
    def offset(self) -> int:
        """Where in ``file`` the next event begins."""
        return self._standing.offset

    @property
    def gtids(self) -> MySQLGtidSet | MariaDBGtidState | None:
        return self._standing.gtids

    @property
    def tally(self) -> Tally:
        return self._standing.tally

    @property
    def position(self) -> Position:
        """The last commit boundary: everything before it was handed out."""
        return self._standing.position

    def feed(self, raw: bytes) -> list[StreamItem]:
        """Take in one whole event, header and checksum included."""
        self._judge_raw(raw)
        return self._handed_out()

    def take(self, data: bytes) -> list[StreamItem]:
        """Take in the next bytes of a file, in portions of any size. The file's four magic bytes are not among them."""
        return self._take(data, packets=False)

    def take_packets(self, data: bytes) -> list[StreamItem]:
        """Take in the next bytes that a server sent, packet heads included. See also :attr:`said`."""
        return self._take(data, packets=True)

    def end(self) -> list[StreamItem]:
        """The source ends here: what is torn is damage, and a transaction that is open has lost its end."""
        standing = self._standing
        left = len(self._rest) + sum(map(len, self._more)) + (self._large.event.had if self._large else 0)
        if left and not self._lost:
            message = f"the file ends in the middle of an event, {left} bytes after its beginning"
            self._found.append(trouble(standing, TroubleKind.corrupt, message))
        if standing.transaction.open or standing.transaction.expected:
            message = f"the file ends in the middle of a transaction ({standing.transaction.name})"
            self._found.append(trouble(standing, TroubleKind.gap, message))
        elif not left and not self._lost and self._must_be_closed and self._last_kind not in _ENDINGS:
            # MariaDB clears the mark of a file in use only when it writes one of these at its end.
            message = "the file was closed in good order, and what stood at its end is missing"
            self._found.append(trouble(standing, TroubleKind.gap, message))
        standing.transaction.reset()
        standing.known.end_statement()
        self._rest, self._more, self._missing, self._large = b"", [], 0, None
        return self._handed_out()

    def next_file(self, file: str) -> list[StreamItem]:
        """The bytes that are taken from here on are those of the next file, which must follow."""
        standing = self._standing
        found = self.end()
        # A rotate at the end has named the next file already.
        named = self._last_kind == MySQLEvent.ROTATE
        if standing.file and not (file == standing.file if named else follows(standing.file, file)):
            found.append(trouble(standing, TroubleKind.gap, f"file {file} does not follow {standing.file}"))
        standing.file, standing.offset = file, _FILE_HEAD
        standing.form, self._lost, self._doubt = None, False, False
        standing.note_boundary()
        return found

    def restart(self) -> None:
        """The source begins anew, at the place where it began, before anything of a transaction was read."""
        self._rest, self._more, self._missing, self.said = b"", [], 0, None

    def _handed_out(self) -> list[StreamItem]:
        found, self._found = self._found, []
        return found

    def stop_at(self, file: str, offset: int) -> None:
        """Take in nothing that begins at this place or later."""
        self._standing.until = (file, offset)

    def _take(self, data: bytes, *, packets: bool) -> list[StreamItem]:
        if self._missing > len(data):
            self._missing -= len(data)
            self._more.append(data)
            return []
        if self._rest or self._more:
            data = b"".join([self._rest, *self._more, data])
        self._missing, at = 0, 0
        self._more.clear()
        while not self._lost and not self._stopped:
            if self._large is not None:
                at = self._go_on(data, at, self._large)
                if self._large is not None:
                    break
            if packets or not self._doubt:
                at = plain_events(self._standing, data, at, self._tell, packets=packets)
            after = self._packet(data, at) if packets else self._event_in_file(data, at)
            if after < 0:
                break
            at = after
        self._rest = b"" if self._lost or self._stopped else data[at:]
        return self._handed_out()

    def _tell(self, known: Known, data: bytes, begins: int, ends: int) -> None:
        """A sound row event of a table that somebody is interested in, found by the quick path."""
        timestamp, kind, server_id, _, _, flags = HEADER.unpack_from(data, begins)
        rows = self._meaning.rows.of(
            known, ROW_KINDS[kind], (timestamp, server_id, flags), data[begins + HEADER_SIZE : ends]
        )
        try:
            self._found.extend(rows)
        except (Damage, events.NotUnderstood) as what:
            kind_of_trouble = TroubleKind.corrupt if isinstance(what, Damage) else TroubleKind.unknown
            header = Header(*HEADER.unpack_from(data, begins))
            self._found.append(trouble(self._standing, kind_of_trouble, str(what), header))

    def _packet(self, data: bytes, at: int) -> int:
        """Take in one packet; return where the next begins, or -1 if it is not whole yet."""
        have = len(data) - at
        size = int.from_bytes(data[at : at + 3], "little")
        if have >= PACKET_HEAD + HEADER_SIZE and size > LARGE and not data[at + 4]:
            return self._begin_large(data, at + PACKET_HEAD, Packets(size))
        if have < 4 or have < 4 + size:
            self._missing = 1 if size > LARGE else 4 + size - have if have >= 4 else 4 - have
            return -1
        packet = data[at + 4 : at + 4 + size]
        if packet[:1] != b"\x00":
            self.said = packet
            return -1
        self._judge_raw(packet[1:])
        return at + PACKET_HEAD - 1 + size

    def _event_in_file(self, data: bytes, at: int) -> int:
        """Take in one event; return where the next begins, or -1 if it is not whole yet."""
        have = len(data) - at
        if have < HEADER_SIZE:
            self._missing = HEADER_SIZE - have
            return -1
        size: int = HEADER.unpack_from(data, at)[3]
        if size < HEADER_SIZE:
            self._lose(f"an event says that it has {size} bytes, fewer than its header")
            return -1
        if size > LARGE:
            if self._doubt or not self._is_in_place(Header(*HEADER.unpack_from(data, at))):
                self._lose(f"an event of {size} bytes stands where none is expected")
                return -1
            return self._begin_large(data, at, None)
        if have < size:
            self._missing = size - have
            return -1
        raw = data[at : at + size]
        if self._doubt and not self._is_certain(raw):
            self._lose("where the next event begins is not certain after the damage before")
            return -1
        self._judge_raw(raw)
        return at + size

    def _begin_large(self, data: bytes, at: int, packets: Packets | None) -> int:
        header, form = Header(*HEADER.unpack_from(data, at)), self._standing.form
        if self._stops_before(header):
            self._stopped = True
            return -1
        kind = events.event_type(self._standing.flavour, header.type)
        read = self._read_inside if kind is MySQLEvent.TRANSACTION_PAYLOAD else None
        self._large = Incoming(header, form, packets, read)
        return at

    def _go_on(self, data: bytes, at: int, large: Incoming) -> int:
        """Give the large event its next bytes; return where they end."""
        at, ended = large.take(data, at)
        if ended:
            self._large = None
            self._judge(large.event.header, large)
        return at

    def _read_inside(self, inside: Iterator[Inner], form: Format) -> None:
        self._found.extend(self._meaning.inner(inside, form))

    def _is_certain(self, raw: bytes) -> bool:
        """Whether this is an event that stands where the one before, which is damaged, says that it ends."""
        form = self._standing.form
        if form is None or not self._is_in_place(Header.of(raw)):
            return False
        try:
            events.body_of(raw, checksum=form.checksum)
        except Damage:
            return False
        self._doubt = False
        return True

    def _is_in_place(self, header: Header) -> bool:
        return (header.end_pos - header.size) % _WRAP == self._standing.offset % _WRAP

    def _lose(self, why: str) -> None:
        message = f"{why}: the rest of this file is not read"
        self._found.append(trouble(self._standing, TroubleKind.corrupt, message))
        self._lost = True

    def _judge_raw(self, raw: bytes) -> None:
        """One event that is said to be whole."""
        try:
            header = Header.of(raw)
        except Damage as damage:
            self._found.append(trouble(self._standing, TroubleKind.corrupt, str(damage)))
            self._standing.offset += len(raw)
            self._after_damage()
            return
        if self._stops_before(header):
            self._stopped = True
            return
        self._judge(header, raw)

    def _judge(self, header: Header, raw: bytes | Incoming) -> None:
        standing = self._standing
        standing.tally.events += 1
        standing.tally.bytes += header.size
        self._last_kind = header.type
        self._found.extend(self._place(header))
        file, at = standing.file, standing.offset
        placed = has_place(header, at)
        try:
            # What was found before the damage is kept: extend takes it in one by one.
            self._found.extend(self._event(header, raw))
        except Damage as damage:
            self._found.append(trouble(standing, TroubleKind.corrupt, str(damage), header, at))
            self._after_damage()
        except events.NotUnderstood as what:
            self._found.append(trouble(standing, TroubleKind.unknown, f"not understood: {what}", header, at))
        if placed and (standing.file, standing.offset) == (file, at):
            standing.offset = at + header.size
        standing.note_boundary()

    def _after_damage(self) -> None:
        """What was damaged may have been a table map, so that none holds any more."""
        self._standing.known.end_statement()
        self._doubt = True

    def _stops_before(self, header: Header) -> bool:
        standing = self._standing
        if standing.until is None or not has_place(header, standing.offset):
            return False
        behind = (header.end_pos - header.size - standing.offset) % _WRAP
        return standing.offset + (behind if behind < _WRAP // 2 else 0) >= standing.stop_at

    def _place(self, header: Header) -> Iterator[Trouble]:
        """Where the event stands in its file, and whether anything is missing before it."""
        standing = self._standing
        if not has_place(header, standing.offset):
            return
        begins = (header.end_pos - header.size) % _WRAP
        if begins == standing.offset % _WRAP:
            return
        if standing.form is not None and header.type != MySQLEvent.FORMAT_DESCRIPTION and self._meaning.must_follow():
            message = f"the event at {begins} does not follow what ended at {standing.offset}"
            yield trouble(standing, TroubleKind.gap, message, header)
        standing.offset = begins + (standing.offset // _WRAP) * _WRAP

    def _event(self, header: Header, raw: bytes | Incoming) -> Iterator[StreamItem]:
        kind = events.event_type(self._standing.flavour, header.type)
        form = self._standing.form
        if isinstance(raw, bytes):
            if kind is MySQLEvent.FORMAT_DESCRIPTION:
                self._begin_file(header, Format.of(raw))
                yield from self._meaning.ended(header)
                return
            if kind is MySQLEvent.ROTATE:
                yield from self._meaning.rotate(header, self._body_of_rotate(header, raw))
                return
        if form is None:
            raise Damage("an event comes before the format description of its file")
        if isinstance(raw, bytes):
            if self._first and not form.checksum and zlib.crc32(raw) == RESIDUE:
                raise Damage("events have checksums, though the format description says that they have none")
            self._first = False
            yield from self._meaning.of(kind, header, events.body_of(raw, checksum=form.checksum), form)
        elif raw.compressed:
            raw.event.body()
            raw.end_inside()
        else:
            yield from self._meaning.of_large(kind, header, raw.event.body(), form)

    def _begin_file(self, header: Header, form: Format) -> None:
        self._standing.form, self._standing.plain = form, form.plain
        self._standing.note_began(header.timestamp)
        self._standing.files += not header.artificial
        self._standing.known.forget()
        self._first = True
        closed = self._standing.flavour == "mariadb" and not header.flags & (FLAG_IN_USE | FLAG_RELAY)
        # What a relay log received of a closed file ends anywhere.
        self._must_be_closed = closed and self._contiguous

    def _body_of_rotate(self, header: Header, raw: bytes) -> bytes:
        form = self._standing.form
        if header.artificial or form is None:
            return events.body_of_unknown_mode(raw)
        return events.body_of(raw, checksum=form.checksum)


def has_place(header: Header, offset: int) -> bool:
    """Whether the event stands in a file: heartbeats and what the server makes up on the way do not.

    Those of the latter have 0 for the place where they end, which is right only for one that ends at 4 GB sharp.
    """
    if header.type in HEARTBEATS or header.flags & FLAG_ARTIFICIAL:
        return False
    return header.end_pos != 0 or (offset + header.size) % _WRAP == 0
