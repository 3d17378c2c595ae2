"""Evidence of a gate: written whole, without secrets, and seen to be touched."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.cli.runs import make_healthy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.runs import Shell
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "postgresql-18")
FILES = {"report.json", "report.html", "junit.xml", "statements.sql", "config.json", "manifest.json"}


def keys(folder: Path) -> None:
    """The keys of a site, made as the documents say."""
    make = ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(folder / "replguard.key")]
    subprocess.run(make, check=True, capture_output=True)
    show = ["openssl", "pkey", "-in", str(folder / "replguard.key"), "-pubout", "-out", str(folder / "replguard.pub")]
    subprocess.run(show, check=True, capture_output=True)


def test_a_cutover_leaves_evidence_that_holds_until_it_is_touched(shell: Shell, db: Workspace) -> None:
    make_healthy(db)
    keys(shell.folder)
    assert shell.run("pause").code == 0
    gate = shell.json(
        "gate", "--for", "cutover", "--window", "0s", "--evidence", "CHG-1", "--sign-key", "replguard.key"
    )
    assert shell.run("resume").code == 0
    assert gate.code == 0, gate
    folder = shell.folder / "CHG-1"
    assert {path.name for path in folder.iterdir()} == FILES | {"certificate.json", "manifest.json.sig"}
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == gate.document
    assert ET.parse(folder / "junit.xml").getroot().get("failures") == "0"
    statements = (folder / "statements.sql").read_text(encoding="utf-8")
    assert statements.count(" blue\n") > 10
    assert statements.count(" green\n") > 10
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in config["clusters"]] == ["blue", "green"]
    assert any("event" in str(rule).lower() for rule in config["policy"]["rules"])
    secrets = [url.partition("://")[2].partition("@")[0].partition(":")[2] for url in (db.blue_url, db.green_url)]
    for path in folder.iterdir():
        assert not [one for one in secrets if one and one.encode() in path.read_bytes()], path.name

    for extra in ([], ["--key", "replguard.pub"]):
        told = shell.json("verify", "CHG-1", *extra)
        assert told.code == 0, told
        assert bool(told.found("evidence.unknown_key")) is not bool(extra)
    again = shell.run("gate", "--evidence", "CHG-1")
    assert again.code == 2, again
    assert "never written over" in again.error
    for touch, words in TOUCHES:
        other = shell.folder / "touched"
        shutil.copytree(folder, other)
        touch(other)
        told = shell.json("verify", "touched", "--key", "replguard.pub")
        assert told.code == 1, told
        assert any(words in item["message"] for item in told.findings), (words, told)
        shutil.rmtree(other)


def _change(name: str) -> Callable[[Path], None]:
    def touch(folder: Path) -> None:
        data = bytearray((folder / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder / name).write_bytes(data)

    return touch


def _unsigned(folder: Path) -> None:
    (folder / "manifest.json.sig").unlink()


TOUCHES: tuple[tuple[Callable[[Path], object], str], ...] = (
    *((_change(name), f"{name} was changed") for name in sorted(FILES - {"manifest.json"})),
    (_change("certificate.json"), "certificate.json was changed"),
    (lambda folder: (folder / "report.html").unlink(), "report.html is gone"),
    (lambda folder: (folder / "more.txt").write_text("x"), "more.txt was added"),
    (lambda folder: (folder / "manifest.json").write_text(_older(folder)), "was changed after it was signed"),
    (lambda folder: (folder / "manifest.json.sig").write_text("AAAA"), "was changed after it was signed"),
    (_unsigned, "it is not signed"),
)


def _older(folder: Path) -> str:
    """The manifest as somebody would write it who does not have the key."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return json.dumps({**manifest, "verdict": "pass", "made_at": "2026-01-01T00:00:00+00:00"})


@pytest.mark.engines("mariadb")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--evidence", "no/where"], "no folder can be made"),
        (["--evidence", "."], "never written over"),
        (["--sign-key", "replguard.yaml"], "--sign-key signs evidence"),
        (["--evidence", "new", "--sign-key", "replguard.yaml"], "holds no private key"),
        (["--evidence", "new", "--sign-key", "missing.key"], "cannot be read"),
    ],
)
def test_what_cannot_be_written_is_exit_2_before_a_server_is_asked(
    healthy: Shell, options: list[str], words: str
) -> None:
    run = healthy.run("gate", "--show-sql", *options)
    assert run.code == 2, run
    assert words in run.error
    assert "SELECT" not in run.error
    assert not (healthy.folder / "new").exists()


@pytest.mark.engines("mariadb")
@pytest.mark.parametrize(("name", "content"), [("empty", None), ("other", "{}"), ("list", "[]"), ("text", "x")])
def test_what_is_no_evidence_is_exit_2(healthy: Shell, name: str, content: str | None) -> None:
    folder = healthy.folder / name
    folder.mkdir()
    if content is not None:
        (folder / "manifest.json").write_text(content)
    run = healthy.run("verify", name)
    assert run.code == 2, run


@pytest.mark.engines("mariadb")
def test_every_form_is_printed_and_nagios_gets_its_own_exit_code(healthy: Shell) -> None:
    forms = {form: healthy.run("gate", "--window", "0s", "--format", form) for form in ("junit", "sarif", "nagios")}
    assert ET.fromstring(forms["junit"].stdout).get("errors") == "0"
    assert json.loads(forms["sarif"].stdout)["version"] == "2.1.0"
    assert forms["nagios"].stdout.startswith("REPLGUARD WARNING - gate for nightly pass")
    assert [forms[form].code for form in ("junit", "sarif", "nagios")] == [0, 0, 1]
    text = healthy.run("gate", "--window", "0s", "--format", "prometheus").stdout
    assert 'replguard_gate_verdict{for="nightly",verdict="pass"} 1.0' in text
    lost = healthy.run("gate", "--format", "nagios", "-c", "missing.yaml")
    assert (lost.code, lost.stdout.split()[1]) == (3, "UNKNOWN")


@pytest.mark.engines("postgresql-18")
def test_masked_evidence_holds_no_literal(healthy: Shell, healthy_db: Workspace) -> None:
    healthy_db.run_local("green", "UPDATE account SET name = 'Geheim' WHERE id = 2")
    try:
        run = healthy.run("gate", "--window", "0s", "--settle", "1s", "--mask", "--evidence", "masked")
    finally:
        before = healthy_db.query("blue", "SELECT name FROM account WHERE id = 2")[0][0]
        healthy_db.run_local("green", f"UPDATE account SET name = '{before}' WHERE id = 2")
    assert run.code == 1, run
    for path in (healthy.folder / "masked").iterdir():
        assert b"Geheim" not in path.read_bytes(), path.name
    assert (healthy.folder / "masked").stat().st_mode & 0o007 == 0
