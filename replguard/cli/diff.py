"""``replguard diff``: the config tables of both clusters, schema and rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.outputs import Outputs
from replguard.cli.session import Session, run
from replguard.cli.tracing import tracing

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.diff.run import Options
    from replguard.model.findings import Report

EPILOG = "Examples: replguard diff; replguard diff --tables 'account*' --format json; replguard diff --mask"


@command
def diff(
    common: Common,
    *,
    tables: Annotated[str | None, typer.Option("--tables", metavar="GLOB", help="Only these config tables.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Differences listed a table; never changes the verdict.")
    ] = 1000,
    settle: Annotated[
        str, typer.Option("--settle", metavar="TIME", help="How long rows on their way are given to arrive.")
    ] = "30s",
    mask: Annotated[bool, typer.Option("--mask", help="Show lengths and hashes instead of values.")] = False,
    trace: Annotated[
        list[str] | None,
        typer.Option(
            "--trace",
            metavar="WHERE",
            help="Tell who changed differing rows last, by both clusters' streams from there on: start (the oldest "
            "that is there), a duration back from now (2h), a time (ISO 8601), receipt or the path of a receipt, or "
            "CLUSTER=POSITION (may be given again).",
        ),
    ] = None,
    trace_for: Annotated[
        str, typer.Option("--trace-for", metavar="TIME", help="How long --trace may read; never changes the verdict.")
    ] = "60s",
    repair_sql: Annotated[
        Path | None,
        typer.Option(
            "--repair-sql", metavar="FILE", help="Write statements that would put right what differs. Runs none."
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate", metavar="FILE", help="Write that all is identical, where paused links make that certain."
        ),
    ] = None,
    repair: Annotated[
        str | None,
        typer.Option("--repair", metavar="NAME", help="The cluster that --repair-sql changes [default: the second]."),
    ] = None,
) -> None:
    """Compare schema and data of the config tables. Stops nothing, locks nothing, changes nothing."""
    options = partial(_options, tables, limit, seconds(settle), mask)
    patience = seconds(trace_for)
    outputs = Outputs(repair_sql, repair, certificate)
    run("diff", common, lambda session: _diff(session, options, tuple(trace or ()), patience, outputs))


def _options(tables: str | None, limit: int, settle: float, mask: bool) -> Options:
    from replguard.diff.run import Options  # noqa: PLC0415 - not needed for --help

    return Options(datetime.now(UTC).date(), tables, limit, mask, settle)


def _diff(
    session: Session, options: Callable[[], Options], trace: tuple[str, ...], patience: float, outputs: Outputs
) -> Report:
    outputs.check()
    asked = replace(options(), trace=tracing(session, trace, patience))
    clusters = session.clusters
    with session.progress("comparing") as progress:
        return clusters.diff(replace(asked, progress=progress), outputs.repairs, outputs.certificates)
