"""Runs of the command line as a user makes them: a process of its own, passwords from the environment.

Every run is checked for what holds always: no secret is shown or left in a file, no traceback without ``--debug``, and
with ``--format json`` exactly one document on standard output, which the schema accepts and whose verdict is the exit
code.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jsonschema
import yaml

from tests.cli import forks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.servers.workspace import Workspace

ROOT = Path(__file__).parents[2]
EXIT_CODES = {"pass": {0}, "fail": {1}, "inconclusive": {2, 3}}
"""By verdict. What cannot begin (exit 2) has judged nothing, so its document says inconclusive."""
POLICY = {"must_not_sync": ["EVENT"]}


@dataclass(frozen=True)
class Run:
    """What came of one run. ``document`` is what was parsed of standard output, where JSON was asked for."""

    args: tuple[str, ...]
    code: int
    stdout: str
    stderr: str
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def findings(self) -> list[dict[str, Any]]:
        return [finding for check in self.document["checks"] for finding in check["findings"]]

    def found(self, code: str, severity: str | None = None) -> list[dict[str, Any]]:
        """The findings of one code."""
        return [item for item in self.findings if item["code"] == code and severity in (None, item["severity"])]

    @property
    def error(self) -> str:
        """What was told on standard error, in one line."""
        return " ".join(self.stderr.split())

    def __str__(self) -> str:
        return f"{' '.join(self.args)}: exit {self.code}\n{self.stdout}\n{self.stderr}"


class Shell:
    """A folder with a config in which commands run. ``secrets`` must never show in what they print or write.

    ``program`` is an installed one that is to be run instead of the code at hand.
    """

    def __init__(self, folder: Path, secrets: Mapping[str, str], program: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.secrets = dict(secrets)
        self.program = program
        self.variables: dict[str, str] = {}

    @property
    def config(self) -> Path:
        return self.folder / "replguard.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def write_config(self, blue: str, green: str, policy: Mapping[str, Any] | None = None, **more: Any) -> Path:
        """Write ``replguard.yaml``."""
        content = {
            "clusters": {"blue": {"url": blue}, "green": {"url": green}},
            "policy": dict(POLICY if policy is None else policy),
            "state_dir": str(self.state),
            **more,
        }
        self.config.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        return self.config

    def run(self, *args: str, timeout: float = 90.0) -> Run:
        """Run one command, and check what must hold for each."""
        run = Run(args, *(self._started if self.program else self._forked)(args, timeout))
        self._check_secrets(run)
        if "--debug" not in args:
            assert "Traceback" not in run.stderr, run
            assert "replguard failed" not in run.stderr, run
        return Run(args, run.code, run.stdout, run.stderr, _document(run))

    def _forked(self, args: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        return forks.run(args, self.folder, self._environment(), timeout)

    def _started(self, args: tuple[str, ...], timeout: float) -> tuple[int, str, str]:
        done = subprocess.run(
            [*self.program, *args],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def json(self, *args: str, timeout: float = 90.0) -> Run:
        """Run one command with ``--format json``."""
        return self.run(*args, "--format", "json", timeout=timeout)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("REPLGUARD", "NO_COLOR"))}
        home = {"HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "xdg"), "PYTHONPATH": ""}
        if not self.program:
            home["PYTHONPATH"] = str(ROOT)
        return {**kept, **home, **self.secrets, **self.variables}

    def _check_secrets(self, run: Run) -> None:
        files = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file() and path != self.config}
        for secret in self.secrets.values():
            assert secret not in run.stdout, run
            assert secret not in run.stderr, run
            for path, content in files.items():
                assert secret.encode() not in content, path


def _document(run: Run) -> dict[str, Any]:
    if "json" not in run.args:
        return {}
    try:
        document: dict[str, Any] = json.loads(run.stdout)
    except ValueError as error:
        raise AssertionError(f"standard output is not exactly one document: {error}\n{run}") from error
    _validator().validate(document)
    assert run.code in EXIT_CODES[document["verdict"]], run
    return document


@lru_cache(maxsize=1)
def _validator() -> Any:
    schema = json.loads((ROOT / "schemas" / "report.schema.json").read_text())
    kind = jsonschema.validators.validator_for(schema)
    return kind(schema, format_checker=kind.FORMAT_CHECKER)


def shell_for(db: Workspace, folder: Path, policy: Mapping[str, Any] | None = None) -> Shell:
    """A shell whose config names the two sides of a workspace, their passwords from the environment."""
    shell = Shell(folder, {"BLUE_PASSWORD": db.pair.blue.user.password, "GREEN_PASSWORD": db.pair.green.user.password})
    shell.write_config(url(db, "blue"), url(db, "green"), policy)
    return shell


def url(db: Workspace, side: str, **changes: Any) -> str:
    """A cluster's URL as a config has it. ``changes``: scheme, user, password (as written), host, port, database."""
    server = db.pair.blue if side == "blue" else db.pair.green
    parts: dict[str, Any] = {
        "scheme": server.engine,
        "user": server.user.user,
        "password": f"${{{side.upper()}_PASSWORD}}",
        "host": server.user.host,
        "port": server.user.port,
        "database": quote(db.name, safe=""),
        **changes,
    }
    return "{scheme}://{user}:{password}@{host}:{port}/{database}".format(**parts)


def keep_apart(db: Workspace, *tables: str) -> None:
    """MySQL and MariaDB: let green ignore these tables. PostgreSQL keeps apart what is not published."""
    names = [f"{db.name}.{table}" for table in tables]
    if db.engine == "mariadb":
        db.pair.green.run(f"STOP SLAVE; SET GLOBAL replicate_ignore_table = '{','.join(names)}'; START SLAVE")
    elif db.engine == "mysql":
        db.pair.green.run(
            "STOP REPLICA SQL_THREAD FOR CHANNEL ''; "
            f"CHANGE REPLICATION FILTER REPLICATE_IGNORE_TABLE = ({','.join(names)}) FOR CHANNEL ''; "
            "START REPLICA SQL_THREAD FOR CHANNEL ''"
        )


def make_healthy(db: Workspace) -> None:
    """A linked pair: ``account`` is replicated and equal, ``event`` is kept apart and differs."""
    db.both(
        "CREATE TABLE account (id int PRIMARY KEY, name varchar(20))",
        "CREATE TABLE event (id int PRIMARY KEY, what varchar(20))",
    )
    keep_apart(db, "event")
    db.link(["account"])
    db.run("blue", "INSERT INTO account VALUES (1, 'one'), (2, 'two')", "INSERT INTO event VALUES (1, 'of blue')")
    db.run_local("green", "INSERT INTO event VALUES (2, 'of green')")
    db.wait_caught_up()
