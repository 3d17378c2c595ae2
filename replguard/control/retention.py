"""The logs that a pause needs, looked at on the servers, and the budget that follows; what of it a receipt stores."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from replguard.control import budget
from replguard.control.budget import Look, Since
from replguard.engines.controls import Guards, Keeps, Kept
from replguard.errors import ServerError
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from replguard.control.budget import Budget
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link


def look(pair: Pair, links: Iterable[Link], guards: Iterable[Mapping[str, Any]] = ()) -> list[Look]:
    """What is kept now for these links, by their sources, and by the guards of a receipt."""
    found = [_of_link(pair, link) for link in links]
    return found + [_of_guard(pair.server(one["cluster"]), one["name"]) for one in guards]


def glance(pair: Pair, links: Iterable[Link]) -> list[Look]:
    """How much is written now, and nothing else: for a rate, before anything is stopped."""
    found = []
    for link in links:
        streams = pair.server(str(link.source)).streams
        if isinstance(streams, Keeps):
            found.append(_look(str(link.source), link.label, partial(_written, streams)))
    return found


def _written(streams: Keeps) -> Kept:
    return Kept(streams.written())


def _of_link(pair: Pair, link: Link) -> Look:
    source = pair.server(str(link.source))
    streams = source.streams
    if not isinstance(streams, Keeps):
        return _look(source.name, link.label, lambda: Kept(None, unknown=("how long this engine keeps its log",)))
    return _look(source.name, link.label, lambda: streams.kept(link, pair.server(link.target)))


def _of_guard(server: Server, name: str) -> Look:
    streams = server.streams
    if not isinstance(streams, Guards):
        return _look(server.name, None, lambda: Kept(None, lost=f"{server.name} has no guards"))
    return _look(server.name, None, lambda: streams.guard_kept(name))


def _look(cluster: str, link: str | None, ask: Callable[[], Kept]) -> Look:
    """What cannot be asked is not known; it is no reason to fail a pause that stands."""
    try:
        kept = ask()
    except ServerError as error:
        kept = Kept(None, unknown=(f"what {cluster} keeps: {error.message}",))
    return Look(cluster, link, datetime.now(UTC), kept)


def begin(before: Iterable[Mapping[str, Any]], looks: Iterable[Look], free_disk: Mapping[str, int]) -> dict[str, Any]:
    """What a receipt stores: the looks of now, rates of the moment since those before, and the budget in words."""
    first = {(one.cluster, one.link): one for one in map(Look.from_data, before)}
    samples = {
        one.what: rate
        for one in looks
        if (one.cluster, one.link) in first and (rate := budget.sampled(first[one.cluster, one.link], one)) is not None
    }
    stored = {
        "looks": [one.as_data() for one in looks],
        "samples": samples,
        "free_disk": dict(free_disk),
    }
    found = judged(looks, {"budget": stored})
    tightest = budget.tightest(found) if found else None
    must = tightest.must_resume_by if tightest else None
    return {
        **stored,
        "must_resume_by": must.isoformat() if must else None,
        "words": [budget.words(one, countdown=False) for one in found],
    }


def name_room(
    pair: Pair, links: Iterable[Link], held: Mapping[str, Any], free_disk: Mapping[str, int]
) -> dict[str, Any]:
    """The receipt of a pause that holds, with what is free for a cluster's log now."""
    stored = dict(held.get("budget") or {})
    first = {look.cluster: look for look in map(Look.from_data, stored.get("looks", ()))}
    now = {one.cluster: one for one in glance(pair, links)}
    rooms = {
        cluster: budget.stored_room(first[cluster], now[cluster], free) if cluster in first and cluster in now else free
        for cluster, free in free_disk.items()
    }
    stored["free_disk"] = {**stored.get("free_disk", {}), **rooms}
    return {**held, "budget": stored}


def judged(looks: Iterable[Look], held: Mapping[str, Any] | None) -> list[Budget]:
    """The budgets by these looks and by what the receipt of the pause knows; one from before knows nothing."""
    stored = (held or {}).get("budget") or {}
    then = {(one.cluster, one.link): one for one in map(Look.from_data, stored.get("looks", ()))}
    paused_at = datetime.fromisoformat(held["paused_at"]) if held and held.get("paused_at") else None
    samples, free = stored.get("samples", {}), stored.get("free_disk", {})
    return [
        budget.judge(
            one,
            Since(paused_at, then.get((one.cluster, one.link)), samples.get(one.what), free.get(one.cluster)),
        )
        for one in looks
    ]


def now(pair: Pair, links: Iterable[Link], held: Mapping[str, Any] | None) -> list[Budget]:
    """The budgets of the links that do not run, and of the receipt's guards, which cost as long as they are there."""
    states = {LinkState.paused, LinkState.broken} if held else {LinkState.paused}
    stand = [link for link in links if link.source and link.state in states]
    return judged(look(pair, stand, (held or {}).get("guards", ())), held)
