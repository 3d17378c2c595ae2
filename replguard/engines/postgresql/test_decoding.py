"""The text of ``test_decoding``: one message in, what it says out, no connection.

Source: ``contrib/test_decoding/test_decoding.c`` of PostgreSQL 14 to 18 and its documentation. Names are quoted as SQL
identifiers, text values as SQL strings without escapes; what does not fit exactly is an error, never skipped. The
plugin is asked for transaction ids and commit times, and not for parts of open transactions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from replguard.model.tables import TableName

_NAME = r'(?:"(?:[^"]++|"")++"|[a-z_][a-z0-9_]*+)'
_TABLE = rf"{_NAME}\.{_NAME}"
_HEAD = rf"table ({_TABLE}): (INSERT|UPDATE|DELETE):"
_ROW = re.compile(_HEAD)
HEAD = re.compile(_HEAD.encode())
"""How every row change begins, as bytes; what is only counted is not read beyond."""
_TRUNCATE = re.compile(
    rf"table ({_TABLE}(?:, {_TABLE})*+): TRUNCATE:( \(no-flags\)| restart_seqs cascade| restart_seqs| cascade)"
)
_ONE_TABLE = re.compile(rf"({_NAME})\.({_NAME})")
_STRING = r"'(?:[^']++|'')*+'"
_VALUE = rf"null|unchanged-toast-datum|{_STRING}|B'[01]*+'|true|false|-?[0-9][-+.0-9e]*+|-?Infinity|NaN"
_COLUMN = re.compile(
    rf""" (?P<name>{_NAME})\[(?P<type>(?:"(?:[^"]++|"")++"|\[\]|[^\[\]"])++)\]:(?P<value>{_VALUE})(?= |\Z)""", re.DOTALL
)
_TIME = r"(?: \(at ([^()]+)\))?"
_BEGIN = re.compile(r"BEGIN ([0-9]+)")
_COMMIT = re.compile(rf"COMMIT ([0-9]+){_TIME}")
_PREPARED = re.compile(
    rf"(PREPARE TRANSACTION|COMMIT PREPARED|ROLLBACK PREPARED) (E?{_STRING}), txid ([0-9]+){_TIME}", re.DOTALL
)
_MESSAGE = re.compile(r"message: transactional: [01] prefix: .*, sz: [0-9]+ content:.*", re.DOTALL)
_INTEGERS = frozenset({"smallint", "integer", "bigint"})
_NO_TUPLE = " (no-tuple-data)"


class Unreadable(Exception):  # noqa: N818 - said to the stream, never shown as a traceback
    """The text is nothing that test_decoding writes."""


class Unchanged:
    """Stands for a large value that was not touched, and so did not travel."""

    def __repr__(self) -> str:
        return "unchanged"


UNCHANGED = Unchanged()
Values: TypeAlias = "dict[str, int | str | Unchanged | None]"
"""Values by column: integers as such, all others as text."""


@dataclass(frozen=True, slots=True)
class BeginText:
    xid: int


@dataclass(frozen=True, slots=True)
class CommitText:
    xid: int
    committed_at: datetime | None


@dataclass(frozen=True, slots=True)
class PreparedText:
    """``what`` is PREPARE TRANSACTION, COMMIT PREPARED or ROLLBACK PREPARED."""

    what: str
    xid: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class RowText:
    """A row change. ``old`` leaves out what is null; it is None, as ``new``, where no tuple was logged."""

    operation: str
    table: TableName
    old: Values | None
    new: Values | None


@dataclass(frozen=True, slots=True)
class TruncateText:
    tables: tuple[TableName, ...]
    cascade: bool


@dataclass(frozen=True, slots=True)
class MessageText:
    """Written by ``pg_logical_emit_message``: no table's change."""


Text: TypeAlias = "BeginText | CommitText | PreparedText | RowText | TruncateText | MessageText"


def parse(text: str) -> Text:
    """What one message says. Unreadable for anything else.

    >>> parse("table public.t: DELETE: id[integer]:7").old
    {'id': 7}
    """
    if head := _ROW.match(text):
        return _row(text, head)
    if found := _BEGIN.fullmatch(text):
        return BeginText(int(found[1]))
    if found := _COMMIT.fullmatch(text):
        return CommitText(int(found[1]), _time(found[2]))
    if found := _TRUNCATE.fullmatch(text):
        tables = tuple(TableName(_plain(one[1]), _plain(one[2])) for one in _ONE_TABLE.finditer(found[1]))
        return TruncateText(tables, "cascade" in found[2])
    if found := _PREPARED.fullmatch(text):
        return PreparedText(found[1], int(found[3]), _time(found[4]))
    if _MESSAGE.fullmatch(text):
        return MessageText()
    raise Unreadable("a message of test_decoding that is not known")


def table_of(name: bytes, codec: str) -> TableName:
    """A table's name as a message has it.

    >>> table_of(b'public."Order"', "utf-8").name
    'Order'
    """
    return _table(name.decode(codec, "surrogateescape"))


def _table(text: str) -> TableName:
    found = _ONE_TABLE.fullmatch(text)
    if found is None:
        raise Unreadable("a table's name cannot be read")
    return TableName(_plain(found[1]), _plain(found[2]))


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _row(text: str, head: re.Match[str]) -> RowText:
    table, operation, at = _table(head[1]), head[2].lower(), head.end()
    old: Values | None = None
    new: Values | None = None
    if text.startswith(_NO_TUPLE, at):
        at += len(_NO_TUPLE)
    elif operation == "delete":
        old, at = _tuple(text, at)
    else:
        if operation == "update" and text.startswith(" old-key:", at):
            old, at = _tuple(text, at + len(" old-key:"))
            if not text.startswith(" new-tuple:", at):
                raise Unreadable("an update's new row is missing")
            at += len(" new-tuple:")
        if text.startswith(_NO_TUPLE, at):
            at += len(_NO_TUPLE)
        else:
            new, at = _tuple(text, at)
    if at != len(text):
        raise Unreadable(f"{len(text) - at} characters of a row cannot be read")
    return RowText(operation, table, old, new)


def _tuple(text: str, at: int) -> tuple[Values, int]:
    values: Values = {}
    while found := _COLUMN.match(text, at):
        name = _plain(found["name"])
        if name in values:
            raise Unreadable("a column stands twice in a row")
        values[name] = _value(found["type"], found["value"])
        at = found.end()
    return values, at


def _value(type_name: str, text: str) -> int | str | Unchanged | None:
    if text == "null":
        return None
    if text == "unchanged-toast-datum":
        return UNCHANGED
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.startswith("B'"):
        return text[2:-1]
    if type_name not in _INTEGERS:
        return text
    try:
        return int(text)
    except ValueError:
        raise Unreadable("an integer that is none") from None


def _time(text: str | None) -> datetime | None:
    """A commit time as the server prints it in UTC; years before 1 or after 9999 cannot be told."""
    if text is None or not text.endswith("+00"):
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
