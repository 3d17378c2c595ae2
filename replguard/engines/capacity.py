"""What the gate asks of an engine about room and rights: free places, what later steps lack, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.model.findings import Severity
    from replguard.model.links import Link
    from replguard.model.tables import TableName


@dataclass(frozen=True, slots=True)
class Places:
    """Something of which a server has ``most``: ``used`` are taken, ``least`` must be free.

    ``what`` is the plural of it, ``setting`` what limits it.
    """

    what: str
    setting: str
    most: int
    used: int
    least: int
    raised_by: str

    @property
    def free(self) -> int:
        return max(self.most - self.used, 0)


@dataclass(frozen=True, slots=True)
class Lack:
    """A right that this user lacks on this server for ``steps``; without ``moves`` a move can be made all the same."""

    steps: str
    what: str
    remedy: str
    moves: bool = True


@dataclass(frozen=True, slots=True)
class Hindrance:
    """What stands in the way of a link that leads back. ``severity`` fail is for what must be mended before a move."""

    code: str
    severity: Severity
    what: str
    remedy: str


@runtime_checkable
class TellsCapacity(Protocol):
    """Servers that tell how much room they have, and what this user may do on them."""

    def places(self) -> Sequence[Places]:
        """What is limited and needed by a watch, a pause or a link. Temporary slots of replguard are not counted."""
        ...

    def lacks(self, links: Sequence[Link], tables: Sequence[TableName]) -> Sequence[Lack]:
        """What this user lacks for steps that the gate does not take itself, with these links and config tables."""
        ...

    def way_back(self, link: Link, pause: float, forbidden: Sequence[TableName]) -> Sequence[Hindrance]:
        """What keeps this server, the target of ``link``, from being the source of one that leads back.

        ``pause`` seconds is how long such a link may have to stand; ``forbidden`` are tables here that must not sync.
        """
        ...
