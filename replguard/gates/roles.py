"""Which cluster serves and which waits: as the user said, else as the one link between them says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.errors import UsageError
from replguard.gates.base import Roles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.model.links import Link


def roles(names: tuple[str, str], links: Iterable[Link], to: str | None, active: str | None) -> Roles:
    """``to`` is the cluster that traffic is to be moved to, ``active`` the one that the config says serves now.

    UsageError for a name that is none of the two, or where both name the same cluster.
    """
    for name, place in ((to, "--to"), (active, "gate.active in the config")):
        if name is not None and name not in names:
            raise UsageError(
                f"{place} names {name!r}, which is none of the clusters", remedy=f"name {' or '.join(names)}"
            )
    other = dict(zip(names, reversed(names), strict=True))
    if to and to == active:
        raise UsageError(
            f"{to!r} is active already, as gate.active in the config says",
            remedy=f"give --to {other[to]}, or correct gate.active in the config",
        )
    if to:
        return Roles(other[to], to, f"--to {to}")
    if active:
        return Roles(active, other[active], "gate.active in the config")
    ways = {(link.source, link.target) for link in links}
    if len(ways) == 1:
        ((source, target),) = ways
        return Roles(source, target, f"the only link leads from {source} to {target}")
    why = "both replicate to one another" if ways else "no link joins them"
    return Roles(None, None, f"{why}: name the active one in the config (gate.active), or give --to")
