"""A row's hash, as an expression of the server's: exactly the rows that read alike have the same.

Each column enters as it is only where its type's own hash takes two values for equal if and only if they read alike,
and makes 64 bits of them, or all that the type has. That is so of few types. ``hashint8`` folds its argument to 32
bits, and with it bigint, timestamps, times, money and pg_lsn: 1 and 4294967296 have one hash. ``hash_numeric`` knows
neither sign nor scale, ``hash_enum`` hashes oids, floats take -0 for 0, padded text and collations many texts for one.
All these enter as bytes or as text: of the type's send function where that says as much as the output function does,
else of the output function itself, whose text is the canonical form (``rows``).
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from replguard.engines.postgresql.quoting import quoted
from replguard.engines.sqlfiles import Quoted, joined, statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from replguard.engines.postgresql.shapes import ColumnShape

XML, BYTEA, TEXTS = 142, 17, frozenset({25, 1043})
LONG = TEXTS | {XML}
NAMES = ("record", "sha256")
"""The functions, cheapest first."""

_AS_IT_IS = {16: "bool", 18: "char", 21: "int2", 23: "int4", 26: "oid", 1082: "date", 2950: "uuid"}
"""Their hash takes all of the value, and nothing else."""
_SENT = {
    19: "namesend",
    20: "int8send",
    1042: "bpcharsend",
    1083: "time_send",
    1114: "timestamp_send",
    1184: "timestamptz_send",
}
_FLOATS = {700: "float4send", 701: "float8send"}
_PRINTED = {114: "json_out", 1186: "interval_out", 1266: "timetz_out", 1700: "numeric_out", 3802: "jsonb_out"}
_OUTPUTS = {
    16: "boolout",
    18: "charout",
    19: "nameout",
    20: "int8out",
    21: "int2out",
    23: "int4out",
    26: "oidout",
    700: "float4out",
    701: "float8out",
    1042: "bpcharout",
    1082: "date_out",
    1083: "time_out",
    1114: "timestamp_out",
    1184: "timestamptz_out",
    2950: "uuid_out",
} | _PRINTED
_FORMS = {BYTEA: "bytea"} | _AS_IT_IS | _SENT | _FLOATS | _PRINTED
_GROUP = 1000
"""So many values are put into one ROW; the server takes 1,664."""


def fragment(name: str, **slots: Quoted) -> Quoted:
    return statement("postgresql", name, **slots)


class RowHash:
    """Makes the expressions of one function for one database; ``utf8`` is whether its encoding is that."""

    def __init__(self, name: str, *, utf8: bool) -> None:
        if name not in NAMES:
            raise ValueError(f"PostgreSQL has no function {name!r} for rows; it has {', '.join(NAMES)}")
        self._name = name
        self._utf8 = utf8

    def of(self, columns: Mapping[str, ColumnShape]) -> Quoted:
        """The hash of a row of these columns: a bigint, never NULL."""
        return self._hash([self._entry(quoted(name), shape) for name, shape in columns.items()])

    def _hash(self, values: Sequence[Quoted]) -> Quoted:
        if len(values) > _GROUP // 2:
            groups = [values[place : place + _GROUP // 2] for place in range(0, len(values), _GROUP // 2)]
            return self._hash([fragment("row_group", hash=self._hash(group)) for group in groups])
        return fragment(f"hash_{self._name}", values=joined(list(values)))

    def _entry(self, column: Quoted, shape: ColumnShape) -> Quoted:
        base = shape.base
        if base in _AS_IT_IS:
            return _plain(column, _AS_IT_IS[base])
        if base in _SENT:
            return fragment("row_call", function=quoted(_SENT[base]), column=column)
        if base in _FLOATS:
            return fragment("row_float", function=quoted(_FLOATS[base]), column=column)
        value = printed(column, base)
        if base == BYTEA:
            return self._long(value, value, value)
        if base not in LONG or shape.short:
            return self._text(value)
        as_bytes = fragment("row_utf8", value=value)
        return self._long(self._text(value), value if self._utf8 else as_bytes, as_bytes)

    def _text(self, value: Quoted) -> Quoted:
        """Text in a form that is the same in each encoding; the protocol's own form is that anyway."""
        return value if self._utf8 or self._name == "sha256" else fragment("row_utf8", value=value)

    def _long(self, value: Quoted, measured: Quoted, as_bytes: Quoted) -> Quoted:
        """A value, or the digest of one that is long."""
        digest = fragment(f"long_{self._name}", value=measured, bytes=as_bytes)
        return fragment("row_long", value=value, bytes=measured, digest=digest)


def form(columns: Iterable[ColumnShape]) -> str:
    """A short text that differs where columns enter a hash in other ways."""
    return sha256(",".join(map(_form, columns)).encode()).hexdigest()[:8]


def _form(shape: ColumnShape) -> str:
    if shape.base in LONG:
        return "text short" if shape.short else "text"
    return _FORMS.get(shape.base, "any")


def printed(column: Quoted, base: int) -> Quoted:
    """The column's canonical form as text, or that of a bytea column as it is."""
    if base == BYTEA:
        return _plain(column, "bytea")
    if base == XML:
        return fragment("column_xml", column=column)
    if base in TEXTS:
        return fragment("row_text", value=_plain(column, "text"))
    if base in _OUTPUTS:
        return fragment("row_printed", function=quoted(_OUTPUTS[base]), column=column)
    return fragment("row_any", column=column)


def _plain(column: Quoted, type_: str) -> Quoted:
    """The column without its domain, whose oid would enter."""
    return fragment("row_plain", column=column, type=quoted(type_))
