"""Publications as plain data, and the statements that lead from one to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.postgresql.publications import OPERATIONS, Publication
from replguard.engines.postgresql.quoting import quoted, quoted_table
from replguard.engines.sqlfiles import Quoted, joined, statement
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def plain(one: Publication) -> dict[str, Any]:
    """The publication as JSON keeps it."""
    return {
        "name": one.name,
        "all_tables": one.all_tables,
        "via_partition_root": one.via_root,
        "operations": [operation for operation in OPERATIONS if operation in one.operations],
        "schemas": sorted(one.schemas),
        "tables": [
            [name.schema, name.name, where, list(columns) if columns else None]
            for name, (where, columns) in sorted((one.tables or {}).items())
        ],
    }


def of_plain(data: Mapping[str, Any]) -> Publication:
    """What :func:`plain` made.

    >>> one = Publication("p", tables={TableName("st", "t"): ("(id > 5)", ("id", "v"))})
    >>> of_plain(plain(one)) == one
    True
    """
    return Publication(
        name=data["name"],
        all_tables=data["all_tables"],
        via_root=data["via_partition_root"],
        operations=frozenset(data["operations"]),
        schemas=frozenset(data["schemas"]),
        tables={
            TableName(schema, name): (where, tuple(columns) if columns else None)
            for schema, name, where, columns in data["tables"]
        },
    )


def between(now: Publication | None, then: Publication | None, version: str) -> list[Quoted]:
    """The statements that make ``then`` of ``now``; None is one that is not there."""
    if now is None or then is None:
        return [_made(then, version)] if then else [_text("publication_drop", version, **_name(now))] if now else []
    name = _name(now)
    found = []
    if (now.schemas, now.tables) != (then.schemas, then.tables):
        if then.schemas or then.tables:
            found.append(_text("publication_list", version, objects=_objects(then, version), **name))
        else:
            bare = Publication(now.name, schemas=now.schemas, tables=dict.fromkeys(now.tables or {}, (None, None)))
            found.append(_text("publication_clear", version, objects=_objects(bare, version), **name))
    if (now.operations, now.via_root) != (then.operations, then.via_root):
        found.append(_text("publication_options", version, **name, **_options(then)))
    return found


def listing(names: Iterable[str]) -> Quoted:
    """Names of publications, one after the other."""
    return joined([quoted(name) for name in names])


def _text(file: str, version: str, **slots: Quoted) -> Quoted:
    return statement("postgresql", file, version, **slots)


def _name(one: Publication) -> dict[str, Quoted]:
    return {"publication": quoted(one.name)}


def _made(one: Publication, version: str) -> Quoted:
    return _text("publication_create", version, objects=_for(one, version), **_name(one), **_options(one))


def _options(one: Publication) -> dict[str, Quoted]:
    """The operations are words of our own."""
    wanted = ", ".join(operation for operation in OPERATIONS if operation in one.operations)
    return {"operations": Quoted(f"'{wanted}'"), "via_root": Quoted("true" if one.via_root else "false")}


def _for(one: Publication, version: str) -> Quoted:
    objects = _objects(one, version)
    return Quoted(" " + _text("publication_for", version, objects=objects)) if objects else Quoted("")


def _objects(one: Publication, version: str) -> Quoted:
    parts = []
    if one.schemas:
        schemas = joined([quoted(schema) for schema in sorted(one.schemas)])
        parts.append(_text("publication_schemas", version, schemas=schemas))
    if one.tables:
        tables = joined([_table(name, *limits, version) for name, limits in sorted(one.tables.items())])
        parts.append(_text("publication_tables", version, tables=tables))
    return joined(parts)


def _table(name: TableName, where: str | None, columns: tuple[str, ...] | None, version: str) -> Quoted:
    parts = [_text("publication_table", version, table=quoted_table(name))]
    if columns:
        parts.append(_text("publication_columns", version, columns=joined([quoted(column) for column in columns])))
    if where:
        # As the server itself printed it from its catalog (pg_get_expr), with every name in it quoted.
        parts.append(_text("publication_where", version, condition=Quoted(where)))
    return joined(parts, " ")
