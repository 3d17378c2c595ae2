"""What is seen in a stream of changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - resolved when the JSON schema is generated
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.model.positions import Position
    from replguard.model.tables import TableName


class Interest(IntEnum):
    """How much of a table's row changes somebody wants to be told. DDL, truncates and statements are always told."""

    counted = 0
    """Only how many there were."""
    named = 1
    """One change an event (or row): which table, when, where."""
    keyed = 2
    """One change a row, with its key, and which columns differ."""
    whole = 3
    """With the values of all columns too."""


class Operation(StrEnum):
    insert = "insert"
    update = "update"
    delete = "delete"
    truncate = "truncate"
    ddl = "ddl"
    statement = "statement"
    """DML that travels as text: it can write more tables than it names."""


@dataclass(frozen=True, slots=True)
class Change:
    """One row change (or a run of them in one event), truncate, DDL or opaque statement.

    ``tables`` holds every table that the change names; row changes have exactly one, DDL any number, and a
    statement what could be read of it; ``detail["guessed"]`` holds those that may as well be names of something else.
    ``origin`` is the identity under which the change was first written (a server id, a server UUID, a replication
    origin), ``None`` where the stream does not tell. ``default_schema`` is the ``USE`` database of a statement.

    ``changed`` names the columns of an update whose values differ, ``None`` where the stream does not tell;
    ``before`` and ``after`` hold values by column, where they were asked for. ``pending`` is true for a change whose
    transaction has not been committed yet: a :class:`TransactionEnd` follows.
    """

    operation: Operation
    tables: tuple[TableName, ...]
    position: Position
    transaction: str | None = None
    committed_at: datetime | None = None
    origin: str | None = None
    rows: int = 1
    key: Mapping[str, Any] | None = None
    changed: frozenset[str] | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    pending: bool = False
    statement: str | None = None
    default_schema: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TransactionEnd:
    """What became of a transaction whose changes were told while it was pending.

    ``decided_by`` is the transaction that says so, where that is one of its own (XA COMMIT has a GTID).
    """

    transaction: str
    committed: bool
    position: Position
    committed_at: datetime | None = None
    decided_by: str | None = None


class TroubleKind(StrEnum):
    """Why a part of a stream could not be judged; each is a finding code."""

    opaque = "stream.opaque"
    unknown = "stream.unknown"
    corrupt = "stream.corrupt"
    gap = "stream.gap"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A part of a stream that is not understood, damaged or missing. It is never passed over in silence."""

    kind: TroubleKind
    message: str
    position: Position | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


StreamItem: TypeAlias = "Change | Trouble | TransactionEnd"
