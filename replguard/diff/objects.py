"""How what stands around a table differs between two clusters: matched by name, else by what it is. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.model.schema import ObjectKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from replguard.model.schema import SchemaObject
    from replguard.model.tables import TableName

    Key = tuple[ObjectKind, str, str]
    Facts = Mapping[str, tuple[str | None, str | None]]

LONGEST = 160
NAME = "name"
_COLUMN_LISTS = frozenset({"columns", "columns there", "refers to", "column"})
_MINOR_FACTS = frozenset(
    {
        NAME,
        "definer",
        "row format",
        "options",
        "default collation",
        "storage parameters",
        "access method",
        "replica identity",
        "ignored",
        "collation of literals",
        "cache",
        "parallel",
        "leakproof",
        "owned by the column",
    }
)
"""What changes neither rows nor what may be written as rows, or what only who defines objects is touched by."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that differs: in ``words``, and fact by fact as each side has it (None: not there).

    ``grave``: rows, or what may be written, can come to differ by it.
    """

    kind: str
    name: str
    words: tuple[str, ...]
    facts: Facts
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Sides:
    """The clusters' names, and whether their servers tell columns apart by case."""

    first: str
    second: str
    folds: bool = True

    def same(self, ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
        return not self.unlike(ours, theirs)

    def unlike(self, ours: Mapping[str, str], theirs: Mapping[str, str]) -> Facts:
        """The facts that differ, in order."""
        return {
            fact: (ours.get(fact), theirs.get(fact))
            for fact in dict.fromkeys((*ours, *theirs))
            if self._folded(fact, ours.get(fact)) != self._folded(fact, theirs.get(fact))
        }

    def _folded(self, fact: str, value: str | None) -> str | None:
        return value.casefold() if value and self.folds and fact in _COLUMN_LISTS else value


def compare(ours: Iterable[SchemaObject], theirs: Iterable[SchemaObject], sides: Sides) -> list[Difference]:
    """The differences between the objects of one table (or of one place) on both sides, kind by kind."""
    ours, theirs = list(ours), list(theirs)
    if ours == theirs:
        return []
    left, right = _by_kind(ours), _by_kind(theirs)
    kinds = (kind for kind in ObjectKind if kind in left or kind in right)
    return [found for kind in kinds for found in _of_kind(left[kind], right[kind], sides)]


def _by_kind(objects: Iterable[SchemaObject]) -> defaultdict[ObjectKind, list[SchemaObject]]:
    found: defaultdict[ObjectKind, list[SchemaObject]] = defaultdict(list)
    for one in objects:
        found[one.kind].append(one)
    return found


def _of_kind(ours: list[SchemaObject], theirs: list[SchemaObject], sides: Sides) -> Iterator[Difference]:
    """Objects whose names the server made up are the same if they are alike; all others must be called alike, too."""
    left, right = list(ours), list(theirs)
    _pair(left, right, lambda a, b: a.name == b.name and sides.same(a.facts, b.facts))
    _pair(left, right, lambda a, b: a.made_up and b.made_up and sides.same(a.facts, b.facts))
    for one, other in _pair(left, right, lambda a, b: a.name == b.name):
        yield _changed(one, other, sides)
    for one, other in _pair(left, right, lambda a, b: sides.same(a.facts, b.facts)):
        yield _renamed(one, other, sides)
    yield from (_alone(one, sides.first, at=0) for one in left)
    yield from (_alone(one, sides.second, at=1) for one in right)


def _pair(
    left: list[SchemaObject], right: list[SchemaObject], alike: Callable[[SchemaObject, SchemaObject], bool]
) -> list[tuple[SchemaObject, SchemaObject]]:
    """Take out of both lists the pairs that are ``alike``."""
    pairs = []
    for one in list(left):
        other = next((candidate for candidate in right if alike(one, candidate)), None)
        if other is not None:
            left.remove(one)
            right.remove(other)
            pairs.append((one, other))
    return pairs


def title(one: SchemaObject) -> str:
    """An object in words: its kind and name."""
    return f"{one.kind.value} {one.name}" if one.name else one.kind.value


def _changed(one: SchemaObject, other: SchemaObject, sides: Sides) -> Difference:
    facts = sides.unlike(one.facts, other.facts)
    words = tuple(f"{title(one)}: {told(fact, *values, sides)}" for fact, values in facts.items())
    grave = any(fact not in _MINOR_FACTS for fact in facts) and (_decides(one) or _decides(other))
    return Difference(one.kind.value, one.name, words, facts, grave)


def _renamed(one: SchemaObject, other: SchemaObject, sides: Sides) -> Difference:
    words = f"{title(one)} of {sides.first} is called {other.name} on {sides.second}"
    return Difference(one.kind.value, one.name, (words,), {NAME: (one.name, other.name)}, grave=False)


def _alone(one: SchemaObject, cluster: str, at: int) -> Difference:
    facts = {fact: (value, None) if at == 0 else (None, value) for fact, value in one.facts.items()}
    return Difference(one.kind.value, one.name, (f"{title(one)} is on {cluster} only",), facts, _decides(one))


def _decides(one: SchemaObject) -> bool:
    """Whether it decides which rows there may be. Indexes that are not unique only speed things up."""
    return one.kind is not ObjectKind.index or not one.facts.keys().isdisjoint({"unique", "constraint"})


def told(fact: str, ours: str | None, theirs: str | None, sides: Sides) -> str:
    """One fact as both sides have it; of long texts the part around the first difference."""
    if ours is None or theirs is None:
        there, absent = (sides.second, sides.first) if ours is None else (sides.first, sides.second)
        return f"{fact} is {_excerpt(ours or theirs or '', 0)!r} on {there} and nothing on {absent}"
    start = _differ_at(ours, theirs)
    return f"{fact} is {_excerpt(ours, start)!r} on {sides.first} and {_excerpt(theirs, start)!r} on {sides.second}"


def _differ_at(ours: str, theirs: str) -> int:
    pairs = zip(ours, theirs, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))


def _excerpt(text: str, around: int) -> str:
    """What a message can hold of a text.

    >>> _excerpt("a" * 500, 300)[:5], len(_excerpt("a" * 500, 300))
    ('...aa', 166)
    """
    if len(text) <= LONGEST:
        return text
    start = max(0, min(around - LONGEST // 2, len(text) - LONGEST))
    end = start + LONGEST
    return f"{'...' * (start > 0)}{text[start:end]}{'...' * (end < len(text))}"


def used(objects: Sequence[SchemaObject], tables: Iterable[TableName]) -> set[Key]:
    """The keys of the objects beside tables that name one of ``tables`` or are used by it, also through others."""
    wanted = {table.folded() for table in tables}
    left = [one for one in objects if one.table is None]
    reach = _Reach(set(wanted), {table.name for table in wanted})
    for one in objects:
        if one.names and (table := one.of) and table.folded() in wanted:
            reach.needs(one.names)
    found: set[Key] = set()
    while True:
        new = [one for one in left if reach.holds(one) or not wanted.isdisjoint(one.used_by)]
        if not new:
            return found
        for one in new:
            reach.grow(one)
        found |= {key(one) for one in new}
        left = [one for one in left if key(one) not in found]


def key(one: SchemaObject) -> Key:
    """What tells an object beside tables from all others of its server."""
    return one.kind, one.schema, one.name


@dataclass(slots=True)
class _Reach:
    """What is looked at already: by full name, and by bare name for those who name no schema."""

    names: set[TableName]
    bare: set[str]
    needed: set[TableName] = field(default_factory=set)
    needed_bare: set[str] = field(default_factory=set)

    def needs(self, names: Iterable[TableName]) -> None:
        for name in names:
            self.needed.add(name)
            if not name.schema:
                self.needed_bare.add(name.name)

    def grow(self, one: SchemaObject) -> None:
        self.names.add(one.called)
        self.bare.add(one.called.name)
        self.needs(one.names)

    def holds(self, one: SchemaObject) -> bool:
        if one.called in self.needed or one.called.name in self.needed_bare:
            return True
        return any(name in self.names or (not name.schema and name.name in self.bare) for name in one.names)
