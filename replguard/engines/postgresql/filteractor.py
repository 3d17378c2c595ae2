"""The steps of ``filtersteps``, done and taken back. Each looks first how things are, so that it can be done again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.engines.postgresql import resubscribing
from replguard.engines.postgresql.aside import aside
from replguard.engines.postgresql.filters import published_by
from replguard.engines.postgresql.filterstate import names_of, subscribed_now
from replguard.engines.postgresql.publicationtexts import between, of_plain, plain
from replguard.engines.postgresql.quoting import quoted
from replguard.engines.postgresql.readers import shared
from replguard.engines.postgresql.resubscribing import Reading, Resubscriber
from replguard.errors import ControlError, DeadlineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from replguard.engines.postgresql.publications import Publication
    from replguard.engines.postgresql.resubscribing import Way
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link

    Detail = Mapping[str, Any]

_PATIENCE = 60.0
"""Seconds that a switch waits for old transactions, and then for what was written before."""


class FilterActor:
    """Acts on one link and its source."""

    def __init__(self, link: Link, publisher: PostgresServer, target: PostgresServer) -> None:
        self._link, self._publisher, self._target = link, publisher, target
        self._subscriber = Resubscriber(target, link)

    def do(self, action: str, detail: Detail) -> None:
        """KeyError for an action that no step has."""
        acts = {
            "publish": lambda: self._publish(detail["before"], detail["after"]),
            "aside": lambda: self._put_aside(detail, detail["after"]),
            "refresh": lambda: self._refresh(detail, detail["after"], detail["through"]),
            "back": lambda: self._back(detail),
            "switch": lambda: self._switch(tuple(detail["through"])),
        }
        acts[action]()

    def undo(self, action: str, detail: Detail) -> None:
        """The same steps the other way round, by a publication of what was subscribed, which is there so long."""
        acts = {
            "publish": lambda: self._define(detail["before"]),
            "aside": lambda: self._leave(detail),
            "refresh": lambda: self._unrefresh(detail),
            "back": lambda: self._put_aside(detail, detail["before"]),
            "switch": lambda: self._unswitch(tuple(detail["reads"])),
        }
        acts[action]()

    @property
    def _now(self) -> Reading:
        return resubscribing.now(self._target, self._link)

    def _go(self, way: Way) -> None:
        if way:
            self._subscriber.run(way)

    def _is_subscribed(self, tables: Iterable[Iterable[str]]) -> bool:
        return subscribed_now(self._target, self._link) == names_of(tables)

    def _put_aside(self, detail: Detail, wanted: Any) -> None:
        now = self._now
        if now.slot == detail["slot"] and self._is_subscribed(wanted):
            return
        self._go(resubscribing.away(now, detail["slot"]))

    def _refresh(self, detail: Detail, wanted: Any, through: Iterable[str]) -> None:
        if self._is_subscribed(wanted):
            return
        now = self._now
        if detail["put_aside"] and now.slot != aside(detail["slot"]):
            raise ControlError(
                f"{self._link.label}: its slot is not put aside", remedy="plan again", cluster=self._target.name
            )
        self._go(resubscribing.refreshed(now, tuple(through)))
        found = subscribed_now(self._target, self._link)
        if found != names_of(wanted):
            wrong = ", ".join(str(name) for name in sorted(found ^ names_of(wanted)))
            raise ControlError(
                f"{self._link.label}: after the refresh the subscription is not what was planned: {wrong}",
                remedy=f"look at the publications on {self._publisher.name}, and plan again",
                cluster=self._target.name,
            )

    def _back(self, detail: Detail) -> None:
        now, end = self._now, _end(detail)
        if now.slot == end.slot and now.publications == tuple(detail["through"]):
            end = Reading(now.publications, end.slot, end.enabled)  # it was switched already
        way = resubscribing.back(now, end)
        self._go(way)
        if way and end.enabled and detail["runs"]:
            self._subscriber.started()

    def _unrefresh(self, detail: Detail) -> None:
        if not detail["put_aside"]:
            self._put_aside(detail, detail["before"])
        if not self._is_subscribed(detail["before"]):
            for_now = of_plain(detail["for_undo"])
            self._define({for_now.name: plain(for_now)})
            self._refresh({**detail, "put_aside": True}, detail["before"], [for_now.name])
        if not detail["put_aside"]:
            self._leave(detail)

    def _leave(self, detail: Detail) -> None:
        way = resubscribing.back(self._now, _end(detail))
        self._go(way)
        if way and detail["enabled"] and detail["runs"]:
            self._subscriber.started()
        self._define({detail["for_undo"]["name"]: None})

    def _switch(self, through: tuple[str, ...]) -> None:
        """Read the new publication once the target has applied everything that was written before it was made."""
        now = self._now
        if now.publications == through:
            return
        _wait_for_old(self._publisher, self._link)
        position = self._publisher.replication.position()
        if not self._target.replication.wait_applied(self._link, self._publisher, position, _PATIENCE):
            raise DeadlineError(
                f"{self._link.label} did not apply what was written before the new publication within "
                f"{_PATIENCE:.0f} s",
                remedy="find what slows the link, and apply the plan again",
                cluster=self._target.name,
            )
        self._unswitch(through)
        self._subscriber.started()

    def _unswitch(self, publications: tuple[str, ...]) -> None:
        now = self._now
        self._go(resubscribing.back(now, Reading(publications, now.slot, now.enabled)))

    def _publish(self, before: Detail, after: Detail) -> None:
        """Never change under somebody's feet what others have begun to read since the plan was made."""
        found = {one.name: one for one in published_by(self._publisher, tuple(after)).publications}
        open_ones = [name for name, one in found.items() if before[name] and plain(one) != after[name]]
        if others := shared(self._publisher, self._target, self._link, open_ones):
            raise ControlError(
                f"{self._link.label}: {', '.join(sorted(others))} may be read by others by now",
                remedy="plan again: then this link gets a publication of its own",
                cluster=self._publisher.name,
            )
        self._define(after)

    def _define(self, wanted: Detail) -> None:
        """Make publications what they should be, None for those that should not be there."""
        found = {one.name: one for one in published_by(self._publisher, tuple(wanted)).publications}
        then = {name: of_plain(data) if data else None for name, data in wanted.items()}
        open_ones = {name: one for name, one in then.items() if found.get(name) != one}
        version = self._publisher.session.version
        lines = [line for name, one in open_ones.items() for line in between(found.get(name), one, version)]
        if not lines:
            return
        touched = [one for name in open_ones for one in (found.get(name), then[name]) if one]
        remedy = _remedy(self._publisher, touched, new=bool(open_ones.keys() - found.keys()))
        session = self._publisher.open(writes=True)
        try:
            for line in lines:
                session.results(line, "changing publications", remedy)
        finally:
            session.close()


def _end(detail: Detail) -> Reading:
    return Reading(tuple(detail["reads"]), detail["slot"], detail["enabled"])


def _wait_for_old(publisher: PostgresServer, link: Link) -> None:
    """Wait until no transaction is open that may have written before the publication was made."""
    deadline = time.monotonic() + _PATIENCE
    first = publisher.session.row("open_transactions")["next"]
    while publisher.session.row("open_transactions")["oldest"] < first:
        if time.monotonic() > deadline:
            blockers = publisher.session.rows("slot_blockers")
            pids = ", ".join(str(row["pid"] or row["gid"]) for row in blockers) or "not to be seen"
            raise DeadlineError(
                f"{link.label}: transactions that are older than the new publication are still open on "
                f"{publisher.name} after {_PATIENCE:.0f} s (pid {pids})",
                remedy="let them end, and apply the plan again",
                cluster=publisher.name,
            )
        time.sleep(0.1)


def _remedy(publisher: PostgresServer, touched: list[Publication], *, new: bool) -> str | None:
    """The grants that are lacking for these publications."""
    tables = sorted({name for one in touched for name in one.tables or {}})
    names = {
        "publications": [one.name for one in touched],
        "schemas": [name.schema for name in tables],
        "names": [name.name for name in tables],
    }
    lacks = publisher.session.row("publication_owners", names)
    role = quoted(publisher.facts["role"])
    only = " WITH INHERIT TRUE, SET FALSE" if publisher.major >= 16 else ""
    grants = [f"GRANT {quoted(owner)} TO {role}{only}" for owner in lacks["owners"]]
    if new and not lacks["may_create"]:
        grants.append(f"GRANT CREATE ON DATABASE {quoted(lacks['database'])} TO {role}")
    return "; ".join(grants) or None
