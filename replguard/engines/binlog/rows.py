"""Reading rows of MySQL and MariaDB so that equal bytes mean equal type and value.

Columns are selected as they are, on a connection whose character set is utf8mb4: the server sends text as UTF-8, binary
values and geometries (with their SRID) raw, and everything else as its text under the pinned settings. Some columns
need more than that: FLOAT, whose text drops digits; BIT, ENUM and SET; ZEROFILL; text in ASCII, in which MariaDB keeps
other bytes too; and text in a character set that has more byte sequences than UTF-8 has characters.

Only InnoDB is consistent within a snapshot. Tables of other engines are read as they are at that moment.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog import checksums, ranges, rowkeys
from replguard.engines.binlog.catalog import BINARIES, INTEGERS, base_type, qualified
from replguard.engines.binlog.charsets import ONE_TO_ONE
from replguard.engines.binlog.connection import integer, quoted
from replguard.engines.binlog.holding import Below
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import DeadlineError, ServerError, Unsupported
from replguard.model.chunks import WHOLE, KeyRange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from replguard.engines.base import Row, Sample, Value
    from replguard.engines.binlog.connection import Session
    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.changes import Change
    from replguard.model.chunks import Function, Portion, Sum
    from replguard.model.positions import Position
    from replguard.model.tables import Column, Table

TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
PLAIN = BINARIES | {"decimal", "date", "datetime", "timestamp", "time", "json", "uuid", "inet4", "inet6"}


@dataclass(frozen=True, slots=True)
class Reader:
    """How one column is read: the expressions to select, and what makes one value of theirs."""

    expressions: tuple[Quoted, ...]
    decode: Callable[[Sequence[Value]], Value]


def reader(column: Column) -> Reader:
    """How to read a column exactly. Unsupported for a type that nobody has made sure of."""
    name, plain = base_type(column.type), quoted(column.name)
    if name == "bit":
        return Reader((plain,), _bit)
    if name in INTEGERS:
        return Reader((plain,), _unpadded if "zerofill" in column.type or name == "year" else _as_sent)
    if name in {"float", "double"}:
        return Reader((_expression("exact_float", plain),), _as_sent)
    if name in {"enum", "set"}:
        return _labels(column, plain)
    if name in TEXTS:
        charset = (column.collation or "binary").partition("_")[0]
        if charset == "ascii":
            return Reader((_expression("exact_ascii", plain),), _as_sent)
        if charset in ONE_TO_ONE:
            return Reader((plain,), _as_sent)
        return Reader((plain, _expression("exact_bytes", plain)), _transcoded)
    if name in PLAIN:
        return Reader((plain,), _as_sent)
    raise Unsupported(
        f"column {column.name} has type {column.type}, which cannot be read exactly",
        remedy="Name the column under ignore_columns, or the table as local.",
    )


def _expression(name: str, column: Quoted) -> Quoted:
    return statement("binlog", name, column=column)


def _as_sent(values: Sequence[Value]) -> Value:
    return values[0]


def _unpadded(values: Sequence[Value]) -> Value:
    """Digits without leading zeros.

    >>> _unpadded([b"00070"]), _unpadded([b"0000"])
    (b'70', b'0')
    """
    return None if values[0] is None else values[0].lstrip(b"0") or b"0"


def _bit(values: Sequence[Value]) -> Value:
    r"""A BIT, which is sent as bytes, as a number.

    >>> _bit([b"\x01\x00"])
    b'256'
    """
    return None if values[0] is None else b"%d" % int.from_bytes(values[0], "big")


def _labels(column: Column, plain: Quoted) -> Reader:
    """An ENUM or SET by its labels.

    With an empty label the text tells neither '' from the error value, nor ('', 'a') from ('a'): then the number counts
    too. ``''`` in the type is that label, or at worst a quote inside another one.
    """
    if "''" not in column.type:
        return Reader((plain,), _as_sent)
    return Reader((plain, _expression("exact_index", plain)), _numbered)


def _numbered(values: Sequence[Value]) -> Value:
    r"""A label with its number.

    >>> _numbered([b"red", b"2"]), _numbered([b"", b"0"])
    (b'red\x002', b'\x000')
    """
    text, number = values
    return None if text is None or number is None else text + b"\x00" + number


def _transcoded(values: Sequence[Value]) -> Value:
    r"""Text of another character set. What has no UTF-8 is sent as '?': then the bytes as stored are put behind it.

    >>> _transcoded([b"a", b"a"]), _transcoded([b"?", b"\x81"])
    (b'a', b'?\x0081')
    """
    text, stored = values
    if text is None or stored is None or b"?" not in text:
        return text
    return text + b"\x00" + stored.hex().encode()


class BinlogSnapshot:
    """A consistent view on a connection of its own; see :class:`replguard.engines.base.Snapshot`."""

    def __init__(self, session: Session, lower: Position, upper: Position, *, awaits: bool = False) -> None:
        self._session = session
        self._lower = lower
        self._upper = upper
        self._below = Below(session.flavour, lower)
        self.awaits = awaits

    @property
    def lower(self) -> Position:
        return self._lower

    @property
    def upper(self) -> Position:
        return self._upper

    def holds(self, change: Change) -> bool:
        return self._below.holds(change)

    def functions(self, table: Table, columns: Sequence[str]) -> tuple[Function, ...]:
        """See :mod:`replguard.engines.binlog.checksums`; Unsupported for a column that cannot be read exactly."""
        for name in columns:
            reader(table.column(name))
        return checksums.functions(self._session, table, columns)

    def golden(self, function: Function) -> bytes:
        return checksums.golden(self._session, function)

    def sums(self, portions: Sequence[Portion]) -> list[Sum]:
        """The sums of these portions, in one statement."""
        try:
            return checksums.sums(self._session, portions)
        finally:
            self._release()

    def words(self, portion: Portion) -> list[bytes]:
        """One word a row. Unsupported where some row is too large for the function."""
        try:
            return checksums.words(self._session, portion)
        finally:
            self._release()

    def key_of_word(self, table: Table, word: bytes) -> Row:
        return checksums.key_of_word(table, word)

    def has_ranges(self, table: Table) -> bool:
        return ranges.has_ranges(table)

    def boundary(self, table: Table, lower: Row | None, rows: int) -> Row | None:
        """The key that stands ``rows`` rows behind the first at or above ``lower``, by the server's order."""
        readers = [reader(table.column(name)) for name in table.key]
        slots = self._slots(table, readers, KeyRange(lower))
        text = statement("binlog", "boundary", **slots, order=_order(table), rows=integer(rows))
        return next(iter(list(self._rows(table, readers, text))), None)

    def highest(self, table: Table) -> Row | None:
        """The last key by the server's order."""
        readers = [reader(table.column(name)) for name in table.key]
        order = joined([statement("binlog", "descending", column=quoted(name)) for name in table.key])
        text = statement("binlog", "highest", **self._slots(table, readers, WHOLE), order=order)
        return next(iter(list(self._rows(table, readers, text))), None)

    def read(self, table: Table, columns: Sequence[str], within: KeyRange = WHOLE) -> Iterator[Row]:
        """The rows as tuples of canonical values, ordered by the key as the server's collations order it."""
        readers = [reader(table.column(name)) for name in columns]
        slots = self._slots(table, readers, within)
        text = (
            statement("binlog", "read_rows_in_order", **slots, order=_order(table))
            if table.key
            else statement("binlog", "read_rows", **slots)
        )
        yield from self._rows(table, readers, text)

    def read_keys(self, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> Iterator[Row]:
        """The rows that have one of these keys; see :class:`replguard.engines.base.Snapshot`."""
        if not table.key:
            raise Unsupported(f"table {table.name} has no key to look rows up by")
        readers = [reader(table.column(name)) for name in (*table.key, *columns)]
        selected = joined([expression for each in readers for expression in each.expressions])
        width = len(table.key)
        for batch in rowkeys.batches(dict.fromkeys(keys)):
            wanted = set(batch)
            slots = {"columns": selected, "table": qualified(table.name), "keys": rowkeys.condition(table, batch)}
            for row in self._rows(table, readers, statement("binlog", "read_keys", **slots)):
                if row[:width] in wanted:
                    yield row[width:]

    def _rows(self, table: Table, readers: Sequence[Reader], text: Quoted) -> Iterator[Row]:
        slices = _slices(readers)
        try:
            with self._session.stream(text, f"reading {table.name}") as rows:
                for row in rows:
                    yield tuple(decode(row[part]) for part, decode in slices)
        finally:
            self._release()

    def interrupt(self) -> None:
        """End a running read, from another thread; the read then raises DeadlineError."""
        self._session.kill_query()

    def _release(self) -> None:
        """Let go of the table's metadata lock: an ALTER TABLE, and all who queue behind it, must not wait for us.

        A late KILL QUERY may hit this statement instead of the read: then it is sent again. Without a connection there
        is nothing to let go of.
        """
        with suppress(ServerError):
            try:
                self._session.run("release")
            except DeadlineError:
                self._session.run("release")

    @staticmethod
    def _slots(table: Table, readers: Sequence[Reader], within: KeyRange) -> dict[str, Quoted]:
        columns = joined([expression for reader in readers for expression in reader.expressions])
        return {"columns": columns, "table": qualified(table.name), "within": ranges.where(table, within)}


def _order(table: Table) -> Quoted:
    return joined([quoted(name) for name in table.key])


def _slices(readers: Sequence[Reader]) -> list[tuple[slice, Callable[[Sequence[Value]], Value]]]:
    slices, start = [], 0
    for each in readers:
        end = start + len(each.expressions)
        slices.append((slice(start, end), each.decode))
        start = end
    return slices


class BinlogRows:
    """Reading rows exactly; where a snapshot is in the stream is the flavour's knowledge."""

    def __init__(self, server: BinlogServer) -> None:
        self._server = server

    def copies(
        self, samples: Sequence[Sample]
    ) -> AbstractContextManager[tuple[BinlogSnapshot, list[Table | ServerError]]]:
        from replguard.engines.binlog.copies import copies  # noqa: PLC0415 - for the self-test alone

        return copies(self._server, samples)

    def specimen(self) -> Sample:
        from replguard.engines.binlog.specimen import specimen  # noqa: PLC0415 - likewise

        return specimen(self._server.scope[0])

    @contextmanager
    def snapshot(self, statement_timeout: float | None = None) -> Iterator[BinlogSnapshot]:
        """A read-only, repeatable view, bound from below and above in the server's own stream.

        MySQL counts the time of statements that read alone, which all are that may last.
        """
        with self._server.open("snapshot", raw_values=True) as session:
            session.run("isolation")
            lower, upper = self._server.begin_snapshot(session)
            awaits = self._server.commits_wait(session)
            session.run("savepoint")
            session.run("group_length")
            if statement_timeout is not None:
                milliseconds = max(1, round(statement_timeout * 1000))
                session.run("statement_timeout", milliseconds=integer(milliseconds))
            yield BinlogSnapshot(session, lower, upper, awaits=awaits)
