"""The table of faults in the documents speaks of the steps that the code notes, and of nothing else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.adversarial.faults import Fault
from tests.adversarial.faulttable import COMMANDS, page

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = re.compile(r"before anything was written down|begin [\w ]+|closed: [\w ]+")


def _notes() -> list[re.Pattern[str]]:
    """What the code writes into the journal before it acts, as patterns."""
    calls = [
        node
        for path in (ROOT / "replguard" / "control").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and node.args
    ]
    named = [call for call in calls if getattr(call.func, "attr", getattr(call.func, "id", "")) == "note"]
    return [re.compile(_pattern(call.args[0])) for call in named]


def _pattern(text: ast.expr) -> str:
    if isinstance(text, ast.Constant):
        return re.escape(str(text.value))
    if isinstance(text, ast.JoinedStr):
        return "".join(_pattern(part) for part in text.values)
    return ".*" if isinstance(text, ast.FormattedValue) else "(?!)"


def _tables(document: str) -> dict[str, list[list[str]]]:
    """The rows of the table under each heading."""
    found: dict[str, list[list[str]]] = {}
    for part in document.split("\n## ")[1:]:
        name, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("| ")]
        found[name] = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return found


def test_the_table_of_faults_names_the_steps_of_the_code() -> None:
    tables = _tables((ROOT / "docs" / "faults.md").read_text(encoding="utf-8"))
    assert list(tables) == list(COMMANDS), "every command, and none whose trials were found wrong"
    notes = _notes()
    for command, (head, _, *rows) in tables.items():
        assert head[2:] == [fault.value for fault in Fault], command
        assert rows, command
        steps = [row[0] for row in rows]
        unknown = [
            one for one in steps if not OUTSIDE.fullmatch(one) and not any(note.fullmatch(one) for note in notes)
        ]
        assert unknown == [], "no note of the journal reads so: run the campaign again and write the table anew"


def test_a_trial_that_was_not_mended_shows() -> None:
    trial = {
        "engine": "mariadb",
        "direction": "two-way",
        "command": "pause",
        "step": "stop the receiver of blue->green",
        "cluster": "green",
        "statement": "stop_receiver",
        "fault": Fault.cut.value,
        "code": 3,
        "outcome": "given up, links ran",
        "mended_by": "resume",
        "wrong": ["resume did not mend it: ..."],
    }
    written = page([trial, {**trial, "wrong": []}])
    assert "| stop the receiver of LINK | 1 | not tried | given up, links ran (2) |" in written
    assert "- mariadb two-way, pause, stop the receiver of blue->green" in written
    assert "of which 1 were found wrong" in written
