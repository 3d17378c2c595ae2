"""How long the gate takes beyond its own window: ``python -m benchmarks.gate [--engine NAME] [--tables N]``.

Each engine's replicating pair is started here and given many small tables with the same rows on both sides; the whole
command ``replguard gate`` runs with several windows, and must pass. What it takes beyond the window counts, whose least
is the best of some runs. No peer does the same work: gates of other tools look at no row.
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
from benchmarks.measuring import Run, best, run
from replguard.demo.servers import ServersNotFound, start_pair

if TYPE_CHECKING:
    from replguard.demo.servers import Pair

ENGINES = ("mariadb", "mysql", "postgresql")
WINDOWS = (1, 5)
MOST = 3.0
"""Seconds beyond the window that the gate may take for 300 tables of 1,000 rows."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--tables", type=int, default=300, help="of 1,000 rows each")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each, of which the best counts")
    parser.add_argument("--for", dest="purpose", default="switchover", help="what the gate is asked for")
    args = parser.parse_args()
    print("| engine | window | whole command | beyond the window | peak memory |\n| --- | --- | --- | --- | --- |")
    for engine in args.engine or ENGINES:
        try:
            with start_pair(engine, options=data.OPTIONS[engine]) as pair, TemporaryDirectory() as folder:
                _measure(pair, Path(folder), args)
        except ServersNotFound as error:
            print(f"| {engine} | | not measured: {error} | | |")


def _measure(pair: Pair, folder: Path, args: argparse.Namespace) -> None:
    pair.create_database(data.MANY)
    data.fill_many(pair, args.tables, 1000)
    pair.link(data.MANY)
    pair.wait_caught_up(data.MANY)
    config = folder / "replguard.yaml"
    lines = ["clusters:", *(f"  {one.name}: {{url: '${{{one.name.upper()}_URL}}'}}" for one in pair.servers)]
    config.write_text("\n".join([*lines, f"state_dir: {folder}/state", ""]), encoding="utf-8")
    for window in WINDOWS:
        found = best(args.repeat, partial(_gate, pair, config, window, args.purpose))
        beyond = found.seconds - window
        verdict = "met" if beyond < MOST else f"{beyond - MOST:.2f} s too long"
        print(
            f"| {pair.engine} {pair.version}, {os.cpu_count()} cores | {window} s | {found.seconds:.2f} s "
            f"| {beyond:.2f} s (at most {MOST:.0f} s: {verdict}) | {found.memory:.0f} MB |",
            flush=True,
        )


def _gate(pair: Pair, config: Path, window: int, purpose: str) -> Run:
    """The whole command. Ends the benchmark where it does not pass."""
    command = [sys.executable, "-m", "replguard", "gate", "-c", str(config), "--for", purpose]
    urls = {f"{server.name.upper()}_URL": server.url(data.MANY) for server in pair.servers}
    done = run([*command, "--window", f"{window}s", "--format", "json"], config.parent, urls)
    if done.status:
        checks = json.loads(done.output)["checks"] if done.output.startswith("{") else []
        failing = [check for check in checks if check["verdict"] != "pass"]
        raise SystemExit(f"the gate ended with {done.status}:\n{done.errors[-2000:]}{json.dumps(failing)[:4000]}")
    return done


if __name__ == "__main__":
    main()
