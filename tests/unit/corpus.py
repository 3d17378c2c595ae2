"""The statements of ``tests/corpus``: plain files, statements parted by empty lines."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "corpus" / "ddl"


def statements(name: str) -> list[str]:
    """The statements of ``tests/corpus/ddl/NAME.sql``."""
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return [statement.strip("\n") for statement in text.split("\n\n") if statement.strip()]
