"""A user with too few rights is told the exact statement that helps; whoever runs what is told gets on.

The test is the user: it runs every GRANT that a command names, on both clusters, and tries again.
"""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import Run, make_healthy, shell_for, url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.workspace import Workspace

OLD = ("postgresql-15",) if os.environ.get("REPLGUARD_LONG") else ()
pytestmark = pytest.mark.engines("mariadb", "mysql", *OLD, "postgresql-18")
STATEMENT = re.compile(r"(?:GRANT|ALTER) .+?(?=;|$|\. Or |, then | Or the )")
COMMANDS = (
    ("status",),
    ("policy", "show"),
    ("filter", "audit"),
    ("diff",),
    ("watch", "--for", "0s"),
    ("pause",),
    ("resume",),
)


class Newcomer:
    """A user of both servers who may connect and nothing else."""

    def __init__(self, db: Workspace, folder: Path) -> None:
        self.db = db
        self.name = f"few_{secrets.token_hex(3)}"
        self.password = secrets.token_hex(8)
        self.shell = shell_for(db, folder)
        self.shell.secrets["FEW_PASSWORD"] = self.password
        few = {"user": self.name, "password": "${FEW_PASSWORD}"}
        self.shell.write_config(url(db, "blue", **few), url(db, "green", **few))
        self.on_both(f"CREATE USER {self.account} {self._with} '{self.password}'")

    @property
    def account(self) -> str:
        return self.name if self.db.engine == "postgresql" else f"'{self.name}'@'%'"

    @property
    def _with(self) -> str:
        return "PASSWORD" if self.db.engine == "postgresql" else "IDENTIFIED BY"

    def on_both(self, statement: str) -> None:
        unlogged = "" if self.db.engine == "postgresql" else "SET sql_log_bin = 0; "
        for server in self.db.pair.servers:
            server.run(unlogged + statement, database=self.db.name)

    def follow(self, remedies: list[str]) -> list[str]:
        """Run the statements that the remedies name; those that were run."""
        found = sorted({text.strip() for remedy in remedies for text in STATEMENT.findall(remedy)})
        for text in found:
            self.on_both(text)
        return found

    def drop(self) -> None:
        if self.db.engine == "postgresql":
            self.on_both(f"DROP OWNED BY {self.account}")
        self.on_both(f"DROP USER {self.account}")


@pytest.fixture
def site(db: Workspace) -> Workspace:
    make_healthy(db)
    return db


@pytest.fixture
def newcomer(site: Workspace, tmp_path: Path) -> Iterator[Newcomer]:
    user = Newcomer(site, tmp_path)
    yield user
    user.drop()


def refused(run: Run) -> list[str]:
    """The remedies of a run that lacked a right: it was inconclusive, never a pass."""
    assert (run.code, run.document["verdict"]) == (3, "inconclusive"), str(run)
    return [str(finding["remedy"]) for finding in run.findings if finding["severity"] == "unknown"]


def test_following_the_remedies_makes_every_command_work(newcomer: Newcomer) -> None:
    told: dict[str, list[str]] = {}
    for command in COMMANDS:
        for _ in range(6):
            run = newcomer.shell.json(*command)
            if run.code == 0:
                break
            done = newcomer.follow(refused(run))
            assert done, (told, str(run))
            told.setdefault(" ".join(command), []).extend(done)
        assert run.code == 0, (told, run)
    assert {"watch --for 0s", "pause"} <= set(told)
    newcomer.db.run("blue", "INSERT INTO account VALUES (3, 'three')")
    newcomer.db.wait_caught_up()
    assert newcomer.db.query("green", "SELECT name FROM account WHERE id = 3") == [("three",)]
