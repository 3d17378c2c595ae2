"""What tells, when a pause ends, which config tables changed meanwhile, where no link's slot tells it.

The slot of a link keeps what its source writes to the tables that cross. The target of a pair that replicates one way
has no such slot, nor do config tables that do not cross. There a pause makes a guard, which keeps the whole log until
resume drops it; where none can be made, it is remembered what the tables look like. The guard's name follows from the
pair, so that one that a killed process left behind is found. Engines whose log is kept anyway need neither.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from replguard.engines.controls import GUARD, Guards, Remembers
from replguard.errors import ConnectError, ConnectionLost, ServerError
from replguard.journal import folder_of
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from replguard.audit.tables import TableMap
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.links import Link
    from replguard.model.tables import Table

SECONDS = 10.0
"""How long making a guard may wait for open transactions, at most: the links stand meanwhile."""
LEFT = "pause.guard_left"
UNGUARDED = "pause.unguarded"
_AWAY = (ConnectError, ConnectionLost)


class Made(NamedTuple):
    """What a receipt stores of it (see ``receipt.Left``), and what there is to say."""

    guards: list[dict[str, Any]]
    memory: dict[str, Any]
    findings: list[Finding]


def name_of(pair: Pair, cluster: str) -> str:
    """What this pair's guard on this cluster is called."""
    identities = sorted(server.identity.text for server in pair)
    place = identities.index(pair.server(cluster).identity.text)
    return f"{GUARD}{folder_of(Path(), identities).name}_{place + 1}"


def uncovered(pair: Pair, tables: TableMap, links: Iterable[Link]) -> dict[str, tuple[Table, ...]]:
    """By cluster the config tables whose changes no link's slot keeps, where the engine has slots."""
    found = {}
    for server in pair:
        if _guarding(server):
            alone = tuple(_alone(pair, tables, server, [link for link in links if link.source == server.name]))
            if alone:
                found[server.name] = alone
    return found


def _alone(pair: Pair, tables: TableMap, server: Server, links: Sequence[Link]) -> Iterator[Table]:
    rules = [pair.server(link.target).filters.of(link, server) for link in links]
    for table in tables.of(TableClass.config):
        side = table.sides.get(server.name)
        if side is None or table.partition:
            continue
        crossings = [rule.crosses(side) for rule in rules]
        if not any(crossing.crosses and not crossing.partial for crossing in crossings):
            yield side


def statements(pair: Pair, tables: TableMap, links: Iterable[Link]) -> list[str]:
    """What making the guards will run, for showing it first."""
    return [
        f"{cluster}: {line}"
        for cluster in uncovered(pair, tables, links)
        for line in _guards(pair.server(cluster)).guard_statements(name_of(pair, cluster))
    ]


def make(pair: Pair, tables: TableMap, links: Iterable[Link], entry: Entry, timeout: float) -> Made:
    """Make what is missing, each guard written down before. Raises ConnectError, ConnectionLost alone.

    A guard that is there belongs to an earlier pause too, so it is not dropped where this one is put back.
    """
    made = Made([], {}, [])
    for cluster, alone in uncovered(pair, tables, links).items():
        name = name_of(pair, cluster)
        guards = _guards(pair.server(cluster))
        there = name in guards.guards()
        entry.note(f"make the guard slot {name} on {cluster}", None if there else dropping(cluster, name))
        try:
            position = guards.make_guard(name, min(timeout, SECONDS))
        except _AWAY:
            raise
        except ServerError as error:
            _remember(pair.server(cluster), alone, error, made)
        else:
            made.guards.append({"cluster": cluster, "name": name, "position": position.text})
    return made


def _remember(server: Server, tables: Sequence[Table], error: ServerError, made: Made) -> None:
    """Remember the tables where no guard could be made, and say what that is worth."""
    words = f"{len(tables)} config table{'s' * (len(tables) != 1)}"
    told = "resume cannot tell"
    if isinstance(server.rows, Remembers):
        try:
            made.memory[server.name] = server.rows.remember(tables)
        except _AWAY:
            raise
        except ServerError as failure:
            told = f"resume cannot tell (they cannot be remembered either: {failure.message})"
        else:
            told = "resume tells inserted and updated rows by their transactions, and deletions by table at most"
    made.findings.append(
        Finding(
            UNGUARDED,
            Severity.warn,
            f"no slot keeps what is written to {words} on {server.name} during the pause: {told}; {error.message}",
            cluster=server.name,
            remedy=error.remedy,
        )
    )


def dropping(cluster: str, name: str) -> dict[str, str]:
    """The step that drops this guard, for a journal."""
    return {"action": "drop guard", "cluster": cluster, "name": name}


def take_back(pair: Pair, step: Mapping[str, Any]) -> None:
    """Do that step; a guard that is gone, or was never made, is no error."""
    _guards(pair.server(step["cluster"])).drop_guard(step["name"])


def drop(pair: Pair, held: Mapping[str, Any] | None, note: Callable[[str], None]) -> list[Finding]:
    """Drop the guards of the pair, those of the receipt and any that a killed process left, each written down before.

    What could not be dropped is told: it goes on keeping the log.
    """
    findings = []
    for cluster, name in _there(pair, held):
        try:
            note(f"drop the guard slot {name} on {cluster}")
            _guards(pair.server(cluster)).drop_guard(name)
        except ServerError as error:
            findings.append(_left(cluster, name, f"could not be dropped: {error.message}", error.remedy))
    return findings


def _there(pair: Pair, held: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    ours = {(one["cluster"], one["name"]) for one in (held or {}).get("guards", ())}
    for server in pair:
        if guards := _guarding(server):
            mine = {name for cluster, name in ours if cluster == server.name} | {name_of(pair, server.name)}
            yield from ((server.name, name) for name in guards.guards() if name in mine)


def left_over(pair: Pair, held: Mapping[str, Any] | None) -> Check | None:
    """Guards that are there without a receipt that tells of them; None where there are none."""
    told = {(one["cluster"], one["name"]) for one in (held or {}).get("guards", ())}
    findings = []
    for server in pair:
        guards = _guarding(server)
        for name in guards.guards() if guards else ():
            if (server.name, name) in told:
                continue
            if name == name_of(pair, server.name):
                remedy = "run `replguard pause` or `replguard resume`, whichever is wanted now: both take care of it"
                findings.append(_left(server.name, name, "was left behind by a pause that did not end well", remedy))
            else:
                what = "is of another pair, or of this one before a failover"
                remedy = "find out whose pause it is; when nobody's, drop it: it keeps WAL until then"
                findings.append(_left(server.name, name, what, remedy, Severity.info))
    return Check("guards", f"{len(findings)} without a receipt", tuple(findings)) if findings else None


def _left(cluster: str, name: str, what: str, remedy: str | None, severity: Severity = Severity.warn) -> Finding:
    message = f"the guard slot {name} on {cluster} {what}"
    return Finding(LEFT, severity, message, cluster=cluster, remedy=remedy, evidence={"name": name})


def _guarding(server: Server) -> Guards | None:
    """The server's streams, where a guard may be needed: not where each link carries all that is written."""
    if server.capabilities.sends_own_stream:
        return None
    streams = server.streams
    return streams if isinstance(streams, Guards) else None


def _guards(server: Server) -> Guards:
    found = _guarding(server)
    if found is None:
        raise ServerError(f"{server.name} has no guards", cluster=server.name)
    return found
