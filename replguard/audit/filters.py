"""Policy against filters as they are set: what would cross, what would not, what would cascade. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit import triggers
from replguard.audit.classes import no_table, unclassified
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.engines.base import LinkFilters
    from replguard.model.links import Crossing, Link
    from replguard.model.tables import ForeignKey, Table, TableName

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
    findings = [finding for link, rules in filters.items() for finding in _link(tables, link, rules)]
    if applier_cascades:
        findings += [finding for link, rules in filters.items() for finding in _cascades(tables, link, rules)]
    for link, rules in filters.items():
        if link.target in applier_triggers:
            findings += triggers.behind(tables, link, rules)
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


def _link(tables: TableMap, link: Link, filters: LinkFilters) -> Iterable[Finding]:
    judged: dict[TableName, tuple[TableClass, bool | None, bool]] = {}
    for table in sorted(tables, key=lambda table: table.partition):
        side = _as_carried(table, link)
        crossing = filters.crosses(side)
        judged[side.name] = (table.table_class, crossing.crosses, crossing.partial)
        if any(judged.get(name) == judged[side.name] for name in side.ancestors):
            continue  # told once, of the partitioned table
        if table.table_class is TableClass.must_not_sync:
            yield from _forbidden(link, side, crossing)
        elif table.table_class is TableClass.config:
            yield from _wanted(link, side, crossing)
    source = [table.sides[link.source] for table in tables if link.source in table.sides]
    for weakness in filters.fragile(source):
        yield Finding(
            FRAGILE,
            Severity.warn,
            f"{link.label}: {weakness.message}",
            cluster=link.target,
            link=link.label,
            schema=weakness.schema,
            table=weakness.table,
            remedy=weakness.remedy,
            evidence={"rule": weakness.rule} if weakness.rule else {},
        )


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


def _cascades(tables: TableMap, link: Link, filters: LinkFilters) -> Iterable[Finding]:
    """Foreign keys on the target that rewrite a forbidden child when a parent changes, itself perhaps by a cascade."""
    classes = {
        table.sides[link.target].name.folded(): table.table_class for table in tables if link.target in table.sides
    }
    on_target = tables.on(link.target).values()
    keys = [key for table in on_target for key in table.foreign_keys if key.cascades]
    moved = _moved(on_target, keys, filters) if keys else {}
    for key in keys:
        child, parent = key.child.folded(), key.parent.folded()
        forbidden = classes.get(child) is TableClass.must_not_sync
        if not forbidden or classes.get(parent) is TableClass.must_not_sync:
            continue
        changes = moved.get(parent, True)
        if changes is not False:
            yield _cascade(link, key, certain=changes is True)


def _moved(tables: Iterable[Table], keys: Iterable[ForeignKey], filters: LinkFilters) -> dict[TableName, bool | None]:
    """Which tables, by folded name, change on the target: by what crosses, or by a cascade from what changes."""
    strength = (False, None, True)
    moved: dict[TableName, bool | None] = {}
    for table in tables:
        found = filters.crosses(table).crosses
        moved[table.name.folded()] = max(found, moved.get(table.name.folded(), False), key=strength.index)
    reaching = True
    while reaching:
        reaching = False
        for key in keys:
            child, parent = key.child.folded(), moved.get(key.parent.folded(), True)
            if strength.index(parent) > strength.index(moved.get(child, False)):
                moved[child], reaching = parent, True
    return moved


def _cascade(link: Link, key: ForeignKey, *, certain: bool) -> Finding:
    path = f"{key.parent} -> {key.name} (on delete {key.on_delete}, on update {key.on_update}) -> {key.child}"
    return Finding(
        "leak.configured",
        Severity.fail if certain else Severity.unknown,
        f"a change of {key.parent} that crosses {link.label} would cascade into {key.child}, which must not sync: "
        f"{path}",
        cluster=link.target,
        link=link.label,
        schema=key.child.schema,
        table=key.child.name,
        remedy=f"drop the constraint {key.name} on {link.target}, or make it RESTRICT",
        evidence={"path": [str(key.parent), key.name, str(key.child)]},
    )
