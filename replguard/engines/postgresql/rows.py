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
from typing import TYPE_CHECKING, NamedTuple

from replguard.engines.postgresql import rowkeys
from replguard.engines.postgresql.catalog import BYTEA, INTEGERS
from replguard.engines.postgresql.position import wal_end
from replguard.engines.postgresql.quoting import quoted, quoted_table
from replguard.engines.postgresql.visibility import Visible
from replguard.engines.postgresql.written import require_origins, written_by
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import ConnectionLost, StatementError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import Row, Value, Written
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.model.changes import Change
    from replguard.model.positions import Position
    from replguard.model.tables import Table

XML, BPCHAR, TEXTS, UUID, OID = 142, 1042, frozenset({25, 1043}), 2950, 26
_BYTE_ORDERED = INTEGERS | {BYTEA, UUID}
"""Types whose own order is the order of the canonical form (integers: of the number)."""

_KNOWN_KINDS = frozenset("bcerm")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


class PostgresRows:
    """Fulfils ``Rows``."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """A REPEATABLE READ, READ ONLY transaction; leaving it closes its connection."""
        session = self._server.open()
        try:
            lower = wal_end(session)
            session.rows("snapshot_begin")
            seen = session.row("snapshot_take")["snapshot"]
            upper = wal_end(session)
            yield PostgresSnapshot(self._server, session, (lower, upper), seen)
        finally:
            session.close()


class PostgresSnapshot:
    """Fulfils ``Snapshot``. ``seen`` is the text of ``pg_current_snapshot()``."""

    def __init__(self, server: PostgresServer, session: Session, bounds: tuple[Position, Position], seen: str) -> None:
        self.lower, self.upper = bounds
        self.seen = seen
        self._visible = Visible.parse(seen)
        self.awaits = not all(map(self._visible.ended, server.awaited))
        self._server = server
        self._session = session

    def holds(self, change: Change) -> bool:
        """By its transaction, which stands before that of a part of it."""
        return change.transaction is not None and self._visible.shows(int(change.transaction.partition("/")[0]))

    def read(self, table: Table, columns: Sequence[str]) -> Iterator[Row]:
        """All rows in the order of the key: integers by number, all others by the bytes of their canonical form.

        A read that fails or is left early leaves the snapshot as it was.
        """
        with self._savepoint():
            types = self._types(table)
            text = self._session.text("read", None, **self._slots(table, columns, types))
            yield from self._lines(table, columns, types, text)

    def read_keys(self, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> Iterator[Row]:
        """The rows that have one of these keys; see :class:`replguard.engines.base.Snapshot`."""
        if not table.key:
            raise Unsupported(f"{self._server.name}: table {table.name} has no key", cluster=self._server.name)
        both, width = (*table.key, *columns), len(table.key)
        with self._savepoint():
            types = self._types(table)
            slots = self._slots(table, both, types)
            bases = {name: types[name].base for name in table.key}
            for batch in rowkeys.batches(dict.fromkeys(keys)):
                found = rowkeys.condition(self._session, bases, batch)
                slots |= {"key": found.key, "arrays": found.arrays}
                wanted = set(batch)
                for row in self._lines(table, both, types, self._session.text("read_keys", None, **slots)):
                    if row[:width] in wanted:
                        yield row[width:]

    def written(self, table: Table, keys: Sequence[Row]) -> dict[Row, Written]:
        """Fulfils ``TellsWriters``, by the commit timestamps of the transactions that wrote the rows."""
        require_origins(self._server)
        found: dict[Row, Written] = {}
        width = len(table.key)
        with self._savepoint():
            types = self._types(table)
            slots = self._slots(table, table.key, types)
            for batch in rowkeys.batches(dict.fromkeys(keys)):
                condition = rowkeys.condition(self._session, {name: types[name].base for name in table.key}, batch)
                slots |= {"key": condition.key, "arrays": condition.arrays}
                wanted = set(batch)
                for row in self._lines(table, table.key, types, self._session.text("written", None, **slots)):
                    if row[:width] in wanted:
                        found[row[:width]] = written_by(self._server, row[width:])
        return found

    @contextmanager
    def _savepoint(self) -> Iterator[None]:
        """Whatever fails or is left early within this leaves the snapshot as it was."""
        self._session.rows("snapshot_save")
        try:
            yield
        except ConnectionLost:
            raise
        except BaseException:
            self._session.rows("snapshot_undo")
            raise
        self._session.rows("snapshot_done")

    def _lines(self, table: Table, columns: Sequence[str], types: dict[str, ColumnType], text: Quoted) -> Iterator[Row]:
        for column in columns:
            if types[column].base == OID:
                self._no_large_objects(table, column)
        binary = [place for place, column in enumerate(columns) if types[column].base == BYTEA]
        role = self._server.facts["role"]
        usage = f"GRANT USAGE ON SCHEMA {quoted(table.name.schema)} TO {quoted(role)}"
        remedy = f"{usage}; GRANT SELECT ON TABLE {quoted_table(table.name)} TO {quoted(role)}"
        with closing(self._session.copy(text, f"reading table {table.name}", remedy)) as lines:
            for line in lines:
                yield row_of(line, binary) if columns else ()

    def _no_large_objects(self, table: Table, column: str) -> None:
        """Unsupported where the column names large objects: equal numbers would say nothing about their contents."""
        source, doing = quoted_table(table.name), f"reading table {table.name}"
        if self._session.rows("large_objects", doing=doing, table=source, column=quoted(column))[0]["found"]:
            raise Unsupported(
                f"{self._server.name}: column {column!r} of {table.name} names large objects, which are neither "
                "replicated nor compared",
                remedy="compare them by other means and name the column in ignore_columns, or keep them in bytea",
                cluster=self._server.name,
            )

    def interrupt(self) -> None:
        self._session.cancel()

    def _types(self, table: Table) -> dict[str, ColumnType]:
        """The columns' types as this very snapshot sees them."""
        named = {"schema": table.name.schema, "name": table.name.name}
        found = self._session.rows("relation", named, doing=f"looking up table {table.name}")
        if not found:
            raise StatementError(f"{self._server.name}: table {table.name} is not there", cluster=self._server.name)
        rows = self._session.rows("columns", {"relids": [found[0]["oid"]]}, doing=f"looking up table {table.name}")
        return {row["name"]: ColumnType(row["base"], row["base_kind"], row["type"]) for row in rows}

    def _slots(self, table: Table, columns: Sequence[str], types: dict[str, ColumnType]) -> dict[str, Quoted]:
        for column in (*columns, *table.key):
            if column not in types:
                raise StatementError(
                    f"{self._server.name}: table {table.name} has no column {column!r}",
                    remedy="the table was altered meanwhile: run the command again",
                    cluster=self._server.name,
                )
            if types[column].kind not in _KNOWN_KINDS:
                raise Unsupported(
                    f"{self._server.name}: column {column!r} of {table.name} has type {types[column].name}, which "
                    "cannot be read exactly",
                    remedy="name the column in ignore_columns, with a reason",
                    cluster=self._server.name,
                )
        utf8 = self._server.facts["encoding"] == "UTF8"
        source = quoted_table(table.name)
        fill = _fragment
        return {
            "columns": joined(
                [fill("column_xml" if types[c].base == XML else "column", column=quoted(c)) for c in columns]
            ),
            "table": source if table.partitioned else fill("read_only_table", table=source),
            "order": fill("read_order", columns=joined([_order(c, types[c].base, utf8=utf8) for c in table.key]))
            if table.key
            else Quoted(""),
        }


class ColumnType(NamedTuple):
    """A type below domains: its oid, ``pg_type.typtype``, and its name as the server spells it."""

    base: int
    kind: str
    name: str


def _fragment(name: str, **slots: Quoted) -> Quoted:
    return statement("postgresql", name, **slots)


def _order(column: str, base: int, *, utf8: bool) -> Quoted:
    if base in _BYTE_ORDERED:
        name = "column"
    elif base in TEXTS:
        name = "order_text" if utf8 else "order_textsend"
    else:
        name = "order_bpchar" if base == BPCHAR else "order_output"
    return _fragment(name, column=quoted(column))


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
