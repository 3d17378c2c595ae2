"""At a terminal the gate asks for what nobody has attested yet."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import make_healthy

if TYPE_CHECKING:
    from tests.cli.runs import Shell
    from tests.servers.workspace import Workspace


@pytest.mark.engines("mariadb")
def test_a_terminal_is_asked_once_for_what_is_not_attested(shell: Shell, db: Workspace) -> None:
    make_healthy(db)
    with shell.config.open("a", encoding="utf-8") as file:
        file.write("\nattestations: [{name: told, text: users were told}]\n")
    for answer, asked in ((b"n\n", True), (b"y\n", True), (b"n\n", False)):
        said, out = _at_a_terminal(shell, answer)
        assert ("users were told: do you attest that?" in said) is asked, said
    assert "1 of 1 given" in out


def _at_a_terminal(shell: Shell, answer: bytes) -> tuple[str, str]:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "replguard", "gate", "--window", "0s"]
    variables = {**os.environ, **shell.secrets, **shell.variables}
    with subprocess.Popen(
        command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, cwd=shell.folder, env=variables, text=True
    ) as process:
        os.write(ours, answer)
        os.close(theirs)
        said = b""
        # Linux tells the end of a terminal as an error.
        with suppress(OSError):
            while part := os.read(ours, 4096):
                said += part
        os.close(ours)
        out, _ = process.communicate()
    return said.decode(), out
