"""Every command on a small healthy pair: one document that the schema accepts, the right exit code, quiet elsewhere.

The tests share a database: each leaves it as it was, so that no replication must be made anew between them.
"""

from __future__ import annotations

import json
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.runs import Shell
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-18")
READING = (
    ("status",),
    ("policy", "show"),
    ("filter", "audit"),
    ("filter", "plan"),
    ("watch", "--for", "1s"),
    ("diff",),
)
GATE = ("gate", "--window", "0s")


def test_commands_that_read_give_one_document_and_pass(healthy: Shell, healthy_db: Workspace) -> None:
    for command in (*READING, GATE):
        run = healthy.json(*command)
        assert run.code == 0, run
        assert run.document["verdict"] == "pass"
        assert run.document["command"] == " ".join(word for word in command if word.isalpha())
        assert set(run.document["clusters"]) == {"blue", "green"}
        assert run.document["clusters"]["blue"]["engine"] == healthy_db.engine
        assert run.document["clusters"]["blue"]["position"]
    covered = {item["table"]: item for item in run.document["coverage"]["tables"]}
    assert covered["account"]["compared"]
    assert covered["account"]["rows"]["blue"] == covered["account"]["rows"]["green"] >= 2
    assert (covered["event"]["compared"], covered["event"]["class"]) == (False, "must_not_sync")
    checks = {check["id"] for check in run.document["checks"]}
    assert {"clusters.identity", "filter.audit", "diff.schema", "diff.data", "watch.sent", "watch.applied"} <= checks


def test_text_has_no_colour_where_there_is_no_terminal(healthy: Shell) -> None:
    for command in (("status",), ("policy", "show"), ("filter", "audit", "--verbose"), GATE):
        run = healthy.run(*command)
        assert run.code == 0, run
        assert "verdict: PASS" in run.stdout
        assert "\x1b[" not in run.stdout + run.stderr


def test_drift_is_told_by_key_with_exit_1(healthy: Shell, healthy_db: Workspace) -> None:
    healthy_db.run_local("green", "UPDATE account SET name = 'zebra' WHERE id = 2")
    try:
        run, gate = healthy.json("diff"), healthy.json(*GATE)
        masked, text = healthy.run("diff", "--mask"), healthy.run("diff")
    finally:
        healthy_db.run_local("green", "UPDATE account SET name = 'two' WHERE id = 2")
    assert (run.code, gate.code, masked.code, text.code) == (1, 1, 1, 1), (run, gate)
    (finding,) = run.found("row.differs")
    assert (finding["table"], finding["key"]) == ("account", {"id": 2})
    assert finding["evidence"]["columns"] == {"name": ["two", "zebra"]}
    assert gate.found("row.differs")
    assert "zebra" in text.stdout
    assert "zebra" not in masked.stdout


def test_jsonl_tells_each_change_on_a_line_as_it_comes(healthy: Shell, healthy_db: Workspace) -> None:
    ended = Event()

    def write() -> None:
        number = 1000
        while not ended.wait(0.2):
            number += 1
            healthy_db.run("blue", f"INSERT INTO account VALUES ({number}, 'more')")

    writer = Thread(target=write)
    writer.start()
    try:
        run = healthy.run("watch", "--for", "2s", "--format", "jsonl")
    finally:
        ended.set()
        writer.join()
    assert run.code == 0, run
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    changed = [line["tables"] for line in lines if line["type"] == "change" and line["operation"] == "insert"]
    assert [("account", healthy_db.engine)] == sorted({(names[0]["table"], healthy_db.engine) for names in changed})
    assert "more" not in run.stdout


def test_quiet_says_nothing_beside_the_report(healthy: Shell) -> None:
    for command in (GATE, ("diff",)):
        run = healthy.run(*command, "--quiet")
        assert (run.code, run.stderr) == (0, "")


def test_no_color_beats_what_asks_for_colour(healthy: Shell) -> None:
    healthy.variables = {"FORCE_COLOR": "1"}
    assert "\x1b[1;32m" in healthy.run("policy", "show").stdout
    healthy.variables["NO_COLOR"] = "1"
    assert "\x1b[1;32m" not in healthy.run("policy", "show").stdout


def test_show_sql_prints_statements_to_standard_error_alone(healthy: Shell) -> None:
    run = healthy.json("diff", "--show-sql")
    assert run.code == 0
    assert "-- blue\n" in run.stderr
    assert "-- green\n" in run.stderr
    assert "SELECT" in run.stderr.upper()
    assert "SELECT" not in run.stdout


def test_the_config_is_found_by_option_variable_and_default_name(healthy: Shell) -> None:
    elsewhere = healthy.folder / "other.yaml"
    healthy.config.rename(elsewhere)
    assert healthy.json("policy", "show", "-c", str(elsewhere)).code == 0
    healthy.variables = {"REPLGUARD_CONFIG": str(elsewhere)}
    assert healthy.json("policy", "show").code == 0
    healthy.variables = {}
    run = healthy.json("policy", "show")
    assert run.code == 2, run
    assert "replguard init" in run.error


def test_pause_and_resume_change_the_links_and_may_be_repeated(healthy: Shell, healthy_db: Workspace) -> None:
    paused = healthy.json("pause", "--reason", "CHG-1")
    assert paused.code == 0, paused
    assert {link["state"] for link in paused.document["links"]} == {"paused"}
    receipt = paused.document["data"]["receipt"]
    assert receipt["reason"] == "CHG-1"
    again = healthy.json("pause", "--reason", "CHG-2")
    assert again.code == 0, again
    assert again.document["data"]["receipt"] == receipt
    gate = healthy.json("gate", "--for", "cutover", "--window", "0s")
    assert (gate.code, gate.document["strength"]) == (0, "exact"), gate
    assert healthy.json("status").document["data"]["receipt"]["reason"] == "CHG-1"

    resumed = healthy.json("resume")
    assert resumed.code == 0, resumed
    assert {link["state"] for link in resumed.document["links"]} == {"running"}
    again = healthy.json("resume")
    assert again.code == 0, again
    healthy_db.run("blue", "INSERT INTO account VALUES (9, 'nine')")
    healthy_db.wait_caught_up()
    assert healthy.json("status").document["data"]["receipt"] is None


def test_pause_and_resume_in_text_show_first_what_they_will_run(healthy: Shell) -> None:
    wrong = healthy.run("pause", "--free-disk", "purple=1GB")
    assert (wrong.code, "'purple' is none of blue, green" in wrong.error) == (2, True), wrong
    paused = healthy.run("pause", "--free-disk", "blue=1GB")
    assert (paused.code, "verdict: PASS" in paused.stdout) == (0, True), paused
    assert "green: " in paused.stderr
    assert "blue->green" in next(line for line in paused.stderr.splitlines() if "resume by" in line or "known" in line)
    metrics = healthy.folder / "replguard.prom"
    status = healthy.run("status", "--metrics", str(metrics))
    assert (status.code, "pause.budget" in status.stdout) == (0, True), status
    lines = metrics.read_text().splitlines()
    assert "replguard_pause_active 1.0" in lines
    assert any(line.startswith('replguard_link_state{link="blue->green') for line in lines)
    assert any(line.startswith('replguard_pause_budget_known{cluster="blue",link="blue->green') for line in lines)
    assert healthy.run("status", "--metrics", str(healthy.folder / "nowhere" / "x.prom")).code == 2
    resumed = healthy.run("resume", "--quiet")
    assert (resumed.code, resumed.stderr) == (0, ""), resumed
