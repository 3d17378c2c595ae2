"""Where PostgreSQL's sequences stand beside the columns that get their numbers from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.model.schema import Counter, Counters, Unseen
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.tables import Table

    Row = Mapping[str, Any]

_AT_ONCE = 50


def counters(server: PostgresServer, tables: Iterable[Table], *, standing: bool, extremes: bool) -> Counters:
    """The counters of these tables. Partitions get their numbers with the table above them."""
    wanted = {table.name for table in tables}
    rows = [
        row
        for row in server.session.rows("schema_sequences", server.catalog.scope, doing="reading the catalog")
        if _table(row) in wanted and not row["is_partition"]
    ]
    hidden = [row for row in rows if (standing and not row["readable"]) or (extremes and not _may_read(row))]
    seen = [row for row in rows if row not in hidden]
    indexed = [row for row in seen if row["indexed"] or not extremes]
    most = _all(server, "counter_extreme", [_extreme(row) for row in indexed] if extremes else [])
    states = _all(
        server, "counter_next", [{"sequence": Quoted(row["full_name"])} for row in indexed] if standing else []
    )
    return Counters(
        tuple(_counter(row, most.get(number), states.get(number)) for number, row in enumerate(indexed)),
        tuple(_unseen(server, row, standing=standing) for row in hidden),
        tuple(f"{_table(row)}.{row['column_name']}" for row in seen if extremes and not row["indexed"]),
    )


def _table(row: Row) -> TableName:
    return TableName(row["schema"], row["table_name"])


def _may_read(row: Row) -> bool:
    return row["table_readable"] and not row["guarded"]


def _extreme(row: Row) -> dict[str, Quoted]:
    return {
        "extreme": Quoted("min" if row["increment"] < 0 else "max"),
        "column": Quoted(row["full_column"]),
        "table": Quoted(row["full_table"]),
    }


def _all(server: PostgresServer, name: str, parts: Sequence[Mapping[str, Quoted]]) -> dict[int, Row]:
    """Run a statement for each of ``parts``, many at once; the rows by the part's place."""
    found: dict[int, Row] = {}
    for start in range(0, len(parts), _AT_ONCE):
        batch = [
            statement("postgresql", name, server.session.version, number=Quoted(str(number)), **part)
            for number, part in enumerate(parts[start : start + _AT_ONCE], start)
        ]
        text = joined(batch, " UNION ALL ")
        rows = server.session.rows("counters", doing="reading sequences", parts=text)
        found |= {row["number"]: row for row in rows}
    return found


def _counter(row: Row, most: Row | None, state: Row | None) -> Counter:
    extreme = most["extreme"] if most else None
    literal = "'" + row["full_name"].replace("'", "''") + "'"
    return Counter(
        _table(row),
        row["column_name"],
        row["full_name"],
        next=None if state is None else int(state["last"]) + (row["increment"] if state["called"] else 0),
        extreme=None if extreme is None else int(extreme),
        increment=row["increment"],
        least=row["least"],
        greatest=row["greatest"],
        cycles=row["cycles"],
        setting=(f"SELECT setval({literal}, ", ", false)"),
    )


def _unseen(server: PostgresServer, row: Row, *, standing: bool) -> Unseen:
    user = server.endpoint.user
    if standing and not row["readable"]:
        return Unseen(f"sequence {row['full_name']}", f'GRANT SELECT ON SEQUENCE {row["full_name"]} TO "{user}"')
    what = f"column {row['full_column']} of {row['full_table']}"
    if not row["table_readable"]:
        return Unseen(what, f'GRANT SELECT ON TABLE {row["full_table"]} TO "{user}"')
    return Unseen(f"{what}, which is under row security,", f'ALTER ROLE "{user}" BYPASSRLS')
