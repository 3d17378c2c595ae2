"""Statements by name: variants, slots, and that every file in ``sql/`` is found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from replguard.engines import sqlfiles
from replguard.engines.sqlfiles import Quoted, joined, root, statement

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(path.relative_to(root()) for path in root().rglob("*.sql"))


@pytest.fixture
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "e" / "sub").mkdir(parents=True)
    texts = {
        "plain": "-- What it is for.\n-- More.\n\nSELECT 1;\n",
        "plain@8.0.22": "SELECT 8",
        "plain@10": "SELECT 10",
        "slots": "SELECT {{column}} FROM {{table}} -- a {{column}}\n",
        "new@9.0": "SELECT 9",
        "sub/deep": "SELECT 'deep'",
        "sub/deep@2": "SELECT 'deeper'",
    }
    for name, text in texts.items():
        (tmp_path / "e" / f"{name}.sql").write_text(text)
    monkeypatch.setattr(sqlfiles, "root", lambda: tmp_path)
    for cache in (sqlfiles._files, sqlfiles._variants, sqlfiles._pieces):
        cache.cache_clear()
    return tmp_path


@pytest.fixture(autouse=True)
def _forget():
    yield
    for cache in (sqlfiles._files, sqlfiles._variants, sqlfiles._pieces):
        cache.cache_clear()


@pytest.mark.usefixtures("_folder")
@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("", "SELECT 1"),
        ("5.7", "SELECT 1"),
        ("8.0.9", "SELECT 1"),
        ("8.0.22", "SELECT 8"),
        ("8.0.22-log", "SELECT 8"),
        ("9.7.4", "SELECT 8"),
        ("10", "SELECT 10"),
        ("10.11.19-MariaDB", "SELECT 10"),
    ],
)
def test_the_newest_variant_that_the_server_knows(version: str, text: str) -> None:
    assert statement("e", "plain", version) == text


@pytest.mark.usefixtures("_folder")
def test_subfolders() -> None:
    assert statement("e", "sub/deep", "1") == "SELECT 'deep'"
    assert statement("e", "sub/deep", "2.1") == "SELECT 'deeper'"


@pytest.mark.usefixtures("_folder")
def test_a_file_that_is_missing_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"sql/e/nothing\.sql"):
        statement("e", "nothing")
    with pytest.raises(FileNotFoundError, match=r"sql/e/new\.sql"):
        statement("e", "new", "8.4")
    assert statement("e", "new", "9.1") == "SELECT 9"


@pytest.mark.usefixtures("_folder")
def test_slots_are_filled_with_quoted_text_alone() -> None:
    names = {"column": Quoted('"a{{table}}"'), "table": Quoted(r'"t\1"')}
    assert statement("e", "slots", **names) == r"""SELECT "a{{table}}" FROM "t\1" -- a "a{{table}}\""""[:-2] + '"'
    with pytest.raises(KeyError, match="table"):
        statement("e", "slots", column=Quoted("a"))
    with pytest.raises(TypeError, match="column"):
        statement("e", "slots", column="a; DROP TABLE t", table=Quoted("t"))  # type: ignore[arg-type]


def test_quoted_parts_are_joined() -> None:
    assert joined([Quoted("a"), Quoted("b")], " AND ") == "a AND b"
    assert isinstance(joined([]), Quoted)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_file_is_found_by_its_name(path: Path) -> None:
    text = (root() / path).read_text(encoding="utf-8")
    engine, *folders = path.parent.parts
    name, _, version = path.stem.partition("@")
    slots = {slot: Quoted(f"<{slot}>") for slot in re.findall(r"\{\{(\w+)\}\}", text)}
    found = statement(engine, "/".join([*folders, name]), version, **slots)
    assert found
    assert "{{" not in found
    assert not found.startswith("--")
