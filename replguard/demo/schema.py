"""The statements that make the demo application's schema, for each engine.

The text lies in ``sql/<engine>/demo/``; this module finds it, splits it and makes the daily partitions of PostgreSQL.
It talks to no server: whoever holds a connection runs the statements in order. What fills the tables is
:mod:`replguard.demo.generator`.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from replguard.engines.sqlfiles import Quoted, joined, statement

Engine = Literal["postgresql", "mariadb", "mysql"]
Part = Literal["config", "must_not_sync", "lookalikes"]

DEMO_DAY: Final = date(2026, 3, 2)
PARTITION_DAYS: Final = 7
TRACKING_TABLES: Final = (
    "transferdata",
    "transferdetails",
    "transferprotocolcommands",
    "subtransmissionstatus",
    "transferresubmitdata",
)

_TABLE = re.compile(r"CREATE TABLE (\w+)")


def quoted(engine: Engine, name: str) -> Quoted:
    """``name`` as an identifier of ``engine``.

    >>> quoted("postgresql", 'a"b'), quoted("mysql", "Event")
    ('"a""b"', '`Event`')
    """
    mark = '"' if engine == "postgresql" else "`"
    return Quoted(mark + name.replace(mark, mark * 2) + mark)


@lru_cache(maxsize=16)
def statements(engine: Engine, part: Part) -> tuple[str, ...]:
    """The statements of one part, in the order in which they must run.

    ``config`` and ``must_not_sync`` stand alone; ``lookalikes`` are two more tables that a policy must ask about.
    PostgreSQL's tracking tables take rows only after :func:`partitions`.
    """
    lines = statement(engine, f"demo/{part}").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return tuple(one.strip() for one in re.split(r";\s*(?:\n|\Z)", text) if one.strip())


def partitions(engine: Engine, first_day: date = DEMO_DAY, days: int = PARTITION_DAYS) -> tuple[str, ...]:
    """The statements that make the partitions of the tracking tables for ``days`` days, none but on PostgreSQL."""
    if engine != "postgresql":
        return ()
    wanted = [first_day + timedelta(days=number) for number in range(days)]
    return tuple(_partition(table, day) for table in TRACKING_TABLES for day in wanted)


def partition_name(table: str, day: date) -> str:
    """The partition of ``table`` that holds ``day`` (UTC): its start date and its end in ms since 1970.

    >>> partition_name("transferdata", date(2026, 3, 2))
    'transferdata_20260302v1772496000000'
    """
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    return f"{table}_{day:%Y%m%d}v{int(end.timestamp()) * 1000}"


def tables(engine: Engine, part: Part) -> tuple[str, ...]:
    """The tables of a part as the engine stores their names, parents before children."""
    return tuple(match.group(1) for text in statements(engine, part) if (match := _TABLE.match(text)))


def spelling(engine: Engine, name: str) -> str:
    """How ``engine`` stores the table ``name``, whatever its case here; KeyError for a table the demo lacks.

    >>> spelling("postgresql", "EVENT"), spelling("mariadb", "EVENT")
    ('event', 'Event')
    """
    return _spellings(engine)[name.casefold()]


@lru_cache(maxsize=3)
def _spellings(engine: Engine) -> dict[str, str]:
    parts: tuple[Part, ...] = ("config", "must_not_sync", "lookalikes")
    return {name.casefold(): name for part in parts for name in tables(engine, part)}


def insert_statement(engine: Engine, table: str, columns: tuple[str, ...]) -> str:
    """An INSERT of one row with a ``%s`` for each column, as PyMySQL and psycopg take it."""
    return statement(
        engine,
        "demo/insert",
        table=quoted(engine, table),
        columns=joined([quoted(engine, column) for column in columns]),
        placeholders=joined([Quoted("%s")] * len(columns)),
    )


def _partition(table: str, day: date) -> str:
    """DDL takes no parameters: the bounds are literals, made here from dates alone."""
    return statement(
        "postgresql",
        "demo/partition",
        partition=quoted("postgresql", partition_name(table, day)),
        table=quoted("postgresql", table),
        first=Quoted(f"'{day:%Y-%m-%d} 00:00:00+00'"),
        end=Quoted(f"'{day + timedelta(days=1):%Y-%m-%d} 00:00:00+00'"),
    )
