"""Triggers that act behind the filters, where a target runs them for the changes that it applies. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.model.links import Link
    from replguard.model.tables import TableName, Trigger


def behind(tables: TableMap, link: Link, filters: LinkFilters) -> Iterable[Finding]:
    """Triggers of tables that cross which name a forbidden table, or call a procedure, which may write anything."""
    forbidden = [
        table.sides[link.target].name for table in tables.of(TableClass.must_not_sync) if link.target in table.sides
    ]
    for table in tables.on(link.target).values():
        crosses = filters.crosses(table).crosses if table.triggers and table.name not in forbidden else False
        if crosses is False:
            continue
        for trigger in (one for one in table.triggers if one.on_apply):
            words = _words(trigger.body)
            named = [name for name in forbidden if _words(name.name) <= words]
            yield from (_finding(link, trigger, name, certain=crosses is True) for name in named)
            if "call" in words and not named:
                yield _finding(link, trigger, None, certain=False)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w$]+", text.casefold()))


def _finding(link: Link, trigger: Trigger, forbidden: TableName | None, *, certain: bool) -> Finding:
    what = f"names {forbidden}, which must not sync" if forbidden else "calls a procedure, which may write any table"
    where = forbidden or trigger.table
    return Finding(
        "leak.configured",
        Severity.fail if certain else Severity.unknown,
        f"a change of {trigger.table} that crosses {link.label} runs the trigger {trigger.name} on {link.target}, "
        f"which {what}",
        cluster=link.target,
        link=link.label,
        schema=where.schema,
        table=where.name,
        remedy=f"let {link.target} run no triggers for replicated rows, or drop the trigger there",
        evidence={"path": [str(trigger.table), trigger.name, *([str(forbidden)] if forbidden else [])]},
    )
