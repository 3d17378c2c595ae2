"""What is measured: the whole command ``replguard diff``, its peers, and the bare checksum by the plain driver."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import replguard
from benchmarks.diff_data import MANY, WIDE
from benchmarks.measuring import Run, run
from replguard.model.chunks import Portion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.demo.servers import Pair
    from replguard.demo.servers.access import Connection
    from replguard.engines.base import Server as Cluster
    from replguard.engines.base import Snapshot
    from replguard.model.chunks import Function
    from replguard.model.tables import Table


class NotMeasured(Exception):  # noqa: N818 - it says what is the case
    """A tool is not there, or cannot do the work; the text says why."""


class Tools:
    """The commands, for one pair of servers. ``folder`` holds what they need to be told in files."""

    def __init__(self, pair: Pair, folder: Path) -> None:
        self._pair = pair
        self._folder = folder
        for database in (WIDE, MANY):
            names = [server.name for server in pair.servers]
            lines = ["clusters:", *(f"  {name}: {{url: '${{{name.upper()}_URL}}'}}" for name in names)]
            self._config(database).write_text("\n".join([*lines, "state_dir: state", ""]), encoding="utf-8")

    def replguard(self, database: str, differences: int = 0) -> Run:
        """The whole command. Ends the benchmark where it does not find exactly so many rows that differ."""
        command = [sys.executable, "-m", "replguard", "diff", "-c", str(self._config(database)), "--format", "json"]
        done = run([*command, "--limit", str(max(1, differences))], self._folder, self._urls(database))
        if done.status != bool(differences) or _rows_told(done.output) != differences:
            raise SystemExit(
                f"replguard diff ended with {done.status} and told of {_rows_told(done.output)} rows instead of "
                f"{differences}:\n{done.errors}{done.output[:4000]}"
            )
        return done

    def reladiff(self, table: str, database: str) -> Run:
        """The whole command for one table. Raises NotMeasured."""
        program = Path(sys.executable).with_name("reladiff")
        if not program.exists():
            raise NotMeasured("pip install '.[bench]'")
        scheme = "postgresql" if self._pair.engine == "postgresql" else "mysql"
        words = [str(program)]
        for server in self._pair.servers:
            admin = server.admin
            words += [f"{scheme}://{admin.user}:{admin.password}@{admin.host}:{admin.port}/{database}", table]
        done = run([*words, "-k", "id", "-c", "%"], self._folder)
        if done.status or "ERROR" in done.errors:
            lines = [line for line in done.errors.splitlines() if "ERROR" in line or "rror:" in line]
            raise NotMeasured(
                f"it cannot: {lines[0].rpartition(' - ')[2][:120] if lines else f'exit code {done.status}'}"
            )
        return done

    def pt_table_checksum(self, database: str) -> Run:
        """The whole command. It writes into the database ``percona`` of these servers. Raises NotMeasured."""
        if self._pair.engine != "mariadb":
            raise NotMeasured("it is measured on MariaDB")
        program = shutil.which("pt-table-checksum")
        if program is None:
            raise NotMeasured("apt-get install --no-install-recommends percona-toolkit")
        admin = self._pair.blue.admin
        options = self._folder / "peer.cnf"
        options.write_text(f"[client]\nuser={admin.user}\npassword={admin.password}\n", encoding="utf-8")
        options.chmod(0o600)
        source = f"F={options},h={admin.host},P={admin.port}"
        words = [program, source, f"--databases={database}", "--recursion-method=hosts", "--no-check-binlog-format"]
        done = run([*words, "--quiet"], self._folder)
        if done.status:
            raise NotMeasured(f"it cannot: {done.errors.strip().splitlines()[-1][:120]}")
        return done

    def bare(self, database: str, table: str, rounds: int) -> tuple[float, str]:
        """Seconds of the cheapest safe checksum of a table, one statement on both servers at once, and its name."""
        statements, function = self._checksum(database, table)
        with ExitStack() as stack:
            opened = [stack.enter_context(server.connect(database)) for server in self._pair.servers]
            for connection, server in zip(opened, self._pair.servers, strict=True):
                for text in statements[server.name][:-1]:
                    connection.query(text)
            last = [statements[server.name][-1] for server in self._pair.servers]
            with ThreadPoolExecutor(2) as pool:
                return min(_together(pool, opened, last) for _ in range(rounds)), function

    def _checksum(self, database: str, table: str) -> tuple[Mapping[str, list[str]], str]:
        """What the library sends to each server for the sum of a whole table: the settings, and last the sum."""
        said: dict[str, list[str]] = {server.name: [] for server in self._pair.servers}
        os.environ.update(self._urls(database))
        config = replguard.load_config(self._config(database))
        with replguard.connect(config, lambda name, text: said[name].append(text)) as clusters, ExitStack() as stack:
            found = {server.name: _table(server, table) for server in clusters.pair}
            views, settings = {}, {}
            for server in clusters.pair:
                said[server.name].clear()
                views[server.name] = stack.enter_context(server.rows.snapshot())
                settings[server.name] = [*said[server.name]]
            function = _cheapest(views, found)
            for name, view in views.items():
                said[name].clear()
                view.sums([Portion(found[name], _columns(found[name]), function.name)])
        return {name: [*settings[name], max(said[name], key=len)] for name in views}, function.name

    def _config(self, database: str) -> Path:
        return self._folder / f"{database}.yaml"

    def _urls(self, database: str) -> dict[str, str]:
        return {f"{server.name.upper()}_URL": server.url(database) for server in self._pair.servers}


def _rows_told(document: str) -> int:
    checks = json.loads(document)["checks"] if document.startswith("{") else []
    return sum(finding["code"].startswith("row.") for check in checks for finding in check["findings"])


def _table(server: Cluster, name: str) -> Table:
    return next(table for table in server.catalog.tables() if table.name.name == name)


def _columns(table: Table) -> tuple[str, ...]:
    return tuple(column.name for column in table.columns)


def _cheapest(views: Mapping[str, Snapshot], found: Mapping[str, Table]) -> Function:
    """The cheapest function that both servers have."""
    first, second = (view.functions(found[name], _columns(found[name])) for name, view in views.items())
    return next(function for function in first if function in second)


def _together(pool: ThreadPoolExecutor, connections: list[Connection], texts: list[str]) -> float:
    started = time.perf_counter()
    list(pool.map(lambda pair: pair[0].query(pair[1]), zip(connections, texts, strict=True)))
    return time.perf_counter() - started
