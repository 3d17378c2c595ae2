"""What checks of the gate ask of an engine about links: what ails them beyond their state, loops, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from replguard.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.base import Server
    from replguard.model.links import Link
    from replguard.model.tables import TableName


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
class Marks(Protocol):
    """Servers on which a token can be written into a table that the site has made for it, and read on the other side.

    The table has the columns ``id`` (an integer, its primary key) and ``token`` (text of 64 characters).
    """

    def mark_statement(self, table: TableName, token: str) -> str:
        """The statement that :meth:`mark` will run, for showing it first."""
        ...

    def mark(self, table: TableName, token: str) -> None:
        """Write the token into the one row of the table. ServerError where that cannot be."""
        ...

    def marked(self, table: TableName) -> str | None:
        """The token that stands in the table here, None where there is no row."""
        ...


@runtime_checkable
class TellsTime(Protocol):
    """Servers that say what their clock shows."""

    def clock(self) -> float:
        """Seconds since 1970, as precise as the server tells it."""
        ...
