"""Rows with values of all kinds, and the table of ``specimen.sql`` that can hold them."""

from __future__ import annotations

from replguard.engines.base import Sample
from replguard.model.tables import Column, ColumnKind, Table, TableName

NAME = "replguard_specimen"
_TYPES = {
    "id": "int",
    "t": "tinyint",
    "b": "bigint",
    "u": "bigint unsigned",
    "n": "decimal(20,4)",
    "f": "float",
    "d": "double",
    "c": "char(5)",
    "v": "varchar(40)",
    "w": "varchar(40)",
    "l": "varchar(40)",
    "lt": "longtext",
    "vb": "varbinary(20)",
    "lb": "longblob",
    "da": "date",
    "dt": "datetime(6)",
    "ts": "timestamp(6)",
    "ti": "time(6)",
    "e": "enum('a','b')",
    "s": "set('a','b')",
    "y": "year",
    "bi": "bit(9)",
}
_TEXTS = dict.fromkeys(("c", "v", "w", "lt", "e", "s"), "utf8mb4_general_ci") | {"l": "latin1_swedish_ci"}
_INTEGERS = frozenset({"id", "t", "b", "u", "y", "bi"})
_BINARY = frozenset({"vb", "lb"})
_ROWS = (
    (
        "1|-128|-9223372036854775808|0|-1.5000|0.10000000149011612|0.1|a|abc|b|é|long|\x01|\0|2024-02-29|"
        "2024-02-29 23:59:59.999999|2024-01-01 00:00:00.000001|-01:02:03.000000|a|a,b|1999|1"
    ),
    (
        "2|127|9223372036854775807|18446744073709551615|1.5000|16777216|-0.30000000000000004|B|ABC|bc|e|Long|\x02|\0\0|1000-01-01|"
        "2024-03-01 00:00:00.000000|2024-01-01 00:00:01.000000|01:02:03.000000|b|b|2000|257"
    ),
    (
        "3|1|1|1|0.0001|1.5|1e100|z|xyz|a|z|other|\x03|a|2024-03-01|2000-01-01 00:00:00.000000|"
        "2000-01-01 00:00:00.000000|00:00:00.000001|b||2155|256"
    ),
)


def specimen(schema: str) -> Sample:
    """The rows, one of them of NULLs alone."""
    columns = tuple(
        Column(name, kind, _kind(name), nullable=name != "id", collation=_TEXTS.get(name))
        for name, kind in _TYPES.items()
    )
    rows = [tuple(value.encode() for value in row.split("|")) for row in _ROWS]
    nulls = (b"4", *(None for _ in columns[1:]))
    return Sample(Table(TableName(schema, NAME), columns, ("id",)), tuple(_TYPES), (*rows, nulls))


def _kind(name: str) -> ColumnKind:
    if name in _INTEGERS:
        return ColumnKind.integer
    return ColumnKind.binary if name in _BINARY else ColumnKind.text
