"""Table maps: which table the row events of a number change, and of which columns it consists.

Row images are not decoded here, and which table maps hold at a moment is the reader's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.columntypes import wire
from replguard.engines.binlog.events import Damage, EventType, Fields, Flavour, Format, MariaDBEvent, MySQLEvent
from replguard.engines.binlog.tablemetadata import metadata
from replguard.model.changes import Operation
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from replguard.engines.binlog.columntypes import Wire

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


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """One column of a table map; what the server's ``binlog_row_metadata`` leaves out is None."""

    wire: Wire
    nullable: bool
    name: str | None = None
    unsigned: bool | None = None
    collation: int | None = None
    labels: tuple[bytes, ...] | None = None


@dataclass(frozen=True, slots=True)
class MappedTable:
    """A whole table map. ``key`` holds the places of the primary key's columns, where it is told."""

    table_id: int
    name: TableName
    columns: tuple[MappedColumn, ...]
    key: tuple[int, ...] | None = None

    @property
    def named(self) -> bool:
        return bool(self.columns) and self.columns[0].name is not None

    @classmethod
    def of(cls, body: bytes, form: Format, flavour: Flavour) -> MappedTable:
        """Read a TABLE_MAP. The same bytes mean the same table: keep the result by them.

        Raises Damage, and NotUnderstood for a column type that is not known here.
        """
        fields = Fields(body)
        table_id, name = _named(fields, form)
        types = fields.take(fields.packed())
        said = Fields(fields.take(fields.packed()))
        wires = tuple(wire(number, said) for number in types)
        if not said.ended:
            raise Damage("a table map has more metadata than its columns need")
        nulls = fields.take((len(wires) + 7) // 8)
        more = metadata(fields, wires, mariadb=flavour == "mariadb")
        columns = tuple(
            MappedColumn(
                each,
                bool(nulls[place // 8] >> place % 8 & 1),
                more.names[place] if more.names else None,
                more.unsigned.get(place),
                more.collations.get(place),
                more.labels.get(place),
            )
            for place, each in enumerate(wires)
        )
        return cls(table_id, name, columns, more.key)


def _named(fields: Fields, form: Format) -> tuple[int, TableName]:
    """The head of a table map: number and name."""
    table_id = fields.number(id_size(form, MySQLEvent.TABLE_MAP))
    fields.take(2)
    schema = fields.text(fields.packed())
    fields.take(1)
    table = TableName(schema, fields.text(fields.packed()))
    if not schema or not table.name or fields.number(1) != 0:
        raise Damage("a table map without a proper name")
    return table_id, table


def id_size(form: Format, kind: int) -> int:
    """Six bytes, but four in files of very old servers."""
    return 4 if form.head_length(kind) == 6 else 6
