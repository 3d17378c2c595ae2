"""Rows for the demo application's tables: the same for the same engine, seed, size, day and site, on every machine.

``size`` is the number of accounts; other tables follow in proportion. Each table draws from a generator of its own, so
that a change to one leaves the others as they were. Values are what PyMySQL and psycopg take as parameters. Moments are
in UTC: run the statements in a session whose time zone is UTC. Nothing here talks to a server; the tables come from
:mod:`replguard.demo.schema`, their rows from :mod:`replguard.demo.configuration` and :mod:`replguard.demo.activity`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from replguard.demo import activity, configuration
from replguard.demo.draw import Draw, Source
from replguard.demo.schema import DEMO_DAY, Engine, insert_statement, tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from typing import Literal

    from replguard.demo.draw import Maker, Row

    FilledPart = Literal["config", "must_not_sync"]

BLOCK_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows of one table, ready for ``executemany(block.insert, block.rows)``; one table may take several."""

    table: str
    columns: tuple[str, ...]
    rows: list[Row]
    insert: str


def rows(
    engine: Engine,
    seed: int,
    size: int,
    *,
    part: FilledPart | None = None,
    day: date = DEMO_DAY,
    site: str = "blue",
) -> Iterator[Block]:
    """The rows of ``config`` and ``must_not_sync`` (or of one of them), parents before children.

    ``site`` names the cluster in the rows of must_not_sync; config does not depend on it. On PostgreSQL the partitions
    of ``day`` and the two days after it must be there. ValueError if there is not at least one account.
    """
    if size < 1:
        raise ValueError("the demo needs at least one account")
    if part in (None, "config"):
        yield from _part(Source(engine, seed, size, day, ""), "config", configuration.TABLES)
    if part in (None, "must_not_sync"):
        yield from _part(Source(engine, seed, size, day, site), "must_not_sync", activity.TABLES)


def _part(source: Source, part: FilledPart, makers: dict[str, tuple[str, Maker]]) -> Iterator[Block]:
    for table in tables(source.engine, part):
        if maker := makers.get(table.casefold()):
            columns = tuple(maker[0].split())
            insert = insert_statement(source.engine, table, columns)
            values = maker[1](Draw(source, table.casefold()))
            while block := list(islice(values, BLOCK_ROWS)):
                yield Block(table, columns, block, insert)
