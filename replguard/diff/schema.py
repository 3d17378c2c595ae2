"""How two clusters' descriptions of the config tables differ, in words and as data: columns, keys, and what stands
around the tables (:mod:`replguard.diff.objects`). Only :func:`check` asks the servers.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replguard.diff.objects import NAME, Difference, Sides, compare, key, told, used
from replguard.errors import ServerError
from replguard.model.findings import NOT_RUN, Check, Finding, Severity
from replguard.model.schema import Inventory, ObjectKind, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.schema import SchemaObject
    from replguard.model.tables import Column

    Inventories = Mapping[str, Inventory]

CHECK = "diff.schema"
_FACTS = ("type", "nullable", "default", "collation", "generated", "identity", "extra")
_PRINTED = frozenset({"definition", "condition", "new rows", "checks", "bound", "key", "default", "generated"})
"""Facts that a server prints from what it has parsed."""
_REMEDY = "apply the same DDL on both clusters"


def check(pair: Pair, tables: TableMap, wanted: Sequence[PairedTable]) -> Check:
    """Compare the schema of ``wanted``, both clusters asked at once."""
    with ThreadPoolExecutor(2) as pool:
        inventories = dict(zip(tables.clusters, pool.map(_inventory, pair), strict=True))
    findings = [
        *compared(tables, wanted, inventories, by_place=pair.first.capabilities.columns_by_place),
        *(finding for cluster in tables.clusters for finding in _unseen(cluster, inventories[cluster])),
    ]
    versions = {server.name: server.identity.version for server in pair}
    findings = [with_versions(finding, versions) for finding in findings]
    differing = {(finding.schema, finding.table) for finding in findings if finding.table}
    return Check(CHECK, f"{len(differing)} of {len(wanted)} tables differ in schema", tuple(findings))


def _inventory(server: Server) -> Inventory:
    """What the server tells. Where it tells nothing, all is unseen: columns and keys can be compared still."""
    try:
        return server.catalog.objects()
    except ServerError as error:
        return Inventory(unseen=(Unseen(f"what stands around tables ({error.message})", error.remedy),))


def compared(
    tables: TableMap, wanted: Sequence[PairedTable], inventories: Inventories, *, by_place: bool = False
) -> Iterator[Finding]:
    """The pure half of :func:`check`; ``by_place``: the order of columns counts.

    What one side may not show is compared on neither: it would look as if it were not there.
    """
    first, second = tables.clusters
    hidden = [one for cluster in tables.clusters for one in inventories[cluster].unseen]
    inventories = {cluster: _seen(inventories[cluster], hidden) for cluster in tables.clusters}
    by_table = {cluster: _by_table(inventories[cluster].objects) for cluster in tables.clusters}
    for table in wanted:
        around = {
            cluster: by_table[cluster].get((side.name.schema, side.name.name), [])
            for cluster, side in table.sides.items()
        }
        yield from differences(table, first, second, around, by_place=by_place)
    yield from _beside(tables, wanted, inventories)


def _seen(inventory: Inventory, hidden: Sequence[Unseen]) -> Inventory:
    if not hidden:
        return inventory
    by_kind = {kind: [one for one in hidden if one.kind in (None, kind)] for kind in ObjectKind}
    return Inventory(
        tuple(one for one in inventory.objects if not any(other.hides(one) for other in by_kind[one.kind]))
    )


def _by_table(objects: Iterable[SchemaObject]) -> dict[tuple[str, str], list[SchemaObject]]:
    found: dict[tuple[str, str], list[SchemaObject]] = {}
    for one in objects:
        if one.table is not None:
            found.setdefault((one.schema, one.table), []).append(one)
    return found


def differences(
    table: PairedTable,
    first: str,
    second: str,
    around: Mapping[str, Sequence[SchemaObject]] | None = None,
    *,
    by_place: bool = False,
) -> tuple[Finding, ...]:
    """``table.missing`` and ``schema.differs`` of one table, as seen from the second cluster.

    ``around`` holds what each cluster has around the table.
    """
    if len(table.sides) == 1:
        return (_missing(table, first, second),)
    sides = Sides(first, second, table.folds_names)
    found = [*_columns(table, sides), *_keys(table, sides), *_partitioned(table, sides)]
    if by_place and not any(one.kind == "column" and None in one.facts.get(NAME, ()) for one in found):
        found += _order(table, sides)
    if around:
        found += compare(around.get(first, ()), around.get(second, ()), sides)
    if not found:
        return ()
    words = [word for one in found for word in one.words]
    grave = any(one.grave for one in found)
    what = (
        "is not the same table on both sides"
        if grave
        else "is the same table on both sides but for what speeds or owns it"
    )
    return (
        Finding(
            "schema.differs",
            Severity.fail if grave else Severity.warn,
            f"{table.name} {what}: {'; '.join(words)}",
            cluster=second,
            schema=table.name.schema,
            table=table.name.name,
            remedy=_REMEDY,
            evidence={"differences": words, "objects": _structured(found)},
        ),
    )


def _structured(found: Iterable[Difference]) -> dict[str, Any]:
    """Kind, then name, then fact: both sides' values, null where there is none."""
    result: dict[str, Any] = {}
    for one in found:
        facts = result.setdefault(one.kind, {}).setdefault(one.name, {})
        facts |= {fact: list(values) for fact, values in one.facts.items()}
    return result


def _missing(table: PairedTable, first: str, second: str) -> Finding:
    (there,) = table.sides
    absent = second if there == first else first
    return Finding(
        "table.missing",
        Severity.fail,
        f"{table.name} is on {there} and not on {absent}",
        cluster=absent,
        schema=table.name.schema,
        table=table.name.name,
        remedy=f"create it on {absent}, or drop it on {there}",
    )


def _columns(table: PairedTable, sides: Sides) -> Iterator[Difference]:
    left, right = table.sides[sides.first].columns, table.sides[sides.second].columns
    if left == right:
        return
    ours, theirs = ({table.fold(column.name): column for column in columns} for columns in (left, right))
    for name, column in ours.items():
        if name not in theirs:
            words = f"column {column.name} is on {sides.first} only"
            yield Difference("column", column.name, (words,), {NAME: (column.name, None)})
        else:
            yield from _column(column, theirs[name], sides)
    for name, column in theirs.items():
        if name not in ours:
            words = f"column {column.name} is on {sides.second} only"
            yield Difference("column", column.name, (words,), {NAME: (None, column.name)})


def _column(left: Column, right: Column, sides: Sides) -> Iterator[Difference]:
    unlike = [fact for fact in _FACTS if getattr(left, fact) != getattr(right, fact)]
    if not unlike:
        return
    words = []
    facts: dict[str, tuple[Any, Any]] = {}
    for fact in unlike:
        ours, theirs = facts[fact] = getattr(left, fact), getattr(right, fact)
        if isinstance(ours, str) and isinstance(theirs, str):
            words.append(f"column {left.name}: {told(fact, ours, theirs, sides)}")
        else:
            words.append(f"column {left.name}: {fact} is {ours!r} on {sides.first} and {theirs!r} on {sides.second}")
    yield Difference("column", left.name, tuple(words), facts)


def _keys(table: PairedTable, sides: Sides) -> Iterator[Difference]:
    ours, theirs = table.sides[sides.first].key, table.sides[sides.second].key
    if [*map(table.fold, ours)] != [*map(table.fold, theirs)]:
        shown = ", ".join(ours), ", ".join(theirs)
        words = f"the key is ({shown[0]}) on {sides.first} and ({shown[1]}) on {sides.second}"
        yield Difference("key", "", (words,), {"columns": shown})


def _partitioned(table: PairedTable, sides: Sides) -> Iterator[Difference]:
    ours, theirs = table.sides[sides.first].partitioned, table.sides[sides.second].partitioned
    if ours != theirs:
        facts = {"partitioned": ("yes" if ours else None, "yes" if theirs else None)}
        yield Difference("table", "", ("it is partitioned on one side only",), facts)


def _order(table: PairedTable, sides: Sides) -> Iterator[Difference]:
    """Where replicated rows are told by place, columns in another order take one another's values."""
    ours, theirs = (tuple(column.name for column in table.sides[side].columns) for side in (sides.first, sides.second))
    if [*map(table.fold, ours)] != [*map(table.fold, theirs)]:
        shown = ", ".join(ours), ", ".join(theirs)
        words = f"the columns stand in the order {shown[0]} on {sides.first} and {shown[1]} on {sides.second}"
        yield Difference("table", "", (words,), {"order of columns": shown})


def _beside(tables: TableMap, wanted: Sequence[PairedTable], inventories: Inventories) -> Iterator[Finding]:
    """What differs of types, views and routines that config tables use or that use them."""
    first, second = tables.clusters
    objects = {cluster: inventories[cluster].objects for cluster in tables.clusters}
    keys = set()
    for cluster in tables.clusters:
        keys |= used(objects[cluster], [table.sides[cluster].name for table in wanted if cluster in table.sides])
    folds = all(table.folds_names for table in wanted)
    ours, theirs = (
        [one for one in objects[cluster] if one.table is None and key(one) in keys] for cluster in (first, second)
    )
    for schema in sorted({one.schema for one in (*ours, *theirs)}):
        here, there = ([one for one in side if one.schema == schema] for side in (ours, theirs))
        for found in compare(here, there, Sides(first, second, folds)):
            yield _object_differs(schema, found, second)


def _object_differs(schema: str, found: Difference, second: str) -> Finding:
    grave = found.grave
    what = "is not the same on both sides" if grave else "differs"
    return Finding(
        "schema.differs",
        Severity.fail if grave else Severity.warn,
        f"{found.kind} {schema}.{found.name}, which belongs to config tables, {what}: {'; '.join(found.words)}",
        cluster=second,
        schema=schema,
        remedy=_REMEDY,
        evidence={"differences": list(found.words), "objects": _structured([found])},
    )


def _unseen(cluster: str, inventory: Inventory) -> Iterator[Finding]:
    for one in inventory.unseen:
        message = f"{one.what} cannot be compared: the user of {cluster} is not shown it"
        yield Finding(NOT_RUN, Severity.unknown, message, cluster=cluster, remedy=one.remedy)


def with_versions(finding: Finding, versions: Mapping[str, str]) -> Finding:
    """Servers of different versions may print the same definition differently: it is told with their versions, and
    between two series, where nothing else differs, it is not known whether it is the same.
    """
    if finding.code != "schema.differs" or len({*versions.values()}) == 1:
        return finding
    said = " and ".join(f"{name} runs {version}" for name, version in versions.items())
    unclear = len({*map(_series, versions.values())}) > 1 and _only_printed(finding.evidence["objects"])
    return replace(
        finding,
        severity=Severity.unknown if unclear and finding.severity is Severity.fail else finding.severity,
        message=f"{finding.message} ({said}: versions may print the same definition differently)",
        evidence={**finding.evidence, "versions": dict(versions)},
    )


def _series(version: str) -> str:
    """What servers print alike within.

    >>> _series("10.11.19"), _series("15.18 (Debian 15.18-0+deb12u1)")
    ('10.11', '15')
    """
    return version.partition(" ")[0].rpartition(".")[0]


def _only_printed(objects: Mapping[str, Mapping[str, Mapping[str, Sequence[Any]]]]) -> bool:
    return all(
        fact in _PRINTED and None not in values
        for names in objects.values()
        for facts in names.values()
        for fact, values in facts.items()
    )


def comparable_columns(table: PairedTable, first: str, second: str, ignored: frozenset[str]) -> tuple[str, ...]:
    """The columns whose values can be compared: on both sides, of one type, not ignored. By the first side's names."""
    theirs = {table.fold(column.name): column for column in table.sides[second].columns}
    return tuple(
        column.name
        for column in table.sides[first].columns
        if column.name.casefold() not in ignored
        and (name := table.fold(column.name)) in theirs
        and (theirs[name].type, theirs[name].collation) == (column.type, column.collation)
    )
