"""What stands around PostgreSQL's tables: indexes, constraints, triggers, policies, types, views, routines, sequences.

Read in one statement a kind. The catalog is readable by everyone, so nothing is hidden here. Definitions are printed by
the server with every name in full, since no schema but the system's is searched.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from replguard.model.schema import Inventory, ObjectKind, SchemaObject
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from replguard.engines.postgresql.server import PostgresServer

    Row = Mapping[str, Any]

_PERSISTENCE = {"p": "logged", "u": "unlogged"}
_IDENTITY = {"d": "primary key", "n": "nothing", "f": "full"}
_ENABLED = {"O": "not for replicated changes", "D": "never", "R": "for replicated changes only", "A": "always"}
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
_VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}
_TYPES = {"e": "enum", "d": "domain", "c": "composite", "r": "range"}
_ROUTINES = {"f": "function", "p": "procedure", "w": "window function"}
_CONSTRAINTS = {"f": ObjectKind.foreign_key, "c": ObjectKind.constraint, "n": ObjectKind.constraint}
_MADE_UP = re.compile(r".*_(?:pkey|key|idx|excl|check|fkey|not_null)\d*", re.DOTALL)
_WORD = re.compile(r'"((?:[^"]|"")+)"|([\w$]+)')
_KNOWN_BY_WORDS = frozenset({"c", "internal"})
_BETWEEN = "\x01"


def inventory(server: PostgresServer) -> Inventory:
    """Everything of the scope."""
    makers = {
        "schema_tables": _of_table,
        "schema_indexes": _index,
        "schema_constraints": _constraint,
        "schema_triggers": _trigger,
        "schema_policies": _policy,
        "schema_rules": _rule,
        "schema_types": _type,
        "schema_views": _view,
        "schema_routines": _routine,
        "schema_sequences": _sequence,
    }
    scope = server.catalog.scope
    found: list[SchemaObject] = []
    for name, make in makers.items():
        for row in server.session.rows(name, scope, doing="reading the catalog"):
            found += make(row)
    return Inventory(tuple(found))


def _facts(**facts: str | bool | None) -> dict[str, str]:
    """Facts by their words; what is None or False is no fact."""
    words = {key.replace("_", " "): value for key, value in facts.items() if value is not None and value is not False}
    return {key: "yes" if value is True else str(value) for key, value in words.items()}


def _made_up(name: str, table: str) -> bool:
    """Whether the server may have chosen a constraint's or index's name.

    >>> _made_up("account_email_key", "account"), _made_up("emails", "account")
    (True, False)
    """
    return name.startswith(table[:20]) and _MADE_UP.fullmatch(name) is not None


def _of_table(row: Row) -> Iterator[SchemaObject]:
    schema, table = row["schema"], row["name"]
    identity = _IDENTITY.get(row["identity"]) or f"index {row['identity_index']}"
    facts = _facts(
        persistence=_PERSISTENCE[row["persistence"]],
        replica_identity=identity,
        row_security=row["row_security"],
        row_security_for_owner=row["forced_row_security"],
        access_method=row["method"],
        storage_parameters=row["parameters"],
        of_type=row["of_type"],
        parents=row["parents"],
    )
    yield SchemaObject(ObjectKind.table, schema, table, "", facts)
    if row["partitioned_by"]:
        yield SchemaObject(ObjectKind.partition, schema, table, "by", _facts(key=row["partitioned_by"]))
    if row["bound"]:
        yield SchemaObject(ObjectKind.partition, schema, table, "bound", _facts(bound=row["bound"]))


def _index(row: Row) -> Iterator[SchemaObject]:
    definition: str = row["definition"]
    head, _, rest = definition.partition(row["head"])
    facts = _facts(
        unique="UNIQUE" in head,
        definition=rest or definition,
        constraint=row["constraint_definition"],
        invalid=not row["valid"],
    )
    made_up = _made_up(row["name"], row["table_name"])
    yield SchemaObject(ObjectKind.index, row["schema"], row["table_name"], row["name"], facts, made_up)


def _constraint(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(
        definition=row["definition"],
        not_valid=not row["valid"],
        not_inherited=row["no_inherit"] and row["kind"] == "c",
        disabled=row["disabled"],
    )
    made_up = _made_up(row["name"], row["table_name"])
    yield SchemaObject(_CONSTRAINTS[row["kind"]], row["schema"], row["table_name"], row["name"], facts, made_up)


def _trigger(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(definition=row["definition"], fires=_ENABLED[row["enabled"]])
    names = frozenset({TableName(row["function_schema"], row["function_name"]).folded()})
    yield SchemaObject(ObjectKind.trigger, row["schema"], row["table_name"], row["name"], facts, names=names)


def _policy(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(
        command=_COMMANDS[row["command"]],
        restrictive=not row["permissive"],
        condition=row["condition"],
        new_rows=row["new_rows"],
        roles=row["roles"],
    )
    yield SchemaObject(ObjectKind.policy, row["schema"], row["table_name"], row["name"], facts)


def _rule(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(definition=row["definition"], fires=_ENABLED[row["enabled"]])
    yield SchemaObject(ObjectKind.rule, row["schema"], row["table_name"], row["name"], facts)


def _type(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(
        kind=_TYPES[row["kind"]],
        labels=row["labels"],
        base=row["base"],
        not_null=row["not_null"],
        default=row["default_value"],
        collation=row["collation"],
        checks=row["checks"],
        parts=row["parts"],
        subtype=row["subtype"],
    )
    users = zip(row["user_schemas"], row["user_names"], strict=True)
    used_by = frozenset(TableName(*pair).folded() for pair in users)
    yield SchemaObject(ObjectKind.type, row["schema"], None, row["name"], facts, used_by=used_by)


def _view(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(
        definition=row["definition"],
        materialised=row["kind"] == "m",
        options=row["parameters"],
        not_filled=not row["populated"],
    )
    yield SchemaObject(ObjectKind.view, row["schema"], None, row["name"], facts, names=_pairs(row["names"]))


def _routine(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(
        kind=_ROUTINES[row["kind"]],
        parameters=row["parameters"],
        result=row["result"],
        language=row["language"],
        volatility=_VOLATILITY[row["volatility"]],
        runs_as_definer=row["definer"],
        strict=row["strict"],
        leakproof=row["leakproof"],
        parallel=row["parallel"],
        settings=row["settings"],
        body=row["body"],
        library=row["library"],
    )
    names = _pairs(row["names"])
    if row["language"] not in _KNOWN_BY_WORDS:
        names |= frozenset(_words(row["schema"], row["body"] or ""))
    title = f"{row['bare']}({row['arguments']})"
    used_by = _pairs(row["users"])
    yield SchemaObject(
        ObjectKind.routine, row["schema"], None, title, facts, names=names, used_by=used_by, bare=row["bare"]
    )


def _words(schema: str, body: str) -> Iterator[TableName]:
    """Every word of a body may be a table's name, behind the schema before it or, where there is none, in any."""
    before = ""
    for quoted, word in _WORD.findall(body):
        name = quoted.replace('""', '"') if quoted else word
        yield TableName(schema, name).folded()
        if before:
            yield TableName(before, name).folded()
        yield TableName("", name).folded()
        before = name


def _sequence(row: Row) -> Iterator[SchemaObject]:
    facts = _facts(
        type=row["type"],
        start=str(row["start"]),
        increment=str(row["increment"]),
        least=str(row["least"]),
        greatest=str(row["greatest"]),
        cache=str(row["cache"]),
        cycles=row["cycles"],
        persistence=_PERSISTENCE.get(row["persistence"], row["persistence"]),
        column=row["column_name"],
        owned_by_the_column=row["owned"],
    )
    made_up = row["name"].startswith(row["table_name"][:20]) and re.search(r"_seq\d*$", row["name"]) is not None
    yield SchemaObject(ObjectKind.sequence, row["schema"], row["table_name"], row["name"], facts, made_up)


def _pairs(texts: Iterable[str]) -> frozenset[TableName]:
    return frozenset(TableName(*text.split(_BETWEEN, 1)).folded() for text in texts)
