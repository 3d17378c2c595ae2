"""What everything that reads in a snapshot needs: statements that leave it as it was, and errors that say what to do.

Each read stands within a savepoint that is rolled back afterwards, whether or not it went well: a failure does not end
the snapshot, and no lock on an application's table is held longer than the read takes.

A snapshot does not protect a table from being truncated or written anew (``ALTER TABLE``): to a snapshot taken before
it looks empty. So after each read, while its locks still stand, the server's catalog of now is held against the
snapshot's.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from replguard.engines.postgresql.quoting import quoted, quoted_table
from replguard.engines.postgresql.shapes import Shapes
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import ConnectionLost, StatementError, Unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.model.tables import Table, TableName

OID = 26
_REWRITTEN = "rewritten"
"""The column by which such a row is known."""
_LISTED = 5


class View:
    """A session whose transaction is the snapshot."""

    def __init__(self, server: PostgresServer, session: Session) -> None:
        self._server = server
        self._session = session
        self._shapes = Shapes(session, self._run)
        self._without_objects: set[tuple[TableName, str]] = set()

    def interrupt(self) -> None:
        self._session.cancel()

    @contextmanager
    def _reading(self, table: Table) -> Iterator[None]:
        """A read of this table in statements of its own; one that is left early leaves the snapshot as it was."""
        oid = self._shapes.of(table).oid
        self._session.rows("snapshot_save")
        try:
            yield
            self._same([table], self._session.rows("rewritten", {"relids": [oid]}))
        except ConnectionLost:
            raise
        except BaseException:
            self._undo()
            raise
        self._undo()

    def _undo(self) -> None:
        self._session.rows("snapshot_undo")
        self._session.rows("snapshot_done")

    def _read_at_once(self, tables: Sequence[Table], statements: Sequence[Quoted]) -> list[Mapping[str, Any]]:
        """The rows of some statements that read these tables, in one round trip."""
        oids = sorted({self._shapes.of(table).oid for table in tables})
        rewritten = self._session.text("rewritten", {"relids": oids})
        found = self._run([*statements, rewritten], self._doing(tables), self._grants(tables))
        self._same(tables, [row for row in found if _REWRITTEN in row])
        return [row for row in found if _REWRITTEN not in row]

    def _run(self, statements: Sequence[Quoted], doing: str, remedy: str | None = None) -> list[Mapping[str, Any]]:
        text = self._session.text
        script = joined([text("snapshot_save"), *statements, text("snapshot_undo"), text("snapshot_done")], ";\n")
        try:
            found = self._session.results(script, doing, remedy)
        except ConnectionLost:
            raise
        except BaseException:
            self._undo()
            raise
        return [row for rows in found for row in rows]

    def _same(self, tables: Sequence[Table], rewritten: Sequence[Mapping[str, Any]]) -> None:
        """StatementError where the server has rewritten one of these tables since the snapshot was taken."""
        oids = {row[_REWRITTEN] for row in rewritten}
        names = sorted({str(table.name) for table in tables if self._shapes.of(table).oid in oids})
        if oids:
            raise StatementError(
                f"{self._server.name}: {_listed(names)} was truncated, rewritten or given other partitions since the "
                "snapshot was taken, and can no longer be read in it",
                remedy="run the command again",
                cluster=self._server.name,
            )

    def _source(self, table: Table) -> Quoted:
        """The table as it is read: with its partitions, without what inherits from it."""
        name = quoted_table(table.name)
        return name if table.partitioned else statement("postgresql", "read_only_table", table=name)

    def _doing(self, tables: Sequence[Table]) -> str:
        names = sorted({str(table.name) for table in tables})
        return f"reading table{'s' if len(names) > 1 else ''} {_listed(names)}"

    def _grants(self, tables: Iterable[Table]) -> str:
        """What the role needs to read these tables."""
        role = quoted(self._server.facts["role"])
        names = sorted({table.name for table in tables})[:_LISTED]
        schemas = [f"GRANT USAGE ON SCHEMA {quoted(schema)} TO {role}" for schema in {n.schema: None for n in names}]
        return "; ".join([*schemas, *(f"GRANT SELECT ON TABLE {quoted_table(name)} TO {role}" for name in names)])

    def _no_large_objects(self, table: Table, columns: Iterable[str]) -> None:
        """Unsupported where a column names large objects: equal numbers would say nothing about their contents."""
        shapes = self._shapes.of(table, columns).columns
        for column in columns:
            if shapes[column].base != OID or (table.name, column) in self._without_objects:
                continue
            statement = self._session.text("large_objects", table=quoted_table(table.name), column=quoted(column))
            if self._read_at_once([table], [statement])[0]["found"]:
                raise Unsupported(
                    f"{self._server.name}: column {column!r} of {table.name} names large objects, which are neither "
                    "replicated nor compared",
                    remedy="compare them by other means and name the column in ignore_columns, or keep them in bytea",
                    cluster=self._server.name,
                )
            self._without_objects.add((table.name, column))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
