"""What a check of the gate is, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from replguard.diff.progress import Progress, silent
from replguard.model.findings import Coverage

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from replguard.audit.tables import TableMap
    from replguard.config import Config
    from replguard.engines.pair import Pair
    from replguard.model.findings import Check, Strength
    from replguard.model.links import Link


class Purpose(StrEnum):
    """What the gate is asked for."""

    setup = "setup"
    nightly = "nightly"
    switchover = "switchover"
    cutover = "cutover"
    """After the pause: links must be paused and the comparison exact."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to look: ``window`` seconds of watching, ``settle`` seconds for rows on their way; ``today`` for expiry."""

    today: date
    window: float = 5.0
    settle: float = 30.0
    mask: bool = False
    progress: Callable[[Progress], None] = silent


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a check may look at. ``links`` are those between the two clusters, ``all_links`` any others too.

    ``earlier`` are the checks that ran before.
    """

    pair: Pair
    config: Config
    tables: TableMap
    links: tuple[Link, ...]
    all_links: tuple[Link, ...]
    purpose: Purpose
    options: Options
    earlier: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a gate has to say: one check or more, and what it covered."""

    checks: tuple[Check, ...]
    coverage: Coverage = field(default_factory=Coverage)
    strength: Strength | None = None


class Gate(Protocol):
    """One question that the gate asks; ``id`` names it where it could not be asked at all."""

    id: str
    title: str

    def run(self, context: Context) -> Outcome:
        """Look, and say what was found. ServerError where the servers do not let it look."""
        ...
