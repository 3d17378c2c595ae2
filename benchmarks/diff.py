"""How long a comparison takes: ``python -m benchmarks.diff [--rows N] [--engine NAME] [--large]``.

Each engine's replicating pair is started here, filled with the same rows on both sides, and compared by the whole
command ``replguard diff``; beside it, in the same run, by its peers and by the bare checksum. Each figure is the best
of some runs. README.md says what is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import diff_data as data
from benchmarks.diff_results import Results
from benchmarks.diff_tools import NotMeasured, Tools
from benchmarks.measuring import Run, best, run
from replguard.demo.servers import ServersNotFound, start_pair
from replguard.errors import ReplguardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.demo.servers import Pair

ENGINES = ("mariadb", "mysql", "postgresql")
STARTS = 20
"""So often each start of Python is timed, one after the other in turn: they are short."""
SAMPLED = 3
"""So many of the small tables reladiff is run for, a command each."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large table")
    parser.add_argument("--tables", type=int, default=300, help="of 1,000 rows each; 0: none")
    parser.add_argument("--large", action="store_true", help="also a quarter, a half and the whole of --large-rows")
    parser.add_argument("--large-rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, of which the best counts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to a file, too")
    args = parser.parse_args()
    results = Results()
    _start_up(results)
    for engine in args.engine or ENGINES:
        try:
            with start_pair(engine, options=data.OPTIONS[engine]) as pair, TemporaryDirectory() as folder:
                print(f"# {engine} {pair.version}, {os.cpu_count()} cores", flush=True)
                _Bench(pair, Path(folder), args, results).run()
        except ServersNotFound as error:
            results.plain(engine, "", None, note=f"not measured: {error}")
    print(f"\n{results.table()}")
    if args.json:
        args.json.write_text(json.dumps(results.data(), indent=1) + "\n", encoding="utf-8")


def _start_up(results: Results) -> None:
    commands = {"pass": ["-c", "pass"], "help": ["-m", "replguard", "--help"]}
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(STARTS):
        for name, words in commands.items():
            runs[name].append(run([sys.executable, *words], Path.cwd()))
    empty, shown = (min(found, key=lambda one: one.seconds) for found in runs.values())
    results.at_most("", "replguard --help", _figures(shown), ("python -c pass", empty.seconds), 10)


class _Bench:
    """All work on one pair."""

    def __init__(self, pair: Pair, folder: Path, args: argparse.Namespace, results: Results) -> None:
        self._pair = pair
        self._args = args
        self._results = results
        self._engine = f"{pair.engine} {pair.version}"
        self._best: Callable[[Callable[[], Run]], Run] = partial(best, args.repeat)
        for database in (data.WIDE, data.MANY):
            pair.create_database(database)
        self._tools = Tools(pair, folder)

    def run(self) -> None:
        data.fill_item(self._pair, self._args.rows)
        self._link(data.WIDE)
        self._wide()
        if self._args.tables:
            data.fill_many(self._pair, self._args.tables, 1000)
            self._link(data.MANY)
            self._many()
        if self._args.large:
            self._large()

    def _link(self, database: str) -> None:
        self._pair.link(database)
        self._pair.wait_caught_up(database)

    def _wide(self) -> None:
        work = f"{self._args.rows:,} rows x 9 columns"
        identical = self._best(lambda: self._tools.replguard(data.WIDE))
        ours = _figures(identical)
        try:
            bare, function = self._tools.bare(data.WIDE, "item", self._args.repeat)
            self._results.at_most(self._engine, work, ours, (f"bare checksum ({function})", bare), 1.5)
        except (ReplguardError, AttributeError, StopIteration) as error:
            self._results.plain(self._engine, work, *ours, note=f"bare checksum not measured: {error!r}")
        self._peer(work, ours, "reladiff", 2.5, lambda: self._tools.reladiff("item", data.WIDE))
        self._peer(work, ours, "pt-table-checksum", 1.0, lambda: self._tools.pt_table_checksum(data.WIDE))
        for count, most in ((100, 1.5), (10_000, 3.0)):
            if count > self._args.rows:
                continue
            data.differ(self._pair, self._args.rows, count)
            found = self._best(partial(self._tools.replguard, data.WIDE, count))
            others = f"{work}, {count:,} differ"
            self._results.at_most(self._engine, others, _figures(found), ("identical", identical.seconds), most)
            data.mend(self._pair)

    def _many(self) -> None:
        work = f"{self._args.tables} tables x 1,000 rows"
        ours = _figures(self._best(lambda: self._tools.replguard(data.MANY)))
        self._results.within(self._engine, work, ours, 1.0)
        self._peer(work, ours, "pt-table-checksum", 1.0, lambda: self._tools.pt_table_checksum(data.MANY))
        try:
            seconds = [self._tools.reladiff(f"item_{number}", data.MANY).seconds for number in range(1, SAMPLED + 1)]
        except NotMeasured as why:
            self._results.plain(self._engine, f"{work}: reladiff", None, note=f"not measured: {why}")
        else:
            self._results.plain(self._engine, f"{work}: reladiff, one table", min(seconds))

    def _large(self) -> None:
        whole = self._args.large_rows
        times = {}
        for rows in (whole // 4, whole // 2, whole):
            print(f"# filling {rows:,} rows", flush=True)
            data.fill_item(self._pair, rows)
            data.link_again(self._pair)
            found = self._tools.replguard(data.WIDE)
            times[rows] = found.seconds / rows
            self._results.small(self._engine, f"{rows:,} rows", _figures(found), 150)
        scaled = (f"{whole // 4:,} rows, scaled", times[whole // 4] * whole)
        self._results.at_most(self._engine, f"{whole:,} rows", _figures(found), scaled, 1.2)

    def _peer(self, work: str, ours: tuple[float, float], name: str, least: float, measure: Callable[[], Run]) -> None:
        try:
            found = self._best(measure)
        except NotMeasured as why:
            self._results.plain(self._engine, f"{work}: {name}", None, note=f"not measured: {why}")
        else:
            self._results.faster(self._engine, work, ours, (name, found.seconds), least)


def _figures(done: Run) -> tuple[float, float]:
    return done.seconds, done.memory


if __name__ == "__main__":
    main()
