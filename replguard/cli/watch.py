"""``replguard watch``: both sides' streams, live, against policy and filters."""

from __future__ import annotations

import json
import sys
import threading
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, Format, StreamFormat, command
from replguard.cli.session import Session, run
from replguard.errors import UsageError

if TYPE_CHECKING:
    from replguard.model.changes import Change, Trouble
    from replguard.model.findings import Finding, Report

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
    lines = format is StreamFormat.jsonl
    common = Common(**{**{name: getattr(common, name) for name in Common.__slots__}, "format": shown})
    run("watch", common, lambda session: _watch(session, duration, since, lines=lines), document=not lines)


def _watch(session: Session, duration: float | None, since: str, *, lines: bool) -> Report:
    from replguard.watch.run import Options  # noqa: PLC0415

    if since not in ("now", "start"):
        raise UsageError(f"--since {since!r} is not known", remedy="write --since now or --since start")
    stop = threading.Event()
    options = Options(
        seconds=duration,
        since="start" if since == "start" else "now",
        on_event=_jsonl if lines else _follow(session),
        stopped=stop.is_set,
    )
    clusters = session.clusters
    with session.interruptible(stop):
        return clusters.watch(options)


def _follow(session: Session) -> Any:
    """Tell of each finding as it comes, once a table and kind."""
    told: set[tuple[object, ...]] = set()

    def tell(_cluster: str, _event: Change | Trouble, findings: tuple[Finding, ...]) -> None:
        for finding in findings:
            kind = (finding.code, finding.severity, finding.schema, finding.table, finding.link)
            if kind not in told:
                told.add(kind)
                session.say(f"{finding.severity.value} {finding.code}: {finding.message}")

    return tell


def _jsonl(cluster: str, event: Change | Trouble, findings: tuple[Finding, ...]) -> None:
    from replguard.report.document import plain  # noqa: PLC0415

    lines = [{"type": "change", "cluster": cluster, **_change(event)}]
    lines += [{"type": "finding", **plain(finding)} for finding in findings]
    sys.stdout.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    sys.stdout.flush()


def _change(event: Change | Trouble) -> dict[str, Any]:
    """A change without its values: those may be secrets."""
    from replguard.model.changes import Change  # noqa: PLC0415
    from replguard.report.document import plain  # noqa: PLC0415

    if not isinstance(event, Change):
        position = event.position.text if event.position else None
        return {"operation": event.kind.value, "message": event.message, "position": position}
    return {
        "operation": event.operation.value,
        "tables": [{"schema": name.schema, "table": name.name} for name in event.tables],
        "key": plain(event.key),
        "rows": event.rows,
        "transaction": event.transaction,
        "position": event.position.text,
        "committed_at": plain(event.committed_at),
        "origin": event.origin,
    }
