"""What stands in deploy/ fits the program: its commands exist with these options, its metrics are written."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from replguard.cli.app import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every call of ours, with the file in which it stands."""
    for path in sorted(DEPLOY.rglob("*")):
        if not path.is_file() or path.suffix in (".md", ".json") or path.name == "Dockerfile":
            continue
        text = path.read_text(encoding="utf-8")
        for found in re.findall(
            r"(?:^|exec |env |run: |- |`)replguard ((?:report|gate|status)\b[^\n`]*)", text, re.MULTILINE
        ):
            yield path.name, shlex.split(found.partition(" >")[0])
    job = yaml.safe_load((DEPLOY / "kubernetes" / "cronjob.yaml").read_text(encoding="utf-8"))
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    yield "cronjob.yaml", container["args"]


@pytest.mark.parametrize(("file", "arguments"), list(commands()))
def test_every_command_is_one_of_ours_with_its_options(file: str, arguments: list[str]) -> None:
    command: Any = COMMANDS[arguments[0]].load(arguments[0])
    concrete = [re.sub(r"^\$\w+$", "switchover", one) for one in arguments[1:]]
    command.make_context(f"{file}: replguard {arguments[0]}", concrete)


def test_there_are_commands_in_every_kind_of_job() -> None:
    assert {file for file, _ in commands()} >= {
        "replguard",
        "replguard.service",
        "cronjob.yaml",
        "replguard.yml",
        "replguard.gitlab-ci.yml",
        "replguard.rules.yml",
    }


def metrics() -> set[str]:
    page = runpy.run_path(str(ROOT / "docs" / "reference" / "make.py"))["pages"]()["metrics.md"]
    return set(re.findall(r"`(replguard_\w+)`", page))


@pytest.mark.parametrize("name", ["prometheus/replguard.rules.yml", "grafana/replguard.json"])
def test_every_metric_is_one_that_is_written(name: str) -> None:
    used = set(re.findall(r"replguard_\w+", (DEPLOY / name).read_text(encoding="utf-8")))
    assert len(used) >= 5
    assert used <= metrics()


def test_the_files_can_be_read() -> None:
    for path in DEPLOY.rglob("*"):
        if path.suffix in (".yml", ".yaml"):
            assert yaml.safe_load(path.read_text(encoding="utf-8")), path
        elif path.suffix == ".json":
            assert json.loads(path.read_text(encoding="utf-8"))["panels"]
    for group in yaml.safe_load((DEPLOY / "prometheus" / "replguard.rules.yml").read_text("utf-8"))["groups"]:
        assert all({"alert", "expr", "labels", "annotations"} <= rule.keys() for rule in group["rules"])


def test_the_readme_names_all_of_them() -> None:
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.name != "README.md":
            place = str(path.relative_to(DEPLOY))
            assert place in text or f"{path.parent.name}/" in text, place


def test_the_image_is_built_without_root_and_starts_the_program() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    words = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    kinds = [kind for kind, _ in words]
    assert set(kinds) <= {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "ENTRYPOINT", "CMD"}
    assert kinds.index("USER") < kinds.index("ENTRYPOINT")
    assert json.loads(dict(words)["ENTRYPOINT"]) == ["replguard"]


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not there")
    for path in (DEPLOY / "systemd").iterdir():
        shutil.copy(path, tmp_path)
    units = [str(path) for path in sorted(tmp_path.iterdir())]
    done = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False)
    told = [line for line in done.stderr.splitlines() if "replguard" in line]
    assert told == [], done.stderr
