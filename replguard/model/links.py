"""Links between clusters, and what their filters let through, in words that hold for every engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.model.positions import Position


class LinkState(StrEnum):
    running = "running"
    paused = "paused"
    """Stopped in good order: nothing receives, nothing applies, no error stands."""
    broken = "broken"
    """It should run and does not, or only half of it does, or an error stands."""
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class Link:
    """One direction of replication, as its target describes it.

    ``name`` is the channel, connection or subscription as stored ('' is MySQL's and MariaDB's default one).
    ``source`` is the config's name of the source cluster, ``None`` while it could not be matched by identity;
    ``why_unmatched`` then says why. ``lag_seconds`` is ``None`` where the server does not know it.
    ``initial_copy`` names tables whose first copy is not finished (PostgreSQL).
    """

    name: str
    target: str
    source: str | None
    state: LinkState
    address: str = ""
    why_unmatched: str | None = None
    received: Position | None = None
    applied: Position | None = None
    lag_seconds: float | None = None
    errors: tuple[str, ...] = ()
    initial_copy: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def label(self) -> str:
        """How the link is written in reports.

        >>> Link("", "green", "blue", LinkState.running).label
        'blue->green'
        >>> Link("dr", "green", None, LinkState.unknown).label
        '?->green/dr'
        """
        return f"{self.source or '?'}->{self.target}" + (f"/{self.name}" if self.name else "")


@dataclass(frozen=True, slots=True)
class Crossing:
    """Whether a table's changes would be applied at the target of a link, and the rule that decides.

    ``crosses`` is ``None`` where that cannot be known; ``why`` is a clause that can follow the table's name.
    ``partial`` says that only some of its rows, columns or operations cross: too much for a table that must not sync,
    too little for one that must be identical.
    """

    crosses: bool | None
    why: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Fragility:
    """Something about a link's filters that holds today and need not hold tomorrow."""

    message: str
    remedy: str
    rule: str | None = None
    table: str | None = None
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a server is; ``text`` is shown and stored.

    ``origins`` are the identities under which its own changes travel in a stream (a server UUID, a server id) and
    ``past`` all those that its stream is known to hold changes of, other servers' included.
    """

    engine: str
    version: str
    text: str
    origins: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    detail: Mapping[str, Any] = field(default_factory=dict)
