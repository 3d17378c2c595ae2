"""The steps from how a link's publications and subscription are to how they should be.

``publish`` (on the source) changes the lists of the publications, or makes one for this link. ``refresh`` (on the
target) lets the subscription take notice, without a copy; where rows of tables that go may wait in the slot, it stands
between ``aside`` and ``back``, so that nothing of them is applied. ``switch`` (on the target) lets it read the new
publication instead of the old ones, as soon as nothing that was written before it is still to be read: a server reads
publications as they were when a change was written, and one that was not there then publishes nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.controls import Step
from replguard.engines.postgresql import publishing, resubscribing
from replguard.engines.postgresql.aside import aside
from replguard.engines.postgresql.filterstate import listed, own_name, plainly
from replguard.engines.postgresql.publicationtexts import between, plain
from replguard.engines.postgresql.resubscribing import Reading, back, refreshed
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from replguard.engines.postgresql.filterstate import LinkNow
    from replguard.engines.postgresql.publications import Publication
    from replguard.engines.postgresql.publishing import Goal
    from replguard.engines.postgresql.resubscribing import Way
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link


class FilterSteps:
    """The steps from how things are to the goal."""

    def __init__(self, link: Link, publisher: PostgresServer, target: PostgresServer, now: LinkNow, goal: Goal) -> None:
        self._link, self._publisher, self._target, self._now, self._goal = link, publisher, target, now, goal
        self._own = {one.name: one for one in goal.publications} if goal.own else {}
        self._through = tuple(self._own) or now.reading.publications
        self._before = now.definitions()
        self._after = self._before | {one.name: one for one in goal.publications}
        self._end = Reading(now.reading.publications, now.slot, now.reading.enabled and not now.put_aside)

    def steps(self) -> Iterator[Step]:
        changed = {name: one for name, one in self._after.items() if self._before.get(name) != one}
        if changed:
            yield self._publish(changed)
        if self._goal.subscribed != self._now.subscribed or self._now.put_aside:
            yield from self._subscribe()
        if self._own and self._now.reading.enabled:
            yield self._switch()

    def notes(self) -> Iterator[str]:
        if self._now.put_aside:
            yield (
                f"{self._link.label} stands since its filters were changed and that was not finished; whether it ran "
                "before is not known, so it is left disabled: `replguard resume` starts it"
            )
        if self._own and not self._now.reading.enabled:
            yield (
                f"{self._link.label} is paused, so it goes on reading {', '.join(self._now.reading.publications)}, of "
                "which the target applies the subscribed tables alone; plan again after it was resumed, so that it "
                f"reads {self._through[0]} only"
            )
        if self._own:
            others = sorted(self._now.shared)
            why = f"{', '.join(others)} may be read by other subscriptions" if others else "FOR ALL TABLES is no list"
            yield f"a publication of the link's own is used, and the old ones are left as they are: {why}"

    def _step(self, cluster: PostgresServer, action: str, words: str, **more: Any) -> Step:
        return Step(cluster=cluster.name, link=self._link.label, action=action, words=words, **more)

    def _publish(self, changed: Mapping[str, Publication]) -> Step:
        version, before = self._publisher.session.version, self._before
        return self._step(
            self._publisher,
            "publish",
            f"list the {len(self._goal.subscribed)} tables that may cross in its publications",
            statements=tuple(line for name, one in changed.items() for line in between(before.get(name), one, version)),
            undo=tuple(line for name, one in changed.items() for line in between(one, before.get(name), version)),
            detail={
                "before": {name: plain(before[name]) if name in before else None for name in changed},
                "after": {name: plain(one) for name, one in changed.items()},
            },
            after={"publications": plainly(self._after.values())},
        )

    def _subscribe(self) -> Iterator[Step]:
        """One step where tables come and none goes, else three. Each tells how things are after it, for those who find
        it half done.
        """
        now, end = self._now.reading, self._end
        gone = self._now.subscribed - self._goal.subscribed
        put_aside = bool(gone) or not now.enabled or self._now.put_aside or bool(self._own)
        detail = self._detail(put_aside=put_aside)
        subscribed = {"subscribed": listed(self._goal.subscribed)}
        finished = {"reads": list(end.publications), "slot": end.slot, "enabled": end.enabled}
        words = "refresh the subscription without a copy"
        if not put_aside:
            forth, undo = refreshed(now, self._through), self._all_back()
            yield self._step(
                self._target,
                "refresh",
                words,
                statements=self._texts(forth),
                undo=undo,
                detail=detail,
                after=subscribed | finished,
            )
            return
        away, ready = self._away(), Reading(self._through, aside(end.slot), enabled=True)
        yield self._step(
            self._target,
            "aside",
            "stop it, and put its slot aside, so that nothing of what waits is applied",
            statements=self._texts(resubscribing.away(now, end.slot)),
            undo=(*self._texts(back(self._undone(), end)), *self._of_undo(make=False)),
            detail=detail,
            after={"slot": away.slot, "enabled": False},
        )
        yield self._step(
            self._target,
            "refresh",
            words,
            statements=self._texts(refreshed(away, self._through)),
            undo=(*self._of_undo(make=True), *self._texts(refreshed(away, self._for_undo_only()))),
            detail=detail,
            after=subscribed | {"reads": list(self._through), "enabled": True} | self._read_alone(),
        )
        yield self._step(
            self._target,
            "back",
            "give it back its slot" + (" and start it" if end.enabled else ""),
            statements=self._texts(back(ready, end)),
            undo=self._texts(resubscribing.away(end, end.slot)),
            detail=detail,
            after=finished | (self._read_all() if self._own else {}),
        )

    def _read_alone(self) -> dict[str, Any]:
        return {"publications": plainly(self._own.values())} if self._own else {}

    def _read_all(self) -> dict[str, Any]:
        return {"publications": plainly(self._after.values())}

    def _away(self) -> Reading:
        return Reading(self._now.reading.publications, aside(self._now.slot), enabled=False)

    def _undone(self) -> Reading:
        return Reading(self._for_undo_only(), aside(self._now.slot), enabled=True)

    def _detail(self, *, put_aside: bool) -> dict[str, Any]:
        return {
            "reads": list(self._end.publications),
            "through": list(self._through),
            "slot": self._end.slot,
            "enabled": self._end.enabled,
            "runs": self._link.state is LinkState.running,
            "put_aside": put_aside,
            "before": listed(self._now.subscribed),
            "after": listed(self._goal.subscribed),
            "for_undo": plain(self._for_undo()),
        }

    def _for_undo(self) -> Publication:
        known = [name for name in self._now.subscribed if name in self._now.side.relations]
        via_root = any(self._now.side.relations[name].partitioned for name in known)
        return publishing.listing_of(own_name(f"undo_{self._link.name}"), known, via_root=via_root)

    def _for_undo_only(self) -> tuple[str, ...]:
        return (self._for_undo().name,)

    def _of_undo(self, *, make: bool) -> tuple[str, ...]:
        one, version = self._for_undo(), self._publisher.session.version
        lines = between(None, one, version) if make else between(one, None, version)
        return tuple(f"/* on {self._publisher.name} */ {line}" for line in lines)

    def _all_back(self) -> tuple[str, ...]:
        """A refresh that added tables, taken back."""
        away = self._away()
        return (
            *self._texts(resubscribing.away(self._end, self._end.slot)),
            *self._of_undo(make=True),
            *self._texts(refreshed(away, self._for_undo_only())),
            *self._texts(back(self._undone(), self._end)),
            *self._of_undo(make=False),
        )

    def _texts(self, way: Way) -> tuple[str, ...]:
        return tuple(resubscribing.text(self._target, self._link, word, then) for word, then in way)

    def _switch(self) -> Step:
        slot, reads = self._now.slot, self._now.reading.publications
        return self._step(
            self._target,
            "switch",
            f"read {self._through[0]} alone, once everything older than it is applied",
            statements=self._texts([("publications", Reading(self._through, slot, enabled=True))]),
            undo=self._texts([("publications", Reading(reads, slot, enabled=True))]),
            detail={"reads": list(reads), "through": list(self._through)},
            after={"reads": list(self._through), **self._read_alone()},
        )
