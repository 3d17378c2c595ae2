"""The demo, as a new user runs it: every scene shows what it promises, and nothing stays behind."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from replguard.demo.servers import until
from replguard.demo.servers.keeping import open_to_all
from replguard.demo.story import Scene, play

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROMISED = "Every scene showed what it promises"


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary folder that every user may enter, as the system's own is: PostgreSQL does not run as root."""
    place = next(folder for folder in (Path("/var/tmp"), Path("/tmp")) if open_to_all(folder))
    folder = Path(tempfile.mkdtemp(prefix="replguard-test-", dir=place))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _start(temporary: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "replguard", "demo", *arguments],
        cwd=temporary,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _processes(temporary: Path) -> list[str]:
    """Command lines of processes that use the temporary folder."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(temporary) in line:
            lines.append(line)
    return lines


def _nothing_left(temporary: Path) -> None:
    until(lambda: not _processes(temporary), "the servers to end", detail=lambda: _processes(temporary))
    until(lambda: not list(temporary.iterdir()), "the folder to be empty", detail=lambda: list(temporary.iterdir()))


def _is_as_promised(output: str) -> None:
    assert PROMISED in output
    assert "not as promised" not in output
    assert not re.search(r"[0-9a-f]{24}", output.replace("blake2b", "")), "a password is shown"


@pytest.mark.engines("mariadb", *[name for name in ("mysql",) if os.environ.get("REPLGUARD_LONG")])
def test_every_scene_shows_what_it_promises(pair: object, temporary: Path, engine_choice) -> None:
    process = _start(temporary, "--engine", engine_choice.engine)
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    _is_as_promised(output)
    _nothing_left(temporary)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing(temporary: Path, number: signal.Signals) -> None:
    process = _start(temporary)
    assert process.stdout is not None
    for line in process.stdout:
        if "$ replguard filter audit" in line:
            break
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    said = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=60) == 3, said
    assert "Traceback" not in said
    _nothing_left(temporary)


def test_a_scene_that_does_not_show_what_it_promises_fails_the_demo() -> None:
    """The judgement of the demo itself: what is missing is told, and counted."""
    console = Console(file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    version = ("--version",)
    assert play(Scene("", version, 0, ("replguard",)), console, ROOT, {})
    assert not play(Scene("", version, 1, ("replguard",)), console, ROOT, {})
    assert not play(Scene("", version, 0, ("something else",)), console, ROOT, {})
    console.file.close()


def test_servers_that_are_not_there_are_named_with_a_way_to_get_them(temporary: Path, tmp_path: Path) -> None:
    process = _start(
        temporary, "--engine", "mysql", REPLGUARD_CACHE=str(tmp_path), PATH=str(Path(sys.executable).parent)
    )
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert "mysql" in output
    assert "->" in output
    assert "Traceback" not in output


def test_every_scene_on_postgresql_and_the_kept_pair_runs_on_with_a_config_to_play_with(temporary: Path) -> None:
    process = _start(temporary, "--keep")
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    _is_as_promised(output)
    folder = re.search(r"cd (\S+) &&", output)
    end = re.search(r"^\s*(kill .*)$", output, re.MULTILINE)
    assert folder
    assert end
    try:
        used = subprocess.run(
            ["sh", "-c", f". ./passwords.sh && {sys.executable} -m replguard status"],
            cwd=folder.group(1),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert used.returncode == 0, used.stdout + used.stderr
    finally:
        subprocess.run(["sh", "-c", end.group(1)], check=False)
    _nothing_left(temporary)
