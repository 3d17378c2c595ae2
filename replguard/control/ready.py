"""What must hold before links are started again, beside what changed: that they find what they need next on their
sources, that the servers are still those that were paused, and that their tables and versions still fit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replguard.diff import schema
from replguard.engines.controls import Reaches
from replguard.errors import ServerError
from replguard.model.findings import NOT_RUN, Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from replguard.audit.tables import TableMap
    from replguard.control.conflicts import Judged
    from replguard.engines.base import Server
    from replguard.engines.pair import Pair
    from replguard.model.links import Link

LOST = "resume.position_lost"
GONE = "resume.link_gone"
IDENTITY = "resume.identity"
NEWER = "resume.newer_source"
_UPGRADE = "or go on with --accept-upgrade"


def places(pair: Pair, links: Iterable[Link], gone: Iterable[Finding] = ()) -> Check:
    """Whether each link finds on its source what it needs next; ``gone`` is told of links that are there no more."""
    findings = [*gone, *(finding for link in links for finding in _place(pair, link))]
    lost = sum(finding.severity is Severity.fail for finding in findings)
    return Check("resume.position", f"{lost or 'no'} position{'s' * (lost != 1)} lost", tuple(findings))


def gone(links: Iterable[Link], held: Mapping[str, Any] | None, *, accepted: bool) -> Iterator[Finding]:
    """Links of the receipt that are no longer links between the clusters; ``links`` are all into either."""
    there = {(link.target, link.name): link for link in links}
    for before in (held or {}).get("links", ()):
        link = there.get((before["target"], before["name"]))
        if link is not None and link.source == before["source"]:
            continue
        why = "it is not there any more" if link is None else link.why_unmatched or f"its source is {link.source}"
        yield Finding(
            GONE,
            Severity.warn if accepted else Severity.fail,
            f"{before['link']} was paused, and cannot be started as what it was: {why}",
            cluster=before["target"],
            link=before["link"],
            remedy=f"find out who changed it; where its place is lost, copy the target anew, {_UPGRADE}",
        )


def _place(pair: Pair, link: Link) -> Iterator[Finding]:
    source, target = pair.server(str(link.source)), pair.server(link.target)
    streams = source.streams
    if not isinstance(streams, Reaches):
        yield _place_unknown(link, f"{source.name} does not tell what its log still holds", None)
        return
    try:
        found = streams.reach(link, target)
    except ServerError as error:
        yield _place_unknown(link, error.message, error.remedy)
        return
    if found.there is False:
        yield Finding(
            LOST, Severity.fail, found.why, cluster=link.source, link=link.label, remedy=found.remedy or "copy it anew"
        )
    elif found.there is None:
        yield replace(_place_unknown(link, found.why, found.remedy), code="resume.position_unsure")


def _place_unknown(link: Link, why: str, remedy: str | None) -> Finding:
    message = f"whether {link.label} still finds what it needs next is not known: {why}"
    return Finding(NOT_RUN, Severity.unknown, message, cluster=link.source, link=link.label, remedy=remedy)


def servers(pair: Pair, links: Iterable[Link], held: Mapping[str, Any] | None, *, accepted: bool) -> Check:
    """Whether these are the servers that were paused, and none became too new for its replica meanwhile."""
    findings = [*_changed(pair, held or {}, accepted=accepted), *_newer(pair, links, held or {}, accepted=accepted)]
    return Check("resume.servers", "who the servers are, and their versions", tuple(findings))


def _changed(pair: Pair, held: Mapping[str, Any], *, accepted: bool) -> Iterator[Finding]:
    for server in pair:
        before = held.get("clusters", {}).get(server.name, {}).get("identity")
        if before not in (None, server.identity.text):
            yield Finding(
                IDENTITY,
                Severity.warn if accepted else Severity.fail,
                f"{server.name} was {before} when it was paused, and is {server.identity.text} now",
                cluster=server.name,
                remedy="after a failover or a rebuild, see that the links lead to the right server and that nothing is "
                f"lost (`replguard diff`), {_UPGRADE}",
                evidence={"before": before, "now": server.identity.text},
            )


def _newer(pair: Pair, links: Iterable[Link], held: Mapping[str, Any], *, accepted: bool) -> Iterator[Finding]:
    """A replica understands what an older source writes, but not all that a newer one does."""
    for link in links:
        source, target = pair.server(str(link.source)), pair.server(link.target)
        if _series(source) <= _series(target):
            continue
        before = {one.name: held.get("clusters", {}).get(one.name, {}).get("version") for one in (source, target)}
        was_so = before == {one.name: one.identity.version for one in (source, target)}
        by_log = source.capabilities.sends_own_stream
        yield Finding(
            NEWER,
            Severity.fail if by_log and not was_so and not accepted else Severity.warn,
            f"{link.label} leads from {source.identity.version} to {target.identity.version}: "
            + ("a newer source than its replica is not supported" if by_log else "a newer source than its subscriber")
            + (", and was so when it was paused" if was_so else ""),
            cluster=link.source,
            link=link.label,
            remedy=f"upgrade {target.name} first, {_UPGRADE}" if by_log else f"upgrade {target.name} too",
            evidence={"source": source.identity.version, "target": target.identity.version, "before": before},
        )


def _series(server: Server) -> tuple[int, ...]:
    """What two servers must have in common to understand each other's log: 8.4, 10.11; of PostgreSQL the major."""
    parts = [int(part) for part in server.identity.version.split(".") if part.isdecimal()]
    return tuple(parts[: 2 if server.capabilities.sends_own_stream else 1])


def schemas(pair: Pair, tables: TableMap, judged: Judged | None, *, accepted: bool) -> Check:
    """Whether the config tables are the same tables on both sides. DDL that a link brings is told as a change.

    What this user may not see of what stands around tables (triggers, routines) is no reason not to start.
    """
    wanted = [table for table in tables.of(TableClass.config) if not table.partition]
    found = schema.check(pair, tables, wanted)
    coming = {touch.table for touch in judged.flows if "ddl" in touch.operations} if judged else set()
    names = {(table.schema, table.name) for table in coming}
    return Check(
        found.id,
        found.summary,
        tuple(_schema(one, accepted=accepted or (one.schema, one.table) in names) for one in found.findings),
    )


def _schema(finding: Finding, *, accepted: bool) -> Finding:
    if finding.code == NOT_RUN:
        return replace(finding, severity=Severity.warn)
    if finding.severity in (Severity.fail, Severity.unknown):
        remedy = f"{finding.remedy}, {_UPGRADE}"
        return replace(finding, severity=Severity.warn if accepted else finding.severity, remedy=remedy)
    return finding


def before_identity(identities: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Whether a receipt is one of this pair from before one of its servers changed who it is.

    One cluster of the receipt is still the same, or it is known to have been that server.
    """
    named = {name: str(facts.get("identity")) for name, facts in held.get("clusters", {}).items()}
    if named.keys() != identities.keys():
        return False
    return any(_was(identity, named[name]) for name, identity in identities.items())


def _was(identity: Any, text: str) -> bool:
    return text == identity.text or text in identity.past or text.partition(":")[2] in identity.past
