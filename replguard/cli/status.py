"""``replguard status``: the links, their state, positions and lag."""

from __future__ import annotations

from replguard.cli.options import Common, command
from replguard.cli.session import run

EPILOG = "Example: replguard status -c replguard.yaml"


@command
def status(common: Common) -> None:
    """Show the links between the clusters: direction, state, positions, lag."""
    run("status", common, lambda session: session.clusters.status())
