"""What the messages of ``pgoutput`` say; :mod:`pgoutput` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - a field's type
from typing import TypeAlias

Tuple: TypeAlias = "dict[str, bytes | None]"
"""A tuple by column name; unchanged TOAST values are absent, and so is what is not in a key tuple."""


@dataclass(frozen=True, slots=True)
class RelationColumn:
    name: str
    type_oid: int
    in_identity: bool


@dataclass(frozen=True, slots=True)
class RelationMessage:
    oid: int
    schema: str
    name: str
    identity: str
    columns: tuple[RelationColumn, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """``final_lsn`` is where the transaction's commit stands."""

    final_lsn: int
    committed_at: datetime
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    end_lsn: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class StreamStart:
    """A part of a transaction that is still open follows."""

    xid: int
    first: bool


@dataclass(frozen=True, slots=True)
class StreamStop:
    pass


@dataclass(frozen=True, slots=True)
class StreamCommit:
    xid: int
    end_lsn: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class StreamAbort:
    """``subxid`` was rolled back; the whole transaction where it is ``xid`` itself."""

    xid: int
    subxid: int


@dataclass(frozen=True, slots=True)
class BeginPrepare:
    prepare_lsn: int
    end_lsn: int
    prepared_at: datetime
    xid: int
    gid: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """The end of a prepared transaction's changes; ``streamed`` where these came in parts, before."""

    end_lsn: int
    xid: int
    gid: str
    streamed: bool


@dataclass(frozen=True, slots=True)
class PreparedEnd:
    """COMMIT PREPARED or ROLLBACK PREPARED."""

    committed: bool
    end_lsn: int
    at: datetime
    xid: int
    gid: str


@dataclass(frozen=True, slots=True)
class Origin:
    name: str


@dataclass(frozen=True, slots=True)
class TypeMessage:
    oid: int


@dataclass(frozen=True, slots=True)
class LogicalMessage:
    """Written by ``pg_logical_emit_message``: no table's change."""

    prefix: str
    transactional: bool


@dataclass(frozen=True, slots=True)
class RowChange:
    """``kind`` is I, U or D; ``old`` holds the old key (or whole old row, see ``whole_old``), ``new`` the new row.

    ``xid`` is told inside streams alone.
    """

    kind: str
    relation: RelationMessage
    old: Tuple | None
    new: Tuple | None
    whole_old: bool = False
    xid: int | None = None


@dataclass(frozen=True, slots=True)
class Truncate:
    relations: tuple[RelationMessage, ...]
    cascade: bool
    restart_identity: bool
    xid: int | None = None


Message: TypeAlias = (
    "Begin | Commit | StreamStart | StreamStop | StreamCommit | StreamAbort | BeginPrepare | Prepare | PreparedEnd | "
    "Origin | RelationMessage | TypeMessage | LogicalMessage | RowChange | Truncate"
)
