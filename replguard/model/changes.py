"""What is seen in a stream of changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - resolved when the JSON schema is generated
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.model.positions import Position
    from replguard.model.tables import TableName


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
    statement what could be read of it. ``origin`` is the identity under which the change was first written (a server
    id, a server UUID, a replication origin), ``None`` where the stream does not tell. ``default_schema`` is the ``USE``
    database of a statement.
    """

    operation: Operation
    tables: tuple[TableName, ...]
    position: Position
    transaction: str | None = None
    committed_at: datetime | None = None
    origin: str | None = None
    rows: int = 1
    key: Mapping[str, Any] | None = None
    statement: str | None = None
    default_schema: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


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
