"""Foreign keys that rewrite or remove rows behind the filters, where a target runs them for what it applies. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.model.links import Link
    from replguard.model.tables import ForeignKey, Table, TableName

    Act = Literal["delete", "update"]
    Reached = Mapping[tuple[TableName, Act], "_Reach"]

_ACTS: tuple[Act, Act] = ("delete", "update")
_REWRITES = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


@dataclass(frozen=True, slots=True)
class _Reach:
    """How rows of a table come to be deleted or updated: by what crosses, then along ``path``."""

    certain: bool
    path: tuple[ForeignKey, ...] = ()


def behind(tables: TableMap, link: Link, filters: LinkFilters) -> Iterator[Finding]:
    """Every foreign key of the target by which a change that crosses reaches a forbidden table, with the whole way."""
    on_target = tables.on(link.target).values()
    keys = [key for table in on_target for key in table.foreign_keys if key.cascades]
    if not keys:
        return
    classes = {
        table.sides[link.target].name.folded(): table.table_class for table in tables if link.target in table.sides
    }
    reached = _reached(on_target, keys, filters)
    for key in keys:
        if classes.get(key.child.folded()) is not TableClass.must_not_sync:
            continue
        found = _best(reached, key)
        if found and classes.get(found.path[0].parent.folded()) is not TableClass.must_not_sync:
            yield _finding(link, found)


def _reached(tables: Iterable[Table], keys: list[ForeignKey], filters: LinkFilters) -> Reached:
    """What is deleted and updated on the target; the certain ways first, and of these the shortest."""
    crossing = {table.name.folded(): filters.crosses(table).crosses for table in tables}
    # Of a parent outside the scope nothing is known that would keep its changes away.
    crossing |= {key.parent.folded(): True for key in keys if key.parent.folded() not in crossing}
    reached: dict[tuple[TableName, Act], _Reach] = {}
    for certain in (True, False):
        roots = [name for name, crosses in crossing.items() if crosses is True or (crosses is None and not certain)]
        waiting = deque(((name, act), _Reach(certain)) for name in roots for act in _ACTS)
        while waiting:
            place, reach = waiting.popleft()
            if place in reached:
                continue
            reached[place] = reach
            waiting += [(onward, _Reach(certain, (*reach.path, key))) for key, onward in _onward(place, keys)]
    return reached


def _onward(place: tuple[TableName, Act], keys: list[ForeignKey]) -> Iterator[tuple[ForeignKey, tuple[TableName, Act]]]:
    table, act = place
    for key in keys:
        if key.parent.folded() == table and (follows := _follows(key, act)):
            yield key, (key.child.folded(), follows)


def _follows(key: ForeignKey, act: Act) -> Act | None:
    """What a key makes of its children when a parent is deleted or updated."""
    action = key.on_delete if act == "delete" else key.on_update
    if action not in _REWRITES:
        return None
    return "delete" if act == "delete" and action == "CASCADE" else "update"


def _best(reached: Reached, key: ForeignKey) -> _Reach | None:
    """The surest and shortest way that ends with this key."""
    ways = [
        _Reach(reach.certain, (*reach.path, key))
        for act in _ACTS
        if (reach := reached.get((key.parent.folded(), act))) and _follows(key, act) and key not in reach.path
    ]
    return min(ways, key=lambda reach: (not reach.certain, len(reach.path)), default=None)


def _finding(link: Link, found: _Reach) -> Finding:
    first, last = found.path[0], found.path[-1]
    steps = [f"{key.name} (on delete {key.on_delete}, on update {key.on_update}) -> {key.child}" for key in found.path]
    evidence = [str(first.parent)]
    for key in found.path:
        evidence += [key.name, str(key.child)]
    return Finding(
        "leak.configured",
        Severity.fail if found.certain else Severity.unknown,
        f"a change of {first.parent} that crosses {link.label} would cascade into {last.child}, which must not sync: "
        f"{' -> '.join([str(first.parent), *steps])}",
        cluster=link.target,
        link=link.label,
        schema=last.child.schema,
        table=last.child.name,
        remedy=f"drop the constraint {last.name} on {link.target}, or make it RESTRICT",
        evidence={"path": evidence},
    )
