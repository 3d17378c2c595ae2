"""Temporary tables with rows of our own making, for the server to read and to hash like any other.

They are made on one connection and gone with it; nobody else sees them, and no stream tells of their rows. The snapshot
on them is taken when all are made.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from replguard.engines.postgresql.literals import literal
from replguard.engines.postgresql.position import wal_end
from replguard.engines.postgresql.quoting import quoted, quoted_table
from replguard.engines.postgresql.rows import PostgresSnapshot
from replguard.engines.postgresql.specimen import NAME
from replguard.engines.sqlfiles import Quoted, joined
from replguard.errors import ConnectionLost, ServerError
from replguard.model.tables import Table, TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import Sample
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session

STEM = "replguard_self_test"


@contextmanager
def copies(
    server: PostgresServer, samples: Sequence[Sample]
) -> Iterator[tuple[PostgresSnapshot, list[Table | ServerError]]]:
    """See :meth:`replguard.engines.base.Rows.copies`."""
    session = server.open(writes=True)
    try:
        remedy = f"GRANT TEMPORARY ON DATABASE {quoted(server.facts['database'])} TO {quoted(server.facts['role'])}"
        made = [_copied(session, sample, f"{STEM}_{number}", remedy) for number, sample in enumerate(samples)]
        bound = wal_end(session)
        session.rows("snapshot_begin")
        seen = session.row("snapshot_take")["snapshot"]
        yield PostgresSnapshot(server, session, (bound, bound), seen), made
    finally:
        session.close()


def _copied(session: Session, sample: Sample, name: str, remedy: str) -> Table | ServerError:
    try:
        return _copy(session, sample, name, remedy)
    except ConnectionLost:
        raise
    except ServerError as error:
        return error


def _copy(session: Session, sample: Sample, name: str, remedy: str) -> Table:
    columns = joined([quoted(column) for column in sample.columns])
    table = quoted(name)
    if sample.table.name.name == NAME:
        script = [session.text("specimen", table=table)]
    else:
        source = quoted_table(sample.table.name)
        script = [session.text("copy_create", table=table, columns=columns, source=source)]
    if sample.table.key:
        key = joined([quoted(column) for column in sample.table.key])
        script.append(session.text("copy_key", table=table, columns=key))
    rows = [
        Quoted(f"({joined([literal(sample.table.column(name), value) for name, value in named])})")
        for named in (zip(sample.columns, row, strict=True) for row in sample.rows)
    ]
    if rows:
        script.append(session.text("copy_fill", table=table, columns=columns, rows=joined(rows)))
    script.append(session.text("copy_schema"))
    found = session.results(joined(script, ";\n"), f"copying rows of {sample.table.name}", remedy)
    return sample.described(TableName(found[-1][0]["schema"], name))
