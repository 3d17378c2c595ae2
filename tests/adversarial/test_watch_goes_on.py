"""A watch whose streams break off, whose server restarts, or that is killed itself: it goes on without a gap.

What was told is compared with what was written. A transaction at which something broke may be told twice. PostgreSQL
keeps nothing for a reader that went away while its link moved on: there a hole is told as ``stream.gap``, and the
verdict is inconclusive, never a pass.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from replguard import api
from replguard import config as configuration
from replguard.demo.servers import until
from replguard.model.changes import Change, Interest
from replguard.model.findings import Verdict
from replguard.watch.options import Options
from replguard.watch.wanted import Appetite
from tests.cli.runs import shell_for
from tests.conformance.application import of
from tests.conformance.test_watch import watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from replguard.demo.servers import Pair
    from replguard.model.findings import Report
    from replguard.watch.readings import Told
    from tests.cli.runs import Shell
    from tests.conformance.application import Application
    from tests.servers.workspace import Workspace

ENGINES = ("mariadb", "mysql", "postgresql-18")
RESTARTED = ENGINES if os.environ.get("REPLGUARD_LONG") else ("mariadb", "postgresql-18")
"""Pairs that are started for one test alone cost much: MySQL's only where time is no matter."""
_READERS = {
    "mariadb": "SELECT id FROM information_schema.processlist WHERE user = 'replguard' AND command LIKE 'Binlog Dump%'",
    "mysql": "SELECT id FROM performance_schema.processlist WHERE user = 'replguard' AND command LIKE 'Binlog Dump%'",
    "postgresql": "SELECT active_pid FROM pg_replication_slots WHERE temporary AND active_pid IS NOT NULL",
}
EVERY = Options(appetite=Appetite(Interest.keyed, every=True))
FIRST = 1000


class Writer:
    """Inserts accounts with rising numbers on blue, one a transaction, and goes on when the server goes away."""

    def __init__(self, connect: Callable, pause: float = 0.01) -> None:
        self._connect, self._pause = connect, pause
        self.written: list[int] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def _write(self) -> None:
        number = FIRST
        while not self._ended.is_set():
            try:
                with self._connect() as connection:
                    while not self._ended.wait(self._pause):
                        connection.run(f"INSERT INTO account VALUES ({number}, 'n', NULL)")
                        self.written.append(number)
                        number += 1
            except Exception:  # noqa: BLE001 - the server is away, or took the row and could not say so
                number += 1
                self._ended.wait(0.1)

    @contextmanager
    def running(self) -> Iterator[Writer]:
        self._thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._thread.join()

    def goes_on(self, count: int = 20) -> None:
        """Wait until so many more were written."""
        there = len(self.written) + count
        until(lambda: len(self.written) >= there, "the writer to go on")


def sent(told: list[Told]) -> list[int]:
    """The accounts that the source's stream told, in order."""
    return [
        int(one.item.key["id"])
        for one in told
        if isinstance(one.item, Change) and one.cluster == "blue" and one.item.tables[0].name == "account"
        if one.item.key and int(one.item.key["id"]) >= FIRST
    ]


def assert_told(numbers: list[int], written: list[int], report: Report, breaks: int, engine: str) -> None:
    missing = set(written) - set(numbers)
    if engine == "postgresql" and missing:
        assert of(report, "stream.gap"), "a hole is told"
        assert report.verdict is Verdict.inconclusive
        return
    assert not missing
    assert sum(count - 1 for count in Counter(numbers).values()) <= breaks
    assert list(dict.fromkeys(numbers)) == sorted(set(numbers)), "in the order of their commits"


@pytest.mark.engines(*ENGINES)
def test_a_killed_stream_is_read_on_where_it_stood(app: Application) -> None:
    kill = "SELECT pg_terminate_backend({})" if app.family == "postgresql" else "KILL {}"
    writer = Writer(lambda: app.db.pair.blue.connect(app.db.name))
    killed = 0
    with app.clusters() as clusters, watching(clusters, EVERY) as watch, writer.running():
        for _ in range(3):
            writer.goes_on()
            until(lambda: bool(app.db.query("blue", _READERS[app.db.engine])), "a reader to kill")
            for (number,) in app.db.query("blue", _READERS[app.db.engine]):
                app.db.run("blue", kill.format(number))
                killed += 1
        writer.goes_on()
        last = writer.written[-1]
        until(lambda: last in sent(watch.told) or _gap(watch.told), "the last one to be told", timeout=40.0)
    report = watch.result()
    assert killed >= 3
    assert of(report, "stream.reopened") or app.family == "postgresql"
    assert_told(sent(watch.told), [one for one in writer.written if one <= last], report, killed, app.db.engine)


def _gap(told: list[Told]) -> bool:
    return any(finding.code == "stream.gap" for one in told for _, finding in one.findings)


def _prepared(pair: Pair) -> AbstractContextManager[api.Clusters]:
    pair.create_database("app")
    create = "CREATE TABLE account (id int PRIMARY KEY, name varchar(20), email varchar(20))"
    pair.blue.run(create, database="app")
    if pair.engine == "postgresql":
        pair.green.run(create, database="app")
        pair.link("app", ["public.account"])
    pair.wait_caught_up("app")
    found = configuration.from_options({"blue": pair.blue.url("app"), "green": pair.green.url("app")}, None, ("event",))
    return api.connect(found)


@pytest.mark.engines(*RESTARTED)
def test_a_restarted_server_is_read_on(make_pair: Callable[..., Pair]) -> None:
    pair = make_pair()
    connected = _prepared(pair)
    writer = Writer(lambda: pair.blue.connect("app"))
    with connected as clusters, watching(clusters, EVERY) as watch, writer.running():
        writer.goes_on()
        pair.blue.restart()
        writer.goes_on()
        last = writer.written[-1]
        until(lambda: last in sent(watch.told) or _gap(watch.told), "the last one to be told", timeout=40.0)
    report = watch.result()
    assert_told(sent(watch.told), [one for one in writer.written if one <= last], report, 2, pair.engine)


@pytest.mark.engines("mariadb")
def test_a_server_that_stays_away_is_unknown(make_pair: Callable[..., Pair]) -> None:
    pair = make_pair()
    connected = _prepared(pair)
    said: list[str] = []
    impatient = Options(patience=1.0, say=said.append)
    with connected as clusters, watching(clusters, impatient) as watch:
        pair.blue.stop()
        until(lambda: any("could not be read on" in line for line in said), "it to be given up", timeout=40.0)
    report = watch.result()
    assert report.verdict is Verdict.inconclusive
    assert "broke off at" in of(report, "check.not_run")[0].message


def _told_by(path: Path) -> list[int]:
    """The accounts in whole lines of a file; a killed process may have left half a line."""
    found = []
    for line in path.read_text().split("\n")[:-1]:
        read = json.loads(line)
        if read["type"] == "change" and read["cluster"] == "blue" and read["table"] == "account" and read["key"]:
            found.append(int(read["key"]["id"]))
    return [number for number in found if number >= FIRST]


def _kill_when_it_tells(shell: Shell, path: Path, more: int) -> None:
    """Run a watch that writes to a file, and kill it with SIGKILL when it has told so many."""
    command = [sys.executable, "-m", "replguard", "watch", "--checkpoint", "guard", "--format", "jsonl"]
    with path.open("w") as file:
        process = subprocess.Popen(
            command, cwd=shell.folder, env=shell._environment(), stdout=file, stderr=subprocess.DEVNULL
        )
    try:
        until(lambda: len(_told_by(path)) >= more, "the watch to tell", timeout=40.0)
    finally:
        process.kill()
        process.wait()


@pytest.mark.engines(*ENGINES)
def test_a_killed_watch_goes_on_from_its_checkpoint(app: Application, tmp_path: Path) -> None:
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    outputs = [tmp_path / f"lines-{number}.jsonl" for number in range(3)]
    writer = Writer(lambda: app.db.pair.blue.connect(app.db.name))
    with writer.running():
        for path in outputs[:2]:
            _kill_when_it_tells(shell, path, 60)
            writer.goes_on()
    ended = shell.run("watch", "--checkpoint", "guard", "--until-caught-up", "--format", "jsonl")
    outputs[2].write_text(ended.stdout)
    told = [_told_by(path) for path in outputs]
    everything = {number for numbers in told for number in numbers}
    first = told[0][0]
    missing = {number for number in writer.written if number >= first} - everything
    verdict = json.loads(ended.stdout.splitlines()[-1])
    assert verdict["type"] == "verdict"
    if app.family == "postgresql" and missing:
        assert verdict["verdict"] == "inconclusive"
        assert "stream.gap" in ended.stdout
    else:
        assert not missing
    for numbers in told:
        assert numbers == sorted(set(numbers)), "each once, in the order of their commits"


@pytest.mark.engines("mariadb")
def test_a_leak_found_before_the_kill_is_in_the_verdict_after_it(app: Application, tmp_path: Path) -> None:
    app.let_cross("event")
    shell = shell_for(app.db, tmp_path, {"must_not_sync": ["event", "auditlog"]})
    writer = Writer(lambda: app.db.pair.blue.connect(app.db.name))
    path = tmp_path / "lines.jsonl"
    with writer.running():
        writer.goes_on(1)
        killer = threading.Thread(target=_kill_when_it_tells, args=(shell, path, 150))
        killer.start()
        until(lambda: path.exists() and bool(_told_by(path)), "the watch to begin", timeout=40.0)
        app.db.run("blue", "INSERT INTO event VALUES (1234, 'leak')")
        killer.join()
    app.keep_apart("event", "auditlog")
    app.db.wait_caught_up()
    ended = shell.json("watch", "--checkpoint", "guard", "--until-caught-up")
    assert [item["key"] for item in ended.found("leak.sent")] == [{"id": 1234}]
    again = shell.json("watch", "--checkpoint", "guard", "--until-caught-up")
    assert not again.found("leak.sent"), "what was reported is not told again"


@pytest.mark.engines("mariadb")
def test_a_checkpoint_is_used_by_one_watch_at_a_time(db: Workspace, tmp_path: Path) -> None:
    shell = shell_for(db, tmp_path)
    command = [sys.executable, "-m", "replguard", "watch", "--checkpoint", "guard", "--quiet"]
    process = subprocess.Popen(command, cwd=shell.folder, env=shell._environment(), stdout=subprocess.DEVNULL)
    try:
        until(lambda: any(tmp_path.rglob("guard.json")), "the first watch to write", timeout=40.0)
        second = shell.json("watch", "--checkpoint", "guard", "--for", "1s")
    finally:
        process.kill()
        process.wait()
    assert second.code == 3
    assert "another watch uses the checkpoint" in second.error
