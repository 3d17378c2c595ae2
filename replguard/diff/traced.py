"""What is known of who changed the rows that differ; :mod:`replguard.diff.trace` finds it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replguard.diff.result import Identity
    from replguard.model.findings import Finding
    from replguard.model.tables import TableName


@dataclass(frozen=True, slots=True)
class Traced:
    """Evidence by the table's name and the row's identity, and what could not be read."""

    evidence: Mapping[tuple[TableName, Identity], Mapping[str, Any]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def of(self, name: TableName, identity: Identity) -> Mapping[str, Any]:
        return self.evidence.get((name, identity), {})
