"""The order in which rows can be put right, so that no foreign key and no unique key is violated on the way. Pure.

Parents are put in before their children and taken out after them; changes lie between. Where one row needs a unique
value that another gives up, that one goes first. Two rows that exchange unique values are taken out and put in again.
Rows that refer to one another in a circle form one group, to be done together.

Values are compared as most collations would at least: text without case, accents and trailing blanks. That may order
rows which need no order, and never leaves two unordered that do.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from replguard.model.tables import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from replguard.model.repairs import Step
    from replguard.model.tables import ForeignKey, Table, TableName

    Values = tuple[bytes, ...]
    Graph = dict[int, set[int]]
    """Step number to the numbers of those that must be done before it."""
    Priority = tuple[int, int, int]

_PHASES = {"insert": 0, "update": 1, "delete": 2}


@dataclass(frozen=True, slots=True)
class Relations:
    """What holds between rows: foreign keys, and the columns of the unique keys of tables."""

    references: Sequence[ForeignKey] = ()
    uniques: Mapping[TableName, Sequence[tuple[str, ...]]] = field(default_factory=dict)


def ordered(steps: Sequence[Step], relations: Relations) -> list[tuple[Step, ...]]:
    """The steps in groups, one after the other. A group is one step, or several that can only be done together."""
    parted, bound = _without_exchanges(steps, relations)
    by_unique = _by_unique(parted, relations)
    before: Graph = defaultdict(set, {number: set(needed) for number, needed in by_unique.items()})
    for number, needed in (*_by_reference(parted, relations).items(), *((one, bound - {one}) for one in bound)):
        before[number] |= needed
    ranks = _ranks({step.table.name for step in parted}, relations)

    def priority(number: int) -> Priority:
        phase = _PHASES[parted[number].kind]
        rank = ranks[parted[number].table.name]
        return phase, -rank if phase == _PHASES["delete"] else rank, number

    groups = _groups(range(len(parted)), before, priority)
    return [tuple(parted[number] for number in _within(group, by_unique, priority)) for group in groups]


def _within(group: list[int], by_unique: Graph, priority: Callable[[int], Priority]) -> list[int]:
    """A group in the order that unique keys ask for, which are checked at once even where foreign keys are not."""
    before = {number: by_unique[number] & set(group) for number in group if number in by_unique}
    return [number for part in _groups(group, before, priority) for number in part]


def _without_exchanges(steps: Sequence[Step], relations: Relations) -> tuple[list[Step], set[int]]:
    """The steps; changes that wait for one another's unique values are parted into taking out and putting in.

    With them the places of those parts that must be done together, since other rows refer to their table.
    """
    stuck = _core(len(steps), _by_unique(steps, relations))
    parents = {one.parent for one in relations.references}
    parted: list[Step] = []
    bound: set[int] = set()
    for number, step in enumerate(steps):
        if number not in stuck or step.kind != "update":
            parted.append(step)
            continue
        if step.table.name in parents:
            bound |= {len(parted), len(parted) + 1}
        parted += [replace(step, kind="delete", after=None), replace(step, kind="insert", before=None)]
    return parted, bound


def _by_unique(steps: Sequence[Step], relations: Relations) -> Graph:
    """Whoever takes a unique value waits for who gives it up."""
    before: Graph = defaultdict(set)
    by_table = _by_table(steps)
    for table, keys in relations.uniques.items():
        mine = by_table[table]
        for key in keys:
            given = _holders(mine, key, after=False)
            for number, step in mine:
                values = _taken(step, key, after=True)
                if values:
                    before[number] |= given[values] - {number}
    return before


def _by_reference(steps: Sequence[Step], relations: Relations) -> Graph:
    """A reference waits for its parent, and a parent that goes waits until nothing refers to it."""
    before: Graph = defaultdict(set)
    by_table = _by_table(steps)
    for one in relations.references:
        children, parents = by_table[one.child], by_table[one.parent]
        given = _holders(parents, one.parent_columns, after=True)
        for number, step in children:
            values = _taken(step, one.columns, after=True)
            if values:
                before[number] |= given[values] - {number}
        held = _holders(children, one.columns, after=False)
        for number, step in parents:
            values = _taken(step, one.parent_columns, after=False)
            if values:
                before[number] |= held[values] - {number}
    return before


def _by_table(steps: Sequence[Step]) -> defaultdict[TableName, list[tuple[int, Step]]]:
    found: defaultdict[TableName, list[tuple[int, Step]]] = defaultdict(list)
    for number, step in enumerate(steps):
        found[step.table.name].append((number, step))
    return found


def _holders(steps: Iterable[tuple[int, Step]], columns: tuple[str, ...], *, after: bool) -> Mapping[Values, set[int]]:
    """By values, the steps that bring them in (``after``) or give them up."""
    found: defaultdict[Values, set[int]] = defaultdict(set)
    for number, step in steps:
        if values := _taken(step, columns, after=after):
            found[values].add(number)
    return found


def _taken(step: Step, columns: tuple[str, ...], *, after: bool) -> Values | None:
    """The values that the row gets (``after``) or loses in these columns; None where it does not, or holds a NULL."""
    if not step.changes(columns):
        return None
    values = [step.value(name, after=after) for name in columns]
    if any(value is None for value in values):
        return None
    return tuple(_folded(step.table, name, value or b"") for name, value in zip(columns, values, strict=True))


def _folded(table: Table, column: str, value: bytes) -> bytes:
    if table.column(column).kind is not ColumnKind.text:
        return value
    text = unicodedata.normalize("NFKD", value.decode("utf-8", "surrogateescape")).casefold().rstrip()
    bare = "".join(character for character in text if not unicodedata.combining(character))
    return bare.encode("utf-8", "surrogateescape")


def _ranks(tables: set[TableName], relations: Relations) -> dict[TableName, int]:
    """Parents before children; within a circle of tables by name."""
    names = sorted(tables)
    numbers = {name: number for number, name in enumerate(names)}
    before: Graph = defaultdict(set)
    for one in relations.references:
        if one.child in numbers and one.parent in numbers and one.child != one.parent:
            before[numbers[one.child]].add(numbers[one.parent])
    groups = _groups(range(len(names)), before, _by_number)
    return {names[number]: rank for rank, group in enumerate(groups) for number in group}


def _by_number(number: int) -> Priority:
    return 0, 0, number


def _groups(numbers: Iterable[int], before: Graph, priority: Callable[[int], Priority]) -> Iterator[list[int]]:
    """All numbers, each after those that must be before it; of several that could be next, by priority."""
    after: Graph = defaultdict(set)
    for number, needed in before.items():
        for one in needed:
            after[one].add(number)
    waiting = {number: len(before.get(number, ())) for number in numbers}
    ready = [priority(number) for number, needed in waiting.items() if not needed]
    heapify(ready)
    while waiting:
        group = [heappop(ready)[2]] if ready else sorted(_stuck(waiting, after), key=priority)
        for number in group:
            del waiting[number]
        for one in (one for number in group for one in after[number] if one in waiting):
            waiting[one] -= 1
            if not waiting[one]:
                heappush(ready, priority(one))
        yield group


def _core(count: int, before: Graph) -> set[int]:
    """The numbers that wait for one another, and those between two such circles."""
    groups = _groups(range(count), before, _by_number)
    return {number for group in groups if len(group) > 1 for number in group}


def _stuck(waiting: Iterable[int], after: Graph) -> set[int]:
    """Of those that wait, the ones in circles: without those that merely wait for a circle."""
    left = set(waiting)
    while idle := {number for number in left if not after[number] & left}:
        left -= idle
    return left
