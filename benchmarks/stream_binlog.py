"""How fast the binlogs of MariaDB and MySQL are read, each figure beside its peer on the same bytes."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from replguard.demo.servers import ServersNotFound, start_pair

if TYPE_CHECKING:
    import argparse

    from replguard.demo.servers import Server

DATABASE = "bench"
_MB = 1 << 20
_SMALL = """CREATE PROCEDURE small (n INT) BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < n DO INSERT INTO event (a, b) VALUES (i, 'some text'); SET i = i + 1; END WHILE;
END"""
_LARGE = """CREATE PROCEDURE large (n INT, size INT) BEGIN
  DECLARE i INT DEFAULT 0;
  DECLARE v LONGBLOB DEFAULT REPEAT('x', size);
  WHILE i < n DO INSERT INTO wide (a) VALUES (v); SET i = i + 1; END WHILE;
END"""
_TABLES = (
    "CREATE TABLE event (id BIGINT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(40))",
    "CREATE TABLE wide (id BIGINT PRIMARY KEY AUTO_INCREMENT, a LONGBLOB)",
    _SMALL,
    _LARGE,
)
_OPTIONS = ("--max-allowed-packet=1G", "--max-binlog-size=1G", "--innodb-log-buffer-size=32M")
_ENOUGH_LOG = {"mariadb": "--innodb-log-file-size=2G", "mysql": "--innodb-redo-log-capacity=4G"}


def run(args: argparse.Namespace, engine: str) -> None:
    """Start a server, fill it, and measure; says so where there is no server of the engine."""
    try:
        with start_pair(engine, direction="none", options=(*_OPTIONS, _ENOUGH_LOG[engine])) as pair:
            print(f"\n{engine} {pair.version}, our process on one core of {os.cpu_count()}")
            pair.create_database(DATABASE)
            pair.blue.run(*_TABLES, database=DATABASE)
            _Bench(pair.blue, args).run()
    except ServersNotFound as error:
        print(f"{engine}: not measured: {error}")


class _Bench:
    def __init__(self, server: Server, args: argparse.Namespace) -> None:
        self._server = server
        self._args = args
        admin = server.admin
        where = {"host": admin.host, "port": admin.port, "user": admin.user, "password": admin.password}
        self._options = {"engine": server.engine, "database": DATABASE, **where}

    def run(self) -> None:
        count = self._args.transactions
        print(f"{'what':<58}{'time':>9}{'cpu':>9}{'':>16}{'memory':>9}")
        self._begin()
        self._fill(f"CALL small({count})")
        self._live(count)
        self._peers(count)
        files = self._close_files()
        self._report(f"files: {count} small transactions", self._best("files", files=files))
        self._report("files: keys of every row", self._best("files", files=files, keys=True), "keys")
        self._begin()
        self._fill(f"CALL large({self._args.wide * 64}, 16000)")
        self._report("files: rows of 16 kB", self._best("files", files=self._close_files()), "bytes")
        self._begin()
        self._fill("BEGIN", f"CALL large({self._args.wide * 64}, 16000)", "COMMIT")
        self._report(f"live: one transaction of {self._args.wide} MB", self._best("live"), "bytes")
        self._report("files: the same", self._best("files", files=self._close_files()), "bytes")
        self._begin()
        self._fill(f"INSERT INTO wide (a) VALUES (REPEAT('y', {self._args.row * _MB}))")
        self._report(f"live: one row of {self._args.row} MB, with its key", self._best("live", keys=True), "bytes")
        self._report("files: the same", self._best("files", files=self._close_files(), keys=True), "bytes")

    def _live(self, count: int) -> None:
        self._report(f"live: {count} transactions", self._best("live"))
        self._report("live: keys of every row", self._best("live", keys=True), "keys")

    def _peers(self, count: int) -> None:
        file = str(self._server.query("SHOW BINARY LOGS")[0][0])
        start = {"log_file": file, "log_pos": 4} if self._server.engine == "mysql" else {}
        for rows in (False, True):
            name = f"mysql-replication, rows {'' if rows else 'not '}decoded"
            try:
                found = self._read("peer", start=start, rows=rows, transactions=count)
            except ModuleNotFoundError:
                print(f"{name}: not measured: pip install '.[bench]'")
                continue
            found["rate"] = f"{count / found['seconds']:,.0f} tx/s"
            self._report(name, found)
        self._dump(file)

    def _dump(self, first: str) -> None:
        name, program = self._dumper()
        if not program:
            print(f"{name}: not measured: it is not there")
            return
        admin = self._server.admin
        with TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            words = [
                *program,
                "--no-defaults",
                "--read-from-remote-server",
                "--raw",
                "--to-last-log",
                f"--host={admin.host}",
            ]
            words += [
                "--verify-binlog-checksum",
                f"--port={admin.port}",
                f"--user={admin.user}",
                f"--result-file={folder}/",
                first,
            ]
            core = max(os.sched_getaffinity(0))
            before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run(
                words,
                check=True,
                env={**os.environ, "MYSQL_PWD": admin.password},
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
            size = sum(file.stat().st_size for file in Path(folder).iterdir())
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rate = f"{size / seconds / _MB:,.0f} MB/s"
        self._report(f"{name} --raw", {"seconds": seconds, "processor": busy, "rate": rate})

    def _dumper(self) -> tuple[str, list[str]]:
        """The server's own reader; MariaDB installs a link to its own under MySQL's name."""
        if self._server.engine == "mariadb":
            found = shutil.which("mariadb-binlog")
            return "mariadb-binlog", [found] if found else []
        installation = getattr(self._server, "installation", None)
        beside = installation.server.parent.parent / "bin" / "mysqlbinlog" if installation else None
        return "mysqlbinlog", [*installation.loader, str(beside)] if beside and beside.exists() else []

    def _begin(self) -> None:
        """An empty binlog."""
        self._server.run("RESET BINARY LOGS AND GTIDS" if self._new_words else "RESET MASTER")

    @property
    def _new_words(self) -> bool:
        return self._server.engine == "mysql" and tuple(map(int, self._server.version.split(".")[:2])) >= (8, 2)

    def _fill(self, *statements: str) -> None:
        with self._server.connect(DATABASE) as connection:
            for text in statements:
                connection.run(text)

    def _close_files(self) -> list[str]:
        """The paths of all files but the one that is begun now."""
        self._server.run("FLUSH BINARY LOGS")
        folder = Path(self._server.query("SELECT @@log_bin_basename")[0][0]).parent
        return [str(folder / str(row[0])) for row in self._server.query("SHOW BINARY LOGS")[:-1]]

    def _best(self, role: str, **options: Any) -> dict[str, Any]:
        """The best of some runs: other work on the machine only ever makes one slower."""
        return min((self._read(role, **options) for _ in range(self._args.repeat)), key=lambda found: found["seconds"])

    def _read(self, role: str, **options: Any) -> dict[str, Any]:
        words = [sys.executable, "-m", "benchmarks.stream_readers", role, json.dumps({**self._options, **options})]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            if "No module named 'pymysqlreplication'" in done.stderr:
                raise ModuleNotFoundError
            raise SystemExit(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @staticmethod
    def _report(name: str, found: dict[str, Any], by: str = "events") -> None:
        rate = (
            found.get("rate")
            or {
                "events": lambda: f"{found['events'] / found['seconds']:,.0f} events/s",
                "keys": lambda: f"{found['keys'] / found['seconds']:,.0f} rows/s",
                "bytes": lambda: f"{found['bytes'] / found['seconds'] / _MB:,.0f} MB/s",
            }[by]()
        )
        memory = f"{found['memory']:>6.0f} MB" if "memory" in found else ""
        print(f"{name:<54}{found['seconds']:>7.2f} s{found['processor']:>7.2f} s{rate:>20}{memory:>10}", flush=True)
