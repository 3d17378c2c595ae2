"""The linter of the layers passes on the code as it is, and fails where an import goes up or sideways."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LINTER = "import sys; from importlinter.cli import lint_imports_command as lint; sys.argv[0] = 'lint-imports'; lint()"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    shutil.copytree(PROJECT / "replguard", folder / "replguard", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    return folder


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    # The folder comes first on the path, so that the copy is what is looked at, not the installed package.
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); {LINTER}"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_code_keeps_its_layers(copy: Path) -> None:
    result = linted(copy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("model/tables.py", "import replguard.policy"),
        ("policy.py", "import replguard.config"),
        ("engines/base.py", "import replguard.audit.links"),
        ("audit/links.py", "import replguard.diff.join"),
        ("diff/join.py", "import replguard.watch.judge"),
        ("gates/run.py", "import replguard.control.pause"),
        ("report/text.py", "import replguard.cli.app"),
        ("diff/run.py", "import replguard.engines.postgresql.server"),
        ("cli/diff.py", "import replguard.engines.sqlfiles"),
        ("engines/postgresql/server.py", "import replguard.engines.mysql.server"),
        ("engines/mysql/server.py", "import replguard.engines.mariadb.server"),
        ("engines/binlog/server.py", "import replguard.engines.mysql.server"),
    ],
)
def test_a_forbidden_import_is_found(copy: Path, module: str, line: str) -> None:
    path = copy / "replguard" / module
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(f"{before}\n{line}\n", encoding="utf-8")
        result = linted(copy)
    finally:
        path.write_text(before, encoding="utf-8")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout
