"""The tables that are compared: the same rows on both servers, and rows that differ."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replguard.demo.servers import Pair, Server

WIDE = "bench"
"""The database of one large table, ``item``."""
MANY = "many"
"""The database of many small tables, ``item_1`` and so on."""

# The same for all that is measured: all of the tables but the largest fits into memory.
_MYSQL_FAMILY = ("--innodb-buffer-pool-size=512M", "--table-open-cache=2000", "--max-allowed-packet=64M")
OPTIONS = {
    "mariadb": (*_MYSQL_FAMILY, "--innodb-log-file-size=512M"),
    "mysql": (*_MYSQL_FAMILY, "--innodb-redo-log-capacity=1G"),
    "postgresql": ("shared_buffers=512MB", "max_wal_size=4GB", "work_mem=16MB"),
}

_TABLE = {
    "postgresql": "CREATE TABLE {name} (id bigint PRIMARY KEY, a int, b varchar(40), c varchar(40), d numeric(12,2), "
    "e timestamp(3), f boolean, g double precision, h text)",
    "mysql": "CREATE TABLE {name} (id BIGINT PRIMARY KEY, a INT, b VARCHAR(40), c VARCHAR(40), d DECIMAL(12,2), "
    "e DATETIME(3), f BOOLEAN, g DOUBLE, h TEXT)",
}
_FILL = {
    "postgresql": "INSERT INTO {name} SELECT i, i % 1000, 'name ' || i, md5(i::text), i / 100.0, "
    "timestamp '2026-01-01' + i * interval '1 second', i % 2 = 0, i / 7.0, 'text ' || i "
    "FROM generate_series({first}, {last}) i",
    "mysql": "INSERT INTO {name} WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    " SELECT i, i % 1000, CONCAT('name ', i), LPAD(HEX(i * 7919), 32, '0'), i / 100, "
    "'2026-01-01' + INTERVAL i SECOND, i % 2 = 0, i / 7, CONCAT('text ', i) FROM n",
}
_DEPTH = {"mariadb": "SET max_recursive_iterations = 4000000000", "mysql": "SET cte_max_recursion_depth = 4000000000"}
_SETTLED = {"postgresql": "VACUUM (FREEZE, ANALYZE) {name}", "mysql": "ANALYZE NO_WRITE_TO_BINLOG TABLE {name}"}
_PORTION = 1_000_000


def fill_item(pair: Pair, rows: int) -> None:
    """The large table with so many rows, on both sides alike; one that is there goes."""
    family = _family(pair)
    statements = ["DROP TABLE IF EXISTS item", _TABLE[family].format(name="item")]
    for first in range(1, rows + 1, _PORTION):
        last = min(rows, first + _PORTION - 1)
        statements.append(_FILL[family].format(name="item", first=first, last=last))
    _on_both(pair, WIDE, [*statements, _SETTLED[family].format(name="item")])


def fill_many(pair: Pair, tables: int, rows: int) -> None:
    """Many small tables, on both sides alike."""
    family = _family(pair)
    statements = []
    for number in range(1, tables + 1):
        name = f"item_{number}"
        statements.append(_TABLE[family].format(name=name))
        statements.append(_FILL[family].format(name=name, first=1, last=rows))
        statements.append(_SETTLED[family].format(name=name))
    _on_both(pair, MANY, statements)


def link_again(pair: Pair) -> None:
    """Let a link of PostgreSQL know the table that was made anew; what was filled in is behind it by then."""
    if pair.engine == "postgresql":
        pair.wait_caught_up(WIDE, timeout=600)
        refresh = f"ALTER SUBSCRIPTION {WIDE}_from_blue REFRESH PUBLICATION WITH (copy_data = false)"
        pair.green.run(refresh, database=WIDE)


def differ(pair: Pair, rows: int, count: int) -> None:
    """Change so many rows of ``item``, scattered evenly, on the second side."""
    step = rows // count
    change = f"UPDATE item SET b = 'another' WHERE id % {step} = {step // 2}"
    pair.run_unlogged("green", change, _SETTLED[_family(pair)].format(name="item"), database=WIDE)


def mend(pair: Pair) -> None:
    """Take back what :func:`differ` has done."""
    same = {"postgresql": "'name ' || id", "mysql": "CONCAT('name ', id)"}[_family(pair)]
    change = f"UPDATE item SET b = {same} WHERE b = 'another'"
    pair.run_unlogged("green", change, _SETTLED[_family(pair)].format(name="item"), database=WIDE)


def _family(pair: Pair) -> str:
    return "postgresql" if pair.engine == "postgresql" else "mysql"


def _on_both(pair: Pair, database: str, statements: list[str]) -> None:
    def fill(server: Server) -> None:
        begin = [] if pair.engine == "postgresql" else ["SET sql_log_bin = 0", _DEPTH[pair.engine]]
        server.run(*begin, *statements, database=database)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(fill, pair.servers))
