"""Links that run although a pause of them holds: somebody or something started them behind replguard's back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.audit.links import between
from replguard.control import receipt
from replguard.errors import ServerError
from replguard.journal import Journal
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from replguard.engines.pair import Pair
    from replguard.model.links import Link

CODE = "pause.ended_by_itself"


def check(folder: Path, links: Iterable[Link]) -> Check | None:
    """Whether the pause that holds by its receipt holds on the servers; None where there is no receipt."""
    held = receipt.load(folder)
    if held is None:
        return None
    found = findings(folder, links)
    words = f"paused since {held['paused_at']} by {held['by']}"
    return Check("status.pause", f"{words}, and ended by itself" if found else words, found)


def look(pair: Pair, folder: Path) -> tuple[Finding, ...]:
    """The same for whoever looks again and again: what the servers say now, nothing where they do not answer."""
    if receipt.load(folder) is None:
        return ()
    try:
        return findings(folder, between(pair.links(), (pair.first.name, pair.second.name)))
    except ServerError:
        return ()


def findings(folder: Path, links: Iterable[Link]) -> tuple[Finding, ...]:
    """One for each link of the receipt that runs, or ran meanwhile. A resume that died half-way is no such thing."""
    held = receipt.load(folder)
    if held is None or Journal(folder).unfinished("resume"):
        return ()
    named = {(entry["target"], entry["name"]) for entry in held["links"]}
    ours = [link for link in links if (link.target, link.name) in named]
    return tuple(_ended(link, held, why) for link in ours if (why := _why(link, held)))


def _why(link: Link, held: Mapping[str, Any]) -> str | None:
    if link.state is LinkState.running:
        return "it runs"
    if link.state is LinkState.broken and not link.errors:
        return "half of it runs"
    moved = receipt.moved(link, held)
    return f"it ran meanwhile: {moved}" if moved else None


def _ended(link: Link, held: Mapping[str, Any], why: str) -> Finding:
    return Finding(
        CODE,
        Severity.fail,
        f"{link.label} was paused at {held['paused_at']} by {held['by']} and not resumed with replguard, but {why}",
        cluster=link.target,
        link=link.label,
        remedy="find out what started it; then `replguard pause` stops it again, and `replguard resume` ends the pause",
        evidence={"paused_at": held["paused_at"], "by": held["by"], "reason": held.get("reason")},
    )
