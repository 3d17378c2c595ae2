"""What the publications of a link must become, so that it carries what is wanted and nothing else: pure.

Publications that list tables are changed where this link alone reads them. FOR ALL TABLES cannot be made a list, and
what others read is not ours to change: then one publication of the link's own takes the place of all.

A subscription knows tables by the names under which their changes travel. What travels as a partitioned table must go
on doing so, because what is on its way already carries that name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from replguard.engines.postgresql.publications import OPERATIONS, Publication, published

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from replguard.engines.controls import WantedFilter
    from replguard.engines.postgresql.publications import Published, Relation
    from replguard.model.tables import TableName

_WHOLE = (None, None)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a link stands: the publications it reads, the source's tables, what the target subscribes to and has.

    ``shared`` are publications that others read too, or may read. ``elsewhere`` are tables that another subscription of
    the target carries from the same source: twice would be once too often. ``gathers`` says that tables which none of
    them carries yet are this one's to carry.
    """

    publications: tuple[Publication, ...]
    relations: Mapping[TableName, Relation]
    subscribed: frozenset[TableName]
    there: frozenset[TableName]
    shared: frozenset[str] = frozenset()
    elsewhere: frozenset[TableName] = frozenset()
    gathers: bool = True


@dataclass(frozen=True, slots=True)
class Goal:
    """How it should stand. ``publications`` are all that the link reads then; ``own`` says that they are a new one."""

    publications: tuple[Publication, ...]
    subscribed: frozenset[TableName]
    own: bool = False
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def subscribes(publications: tuple[Publication, ...], relations: Mapping[TableName, Relation]) -> frozenset[TableName]:
    """The names that a subscription to these publications has after a refresh."""
    found = set()
    for leaf in leaves(relations):
        item = published(leaf, publications)
        if item and (not leaf.partitioned or any(one.via_root and one.covers(leaf) for one in publications)):
            found.add(item.sent_as)
    return frozenset(found)


def leaves(relations: Mapping[TableName, Relation]) -> list[Relation]:
    """What holds rows and is logged, and partitioned tables that have no partition yet."""
    parents = {name for one in relations.values() if one.partition for name in one.ancestors}
    return [one for one in relations.values() if one.logged and not (one.partitioned and one.name in parents)]


def goal(standing: Standing, wanted: WantedFilter, own: str) -> Goal:
    """What to strive for; ``own`` is the name of the publication that is made where one must be made."""
    return _Planner(standing, wanted, own).goal()


def own_goal(standing: Standing, wanted: WantedFilter, own: str) -> Goal:
    """The same by one publication of the link's own, whatever it reads now."""
    return _Planner(standing, wanted, own).goal(alone=True)


class _Planner:
    def __init__(self, standing: Standing, wanted: WantedFilter, own: str) -> None:
        self._now = standing
        self._own = own
        self._config = {table.name for table in wanted.config}
        self._forbidden = {table.name for table in wanted.forbidden}
        self._notes: list[str] = []
        self._refused: list[str] = []
        self._allowed = {leaf.name: leaf for leaf in self._leaves if self._may(leaf)}

    @cached_property
    def _leaves(self) -> list[Relation]:
        return leaves(self._now.relations)

    @cached_property
    def _published(self) -> dict[TableName, Published]:
        found = ((leaf.name, published(leaf, self._now.publications)) for leaf in self._leaves)
        return {name: item for name, item in found if item}

    def _crosses(self, leaf: Relation) -> bool:
        found = self._published.get(leaf.name)
        return found is not None and found.sent_as in self._now.subscribed

    def _may(self, leaf: Relation) -> bool:
        """Whether the table should be published. Neither forbidden nor config: as it is set now."""
        if leaf.name in self._forbidden:
            return False
        if leaf.name not in self._config:
            return self._crosses(leaf)
        if not self._crosses(leaf) and (leaf.name in self._now.elsewhere or not self._now.gathers):
            return False
        found = self._published.get(leaf.name)
        if leaf.identified or leaf.partitioned or (found and not {"update", "delete"} & set(found.missing)):
            return True
        if found:
            self._refused.append(
                f"{leaf.name} is published without updates or deletes, and has no replica identity to publish them: "
                "give it a primary key or REPLICA IDENTITY FULL first"
            )
            return True
        self._notes.append(
            f"{leaf.name} is left out: it has no replica identity, and publishing it would let updates and deletes "
            "fail in the application; give it a primary key or REPLICA IDENTITY FULL, and plan again"
        )
        return False

    def goal(self, *, alone: bool = False) -> Goal:
        while True:
            publications, own = ((self._made(),), True) if alone else self._publications()
            names = subscribes(publications, self._now.relations)
            missing = names - self._now.there
            if not missing or self._refused:
                break
            if not self._leave_out(publications, missing):
                self._refused.append(f"the target lacks {', '.join(map(str, sorted(missing)))}")
        if self._refused:
            return Goal(self._now.publications, self._now.subscribed, refused=tuple(dict.fromkeys(self._refused)))
        return Goal(publications, names, own, (*self._notes, *self._new(names)))

    def _leave_out(self, publications: tuple[Publication, ...], missing: frozenset[TableName]) -> list[Relation]:
        """Publish nothing that the target has no table for: a refresh would fail."""
        sent = [(leaf, published(leaf, publications)) for leaf in self._allowed.values()]
        without = [leaf for leaf, found in sent if found and found.sent_as in missing]
        for leaf in without:
            del self._allowed[leaf.name]
            self._notes.append(f"{leaf.name} is left out: the target has no such table; create it, and plan again")
        return without

    def _new(self, names: frozenset[TableName]) -> Iterable[str]:
        added = ", ".join(str(name) for name in sorted(names - self._now.subscribed))
        if added:
            yield (
                f"newly subscribed without a copy: {added}; rows that were written before are missing on the target: "
                "`replguard diff` finds them, and `replguard diff --repair-sql` puts them right"
            )

    def _publications(self) -> tuple[tuple[Publication, ...], bool]:
        """The publications of then, and whether they are a new one."""
        changed = tuple(self._changed(one) for one in self._now.publications)
        if not any(one.all_tables for one in changed):
            open_ones = self._uncovered(changed)
            place = next((one for one in changed if one.name not in self._now.shared), None)
            if open_ones and place:
                more = dict.fromkeys(self._listing(open_ones, via_root=place.via_root), _WHOLE)
                wider = replace(place, tables={**(place.tables or {}), **more})
                changed = tuple(wider if one is place else one for one in changed)
            touched = {one.name for one, before in zip(changed, self._now.publications, strict=True) if one != before}
            if not (touched & self._now.shared) and not (open_ones and not place):
                return changed, False
        return (self._made(),), True

    def _uncovered(self, publications: tuple[Publication, ...]) -> list[Relation]:
        return [leaf for leaf in self._allowed.values() if published(leaf, publications) is None]

    def _partial(self, leaf: Relation) -> bool:
        found = self._published.get(leaf.name)
        return leaf.name in self._config and found is not None and found.partial is not None

    def _changed(self, one: Publication) -> Publication:
        """The publication as it should be; itself where nothing is wrong with it."""
        covered = [leaf for leaf in self._leaves if one.covers(leaf) is not None]
        short = [leaf for leaf in covered if self._partial(leaf)]
        if one.all_tables or not (one.schemas or short or any(leaf.name not in self._allowed for leaf in covered)):
            return one
        kept = [leaf for leaf in covered if leaf.name in self._allowed]
        listed = self._listing(kept, via_root=one.via_root)
        lacking = {name for leaf in short for name in (leaf.name, *leaf.ancestors)}
        limits = {name: _WHOLE if name in lacking else (one.tables or {}).get(name, _WHOLE) for name in listed}
        whole = frozenset(OPERATIONS) if any(self._published[leaf.name].missing for leaf in short) else one.operations
        return replace(one, schemas=frozenset(), tables=limits, operations=whole)

    def _made(self) -> Publication:
        """A publication of the link's own, with everything that should cross."""
        via_root = any(one.via_root for one in self._now.publications)
        listed = self._listing(list(self._allowed.values()), via_root=via_root)
        if not listed:
            self._refused.append("no table is left that the link should carry, so there is nothing to publish")
        tables = {name: self._limits(name) for name in listed}
        return Publication(self._own, via_root=via_root, tables=tables)

    def _limits(self, name: TableName) -> tuple[str | None, tuple[str, ...] | None]:
        """What a table that is not to be identical is published of now."""
        lists = [one.tables or {} for one in self._now.publications]
        listing = [tables[name] for tables in lists if name in tables]
        alone = sum(one.named(name) or one.all_tables for one in self._now.publications) == 1
        return listing[0] if listing and alone and name not in self._config else _WHOLE

    def _listing(self, wanted: list[Relation], *, via_root: bool) -> list[TableName]:
        """The names to list for these tables: partitioned ones by their root, where all partitions are wanted."""
        names = {leaf.name for leaf in wanted}
        listed = set()
        for leaf in wanted:
            travels = self._published[leaf.name].sent_as if self._crosses(leaf) else None
            above = leaf.ancestors[-1] if leaf.partition else leaf.name
            unit = travels if travels and via_root else above
            if unit not in self._forbidden and all(part.name in names for part in self._below(unit)):
                listed.add(unit)
            elif via_root and travels not in (None, leaf.name):
                self._refused.append(
                    f"{leaf.name} travels as {travels}, of which not every partition may cross: "
                    "put all its partitions into one class, or publish them without publish_via_partition_root first"
                )
            else:
                listed.add(leaf.name)
        return sorted(listed)

    def _below(self, unit: TableName) -> list[Relation]:
        """The tables that hold the rows of this one."""
        return [leaf for leaf in self._leaves if unit == leaf.name or (leaf.partition and unit in leaf.ancestors)]


def listing_of(name: str, tables: Iterable[TableName], *, via_root: bool) -> Publication:
    """A publication of these tables, whole."""
    return Publication(name, via_root=via_root, tables=dict.fromkeys(tables, _WHOLE))
