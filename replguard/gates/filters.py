"""Would a table that must not sync cross a link, or a config table not cross it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.audit import classes
from replguard.audit.ofpair import audit_pair
from replguard.gates.base import Gate, Outcome

if TYPE_CHECKING:
    from replguard.gates.base import Context


class Filters(Gate):
    id = "filter.audit"
    title = "filters keep apart what must not sync, and let the rest through"
    purpose = (
        "What must not sync must be kept apart by the filters as they are set, and what must be identical let through."
    )
    reads = (
        "filters, publications and subscriptions of every link, held against the policy for every table of both sides"
    )
    remedy = "`replguard filter plan` writes what puts the filters right, `replguard filter apply` does it"
    codes = ("leak.configured", "link.incomplete", "link.missing", "filter.fragile")

    def run(self, context: Context) -> Outcome:
        wanted = context.config.links != "none"
        check, _ = audit_pair(context.pair, context.tables, context.links, links_wanted=wanted)
        # Tables without a class, and schemas without a table, have a check of their own.
        elsewhere = [*classes.unclassified(context.tables), *classes.no_table(context.tables)]
        findings = tuple(finding for finding in check.findings if finding not in elsewhere)
        applicable = bool(findings) or wanted or bool(context.links)
        return Outcome((replace(check, findings=findings, applicable=applicable),))
