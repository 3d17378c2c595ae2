"""``replguard watch``: both sides' streams, live, against policy and filters."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, Format, StreamFormat, command
from replguard.cli.session import Session, run
from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.model.findings import Finding, Report
    from replguard.watch.readings import Told

EPILOG = "Examples: replguard watch --for 30s; replguard watch --since start --until-caught-up --format jsonl"


@command
def watch(
    common: Common,
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="How long to watch: 30s, 5m, 1h.")] = None,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Stop at what was the end of the streams when this was called.")
    ] = False,
    since: Annotated[
        str,
        typer.Option("--since", metavar="now|start", help="Begin at the present end, or at the oldest that is there."),
    ] = "now",
    format: Annotated[  # noqa: A002 - the name of the option
        StreamFormat, typer.Option("--format", help="jsonl: one change or finding a line, as they come.")
    ] = StreamFormat.text,
) -> None:
    """Watch what the links carry, live, and tell of every leak. This detects: a row seen may be applied already.

    Without --for and --until-caught-up it goes on until Ctrl-C, and then gives its verdict.
    """
    if for_ and until_caught_up:
        raise typer.BadParameter("--for and --until-caught-up exclude each other")
    duration = seconds(for_) if for_ else None if until_caught_up else float("inf")
    shown = Format.text if format is StreamFormat.text else Format.json
    common = Common(**{**{name: getattr(common, name) for name in Common.__slots__}, "format": shown})
    lines = _Lines(rows=False) if format is StreamFormat.jsonl else None
    show = lines.close if lines else None
    run("watch", common, lambda session: _watch(session, duration, since, lines), show)


def _watch(session: Session, duration: float | None, since: str, lines: _Lines | None) -> Report:
    from replguard.model.changes import Interest  # noqa: PLC0415
    from replguard.watch.run import Options  # noqa: PLC0415
    from replguard.watch.wanted import Appetite  # noqa: PLC0415

    if since not in ("now", "start"):
        raise UsageError(f"--since {since!r} is not known", remedy="write --since now or --since start")
    stop = threading.Event()
    options = Options(
        seconds=duration,
        since="start" if since == "start" else "now",
        on_told=lines.tell if lines else _follow(session),
        appetite=Appetite(config=Interest.keyed, every=True) if lines else Appetite(),
        say=session.say,
        stopped=stop.is_set,
    )
    clusters = session.clusters
    with session.interruptible(stop):
        return clusters.watch(options)


def _follow(session: Session) -> Callable[[Told], None]:
    """Tell of each finding as it comes, once a table and kind."""
    seen: set[tuple[object, ...]] = set()

    def tell(told: Told) -> None:
        for _, finding in told.findings:
            suspected = finding.evidence.get("suspected")
            kind = (finding.code, finding.severity, finding.schema, finding.table, finding.link, suspected)
            if kind not in seen:
                seen.add(kind)
                session.say(f"{finding.severity.value} {finding.code}: {finding.message}")

    return tell


class _Lines:
    """Writes lines of JSON to standard output, and remembers which findings have one."""

    def __init__(self, *, rows: bool) -> None:
        self.rows = rows
        self.told: dict[tuple[object, ...], Finding] = {}

    def tell(self, told: Told) -> None:
        from replguard.report.lines import lines  # noqa: PLC0415 - not needed for --help

        findings = [finding for _, finding in told.findings]
        for item in findings:
            self.told.setdefault((item.code, item.cluster, item.link, item.schema, item.table), item)
        self.write(lines(told.cluster, told.item, findings, rows=self.rows))

    def close(self, report: Report) -> None:
        """What has no line yet, and the verdict."""
        from replguard.report.lines import closing_lines  # noqa: PLC0415

        self.write(closing_lines(report, self.told.values()))

    def write(self, lines: list[str]) -> None:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
