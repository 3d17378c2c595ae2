"""The rows of ``golden_rows.sql``: which of their columns stands for which type."""

from __future__ import annotations

from replguard.model.tables import Column, Table, TableName

_TYPES = {
    "id": "int(11)",
    "n": "bigint(20)",
    "u": "bigint(20) unsigned",
    "c": "decimal(20,4)",
    "d": "double",
    "da": "date",
    "dt": "datetime(6)",
    "ti": "time(6)",
    "t": "text",
    "l": "text",
    "lt": "longtext",
    "b": "varbinary(10)",
    "lb": "longblob",
    "j": "json",
    "g": "geometry",
}
_COLLATIONS = {"t": "utf8mb4_bin", "l": "latin1_bin", "lt": "utf8mb4_bin"}
TABLE = Table(
    TableName("", "fixed"),
    tuple(Column(name, kind, collation=_COLLATIONS.get(name)) for name, kind in _TYPES.items()),
    ("id",),
)
