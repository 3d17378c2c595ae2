"""What ``diff`` writes beside its report, and the test of itself, as a user asks for them."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import make_healthy

if TYPE_CHECKING:
    from tests.cli.runs import Shell
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "postgresql-18")


def test_repairs_certificate_and_self_test(shell: Shell, db: Workspace) -> None:
    make_healthy(db)
    db.run_local("green", "UPDATE account SET name = 'Zwölf' WHERE id = 2")
    masked = shell.json("diff", "--mask", "--settle", "5s", "--repair-sql", "repair.sql", "--certificate", "no.json")
    assert masked.code == 1, masked
    (written,) = masked.found("repair.written", "info")
    assert written["evidence"] == {"file": "repair.sql", "rows": 1}
    assert "Zwölf" not in masked.stdout
    assert masked.found("certificate.not_written", "unknown")
    assert not (shell.folder / "no.json").exists()
    file = shell.folder / "repair.sql"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Zwölf" in file.read_text(encoding="utf-8")
    db.run("green", file.read_text(encoding="utf-8"))

    running = shell.json("diff", "--settle", "5s", "--certificate", "no.json")
    assert running.code == 3, running
    assert shell.run("pause").code == 0
    tested = shell.json("diff", "--self-test", "--certificate", "yes.json", "--repair-sql", "repair.sql")
    assert tested.code == 0, tested
    assert tested.found("selftest.done", "info")
    assert json.loads((shell.folder / "yes.json").read_text(encoding="utf-8"))["strength"] == "exact"
    assert all(line.startswith("--") for line in file.read_text(encoding="utf-8").splitlines())
    again = shell.run("diff", "--certificate", "yes.json")
    assert again.code == 2, again
    assert "never written over" in again.error
    assert shell.run("resume").code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--repair", "blue"], "--repair goes with --repair-sql"),
        (["--repair-sql", "no/where.sql"], "no file can be written"),
        (["--repair-sql", "x.sql", "--repair", "gren"], "no cluster 'gren'"),
        (["--certificate", "no/where.json"], "no file can be written"),
        (["--certificate", "x.sql", "--resume"], "a certificate is of one time"),
    ],
)
def test_what_cannot_be_written_is_exit_2(shell: Shell, options: list[str], words: str) -> None:
    run = shell.run("diff", *options)
    assert run.code == 2, run
    assert words in run.error
    assert not (shell.folder / "x.sql").exists()
