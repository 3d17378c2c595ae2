"""Lines of JSON on standard output, as what is watched or scanned comes in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replguard.model.findings import Finding, Report
    from replguard.watch.readings import Told


class Lines:
    """Writes the lines, and remembers which findings have one."""

    def __init__(self, *, rows: bool) -> None:
        self.rows = rows
        self.told: dict[tuple[object, ...], Finding] = {}

    def tell(self, told: Told) -> None:
        """A change, a trouble or the end of a transaction, and what was found by it."""
        from replguard.report.lines import Place, lines  # noqa: PLC0415 - not needed for --help

        findings = [finding for _, finding in told.findings]
        for item in findings:
            self.told.setdefault((item.code, item.cluster, item.link, item.schema, item.table), item)
        place = Place(told.cluster or None, told.stream, told.link.label if told.link else None)
        self.write(lines(place, told.item, findings, rows=self.rows))

    def close(self, report: Report) -> None:
        """What has no line yet, and the verdict."""
        from replguard.report.lines import closing_lines  # noqa: PLC0415

        self.write(closing_lines(report, self.told.values()))

    def write(self, lines: list[str]) -> None:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
