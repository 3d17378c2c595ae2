"""The journal survives a kill at any moment and says when it cannot be written."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from replguard.errors import ControlError
from replguard.journal import Journal, folder_of, read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

UNDO = [{"do": "start", "link": "blue->green"}]


def test_an_entry_from_begin_to_close(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    assert book.unfinished() == ()
    entry = book.begin("pause", UNDO, link="blue->green")
    (found,) = book.unfinished()
    assert found.data == entry.data
    assert (found.data["action"], found.data["undo"], found.data["link"]) == ("pause", UNDO, "blue->green")
    assert found.data["by"]
    entry.note("stop the receiver")
    assert [step["step"] for step in book.unfinished()[0].data["steps"]] == ["stop the receiver"]
    entry.close("done")
    assert book.unfinished() == ()
    stored = read_json(entry.path)
    assert stored
    assert (stored["outcome"], bool(stored["closed_at"])) == ("done", True)


def test_unfinished_entries_come_in_the_order_of_their_beginning(tmp_path: Path) -> None:
    book = Journal(tmp_path)
    begun = [book.begin(action, []).path for action in ("resume", "pause", "apply")]
    assert [entry.path for entry in book.unfinished()] == begun


@pytest.mark.parametrize("moment", ["after begin", "before the first rename", "before a later rename"])
def test_a_kill_leaves_the_state_before_or_after_a_step(tmp_path: Path, moment: str) -> None:
    code = """
import os, pathlib, sys
from replguard.journal import Journal
def die(*_): os._exit(9)
moment, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if moment == "before the first rename":
    pathlib.Path.replace = die
entry = Journal(folder).begin("pause", [{"do": "start"}])
if moment == "after begin":
    die()
pathlib.Path.replace = die
entry.close("done")
"""
    ended = subprocess.run([sys.executable, "-c", code, moment, str(tmp_path)], check=False, timeout=60)
    assert ended.returncode == 9
    found = Journal(tmp_path).unfinished()
    if moment == "before the first rename":
        assert found == ()
    else:
        assert [entry.data["undo"] for entry in found] == [[{"do": "start"}]]


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ControlError, match="No space left"):
        write_json(path, {"a": 2})
    assert read_json(path) == {"a": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["a.json"]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    entry = Journal(tmp_path / "pair").begin("pause", [])
    assert stat.S_IMODE(entry.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(entry.path.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_written_is_told_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(ControlError, match="cannot be written") as caught:
        Journal(tmp_path / "state").begin("pause", [])
    assert "state_dir" in str(caught.value.remedy)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", "5", '"text"', "\xff"])
def test_a_damaged_entry_is_never_taken_for_none(tmp_path: Path, content: str) -> None:
    book = Journal(tmp_path)
    entry = book.begin("pause", UNDO)
    entry.path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ControlError, match="cannot be read") as caught:
        book.unfinished()
    assert caught.value.remedy
    assert str(entry.path) in caught.value.message


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none.json") is None


def test_a_pair_of_servers_has_one_folder_whatever_they_are_called(tmp_path: Path) -> None:
    assert folder_of(tmp_path, ["a", "b"]) == folder_of(tmp_path, ["b", "a"])
    assert folder_of(tmp_path, ["a", "b"]) != folder_of(tmp_path, ["a", "c"])
    assert folder_of(tmp_path, ["a", "b"]).is_relative_to(tmp_path)


def test_values_that_json_does_not_know_are_written_as_text(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"path": tmp_path})
    assert json.loads((tmp_path / "a.json").read_text()) == {"path": str(tmp_path)}
