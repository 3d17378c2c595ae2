"""Statements that put rows of MySQL and MariaDB right, for the server's own client.

Each statement is followed by a ``SET`` that counts it, and fails (error 1242) unless it changed just the rows that it
was to change. A client that reads a file ends there, and the open transaction is gone with its connection. A client
that goes on all the same (``source`` in an interactive one) comes to the end, which commits only if all were counted.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from replguard.engines.binlog.catalog import qualified
from replguard.engines.binlog.connection import integer, literal, quoted, text_of
from replguard.engines.binlog.literals import exact, indexed, is_error_value
from replguard.engines.binlog.literals import literal as value_literal
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import Unsupported
from replguard.model.repairs import Frame
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from replguard.engines.base import Row
    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link
    from replguard.model.repairs import Step
    from replguard.model.tables import ForeignKey, Table


class BinlogRepairs:
    """See :class:`replguard.engines.base.Repairs`."""

    def __init__(self, server: BinlogServer) -> None:
        self._server = server

    def uniques(self, tables: Sequence[TableName]) -> Mapping[TableName, Sequence[tuple[str, ...]]]:
        if not tables:
            return {}
        parts: defaultdict[tuple[TableName, str], list[str]] = defaultdict(list)
        for row in self._server.run("keys", schemas=_schemas(tables)):
            if row["column_name"] is not None:
                parts[TableName(row["schema_name"], row["table_name"]), row["name"]].append(row["column_name"])
        found: defaultdict[TableName, list[tuple[str, ...]]] = defaultdict(list)
        for (name, _), columns in parts.items():
            found[name].append(tuple(columns))
        return {name: found[name] for name in set(tables) if name in found}

    def count(self, table: Table, columns: Sequence[str], row: Row) -> int:
        guard = _guard(table, columns, row, 0)
        with self._server.open("counting") as session:
            return int(session.run("repair/count", table=qualified(table.name), guard=guard)[0]["found"])

    def frame(
        self,
        steps: Sequence[Step],
        links: Sequence[Link],
        carrying: Sequence[Link],  # noqa: ARG002 - what is not logged nobody carries
        *,
        circles: bool,
    ) -> Frame:
        """The session is not logged where any link is there: what a source logs travels, and what a replica logs would
        travel when the link is turned round, and stands in the way of MySQL's GTIDs until then.
        """
        server = self._server
        logged = not links
        counted = any(not step.width for step in steps)
        parts = [_sql("session")]
        parts += [] if logged else [_sql("unlogged")]
        parts += [_sql("unchecked")] if circles else []
        here = text_of(server.flavour, "repair/here", server.version_text, identity=literal(server.identity.text))
        parts.append(_sql("begin_counted" if counted else "begin", here=here, logged=integer(logged)))
        notes = (*_of_log(server.name, links), *self._of_tables(steps), *_of_circles(circles=circles))
        foot = _sql("end", steps=integer(len(steps))) + ";"
        return Frame(notes, "\n".join(f"{part};" for part in parts), foot)

    def write(self, steps: Sequence[Step], keys: Sequence[ForeignKey] = ()) -> str:  # noqa: ARG002
        """While foreign keys are not checked, none acts either."""
        return "\n".join(text for step in steps for text in _written(step))

    def _of_tables(self, steps: Sequence[Step]) -> Iterator[str]:
        """What the tables have that a transaction does not hold together."""
        touched = {step.table.name: step.table for step in steps}
        for table in touched.values():
            words = {step.kind.upper() for step in steps if step.table.name == table.name}
            firing = [one.name for one in table.triggers if words & set(one.event.split())]
            if firing:
                yield (
                    f"{table.name} has triggers that fire for these statements, and the server cannot leave them out: "
                    f"{', '.join(firing)}. What they write comes on top of what the statements do"
                )
        if not touched:
            return
        for row in self._server.run("repair/unsafe_tables", schemas=_schemas(touched)):
            name = TableName(row["schema_name"], row["table_name"])
            if name not in touched:
                continue
            if row["table_type"] == "SEQUENCE":
                yield f"{name} is a sequence: set it by SELECT SETVAL(...), since statements for rows fail on it"
            else:
                yield f"{name} is of engine {row['engine']}, which knows no transaction: what was done to it stays"


def _of_log(cluster: str, links: Sequence[Link]) -> Iterator[str]:
    if not links:
        yield f"Logged as any other change, so replicas of {cluster} get it"
        return
    back = [link.label for link in links if link.source == cluster]
    why = (
        f"so that it does not travel over {', '.join(back)} to where the rows are right already"
        if back
        else f"so that it neither travels when {', '.join(link.label for link in links)} is turned round nor leaves a "
        "transaction of its own on a replica"
    )
    yield f"Not written to the binary log (sql_log_bin = 0), {why}"
    yield (
        "That needs SYSTEM_VARIABLES_ADMIN or SESSION_VARIABLES_ADMIN (MySQL), BINLOG ADMIN (MariaDB). Replicas that "
        f"{cluster} itself has do not get it: compare and repair these by themselves"
    )


def _of_circles(*, circles: bool) -> Iterator[str]:
    if circles:
        yield "Some rows refer to one another in a circle, so foreign keys are NOT checked in this session"


def _schemas(tables: Iterable[TableName]) -> Quoted:
    return joined([literal(name) for name in dict.fromkeys(table.schema for table in tables)])


def _sql(name: str, **slots: Quoted) -> Quoted:
    return statement("binlog", f"repair/{name}", **slots)


def _written(step: Step) -> Iterator[Quoted]:
    table = qualified(step.table.name)
    if step.kind == "insert":
        if not step.width:
            guard = _guard(step.table, step.columns, step.after or (), 0)
            yield Quoted(_sql("standing", table=table, guard=guard, times=integer(step.standing)) + ";")
        yield _checked(_insert(step, table), step.times)
    elif step.kind == "delete":
        guard = _guard(step.table, step.columns, step.before or (), step.width)
        yield _checked(_sql("delete", table=table, guard=guard, times=integer(step.times)), step.times)
    else:
        yield _checked(_update(step, table), 1)


def _checked(text: Quoted, times: int) -> Quoted:
    return Quoted(text + _sql("check", times=integer(times)) + ";")


def _insert(step: Step, table: Quoted) -> Quoted:
    named = zip(step.columns, step.after or (), strict=True)
    values = {name: value for name, value in named if not step.table.column(name).generated}
    loose = any(is_error_value(step.table.column(name), value) for name, value in values.items())
    row = Quoted(f"({joined([value_literal(step.table.column(name), value) for name, value in values.items()])})")
    columns = joined([quoted(name) for name in values])
    return _sql("insert_any" if loose else "insert", table=table, columns=columns, rows=joined([row] * step.times))


def _update(step: Step, table: Quoted) -> Quoted:
    triples = zip(step.columns, step.before or (), step.after or (), strict=True)
    changed = {name: new for name, old, new in triples if old != new and not step.table.column(name).generated}
    if not changed:
        raise Unsupported(
            "only generated columns differ, which nobody can write",
            remedy="compare the definitions of these columns on both sides",
        )
    loose = any(is_error_value(step.table.column(name), value) for name, value in changed.items())
    changes = joined(
        [Quoted(f"{quoted(name)} = {value_literal(step.table.column(name), value)}") for name, value in changed.items()]
    )
    guard = _guard(step.table, step.columns, step.before or (), step.width)
    return _sql("update_any" if loose else "update", table=table, changes=changes, guard=guard)


def _guard(table: Table, columns: Sequence[str], row: Row, width: int) -> Quoted:
    """The row is still this one: found by its key, then every value compared to the byte."""
    pairs = [(table.column(name), value) for name, value in zip(columns, row, strict=True)]
    found = [condition for column, value in pairs[:width] if (condition := indexed(column, value)) is not None]
    return joined([*found, *(exact(column, value) for column, value in pairs)], " AND ")
