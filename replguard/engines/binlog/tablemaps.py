"""Table maps and the heads of row events: which table a row event changes.

Row images are not decoded here. A table's number holds for one statement, or until the file ends.
"""

from __future__ import annotations

from replguard.engines.binlog.events import Damage, EventType, Fields, Format, MariaDBEvent, MySQLEvent
from replguard.model.changes import Operation
from replguard.model.tables import TableName

_STATEMENT_END = 0x0001
_DUMMY_TABLE = 0xFFFFFF

ROW_EVENTS: dict[EventType, Operation] = {
    MySQLEvent.WRITE_ROWS_V1: Operation.insert,
    MySQLEvent.UPDATE_ROWS_V1: Operation.update,
    MySQLEvent.DELETE_ROWS_V1: Operation.delete,
    MySQLEvent.WRITE_ROWS: Operation.insert,
    MySQLEvent.UPDATE_ROWS: Operation.update,
    MySQLEvent.DELETE_ROWS: Operation.delete,
    MySQLEvent.PARTIAL_UPDATE_ROWS: Operation.update,
    MariaDBEvent.WRITE_ROWS_COMPRESSED_V1: Operation.insert,
    MariaDBEvent.UPDATE_ROWS_COMPRESSED_V1: Operation.update,
    MariaDBEvent.DELETE_ROWS_COMPRESSED_V1: Operation.delete,
    MariaDBEvent.WRITE_ROWS_COMPRESSED: Operation.insert,
    MariaDBEvent.UPDATE_ROWS_COMPRESSED: Operation.update,
    MariaDBEvent.DELETE_ROWS_COMPRESSED: Operation.delete,
}


class TableMaps:
    """The table maps that hold now. ``open_rows`` says that row events came whose statement has not ended."""

    def __init__(self) -> None:
        self._tables: dict[int, TableName] = {}
        self.open_rows = False

    def clear(self) -> None:
        self._tables.clear()
        self.open_rows = False

    def map(self, body: bytes, form: Format) -> TableName:
        """Take in a TABLE_MAP."""
        fields = Fields(body)
        table_id = fields.number(_id_size(form, MySQLEvent.TABLE_MAP))
        fields.take(2)
        schema = fields.text(fields.packed())
        fields.take(1)
        table = TableName(schema, fields.text(fields.packed()))
        if not schema or not table.name or fields.number(1) != 0:
            raise Damage("a table map without a proper name")
        self._tables[table_id] = table
        return table

    def changed(self, kind: EventType, body: bytes, form: Format) -> TableName | None:
        """The table of a row event; ``None`` for the dummy event that only ends a statement."""
        fields = Fields(body)
        table_id = fields.number(_id_size(form, kind))
        ends = bool(fields.number(2) & _STATEMENT_END)
        if table_id == _DUMMY_TABLE and ends:
            self.clear()
            return None
        table = self._tables.get(table_id)
        if ends:
            self.clear()
        else:
            self.open_rows = True
        if table is None:
            raise Damage(f"row event of table number {table_id}, which no table map has named")
        return table


def _id_size(form: Format, kind: int) -> int:
    """Six bytes, but four in files of very old servers."""
    return 4 if form.head_length(kind) == 6 else 6
