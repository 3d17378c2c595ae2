"""Log files as one stream of changes, as ``base.LogStream`` wants it: read in portions, never whole.

What events mean is told by :mod:`~replguard.engines.binlog.reader`, whether files follow one another by
:mod:`~replguard.engines.binlog.logorder`. A file is read up to the size that it had when it was opened.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.engines.base import LogFile, Tally
from replguard.engines.binlog import logorder, relaylogs
from replguard.engines.binlog.events import FLAG_RELAY, Damage, Header, MySQLEvent, body_of
from replguard.engines.binlog.loghead import MAGIC_SIZE, flavour_of_format
from replguard.engines.binlog.logorder import Ended
from replguard.engines.binlog.reader import BinlogReader
from replguard.errors import StreamError, UsageError
from replguard.model.changes import Change, Trouble, TroubleKind
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO, Self

    from replguard.engines.base import Wanted
    from replguard.engines.binlog.events import Flavour
    from replguard.engines.binlog.loghead import Head
    from replguard.engines.binlog.logrange import Part
    from replguard.model.changes import StreamItem

PORTION = 128 << 10
_CANNOT_SEE = (
    "changes made with sql_log_bin=0 or kept out by the server's binlog_do_db and binlog_ignore_db",
    "rows that a foreign key's cascade changes inside the storage engine (MariaDB, MySQL before 9.6)",
    "what stands in files that were not given",
)
_RELAY_CANNOT_SEE = (
    *_CANNOT_SEE,
    "transactions that the receiver left out by right, or that are missing in a relay log which has not been ended",
)


class LogStream:
    """Fulfils ``base.LogStream`` for files of one server in their order."""

    def __init__(self, flavour: Flavour, heads: Sequence[Head], wanted: Wanted, part: Part) -> None:
        self._flavour: Flavour = flavour
        self._heads = tuple(heads)
        self._wanted = wanted
        self._part = part
        self._waiting = list(heads)
        self._head = heads[0]
        self._file: BinaryIO | None = None
        self._read = MAGIC_SIZE
        self._ended: Ended | None = None
        self._splitter = relaylogs.Splitter(MAGIC_SIZE)
        self._reader = self._new_reader(heads[0])
        self._before = Tally()
        self.relay = any(head.relay for head in heads)
        self.kind = "relay log" if self.relay else "binlog file"
        self.cannot_see = (*(_RELAY_CANNOT_SEE if self.relay else _CANNOT_SEE), *part.left_out())
        self.start = Position(PositionKind.file, f"{heads[0].name}:{MAGIC_SIZE}")

    @property
    def files(self) -> tuple[LogFile, ...]:
        """The files in the order in which they are read."""
        return tuple(
            LogFile(
                path=head.path,
                size=head.size,
                server=str(head.server_id) if head.server_version else None,
                server_version=head.server_version or None,
                received=head.relay,
                unfinished=head.unfinished,
            )
            for head in self._heads
        )

    @property
    def tally(self) -> Tally:
        """What was read of all files; bytes are those of the files."""
        return _together(self._before, self._reader.tally)

    @property
    def position(self) -> Position:
        """How far the files were read."""
        return Position(PositionKind.file, f"{self._head.name}:{self._read}")

    @property
    def caught_up(self) -> bool:
        return self._file is None and not self._waiting

    def passed(self, position: Position) -> bool:
        """Whether everything up to ``position``, a file and offset of these files, was read."""
        file, _, offset = position.text.rpartition(":")
        names = [head.name for head in self._heads]
        if position.kind is not PositionKind.file or file not in names or not offset.isdecimal():
            raise ValueError(f"'{position}' is no place in these files")
        return (names.index(self._head.name), self._read) >= (names.index(file), int(offset))

    def poll(self, timeout: float) -> Sequence[StreamItem]:
        """What came next; empty at the end, or after ``timeout`` seconds of reading without any."""
        deadline = time.monotonic() + timeout
        found: list[StreamItem] = []
        while not found and not self.caught_up:
            items = self._begin() if self._file is None else self._portion(self._file)
            found += (item for item in items if not isinstance(item, Change) or self._part.holds(item))
            if time.monotonic() >= deadline:
                break
        return found

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
        self._waiting.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _new_reader(self, head: Head) -> BinlogReader:
        """Of a relay log the source's file is not known before it is told."""
        name = "" if head.relay else head.name
        return BinlogReader(self._flavour, name, MAGIC_SIZE, contiguous=not head.relay, wanted=self._wanted)

    def _begin(self) -> Iterator[StreamItem]:
        """Open the next file, and tell where it does not follow the last one."""
        self._head = head = self._waiting.pop(0)
        self._read = MAGIC_SIZE
        hole = logorder.hole(self._ended, head) if self._ended else None
        if hole:
            yield self._trouble(TroubleKind.gap, hole, MAGIC_SIZE)
        if hole or not head.relay:
            # What a received transaction began in one relay log it may end in the next, and only there.
            self._before = self.tally
            self._reader = self._new_reader(head)
        if head.unreadable:
            self._ended = Ended(head, None)
            yield self._trouble(TroubleKind.unknown, f"cannot be read: {head.unreadable}", 0)
            return
        self._splitter = relaylogs.Splitter(MAGIC_SIZE, b"" if hole else self._splitter.format)
        self._file = _opened(head)

    def _portion(self, file: BinaryIO) -> Iterator[StreamItem]:
        """Read on in the open file; at its end tell what is wrong with it."""
        try:
            data = file.read(min(PORTION, max(0, self._head.size - self._read)))
        except OSError as error:
            raise StreamError(f"{self._head.path} cannot be read on: {error.strerror}") from error
        self._read += len(data)
        if not data:
            yield from self._end()
        elif self._head.relay:
            for piece in self._splitter.take(data):
                yield from self._own(piece) if piece.own else self._source(piece)
        else:
            yield from self._reader.take(data)

    def _source(self, piece: relaylogs.Piece) -> Iterator[StreamItem]:
        """Events of the source, which may be a server of another flavour: nothing of it is understood here."""
        form = self._splitter.format
        if form and flavour_of_format(form) != self._flavour:
            yield self._trouble(TroubleKind.unknown, _OTHER_FLAVOUR, piece.at)
            self._read = self._head.size
        else:
            yield from self._received(self._reader.take(piece.data))

    def _own(self, piece: relaylogs.Piece) -> Iterator[StreamItem]:
        """An event of the relay log's own says nothing of changes, but where in the relay log it stands."""
        try:
            header = Header.of(piece.data)
            body_of(piece.data, checksum=self._head.checksum and header.type != MySQLEvent.FORMAT_DESCRIPTION)
        except Damage as damage:
            yield self._trouble(TroubleKind.corrupt, str(damage), piece.at)
            return
        repeated = not header.flags & FLAG_RELAY
        if not repeated and header.end_pos != (piece.at + header.size) % (1 << 32):
            message = (
                f"what should end at {header.end_pos} ends at {piece.at + header.size}: events are missing before it"
            )
            yield self._trouble(TroubleKind.gap, message, piece.at)

    def _received(self, items: Sequence[StreamItem]) -> Iterator[StreamItem]:
        """The places of what was received are the source's: the relay log is named beside them."""
        for item in items:
            if isinstance(item, Change):
                yield replace(item, detail={**item.detail, "relay_log": self._head.name})
            elif isinstance(item, Trouble):
                yield replace(item, evidence={**item.evidence, "relay_log": self._head.name})
            else:
                yield item

    def _end(self) -> Iterator[StreamItem]:
        """The file ends here: an event that does not, and a file that was cut off, are told."""
        head, last = self._head, not self._waiting
        torn = head.relay and self._splitter.torn
        if head.relay:
            yield from self._received(self._reader.take(self._splitter.rest()))
        if torn or last or not head.relay:
            yield from self._received(self._reader.end()) if head.relay else self._reader.end()
        gtids = self._reader.gtids if self._reader.gtids is not None else head.before
        self._ended = Ended(head, gtids)
        if self._read < head.size:
            yield self._trouble(TroubleKind.corrupt, "it became shorter while it was read", self._read)
        elif last and not head.closed and not head.unfinished and head.server_version:
            yield self._trouble(TroubleKind.gap, _CUT, head.size)
        if self._file:
            self._file.close()
            self._file = None

    def _trouble(self, kind: TroubleKind, what: str, offset: int) -> Trouble:
        head = self._head
        position = Position(PositionKind.file, f"{head.name}:{offset}")
        evidence = {"file": head.name, "offset": offset, "path": str(head.path)}
        return Trouble(kind, f"{head.path}: {what}", position, evidence)


_CUT = (
    "it ends without a rotate or stop event and is not marked as being written to: a copy that was cut off, or a "
    "server that crashed; what came after may be missing"
)
_OTHER_FLAVOUR = (
    "what it received comes from a server of another flavour, whose events are not understood here: read the source's "
    "own binlog"
)


def _opened(head: Head) -> BinaryIO:
    try:
        file = head.path.open("rb")
        file.seek(MAGIC_SIZE)
    except OSError as error:
        raise UsageError(f"{head.path} cannot be read: {error.strerror}", remedy="name a file you may read") from error
    return file


def _together(first: Tally, second: Tally) -> Tally:
    changes = dict(first.changes)
    for name, count in second.changes.items():
        changes[name] = changes.get(name, 0) + count
    commits = [moment for moment in (first.last_commit, second.last_commit) if moment]
    return Tally(
        first.events + second.events,
        first.bytes + second.bytes,
        first.transactions + second.transactions,
        changes,
        max(commits, default=None),
        first.began or second.began,
        second.heard,
    )
