"""What an engine must fulfil: small protocols, and nothing of any engine.

An engine is a folder with an :class:`Engine` that connects to servers. A connected :class:`Server` has one part for
each thing that is asked of it: its catalog, its rows, its links and filters, its streams. Rooms above this one know
these protocols and the registry alone. All methods raise :class:`replguard.errors.ServerError` and its children, never
a driver's error.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from replguard.model.changes import Interest
from replguard.model.chunks import WHOLE, KeyRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from typing import Self

    from replguard.endpoint import Endpoint
    from replguard.errors import ServerError
    from replguard.model.changes import Change, StreamItem
    from replguard.model.chunks import Function, Portion, Sum
    from replguard.model.links import Crossing, Fragility, Identity, Link
    from replguard.model.positions import Position
    from replguard.model.repairs import Frame, Step
    from replguard.model.schema import Counters, Inventory
    from replguard.model.tables import ForeignKey, ScheduledEvent, Table, TableName

    Value = bytes | None
    """A column's value in the engine's canonical form: equal bytes if and only if equal type and value. Integers are
    decimal digits, text is UTF-8, binary is raw; None is NULL."""
    Row = tuple[Value, ...]
    Since = Literal["now", "start"] | Position
    OnStatement = Callable[[str, str], None]
    """Called with the cluster's name and the final text of every statement before it is sent."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What differs by engine and version, named once.

    ``shows_applied``: the server's own stream tells replicated changes and their origin. ``pause_survives_restart``:
    a stopped link stays stopped when the server restarts. ``applier_cascades``: foreign keys act where replicated
    changes are applied, ``applier_triggers``: so do triggers, for row changes. ``folds_names``: names of tables and
    columns that differ in case alone may mean the same. ``columns_by_place``: the values of a replicated row are told
    by the places of its columns, not by their names. ``counters_follow``: rows that are applied advance the counters of
    their columns. ``sends_own_stream``: what a link of this server carries is the
    server's own stream, the whole of it.
    """

    shows_applied: bool
    why_not_shown: str = ""
    pause_survives_restart: bool = False
    applier_cascades: bool = False
    applier_triggers: bool = False
    folds_names: bool = True
    columns_by_place: bool = False
    counters_follow: bool = False
    sends_own_stream: bool = False


class Engine(Protocol):
    """One database engine: the entry of the registry."""

    name: str

    def connect(self, endpoint: Endpoint, on_statement: OnStatement) -> Server:
        """Connect, find out who the server is, and return it.

        Raises ConnectError (AuthError, NoSuchDatabase), and :class:`OtherFlavour` where the server turns out to be
        of another engine of the family.
        """
        ...

    @property
    def files(self) -> LogFiles | None:
        """Reading log files without a server; None where the engine has none that can be read."""
        ...


class OtherFlavour(Exception):  # noqa: N818 - a redirection, never shown to a user
    """The server speaks the protocol but is of another engine, which the registry then asks."""

    def __init__(self, engine: str) -> None:
        super().__init__(engine)
        self.engine = engine


class Server(Protocol):
    """One connected database endpoint of one cluster. ``close`` may be called twice."""

    @property
    def name(self) -> str: ...
    @property
    def endpoint(self) -> Endpoint: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def capabilities(self) -> Capabilities: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def rows(self) -> Rows: ...
    @property
    def replication(self) -> Replication: ...
    @property
    def filters(self) -> Filters: ...
    @property
    def streams(self) -> Streams: ...
    @property
    def repairs(self) -> Repairs: ...

    def running(self) -> int | None:
        """How many client statements run on the server now, this one not counted; None where that may not be seen."""
        ...

    def tls(self) -> str | None:
        """The version of TLS by which the server is spoken to; None for a connection without."""
        ...

    def close(self) -> None: ...

    def probe(self, token: int) -> AbstractContextManager[None]:
        """Hold a server-wide advisory lock named by ``token`` on a connection of its own."""
        ...

    def sees_probe(self, token: int) -> bool:
        """Whether somebody holds that lock on this very server: the proof of "the same server"."""
        ...


class Catalog(Protocol):
    """Tables in the cluster's scope (see DESIGN: the database of the URL, narrowed or widened by ``schemas``)."""

    def tables(self) -> tuple[Table, ...]:
        """All base tables, partitions included, sorted by name. PrivilegeError where the user cannot see them."""
        ...

    def schemas(self) -> tuple[str, ...]:
        """The schemas (databases) of the scope that exist."""
        ...

    def events(self) -> tuple[ScheduledEvent, ...]:
        """What the server runs by itself now, by its own schedule. PrivilegeError where it may not be seen."""
        ...

    def objects(self) -> Inventory:
        """What stands around the tables of the scope: indexes, constraints, triggers, partitions, views, routines, ...

        All tables at once. What this user may not see is told in ``unseen``.
        """
        ...

    def counters(self, tables: Iterable[Table], *, standing: bool, extremes: bool) -> Counters:
        """Where the next numbers of these tables' columns come from: where that stands, and what the columns hold.

        Reads no table further than its indexes, and columns before counters, so that a row that is written meanwhile
        is never taken for one that its counter does not know of.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """Some rows of a table, or such as could stand in it; the columns are those of ``rows``, in canonical form."""

    table: Table
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def described(self, name: TableName) -> Table:
        """A copy of the table that is called so and holds these rows alone."""
        columns = tuple(replace(self.table.column(column), generated=None) for column in self.columns)
        return replace(
            self.table,
            name=name,
            columns=columns,
            ancestors=(),
            partitioned=False,
            foreign_keys=(),
            triggers=(),
            estimate=len(self.rows),
            size=0,
        )


class Rows(Protocol):
    """Reading rows exactly."""

    def copies(
        self, samples: Sequence[Sample]
    ) -> AbstractContextManager[tuple[Snapshot, Sequence[Table | ServerError]]]:
        """Temporary tables with these rows, on a connection of its own, and a view on them.

        Nobody else sees them, no log and no stream tells of them, and they are gone with the connection. For each
        sample the table as it is to be asked for, or why there is none. ServerError where none can be.
        """
        ...

    def specimen(self) -> Sample:
        """Rows with values of all kinds, of a table that is nowhere but in :meth:`copies`."""
        ...

    def snapshot(self, statement_timeout: float | None = None) -> AbstractContextManager[Snapshot]:
        """A consistent, read-only view on a connection of its own, locking nothing.

        A statement of it that runs longer than ``statement_timeout`` seconds ends with DeadlineError, and the view can
        be used on.
        """
        ...


class Snapshot(Protocol):
    """A consistent view. ``lower`` and ``upper`` bound its position in the server's own stream."""

    @property
    def lower(self) -> Position: ...
    @property
    def upper(self) -> Position: ...

    @property
    def awaits(self) -> bool:
        """Whether commits may stand that a target may have already and this view does not show, since they still wait
        for a standby, and that a stream which was opened before this view does not tell.
        """
        ...

    def holds(self, change: Change) -> bool:
        """Whether the view shows, for certain, this change of the server's own stream."""
        ...

    def functions(self, table: Table, columns: Sequence[str]) -> tuple[Function, ...]:
        """What this server can hash rows of these columns with, so that different rows differ; the cheapest first.

        Empty where only the rows themselves will do. Raises Unsupported where a column cannot be read exactly.
        """
        ...

    def golden(self, function: Function) -> bytes:
        """What the function makes of fixed rows with values of all types: to be held against another server's."""
        ...

    def sums(self, portions: Sequence[Portion]) -> list[Sum]:
        """The sums of these portions, in one statement. The errors are those of :meth:`read`."""
        ...

    def words(self, portion: Portion) -> list[bytes]:
        """One word a row: its key (see :meth:`key_of_word`) and the hash that enters the sum, in any order.

        Two rows have the same word exactly if key and hash are the same. Rows without a key, and those of a range with
        ``nulls``, have their hash alone as word. For portions of some ten thousand rows.
        """
        ...

    def key_of_word(self, table: Table, word: bytes) -> Row:
        """The key in canonical form."""
        ...

    def has_ranges(self, table: Table) -> bool:
        """Whether rows can be told apart by ranges of the key; else the table can be taken only as a whole."""
        ...

    def boundary(self, table: Table, lower: Row | None, rows: int) -> Row | None:
        """The key of the row that stands ``rows`` rows after the first one at or above ``lower``, None where there are
        not so many. Only where :meth:`has_ranges`.
        """
        ...

    def highest(self, table: Table) -> Row | None:
        """The highest key, as the server orders keys, None where there is no row. Only where :meth:`has_ranges`."""
        ...

    def read(self, table: Table, columns: Sequence[str], within: KeyRange = WHOLE) -> Iterator[Row]:
        """The rows of the table (of a partitioned table: of all its partitions) in canonical form.

        In the order of the key where there is one. Streams: memory does not grow with the table. Raises Unsupported
        where a column's type cannot be read exactly, PrivilegeError where it may not be read.
        """
        ...

    def read_keys(self, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> Iterator[Row]:
        """The rows whose key (``table.key``, as :meth:`read` yields it) is among ``keys``, compared exactly.

        In any order, each row once; keys that no row has are left out. What is asked of the server is bounded in size.
        Raises Unsupported where rows cannot be looked up by such a key, ValueError for a key that is none.
        """
        ...

    def interrupt(self) -> None:
        """End a running read from another thread."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """Who wrote a row as it stands: ``origin`` is the identity that wrote it first, None where it is not remembered."""

    transaction: str
    committed_at: datetime | None = None
    origin: str | None = None


@runtime_checkable
class TellsWriters(Protocol):
    """Snapshots of servers that remember of rows which transaction wrote them."""

    def written(self, table: Table, keys: Sequence[Row]) -> Mapping[Row, Written]:
        """Who wrote the rows that stand under these keys, each key compared exactly. Unsupported where the server does
        not keep it. The other errors are those of :meth:`Snapshot.read_keys`.
        """
        ...


class Repairs(Protocol):
    """Statements that put rows of this server right: written for people to read and to run, never run here.

    The texts are for the server's own client, which ends with its first error and leaves nothing half done. Only
    :meth:`uniques`, :meth:`count` and :meth:`frame` ask the server.
    """

    def uniques(self, tables: Sequence[TableName]) -> Mapping[TableName, Sequence[tuple[str, ...]]]:
        """The columns of all unique keys of these tables; parts that are no column are left out."""
        ...

    def count(self, table: Table, columns: Sequence[str], row: Row) -> int:
        """How often this very row stands in a table without a key."""
        ...

    def write(self, steps: Sequence[Step], keys: Sequence[ForeignKey] = ()) -> str:
        """One step; or several that can only be done together, since their rows refer to one another in a circle.

        Each is guarded by the values from before: where they no longer hold, the statement fails. ``keys`` are the
        foreign keys that lead to the tables. Unsupported where a value cannot be written exactly, or a row cannot be
        taken out and put in again without harm to others.
        """
        ...

    def frame(self, steps: Sequence[Step], links: Sequence[Link], carrying: Sequence[Link], *, circles: bool) -> Frame:
        """What stands around these steps: it commits if all of them were done, else nothing is changed.

        ``links`` are all those between the clusters, ``carrying`` those that would carry the changes to the other
        cluster. ``circles`` says that some rows refer to one another in a circle.
        """
        ...


class Replication(Protocol):
    """Links as their target knows them, and the switches that stop and start them."""

    def links(self, peers: Mapping[str, Server]) -> tuple[Link, ...]:
        """All links into this server, each matched by identity with a peer or left unmatched, and why."""
        ...

    def position(self) -> Position:
        """The end of this server's own stream now: what a target must have applied to have everything."""
        ...

    def wait_applied(self, link: Link, source: Server, position: Position, timeout: float) -> bool:
        """Whether the target has applied ``position`` of the source within ``timeout`` seconds; waits in slices of
        at most a second and stops waiting early (with ControlError) when the link can make no progress.
        """
        ...

    def stop_receiver(self, link: Link, timeout: float = 60.0) -> None:
        """Stop fetching, and return when the server says that it has stopped. ControlError after ``timeout`` seconds,
        as far as the server lets go: it ends a transaction first.
        """
        ...

    def drain(self, link: Link, timeout: float) -> bool:
        """Whether everything fetched was applied within ``timeout`` seconds."""
        ...

    def stop_applier(self, link: Link, timeout: float = 60.0) -> None:
        """Stop applying, and return when the server says that it has stopped; else as :meth:`stop_receiver`."""
        ...

    def start(self, link: Link) -> None:
        """Start the link again. It may die at once: look at :meth:`problems` afterwards."""
        ...

    def problems(
        self, link: Link, wanted: Literal["running", "paused", "stopped"], source: Server | None
    ) -> tuple[str, ...]:
        """What stands against calling the link so, read from the server now; empty if nothing.

        ``stopped`` is less than ``paused``: what was fetched need not be applied, and errors may stand.
        """
        ...

    def statements(self, link: Link, action: Literal["pause", "resume"]) -> tuple[str, ...]:
        """The statements that pausing or resuming will run on this server, for showing them first."""
        ...


class LinkFilters(Protocol):
    """What the filters of one link let through, as set now."""

    def crosses(self, table: Table) -> Crossing:
        """Whether row changes to this table would be applied at the target."""
        ...

    def applies(self, change: Change) -> Crossing:
        """Whether the target would apply this very change of the link's stream."""
        ...

    def lands(self, name: TableName) -> TableName:
        """The table of the target that a change of this table of the source is applied to."""
        ...

    def fragile(self, tables: Sequence[Table]) -> tuple[Fragility, ...]:
        """What holds today and may not tomorrow: lost on restart, wildcards, rules that match nothing, ..."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """The filters as the server has them, as plain data for a report."""
        ...


class Filters(Protocol):
    def of(self, link: Link, source: Server | None) -> LinkFilters:
        """The filters of a link into this server (called on the target)."""
        ...


def _named(_table: TableName) -> Interest:
    return Interest.named


def _no_shape(_table: TableName) -> Table | None:
    return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader is asked to hand out of row changes.

    ``interest`` is asked once a table (and again after DDL, and where a table's number in the stream changes), so that
    what nobody asks for costs next to nothing. ``shape`` is the table as the catalog has it, for the names of columns
    and key where the stream has none; None where it is not known.
    """

    interest: Callable[[TableName], Interest] = _named
    shape: Callable[[TableName], Table | None] = _no_shape


NAMES = Wanted()
"""Every row change, by its table's name."""


@dataclass(slots=True)
class Tally:
    """What a stream has read so far, whether or not it was handed out. ``changes`` counts by table: row events where
    rows are not looked at one by one, else rows. ``began`` is when the log was begun that was read first, None where
    the stream does not tell. ``heard`` is when the server was last heard (``time.monotonic``).
    """

    events: int = 0
    bytes: int = 0
    transactions: int = 0
    changes: dict[TableName, int] = field(default_factory=dict)
    last_commit: datetime | None = None
    began: datetime | None = None
    heard: float = field(default_factory=time.monotonic)


LOG_HEAD = 128
"""Bytes at the head of a log file that tell which engine wrote it."""


@runtime_checkable
class ChangeStream(Protocol):
    """Changes in commit order, read by polling. A context manager; leaving it leaves nothing on the server."""

    @property
    def kind(self) -> str:
        """How it is read: ``binlog``, ``pgoutput``, ``test_decoding``."""
        ...

    @property
    def cannot_see(self) -> tuple[str, ...]:
        """What this way of reading cannot show, in words."""
        ...

    @property
    def start(self) -> Position: ...
    @property
    def position(self) -> Position:
        """Everything up to here was read and handed out."""
        ...

    @property
    def caught_up(self) -> bool:
        """Whether everything was read that was there when the stream was opened."""
        ...

    @property
    def tally(self) -> Tally: ...

    def passed(self, position: Position) -> bool:
        """Whether everything up to ``position`` was read. ValueError for what is no position of this stream."""
        ...

    def poll(self, timeout: float) -> Sequence[StreamItem]:
        """What came next; empty after ``timeout`` seconds without any. StreamError when it cannot be read on."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...


class Lookback(Protocol):
    """What is needed to read a link's changes from before two snapshots on; made before these are taken."""

    def stream(self, source_views: Sequence[Snapshot], target_views: Sequence[Snapshot]) -> ChangeStream:
        """The link's changes without end. It begins with, or before, the first that one of the views may lack.

        The views of the source and of the target must have been taken since. Called once; the stream ends with the
        context of the lookback at the latest. Changes are those of :meth:`Streams.sent`. StreamError where they are not
        to be had any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class AppliedRows:
    """Rows that stand in a table and were written there by replication.

    ``certain`` says that it was over the link asked for, not perhaps over another.
    """

    table: TableName
    count: int
    origin: str
    first_at: str | None = None
    last_at: str | None = None
    certain: bool = True


class Streams(Protocol):
    def parse(self, text: str) -> Position:
        """A position of this server's stream, as a user writes it. ValueError for what is none."""
        ...

    def sent(self, link: Link, target: Server, since: Since, wanted: Wanted = NAMES) -> ChangeStream:
        """What the link carries (called on its source). Changes that the target's filters would drop are included
        where they travel (MySQL, MariaDB), and absent where they do not (PostgreSQL).
        """
        ...

    def pending(self, link: Link, target: Server, wanted: Wanted = NAMES) -> ChangeStream:
        """What the target has not applied yet, up to the present end (called on the source)."""
        ...

    def look_back(
        self, link: Link, target: Server, wanted: Wanted = NAMES, since: Position | None = None
    ) -> AbstractContextManager[Lookback]:
        """Get ready to read what lies between two snapshots (called on the source, before they are taken).

        With ``since`` the stream begins there, where an earlier one began; what is not to be had any more is a gap.
        """
        ...

    def end(self) -> Position:
        """The present end of the server's own stream as it is written, visible or not, for ``ChangeStream.passed``."""
        ...

    def own(self, since: Since, wanted: Wanted = NAMES) -> ChangeStream:
        """The server's own stream, replicated changes with their origin included. Unsupported where
        ``capabilities.shows_applied`` is false.
        """
        ...

    def applied_rows(self, link: Link, source: Server, tables: Sequence[Table]) -> tuple[AppliedRows, ...]:
        """Rows of these tables that came over the link (called on the target). Unsupported where rows do not tell."""
        ...


@dataclass(frozen=True, slots=True)
class LogFile:
    """One log file that is read as evidence.

    ``server`` is the identity of the server that keeps it, as far as the file tells; ``received`` says that it holds
    what this server received from another (a relay log), ``unfinished`` that it was being written to.
    """

    path: Path
    size: int
    server: str | None
    server_version: str | None
    received: bool = False
    unfinished: bool = False


@runtime_checkable
class LogStream(ChangeStream, Protocol):
    """The changes of log files. A place in it is a file and an offset of these files."""

    @property
    def files(self) -> tuple[LogFile, ...]:
        """The files in the order in which they are read."""
        ...


@runtime_checkable
class MayPublish(Protocol):
    """Streams that show more where they may make a publication of their own, for as long as they are read.

    Set ``may_publish`` before ``own("now")``, which then works where nothing else shows what was applied. It sees
    inserts and truncates alone.
    """

    may_publish: bool


@runtime_checkable
class LogsOwnWrites(Protocol):
    """Streams that show what was written on the server itself, even where they do not show what was applied there."""

    def written_here(self, since: Since, wanted: Wanted = NAMES) -> ChangeStream:
        """The server's log as it is, whether or not it holds replicated changes. Unsupported where there is none."""
        ...


class LogFiles(Protocol):
    """Log files of an engine, read as evidence without a server."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes (:data:`LOG_HEAD` where it is long enough) is one of them."""
        ...

    def open(
        self, paths: Sequence[Path], wanted: Wanted = NAMES, since: str | None = None, until: str | None = None
    ) -> LogStream:
        """The changes of these files, which follow one another; ``caught_up`` at the end of the last.

        ``since`` and ``until`` are positions as a user writes them; changes outside of them are left out, and
        ``cannot_see`` says so. Raises UsageError for files that cannot be opened or are no one stream, and for what is
        no position: what is wrong with them is known without any server.
        """
        ...

    def filters(self, described: Mapping[str, Any]) -> LinkFilters:
        """Filters from what :meth:`LinkFilters.describe` gives, as a user may write it in a file. ValueError names
        a key or value that is none.
        """
        ...
