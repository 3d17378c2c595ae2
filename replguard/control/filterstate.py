"""Whether a plan still fits: the same pair, the same tables in the same classes, the same filters.

A plan that was begun and not finished fits as well: then a part of the state is already what a step of it leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.audit.links import between
from replguard.control import filterplan
from replguard.engines.controls import Step
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.audit.tables import TableMap
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.plan import Plan, PlannedLink, PlannedTable

_SHOWN, _LONG = 5, 60


@dataclass(frozen=True, slots=True)
class Bound:
    """A planned link, and that link as it is now. ``begun`` counts the steps that were begun, None is all of them."""

    planned: PlannedLink
    link: Link
    begun: int | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps as the engine made them."""
        label = self.link.label
        return tuple(
            Step(step.cluster, label, step.action, step.words, step.statements, step.undo, step.detail, step.after)
            for step in self.planned.steps
        )

    def source(self, pair: Pair) -> Server:
        return pair.server(str(self.link.source))

    def state(self, pair: Pair) -> dict[str, Any]:
        """What its filters are made of now."""
        return filterplan.as_data(filterplan.setter(pair, self.link).state(self.link, self.source(pair)))


def other_pair(pair: Pair, plan: Plan) -> tuple[Finding, ...]:
    """What speaks against these being the servers that the plan was made on."""
    here = {server.name: server.identity.text for server in pair}
    made = {name: cluster.identity for name, cluster in plan.clusters.items()}
    if here == made:
        return ()
    servers = ", ".join(f"{name} {identity}" for name, identity in made.items())
    ours = ", ".join(f"{name} {identity}" for name, identity in here.items())
    return (
        Finding(
            "plan.other_pair",
            Severity.fail,
            f"the plan is for {servers}, and the clusters are {ours}",
            remedy="make a plan for this pair: `replguard filter plan -o FILE`",
        ),
    )


def bind(pair: Pair, plan: Plan) -> tuple[tuple[Bound, ...], tuple[Finding, ...]]:
    """The links of the plan as they are now; those that are gone, or that the plan does not know, are findings."""
    links = {(link.target, link.name): link for link in between(pair.links(), [server.name for server in pair])}
    bound, against = [], []
    for planned in plan.links:
        link = links.pop((planned.target, planned.name), None)
        if link is None or link.source != planned.source:
            against.append(_stale(f"{planned.link} is no longer there", planned.link, planned.target))
        else:
            bound.append(Bound(planned, link))
    against += [_stale(f"{link.label} is not in the plan", link.label, link.target) for link in links.values()]
    return tuple(bound), tuple(against)


def moved_tables(tables: TableMap, plan: Plan) -> tuple[Finding, ...]:
    """Tables that were made, dropped or put into another class since."""
    now, then = _by_name(filterplan.classes(tables)), _by_name(plan.tables)
    moved = [f"{name} is {now.get(name, 'gone')}" for name in sorted({*now, *then}) if now.get(name) != then.get(name)]
    if not moved:
        return ()
    more = f" and {len(moved) - _SHOWN} more" if len(moved) > _SHOWN else ""
    return (_stale(f"tables or their classes changed: {', '.join(moved[:_SHOWN])}{more}", None, None),)


def moved_state(one: Bound, now: dict[str, Any], *, begun: bool) -> tuple[Finding, ...]:
    """What of a link's state is not as the plan found it, or leaves it.

    Once it was begun, what its steps set is set again, whatever became of it: a restart may have lost half of it.
    """
    planned = one.planned
    if now == planned.final:
        return ()
    touched = {key for step in planned.steps for key in step.after} if begun else set()
    moved = [key for key in sorted({*now, *planned.state} - touched) if now.get(key) != planned.state.get(key)]
    return _moved(planned, moved, now)


def strayed(one: Bound, now: dict[str, Any]) -> tuple[Finding, ...]:
    """What of that which the plan sets is neither as it found it nor as a step leaves it: somebody else has set it."""
    steps = one.planned.steps
    known = {
        key: [one.planned.state.get(key), *(step.after[key] for step in steps if key in step.after)]
        for step in steps
        for key in step.after
    }
    return _moved(one.planned, [key for key, values in sorted(known.items()) if now.get(key) not in values], now)


def _moved(planned: PlannedLink, keys: list[str], now: dict[str, Any]) -> tuple[Finding, ...]:
    if not keys:
        return ()
    evidence = {key: {"planned": planned.state.get(key), "now": now.get(key)} for key in keys}
    words = [f"{key} was {_short(planned.state.get(key))} and is {_short(now.get(key))}" for key in keys]
    return (_stale(f"{planned.link}: {', '.join(words)}", planned.link, planned.target, evidence),)


def _short(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return (text if len(text) <= _LONG else f"{text[:_LONG]}...") or "empty"


def _by_name(tables: tuple[PlannedTable, ...]) -> dict[str, str]:
    return {f"{table.schema}.{table.table}": table.class_ for table in tables}


def _stale(what: str, link: str | None, cluster: str | None, evidence: dict[str, Any] | None = None) -> Finding:
    return Finding(
        "plan.stale",
        Severity.fail,
        what,
        cluster=cluster,
        link=link,
        remedy="make a new plan with `replguard filter plan -o FILE`, and look at it again",
        evidence=evidence or {},
    )


def lines(one: Bound, *, undo: bool = False) -> Iterator[str]:
    """What is run on which cluster, in its order."""
    for step in reversed(one.planned.steps) if undo else one.planned.steps:
        for statement in step.undo if undo else step.statements:
            yield f"{step.cluster}: {statement}"
