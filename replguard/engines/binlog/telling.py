"""Makes what is handed out: changes with their transaction, place and origin, and troubles with theirs."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.events import FLAG_SKIP_REPLICATION
from replguard.model.changes import Change, Trouble, TroubleKind
from replguard.model.positions import Position, PositionKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.engines.binlog.events import Header
    from replguard.engines.binlog.gtid import Gtid
    from replguard.engines.binlog.queries import Query
    from replguard.engines.binlog.standing import Standing
    from replguard.model.changes import Operation
    from replguard.model.tables import TableName


def change(
    standing: Standing,
    operation: Operation,
    tables: tuple[TableName, ...],
    header: Header,
    query: Query | None = None,
) -> Change:
    """The change's position is where its transaction begins; its own offset stands in the detail."""
    current = standing.transaction.gtid
    return Change(
        operation=operation,
        tables=tables,
        position=standing.place,
        transaction=standing.transaction.told()[0],
        committed_at=committed_at(current.commit_micros if current else None, header.timestamp),
        origin=(current.origin if current else None) or str(header.server_id),
        pending=standing.transaction.pending,
        statement=query.text if query else None,
        default_schema=query.schema if query else None,
        detail=_detail(standing, header, current, query),
    )


def _detail(standing: Standing, header: Header, current: Gtid | None, query: Query | None) -> Mapping[str, Any]:
    detail: dict[str, Any] = {"server_id": header.server_id, "file": standing.file, "offset": standing.offset}
    if current and current.domain_id is not None:
        detail["domain_id"] = current.domain_id
    if query and query.sql_mode:
        detail["sql_mode"] = query.sql_mode
    if standing.flavour == "mariadb" and header.flags & FLAG_SKIP_REPLICATION:
        detail["skip_replication"] = True
    return detail


def trouble(
    standing: Standing, kind: TroubleKind, message: str, header: Header | None = None, offset: int | None = None
) -> Trouble:
    """Names file and offset; the offset is where the next event is expected, if no other is given."""
    at = standing.offset if offset is None else offset
    evidence: dict[str, Any] = {"file": standing.file, "offset": at}
    if header:
        evidence |= {"type": header.type, "size": header.size, "server_id": header.server_id}
    where = f"{standing.file or '?'}:{at}"
    return Trouble(kind, f"{where}: {message}", Position(PositionKind.file, where), evidence)


def committed_at(micros: int | None, timestamp: int) -> datetime | None:
    """MySQL tells when a transaction was committed here; else the time at which the statement began."""
    if micros:
        with suppress(OverflowError, ValueError, OSError):
            return datetime.fromtimestamp(micros / 1_000_000, UTC)
    return datetime.fromtimestamp(timestamp, UTC) if timestamp else None
