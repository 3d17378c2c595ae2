"""``filter plan`` and ``filter apply`` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

pytestmark = pytest.mark.engines("mariadb", "mysql")
SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.schema.json").read_text())


def test_a_plan_is_written_applied_and_taken_back(healthy, healthy_db):
    nothing = healthy.run("filter", "plan")
    assert (nothing.code, "nothing to do" in nothing.stdout) == (0, True)
    healthy.write_config(*(line["url"] for line in clusters(healthy)), {"must_not_sync": ["EVENT", "acc*"]})
    made = healthy.json("filter", "plan", "-o", "filters.plan")
    assert (made.code, made.document["command"]) == (0, "filter plan")
    written = json.loads((healthy.folder / "filters.plan").read_text())
    jsonschema.validate(written, SCHEMA)
    assert made.document["data"]["plan"] == written
    assert "replicate-ignore-table=" in (healthy.folder / "filters.plan.sql").read_text()
    try:
        done = healthy.json("filter", "apply", "filters.plan", "--yes")
        assert (done.code, [check["id"] for check in done.document["checks"]]) == (0, ["filter.apply", "filter.audit"])
        assert "SQL_THREAD" in done.stderr, "what is run is shown"
        assert done.document["data"]["persist"][0]["cluster"] == "green"
    finally:
        back = healthy.run("filter", "apply", "filters.plan", "--undo", "--yes")
    assert back.code == 0, back
    assert healthy.run("filter", "audit").code == 1, "as it was"


def clusters(shell):

    return yaml.safe_load(shell.config.read_text())["clusters"].values()


def test_what_is_wrong_is_known_without_a_server(healthy):
    (healthy.folder / "broken.plan").write_text("{}")
    for args, words in (
        (("apply",), "there is no plan to apply"),
        (("apply", "none.plan", "--yes"), "none.plan cannot be read"),
        (("apply", "broken.plan", "--yes"), "no plan that can be applied"),
        (("apply", "--undo"), "no terminal on which to ask"),
        (("plan", "-o", "replguard.yaml"), "exists and is no plan"),
        (("plan", "-o", "nowhere/filters.plan"), "no file can be written"),
    ):
        run = healthy.run("filter", *args, "--show-sql")
        assert (run.code, run.stdout) == (2, ""), run
        assert words in run.error
        assert "SELECT" not in run.stderr, "no server was asked"
