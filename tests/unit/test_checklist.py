"""The checklist of the gate: lines where there is no terminal, a table where there is one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from replguard.cli.checklist import Checklist
from replguard.diff.progress import Progress
from replguard.gates.base import Outcome
from replguard.gates.run import GATES
from replguard.model.findings import Check, Finding, Severity

FAILED = Outcome((Check("links.state", "broken", (Finding("link.broken", Severity.fail, "stopped"),)),))


def exported(shown: Checklist, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=True)
    console.print(shown)
    return console.export_text()


@pytest.fixture
def shown() -> Checklist:
    lines: list[str] = []
    made = Checklist(GATES, lines.append)
    by_id = {gate.id: gate for gate in GATES}
    made.on_check(by_id["links.state"], None)
    made.on_check(by_id["links.state"], FAILED)
    made.on_check(by_id["diff.data"], None)
    made.on_progress(Progress("account", 2, 7, 1500, 4000))
    return made


def test_a_line_a_check_says_how_far_it_is(shown: Checklist) -> None:
    lines: list[str] = []
    shown.say = lines.append
    gate = next(gate for gate in GATES if gate.id == "policy.tables")
    shown.on_check(gate, Outcome((Check("policy.tables", "6 tables"), Check("policy.other", "fine"))))
    (line,) = lines
    assert line.split() == [f"[2/{len(GATES)}]", "pass", "policy.tables", "6", "tables"]


def test_the_table_shows_what_is_done_in_work_and_to_come(shown: Checklist) -> None:
    rows = exported(shown, 120).splitlines()
    assert len(rows) == len(GATES)
    assert [row.split() for row in rows if "links.state" in row] == [["FAIL", "links.state", "broken"]]
    assert any("2 of 7 tables, 1,500 of about 4,000 rows" in row for row in rows)
    assert any("clusters.identity" in row and "two servers of one engine" in row for row in rows)


@pytest.mark.parametrize("width", [1, 20, 300])
def test_no_width_breaks_it(shown: Checklist, width: int) -> None:
    assert all(len(one) <= width for one in exported(shown, width).splitlines())
