"""A plan of filters as it stands in a file: what is to be run for each link, from which state, and how it is undone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - resolved when the JSON schema is generated
from typing import Any

from replguard.model.plain import plain, sha256

SCHEMA = "replguard.plan/1"
HASH = "sha256"


@dataclass(frozen=True, slots=True)
class PlannedCluster:
    """A server that the plan was made on; only on this one may it be applied."""

    engine: str
    version: str
    identity: str


@dataclass(frozen=True, slots=True)
class PlannedTable:
    """A table of either side with its class: a plan is stale once one is added, gone, or in another class."""

    schema: str
    table: str
    class_: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One thing that is done on one server. ``statements`` and ``undo`` are for people to read, ``action`` and
    ``detail`` for the engine; ``after`` is what it leaves in the link's state.
    """

    cluster: str
    action: str
    words: str
    statements: tuple[str, ...]
    undo: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedLink:
    """One link with its steps, none where it is as it should be.

    ``runs`` says that it ran when the plan was made. ``state`` is what the steps were made from, and ``state_hash`` the
    hash of it and of the tables with their classes. ``persist`` are lines for the option file of ``persist_on``.
    """

    link: str
    name: str
    source: str
    target: str
    runs: bool
    state: dict[str, Any]
    state_hash: str
    steps: tuple[PlannedStep, ...] = ()
    persist: tuple[str, ...] = ()
    persist_on: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def final(self) -> dict[str, Any]:
        """The state once all steps are done."""
        found = dict(self.state)
        for step in self.steps:
            found |= step.after
        return found


@dataclass(frozen=True, slots=True)
class Plan:
    made_at: datetime
    by: str
    version: str
    clusters: dict[str, PlannedCluster]
    tables: tuple[PlannedTable, ...]
    links: tuple[PlannedLink, ...]

    @property
    def steps(self) -> int:
        return sum(len(link.steps) for link in self.links)

    def document(self) -> dict[str, Any]:
        """The plan as plain data, with the hash of its own canonical JSON without that hash."""
        content = {"schema": SCHEMA, **plain(self)}
        return {**content, HASH: sha256(content)}


def state_hash(state: dict[str, Any], tables: tuple[PlannedTable, ...]) -> str:
    """What makes a plan stale when it changes."""
    return sha256({"state": state, "tables": plain(list(tables))})
