"""``replguard report``: the nightly run: gate and diff, stored, and held against the run before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, Format, command
from replguard.cli.places import HISTORY, history_url
from replguard.cli.session import Session, console, run, show

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = "Examples: replguard report; replguard report --html /var/www/replguard.html --history postgresql://dba@db/ops"


@command
def report(
    common: Common,
    *,
    window: Annotated[str, typer.Option("--window", metavar="TIME", help="How long the streams are watched.")] = "5s",
    settle: Annotated[
        str,
        typer.Option("--until", "--settle", metavar="TIME", help="How long rows that move are given to come to rest."),
    ] = "30s",
    deadline: Annotated[
        str, typer.Option("--deadline", metavar="TIME", help="The longest that a check may take beyond its own time.")
    ] = "60s",
    trace_for: Annotated[
        str,
        typer.Option("--trace-for", metavar="TIME", help="How long streams may be read for who changed what; 0s: not."),
    ] = "60s",
    mask: Annotated[bool, typer.Option("--mask", help="Show lengths and hashes instead of values.")] = False,
    history: HISTORY = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page, with the trend of the last runs.")
    ] = None,
) -> None:
    """Run gate and diff, store the run, and tell what is new, persists or is resolved since the run before."""
    given = {
        "window": seconds(window),
        "settle": seconds(settle),
        "deadline": seconds(deadline),
        "mask": mask,
    }
    patience = seconds(trace_for)
    shown = partial(_show, common=common) if common.format == Format.text else None
    run("report", common, lambda session: _report(session, given, patience, history, html), shown)


def _report(session: Session, given: dict[str, Any], patience: float, history: str | None, html: Path | None) -> Report:
    from replguard.cli import checklist  # noqa: PLC0415 - not needed for --help
    from replguard.cli.wholefile import check_writable  # noqa: PLC0415
    from replguard.diff.trace import Tracing  # noqa: PLC0415
    from replguard.gates import base  # noqa: PLC0415
    from replguard.gates.run import asked  # noqa: PLC0415
    from replguard.history.store import History  # noqa: PLC0415
    from replguard.report import nightly  # noqa: PLC0415

    if html:
        check_writable(html)
    tracing = Tracing(seconds=patience) if patience else None
    options = base.Options(datetime.now(UTC).date(), trace=tracing, **given)
    what = base.Purpose.nightly
    with History(history_url(session, history)) as kept:
        clusters = session.clusters
        with checklist.following(session, asked(what, options)) as shown:
            found = clusters.gate(what, replace(options, progress=shown.progress), shown.on_check)
        told = nightly.keep(found, kept)
        if html:
            _page(html, told, kept)
    return told


def _page(path: Path, told: Report, kept: Any) -> None:
    from replguard.cli.wholefile import write_whole  # noqa: PLC0415
    from replguard.history.store import pair_of  # noqa: PLC0415
    from replguard.model.plain import encodable  # noqa: PLC0415
    from replguard.report import trend  # noqa: PLC0415
    from replguard.report.document import document  # noqa: PLC0415
    from replguard.report.html import render  # noqa: PLC0415

    points = kept.counts(pair_of(document(told)), trend.RUNS)
    write_whole(path, encodable(render(told, [("Trend", trend.draw(points))])))


def _show(told: Report, common: Common) -> None:
    show(told, common)
    if "history" in told.data:
        from replguard.report import nightly  # noqa: PLC0415

        console(common).print(nightly.summary(told), markup=False, highlight=False, soft_wrap=True)
