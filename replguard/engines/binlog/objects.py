"""What stands around tables of MySQL and MariaDB: indexes, constraints, partitions, triggers, views and routines.

Read in one statement a kind for the whole scope. What uses what is read from the texts, since MariaDB keeps no book of
it. What a server does not show to this user is told: an object that is not seen must never pass for one that is equal.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.connection import quoted
from replguard.engines.binlog.errors import grant
from replguard.engines.binlog.foreignkeys import references as foreign_keys
from replguard.engines.binlog.privileges import Privileges, account
from replguard.engines.binlog.statements import references
from replguard.engines.binlog.tokens import Mode, readings
from replguard.model.schema import Inventory, ObjectKind, SchemaObject, Unseen
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.engines.binlog.server import BinlogServer
    from replguard.engines.sqlfiles import Quoted
    from replguard.model.tables import ForeignKey

    Rows = list[dict[str, Any]]

_PIECES = re.compile(
    r"(?P<kept>'(?:[^']|'')*+'|\"(?:[^\"]|\"\")*+\"|/\*.*?\*/|--(?=\s)[^\n]*|#[^\n]*)"
    r"|`(?P<name>(?:[^`]|``)*+)`(?P<dot>\.)?|(?P<blank>\s+)",
    re.DOTALL,
)
_MADE_UP_CONSTRAINT = re.compile(r"CONSTRAINT_\d+|.*_(?:chk|ibfk)_\d+", re.DOTALL)


def inventory(server: BinlogServer, schemas: Quoted) -> Inventory:
    """Everything of ``schemas``, a list of literals."""
    found: list[SchemaObject] = []
    found += map(_options, server.run("table_options", schemas=schemas))
    references_of = foreign_keys(server, schemas)
    found += _indexes(server.run("indexes", schemas=schemas), references_of)
    found += (_foreign_key(one) for keys in references_of.values() for one in keys)
    found += _checks(server, schemas)
    found += _partitions(server.run("partitions", schemas=schemas))
    found += map(_trigger, server.run("table_triggers", schemas=schemas))
    views = server.run("views", schemas=schemas)
    routines = server.run("routines", schemas=schemas)
    found += map(_view, views)
    found += _routines(routines, server.run("parameters", schemas=schemas) if routines else [])
    return Inventory(tuple(found), tuple(_unseen(server, views, routines)))


def plain(text: str, schema: str) -> str:
    r"""A definition without what differs harmlessly: blanks that part words, and the name of its own database.

    Lines stay lines, since a comment ends with one. A text with backslashes is left as it is: what they do depends on
    the mode in which it was written.

    >>> plain("select  `st`.`a`.`b`  from `st`.`a` where c = 'x  `st`.y'", "st")
    "select `a`.`b` from `a` where c = 'x  `st`.y'"
    """
    if "\\" in text:
        return text
    own = schema.replace("`", "``").casefold()

    def written(piece: re.Match[str]) -> str:
        if piece["blank"]:
            return "\n" if "\n" in piece["blank"] else " "
        if piece["dot"] and piece["name"].casefold() == own:
            return ""
        return str(piece.group())

    return _PIECES.sub(written, text).strip()


def _facts(**facts: object) -> dict[str, str]:
    """Facts by their words; what is None or empty is no fact."""
    return {key.replace("_", " "): str(value) for key, value in facts.items() if value not in (None, "")}


def _options(row: dict[str, Any]) -> SchemaObject:
    options = [word for word in str(row["options"] or "").split() if word != "partitioned"]
    facts = _facts(
        engine=row["engine"],
        kind=row["type"].lower() if row["type"] != "BASE TABLE" else None,
        default_collation=row["collation_name"],
        row_format=row["row_format"],
        options=" ".join(sorted(options)),
    )
    return SchemaObject(ObjectKind.table, row["schema_name"], row["table_name"], "", facts)


def _indexes(rows: Rows, references_of: dict[TableName, tuple[ForeignKey, ...]]) -> Iterator[SchemaObject]:
    for (schema, table, name), group in groupby(rows, lambda row: (row["schema_name"], row["table_name"], row["name"])):
        parts = list(group)
        constraints = {one.name for one in references_of.get(TableName(schema, table), ())}
        first = str(parts[0]["column_name"] or "functional_index")
        facts = _facts(
            unique="yes" if not parts[0]["non_unique"] else None,
            columns=", ".join(map(_part, parts)),
            type=parts[0]["type"] if parts[0]["type"] != "BTREE" else None,
            ignored="yes" if parts[0]["visible"] == "NO" else None,
        )
        made_up = name in constraints or re.fullmatch(re.escape(first) + r"(_\d+)?", name) is not None
        yield SchemaObject(ObjectKind.index, schema, table, name, facts, made_up)


def _part(row: dict[str, Any]) -> str:
    text = str(row["column_name"]) if row["column_name"] is not None else f"({row['expression']})"
    text = f"{text}({row['prefix']})" if row["prefix"] else text
    return f"{text} descending" if row["direction"] == "D" else text


def _foreign_key(one: ForeignKey) -> SchemaObject:
    child, parent = one.child, one.parent
    facts = _facts(
        columns=", ".join(one.columns),
        refers_to=parent.name if parent.schema.casefold() == child.schema.casefold() else str(parent),
        columns_there=", ".join(one.parent_columns),
        on_delete=_alike(one.on_delete),
        on_update=_alike(one.on_update),
    )
    made_up = _MADE_UP_CONSTRAINT.fullmatch(one.name) is not None
    return SchemaObject(ObjectKind.foreign_key, child.schema, child.name, one.name, facts, made_up)


def _alike(action: str) -> str:
    """To these servers RESTRICT and NO ACTION are the same."""
    return "RESTRICT" if action == "NO ACTION" else action


def _checks(server: BinlogServer, schemas: Quoted) -> Iterator[SchemaObject]:
    """Check constraints. MySQL tells their tables apart from what they say."""
    rows = server.run("checks", schemas=schemas)
    if any(row["table_name"] is None for row in rows):
        tables = {(row["schema_name"], row["name"]): row for row in server.run("checked_tables", schemas=schemas)}
        rows = [row | tables[row["schema_name"], row["name"]] for row in rows]
    return map(_check, rows)


def _check(row: dict[str, Any]) -> SchemaObject:
    facts = _facts(
        condition=plain(row["clause"], row["schema_name"]),
        not_enforced="yes" if row["enforced"] == "NO" else None,
    )
    made_up = _MADE_UP_CONSTRAINT.fullmatch(row["name"]) is not None
    return SchemaObject(ObjectKind.constraint, row["schema_name"], row["table_name"], row["name"], facts, made_up)


def _partitions(rows: Rows) -> Iterator[SchemaObject]:
    for (schema, table), group in groupby(rows, lambda row: (row["schema_name"], row["table_name"])):
        parts = list(group)
        head = parts[0]
        by = {"method": head["method"], "key": head["expression"]}
        below = {"subpartition method": head["part_method"], "subpartition key": head["part_expression"]}
        order = dict.fromkeys(row["name"] for row in parts)
        facts = _facts(**by, **below, partitions=", ".join(order))
        yield SchemaObject(ObjectKind.partition, schema, table, "by", facts)
        for name, found in groupby(parts, lambda row: row["name"]):
            inner = list(found)
            below_it = ", ".join(row["part_name"] for row in inner if row["part_name"])
            bound = _facts(bound=inner[0]["bound"], subpartitions=below_it)
            yield SchemaObject(ObjectKind.partition, schema, table, name, bound)


def _trigger(row: dict[str, Any]) -> SchemaObject:
    facts = _facts(
        fires=f"{row['timing']} {row['manipulation']}",
        place=row["place"],
        body=plain(row["body"] or "", row["schema_name"]),
        sql_mode=_words(row["sql_mode"]),
        definer=row["definer"],
        collation_of_literals=row["collation_name"],
    )
    names = _names(row["body"] or "", row["schema_name"], row["sql_mode"])
    return SchemaObject(ObjectKind.trigger, row["schema_name"], row["table_name"], row["name"], facts, names=names)


def _view(row: dict[str, Any]) -> SchemaObject:
    schema, definition = row["schema_name"], row["definition"] or ""
    facts = _facts(
        definition=plain(definition, schema),
        check_option=row["check_option"] if row["check_option"] != "NONE" else None,
        security=row["security_type"],
        definer=row["definer"],
        collation_of_literals=row["collation_name"],
    )
    found = references(f"CREATE VIEW v AS {definition}", schema)
    names = frozenset(name.folded() for name in (*found.tables, *found.guessed)) | _called(definition, schema, Mode())
    return SchemaObject(ObjectKind.view, schema, None, row["name"], facts, names=names)


def _routines(rows: Rows, parameters: Rows) -> Iterator[SchemaObject]:
    takes: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for row in parameters:
        text = " ".join(filter(None, (row["mode"], row["parameter"], row["data_type"], row["collation_name"])))
        takes[row["schema_name"], row["type"], row["name"]].append(text)
    for row in rows:
        schema, body = row["schema_name"], row["body"] or ""
        facts = _facts(
            parameters=", ".join(takes[schema, row["type"], row["name"]]),
            result=" ".join(filter(None, (row["result"], row["result_collation"]))),
            body=plain(body, schema),
            deterministic=row["is_deterministic"],
            access=row["data_access"],
            security=row["security_type"],
            sql_mode=_words(row["sql_mode"]),
            definer=row["definer"],
            collation_of_literals=row["collation_name"],
        )
        title = _title(row)
        names = _names(body, schema, row["sql_mode"])
        yield SchemaObject(ObjectKind.routine, schema, None, title, facts, names=names, bare=row["name"])


def _words(sql_mode: str | None) -> str:
    return ", ".join(sorted(filter(None, (sql_mode or "").split(","))))


def _names(body: str, schema: str, sql_mode: str | None) -> frozenset[TableName]:
    """The tables and routines that a program names or may name."""
    modes = (sql_mode or "").upper().split(",")
    mode = Mode("ANSI_QUOTES" in modes or "ANSI" in modes, "NO_BACKSLASH_ESCAPES" in modes)
    found = references(f"CREATE PROCEDURE p() {body}", schema, mode)
    return frozenset(name.folded() for name in (*found.tables, *found.guessed)) | _called(body, schema, mode)


def _called(text: str, schema: str, mode: Mode) -> frozenset[TableName]:
    """What may be a routine: a name before a parenthesis or behind CALL."""
    found: set[TableName] = set()
    for tokens in readings(text, mode):
        for at, token in enumerate(tokens):
            follows = tokens[at + 1].text if at + 1 < len(tokens) else ""
            qualified = at > 1 and tokens[at - 1].text == "." and tokens[at - 2].names
            head = tokens[at - 3 if qualified else at - 1].keyword if at >= (3 if qualified else 1) else ""
            if token.names and (follows == "(" or head == "CALL"):
                found.add(TableName(tokens[at - 2].text if qualified else schema, token.text).folded())
    return frozenset(found)


def _unseen(server: BinlogServer, views: Rows, routines: Rows) -> Iterator[Unseen]:
    privileges = Privileges(server)
    user = account(server.account)
    for schema in server.scope:
        if not privileges.has("TRIGGER", schema):
            remedy = grant("TRIGGER", f"{quoted(schema)}.*", user)
            yield Unseen(f"triggers of database {schema}", remedy, ObjectKind.trigger, schema)
    for row in views:
        if not row["definition"]:
            schema, name = row["schema_name"], row["name"]
            remedy = grant("SELECT, SHOW VIEW", f"{quoted(schema)}.*", user)
            yield Unseen(f"the definition of view {schema}.{name}", remedy, ObjectKind.view, schema, name)
    why = server.hides_routines(privileges)
    if why:
        yield Unseen(f"routines of {_listed(server.scope)}", why, ObjectKind.routine)
        return
    for row in routines:
        if row["body"] is None:
            title = _title(row)
            what = f"the body of {title} of database {row['schema_name']}"
            yield Unseen(what, None, ObjectKind.routine, row["schema_name"], title)


def _title(routine: dict[str, Any]) -> str:
    return f"{routine['type'].lower()} {routine['name']}"


def _listed(schemas: Iterable[str]) -> str:
    return "database " + ", ".join(schemas)
