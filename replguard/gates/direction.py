"""Does replication lead from the cluster that serves to the one that is to take over, and nothing round in a circle?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.health import TellsAilments
from replguard.gates.base import Gate, Outcome, Purpose
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.gates.base import Context

_MOVES = (Purpose.switchover, Purpose.cutover)


class Direction(Gate):
    id = "clusters.direction"
    title = "replication leads from the active cluster to the one that takes over"
    purpose = (
        "Traffic that is moved to a side which does not receive the other's changes works on old data. Changes that "
        "are handed on in a circle come back to where they were written."
    )
    reads = (
        "the links between the clusters, `gate.active` of the config, `--to`, and what stops a change that comes back"
    )
    remedy = "name the cluster that traffic is to be moved to with `--to`, and set up the link that leads there"
    codes = ("direction.unknown", "direction.wrong", "direction.loop")

    def run(self, context: Context) -> Outcome:
        roles = context.roles
        findings = (*_roles(context), *_loops(context))
        known = f"{roles.active} is active, {roles.passive} takes over ({roles.why})"
        return Outcome((Check(self.id, known if roles.active else roles.why, findings),))


def _roles(context: Context) -> Iterator[Finding]:
    roles = context.roles
    if roles.active is None:
        if context.purpose in _MOVES:
            words = f"it is not known which cluster traffic is to be moved to: {roles.why}"
            remedy = "give --to CLUSTER, or name the one that serves now in the config (gate.active)"
            yield Finding("direction.unknown", Severity.unknown, words, remedy=remedy)
        return
    ways = {(link.source, link.target) for link in context.links}
    if ways and (roles.active, roles.passive) not in ways:
        yield Finding(
            "direction.wrong",
            Severity.fail if context.purpose in _MOVES else Severity.warn,
            f"no link leads from {roles.active} to {roles.passive}, which takes over ({roles.why}); "
            f"the only one leads back",
            cluster=roles.passive,
            remedy=f"move traffic to {roles.active}, or set up replication to {roles.passive} first",
        )


def _loops(context: Context) -> Iterator[Finding]:
    """Changes go round only where every link of the circle hands them on."""
    ways = {link.target: link for link in context.links}
    if len(ways) < 2:
        return
    why = []
    for link in ways.values():
        replication = context.pair.server(link.target).replication
        if not isinstance(replication, TellsAilments):
            raise TypeError(f"{link.target} does not tell what becomes of changes that come back")
        why.append(replication.passes_on(link))
    if all(why):
        yield Finding(
            "direction.loop",
            Severity.fail,
            "changes go round in a circle between the clusters: " + "; ".join(filter(None, why)),
            remedy="PostgreSQL 16 and newer: ALTER SUBSCRIPTION ... SET (origin = none) on both sides; "
            "MySQL, MariaDB: take replicate_same_server_id out of the option files",
        )
