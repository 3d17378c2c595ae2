"""``replguard diff``: the config tables of both clusters, schema and rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.comparing import bar
from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.outputs import Outputs
from replguard.cli.session import Session, run
from replguard.cli.tracing import tracing

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.diff.progress import Progress
    from replguard.diff.run import Options
    from replguard.model.findings import Report

EPILOG = (
    "Examples: replguard diff; replguard diff --tables 'account*' --format json; replguard diff --until 2m --mask; "
    "replguard diff --resume"
)


@command
def diff(
    common: Common,
    *,
    tables: Annotated[str | None, typer.Option("--tables", metavar="GLOB", help="Only these config tables.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, metavar="N", help="Differences listed a table; never changes the verdict.")
    ] = 1000,
    until: Annotated[
        str,
        typer.Option("--until", "--settle", metavar="TIME", help="How long rows that move are given to come to rest."),
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
    self_test: Annotated[
        bool,
        typer.Option(
            "--self-test", help="Also plant differences into temporary copies, and fail unless all are found."
        ),
    ] = False,
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
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the comparison of this pair that was interrupted.")
    ] = False,
    max_lag: Annotated[
        str, typer.Option("--max-lag", metavar="TIME", help="Wait while a link lags more than this behind; 0: never.")
    ] = "60s",
    max_running: Annotated[
        int,
        typer.Option("--max-running", min=0, metavar="N", help="Wait while more statements run on a server; 0: never."),
    ] = 64,
    patience: Annotated[
        str, typer.Option("--patience", metavar="TIME", help="How long to wait for busy servers before giving up.")
    ] = "5m",
    statement_timeout: Annotated[
        str, typer.Option("--statement-timeout", metavar="TIME", help="How long one statement may take; 0: no limit.")
    ] = "10m",
    snapshot_age: Annotated[
        str, typer.Option("--snapshot-age", metavar="TIME", help="Take new snapshots after this; 0: never.")
    ] = "15m",
) -> None:
    """Compare schema and data of the config tables. Stops nothing, locks nothing, changes nothing."""
    limits = (seconds(max_lag), max_running, seconds(patience))
    times = (seconds(until), seconds(statement_timeout), seconds(snapshot_age))
    asked = _Asked(tables, limit, mask, resume, limits, times, tuple(trace or ()), seconds(trace_for))
    outputs = Outputs(repair_sql, repair, certificate, self_test)
    run("diff", common, lambda session: _diff(session, asked, outputs))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the options say; nothing that they mean is imported before the command runs."""

    tables: str | None
    limit: int
    mask: bool
    resume: bool
    limits: tuple[float, int, float]
    times: tuple[float, float, float]
    trace: tuple[str, ...]
    trace_for: float

    def options(self, session: Session, progress: Callable[[Progress], None]) -> Options:
        from replguard.diff.run import Options  # noqa: PLC0415 - not needed for --help
        from replguard.diff.throttle import Limits  # noqa: PLC0415

        lag, running, patience = self.limits
        settle, statement, age = self.times
        return Options(
            today=datetime.now(UTC).date(),
            tables=self.tables,
            limit=self.limit,
            mask=self.mask,
            settle=settle,
            progress=progress,
            trace=tracing(session, self.trace, self.trace_for),
            statement_timeout=statement or None,
            snapshot_age=age or None,
            limits=Limits(lag or None, running or None, patience),
            resume=self.resume,
            say=session.say,
        )


def _diff(session: Session, asked: _Asked, outputs: Outputs) -> Report:
    outputs.check()
    clusters = session.clusters
    with bar(session) as progress:
        options = asked.options(session, progress)
        return clusters.diff(options, outputs.repairs, outputs.certificates, self_test=outputs.self_test)
