"""How fast streams are read: ``python -m benchmarks.stream [--engine NAME] [--transactions N] [--wide MB] [--row MB]``.

Each engine's server is started and filled here, and read by replguard and by its peers: the same bytes, one after the
other, in one run. A reader of ours has a process of its own, bound to one core; its peak memory is that of the whole
process.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from benchmarks import stream_binlog


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", action="append", choices=["mariadb", "mysql", "postgresql"])
    parser.add_argument("--transactions", type=int, default=200_000, help="of one row each")
    parser.add_argument("--wide", type=int, default=300, help="MB of the large transaction")
    parser.add_argument(
        "--row", type=int, default=200, help="MB of the large row; its binlog needs as much memory again"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each reading, of which the best counts")
    args = parser.parse_args()
    for engine in args.engine or ["mariadb", "mysql", "postgresql"]:
        if engine == "postgresql":
            _postgresql(args)
        else:
            stream_binlog.run(args, engine)


def _postgresql(args: argparse.Namespace) -> None:
    try:
        postgresql = import_module("benchmarks.stream_postgresql")
    except ModuleNotFoundError:
        print("\npostgresql: there is no benchmark of its stream")
    else:
        postgresql.run(args)


if __name__ == "__main__":
    main()
