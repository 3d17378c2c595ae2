"""Live streams of a MySQL or MariaDB server's binlog, as ``base.Streams`` and ``base.ChangeStream`` want them.

What is asked of the server is in :mod:`~replguard.engines.binlog.dump` and
:mod:`~replguard.engines.binlog.places`, what events mean in :mod:`~replguard.engines.binlog.reader`.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from replguard.engines.base import NAMES, Wanted
from replguard.engines.binlog import places
from replguard.engines.binlog.dump import Dump, DumpError
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
from replguard.engines.binlog.reader import BinlogReader
from replguard.errors import PrivilegeError, StreamError, Unsupported
from replguard.model.changes import Interest, Trouble, TroubleKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Self

    from replguard.engines.base import AppliedRows, Server, Since
    from replguard.engines.binlog.lookback import BinlogLookback
    from replguard.engines.binlog.places import Place
    from replguard.engines.binlog.server import BinlogServer
    from replguard.engines.controls import Kept, OwnWrites, Reach
    from replguard.model.changes import StreamItem
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.model.tables import Table

_CANNOT_READ_BINLOG = 1236
_ID_IN_USE = 4052
_SAME_ID = "with the same server_"
_GAP_WORDS = ("purged", "first log file", "not in the master's binlog", "more GTIDs", "does not exist")
_DAMAGE_WORDS = ("bogus", "truncated", "corrupt", "checksum", "event read from binlog did not pass")
_HEAD_SECONDS = 5.0
COUNTS = Wanted(interest=lambda _table: Interest.counted)
_CANNOT_SEE = (
    "changes made with sql_log_bin=0 or kept out by the server's binlog_do_db and binlog_ignore_db",
    "rows that a foreign key's cascade changes inside the storage engine (MariaDB, MySQL before 9.6)",
)


class BinlogStreams:
    """Fulfils ``base.Streams`` for one server."""

    def __init__(self, server: BinlogServer) -> None:
        self._server = server

    def parse(self, text: str) -> Position:
        """GTIDs as the server prints them, or ``file:offset``."""
        return places.position_of(self._server.flavour, text)

    def sent(self, link: Link, target: Server, since: Since, wanted: Wanted = NAMES) -> BinlogStream:  # noqa: ARG002 - all links carry all
        """The source's whole binlog: filters act at the target."""
        return BinlogStream(self._server, places.beginning(self._server, since), wanted)

    def pending(self, link: Link, target: Server, wanted: Wanted = NAMES) -> BinlogStream:
        """From what the target has applied to the present end, where it stops."""
        start = places.applied(self._server, cast("BinlogServer", target), link)
        return BinlogStream(self._server, start, wanted, stops=True)

    @contextmanager
    def look_back(
        self, link: Link, target: Server, wanted: Wanted = NAMES, since: Position | None = None
    ) -> Iterator[BinlogLookback]:
        """Nothing is held: what the target has applied is read, and the binlog keeps the rest."""
        from replguard.engines.binlog.lookback import BinlogLookback  # noqa: PLC0415 - it makes streams of this module

        yield BinlogLookback(self._server, cast("BinlogServer", target), link, wanted, since)

    def end(self) -> Position:
        """What is written to the binlog, whether or not it is executed yet."""
        return places.written(self._server)

    def own(self, since: Since, wanted: Wanted = NAMES) -> BinlogStream:
        """The server's own binlog, replicated changes included."""
        capabilities = self._server.capabilities
        if not capabilities.shows_applied:
            raise Unsupported(capabilities.why_not_shown, cluster=self._server.name)
        return self.written_here(since, wanted)

    def written_here(self, since: Since, wanted: Wanted = NAMES) -> BinlogStream:
        """Fulfils ``base.LogsOwnWrites``."""
        return BinlogStream(self._server, places.beginning(self._server, since), wanted)

    def kept(self, link: Link, target: Server) -> Kept:
        """Fulfils ``controls.Keeps``."""
        from replguard.engines.binlog.keeping import kept  # noqa: PLC0415 - for pauses alone

        return kept(self._server, cast("BinlogServer", target), link, self._begun)

    def written(self) -> int:
        return sum(int(row["File_size"]) for row in self._server.run("stream_files"))

    def _begun(self, file: str) -> float | None:
        """When a file of the binlog was begun, in seconds since 1970; None where its head does not come, or may not be
        read.
        """
        deadline = time.monotonic() + _HEAD_SECONDS
        with suppress(PrivilegeError), BinlogStream(self._server, places.Place(file), COUNTS) as stream:
            while stream.tally.began is None and not stream.caught_up and time.monotonic() < deadline:
                stream.poll(0.1)
            return stream.tally.began.timestamp() if stream.tally.began else None
        return None

    def own_writes(self, source: Server, since: Position | None = None) -> OwnWrites:
        """Fulfils ``controls.TellsOwnWrites``."""
        from replguard.engines.binlog.ownwrites import own_writes  # noqa: PLC0415 - few commands ask

        return own_writes(self._server, cast("BinlogServer", source), since)

    def reach(self, link: Link, target: Server) -> Reach:
        """Fulfils ``controls.Reaches``."""
        from replguard.engines.binlog.reach import reach  # noqa: PLC0415 - only who resumes asks

        return reach(self._server, cast("BinlogServer", target), link)

    def applied_rows(self, link: Link, source: Server, tables: Sequence[Table]) -> tuple[AppliedRows, ...]:
        """Not to be had: rows do not tell who wrote them."""
        _ = link, source, tables
        message = "rows of MySQL and MariaDB do not tell whether replication wrote them"
        raise Unsupported(message, cluster=self._server.name)


class BinlogStream:
    """Fulfils ``base.ChangeStream``. With ``stops`` nothing is handed out beyond what was the end at the beginning."""

    kind = "binlog"
    cannot_see = _CANNOT_SEE

    def __init__(self, server: BinlogServer, start: Place, wanted: Wanted = NAMES, *, stops: bool = False) -> None:
        self._server = server
        self._end = places.end(server)
        self._stops = stops
        self._broken: StreamError | None = None
        self._places: dict[Position, Place] = {}
        by_gtids = not start.file
        self._reader = BinlogReader(
            server.flavour, start.file, start.offset, gtids=start.gtids, contiguous=not by_gtids, wanted=wanted
        )
        if stops:
            self._reader.stop_at(self._end.file, self._end.offset)
        self.tally = self._reader.tally
        self.start: Position = start.position
        self._start = start
        self._dump = self._opened()
        self._reopened = False

    def _opened(self) -> Dump:
        dump = Dump(self._server)
        try:
            self._request(dump, self._start)
        except BaseException:
            dump.close()
            raise
        return dump

    @staticmethod
    def _request(dump: Dump, start: Place) -> None:
        if start.file:
            dump.from_file(start.file, start.offset)
        elif isinstance(start.gtids, MySQLGtidSet):
            dump.without_gtids(start.gtids.encode())
        elif isinstance(start.gtids, MariaDBGtidState):
            dump.after_gtids(str(start.gtids))

    @property
    def position(self) -> Position:
        return self._reader.position

    @property
    def caught_up(self) -> bool:
        reader = self._reader
        return self._end.is_reached(reader.file, reader.offset, reader.gtids)

    def passed(self, position: Position) -> bool:
        """Whether everything up to ``position`` was read. ValueError for what is no position of this stream."""
        place, reader = self._places.get(position), self._reader
        if place is None:
            try:
                place = self._places[position] = places.at(self._server, position)
            except StreamError as error:
                raise ValueError(error.message) from None
        if not place.file and reader.gtids is None and reader.tally.transactions:
            raise ValueError(f"whether {position} is passed cannot be told: this stream is read by file and offset")
        return place.is_reached(reader.file, reader.offset, reader.gtids)

    def poll(self, timeout: float) -> Sequence[StreamItem]:
        """What came next. A position that is purged is a Trouble first, and a StreamError from then on."""
        if self._broken:
            raise self._broken
        if self._stops and self.caught_up:
            return ()
        deadline = time.monotonic() + timeout
        was_caught_up = self.caught_up
        while True:
            found = self._read(max(0.0, deadline - time.monotonic()))
            if found or time.monotonic() >= deadline or self.caught_up != was_caught_up:
                return found

    def _read(self, timeout: float) -> list[StreamItem]:
        found: list[StreamItem] = []
        try:
            # What was read before an error is kept: extend takes it in one by one.
            found.extend(self._fed(timeout))
        except StreamError as error:
            if self._is_refused_id(error):
                self._reopen()
                return found
            self._broken = error
            trouble = self._as_trouble(error)
            if trouble:
                found.append(trouble)
            if not found:
                raise
        return found

    def _fed(self, timeout: float) -> Iterator[StreamItem]:
        data = self._dump.read(timeout)
        self.tally.heard = self._dump.heard
        yield from self._reader.take_packets(data)
        if self._reader.said is not None:
            self._dump.ended(self._reader.said)

    def _is_refused_id(self, error: StreamError) -> bool:
        """Whether another replica has the server id that was drawn here, and nothing was read yet."""
        said = isinstance(error, DumpError) and (
            error.code == _ID_IN_USE or (error.code == _CANNOT_READ_BINLOG and _SAME_ID in error.message)
        )
        return said and not self._reopened and self._reader.gtids == self._start.gtids and not self.tally.transactions

    def _reopen(self) -> None:
        """Ask once more, with another server id."""
        self._reopened = True
        self._dump.close()
        self._dump = self._opened()
        self._reader.restart()

    def _as_trouble(self, error: StreamError) -> Trouble | None:
        """What the server says about its own binlog, where that is a finding rather than a lost connection."""
        if not isinstance(error, DumpError) or error.code != _CANNOT_READ_BINLOG:
            return None
        said = error.message.lower()
        kind = None
        if any(word.lower() in said for word in _GAP_WORDS):
            kind = TroubleKind.gap
        elif any(word in said for word in _DAMAGE_WORDS):
            kind = TroubleKind.corrupt
        if kind is None:
            return None
        evidence = {"file": self._reader.file, "offset": self._reader.offset, "server_says": error.message}
        return Trouble(kind, error.message, self.position, evidence)

    def close(self) -> None:
        self._dump.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
