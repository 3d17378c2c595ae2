"""Is every table in a class, and does every rule of the policy still mean something?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit import classes
from replguard.gates.base import Gate, Outcome

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Tables(Gate):
    id = "policy.tables"
    title = "every table is in a class"
    purpose = (
        "A table that no rule names is neither kept apart nor compared. A rule that names nothing may be misspelt, and "
        "one whose day is over excuses nothing any more."
    )
    reads = "the catalogs of both sides, held against the policy"
    remedy = (
        "put each table under `must_not_sync`, `local` or `config`; `replguard policy show` tells which rule names what"
    )
    codes = ("table.unclassified", "policy.unmatched", "policy.expired")

    def run(self, context: Context) -> Outcome:
        return Outcome((classes.check(context.tables, context.options.today),))
