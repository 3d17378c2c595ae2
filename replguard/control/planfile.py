"""The file of a plan: JSON that ``filter apply`` reads, and beside it the same as SQL, which people read."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from replguard.errors import UsageError
from replguard.journal import write_json
from replguard.model.plain import sha256
from replguard.model.plan import HASH, SCHEMA, Plan, PlannedCluster, PlannedLink, PlannedStep, PlannedTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_RULE = "-- " + "-" * 77


def check_writable(path: Path) -> None:
    """UsageError where no plan can be written to ``path``: known before any server is asked."""
    if path.exists() and not _is_plan(path):
        raise UsageError(f"{path} exists and is no plan", remedy="name a file that is not there yet")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"no file can be written to {path}", remedy="name a file in a folder that exists")


def sql_path(path: Path) -> Path:
    """Where the SQL of a plan stands."""
    return path.with_name(f"{path.name}.sql")


def store(path: Path, plan: Plan) -> None:
    """Write both files. ControlError where that cannot be."""
    write_json(path, plan.document())
    sql_path(path).write_text("\n".join(sql(plan)) + "\n", encoding="utf-8")


def load(path: Path) -> Plan:
    """The plan in a file; UsageError for one that is missing, damaged, or was changed by hand."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="name the file of a plan") from None
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise _damaged(path, f"it is none of {SCHEMA}")
    if content.get(HASH) != sha256({key: value for key, value in content.items() if key != HASH}):
        raise _damaged(path, "it was changed since it was made")
    try:
        return parsed(content)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from None


def parsed(content: Mapping[str, Any]) -> Plan:
    """The plan of a document. KeyError, TypeError, ValueError for what is none."""
    return Plan(
        made_at=datetime.fromisoformat(content["made_at"]),
        by=content["by"],
        version=content["version"],
        clusters={name: PlannedCluster(**facts) for name, facts in content["clusters"].items()},
        tables=tuple(PlannedTable(row["schema"], row["table"], row["class"]) for row in content["tables"]),
        links=tuple(_link(link) for link in content["links"]),
    )


def _link(content: Mapping[str, Any]) -> PlannedLink:
    lists = {key: tuple(content[key]) for key in ("persist", "notes")}
    return PlannedLink(**{**content, **lists, "steps": tuple(_step(step) for step in content["steps"])})


def _step(content: Mapping[str, Any]) -> PlannedStep:
    known = {field.name: content[field.name] for field in fields(PlannedStep)}
    return PlannedStep(**{**known, "statements": tuple(known["statements"]), "undo": tuple(known["undo"])})


def _damaged(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path} is no plan that can be applied: {why}", remedy="make a new one with `replguard filter plan -o FILE`"
    )


def _is_plan(path: Path) -> bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("schema") == SCHEMA


def sql(plan: Plan) -> Iterator[str]:
    """The plan for a reader, line by line: per link what is run, how it is undone, and what goes into a file."""
    yield f"-- Filters as planned by {plan.by} at {plan.made_at.isoformat(timespec='seconds')}."
    yield "-- To read; `replguard filter apply` runs what stands in the plan itself, and checks before and after."
    for name, cluster in plan.clusters.items():
        yield f"-- {name}: {cluster.engine} {cluster.version}, {cluster.identity}"
    for link in plan.links:
        yield from ("", _RULE, _comment(f"{link.link}, on {link.target}"))
        yield from (_comment(note) for note in link.notes)
        if not link.steps:
            yield "-- Nothing to do: the filters are as they should be."
        for step in link.steps:
            yield from ("", _comment(f"{step.cluster}: {step.words}"), *map(_ended, step.statements))
        if undo := [line for step in reversed(link.steps) for line in step.undo]:
            yield from ("", "-- To take it back:", *(_comment(_ended(line)) for line in undo))
        if link.persist:
            yield from ("", _comment(f"Lines for the option file of {link.persist_on or link.target}:"))
            yield from (_comment(line) for line in link.persist)


def _ended(statement: str) -> str:
    return f"{statement};"


def _comment(text: str) -> str:
    """As a comment, whatever line breaks a name holds."""
    return "\n".join(f"-- {line}" for line in text.split("\n"))
