"""Changes of both sides since a pause, held against one another: what will flow, what stays, what conflicts. Pure.

Rows are told apart by their keys. A table that was changed as a whole conflicts with every change of it on the other
side. What foreign keys do to other rows, and values that are unique without being the key, are not looked at.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.control.touched import Touch
    from replguard.engines.base import Row
    from replguard.model.tables import TableName

CHANGED = "freeze.changed"
CONFLICT = "resume.conflict"
LISTED = 1000
"""Rows of one table that are listed one by one as findings; the data has all of them."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A row, or a table as a whole (``key`` None), that both clusters changed; ``touches`` by cluster."""

    table: TableName
    key: Row | None
    shown: dict[str, Any] | None
    touches: dict[str, Touch]


@dataclass(frozen=True, slots=True)
class Judged:
    """``flows``: changed on one side, and a link carries it when it is started; ``stays``: on one side, and no link
    carries it, so that both sides differ afterwards; ``flowed``: on one side, and it arrived already.
    """

    flows: tuple[Touch, ...]
    stays: tuple[Touch, ...]
    flowed: tuple[Touch, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def stop(self) -> bool:
        """Whether there is anything that somebody must accept."""
        return bool(self.flows or self.stays or self.conflicts)


def judge(touches: Mapping[str, Sequence[Touch]], sources: frozenset[str]) -> Judged:
    """``sources`` are the clusters that are the source of a link: what was changed there and waits in none of their
    links has arrived, while the log of another cluster goes nowhere.
    """
    first, second = touches
    found = {(touch.table, touch.key): touch for touch in touches[second]}
    by_table: dict[TableName, list[Touch]] = {}
    for touch in touches[second]:
        by_table.setdefault(touch.table, []).append(touch)
    conflicts: list[Conflict] = []
    clashing: set[int] = set()
    for ours in touches[first]:
        same = found.get((ours.table, ours.key)) or found.get((ours.table, None))
        for theirs in by_table.get(ours.table, ()) if ours.key is None else [same] if same else ():
            shown = ours.shown or theirs.shown
            conflicts.append(
                Conflict(ours.table, ours.key or theirs.key, shown, {ours.cluster: ours, theirs.cluster: theirs})
            )
            clashing |= {id(ours), id(theirs)}
    alone = [touch for side in touches.values() for touch in side if id(touch) not in clashing]
    return Judged(
        tuple(touch for touch in alone if touch.links),
        tuple(touch for touch in alone if not touch.links and (touch.dropped or touch.cluster not in sources)),
        tuple(touch for touch in alone if not (touch.links or touch.dropped) and touch.cluster in sources),
        tuple(conflicts),
    )


def findings(judged: Judged, *, changes: bool, conflicts: bool) -> Iterator[Finding]:
    """One for each row, so many of a table. ``changes`` and ``conflicts`` say what was accepted, and warns then."""
    one_sided = Severity.warn if changes else Severity.fail
    yield from _listed([_one(touch, one_sided, "will_flow", _flows(touch)) for touch in judged.flows])
    yield from _listed([_one(touch, one_sided, "will_not_flow", _STAYS) for touch in judged.stays])
    yield from _listed([_one(touch, Severity.info, "has_flowed", _FLOWED) for touch in judged.flowed])
    both = Severity.warn if conflicts else Severity.fail
    yield from _listed([_both(conflict, both) for conflict in judged.conflicts])


_STAYS = "on one side only, and will not flow: no link carries it"
_FLOWED = "on one side only, and has arrived"


def _flows(touch: Touch) -> str:
    return f"on one side only, and will flow over {', '.join(touch.links)}"


def _one(touch: Touch, severity: Severity, kind: str, words: str) -> Finding:
    remedy = {
        "will_flow": "find out who changed it; take it back, or let it flow with --accept-changes",
        "will_not_flow": "take it back, or do the same on the other side (`replguard diff --repair-sql` writes it); or "
        "leave the difference with --accept-changes",
    }.get(kind)
    return Finding(
        CHANGED,
        severity,
        f"{name_of(touch)} was changed on {touch.cluster} ({done(touch)}) while replication was paused, {words}",
        cluster=touch.cluster,
        link=touch.links[0] if touch.links else None,
        schema=touch.table.schema,
        table=touch.table.name,
        key=touch.shown,
        remedy=remedy,
        evidence={"kind": kind, **touch.described()},
    )


def _both(conflict: Conflict, severity: Severity) -> Finding:
    named = " and ".join(f"on {cluster} ({done(touch)})" for cluster, touch in conflict.touches.items())
    return Finding(
        CONFLICT,
        severity,
        f"{name_of(conflict)} was changed on both sides while replication was paused: {named}",
        schema=conflict.table.schema,
        table=conflict.table.name,
        key=conflict.shown,
        remedy=f"say which side wins: {' or '.join(f'--accept-changes={name}' for name in conflict.touches)}",
        evidence={
            "kind": "conflict",
            "changes": {cluster: touch.described() for cluster, touch in conflict.touches.items()},
        },
    )


def name_of(found: Touch | Conflict) -> str:
    """The row, or the table as a whole, in words."""
    key = ", ".join(f"{name}={value}" for name, value in (found.shown or {}).items())
    return f"{found.table} ({key})" if key else f"{found.table} as a whole"


def done(touch: Touch) -> str:
    """What was done to it: ``update of email, then delete``."""
    named = f" of {', '.join(sorted(touch.columns))}" if touch.columns else ""
    words = [f"{operation}{named if operation == 'update' else ''}" for operation in touch.operations]
    return ", ".join(words)


def _listed(found: list[Finding]) -> Iterator[Finding]:
    counts: Counter[tuple[str | None, str | None, str | None]] = Counter()
    for finding in found:
        kind = (finding.cluster, finding.schema, finding.table)
        counts[kind] += 1
        if counts[kind] <= LISTED:
            yield finding
    for (cluster, schema, table), count in counts.items():
        if count > LISTED:
            code, severity = found[0].code, found[0].severity
            message = f"{count - LISTED} more rows of {schema}.{table} are not listed"
            evidence = {"not_listed": count - LISTED, "kind": found[0].evidence["kind"]}
            yield Finding(code, severity, message, cluster=cluster, schema=schema, table=table, evidence=evidence)


def as_data(judged: Judged) -> dict[str, Any]:
    """Everything, as plain data."""
    return {
        "will_flow": [_data(touch) for touch in judged.flows],
        "will_not_flow": [_data(touch) for touch in judged.stays],
        "has_flowed": [_data(touch) for touch in judged.flowed],
        "both": [
            {
                **_named(conflict),
                "changes": {cluster: touch.described() for cluster, touch in conflict.touches.items()},
            }
            for conflict in judged.conflicts
        ],
    }


def _named(found: Touch | Conflict) -> dict[str, Any]:
    return {"schema": found.table.schema, "table": found.table.name, "key": found.shown}


def _data(touch: Touch) -> dict[str, Any]:
    return {"cluster": touch.cluster, **_named(touch), **touch.described()}
