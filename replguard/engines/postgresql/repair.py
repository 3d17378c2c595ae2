"""Statements that put rows of PostgreSQL right, as one transaction that fails as a whole.

Each statement hands the number of its rows to a function of the session, which raises an error where it is another than
it was to be; from then on the server refuses everything up to the end, whose COMMIT rolls back.

Triggers of users are disabled within the transaction: what they did on the other side is compared, and repaired, as
rows of its own. Foreign keys stay checked, which ``session_replication_role = replica`` would end.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from replguard.engines.postgresql.literals import exact, literal, text
from replguard.engines.postgresql.quoting import quoted, quoted_table
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.errors import Unsupported
from replguard.model.repairs import Frame
from replguard.model.tables import ColumnKind, TableName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.engines.base import Row
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link
    from replguard.model.repairs import Step
    from replguard.model.tables import Column, ForeignKey, Table


class _Trigger(NamedTuple):
    """A trigger that fires for what a session changes; ``always`` also for what replication applies."""

    table: TableName
    name: str
    always: bool


class PostgresRepairs:
    """Fulfils ``Repairs``."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def uniques(self, tables: Sequence[TableName]) -> Mapping[TableName, Sequence[tuple[str, ...]]]:
        wanted = set(tables)
        found: defaultdict[TableName, list[tuple[str, ...]]] = defaultdict(list)
        for row in self._server.session.rows("repair/uniques"):
            name = TableName(row["schema"], row["name"])
            if name in wanted:
                found[name].append(tuple(row["columns"]))
        return found

    def count(self, table: Table, columns: Sequence[str], row: Row) -> int:
        source, guard = _source(table), _guard(table, columns, row)
        found = self._server.session.rows(
            "repair/count", doing=f"counting rows of {table.name}", table=source, guard=guard
        )
        return int(found[0]["found"])

    def frame(self, steps: Sequence[Step], links: Sequence[Link], carrying: Sequence[Link], *, circles: bool) -> Frame:
        """What a link would carry is marked with an origin, where the link leaves such changes out; else refused."""
        facts = self._server.facts
        tables = {step.table.name: step.table for step in steps}
        triggers = self._firing(list(tables))
        marked = bool(carrying) and all(link.detail.get("origin") == "none" for link in carrying)
        head = [_sql("begin", system=_text(facts["system_identifier"]), database=_text(facts["database"]))]
        if carrying:
            head.append(_sql("origin" if marked else "travels"))
        head += [_sql("lock", table=_source(tables[name])) for name in _keyless(steps)]
        head += [_trigger("off", one) for one in triggers]
        head += [_sql("deferred")] if circles else []
        foot = [_trigger("always" if one.always else "on", one) for one in triggers]
        foot += [_sql("end"), *([_sql("origin_end")] if marked else [])]
        notes = (
            *_of_links(self._server.name, links, carrying, marked=marked),
            *_of_triggers(triggers),
            *_of_circles(circles=circles),
        )
        return Frame(notes, *("\n".join(f"{part};" for part in parts) for parts in (head, foot)))

    def write(self, steps: Sequence[Step], keys: Sequence[ForeignKey] = ()) -> str:
        if len(steps) == 1:
            return "\n".join(_alone(steps[0]))
        _may_be_replaced(steps, keys)
        parts = [(Quoted(f"s{number}"), step) for number, step in enumerate(steps, start=1)]
        ctes = [_sql("circle_step", part=name, text=_text_of(step)) for name, step in parts]
        checks = [
            _sql("circle_check", part=name, times=Quoted(str(step.times)), what=_what(step)) for name, step in parts
        ]
        return _sql("circle", steps=joined(ctes, ",\n"), checks=joined(checks, ",\n  ")) + ";"

    def _firing(self, names: Sequence[TableName]) -> list[_Trigger]:
        asked = {"schemas": [name.schema for name in names], "names": [name.name for name in names]}
        found = [row["relid"] for row in self._server.session.rows("repair/relids", asked)]
        rows = self._server.session.rows("repair/triggers", {"relids": found})
        return [_Trigger(TableName(row["schema"], row["name"]), row["trigger"], row["always"]) for row in rows]


def _of_links(cluster: str, links: Sequence[Link], carrying: Sequence[Link], *, marked: bool) -> Iterator[str]:
    if not carrying:
        where = f": no link carries these tables from {cluster}" if links else ""
        yield f"Nothing keeps these changes on {cluster}{where}. Whoever subscribes there gets them"
        return
    labels = ", ".join(link.label for link in carrying)
    if marked:
        yield (
            f"Marked with a replication origin of its own, so that it does not travel over {labels}, whose "
            "subscription has origin = none"
        )
        yield (
            "That needs a superuser, or EXECUTE on pg_replication_origin_create, _session_setup, _session_reset and "
            "_drop; the origin is removed at the end"
        )
        return
    yield (
        f"IT WOULD TRAVEL over {labels}, whose subscription sends on whatever this server changes, to where the rows "
        "are right already; a row that is put in twice stops that link. So this file refuses to run"
    )
    yield (
        "Set origin = none on that subscription (PostgreSQL 16 or newer) and compare again, or repair the other "
        "cluster (--repair), over which nothing comes back"
    )


def _of_triggers(triggers: Sequence[_Trigger]) -> Iterator[str]:
    if triggers:
        named = ", ".join(f"{one.name} of {one.table}" for one in triggers)
        yield (
            "Triggers are disabled until the end of the transaction, which needs the tables' owner and locks others' "
            f"writes out that long: {named}"
        )


def _of_circles(*, circles: bool) -> Iterator[str]:
    if circles:
        yield "Some rows refer to one another in a circle: one statement writes them, at whose end they are checked"


def _sql(name: str, **slots: Quoted) -> Quoted:
    return statement("postgresql", f"repair/{name}", **slots)


def _trigger(name: str, trigger: _Trigger) -> Quoted:
    return _sql(f"trigger_{name}", table=quoted_table(trigger.table), trigger=quoted(trigger.name))


def _text(value: str) -> Quoted:
    return text(value.encode())


def _source(table: Table) -> Quoted:
    """The table's own rows, and those of its partitions, but not those of tables that inherit from it."""
    name = quoted_table(table.name)
    return name if table.partitioned else statement("postgresql", "read_only_table", table=name)


def _keyless(steps: Sequence[Step]) -> list[TableName]:
    return list(dict.fromkeys(step.table.name for step in steps if not step.width))


def _what(step: Step) -> Quoted:
    """The row in words, for the error that tells that it is not as it was."""
    row = (step.before or step.after or ())[: step.width]
    key = ", ".join(
        f"{name}={_shown(step.table.column(name), value or b'')[:60]}"
        for name, value in zip(step.columns, row, strict=False)
    )
    return _text(f"{step.table.name}" + (f" ({key})" if key else ""))


def _may_be_replaced(steps: Sequence[Step], keys: Sequence[ForeignKey]) -> None:
    """Unsupported where taking a row out, to put it in again, would be refused at once or take others along."""
    gone, back = ({_named(step) for step in steps if step.kind == kind} for kind in ("delete", "insert"))
    tables = {table for table, _ in gone & back}
    acting = [key for key in keys if key.parent in tables and key.on_delete != "NO ACTION"]
    if acting:
        raise Unsupported(
            f"it exchanges unique values with another row, and rows of {acting[0].child} refer to them",
            remedy="give one of the two a value that is free, then both their own",
        )


def _named(step: Step) -> tuple[TableName, Row]:
    return step.table.name, (step.before or step.after or ())[: step.width]


def _shown(column: Column, value: bytes) -> str:
    return f"0x{value.hex()}" if column.kind is ColumnKind.binary else value.decode("utf-8", "backslashreplace")


def _alone(step: Step) -> Iterator[str]:
    if step.kind == "insert" and not step.width:
        guard = _guard(step.table, step.columns, step.after or ())
        times = Quoted(str(step.standing))
        yield _sql("standing", table=_source(step.table), guard=guard, times=times, what=_what(step)) + ";"
    yield _sql("step", text=_text_of(step), times=Quoted(str(step.times)), what=_what(step)) + ";"


def _text_of(step: Step) -> Quoted:
    if step.kind == "insert":
        return _insert(step)
    guard = _guard(step.table, step.columns, step.before or ())
    if step.kind == "update":
        return _update(step, guard)
    if step.width:
        return _sql("delete", table=_source(step.table), guard=guard)
    return _sql("delete_some", table=_source(step.table), guard=guard, times=Quoted(str(step.times)))


def _insert(step: Step) -> Quoted:
    table = quoted_table(step.table.name)
    columns = [step.table.column(name) for name in step.columns]
    pairs = [(column, value) for column, value in zip(columns, step.after or (), strict=True) if not column.generated]
    if not pairs:
        return _sql("insert_default", table=table)
    row = Quoted(f"({joined([literal(column, value) for column, value in pairs])})")
    return _sql(
        "insert",
        table=table,
        columns=joined([quoted(column.name) for column, _ in pairs]),
        overriding=Quoted(_sql("overriding") + " ") if any(column.identity for column, _ in pairs) else Quoted(""),
        rows=joined([row] * step.times),
    )


def _update(step: Step, guard: Quoted) -> Quoted:
    columns = [step.table.column(name) for name in step.columns]
    triples = zip(columns, step.before or (), step.after or (), strict=True)
    changed = [(column, new) for column, old, new in triples if old != new and not column.generated]
    if not changed:
        raise Unsupported(
            "only generated columns differ, which nobody can write",
            remedy="compare the definitions of these columns on both sides",
        )
    changes = joined([Quoted(f"{quoted(column.name)} = {literal(column, new)}") for column, new in changed])
    return _sql("update", table=_source(step.table), changes=changes, guard=guard)


def _guard(table: Table, columns: Sequence[str], row: Row) -> Quoted:
    """The row is still this one: every value compared to the byte."""
    return joined([exact(table.column(name), value) for name, value in zip(columns, row, strict=True)], " AND ")
