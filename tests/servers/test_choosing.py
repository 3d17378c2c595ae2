"""A missing engine is told loudly, or fails where engines are required; what is given comes before what is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replguard.demo.servers import found
from tests.servers import install
from tests.servers.__main__ import main
from tests.servers.apt import Source, debian_source
from tests.servers.choices import Choice, choices, in_turn, open_choice

if TYPE_CHECKING:
    from replguard.demo.servers import Pair

ROOT = Path(__file__).resolve().parents[2]


def pytest_in_a_bare_place(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one test of MySQL where neither cache nor PATH has it."""
    test = tmp_path / "test_one.py"
    test.write_text("import pytest\n@pytest.mark.engines('mysql')\ndef test_one(db): pass\n")
    environment = {**os.environ, "REPLGUARD_CACHE": str(tmp_path), "PATH": "/nowhere", "PYTHONPATH": str(ROOT)}
    environment.pop("DOCKER_HOST", None)
    words = [sys.executable, "-m", "pytest", "-p", "tests.servers.plugin", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        [*words, str(test)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )


def test_a_missing_engine_is_skipped_loudly(tmp_path: Path) -> None:
    done = pytest_in_a_bare_place(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "mysql MISSING" in done.stdout
    assert "NOT TESTED: mysql is missing, 1 tests skipped: run 'make servers'" in done.stdout


def test_a_required_engine_fails(tmp_path: Path) -> None:
    done = pytest_in_a_bare_place(tmp_path, "--require-engines")
    assert done.returncode == 1, done.stdout
    assert "--require-engines: no server programs of mysql" in done.stdout


def test_each_case_of_a_campaign_is_some_engines_turn_and_in_the_long_run_all_engines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REPLGUARD_LONG", raising=False)
    for engines in ((), ("mysql",), ("mariadb", "mysql"), ("postgresql",)):
        having = [one for one in choices() if one.named(engines)]
        shares = [[one for one in having if in_turn(one, str(case), engines)] for case in range(50)]
        assert all(shares)
        assert {one for share in shares for one in share} == set(having)
        assert len(having) == 1 or sum(map(len, shares)) < 0.75 * 50 * len(having)
    monkeypatch.setenv("REPLGUARD_LONG", "1")
    assert [one for one in choices() if in_turn(one, "any", ("mysql",))] == [Choice("mysql")]


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    done = pytest_in_a_bare_place(tmp_path, "--engine", "oracle")
    assert done.returncode == 4
    assert "oracle is none of" in done.stderr


@pytest.mark.engines("mariadb", "postgresql-18")
def test_a_pair_that_was_given_is_used(pair: Pair, engine_choice: Choice, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ",".join(
        server.url("mysql" if pair.engine == "mariadb" else "", server.admin.user) for server in pair.servers
    )
    monkeypatch.setenv(f"REPLGUARD_TEST_{engine_choice.id.upper().replace('-', '_')}", urls)
    given = open_choice(engine_choice, "one-way")
    assert [server.port for server in given.servers] == [server.port for server in pair.servers]
    assert given.version.startswith(pair.version)
    given.close()
    assert pair.blue.query("SELECT 1") == [(1,)]


@pytest.mark.skipif(not shutil.which("apt-get"), reason="a machine without apt")
def test_an_archive_that_fails_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REPLGUARD_CACHE", str(tmp_path))
    monkeypatch.setattr(install, "debian_source", lambda: Source("http://127.0.0.1:1/debian", "sid", None))
    monkeypatch.setattr(install, "found", lru_cache(lambda engine: () if engine == "mysql" else found(engine)))
    monkeypatch.setattr(install, "_packaged", lambda engine: None)
    assert main(["install"]) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "mysql: the archive of Debian sid is unavailable and nothing is cached (" in said


def test_the_debian_mirror_is_taken_from_either_form_of_sources(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text(
        "# a comment\ndeb-src http://m/debian trixie main\ndeb http://m/debian-security trixie-security main\n"
        "deb [arch=amd64 signed-by=/k.gpg] http://m/debian trixie main contrib\n"
    )
    found = debian_source(tmp_path)
    assert found is not None
    assert found.line("sid") == "deb [signed-by=/k.gpg] http://m/debian sid main\n"
    (tmp_path / "sources.list").unlink()
    assert debian_source(tmp_path) is None
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text(
        "Types: deb\nURIs: http://other/apt\nSuites: nodistro\nComponents: main\n\n"
        "Types: deb\n# a comment\nURIs: http://m/debian\nSuites: bookworm bookworm-updates\n"
        "Components: main\nSigned-By: /k.gpg\n"
    )
    assert debian_source(tmp_path) == found.__class__("http://m/debian", "bookworm", "/k.gpg")
