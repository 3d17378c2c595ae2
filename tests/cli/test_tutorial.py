"""Every command of the tutorial, the guides and pages like them is run on a real pair, in the order of the page.

Each ends as the page says: with 0, or with what `# exit N` behind it says. A block of commands is run unless a comment
before it says why not (`<!-- not run here: ... -->`). The comments `<!-- broken from here -->` and `<!-- mended from
here -->` change a row of the passive side between blocks, `<!-- paused from here -->` and `<!-- resumed from here -->`
pause and resume.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import make_healthy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.runs import Shell
    from tests.servers.workspace import Workspace

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [
    DOCS / "tutorial.md",
    *sorted((DOCS / "guides").glob("*.md")),
    *(
        DOCS / f"{name}.md"
        for name in ("beyond", "comparing", "evidence", "filters", "nightly", "pausing", "resuming", "scanning")
    ),
]
NOT_RUN = 11
"""So many blocks say that they are not run, each with its reason: one more is to be noticed."""
_PART = re.compile(r"<!-- (?P<note>.*?) -->|```(?P<kind>\w+)\n(?P<text>.*?)```", re.DOTALL)


def parts(page: Path) -> Iterator[tuple[str, str]]:
    """Notes as they come, and blocks of commands: those to run and those not to run."""
    skipped = False
    for found in _PART.finditer(page.read_text(encoding="utf-8")):
        note, kind, text = found.group("note", "kind", "text")
        if note:
            skipped = note.startswith("not run here: ")
            yield "note", note
        elif kind == "bash":
            yield ("skipped" if skipped else "run"), text
            skipped = False


def commands(block: str) -> Iterator[tuple[list[str], int]]:
    """The arguments of each command of a block, and its exit code."""
    for line in block.replace("\\\n", " ").splitlines():
        command, _, comment = line.partition(" #")
        if not command.strip() or line.startswith("#"):
            continue
        code = re.search(r"exit (\d)", comment)
        words = shlex.split(command)
        assert words[0] in {"replguard", "openssl"}, f"{line!r} is no command of ours: say why it is not run"
        yield words, int(code.group(1)) if code else 0


RUNNING = [page for page in PAGES if any(kind == "run" for kind, _ in parts(page))]


@pytest.mark.engines("postgresql-18")
@pytest.mark.parametrize("page", RUNNING, ids=lambda page: page.stem)
def test_every_command_of_the_page_ends_as_it_says(
    page: Path, shell: Shell, db: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_healthy(db)
    (shell.folder / "storage").mkdir()
    (shell.folder / "secret.key").write_text("a key of the application")
    monkeypatch.setenv("FILE_KEY", "0123456789abcdef" * 4)
    name = db.query("blue", "SELECT name FROM account WHERE id = 2")[0][0]
    for kind, text in parts(page):
        if kind == "note" and text.startswith("broken"):
            db.run_local("green", "UPDATE account SET name = 'by mistake' WHERE id = 2")
        elif kind == "note" and text.startswith("mended"):
            db.run_local("green", f"UPDATE account SET name = '{name}' WHERE id = 2")
        elif kind == "note" and text in {"paused from here", "resumed from here"}:
            assert shell.run(text.removesuffix("d from here")).code == 0
        elif kind == "run":
            for (program, *arguments), code in commands(text):
                if program == "openssl":
                    subprocess.run([program, *arguments], cwd=shell.folder, check=True, capture_output=True)
                    continue
                run = shell.run(*arguments)
                assert run.code == code, run


def test_what_is_not_run_says_why_and_is_counted() -> None:
    blocks = [kind for page in PAGES for kind, _ in parts(page)]
    assert blocks.count("skipped") == NOT_RUN
    assert blocks.count("run") > 15
