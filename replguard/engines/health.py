"""What checks of the gate ask of an engine about links: what ails them beyond their state, loops, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from replguard.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Server
    from replguard.model.links import Link


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing that is wrong with a link, though it may run. ``code`` is a finding code, ``words`` a sentence."""

    code: str
    words: str
    remedy: str
    severity: Severity = Severity.fail


@runtime_checkable
class TellsAilments(Protocol):
    """``Server.replication`` of the target of a link."""

    def ailments(self, link: Link, source: Server) -> Sequence[Ailment]:
        """What is set or has happened so that the link does not carry everything, at once and in order."""
        ...

    def passes_on(self, link: Link) -> str | None:
        """Why changes that this link brings could be sent on by a link that leads back, so that they go round for ever;
        None where they stop here.
        """
        ...


@runtime_checkable
class TellsTime(Protocol):
    """Servers that say what their clock shows."""

    def clock(self) -> float:
        """Seconds since 1970, as precise as the server tells it."""
        ...
