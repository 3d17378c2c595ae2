"""``replguard status``: the links, their state, positions and lag, and how long a pause may last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = "Examples: replguard status; replguard status --metrics /var/lib/node_exporter/replguard.prom"


@command
def status(
    common: Common,
    metrics: Annotated[
        Path | None,
        typer.Option("--metrics", metavar="FILE", help="Also write metrics, for Prometheus' textfile collector."),
    ] = None,
) -> None:
    """Show the links between the clusters: direction, state, positions, lag; of a pause, how long it may last."""
    run("status", common, lambda session: _status(session, metrics))


def _status(session: Session, metrics: Path | None) -> Report:
    report = session.clusters.status()
    if metrics:
        from replguard.cli.wholefile import write_whole  # noqa: PLC0415 - only who asked for it pays for it
        from replguard.report.metrics import metrics as text  # noqa: PLC0415 - likewise

        write_whole(metrics, text(report))
    return report
