"""What a reader is asked to tell of each table, so that traffic nobody judges costs next to nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.base import Wanted
from replguard.model.changes import Interest
from replguard.policy import TableClass

if TYPE_CHECKING:
    from replguard.model.links import Link
    from replguard.model.tables import Table, TableName
    from replguard.watch.known import Known


@dataclass(frozen=True, slots=True)
class Appetite:
    """How much is told. ``config`` is the interest in config tables; ``rows`` asks for values wherever rows are told.

    ``every`` asks for each change of the tables that are judged, also of those that the filters drop anyway. ``freeze``
    asks for the keys of config tables, and for values where the policy expects differences, which it tells by value.
    """

    config: Interest = Interest.counted
    rows: bool = False
    every: bool = False
    freeze: bool = False

    def full(self, interest: Interest) -> Interest:
        return Interest.whole if self.rows and interest >= Interest.keyed else interest


JUDGED = Appetite()
"""Only what is judged."""


def wanted(known: Known, cluster: str, link: Link | None, appetite: Appetite) -> Wanted:
    """What is wanted of what ``link`` carries, or else of the own stream of ``cluster``.

    It follows what is known of tables and filters as that is read again.

    A table that no catalog holds is always told by name: what it belongs to is looked up when its first change comes.
    """

    def interest(name: TableName) -> Interest:
        if link is not None and known.lands(link, name) != name:
            return appetite.full(Interest.keyed)
        if not known.tables.in_scope(cluster, name.schema):
            return Interest.counted
        least = Interest.counted if known.tables.is_table(cluster, name) else Interest.named
        if known.tables.classify(name).table_class is TableClass.must_not_sync:
            # What the filters drop is judged all the same, one event at a time: a filter may change meanwhile.
            dropped = link is not None and not appetite.every and known.drops(link, name)
            return appetite.full(Interest.named if dropped else Interest.keyed)
        return appetite.full(max(least, _allowed(known, name, appetite)))

    def shape(name: TableName) -> Table | None:
        return known.tables.on(cluster).get(name)

    return Wanted(interest, shape)


def _allowed(known: Known, name: TableName, appetite: Appetite) -> Interest:
    """The interest in a table that may sync, or of which nobody has said whether it may."""
    table_class = known.tables.classify(name).table_class
    if table_class is TableClass.unclassified:
        return max(Interest.named, appetite.config)
    if table_class is not TableClass.config:
        return Interest.counted
    frozen = Interest.whole if known.tables.policy.expected_for(name) else Interest.keyed
    return max(appetite.config, frozen) if appetite.freeze else appetite.config
