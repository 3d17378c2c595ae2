"""The JSON Schemas in ``schemas/`` are those of the models, and hold for what people write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from replguard.report.schema import dumps, schemas, write

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
CLUSTERS = {"blue": {"url": "mysql://h/d"}, "green": {"url": "mysql://h2/d"}}


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_files_are_what_the_models_make(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == dumps(schemas()[name]), "run `make schemas`"
    jsonschema.Draft202012Validator.check_schema(json.loads((FOLDER / name).read_text()))


def test_no_other_schema_lies_around() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(schemas())


def test_they_are_written_whole(tmp_path: Path) -> None:
    write(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(schemas())


@pytest.mark.parametrize(
    ("data", "valid"),
    [
        ({"clusters": CLUSTERS}, True),
        ({"clusters": CLUSTERS, "links": "none", "policy": {"preset": "zato", "must_not_sync": ["a"]}}, True),
        ({"clusters": CLUSTERS, "policy": {"must_not_sync": {"group": ["a"]}}}, True),
        ({"clusters": CLUSTERS, "links": [{"source": "blue", "target": "green"}]}, True),
        ({"clusters": CLUSTERS, "typo": 1}, False),
        ({"clusters": {"blue": {"url": "x"}}}, False),
        ({"clusters": CLUSTERS, "policy": {"must_not_sync": [""]}}, False),
        ({}, False),
    ],
)
def test_the_schema_of_the_config(data: dict[str, Any], *, valid: bool) -> None:
    schema = json.loads((FOLDER / "config.schema.json").read_text())
    assert jsonschema.Draft202012Validator(schema).is_valid(data) is valid
