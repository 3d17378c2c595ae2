"""Are the config tables identical, in schema and in rows?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.diff.run import Options, diff
from replguard.gates.base import Gate, Outcome, Purpose
from replguard.model.findings import Check, Finding, Severity, Strength

if TYPE_CHECKING:
    from replguard.gates.base import Context
    from replguard.gates.base import Options as GateOptions


class Data(Gate):
    id = "diff.data"
    title = "config tables are identical"
    purpose = "A cutover moves traffic onto the other side's rows: they must be the same."
    reads = (
        "schema and rows of all config tables on both sides, by sums of hashes; the links' streams for rows that move"
    )
    remedy = "`replguard diff --trace` tells who wrote what differs, `--repair-sql` writes statements that put it right"
    codes = (
        "row.missing",
        "row.extra",
        "row.differs",
        "row.in_flight",
        "row.unsettled",
        "row.indeterminate",
        "table.missing",
        "schema.differs",
        "sequence.behind",
        "sequence.collides",
        "table.not_compared",
        "expected.unused",
        "change.pending",
        "diff.not_exact",
    )

    def takes(self, options: GateOptions) -> float:
        return options.settle + 600.0

    def run(self, context: Context) -> Outcome:
        given = context.options
        options = Options(
            today=given.today, mask=given.mask, settle=given.settle, progress=given.progress, trace=given.trace
        )
        found = diff(context.pair, context.tables, context.all_links, options)
        checks = tuple(_told(check, context) for check in found.checks)
        if context.purpose is Purpose.cutover and found.strength is not Strength.exact:
            checks = (*checks, _not_exact(found.strength))
        return Outcome(checks, found.coverage, found.strength)


def _told(check: Check, context: Context) -> Check:
    """Numbers that would be given twice warn as long as they can still be set, and fail once traffic is to move."""
    if context.purpose is not Purpose.cutover:
        return check
    findings = tuple(
        replace(finding, severity=Severity.fail)
        if finding.code == "sequence.behind" and finding.severity is Severity.warn
        else finding
        for finding in check.findings
    )
    return replace(check, findings=findings)


def _not_exact(strength: Strength) -> Check:
    finding = Finding(
        "diff.not_exact",
        Severity.unknown,
        f"the comparison is {strength.value}; a cutover needs an exact one",
        remedy="pause all links with `replguard pause`, then run the gate again",
    )
    return Check("diff.strength", strength.value, (finding,))
