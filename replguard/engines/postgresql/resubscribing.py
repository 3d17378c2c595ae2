"""The statements by which a subscription gets other tables, publications or its slot back, one after the other.

Where rows of a table that must not cross may wait in the slot, a refresh alone does not keep them out: a worker that
runs remembers which tables it applies. So its slot is put aside while the subscription is refreshed (see ``aside``),
and a new worker starts with what is subscribed then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from replguard.engines.postgresql import publicationtexts
from replguard.engines.postgresql.aside import aside, is_aside
from replguard.engines.postgresql.links import look, wait_until
from replguard.engines.postgresql.quoting import quoted, replication_literal
from replguard.engines.sqlfiles import Quoted, statement
from replguard.errors import ControlError

if TYPE_CHECKING:
    from typing import Any

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link

_STOP_SECONDS = 60.0
_START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a subscription reads: publications, from which slot, and whether it is enabled."""

    publications: tuple[str, ...]
    slot: str
    enabled: bool


Way = list[tuple[str, Reading]]
"""Words, each the name of a statement, and how the subscription stands after it."""


def now(target: PostgresServer, link: Link) -> Reading:
    """As it is set now; ControlError where the subscription is gone or has no slot."""
    found = target.session.rows("subscription_now", {"oid": link.detail["oid"]}, doing="reading a subscription")
    if not found or not found[0]["slot"]:
        what = "the subscription has no slot" if found else "the subscription is gone"
        raise ControlError(f"{link.label}: {what}", remedy="run `replguard status`", cluster=target.name)
    return Reading(tuple(found[0]["publications"]), found[0]["slot"], found[0]["enabled"])


def away(at: Reading, slot: str) -> Way:
    """Stopped, its slot put aside."""
    return _towards(at, replace(at, enabled=False, slot=aside(slot)))


def refreshed(at: Reading, through: tuple[str, ...]) -> Way:
    """A refresh of these publications; what is put aside is enabled for it, and left so."""
    ready = replace(at, enabled=True, publications=through)
    return [*_towards(at, ready), ("refresh", ready)]


def back(at: Reading, end: Reading) -> Way:
    """The way to another reading without a refresh: stopped first where the slot is another."""
    if not at.enabled or at.slot == end.slot:
        return _towards(at, end)
    stopped = replace(at, enabled=False)
    return [("disable", stopped), *_towards(stopped, end)]


def _towards(at: Reading, end: Reading) -> Way:
    """A word for each difference; stopped first and started last, and under its slot it has its publications."""
    way = []
    if at.enabled and not end.enabled:
        at = replace(at, enabled=False)
        way.append(("disable", at))
    for word in ("slot", "publications") if is_aside(end.slot) else ("publications", "slot"):
        then = replace(at, slot=end.slot) if word == "slot" else replace(at, publications=end.publications)
        if then != at:
            at = then
            way.append((word, at))
    if end.enabled and not at.enabled:
        way.append(("enable", end))
    return way


def text(target: PostgresServer, link: Link, word: str, then: Reading) -> Quoted:
    """The statement for one such word."""
    slots = {"subscription": quoted(link.name)}
    if word == "publications":
        slots["publications"] = publicationtexts.listing(then.publications)
    if word == "slot":
        slots["slot"] = replication_literal(then.slot)
    return statement("postgresql", f"subscription_{word}", target.session.version, **slots)


class Resubscriber:
    """Runs such statements on a session of its own."""

    def __init__(self, target: PostgresServer, link: Link) -> None:
        self._target, self._link = target, link

    def run(self, way: Way) -> None:
        """Go the way, waiting after each stop until no worker is left. PrivilegeError names the owner."""
        only = " WITH INHERIT TRUE, SET FALSE" if self._target.major >= 16 else ""
        owner, role = self._link.detail["owner"], self._target.facts["role"]
        remedy = f"GRANT {quoted(owner)} TO {quoted(role)}{only}"
        session = self._target.open(writes=True)
        try:
            for word, then in way:
                line = text(self._target, self._link, word, then)
                session.results(line, f"setting the filters of {self._link.label}", remedy)
                if word == "disable":
                    self._stopped()
        finally:
            session.close()

    def _stopped(self) -> None:
        if not wait_until(lambda: self._workers() == 0, _STOP_SECONDS):
            raise ControlError(
                f"{self._link.label}: disabled, but a worker still runs after {_STOP_SECONDS:.0f} s",
                remedy="see what it waits for in pg_stat_activity",
                cluster=self._target.name,
            )

    def started(self) -> None:
        """Wait until an apply worker is there; the launcher starts one again only after an interval."""
        row: dict[str, Any] = {**self._link.detail, "name": self._link.name}
        seconds = _START_SECONDS + self._target.session.row("retry_interval")["seconds"]
        if not wait_until(lambda: look(self._target.session, row).worker is not None, seconds):
            raise ControlError(
                f"{self._link.label}: enabled, but no apply worker runs after {seconds:.0f} s",
                remedy="the server's log tells why",
                cluster=self._target.name,
            )

    def _workers(self) -> int:
        return look(self._target.session, {**self._link.detail, "name": self._link.name}).workers
