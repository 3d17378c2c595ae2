"""How two descriptions of one table differ, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.audit.tables import PairedTable
    from replguard.model.tables import Column

_FACTS = ("type", "nullable", "default", "collation", "generated", "identity")


def differences(table: PairedTable, first: str, second: str) -> tuple[Finding, ...]:
    """``table.missing`` and ``schema.differs`` of one table, as seen from the second cluster."""
    if len(table.sides) == 1:
        return (_missing(table, first, second),)
    left, right = table.sides[first], table.sides[second]
    words = [*_columns(table, first, second), *_keys(table, first, second)]
    if left.partitioned != right.partitioned:
        words.append("it is partitioned on one side only")
    if not words:
        return ()
    return (
        Finding(
            "schema.differs",
            Severity.fail,
            f"{table.name} is not the same table on both sides: {'; '.join(words)}",
            cluster=second,
            schema=table.name.schema,
            table=table.name.name,
            remedy="apply the same DDL on both clusters",
            evidence={"differences": words},
        ),
    )


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


def _columns(table: PairedTable, first: str, second: str) -> Iterable[str]:
    ours, theirs = (
        {table.fold(column.name): column for column in table.sides[side].columns} for side in (first, second)
    )
    for name, column in ours.items():
        if name not in theirs:
            yield f"column {column.name} is on {first} only"
        else:
            yield from _column(column, theirs[name], first, second)
    yield from (f"column {column.name} is on {second} only" for name, column in theirs.items() if name not in ours)


def _column(left: Column, right: Column, first: str, second: str) -> Iterable[str]:
    for fact in _FACTS:
        ours, theirs = getattr(left, fact), getattr(right, fact)
        if ours != theirs:
            yield f"column {left.name}: {fact} is {ours!r} on {first} and {theirs!r} on {second}"


def _keys(table: PairedTable, first: str, second: str) -> Iterable[str]:
    ours, theirs = table.sides[first].key, table.sides[second].key
    if [*map(table.fold, ours)] != [*map(table.fold, theirs)]:
        yield f"the key is ({', '.join(ours)}) on {first} and ({', '.join(theirs)}) on {second}"


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
