"""Rows with values of all kinds, and the table of ``specimen.sql`` that can hold them."""

from __future__ import annotations

from replguard.engines.base import Sample
from replguard.engines.postgresql.catalog import kind_of
from replguard.model.tables import Column, Table, TableName

NAME = "replguard_specimen"
_TYPES = {
    "id": ("integer", 23),
    "sm": ("smallint", 21),
    "bi": ("bigint", 20),
    "nu": ("numeric", 1700),
    "re": ("real", 700),
    "dp": ("double precision", 701),
    "tx": ("text", 25),
    "vc": ("character varying(40)", 1043),
    "ch": ("character(5)", 1042),
    "by": ("bytea", 17),
    "bo": ("boolean", 16),
    "da": ("date", 1082),
    "ts": ("timestamp without time zone", 1114),
    "tz": ("timestamp with time zone", 1184),
    "ti": ("time without time zone", 1083),
    "iv": ("interval", 1186),
    "uu": ("uuid", 2950),
    "js": ("json", 114),
    "jb": ("jsonb", 3802),
    "ar": ("integer[]", 1007),
}
_ROWS = (
    (
        "1|-32768|-9223372036854775808|-1.50|0.1|0.1|abc|b|a    |\x01|t|2024-02-29|2024-02-29 23:59:59.999999|"
        '2024-01-01 00:00:00.000001+00|01:02:03|1 mon|00000000-0000-0000-0000-000000000000|{"a" : 1}|{"a": 1}|{1,NULL}'
    ),
    (
        "2|32767|9223372036854775807|1.5|1.6777216e+07|-0.30000000000000004|ABC|bc|B    |\0\0|f|0044-03-15 BC|infinity|"
        "-infinity|24:00:00|30 days|ffffffff-ffff-ffff-ffff-ffffffffffff|[]|[]|[2:3]={1,NULL}"
    ),
    (
        "3|1|4294967296|1.500|1.5|1e+100|xyz|a|z    |a|t|infinity|2000-01-01 00:00:00|2000-01-01 00:00:00+00|00:00:00|"
        '00:00:01|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|{"a":1}|"a"|{}'
    ),
)


def specimen() -> Sample:
    """The rows, one of them of NULLs alone."""
    columns = tuple(Column(name, kind, kind_of(base), nullable=name != "id") for name, (kind, base) in _TYPES.items())
    rows = [tuple(value.encode() for value in row.split("|")) for row in _ROWS]
    nulls = (b"4", *(None for _ in columns[1:]))
    return Sample(Table(TableName("pg_temp", NAME), columns, ("id",)), tuple(_TYPES), (*rows, nulls))
