"""Temporary tables with rows of our own making, for the server to read and to hash like any other.

They are made on one connection and gone with it; nobody else sees them. Temporary tables are not logged where the log
holds rows; elsewhere the session turns its logging off, or there are no copies.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from replguard.engines.binlog.catalog import qualified
from replguard.engines.binlog.connection import quoted
from replguard.engines.binlog.errors import grant
from replguard.engines.binlog.literals import literal
from replguard.engines.binlog.privileges import Privileges, account
from replguard.engines.binlog.rows import BinlogSnapshot
from replguard.engines.binlog.specimen import NAME
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import ConnectionLost, PrivilegeError, ServerError, Unsupported
from replguard.model.tables import Table, TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import Sample
    from replguard.engines.binlog.connection import Session
    from replguard.engines.binlog.server import BinlogServer

STEM = "replguard_self_test"
LOGGING = {"mysql": "SESSION_VARIABLES_ADMIN", "mariadb": "BINLOG ADMIN"}
"""What a user needs to turn its own session's logging off."""


@contextmanager
def copies(
    server: BinlogServer, samples: Sequence[Sample]
) -> Iterator[tuple[BinlogSnapshot, list[Table | ServerError]]]:
    """See :meth:`replguard.engines.base.Rows.copies`."""
    with server.open("copies", read_only=False, raw_values=True) as session:
        with suppress(PrivilegeError):
            session.run("copy_unlogged")
        if int(session.run("copy_logged")[0]["logged"]):
            raise Unsupported(
                "temporary tables would be logged, since binlog_format is not ROW",
                remedy=grant(LOGGING[server.flavour], "*.*", account(server.account)),
                cluster=server.name,
            )
        session.run("copy_session")
        session.run("group_length")
        made = [_copied(server, session, sample, number) for number, sample in enumerate(samples)]
        position = server.replication.position()
        yield BinlogSnapshot(session, position, position), made


def _copied(server: BinlogServer, session: Session, sample: Sample, number: int) -> Table | ServerError:
    schema = sample.table.name.schema
    try:
        return _copy(session, sample, TableName(schema, f"{STEM}_{number}"))
    except ConnectionLost:
        raise
    except PrivilegeError as error:
        # What the server says names no privilege here.
        remedy = grant("CREATE TEMPORARY TABLES", Privileges(server).scope(schema), account(server.account))
        return PrivilegeError(error.message, remedy=remedy, cluster=server.name)
    except ServerError as error:
        return error


def _copy(session: Session, sample: Sample, name: TableName) -> Table:
    slots = {"table": qualified(name), "columns": joined([quoted(column) for column in sample.columns])}
    session.send(_definition(sample, slots))
    rows = [
        Quoted(f"({joined([literal(sample.table.column(name), value) for name, value in named])})")
        for named in (zip(sample.columns, row, strict=True) for row in sample.rows)
    ]
    if rows:
        session.send(statement("binlog", "copy_fill", rows=joined(rows), **slots))
    return sample.described(name)


def _definition(sample: Sample, slots: dict[str, Quoted]) -> Quoted:
    if sample.table.name.name == NAME:
        return statement("binlog", "specimen", table=slots["table"])
    key = [quoted(column) for column in sample.table.key]
    primary = statement("binlog", "copy_key", columns=joined(key)) if key else Quoted("")
    return statement("binlog", "copy_create", key=primary, source=qualified(sample.table.name), **slots)
