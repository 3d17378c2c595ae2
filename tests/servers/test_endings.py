"""Nothing outlives the process that started a pair, however that process ends; and root's folders stay closed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replguard.demo.servers import find, open_pair, until
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.choices import Choice

ROOT = Path(__file__).resolve().parents[2]


class Player:
    """``python -m tests.servers up`` as a process, with a temporary folder of its own."""

    def __init__(self, engine: str, temporary: Path, cwd: Path = ROOT) -> None:
        self.temporary = temporary
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", "up", engine],
            cwd=cwd,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if line.startswith("green:"):
                break

    @property
    def ports(self) -> list[str]:
        return re.findall(r"^(?:blue|green): \S+?:(\d+)/", self.said, re.MULTILINE)

    def servers(self) -> list[str]:
        """Command lines of processes that use the temporary folder."""
        lines = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.temporary) in line:
                lines.append(line)
        return lines

    def end(self, number: int) -> None:
        os.killpg(self.process.pid, number)
        self.process.wait(60)
        if self.process.stdout:
            self.process.stdout.close()


@pytest.fixture
def player(engine_choice: Choice, pair: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    """A pair of the engine in a process of its own; ``pair`` is asked for to skip where there are no programs."""
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="rg", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        mine = Player(engine_choice.engine, Path(folder))
        yield mine
        if mine.process.poll() is None:
            mine.end(signal.SIGKILL)


@pytest.mark.engines("mariadb", "mysql", "postgresql-18")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_outlives_its_parent(player: Player, number: signal.Signals) -> None:
    assert len(player.ports) == 2, player.said
    assert player.servers()
    player.end(number)
    until(lambda: not player.servers(), "the servers to end", detail=player.servers)
    until(
        lambda: not list(player.temporary.iterdir()),
        "their folder to go",
        detail=lambda: list(player.temporary.iterdir()),
    )


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root enters folders that PostgreSQL's user may not")


@root_only
@pytest.mark.engines("postgresql-18")
def test_with_programs_in_a_folder_that_only_root_may_enter(pair: object, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installation = find("postgresql", "18")
    for part in ("bin", "lib", "share"):
        shutil.copytree(installation.root / part, closed / "pg" / part, symlinks=True)
    libraries = installation.libraries and shutil.copytree(installation.libraries, closed / "pg.libs")
    moved = open_pair(replace(installation, root=closed / "pg", version="18.moved", libraries=libraries))
    try:
        with workspace(moved) as db:
            db.both("CREATE TABLE acc (id int PRIMARY KEY)")
            db.link()
            db.run("blue", "INSERT INTO acc VALUES (1)")
            db.wait_caught_up()
            assert db.query("green", "SELECT id FROM acc") == [(1,)]
    finally:
        moved.close()
    assert closed.stat().st_mode & 0o777 == 0o700


@root_only
@pytest.mark.engines("postgresql-18")
def test_from_a_folder_that_only_root_may_enter(pair: object, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    mine = Player("postgresql", closed, cwd=closed)
    try:
        assert len(mine.ports) == 2, mine.said
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        mine.end(signal.SIGINT)
