"""``replguard watch`` as a user calls it: options, lines of JSON, exit codes, clear refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.cli.runs import ROOT

if TYPE_CHECKING:
    from tests.cli.runs import Run, Shell
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "postgresql-18")


@lru_cache(maxsize=1)
def schema() -> Any:
    return json.loads((ROOT / "schemas" / "line.schema.json").read_text())


def lines(run: Run) -> list[dict[str, Any]]:
    """The lines, each held against the schema; the last one is the verdict."""
    found = [json.loads(line) for line in run.stdout.splitlines()]
    for line in found:
        jsonschema.validate(line, schema())
    assert [line["type"] for line in found].index("verdict") == len(found) - 1, run
    return found


def test_lines_tell_changes_with_keys_and_values_only_on_request(healthy: Shell, healthy_db: Workspace) -> None:
    begin = healthy.json("status").document["clusters"]["blue"]["position"]
    healthy_db.run("blue", "UPDATE account SET name = 'secret-name' WHERE id = 1", "DELETE FROM account WHERE id = 3")
    ask = ("watch", "--since", f"blue={begin}", "--until-caught-up", "--format", "jsonl")
    plain, valued = healthy.run(*ask), healthy.run(*ask, "--rows")
    if healthy_db.engine == "mariadb":
        (change,) = [line for line in lines(plain) if line["type"] == "change" and line["cluster"] == "blue"]
        assert (change["operation"], change["table"], change["key"]) == ("update", "account", {"id": 1})
        assert change["position"]
        assert change["committed_at"]
        assert change["origin"]
        assert "secret-name" in valued.stdout
        assert plain.code == 0
    assert "secret-name" not in plain.stdout
    assert lines(valued)[-1]["verdict"] in ("pass", "inconclusive")


def test_what_cannot_begin_ends_with_a_verdict_too(healthy: Shell) -> None:
    run = healthy.run("watch", "-c", "none.yaml", "--format", "jsonl")
    assert (run.code, lines(run)[-1]["verdict"]) == (2, "inconclusive")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--for", "1s", "--until-caught-up"), "exclude each other"),
        (("--until", "2026-01-01", "--for", "1s"), "--until excludes"),
        (("--rows",), "--rows goes with --format jsonl"),
        (("--pending", "--freeze"), "--pending takes no"),
        (("--on-leak", "pause", "--for", "1s"), "add --yes"),
        (("--since", "yesterday", "--for", "1s"), "--since"),
        (("--since", "blue=nonsense", "--for", "1s"), "--since"),
        (("--since", "blue=0/1", "--since", "blue=0/1", "--for", "1s"), "--since"),
        (("--since", "receipt", "--for", "1s"), "no pause of this pair holds"),
        (("--checkpoint", "a/b", "--for", "1s"), "is no name"),
        (("--patience", "long"), "no duration"),
    ],
)
def test_wrong_options_are_refused_with_exit_2(healthy: Shell, options: tuple[str, ...], words: str) -> None:
    run = healthy.run("watch", *options)
    assert run.code == 2, run
    assert words in run.error
    assert run.stdout == ""


def test_what_waits_and_what_was_changed_during_a_pause(healthy: Shell, healthy_db: Workspace) -> None:
    assert healthy.run("pause").code == 0
    try:
        nothing = healthy.json("watch", "--pending")
        healthy_db.run("blue", "UPDATE account SET name = 'frozen?' WHERE id = 2")
        waits = healthy.json("watch", "--pending")
        receipt = next(healthy.state.rglob("receipt.json"))
        where = "receipt" if healthy_db.engine == "mariadb" else str(receipt)
        changed = healthy.json("watch", "--freeze", "--since", where, "--until-caught-up")
    finally:
        healthy_db.run("blue", "UPDATE account SET name = 'two' WHERE id = 2")
        stopped = healthy.run("resume")
        wrong = [healthy.run("resume", *words) for words in (["--accept-changes=red"], ["--accept-changes", "blue"])]
        accepted = healthy.run("resume", "--accept-changes")
        assert accepted.code == 0, accepted
    assert (stopped.code, [run.code for run in wrong]) == (1, [2, 2])
    assert "changed on one side only, will flow (1):" in stopped.stdout
    assert "account id=2   blue: update" in stopped.stdout
    assert ("-> --accept-changes" in stopped.stdout, "-> --accept-changes" in accepted.stdout) == (True, False)
    assert (nothing.code, nothing.found("change.pending")) == (0, []), nothing
    assert [item["key"] for item in waits.found("change.pending")] == [{"id": 2}]
    found = [(item["cluster"], item["key"]) for item in changed.found("freeze.changed", "fail")]
    assert (changed.code, found) == (1, [("blue", {"id": 2})])


def test_a_restricted_watch_says_what_it_left_out(healthy: Shell, healthy_db: Workspace) -> None:
    if healthy_db.engine != "mariadb":
        pytest.skip("PostgreSQL's stream knows no server ids: nothing is ever left out by them")
    run = healthy.json("watch", "--since", "start", "--until-caught-up", "--server-id", "4711")
    assert (run.code, len(run.found("stream.restricted", "unknown"))) == (3, 2), run
    assert any(
        "--server-id" in words for stream in run.document["coverage"]["streams"] for words in stream["cannot_see"]
    )
    domain = healthy.json("watch", "--for", "0.1s", "--gtid-domain", "99")
    assert (domain.code, len(domain.found("stream.restricted", "info"))) == (0, 2)


def test_who_stops_reading_is_told_nothing(healthy: Shell) -> None:
    command = [
        sys.executable,
        "-m",
        "replguard",
        "watch",
        "--since",
        "start",
        "--until-caught-up",
        "--format",
        "jsonl",
        "--quiet",
    ]
    process = subprocess.Popen(
        command,
        cwd=healthy.folder,
        env=healthy._environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 3


def test_the_coverage_counts_what_was_not_told(healthy: Shell, healthy_db: Workspace) -> None:
    run = healthy.json("watch", "--since", "start", "--until-caught-up")
    (stream,) = [item for item in run.document["coverage"]["streams"] if "(sent)" in item["kind"]]
    if healthy_db.engine == "mariadb":
        assert stream["tables"][f"{healthy_db.name}.account"] >= 2
        assert stream["events"] > stream["changes"] > 0
        assert stream["bytes"] > 0
