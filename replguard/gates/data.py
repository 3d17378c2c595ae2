"""Are the config tables identical, in schema and in rows?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.diff.run import Options, diff
from replguard.gates.base import Outcome, Purpose
from replguard.model.findings import Check, Finding, Severity, Strength

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Data:
    id = "diff.data"
    title = "config tables are identical"

    def run(self, context: Context) -> Outcome:
        given = context.options
        options = Options(today=given.today, mask=given.mask, settle=given.settle, progress=given.progress)
        found = diff(context.pair, context.tables, context.all_links, options)
        checks = found.checks
        if context.purpose is Purpose.cutover and found.strength is not Strength.exact:
            checks = (*checks, _not_exact(found.strength))
        return Outcome(checks, found.coverage, found.strength)


def _not_exact(strength: Strength) -> Check:
    finding = Finding(
        "diff.not_exact",
        Severity.unknown,
        f"the comparison is {strength.value}; a cutover needs an exact one",
        remedy="pause all links with `replguard pause`, then run the gate again",
    )
    return Check("diff.strength", strength.value, (finding,))
