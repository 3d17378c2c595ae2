"""How long a comparison takes: ``python -m benchmarks.diff [--rows N] [--engine NAME]``.

Each engine's pair is started here, filled with the same rows of nine columns on both sides, and compared by the whole
command ``replguard diff``. Beside it, in the same run, stand the bare fetch of all rows from both servers at once by
the plain driver, and the peak memory of the command.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from replguard.demo.servers import ServersNotFound, start_pair

if TYPE_CHECKING:
    from replguard.demo.servers import Pair, Server

DATABASE = "bench"
_TABLE = {
    "postgresql": "CREATE TABLE item (id bigint PRIMARY KEY, a int, b varchar(40), c varchar(40), d numeric(12,2), "
    "e timestamp(3), f boolean, g double precision, h text)",
    "mysql": "CREATE TABLE item (id BIGINT PRIMARY KEY, a INT, b VARCHAR(40), c VARCHAR(40), d DECIMAL(12,2), "
    "e DATETIME(3), f BOOLEAN, g DOUBLE, h TEXT)",
}
_FILL = {
    "postgresql": "INSERT INTO item SELECT i, i % 1000, 'name ' || i, md5(i::text), i / 100.0, "
    "timestamp '2026-01-01' + i * interval '1 second', i % 2 = 0, i / 7.0, 'text ' || i "
    "FROM generate_series(1, {rows}) i",
    "mysql": "INSERT INTO item WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
    "SELECT i, i % 1000, CONCAT('name ', i), LPAD(HEX(i * 7919), 32, '0'), i / 100, "
    "'2026-01-01' + INTERVAL i SECOND, i % 2 = 0, i / 7, CONCAT('text ', i) FROM n",
}
_DEPTH = {"mariadb": "SET max_recursive_iterations = 4000000000", "mysql": "SET cte_max_recursion_depth = 4000000000"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--engine", action="append", choices=["mariadb", "mysql", "postgresql"])
    given = parser.parse_args()
    print(f"{'engine':<22}{'rows':>10}{'bare fetch':>14}{'replguard diff':>16}{'peak memory':>14}")
    for engine in given.engine or ["mariadb", "mysql", "postgresql"]:
        try:
            with start_pair(engine, direction="none") as pair:
                _measure(pair, given.rows)
        except ServersNotFound as error:
            print(f"{engine:<22}not measured: {error}")


def _measure(pair: Pair, rows: int) -> None:
    family = "postgresql" if pair.engine == "postgresql" else "mysql"
    pair.create_database(DATABASE)
    for server in pair.servers:
        depth = [_DEPTH[pair.engine]] if pair.engine in _DEPTH else []
        server.run(*depth, _TABLE[family], _FILL[family].format(rows=rows), database=DATABASE)
    with ThreadPoolExecutor(2) as pool:
        started = time.perf_counter()
        list(pool.map(_fetch, pair.servers))
        fetched = time.perf_counter() - started
    seconds, memory = _diff(pair)
    name = f"{pair.engine} {pair.version}"[:21]
    print(f"{name:<22}{rows:>10}{fetched:>12.2f} s{seconds:>14.2f} s{memory:>10.0f} MB", flush=True)


def _fetch(server: Server) -> int:
    return len(server.query("SELECT * FROM item", DATABASE))


def _diff(pair: Pair) -> tuple[float, float]:
    """Seconds and peak memory (MB) of the whole command, which must pass."""
    with TemporaryDirectory() as folder:
        variables = {f"{server.name.upper()}_URL": server.url(DATABASE) for server in pair.servers}
        lines = [
            "clusters:",
            *(f"  {server.name}: {{url: '${{{server.name.upper()}_URL}}'}}" for server in pair.servers),
        ]
        (Path(folder) / "replguard.yaml").write_text("\n".join([*lines, "state_dir: state", ""]), encoding="utf-8")
        started = time.perf_counter()
        command = [sys.executable, "-m", "replguard", "diff", "--quiet"]
        output = Path(folder) / "output"
        with output.open("w") as file:
            process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, **variables}, stdout=file, stderr=subprocess.STDOUT
            )
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise SystemExit(f"the comparison did not pass:\n{output.read_text()}")
    return seconds, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
