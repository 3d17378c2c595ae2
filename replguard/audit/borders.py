"""What joins tables that must be identical to tables that must not sync: foreign keys, triggers, events, inheritance.

None of it leaks by itself (that is told elsewhere); each lets one side's rows hang on rows that the other side does not
have, or writes on one side what the filters keep from the other. Pure.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from replguard.audit.tables import TableMap
    from replguard.model.links import Link
    from replguard.model.tables import ForeignKey, ScheduledEvent, Table, TableName, Trigger

FRAGILE = "filter.fragile"
_FORBIDDEN, _CONFIG = TableClass.must_not_sync, TableClass.config


def between(
    tables: TableMap, links: Collection[Link], *, applier_cascades: bool, applier_triggers: Collection[str]
) -> Iterator[Finding]:
    """Everything of that kind on the clusters of these links, each told once.

    ``applier_cascades`` says whether foreign keys act where changes are applied, ``applier_triggers`` names the
    clusters where triggers do.
    """
    targets = {link.target: link for link in links}
    for cluster, link in targets.items():
        yield from _foreign_keys(tables, link, acts=applier_cascades)
        yield from _events(tables, link, sources={link.source for link in links})
        if cluster in applier_triggers:
            yield from _replica_side(tables, link)
    if targets:
        yield from _triggers(tables, applier_triggers)
        yield from _inheritance(tables)


class _Classes:
    """The classes of one cluster's tables, by folded name."""

    def __init__(self, tables: TableMap, cluster: str) -> None:
        self._known = {
            table.sides[cluster].name.folded(): table.table_class for table in tables if cluster in table.sides
        }

    def of(self, name: TableName) -> TableClass | None:
        return self._known.get(name.folded())


def _foreign_keys(tables: TableMap, link: Link, *, acts: bool) -> Iterator[Finding]:
    """Keys over the border on the target; those that cascade into a forbidden table there are leaks, told as such."""
    classes = _Classes(tables, link.target)
    for table in tables.on(link.target).values():
        for key in table.foreign_keys:
            pair = classes.of(key.parent), classes.of(key.child)
            if pair == (_CONFIG, _FORBIDDEN) and not (acts and key.cascades):
                yield _key_finding(link, key, _of_forbidden_child(link, key, acts=acts))
            elif pair == (_FORBIDDEN, _CONFIG):
                yield _key_finding(link, key, _of_forbidden_parent(link, key, acts=acts))


def _of_forbidden_child(link: Link, key: ForeignKey, *, acts: bool) -> str:
    if acts:
        return (
            f"a row of {key.parent} cannot be deleted by {link.label} while {link.target} has its own rows that name it"
        )
    return f"no key acts on what is applied: rows of {key.child} on {link.target} lose the row that they name"


def _of_forbidden_parent(link: Link, key: ForeignKey, *, acts: bool) -> str:
    if acts:
        return f"a row of {key.child} cannot be applied by {link.label} where {link.target} lacks the row that it names"
    return f"rows of {key.child} name rows that {link.target} does not have: no key is checked for what is applied"


def _key_finding(link: Link, key: ForeignKey, what: str) -> Finding:
    return Finding(
        FRAGILE,
        Severity.warn,
        f"{link.label}: the foreign key {key.name} joins {key.child} to {key.parent} over the border between config "
        f"and must_not_sync: {what}",
        cluster=link.target,
        link=link.label,
        schema=key.child.schema,
        table=key.child.name,
        remedy=f"drop the constraint {key.name}, or put both tables into one class",
        evidence={"path": [str(key.parent), key.name, str(key.child)]},
    )


def _events(tables: TableMap, link: Link, sources: Collection[str | None]) -> Iterator[Finding]:
    """Events of a target that write config tables: one that both sides run, or that a mere target runs, is drift."""
    elsewhere = {
        (event.schema, event.name)
        for cluster, found in tables.events.items()
        if cluster != link.target
        for event in found
    }
    classes = _Classes(tables, link.target)
    for event in tables.events.get(link.target, ()):
        if link.target in sources and (event.schema, event.name) not in elsewhere:
            continue
        written = [name for name in event.writes if classes.of(name) is _CONFIG]
        if written:
            yield _event_finding(link, event, written)


def _event_finding(link: Link, event: ScheduledEvent, written: list[TableName]) -> Finding:
    names = ", ".join(map(str, written))
    return Finding(
        FRAGILE,
        Severity.warn,
        f"{link.label}: the event {event.schema}.{event.name}, which {link.target} runs by itself, writes {names}, "
        "which must be identical",
        cluster=link.target,
        link=link.label,
        schema=written[0].schema,
        table=written[0].name,
        remedy=f"disable the event on {link.target} (ALTER EVENT ... DISABLE): the link carries what the source runs",
        evidence={"path": [f"{event.schema}.{event.name}", *map(str, written)]},
    )


def _replica_side(tables: TableMap, link: Link) -> Iterator[Finding]:
    """Triggers that fire for what is applied to tables that must be identical: they do again what crossed already."""
    classes = _Classes(tables, link.target)
    for table in tables.on(link.target).values():
        if classes.of(table.name) is not _CONFIG:
            continue
        for trigger in table.triggers:
            if trigger.on_apply and not _named(tables, link.target, trigger, _FORBIDDEN):
                yield Finding(
                    FRAGILE,
                    Severity.warn,
                    f"{link.label}: the trigger {trigger.name} on {table.name} fires on {link.target} for changes that "
                    "are applied: what it writes on the source is written twice, or differs",
                    cluster=link.target,
                    link=link.label,
                    schema=table.name.schema,
                    table=table.name.name,
                    remedy=f"let it fire for the application's own changes alone on {link.target}",
                    evidence={"path": [str(table.name), trigger.name]},
                )


def _triggers(tables: TableMap, applier_triggers: Collection[str]) -> Iterator[Finding]:
    """Triggers whose body names a table of the other class, each once for both clusters."""
    found: defaultdict[tuple[str, TableName, tuple[TableName, ...]], list[str]] = defaultdict(list)
    for cluster in tables.clusters:
        classes = _Classes(tables, cluster)
        for table in tables.on(cluster).values():
            own = classes.of(table.name)
            if own not in (_CONFIG, _FORBIDDEN):
                continue
            for trigger in table.triggers:
                named = _named(tables, cluster, trigger, _CONFIG if own is _FORBIDDEN else _FORBIDDEN)
                leaks = own is _CONFIG and trigger.on_apply and cluster in applier_triggers
                if named and not leaks:
                    found[trigger.name, table.name, named].append(cluster)
    for (name, table_name, named), clusters in found.items():
        yield _trigger_finding(name, table_name, named, clusters, forbidden=_is_forbidden(tables, table_name))


def _is_forbidden(tables: TableMap, name: TableName) -> bool:
    return tables.classify(name).table_class is _FORBIDDEN


def _named(tables: TableMap, cluster: str, trigger: Trigger, wanted: TableClass) -> tuple[TableName, ...]:
    words = set(re.findall(r"[\w$]+", trigger.body.casefold()))
    sides: Iterable[Table] = (table.sides[cluster] for table in tables.of(wanted) if cluster in table.sides)
    return tuple(
        side.name
        for side in sides
        if side.name != trigger.table and set(re.findall(r"[\w$]+", side.name.name.casefold())) <= words
    )


def _trigger_finding(
    name: str, table: TableName, named: tuple[TableName, ...], clusters: list[str], *, forbidden: bool
) -> Finding:
    others, where = ", ".join(map(str, named)), " and ".join(clusters)
    if forbidden:
        what = f"must not sync, and {others} must be identical: each side's own rows change what both should have alike"
    else:
        what = f"must be identical, and {others} must not sync: what it writes there stays on the side that wrote first"
    return Finding(
        FRAGILE,
        Severity.warn,
        f"the trigger {name} on {where} crosses the border between config and must_not_sync: {table} {what}",
        cluster=clusters[0] if len(clusters) == 1 else None,
        schema=table.schema,
        table=table.name,
        remedy="drop the trigger, or put both tables into one class",
        evidence={"path": [str(table), name, *map(str, named)]},
    )


def _inheritance(tables: TableMap) -> Iterator[Finding]:
    """Forbidden children of tables that must be identical; children of a forbidden table are forbidden with it."""
    told = set()
    for paired in tables.of(_FORBIDDEN):
        for side in paired.sides.values():
            parents = [name for name in side.ancestors if tables.classify(name).table_class is _CONFIG]
            if parents and paired.name not in told:
                told.add(paired.name)
                yield Finding(
                    FRAGILE,
                    Severity.warn,
                    f"{side.name}, which must not sync, inherits from {parents[0]}, which must be identical: what "
                    "empties, reads or publishes the parent takes the child with it",
                    schema=side.name.schema,
                    table=side.name.name,
                    remedy="detach it from its parent, or put both into one class",
                    evidence={"path": [str(parents[0]), str(side.name)]},
                )
