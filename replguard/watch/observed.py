"""What a target's rows tell of leaks, where its own stream does not show what was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.errors import ServerError
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from replguard.audit.tables import TableMap
    from replguard.engines.base import AppliedRows
    from replguard.engines.pair import Pair
    from replguard.errors import ReplguardError
    from replguard.model.links import Link


def rows(pair: Pair, tables: TableMap, link: Link, *, judged_whole: bool) -> list[Finding]:
    """Forbidden rows on the target that came over the link.

    ``judged_whole`` says that everything the link sent in the window was judged.
    """
    source, target = pair.server(str(link.source)), pair.server(link.target)
    forbidden = [
        table.sides[target.name] for table in tables.of(TableClass.must_not_sync) if target.name in table.sides
    ]
    try:
        found = target.streams.applied_rows(link, source, forbidden)
    except ServerError as error:
        return [_not_observed(link, error, judged_whole=judged_whole)]
    return [_leak(link, one) for one in found if one.count]


def _leak(link: Link, found: AppliedRows) -> Finding:
    return Finding(
        "leak.applied",
        Severity.fail if found.certain else Severity.unknown,
        f"{found.count} row{'s' * (found.count != 1)} of {found.table}, which must not sync, "
        f"stand{'s' * (found.count == 1)} on {link.target} and came "
        + (f"over {link.label}" if found.certain else "by replication, over a link that is not remembered"),
        cluster=link.target,
        link=link.label,
        schema=found.table.schema,
        table=found.table.name,
        remedy=f"close the leak with `replguard filter audit`, then remove these rows from {link.target}",
        evidence={"rows": found.count, "origin": found.origin, "first_at": found.first_at, "last_at": found.last_at},
    )


def _not_observed(link: Link, error: ReplguardError, *, judged_whole: bool) -> Finding:
    """Not to see what was applied is no gap where everything that was sent has been judged."""
    return Finding(
        "leak.applied",
        Severity.info if judged_whole else Severity.unknown,
        f"what {link.target} applied cannot be observed ({error.message})"
        + ("; everything that was sent in this window was judged" if judged_whole else ""),
        cluster=link.target,
        link=link.label,
        remedy=error.remedy,
    )
