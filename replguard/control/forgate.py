"""What the gate may know of pauses: the gate asks for it by :class:`replguard.gates.base.Control`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.control import receipt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Known:
    """By the pair's own state folder."""

    folder: Path

    def receipt(self) -> Mapping[str, Any] | None:
        return receipt.load(self.folder)
