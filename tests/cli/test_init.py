"""``init`` writes a file that loads, classifies as ``policy show`` does, and keeps passwords out of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.cli.runs import shell_for, url

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.runs import Shell
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-18")
PRESET = "securetransport-zero-downtime"


@pytest.fixture
def site(db: Workspace, tmp_path: Path) -> Shell:
    """A database with a table of each class of the preset; no config yet."""
    for name in ("account", "event", "ht_other"):
        db.both(f"CREATE TABLE {name} (id int PRIMARY KEY)")
    shell = shell_for(db, tmp_path)
    shell.config.unlink()
    return shell


def clusters(db: Workspace) -> list[str]:
    return [f"--cluster={side}={url(db, side)}" for side in ("blue", "green")]


def test_init_writes_what_policy_show_says_and_overwrites_only_when_told(site: Shell, db: Workspace) -> None:
    wrote = site.json("init", *clusters(db), "--preset", PRESET)
    assert wrote.code == 0, wrote
    assert wrote.found("table.unclassified", "warn")
    assert [finding["table"] for finding in wrote.found("table.unclassified")] == ["ht_other"]
    assert wrote.document["data"]["file"] == "replguard.yaml"
    text = site.config.read_text()
    content = yaml.safe_load(text)
    assert content["clusters"] == {side: {"url": url(db, side)} for side in ("blue", "green")}
    assert "${BLUE_PASSWORD}" in text
    assert content["policy"]["preset"] == PRESET

    shown = site.json("policy", "show")
    classes = {row["table"]: row["class"] for row in shown.document["data"]["tables"]}
    assert classes == {"account": "config", "event": "must_not_sync", "ht_other": "unclassified"}
    sections = dict(_sections(text))
    assert "ht_other" in sections["No rule names these tables. Put each under must_not_sync, local or config:"]
    assert "event" in sections["must not sync (1):"]
    assert "account" in sections["config: must be identical (1):"]

    before = site.config.read_bytes()
    refused = site.json("init", *clusters(db), "--preset", PRESET, "--must-not-sync", "ht_*")
    assert refused.code == 2, refused
    assert "--force" in refused.error
    assert site.config.read_bytes() == before
    forced = site.json("init", *clusters(db), "--preset", PRESET, "--must-not-sync", "ht_*", "--force")
    assert forced.code == 0, forced
    assert yaml.safe_load(site.config.read_text())["policy"]["must_not_sync"] == ["ht_*"]


def _sections(text: str) -> list[tuple[str, str]]:
    """The commented blocks by their heading."""
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [(lines[0].removeprefix("# "), "\n".join(lines[1:])) for lines in blocks if lines[0].startswith("# ")]


def test_init_where_it_cannot_write(site: Shell, db: Workspace) -> None:
    run = site.json("init", *clusters(db), "-o", os.devnull + "/x.yaml", "--force")
    assert run.code == 2, run
    assert "cannot be written" in run.error
    run = site.json("init", *clusters(db), "--preset", PRESET, "-o", "elsewhere.yaml")
    assert run.code == 0, run
    assert not site.config.exists()
    assert (site.folder / "elsewhere.yaml").exists()
