"""The state of replication as findings: pure, from links that were read before."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from replguard.model.findings import Check, Finding, LinkFacts, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.config import Config
    from replguard.model.links import Link

MAX_LAG_SECONDS = 60.0


def between(links: Iterable[Link], clusters: Iterable[str]) -> tuple[Link, ...]:
    """The links that join the two clusters."""
    names = set(clusters)
    return tuple(link for link in links if link.source in names and link.target in names)


def check(links: tuple[Link, ...], config: Config, *, needed: bool = True, max_lag: float = MAX_LAG_SECONDS) -> Check:
    """Whether replication stands as the config wants it.

    ``needed`` is false for commands that work without any link: then a missing one is only told.
    """
    if config.links == "none":
        return _none_wanted(links, config)
    clusters = [endpoint.name for endpoint in config.endpoints]
    findings = [finding for link in links for finding in _state(link, max_lag, named=config.links != "discover")]
    findings += _missing(links, config, clusters, needed=needed)
    ours = between(links, clusters)
    states = ", ".join(f"{link.label} {link.state.value}" for link in ours)
    return Check("links.state", states or "no link between the clusters", tuple(findings))


def _none_wanted(links: tuple[Link, ...], config: Config) -> Check:
    """A preset whose application synchronises by itself wants no link; one that is there is a finding."""
    ours = between(links, (endpoint.name for endpoint in config.endpoints))
    unknown = [found for link in links if link.source is None for found in _unmatched(link, Severity.unknown)]
    unexpected = [
        Finding(
            "link.unexpected",
            Severity.fail,
            f"{link.label} replicates, but the config says links: none",
            cluster=link.target,
            link=link.label,
            remedy="stop this link, or take `links: none` out of the config",
        )
        for link in ours
        if link.state is not LinkState.paused
    ]
    findings = (*unexpected, *unknown)
    return Check("links.state", "the application synchronises by itself", findings, applicable=bool(findings))


def _missing(links: tuple[Link, ...], config: Config, clusters: list[str], *, needed: bool) -> list[Finding]:
    severity = Severity.fail if needed else Severity.info
    if isinstance(config.links, tuple):
        return [
            Finding(
                "link.missing",
                severity,
                f"no link from {wanted.source} to {wanted.target}"
                + (f" is called {wanted.name!r}" if wanted.name else ""),
                cluster=wanted.target,
                remedy="create the link, or correct `links:` in the config",
            )
            for wanted in config.links
            if not any(
                (link.source, link.target) == (wanted.source, wanted.target) and wanted.name in (None, link.name)
                for link in links
            )
        ]
    if between(links, clusters):
        return []
    return [
        Finding(
            "link.missing",
            severity,
            f"neither {clusters[0]} nor {clusters[1]} replicates from the other",
            remedy="set up replication, or write `links: none` where the application itself synchronises",
        )
    ]


def _state(link: Link, max_lag: float, *, named: bool) -> list[Finding]:
    """What there is to say of one link; ``named`` says that the config names the links of the pair."""
    if link.source is None:
        return _unmatched(link, Severity.info if named else Severity.unknown)
    found = [_LOOKS[link.state](link)] if link.state in _LOOKS else _lag(link, max_lag)
    if link.initial_copy:
        what = f"{link.label}: the initial copy of {', '.join(link.initial_copy)} is not finished"
        found.append(_of(link, "link.incomplete", Severity.fail, what, "wait for the copy to end"))
    return found


def _of(link: Link, code: str, severity: Severity, message: str, remedy: str) -> Finding:
    evidence = {"name": link.name, "address": link.address, **({"errors": list(link.errors)} if link.errors else {})}
    return Finding(code, severity, message, cluster=link.target, link=link.label, remedy=remedy, evidence=evidence)


def _unmatched(link: Link, severity: Severity) -> list[Finding]:
    why = link.why_unmatched or "its source could not be matched by identity"
    what = f"{link.target} has a link {link.name!r} whose source is not known to be the other cluster: {why}"
    remedy = "start the link once so that the server learns its source, or name the links of the pair in `links:`"
    return [_of(link, "link.unknown", severity, what, remedy)]


def _broken(link: Link) -> Finding:
    reason = "; ".join(link.errors) or "it should run and does not"
    remedy = "mend its error, then start it"
    return _of(link, "link.broken", Severity.fail, f"{link.label} is broken: {reason}", remedy)


def _paused(link: Link) -> Finding:
    remedy = "run `replguard resume` when it may run"
    return _of(link, "link.paused", Severity.warn, f"{link.label} is paused", remedy)


def _not_told(link: Link) -> Finding:
    reason = "; ".join(link.errors) or "the server does not tell"
    remedy = "grant the rights to see it, or look at the target's log"
    return _of(link, "link.broken", Severity.unknown, f"the state of {link.label} is not known: {reason}", remedy)


_LOOKS = {LinkState.broken: _broken, LinkState.paused: _paused, LinkState.unknown: _not_told}


def _lag(link: Link, max_lag: float) -> list[Finding]:
    """Of a link that runs: how far behind. Unknown is never zero."""
    if link.lag_seconds is None or isnan(link.lag_seconds):
        remedy = "look at the applier on the target; where it is idle, write something on the source"
        return [_of(link, "link.lagging", Severity.unknown, f"the lag of {link.label} is not known", remedy)]
    if link.lag_seconds > max_lag:
        remedy = "wait until it has caught up, or find what slows the applier"
        what = f"{link.label} is {link.lag_seconds:.0f} s behind"
        return [_of(link, "link.lagging", Severity.fail, what, remedy)]
    return []


def facts(link: Link) -> LinkFacts:
    """The link as a report shows it."""
    return LinkFacts(
        link=link.label,
        name=link.name,
        source=link.source,
        target=link.target,
        state=link.state.value,
        received=link.received.text if link.received else None,
        applied=link.applied.text if link.applied else None,
        lag_seconds=link.lag_seconds,
        errors=link.errors,
        detail=dict(link.detail),
    )
