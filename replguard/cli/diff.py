"""``replguard diff``: the config tables of both clusters, schema and rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = "Examples: replguard diff; replguard diff --tables 'account*' --format json; replguard diff --mask"


@command
def diff(
    common: Common,
    tables: Annotated[str | None, typer.Option("--tables", metavar="GLOB", help="Only these config tables.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Differences listed a table; never changes the verdict.")
    ] = 1000,
    settle: Annotated[
        str, typer.Option("--settle", metavar="TIME", help="How long rows on their way are given to arrive.")
    ] = "30s",
    mask: Annotated[bool, typer.Option("--mask", help="Show lengths and hashes instead of values.")] = False,
) -> None:
    """Compare schema and data of the config tables. Stops nothing, locks nothing, changes nothing."""
    given = seconds(settle)
    run("diff", common, lambda session: _diff(session, tables, limit, given, mask=mask))


def _diff(session: Session, tables: str | None, limit: int, settle: float, *, mask: bool) -> Report:
    from replguard.diff.run import Options  # noqa: PLC0415

    clusters = session.clusters
    with session.progress("comparing") as progress:
        return clusters.diff(Options(datetime.now(UTC).date(), tables, limit, mask, settle, progress))
