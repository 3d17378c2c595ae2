"""How one link's filters stand on both servers, read at one time, and as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.engines.postgresql import publishing, resubscribing
from replguard.engines.postgresql.aside import aside, found_again, is_aside
from replguard.engines.postgresql.filters import SourceSide, published_by
from replguard.engines.postgresql.publications import published
from replguard.engines.postgresql.publicationtexts import plain
from replguard.engines.postgresql.readers import shared
from replguard.errors import ControlError
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.engines.postgresql.publications import Publication
    from replguard.engines.postgresql.publishing import Standing
    from replguard.engines.postgresql.resubscribing import Reading
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link


def own_name(subscription: str) -> str:
    """The name of the publication that is made for a subscription.

    >>> own_name("st_from_blue")
    'replguard_st_from_blue'
    """
    name = f"replguard_{subscription}"
    return name if len(name.encode()) <= 63 else f"replguard_{aside(subscription)[-24:]}"


@dataclass(frozen=True, slots=True)
class LinkNow:
    """Everything about one link, read now. ``slot`` is the real one, also while it is put aside."""

    reading: Reading
    slot: str
    subscribed: frozenset[TableName]
    side: SourceSide
    own: Publication | None
    there: frozenset[TableName]
    shared: frozenset[str]
    elsewhere: frozenset[TableName]
    gathers: bool

    @property
    def put_aside(self) -> bool:
        return self.reading.slot != self.slot

    def standing(self) -> Standing:
        return publishing.Standing(
            self.side.publications,
            self.side.relations,
            self.subscribed,
            self.there,
            self.shared,
            self.elsewhere,
            self.gathers,
        )

    def definitions(self) -> dict[str, Publication]:
        """The publications that are read, and the link's own where there is one."""
        found = {one.name: one for one in self.side.publications}
        return found | ({self.own.name: self.own} if self.own else {})

    def state(self) -> dict[str, Any]:
        return {
            "reads": list(self.reading.publications),
            "enabled": self.reading.enabled,
            "slot": self.reading.slot,
            "subscribed": listed(self.subscribed),
            "publications": plainly(self.definitions().values()),
            "missing": list(self.side.missing),
            "tables": {"source": _shapes(self.side), "target": listed(self.there)},
        }


def plainly(publications: Iterable[Publication]) -> dict[str, Any]:
    return {one.name: plain(one) for one in sorted(publications, key=lambda one: one.name)}


def listed(names: Iterable[TableName]) -> list[list[str]]:
    return [[name.schema, name.name] for name in sorted(names)]


def names_of(data: Iterable[Iterable[str]]) -> frozenset[TableName]:
    return frozenset(TableName(*pair) for pair in data)


def _shapes(side: SourceSide) -> list[list[Any]]:
    """What of the source's tables decides how they are published."""
    return [
        [name.schema, name.name, one.partitioned, one.partition, one.logged, one.identified, listed(one.ancestors)]
        for name, one in sorted(side.relations.items())
    ]


def _real_slot(publisher: PostgresServer, name: str) -> str:
    if not is_aside(name):
        return name
    slots = [row["slot"] for row in publisher.session.rows("publication_readers")]
    found = found_again(name, slots)
    if found is None:
        raise ControlError(
            f"the slot that was put aside as {name} is not on {publisher.name}",
            remedy="ALTER SUBSCRIPTION ... SET (slot_name = ...) by hand",
            cluster=publisher.name,
        )
    return found


def subscribed_now(target: PostgresServer, link: Link) -> frozenset[TableName]:
    """The tables that the subscription has now."""
    rows = target.session.rows("subscribed_tables", {"oid": link.detail["oid"]})
    return frozenset(TableName(row["schema"], row["name"]) for row in rows)


def read(link: Link, publisher: PostgresServer, target: PostgresServer) -> LinkNow:
    """Both servers as they are now; ControlError where the subscription is gone."""
    reading, own = resubscribing.now(target, link), own_name(link.name)
    others = _others(link, publisher, target)
    there = target.session.rows("tables", {"schemas": None})
    own_side = published_by(publisher, (own,)).publications
    return LinkNow(
        reading=reading,
        slot=_real_slot(publisher, reading.slot),
        subscribed=subscribed_now(target, link),
        side=published_by(publisher, reading.publications),
        own=own_side[0] if own_side else None,
        there=frozenset(TableName(row["schema"], row["name"]) for row in there),
        shared=shared(publisher, target, link, set(reading.publications) - {own}),
        elsewhere=frozenset(name for row in others for name in _carried(row, publisher, target)),
        gathers=all(row["name"] > link.name for row in others),
    )


def _others(link: Link, publisher: PostgresServer, target: PostgresServer) -> list[dict[str, Any]]:
    """The target's other subscriptions to the same source."""
    rows = target.session.rows("subscriptions", doing="reading subscriptions")
    ours = publisher.identity.text
    return [row for row in rows if target.publishers.get(row["oid"]) == ours and row["oid"] != link.detail["oid"]]


def _carried(row: dict[str, Any], publisher: PostgresServer, target: PostgresServer) -> Iterator[TableName]:
    """The tables whose changes a subscription applies."""
    side = published_by(publisher, tuple(row["publications"]))
    found = target.session.rows("subscribed_tables", {"oid": row["oid"]})
    subscribed = {TableName(one["schema"], one["name"]) for one in found}
    for leaf in publishing.leaves(side.relations):
        item = published(leaf, side.publications)
        if item and item.sent_as in subscribed:
            yield leaf.name
