"""Many findings of one kind become one that counts: a leak of a million rows is one thing worth telling."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.model.findings import Finding


@dataclass(slots=True)
class Gathered:
    """Findings by code, severity, link, table and operation: the first of each, with a count and the last position."""

    first: dict[tuple[object, ...], Finding] = field(default_factory=dict)
    counts: dict[tuple[object, ...], int] = field(default_factory=dict)
    last: dict[tuple[object, ...], object] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count a finding, or one that stands for many, as :meth:`findings` gives them."""
        where = (finding.code, finding.severity, finding.cluster, finding.link, finding.schema, finding.table)
        kind = (*where, finding.evidence.get("operation"))
        self.first.setdefault(kind, finding)
        self.counts[kind] = self.counts.get(kind, 0) + int(finding.evidence.get("count", 1))
        self.last[kind] = finding.evidence.get("last_position", finding.evidence.get("position"))

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            replace(
                finding,
                evidence={**finding.evidence, "count": self.counts[kind], "last_position": self.last[kind]},
            )
            for kind, finding in self.first.items()
        )
