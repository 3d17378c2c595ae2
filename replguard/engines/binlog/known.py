"""The tables that row events refer to by number: recognised by the bytes of their table map.

A table map's body holds number, name and columns; the same bytes mean the same table, so that a table is looked at once
and then found by one look-up. A number holds for one statement, or until the file ends: ``current`` is what holds now.
What was learned is forgotten with each new file and each DDL, when the answer of ``Wanted`` may have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.events import Damage, EventType, Fields, Flavour, Format, MySQLEvent
from replguard.engines.binlog.rowimages import RowDecoder
from replguard.engines.binlog.tablemaps import MappedTable, id_size
from replguard.model.changes import Interest
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from replguard.engines.base import Wanted

_STATEMENT_END = 0x0001
_DUMMY_TABLE = 0xFFFFFF
_MOST = 4096
_MOST_BYTES = 8 << 20


class Known:
    """One table map that was seen. ``events`` are the row events of it that were only counted and not tallied yet."""

    __slots__ = ("body", "decoder", "events", "interest", "name", "names", "number", "told")

    def __init__(self, number: int, name: TableName, interest: Interest, body: bytes) -> None:
        self.number = number
        self.name = name
        self.names = (name,)
        self.interest = interest
        self.told = interest is not Interest.counted
        self.body = body
        self.events = 0
        self.decoder: RowDecoder | None = None


class KnownTables:
    """``open_rows`` says that row events came whose statement has not ended."""

    __slots__ = ("_bytes", "_flavour", "_retired", "_wanted", "by_body", "current", "open_rows")

    def __init__(self, flavour: Flavour, wanted: Wanted) -> None:
        self._flavour = flavour
        self._wanted = wanted
        self._bytes = 0
        self._retired: list[Known] = []
        self.by_body: dict[bytes, Known] = {}
        self.current: dict[int, Known] = {}
        self.open_rows = False

    def end_statement(self) -> None:
        self.current.clear()
        self.open_rows = False

    def forget(self) -> None:
        """Ask anew for every table that comes from here on."""
        self._retired += [known for known in self.by_body.values() if known.events]
        self.by_body.clear()
        self._bytes = 0

    def counted(self) -> list[Known]:
        """Those with events that were only counted since the last call."""
        found = [known for known in self.by_body.values() if known.events]
        if self._retired:
            found += self._retired
            self._retired = []
        return found

    def map(self, body: bytes, form: Format) -> Known:
        """Take in a TABLE_MAP. Raises Damage."""
        known = self.by_body.get(body)
        if known is None:
            known = self._look(body, form)
            if len(self.by_body) >= _MOST or self._bytes > _MOST_BYTES:
                self.forget()
            self.by_body[body] = known
            self._bytes += len(body)
        self.current[known.number] = known
        return known

    def _look(self, body: bytes, form: Format) -> Known:
        fields = Fields(body)
        number = fields.number(id_size(form, MySQLEvent.TABLE_MAP))
        fields.take(2)
        schema = fields.text(fields.packed())
        fields.take(1)
        name = TableName(schema, fields.text(fields.packed()))
        if not schema or not name.name or fields.number(1) != 0:
            raise Damage("a table map without a proper name")
        return Known(number, name, self._wanted.interest(name), body)

    def decoder(self, known: Known, form: Format) -> RowDecoder:
        """What decodes the table's rows. Raises Damage and NotUnderstood."""
        if known.decoder is None:
            mapped = MappedTable.of(known.body, form, self._flavour)
            known.decoder = RowDecoder(mapped, known.interest, self._wanted.shape(known.name), self._flavour)
        return known.decoder

    def changed(self, kind: EventType, body: bytes, form: Format) -> Known | None:
        """The table of a row event; ``None`` for the dummy event that only ends a statement. Raises Damage."""
        fields = Fields(body)
        number = fields.number(id_size(form, kind))
        ends = bool(fields.number(2) & _STATEMENT_END)
        known = self.current.get(number)
        if ends:
            self.end_statement()
        else:
            self.open_rows = True
        if known is None and not (number == _DUMMY_TABLE and ends):
            raise Damage(f"row event of table number {number}, which no table map has named")
        return known
