"""Tables as the catalog of any engine describes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table's schema (on MySQL and MariaDB: its database) and bare name, as stored by the server."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    def folded(self) -> TableName:
        """The name for comparisons that ignore case.

        >>> TableName("ST", "Event").folded()
        TableName(schema='st', name='event')
        """
        return TableName(self.schema.casefold(), self.name.casefold())


class ColumnKind(StrEnum):
    """How a value of the column is shown: integers as JSON integers, bytes as hex, all others as text."""

    integer = "integer"
    text = "text"
    binary = "binary"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``type`` is the full SQL type as the server spells it, ``default`` its expression as text.

    ``extra`` is what else the server says of it: whether it is stored or virtual, invisible, an identity always.
    """

    name: str
    type: str
    kind: ColumnKind = ColumnKind.text
    nullable: bool = True
    default: str | None = None
    collation: str | None = None
    generated: str | None = None
    identity: bool = False
    extra: str = ""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key of ``child`` to ``parent``; the actions are upper-case words such as CASCADE or NO ACTION.

    ``columns`` of the child name a row by the ``parent_columns`` of the parent, in this order.
    """

    name: str
    child: TableName
    parent: TableName
    on_delete: str
    on_update: str
    columns: tuple[str, ...] = ()
    parent_columns: tuple[str, ...] = ()

    @property
    def cascades(self) -> bool:
        """Whether a change of the parent rewrites or removes rows of the child."""
        return bool({self.on_delete, self.on_update} & {"CASCADE", "SET NULL", "SET DEFAULT"})


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger on ``table``; ``body`` is its text where the server shows it.

    ``on_apply`` says whether it fires for replicated changes where the server runs triggers for them at all.
    """

    name: str
    table: TableName
    event: str
    body: str = ""
    on_apply: bool = True


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """A statement that a server runs by itself, by a schedule that is in force.

    It ``writes`` some tables for certain and may write others that it names; ``opaque`` says that it runs what its text
    does not hold (a procedure, a statement made up at run time), and so may write any.
    """

    schema: str
    name: str
    writes: tuple[TableName, ...] = ()
    may_write: tuple[TableName, ...] = ()
    opaque: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A base table.

    ``key`` holds the columns of the primary key, else of a unique key without nullable columns; empty where neither
    is there. ``nullable_key`` holds then those of a unique key with nullable columns, if there is one: rows without a
    NULL in it are told apart by it. ``estimate`` is about how many rows there are, and ``size`` how many bytes these
    take, as the server's statistics have it; None where they have nothing. ``ancestors`` are the partitioned tables (or
    inheritance parents) above it, nearest first; ``partitioned`` says that the table itself holds no rows of its own.
    """

    name: TableName
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    ancestors: tuple[TableName, ...] = ()
    partitioned: bool = False
    foreign_keys: tuple[ForeignKey, ...] = field(default=())
    triggers: tuple[Trigger, ...] = field(default=())
    nullable_key: tuple[str, ...] = ()
    estimate: int | None = None
    size: int | None = None

    def column(self, name: str) -> Column:
        """The column called ``name``; KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def key_values(self, key: Mapping[str, Any]) -> tuple[bytes, ...] | None:
        r"""A key as a stream or a report tells it (never shortened), in the canonical form in which rows are read.

        ``None`` where it does not hold all of the table's key.

        >>> columns = (Column("id", "int", ColumnKind.integer), Column("b", "blob", ColumnKind.binary))
        >>> Table(TableName("st", "t"), columns, ("b", "id")).key_values({"id": 7, "b": "0x00ff"})
        (b'\x00\xff', b'7')
        """
        if not self.key or any(key.get(name) is None for name in self.key):
            return None
        return tuple(_canonical(self.column(name).kind, key[name]) for name in self.key)


def _canonical(kind: ColumnKind, value: Any) -> bytes:
    if kind is ColumnKind.binary:
        return bytes.fromhex(str(value).removeprefix("0x").removeprefix("\\x"))
    return str(value).encode()
