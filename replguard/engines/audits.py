"""What the audit of filters asks of an engine beyond :mod:`replguard.engines.base`: restarts, rules, what is hidden.

Each protocol is small, and an engine fulfils those that mean something to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from replguard.engines.base import LinkFilters
    from replguard.model.links import Fragility
    from replguard.model.tables import Table, TableName


@dataclass(frozen=True, slots=True)
class AfterRestart:
    """What the filters of a link are once both its servers have been restarted, as far as that can be told.

    ``changes`` are the rules and settings that are otherwise then, ``unknown`` what could not be told, in words, and
    ``read`` the option files that it was told from.
    """

    filters: LinkFilters
    changes: tuple[Fragility, ...] = ()
    unknown: tuple[Fragility, ...] = ()
    read: tuple[str, ...] = ()


@runtime_checkable
class SurvivesRestart(Protocol):
    """Link filters that know what becomes of them at a restart."""

    def after_restart(self) -> AfterRestart: ...


@runtime_checkable
class MatchesByRule(Protocol):
    """Link filters whose rules are patterns."""

    def matched(self, tables: Sequence[Table]) -> Mapping[str, Sequence[TableName]]:
        """The tables that each pattern catches, by the rule as it is told in findings."""
        ...


@runtime_checkable
class KnowsIdentity(Protocol):
    """Link filters of engines where something else than a key may tell rows apart for whoever applies changes."""

    def identified(self, table: Table) -> bool:
        """Whether updates and deletes of the table can be told to the target."""
        ...


@runtime_checkable
class HidesSome(Protocol):
    """Catalogs that may keep something from their user without a word."""

    def cannot_see(self) -> tuple[str, ...]:
        """What of the scope this user is not shown, in words."""
        ...
