"""Leaks of every kind, planted on real pairs in one watch: each is found, and nothing else is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from replguard import api
from replguard.config import from_options
from replguard.model.findings import Severity, Verdict
from replguard.watch.options import Options
from tests.adversarial.leaks import OPAQUE, PLAIN, SENT, cases
from tests.conformance.application import codes, told
from tests.servers.choices import versions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from replguard.config import Config
    from replguard.model.findings import Report
    from replguard.watch.progress import Progress
    from tests.adversarial.leaks import Leak
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql", *versions())

BANNED, ALLOWED = "ban_", "fine_"
_OK = ("ok_a", "ok_b", "ok_c", "ok_d", "ok_e", "marker")
_FILL = "INSERT INTO {0} (id, v) VALUES (1, '{{}}'), (2, '{{}}'), (3, '{{}}')"


class Plot:
    """The tables of all cases, forbidden and allowed, replicating without any filter."""

    def __init__(self, db: Workspace, folder: Path) -> None:
        self.db = db
        self.cases = cases(db.engine)
        self.file = folder / "rows.txt"
        self.file.write_text("1\tx\n")
        self.config = from_options({"blue": db.blue_url, "green": db.green_url}, None, (f"{BANNED}*",))

    def lay(self) -> None:
        tables = [f"{name} {PLAIN}" for name in _OK]
        tables += [table for leak in self.cases for prefix in (BANNED, ALLOWED) for table in _tables(leak, prefix)]
        rows = [_FILL.format(table.split(" ")[0]) for table in tables if not table.startswith("-")]
        if self.db.engine != "postgresql":
            self.db.run("blue", f"CREATE DATABASE {self.db.name}_x")
            self.db.both(*_made(tables), *rows)
        else:
            self.db.both(*_made(tables), *self._leaves(), *rows)
            self.db.link([f"public.{table.split(' ')[0].lstrip('-')}" for table in tables])

    def _leaves(self) -> list[str]:
        leaf = "CREATE TABLE {0}leaf_{1} PARTITION OF {0}leaf FOR VALUES FROM ({2}) TO ({3})"
        return [
            leaf.format(prefix, number, *bounds)
            for prefix in (BANNED, ALLOWED)
            for number, bounds in enumerate(((0, 1000), (1000, 2000)))
        ]

    def traffic(self, texts: Sequence[str], prefix: str) -> list[str]:
        words = {"p": prefix, "db": self.db.name, "file": self.file}
        return [text.format(**words) for text in texts]

    def play(self, prefix: str, chosen: Sequence[Leak]) -> None:
        """Each case in a session of its own; the server's own settings are as they were afterwards."""
        for leak in chosen:
            try:
                self.db.run("green", *self.traffic(leak.on_target, prefix))
                self.db.run("blue", *self.traffic(leak.run, prefix))
            except Exception as error:
                raise AssertionError(f"{leak.name}, {prefix}") from error

    def clean(self) -> None:
        if self.db.engine != "postgresql":
            self.db.run("blue", f"DROP DATABASE {self.db.name}_x")


def _tables(leak: Leak, prefix: str) -> list[str]:
    """Name and definition; a dash before it: without rows; ``ok:`` before the name: with ``ok_`` before all."""
    found = []
    for table in leak.tables:
        empty, rest = ("-", table[1:]) if table.startswith("-") else ("", table)
        name, _, definition = rest.partition(" ")
        full = f"ok_{prefix}{name[3:]}" if name.startswith("ok:") else f"{prefix}{name}"
        found.append(f"{empty}{full} {(definition or PLAIN).replace('{p}', prefix)}")
    return found


def _made(tables: Sequence[str]) -> list[str]:
    made = [f"CREATE TABLE {table.lstrip('-')}" for table in tables]
    full = [f"ALTER TABLE {name} REPLICA IDENTITY FULL" for name in (f"{BANNED}full", f"{ALLOWED}full")]
    return [*made, *(text for text in full if any(f" {text.split(' ')[2]} " in table for table in made))]


@pytest.fixture
def plot(db: Workspace, tmp_path: Path):
    laid = Plot(db, tmp_path)
    laid.lay()
    yield laid
    laid.clean()


class During:
    """Runs traffic inside a watch, and lets the watch go on until it has seen the last of it on every stream."""

    def __init__(self, plot: Plot, *runs: tuple[str, Sequence[Leak]]) -> None:
        self._plot = plot
        self._runs = runs
        self._begun = False
        self._missing: set[str] = set()

    def stopped(self) -> bool:
        if not self._begun:
            self._begun = True
            for prefix, chosen in self._runs:
                self._plot.play(prefix, chosen)
            self._plot.db.run("blue", "INSERT INTO marker VALUES (99, 'end')")
            self._plot.db.wait_caught_up()
            self._missing = {"blue"} if self._plot.db.engine == "postgresql" else {"blue", "green"}
        return self._begun and not self._missing

    def on_progress(self, progress: Progress) -> None:
        for stream in progress.streams:
            if any(name.endswith("marker") for name in stream.tables):
                self._missing.discard(stream.cluster)


def _watched(config: Config, during: During) -> Report:
    with api.connect(config) as clusters:
        report = clusters.watch(Options(seconds=60.0, on_progress=during.on_progress, stopped=during.stopped))
    assert not during._missing, "the watch ended before it had read the traffic"
    return report


def test_every_planted_leak_is_found_and_nothing_else(plot: Plot) -> None:
    allowed = [leak for leak in plot.cases if OPAQUE not in {code for _, code in leak.found}]
    report = _watched(plot.config, During(plot, (BANNED, plot.cases), (ALLOWED, allowed)))
    expected = {(f"{BANNED}{table}", code) for leak in plot.cases for table, code in leak.found if code == SENT}
    seen = defaultdict(set)
    for finding in told(report):
        seen[finding.code].add((finding.table, finding.severity))
    assert report.verdict is Verdict.failed
    assert {table for table, _ in seen["leak.sent"]} == {table for table, _ in expected}
    certain = {severity for table, severity in seen["leak.sent"] if table != f"{BANNED}was"}
    assert certain == {Severity.fail}, "a table that appears while the link is watched may be open"
    assert (len(seen["stream.opaque"]) > 0) == (plot.db.engine != "postgresql")
    assert set(seen) <= {"leak.sent", "leak.applied", "leak.configured", "stream.opaque", "check.not_run"}, sorted(seen)
    changed = [finding.message for finding in told(report) if finding.code == "check.not_run"]
    assert all(f"{BANNED}was" in message for message in changed), changed
    banned = {table for code in seen if code.startswith("leak.") for table, _ in seen[code]}
    assert all(str(table).startswith(BANNED) for table in banned), banned
    if plot.db.engine != "postgresql":
        applied = {f"{BANNED}{table}" for leak in plot.cases for table, _ in leak.found}
        assert {table for table, _ in seen["leak.applied"]} >= applied - {"ban_stmt"}


@pytest.mark.engines("mariadb", "mysql", "postgresql-18")
def test_the_same_traffic_without_leaks_gives_none(plot: Plot) -> None:
    """Forbidden rows are written all the while, behind a filter that is right; everything else crosses."""
    rows = [leak for leak in plot.cases if leak.tables and leak.name in _STAY]
    allowed = [leak for leak in plot.cases if OPAQUE not in {code for _, code in leak.found}]
    if plot.db.engine == "mysql":
        plot.db.both("DROP TABLE ban_casc")  # no filter helps against a cascade on the target
    _keep_apart(plot.db)
    try:
        report = _watched(plot.config, During(plot, (ALLOWED, allowed), (BANNED, rows)))
    finally:
        _let_go(plot.db)
    assert (codes(report), report.verdict) == ([], Verdict.passed), told(report)
    assert not told(report)
    assert sum(stream.changes for stream in report.coverage.streams) > 40


_STAY = frozenset(
    {"an insert", "an update", "a delete", "an update of the key", "a truncate", "rows among many allowed ones"}
)


def _keep_apart(db: Workspace) -> None:
    """PostgreSQL: out of the publication; elsewhere a filter by pattern with its underscores escaped."""
    pattern = rf"{db.name}.ban\_%".replace("t_", r"t\_", 1)
    if db.engine == "mariadb":
        db.run("green", "STOP SLAVE", f"SET GLOBAL replicate_wild_ignore_table = '{_quoted(pattern)}'", "START SLAVE")
    elif db.engine == "mysql":
        _filter(db, f"'{_quoted(pattern)}'")
    else:
        named = [
            row[0]
            for row in db.query("blue", "SELECT tablename FROM pg_publication_tables WHERE pubname = 'from_blue'")
            if row[0].startswith(BANNED)
        ]
        roots = sorted({name.removesuffix("_0").removesuffix("_1") for name in named})
        db.run("blue", *(f"ALTER PUBLICATION from_blue DROP TABLE {name}" for name in roots))
        db.run("green", f"ALTER SUBSCRIPTION {db.name}_from_blue REFRESH PUBLICATION WITH (copy_data = false)")


def _let_go(db: Workspace) -> None:
    if db.engine == "mariadb":
        db.run("green", "STOP SLAVE", "SET GLOBAL replicate_wild_ignore_table = ''", "START SLAVE")
    elif db.engine == "mysql":
        _filter(db, "")


def _filter(db: Workspace, rules: str) -> None:
    db.run(
        "green",
        "STOP REPLICA SQL_THREAD",
        f"CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE = ({rules}) FOR CHANNEL ''",
        "START REPLICA SQL_THREAD",
    )


def _quoted(pattern: str) -> str:
    return pattern.replace("\\", "\\\\")
