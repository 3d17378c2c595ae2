"""A link's publications and subscription set so that it lets through what is wanted: planned, done and taken back.

What is to be is decided in ``publishing``, the steps that lead there are made in ``filtersteps`` and done by
``filteractor``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from replguard.engines.controls import Exported, LinkPlan
from replguard.engines.postgresql import filterstate, publishing, resubscribing
from replguard.engines.postgresql.filteractor import FilterActor
from replguard.engines.postgresql.filters import PostgresFilters
from replguard.engines.postgresql.filterstate import own_name
from replguard.engines.postgresql.filtersteps import FilterSteps
from replguard.engines.postgresql.links import find_peer
from replguard.engines.postgresql.publicationtexts import between
from replguard.engines.postgresql.resubscribing import Reading
from replguard.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from replguard.engines.base import Server
    from replguard.engines.controls import Step, WantedFilter
    from replguard.engines.postgresql.filterstate import LinkNow
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link


class PostgresSetting(PostgresFilters):
    """Fulfils ``Filters`` and ``SetsFilters``."""

    def state(self, link: Link, source: Server) -> Mapping[str, Any]:
        return filterstate.read(link, _publisher(source), self._server).state()

    def plan(self, link: Link, source: Server, wanted: WantedFilter) -> LinkPlan:
        publisher = _publisher(source)
        now = filterstate.read(link, publisher, self._server)
        if refused := tuple(_obstacles(link, publisher, now)):
            return LinkPlan(link, now.state(), (), refused=refused)
        goal = publishing.goal(now.standing(), wanted, own_name(link.name))
        if goal.refused:
            return LinkPlan(link, now.state(), (), refused=goal.refused)
        planned = FilterSteps(link, publisher, self._server, now, goal)
        return LinkPlan(link, now.state(), tuple(planned.steps()), notes=(*goal.notes, *planned.notes()))

    @property
    def exports(self) -> tuple[str, ...]:
        return ("publication", "sql", "debezium")

    def export(self, form: str, link: Link, source: Server, wanted: WantedFilter) -> Exported:
        """A publication of the link's own; ``sql`` lets the subscription read it, too. KeyError for another form."""
        publisher = _publisher(source)
        now = filterstate.read(link, publisher, self._server)
        goal = publishing.own_goal(now.standing(), wanted, own_name(link.name))
        if goal.refused:
            return Exported(publisher.name, (), refused=goal.refused)
        [made] = between(None, goal.publications[0], publisher.session.version)
        reading = Reading((own_name(link.name),), now.slot, enabled=True)
        text = partial(resubscribing.text, self._server, link)
        lines = {
            "publication": (f"{made};",),
            "sql": (
                f"-- On {publisher.name}:",
                f"{made};",
                f"-- On {self._server.name}, once everything that was written before is applied there:",
                f"{text('publications', reading)};",
                f"{text('refresh', reading)};",
            ),
        }
        return Exported(publisher.name, lines[form], goal.notes)

    def do(self, link: Link, source: Server, step: Step) -> None:
        self._actor(link, source).do(step.action, step.detail)

    def undo(self, link: Link, source: Server, step: Step) -> None:
        self._actor(link, source).undo(step.action, step.detail)

    def _actor(self, link: Link, source: Server) -> FilterActor:
        return FilterActor(link, _publisher(source), self._server)


def _publisher(source: Server) -> PostgresServer:
    publisher = find_peer({source.name: source}, source.name)
    if publisher is None:
        raise ControlError(f"{source.name} is not a PostgreSQL server", cluster=source.name)
    return publisher


def _obstacles(link: Link, publisher: PostgresServer, now: LinkNow) -> Iterator[str]:
    if now.side.too_new:
        yield f"{publisher.name} is newer than the versions whose publications are understood"
    for name in now.side.missing:
        yield (
            f"{link.label} reads publication {name!r}, which {publisher.name} does not have: make it again, or take it "
            "off with ALTER SUBSCRIPTION ... SET PUBLICATION"
        )
    if now.own and now.own.name not in now.reading.publications and now.own.all_tables:
        yield f"{publisher.name} has a publication {now.own.name!r} that is not ours: rename it"
