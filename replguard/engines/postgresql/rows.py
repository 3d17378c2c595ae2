r"""Rows read exactly, in a consistent snapshot, streamed.

Every value is printed by its type's own output function under pinned session settings: the text that logical
replication and pg_dump themselves transmit. It is exact: floats print shortest-exact (``extra_float_digits``), ``-0``
and ``NaN`` as such, numerics keep their scale, padded characters their padding, json its very text, arrays
their bounds. Only xml is read as stored, since its output function drops an encoding declaration. Binary is unpacked
from hex.

``COPY ... TO STDOUT`` in its text format carries the rows, because a line without a backslash is split at C speed.

Not followed: sequences, and large objects: a column that names some cannot be compared, and says so.

Positions: a PostgreSQL snapshot is bounded by transaction ids, not by LSNs. ``lower`` and ``upper`` are the ends of the
WAL read before and after it was taken. Nothing committed above ``upper`` is visible; what was committed below ``lower``
is, unless its commit still waits for a synchronous standby.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from replguard.engines.postgresql import rowkeys
from replguard.engines.postgresql.catalog import BYTEA, INTEGERS
from replguard.engines.postgresql.checksums import Checksums
from replguard.engines.postgresql.position import flushed_now, wal_end
from replguard.engines.postgresql.quoting import quoted
from replguard.engines.postgresql.rowhash import TEXTS, XML, fragment
from replguard.engines.postgresql.visibility import Visible
from replguard.engines.postgresql.written import require_origins, written_by
from replguard.engines.sqlfiles import Quoted, joined
from replguard.errors import Unsupported
from replguard.model.chunks import WHOLE, KeyRange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from replguard.engines.base import Row, Sample, Value, Written
    from replguard.engines.controls import ChangedTable
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.engines.postgresql.shapes import Shape
    from replguard.errors import ServerError
    from replguard.model.changes import Change
    from replguard.model.positions import Position
    from replguard.model.tables import Table

Seen = TypeVar("Seen", bound="PostgresSnapshot")
BPCHAR, UUID = 1042, 2950
_BYTE_ORDERED = INTEGERS | {BYTEA, UUID}
"""Types whose own order is the order of the canonical form (integers: of the number)."""

_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class PostgresRows:
    """Fulfils ``Rows``."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def copies(
        self, samples: Sequence[Sample]
    ) -> AbstractContextManager[tuple[PostgresSnapshot, list[Table | ServerError]]]:
        from replguard.engines.postgresql.copies import copies  # noqa: PLC0415 - for the self-test alone

        return copies(self._server, samples)

    def specimen(self) -> Sample:
        from replguard.engines.postgresql.specimen import specimen  # noqa: PLC0415 - likewise

        return specimen()

    def snapshot(self, statement_timeout: float | None = None) -> AbstractContextManager[PostgresSnapshot]:
        """A REPEATABLE READ, READ ONLY transaction; leaving it closes its connection."""
        return self.looking(PostgresSnapshot, statement_timeout)

    def remember(self, tables: Sequence[Table]) -> Mapping[str, Any]:
        """Fulfils ``controls.Remembers``; see :mod:`~replguard.engines.postgresql.memory`."""
        from replguard.engines.postgresql import memory  # noqa: PLC0415 - for pauses alone

        return memory.remember(self, tables)

    def changed_since(self, known: Mapping[str, Any], tables: Sequence[Table]) -> Sequence[ChangedTable]:
        from replguard.engines.postgresql import memory  # noqa: PLC0415 - likewise

        return memory.changed_since(self, known, tables)

    @contextmanager
    def looking(self, kind: type[Seen], statement_timeout: float | None = None) -> Iterator[Seen]:
        """The same by a view of this kind."""
        session = self._server.open()
        try:
            lower = flushed_now(session)
            session.rows("snapshot_begin")
            seen = session.row("snapshot_take")["snapshot"]
            upper = wal_end(session)
            if statement_timeout is not None:
                session.rows("timeout", {"milliseconds": max(1, round(statement_timeout * 1000))})
            yield kind(self._server, session, (lower, upper), seen)
        finally:
            session.close()


class PostgresSnapshot(Checksums):
    """Fulfils ``Snapshot``. ``seen`` is the text of ``pg_current_snapshot()``."""

    def __init__(self, server: PostgresServer, session: Session, bounds: tuple[Position, Position], seen: str) -> None:
        super().__init__(server, session)
        self.lower, self.upper = bounds
        self.seen = seen
        self._visible = Visible.parse(seen)
        self.awaits = not all(map(self._visible.ended, server.awaited))

    def holds(self, change: Change) -> bool:
        """By its transaction, which stands before that of a part of it."""
        return change.transaction is not None and self._visible.shows(int(change.transaction.partition("/")[0]))

    def read(self, table: Table, columns: Sequence[str], within: KeyRange = WHOLE) -> Iterator[Row]:
        """Rows in the order of the key: integers by number, all others by the bytes of their canonical form.

        A read that fails or is left early leaves the snapshot as it was.
        """
        shape = self._shapes.of(table, columns)
        slots = self._reads(table, columns, shape)
        slots["where"] = self._ranges.where(table, shape, within)
        slots["order"] = self._order(table, shape)
        self._check_ordered(table, within)
        with self._reading(table):
            yield from self._lines(table, columns, shape, self._session.text("read", None, **slots))

    def read_keys(self, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> Iterator[Row]:
        """The rows that have one of these keys; see :class:`replguard.engines.base.Snapshot`."""
        if not table.key:
            raise Unsupported(f"{self._server.name}: table {table.name} has no key", cluster=self._server.name)
        for row in self._among("read_keys", table, (*table.key, *columns), keys):
            yield row[len(table.key) :]

    def written(self, table: Table, keys: Sequence[Row]) -> dict[Row, Written]:
        """Fulfils ``TellsWriters``, by the commit timestamps of the transactions that wrote the rows."""
        require_origins(self._server)
        width = len(table.key)
        rows = self._among("written", table, table.key, keys)
        return {row[:width]: written_by(self._server, row[width:]) for row in rows}

    def _among(self, name: str, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> Iterator[Row]:
        """What a statement finds of the rows that have one of these keys, which comes first."""
        shape = self._shapes.of(table, columns)
        slots = self._reads(table, columns, shape)
        bases = {name: shape.columns[name].base for name in table.key}
        with self._reading(table):
            for batch in rowkeys.batches(dict.fromkeys(keys)):
                found = rowkeys.condition(self._session, bases, batch)
                slots |= {"key": found.key, "arrays": found.arrays}
                wanted = set(batch)
                for row in self._lines(table, columns, shape, self._session.text(name, None, **slots)):
                    if row[: len(table.key)] in wanted:
                        yield row

    def _lines(self, table: Table, columns: Sequence[str], shape: Shape, text: Quoted) -> Iterator[Row]:
        binary = [place for place, column in enumerate(columns) if shape.columns[column].base == BYTEA]
        with closing(self._session.copy(text, self._doing([table]), self._grants([table]))) as lines:
            for line in lines:
                yield row_of(line, binary) if columns else ()

    def _reads(self, table: Table, columns: Sequence[str], shape: Shape) -> dict[str, Quoted]:
        self._no_large_objects(table, columns)
        xml = {column for column in columns if shape.columns[column].base == XML}
        read = [fragment("column_xml" if column in xml else "column", column=quoted(column)) for column in columns]
        return {"columns": joined(read), "table": self._source(table)}

    def _order(self, table: Table, shape: Shape) -> Quoted:
        if not table.key:
            return Quoted("")
        utf8 = self._server.facts["encoding"] == "UTF8"
        columns = [_order(column, shape.columns[column].base, utf8=utf8) for column in table.key]
        return fragment("read_order", columns=joined(columns))


def _order(column: str, base: int, *, utf8: bool) -> Quoted:
    if base in _BYTE_ORDERED:
        name = "column"
    elif base in TEXTS:
        name = "order_text" if utf8 else "order_textsend"
    else:
        name = "order_bpchar" if base == BPCHAR else "order_output"
    return fragment(name, column=quoted(column))


def row_of(line: bytes, binary: Sequence[int]) -> Row:
    r"""One line of COPY's text format as canonical values; ``binary`` are the places of bytea columns.

    >>> row_of(b"7\t\\N\ta\\tb\t\\\\x00ff\n", [3])
    (b'7', None, b'a\tb', b'\x00\xff')
    """
    fields = line[:-1].split(b"\t")
    if b"\\" not in line:
        return tuple(fields)
    values: list[Value] = [None if field == rb"\N" else field for field in fields]
    for place in binary:
        value = values[place]
        values[place] = None if value is None else unhexlify(value[3:])
    skip = set(binary)
    for place, value in enumerate(values):
        if value is not None and place not in skip and b"\\" in value:
            values[place] = _ESCAPED.sub(_unescaped, value)
    return tuple(values)


def _unescaped(match: re.Match[bytes]) -> bytes:
    return _ESCAPES.get(match[1], match[1])
