"""Which tables a statement names in a table's place, by the form of the statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.cursor import Cursor
from replguard.engines.binlog.tablewalk import Roles, walk
from replguard.engines.binlog.tokens import Kind
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from replguard.engines.binlog.tokens import Token

_NOTHING = Roles()
_UNKNOWN = Roles(understood=False)
_WITHOUT_TABLES = frozenset(
    {"USER", "ROLE", "SERVER", "TABLESPACE", "LOGFILE", "RESOURCE", "REFERENCE", "INSTANCE", "CATALOG", "LIBRARY"}
)
_PROGRAMS = frozenset({"PROCEDURE", "FUNCTION", "PACKAGE", "EVENT", "TRIGGER"})
_KINDS = _WITHOUT_TABLES | _PROGRAMS | {"DATABASE", "SCHEMA", "TABLE", "TABLES", "VIEW", "INDEX", "SEQUENCE"}
_MAINTENANCE = frozenset({"OPTIMIZE", "ANALYZE", "REPAIR", "CHECK", "CHECKSUM"})
_DML = frozenset(
    {"INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "SELECT", "WITH", "TABLE", "VALUES", "(", "DO", "CALL"}
)
_LOCALLY = frozenset({"LOCAL", "NO_WRITE_TO_BINLOG"})
# What may stand between CREATE, ALTER or DROP and the kind of object.
_BEFORE_KIND = frozenset(
    {
        "OR",
        "REPLACE",
        "TEMPORARY",
        "AGGREGATE",
        "UNIQUE",
        "FULLTEXT",
        "SPATIAL",
        "VECTOR",
        "ONLINE",
        "OFFLINE",
        "IGNORE",
    }
    | {"SQL", "SECURITY", "INVOKER", "DEFINER", "UNDO", "JSON", "RELATIONAL", "DUALITY"}
)


def stripped(found: Sequence[Token]) -> Sequence[Token]:
    """Without ``SET STATEMENT variable = value, ... FOR``, which MariaDB lets stand before any statement."""
    if [token.keyword for token in found[:2]] != ["SET", "STATEMENT"]:
        return found
    depth = 0
    for index, token in enumerate(found):
        if token.kind is Kind.mark:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
        elif token.keyword == "FOR" and not depth:
            return found[index + 1 :]
    return found


def object_kind(found: Sequence[Token]) -> tuple[str, int]:
    """What CREATE, ALTER or DROP is about (``TABLE``, ...), and where that word stands; empty where it is not known."""
    cursor = Cursor(found, "", 1)
    while True:
        if cursor.take("DEFINER", "="):
            _step_over_user(cursor)
        elif cursor.take("ALGORITHM", "=") or cursor.token.keyword in _BEFORE_KIND:
            cursor.at += 1
        else:
            word = cursor.token.keyword
            return (word, cursor.at) if word in _KINDS else ("", 0)


def _step_over_user(cursor: Cursor) -> None:
    cursor.at += 1
    if cursor.take("@"):
        cursor.at += 1
    cursor.take("(", ")")


def is_temporary(found: Sequence[Token]) -> bool:
    words = [token.keyword for token in found[:4]]
    return words[1:2] == ["TEMPORARY"] or words[1:] == ["OR", "REPLACE", "TEMPORARY"]


def roles(tokens: Sequence[Token], schema: str) -> Roles:
    """The tables of one reading of a statement."""
    found = stripped(tokens)
    head = (found[0].keyword or found[0].text) if found else ""
    if head in _MAINTENANCE:
        return _maintained(found, schema)
    form = _FORMS.get(head)
    if form:
        return form(Cursor(found, schema))
    return walk(found, schema) if head in _DML else _UNKNOWN


def _defined(cursor: Cursor) -> Roles:
    verb, (kind, at) = cursor.token.keyword, object_kind(cursor.rest)
    temporary = is_temporary(cursor.rest)
    cursor.at = at + 1
    cursor.take_existence()
    if kind in _WITHOUT_TABLES:
        return _NOTHING
    if kind in ("DATABASE", "SCHEMA"):
        return _database(verb, cursor)
    if kind in _PROGRAMS:
        return _program(verb, kind, cursor)
    if kind == "INDEX":
        return _of(cursor.indexed())
    if not kind:
        return _UNKNOWN
    if verb == "DROP":
        return _NOTHING if temporary else _listed(cursor)
    return _relation(cursor, temporary=temporary)


def _database(verb: str, cursor: Cursor) -> Roles:
    """All tables of a database that is dropped."""
    if verb != "DROP":
        return _NOTHING
    return Roles((TableName(cursor.token.text, "*"),)) if cursor.token.names else _UNKNOWN


def _program(verb: str, kind: str, cursor: Cursor) -> Roles:
    """What a stored program names when it is made; one that is dropped is called by its own name alone."""
    if verb == "DROP" or (verb == "ALTER" and kind not in ("EVENT", "PACKAGE")):
        return _NOTHING
    if kind == "PACKAGE":
        cursor.take("BODY")
        cursor.take_existence()
    cursor.table()
    if kind == "EVENT":
        _rename_event(cursor)
    on = subject(cursor) if kind == "TRIGGER" else None
    if on is None and kind == "TRIGGER":
        return _UNKNOWN
    body = walk(cursor.rest, cursor.schema, program=True)
    return Roles(_once(*([on] if on else []), *body.tables), body.understood)


def _rename_event(cursor: Cursor) -> None:
    """``ALTER EVENT ... RENAME TO`` names an event: what stands before the next clause is no table's place."""
    rest = cursor.rest
    for index, token in enumerate(rest):
        if token.keyword == "DO":
            return
        if token.keyword == "RENAME" and rest[index + 1 : index + 2] and rest[index + 1].keyword == "TO":
            cursor.at += index + 2
            cursor.table()
            return


def subject(cursor: Cursor) -> TableName | None:
    """The table behind ``BEFORE INSERT ON`` (of MariaDB 12 also ``INSERT OR UPDATE OF a, b ON``)."""
    while not (cursor.ended or cursor.take("ON")):
        cursor.at += 1
    return cursor.table()


def _relation(cursor: Cursor, *, temporary: bool) -> Roles:
    """A table, view or sequence that is made or altered, with what its definition names."""
    own = cursor.table()
    if own is None:
        return _UNKNOWN
    like = cursor.table() if cursor.take("LIKE") or cursor.take("(", "LIKE") else None
    body = walk(cursor.rest, cursor.schema)
    named = [table for table in (None if temporary else own, like) if table]
    return Roles(_once(*named, *body.tables), body.understood)


def _listed(cursor: Cursor) -> Roles:
    cursor.take_existence()
    tables = cursor.list()
    return _UNKNOWN if tables is None else Roles(_once(*tables))


def _of(table: TableName | None) -> Roles:
    return _UNKNOWN if table is None else Roles((table,))


def _once(*tables: TableName) -> tuple[TableName, ...]:
    return tuple(dict.fromkeys(tables))


def _truncated(cursor: Cursor) -> Roles:
    cursor.take("TRUNCATE")
    cursor.take("TABLE")
    cursor.take_existence()
    return _of(cursor.table())


def _renamed(cursor: Cursor) -> Roles:
    cursor.take("RENAME")
    if cursor.take("USER"):
        return _NOTHING
    tables = cursor.renamed() if cursor.take_one_of("TABLE", "TABLES") else None
    return _UNKNOWN if tables is None else Roles(_once(*tables))


def _granted(cursor: Cursor) -> Roles:
    """Privileges (EVENT is one), columns and roles stand before ON, and at most one table behind it."""
    if cursor.take("GRANT", "PROXY") or cursor.take("REVOKE", "PROXY"):
        return _NOTHING
    while not (cursor.ended or cursor.take("ON")):
        cursor.at += 1
    if cursor.take_one_of("PROCEDURE", "FUNCTION", "PACKAGE"):
        return _NOTHING
    cursor.take("TABLE")
    table = cursor.table()
    return _NOTHING if table is None else Roles((table,))


def _flushed(cursor: Cursor) -> Roles:
    cursor.take("FLUSH")
    cursor.take_any(_LOCALLY)
    if not cursor.take_one_of("TABLE", "TABLES"):
        return _NOTHING
    return _NOTHING if cursor.ended or cursor.token.keyword == "WITH" else _listed(cursor)


def _maintained(found: Sequence[Token], schema: str) -> Roles:
    """OPTIMIZE, ANALYZE and their like; MariaDB's ANALYZE also runs the change that follows it."""
    cursor = Cursor(found, schema, 1)
    cursor.take_any(_LOCALLY)
    if cursor.take_one_of("TABLE", "TABLES", "VIEW"):
        return _listed(cursor)
    return walk(found, schema)


def _set(cursor: Cursor) -> Roles:
    return _NOTHING if is_account_setting(cursor.rest) else _UNKNOWN


def is_account_setting(found: Sequence[Token]) -> bool:
    """SET PASSWORD and SET DEFAULT ROLE are logged like DDL."""
    words = [token.keyword for token in found[:3]]
    return words[:2] == ["SET", "PASSWORD"] or words == ["SET", "DEFAULT", "ROLE"]


def _nothing(_cursor: Cursor) -> Roles:
    return _NOTHING


_FORMS: dict[str, Callable[[Cursor], Roles]] = {
    "CREATE": _defined,
    "ALTER": _defined,
    "DROP": _defined,
    "TRUNCATE": _truncated,
    "RENAME": _renamed,
    "GRANT": _granted,
    "REVOKE": _granted,
    "FLUSH": _flushed,
    "SET": _set,
    "INSTALL": _nothing,
    "UNINSTALL": _nothing,
}
