"""What makes a table more than its columns, as the catalog of any engine tells it: indexes, constraints, triggers, what
names it or is named by it, and the counters that its next rows get their numbers from.

All facts are text, so that what differs can be told as it is. What a server prints differently without meaning (its own
database's name, blanks, names that it makes up itself) is put right by the engine before it stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping


class ObjectKind(Enum):
    """In the words in which an object is told. ``table`` holds what is set for a table as a whole."""

    table = "table"
    partition = "partition"
    index = "index"
    foreign_key = "foreign key"
    constraint = "constraint"
    trigger = "trigger"
    rule = "rule"
    policy = "row policy"
    sequence = "sequence"
    type = "type"
    view = "view"
    routine = "routine"


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """One object, of a table (``table`` is its bare name) or beside tables.

    ``made_up``: the server chose the name, so that the same object may be called otherwise on another server.
    ``names`` are tables, views and routines that it names or may name, and ``used_by`` the tables that use it; both as
    :meth:`TableName.folded`. ``bare`` is the name by which others name it, where ``name`` holds more.
    """

    kind: ObjectKind
    schema: str
    table: str | None
    name: str
    facts: Mapping[str, str]
    made_up: bool = False
    names: frozenset[TableName] = frozenset()
    used_by: frozenset[TableName] = frozenset()
    bare: str = ""

    @property
    def of(self) -> TableName | None:
        """The table that it belongs to."""
        return TableName(self.schema, self.table) if self.table is not None else None

    @property
    def called(self) -> TableName:
        """How others name it, folded."""
        return TableName(self.schema, self.bare or self.name).folded()


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a server keeps from this user, in words, and what helps.

    ``kind``, ``schema`` and ``name`` are those of the objects; None where it may be any.
    """

    what: str
    remedy: str | None = None
    kind: ObjectKind | None = None
    schema: str | None = None
    name: str | None = None

    def hides(self, one: SchemaObject) -> bool:
        """Whether this is, or may be, one of the objects."""
        return (
            self.kind in (None, one.kind)
            and (self.schema is None or self.schema.casefold() == one.schema.casefold())
            and self.name in (None, one.name)
        )


@dataclass(frozen=True, slots=True)
class Inventory:
    """The objects of a cluster's scope, and what of them may not be seen."""

    objects: tuple[SchemaObject, ...] = ()
    unseen: tuple[Unseen, ...] = ()


@dataclass(frozen=True, slots=True)
class Counter:
    """Where a column's next number comes from: AUTO_INCREMENT, an identity column, a sequence in its default.

    ``next`` is what the server would give now; None where that was not asked for. ``extreme`` is the greatest number
    that stands in the column (the least where ``increment`` is negative); None where there is none, or it was not
    asked for. Numbers are given in steps of ``increment`` from ``next`` on, within ``least`` and ``greatest``;
    ``cycles``: then from the other end. ``offset``: they leave this when divided by the increment, whatever is next.
    ``setting`` is the statement that sets it, before and behind the number.
    """

    table: TableName
    column: str
    name: str
    next: int | None
    extreme: int | None
    increment: int
    least: int
    greatest: int
    cycles: bool = False
    offset: int | None = None
    setting: tuple[str, str] = ("", "")

    def set_to(self, number: int) -> str:
        """The statement that lets it go on from ``number``."""
        return f"{self.setting[0]}{number}{self.setting[1]}"


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of tables. ``unseen`` may not be read by this user, ``costly`` not without reading a whole table."""

    counters: tuple[Counter, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    costly: tuple[str, ...] = field(default=())
