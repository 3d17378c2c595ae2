"""``replguard scan`` as a user runs it: over files of real servers, and over what is no log file."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import jsonschema
import pytest

from tests.cli.runs import ROOT, Shell
from tests.conformance.log_files import Logs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.workspace import Workspace

EVENT = ("--must-not-sync", "EVENT")
engines = pytest.mark.engines("mariadb", "mysql")


@pytest.fixture
def plain(tmp_path: Path) -> Shell:
    """A folder without a config, and no server."""
    return Shell(tmp_path, {})


@pytest.fixture
def logs(db: Workspace, tmp_path: Path) -> Logs:
    db.run("blue", "CREATE TABLE account (id INT PRIMARY KEY)", "CREATE TABLE event (id INT PRIMARY KEY)")
    return Logs(db, tmp_path / "logs")


@engines
def test_a_leak_fails_in_every_format_and_passes_by_filters(plain: Shell, logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (1)", "FLUSH BINARY LOGS", "INSERT INTO account VALUES (1)")
    files = [str(path) for path in reversed(logs.files())]
    text = plain.run("scan", *EVENT, *files)
    assert (text.code, "leak.sent" in text.stdout, text.stderr) == (1, True, "")
    run = plain.json("scan", *EVENT, *files)
    (leak,) = run.found("leak.sent", "fail")
    assert (run.code, leak["evidence"]["assumes"], leak["table"]) == (1, "no filter", "event")
    rules = plain.folder / "rules.yaml"
    rules.write_text(f"replicate_ignore_table: [{logs.db.name}.event]\n")
    passed = plain.json("scan", *EVENT, "--filters", str(rules), *files)
    assert (passed.code, passed.findings) == (0, [])
    assert passed.document["coverage"]["streams"][0]["tables"][f"{logs.db.name}.account"] == 1
    assert plain.run("scan", *EVENT, "--until", f"{logs.first}:4", *files).code == 0


@engines
def test_lines_are_one_object_each_and_end_with_the_verdict(plain: Shell, logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (1), (2)", "INSERT INTO account VALUES (1)")
    run = plain.run("scan", *EVENT, "--format", "jsonl", *map(str, logs.files()))
    schema = json.loads((ROOT / "schemas/line.schema.json").read_text())
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    for line in lines:
        jsonschema.validate(line, schema)
    assert (run.code, lines[-1]["type"], lines[-1]["verdict"]) == (1, "verdict", "fail")
    assert {(line["operation"], line["table"]) for line in lines if line["type"] == "change"} == {
        ("insert", "event"),
        ("insert", "account"),
    }
    assert {line["code"] for line in lines if line["type"] == "finding"} == {"leak.sent"}


@engines
def test_a_config_brings_its_clusters_or_a_file_of_filters_spares_them(shell: Shell, logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (1)")
    files = [str(path) for path in logs.files()]
    run = shell.json("scan", "-c", "replguard.yaml", *files)
    assert [(leak["link"], "assumes" in leak["evidence"]) for leak in run.found("leak.sent")] == [
        ("blue->green", False)
    ]
    audit = shell.json("filter", "audit")
    (shell.folder / "audit.json").write_text(audit.stdout)
    shell.config.write_text(shell.config.read_text().replace("127.0.0.1", "127.0.0.254"))
    unreachable = shell.json("scan", "-c", "replguard.yaml", *files)
    assert unreachable.code == 3
    assert "--filters FILE" in unreachable.error
    spared = shell.json("scan", "-c", "replguard.yaml", "--filters", "audit.json", *files)
    assert [leak["table"] for leak in spared.found("leak.sent", "fail")] == ["event"]
    other = shell.run("scan", "-c", "replguard.yaml", "--filters", "audit.json", "--link", "x->y", *files)
    assert (other.code, "blue->green" in other.stderr) == (2, True)


@engines
def test_what_is_missing_or_torn_is_inconclusive(plain: Shell, logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO account VALUES (1)", "FLUSH BINARY LOGS", "FLUSH BINARY LOGS")
    one, two, three = logs.files()
    gap = plain.json("scan", *EVENT, str(one), str(three))
    assert (gap.code, len(gap.found("stream.gap", "unknown"))) == (3, 1)
    assert two.name not in json.dumps(gap.document["data"])
    one.write_bytes(one.read_bytes()[:-60])
    torn = plain.json("scan", *EVENT, str(one))
    assert torn.code == 3
    assert {item["code"] for item in torn.findings if item["severity"] != "info"} <= {"stream.gap", "stream.corrupt"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"\xfebin", "no format description"),
        (b"\xfebin" + bytes(200), "no format description"),
        (gzip.compress(b"\xfebin", mtime=0), "compressed with gzip"),
        (b"\x28\xb5\x2f\xfd rest", "compressed with zstd"),
        (b"# The proper term is pseudo_replica_mode, but", "output of mysqlbinlog"),
        (b"just some text", "no log file that can be read"),
    ],
)
def test_what_is_no_log_file_is_refused_with_a_remedy(plain: Shell, content: bytes | None, words: str) -> None:
    path = plain.folder / "binlog.000001"
    if content is not None:
        path.write_bytes(content)
    run = plain.json("scan", *EVENT, str(path))
    assert run.code == 2
    assert words in run.error
    assert "binlog.000001" in run.error
    assert "->" in run.error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((".",), "is a folder"),
        (("binlog.index",), "list of its log files"),
        (("--preset", "zatoo", "binlog.index"), "'zatoo'"),
        (("--filters", "none.yaml", "binlog.index"), "none.yaml does not exist"),
        (("--filters", "list.yaml", "binlog.index"), "no mapping"),
        (("--filters", "report.json", "binlog.index"), "without filters"),
    ],
)
def test_other_wrong_words_are_exit_2(plain: Shell, arguments: tuple[str, ...], words: str) -> None:
    (plain.folder / "binlog.index").write_text("./binlog.000001\n")
    (plain.folder / "list.yaml").write_text("[1, 2]\n")
    (plain.folder / "report.json").write_text('{"schema": "replguard.report/1", "checks": [], "data": {}}')
    run = plain.run("scan", *EVENT, *arguments)
    assert run.code == 2
    assert words in run.error
    assert run.stdout == ""


def test_without_any_policy_it_says_how_to_give_one(plain: Shell) -> None:
    run = plain.run("scan", "binlog.000001")
    assert run.code == 2
    assert "--must-not-sync" in run.error
    assert plain.run("scan", *EVENT).code == 2
