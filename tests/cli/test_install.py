"""What a user installs: wheel and sdist of a clean copy of the tree hold everything, and run from anywhere."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import ROOT, Shell, shell_for, url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.workspace import Workspace


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a run share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "packages"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One worker after the other."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def packages(shared: Path) -> tuple[Path, Path]:
    """Wheel and sdist, built once a run from what git knows of."""
    with alone(shared):
        if not (shared / "dist").exists():
            _build(shared)
    (wheel,), (sdist,) = (list((shared / "dist").glob(glob)) for glob in ("*.whl", "*.tar.gz"))
    return wheel, sdist


def _build(shared: Path) -> None:
    clone = shared / "clone"
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", shared / "half", clone, cwd=shared)
    (shared / "half").rename(shared / "dist")


@pytest.fixture(scope="session")
def installed(packages: tuple[Path, Path], shared: Path) -> Path:
    """The command ``replguard`` in a clean environment that holds the wheel and what it requires."""
    folder = shared / "environment"
    python = folder / "bin" / "python"
    with alone(shared):
        if not (shared / "installed").exists():
            venv.create(folder, with_pip=True)
            run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", packages[0], cwd=shared)
            (shared / "installed").touch()
    return folder / "bin" / "replguard"


def test_the_wheel_holds_statements_and_presets(packages: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(packages[0]).namelist())
    tracked = {str(path.relative_to(ROOT)) for path in (ROOT / "sql").rglob("*.sql")}
    assert {f"replguard/{name}" for name in tracked} <= names
    assert {f"replguard/policies/{path.name}" for path in (ROOT / "replguard" / "policies").glob("*.yaml")} <= names
    assert "replguard/py.typed" in names
    assert not [name for name in names if name.startswith(("tests", "docs"))]


def test_the_sdist_holds_what_building_and_testing_need(packages: tuple[Path, Path]) -> None:
    with tarfile.open(packages[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for wanted in (
        "sql/mysql/grants.sql",
        "replguard/policies/zato.yaml",
        "schemas/report.schema.json",
        "tests/cli/runs.py",
        "LICENSE",
        "README.md",
        "Makefile",
        "pyproject.toml",
    ):
        assert wanted in names
    assert not [name for name in names if "__pycache__" in name or name.startswith(".venv")]


@pytest.mark.engines("mariadb", "mysql", "postgresql-18")
def test_a_diff_from_the_installed_wheel(installed: Path, db: Workspace, tmp_path: Path) -> None:
    db.both("CREATE TABLE account (id int PRIMARY KEY, name varchar(20))")
    db.run_local("green", "INSERT INTO account VALUES (1, 'extra')")
    shell: Shell = shell_for(db, tmp_path)
    shell.program = (str(installed),)
    assert shell.run("--version").stdout.startswith("replguard ")
    run = shell.json("diff")
    assert run.code == 1, run
    assert [finding["key"] for finding in run.found("row.extra")] == [{"id": 1}]
    args = (
        "--cluster",
        f"blue={url(db, 'blue')}",
        "--cluster",
        f"green={url(db, 'green')}",
        "--preset",
        "securetransport-zero-downtime",
    )
    assert shell.json("policy", "show", *args).code == 0
