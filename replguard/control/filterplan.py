"""Planning filters: for every link between the clusters what must be run, so that it lets through what the policy says.

Nothing is changed here. How an engine's filters get from what is set to what is wanted is the engine's own business
(:class:`replguard.engines.controls.SetsFilters`). A table that nobody classified lets no plan be made: whatever a plan
did with it would be a guess, and one that was meant to be kept apart must not cross.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from replguard._version import __version__
from replguard.audit.classes import no_table, unclassified
from replguard.engines.controls import SetsFilters, WantedFilter
from replguard.errors import Unsupported
from replguard.journal import Journal, by_whom
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState
from replguard.model.plain import plain
from replguard.model.plan import Plan, PlannedCluster, PlannedLink, PlannedStep, PlannedTable, state_hash
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.engines.controls import LinkPlan, Step
    from replguard.engines.pair import Pair
    from replguard.model.links import Link
    from replguard.model.tables import Table

CHECK = "filter.plan"
APPLY, UNDO = ACTIONS = ("filter apply", "filter undo")
"""What a plan is begun as in the journal."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of planning; ``plan`` is None where none could be made."""

    check: Check
    plan: Plan | None = None


def make(pair: Pair, tables: TableMap, links: tuple[Link, ...], folder: Path, *, links_wanted: bool) -> Made:
    """Plan the filters of these links, which join the two clusters."""
    against = [*unclassified(tables), *no_table(tables), *_begun(folder)]
    if not links:
        return Made(_no_link(against, links_wanted=links_wanted))
    if against:
        return Made(Check(CHECK, "no plan was made", tuple(against)))
    made = {link: setter(pair, link).plan(link, _source(pair, link), wanted(tables, link)) for link in links}
    if refused := [_refused(link, why) for link, plan in made.items() for why in plan.refused]:
        return Made(Check(CHECK, "no plan was made", tuple(refused)))
    listed = classes(tables)
    plan = Plan(
        made_at=datetime.now(UTC),
        by=by_whom(),
        version=__version__,
        clusters={server.name: _cluster(server.identity) for server in pair},
        tables=listed,
        links=tuple(_planned(plan, listed) for plan in made.values()),
    )
    return Made(Check(CHECK, summary(plan), tuple(_told(plan))), plan)


def setter(pair: Pair, link: Link) -> SetsFilters:
    """What sets the filters of a link; Unsupported where nothing can."""
    found = pair.server(link.target).filters
    if not isinstance(found, SetsFilters):
        engine = pair.server(link.target).identity.engine
        raise Unsupported(f"filters of {engine} cannot be set by replguard", cluster=link.target)
    return found


def wanted(tables: TableMap, link: Link) -> WantedFilter:
    """What the policy wants of a link: its tables as the link's source has them, else as its target does."""
    return WantedFilter(
        forbidden=_sides(tables.of(TableClass.must_not_sync), link),
        config=_sides(tables.of(TableClass.config), link),
        local=_sides(tables.of(TableClass.local), link),
        globs=tuple(rule.pattern for rule in tables.policy.rules if rule.table_class is TableClass.must_not_sync),
    )


def classes(tables: TableMap) -> tuple[PlannedTable, ...]:
    """Every table of either side with its class, in a steady order."""
    found = {
        (side.name.schema, side.name.name, table.table_class.value) for table in tables for side in table.sides.values()
    }
    return tuple(PlannedTable(*row) for row in sorted(found))


def as_data(state: object) -> dict[str, Any]:
    """A state as it comes back out of a file."""
    return cast("dict[str, Any]", plain(state))


def summary(plan: Plan) -> str:
    """What there is to do, in a clause."""
    changed = sum(bool(link.steps) for link in plan.links)
    if not changed:
        return f"nothing to do: {len(plan.links)} link{'s' * (len(plan.links) != 1)} as wanted"
    return f"{plan.steps} step{'s' * (plan.steps != 1)} on {changed} of {len(plan.links)} links"


def unfinished(entry: dict[str, Any], severity: Severity) -> Finding:
    """What an entry of the journal says that nobody closed."""
    return Finding(
        "journal.unfinished",
        severity,
        f"a {entry['action']} begun at {entry['begun_at']} by {entry['by']} was not finished",
        remedy=entry.get("remedy"),
        evidence={"steps": entry["steps"]},
    )


def _begun(folder: Path) -> Iterator[Finding]:
    """An earlier plan that stands half done: what is set now is nobody's will, so nothing is planned from it."""
    return (unfinished(entry.data, Severity.unknown) for entry in Journal(folder).unfinished(*ACTIONS))


def _sides(tables: Iterable[PairedTable], link: Link) -> tuple[Table, ...]:
    return tuple(table.sides.get(link.source or "") or table.sides[link.target] for table in tables)


def _source(pair: Pair, link: Link) -> Any:
    return pair.server(str(link.source))


def _cluster(identity: Any) -> PlannedCluster:
    return PlannedCluster(identity.engine, identity.version, identity.text)


def _planned(plan: LinkPlan, tables: tuple[PlannedTable, ...]) -> PlannedLink:
    state, link = as_data(plan.state), plan.link
    return PlannedLink(
        link=link.label,
        name=link.name,
        source=str(link.source),
        target=link.target,
        runs=link.state is LinkState.running,
        state=state,
        state_hash=state_hash(state, tables),
        steps=tuple(map(_step, plan.steps)),
        persist=plan.persist,
        persist_on=plan.persist_on,
        notes=plan.notes,
    )


def _step(step: Step) -> PlannedStep:
    return PlannedStep(
        step.cluster,
        step.action,
        step.words,
        tuple(map(str, step.statements)),
        tuple(map(str, step.undo)),
        as_data(step.detail),
        as_data(step.after),
    )


def _told(plan: Plan) -> Iterator[Finding]:
    for link in plan.links:
        where: dict[str, Any] = {"cluster": link.target, "link": link.link}
        for step in link.steps:
            lines = {"statements": list(step.statements), "undo": list(step.undo)}
            yield Finding("plan.step", Severity.info, f"{link.link}: {step.words}", **where, evidence=lines)
        for note in link.notes:
            yield Finding("plan.note", Severity.info, f"{link.link}: {note}", **where)


def _refused(link: Link, why: str) -> Finding:
    return Finding(
        "plan.refused",
        Severity.fail,
        f"{link.label} cannot be made to let through what it should: {why}",
        cluster=link.target,
        link=link.label,
        remedy="change what stands in the way, or the policy, then plan again",
    )


def _no_link(open_questions: list[Finding], *, links_wanted: bool) -> Check:
    if not links_wanted:
        return Check(CHECK, "no link is wanted, none is there", tuple(open_questions), applicable=bool(open_questions))
    missing = Finding(
        "link.missing",
        Severity.unknown,
        "there is no link between the clusters whose filters could be planned",
        remedy="set up replication, or write `links: none` where the application itself synchronises",
    )
    return Check(CHECK, "no link to plan for", (missing, *open_questions))
