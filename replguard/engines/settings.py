"""What a check of the gate asks of an engine about settings: those by which two servers behave in different ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is now. Where it ``changes_data``, the same statement stores or finds something else by it."""

    name: str
    value: str
    changes_data: bool = False


@runtime_checkable
class TellsSettings(Protocol):
    """Servers that tell the settings which must be alike on both sides."""

    def settings(self) -> Sequence[Setting]:
        """Each by a name of its own; one that this version does not know is absent."""
        ...

    def schedulers(self) -> Sequence[str]:
        """What runs jobs on this server by itself and is not told by its catalog, in words."""
        ...
