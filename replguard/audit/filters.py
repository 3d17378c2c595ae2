"""Policy against filters as they are set: what would cross, what would not, what would cascade. Pure.

What holds today and need not tomorrow is told by :mod:`replguard.audit.weaknesses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit import cascades, events, triggers
from replguard.audit.classes import no_table, unclassified
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.engines.base import LinkFilters
    from replguard.model.links import Crossing, Link
    from replguard.model.tables import Table, TableName

FRAGILE = "filter.fragile"


def audit(
    tables: TableMap,
    filters: Mapping[Link, LinkFilters],
    *,
    applier_cascades: bool,
    links_wanted: bool,
    applier_triggers: Collection[str] = (),
) -> Check:
    """Every table of the pair against the filters of every link.

    ``applier_cascades`` says whether foreign keys act on the target where changes are applied, ``applier_triggers``
    names the clusters on which triggers do.
    """
    if not links_wanted and not filters:
        open_questions = (*unclassified(tables), *no_table(tables))
        return Check(
            "filter.audit", "no link is wanted, none is there", open_questions, applicable=bool(open_questions)
        )
    findings = [
        finding for link, rules in filters.items() for finding in _link(tables, link, rules, _beside(link, filters))
    ]
    if applier_cascades:
        findings += [finding for link, rules in filters.items() for finding in cascades.behind(tables, link, rules)]
    for link, rules in filters.items():
        if link.target in applier_triggers:
            findings += triggers.behind(tables, link, rules)
    findings += events.behind(tables, filters)
    findings += [*unclassified(tables), *no_table(tables)]
    if not filters:
        findings.append(
            Finding(
                "link.missing",
                Severity.unknown,
                "there is no link between the clusters whose filters could be judged",
                remedy="set up replication, or write `links: none` where the application itself synchronises",
            )
        )
    elif tables.tables and not tables.of(TableClass.must_not_sync):
        findings.append(_nothing_forbidden())
    leaks = sum(finding.code == "leak.configured" for finding in findings)
    what = f"{leaks} table{'s' * (leaks != 1)} would leak" if leaks else "no must_not_sync table would cross"
    judged = f"{len(filters)} link{'s' * (len(filters) != 1)}, {len(tables.tables)} tables: {what}"
    return Check("filter.audit", judged if filters else "no link to judge", tuple(findings))


def _nothing_forbidden() -> Finding:
    return Finding(
        FRAGILE,
        Severity.warn,
        "no existing table is in class must_not_sync, so nothing was there to be kept apart",
        remedy="check the preset and the rules with `replguard policy show`",
    )


def _beside(link: Link, filters: Mapping[Link, LinkFilters]) -> list[LinkFilters]:
    """The filters of other links of the same two clusters in the same direction: they may share the tables out."""
    way = (link.source, link.target)
    return [rules for other, rules in filters.items() if other != link and (other.source, other.target) == way]


def _link(tables: TableMap, link: Link, filters: LinkFilters, beside: list[LinkFilters]) -> Iterable[Finding]:
    judged: dict[TableName, tuple[TableClass, bool | None, bool]] = {}
    for table in sorted(tables, key=lambda table: table.partition):
        side = _as_carried(table, link)
        crossing = filters.crosses(side)
        judged[side.name] = (table.table_class, crossing.crosses, crossing.partial)
        if any(judged.get(name) == judged[side.name] for name in side.ancestors):
            continue  # told once, of the partitioned table
        if table.table_class is TableClass.must_not_sync:
            yield from _forbidden(link, side, crossing)
        elif table.table_class is TableClass.config and not any(_carries(other, side) for other in beside):
            yield from _wanted(link, side, crossing)


def _carries(filters: LinkFilters, table: Table) -> bool:
    found = filters.crosses(table)
    return found.crosses is True and not found.partial


def _as_carried(table: PairedTable, link: Link) -> Table:
    """The table as the link's source has it; where only the target has it, as that one does."""
    return table.sides.get(link.source or "") or table.sides[link.target]


def _forbidden(link: Link, table: Table, crossing: Crossing) -> Iterable[Finding]:
    if crossing.crosses is False:
        return
    certain = crossing.crosses is True
    yield Finding(
        "leak.configured",
        Severity.fail if certain else Severity.unknown,
        f"{table.name} must not sync, {'but would cross' if certain else 'and may cross'} {link.label}: {crossing.why}",
        cluster=link.target,
        link=link.label,
        schema=table.name.schema,
        table=table.name.name,
        remedy=f"keep {table.name} out of what {link.label} applies, then run `replguard filter audit` again",
        evidence={"rule": crossing.why},
    )


def _wanted(link: Link, table: Table, crossing: Crossing) -> Iterable[Finding]:
    if crossing.crosses is True and not crossing.partial:
        return
    words = {True: "but would cross only in part", False: "but would not cross", None: "and may not cross"}
    yield Finding(
        "link.incomplete",
        Severity.unknown if crossing.crosses is None else Severity.fail,
        f"{table.name} must be identical, {words[crossing.crosses]} {link.label}: {crossing.why}",
        cluster=link.target,
        link=link.label,
        schema=table.name.schema,
        table=table.name.name,
        remedy=f"let {link.label} carry {table.name}, or name the table under must_not_sync or local",
        evidence={"rule": crossing.why},
    )
