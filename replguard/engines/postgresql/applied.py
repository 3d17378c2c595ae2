"""Which rows of a table came over a subscription: rows tell, where the server keeps commit timestamps.

Each transaction remembers the replication origin it was written under. A subscription's apply worker writes under
``pg_<oid>``, for good; an initial copy under an origin of its own, which is dropped when the copy is finished. So rows
whose origin exists no more are this link's initial copy where it subscribes to the table and no other subscription of
the database does anything; else nobody can say over which link they came, only that they did. The origin of old rows
may be forgotten altogether.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.engines.base import AppliedRows
from replguard.engines.postgresql.quoting import quoted, quoted_table
from replguard.engines.postgresql.written import require_origins
from replguard.errors import DeadlineError, PrivilegeError, Unsupported
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.errors import ServerError
    from replguard.model.links import Link
    from replguard.model.tables import Table


@dataclass(frozen=True, slots=True)
class _Origins:
    """Origins by id: all that exist, those of the link, and the tables whose dropped origins are the link's copies."""

    existing: Mapping[int, str]
    ours: Mapping[int, str]
    copied: frozenset[TableName]


def applied_rows(server: PostgresServer, link: Link, tables: Sequence[Table]) -> tuple[AppliedRows, ...]:
    """Rows that came over the link, by table and origin; those of a dropped origin may have come over another.

    Unsupported where the server keeps no commit timestamps, and where none is found but some rows do not tell.
    """
    require_origins(server)
    origins = _origins(server, link)
    found: list[AppliedRows] = []
    silent: list[str] = []
    for table in tables:
        for row in _by_origin(server, table):
            origin = _whose(row["origin"], table, origins)
            if origin is not None:
                found.append(AppliedRows(table.name, row["rows"], origin, row["first_at"], row["last_at"]))
            elif row["origin"] is None:
                silent.append(f"{row['rows']} of {table.name}")
            elif row["origin"] not in origins.existing:
                lost = f"origin {row['origin']}, dropped"
                found.append(AppliedRows(table.name, row["rows"], lost, row["first_at"], row["last_at"], certain=False))
    if silent and not found:
        raise Unsupported(
            f"{server.name}: the origin of some rows is not remembered any more ({', '.join(silent)})",
            remedy="look at these rows by hand; removing them lets the next look be certain",
            cluster=server.name,
        )
    return tuple(found)


def local_rows(
    server: PostgresServer, tables: Sequence[Table], seconds: float
) -> tuple[AppliedRows | ServerError, ...]:
    """See :class:`replguard.engines.controls.TellsLocalRows`; rows of forgotten origin are not ``certain``."""
    require_origins(server)
    deadline = time.monotonic() + seconds
    found: list[AppliedRows | ServerError] = []
    session = server.open()
    try:
        for table in tables:
            left = max(1, round((deadline - time.monotonic()) * 1000))
            session.rows("timeout", {"milliseconds": left})
            try:
                found += _local(session, server, table)
            except (DeadlineError, PrivilegeError) as error:
                found.append(error)
    finally:
        session.close()
    return tuple(found)


def _local(session: Session, server: PostgresServer, table: Table) -> list[AppliedRows]:
    name = quoted_table(table.name)
    remedy = f"GRANT SELECT ON TABLE {name} TO {quoted(server.facts['role'])}"
    relation = name if table.partitioned else session.text("read_only_table", None, table=name)
    rows = session.rows("local_rows", doing=f"reading who wrote {table.name}", remedy=remedy, table=relation)
    return [
        AppliedRows(
            table.name,
            row["rows"],
            server.identity.text,
            row["first_at"],
            row["last_at"],
            certain=row["origin"] is not None,
        )
        for row in rows
    ]


def _origins(server: PostgresServer, link: Link) -> _Origins:
    existing = {row["id"]: row["name"] for row in server.session.rows("origins")}
    name = re.compile(rf"pg_{int(link.detail['oid'])}(_\d+)?")
    subscribed = server.session.rows("subscribed_tables", {"oid": link.detail["oid"]})
    alone = len(server.session.rows("subscriptions")) == 1
    return _Origins(
        existing=existing,
        ours={number: origin for number, origin in existing.items() if name.fullmatch(origin)},
        copied=frozenset(TableName(row["schema"], row["name"]) for row in subscribed) if alone else frozenset(),
    )


def _whose(origin: int | None, table: Table, origins: _Origins) -> str | None:
    """The link's origin that wrote the rows, in words; None if it was not the link, or nobody knows."""
    if origin is None or origin in origins.ours:
        return origins.ours.get(origin) if origin is not None else None
    if origin not in origins.existing and origins.copied & {table.name, *table.ancestors}:
        return f"initial copy (origin {origin}, dropped)"
    return None


def _by_origin(server: PostgresServer, table: Table) -> list[dict[str, Any]]:
    name = quoted_table(table.name)
    remedy = f"GRANT SELECT ON TABLE {name} TO {quoted(server.facts['role'])}"
    relation = name if table.partitioned else server.session.text("read_only_table", None, table=name)
    return server.session.rows("applied_rows", doing=f"reading {table.name}", remedy=remedy, table=relation)
