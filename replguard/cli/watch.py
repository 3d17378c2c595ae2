"""``replguard watch``: both sides' streams, live, against policy and filters."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.lines import Lines
from replguard.cli.options import Common, Format, StreamFormat, command
from replguard.cli.session import Session, run
from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from replguard.model.findings import Report
    from replguard.watch.options import Options
    from replguard.watch.progress import Progress
    from replguard.watch.readings import Told
    from replguard.watch.wanted import Appetite

EPILOG = """Examples:

replguard watch --for 30s

replguard watch --since start --until-caught-up --format jsonl

replguard watch --on-leak pause --yes --checkpoint guard

replguard watch --freeze --since receipt --until-caught-up

replguard watch --since blue=0-1-270 --until blue=0-1-300

replguard watch --pending

--on-leak pause detects, it does not prevent: the change that was seen may be applied already. What prevents is a filter
(`replguard filter audit`), or a delayed or stopped applier whose relay log `replguard scan` reads first.
"""


class OnLeak(StrEnum):
    tell = "tell"
    pause = "pause"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, as it was written."""

    duration: float | None
    since: tuple[str, ...]
    until: tuple[str, ...]
    server_ids: frozenset[int]
    domains: frozenset[int]
    freeze: bool
    publication: bool
    pause: bool
    checkpoint: str | None
    patience: float
    rows: bool


@command
def watch(
    common: Common,
    *,
    for_: Annotated[str | None, typer.Option("--for", metavar="TIME", help="How long to watch: 30s, 5m, 1h.")] = None,
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Stop at what was the end of the streams when this was called.")
    ] = False,
    since: Annotated[
        list[str] | None,
        typer.Option(
            "--since",
            metavar="WHERE",
            help="Where to begin: now (the present end, the default), start (the oldest that is there), a time (ISO "
            "8601), receipt or the path of a receipt (where both sides stood when the links were paused), or "
            "CLUSTER=POSITION (GTIDs, file:offset or LSN; may be given again).",
        ),
    ] = None,
    until: Annotated[
        list[str] | None,
        typer.Option(
            "--until", metavar="WHERE", help="Where to end: a time, or CLUSTER=POSITION (may be given again)."
        ),
    ] = None,
    server_id: Annotated[
        list[int] | None,
        typer.Option("--server-id", metavar="N", help="Judge only what this server wrote; may be given again."),
    ] = None,
    gtid_domain: Annotated[
        list[int] | None,
        typer.Option("--gtid-domain", metavar="N", help="Judge only this GTID domain (MariaDB); may be given again."),
    ] = None,
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Tell of every change of a config table, on either side, as a failure.")
    ] = False,
    publication: Annotated[
        bool,
        typer.Option(
            "--publication",
            help="PostgreSQL without test_decoding: make a publication of inserts and truncates on the target, to see "
            "what was applied; it is dropped at the end.",
        ),
    ] = False,
    pending: Annotated[
        bool,
        typer.Option("--pending", help="Show what waits in the links, as a resume would apply it; nothing is moved."),
    ] = False,
    on_leak: Annotated[
        OnLeak,
        typer.Option("--on-leak", help="pause: stop the link of a leak at once. The row seen may be applied already."),
    ] = OnLeak.tell,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before --on-leak pause or --publication.")] = False,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            "--checkpoint",
            metavar="NAME",
            help="Remember under this name how far was read, and go on from there when called with it again.",
        ),
    ] = None,
    patience: Annotated[
        str, typer.Option("--patience", metavar="TIME", help="How long a server may stay away before it is given up.")
    ] = "60s",
    rows: Annotated[
        bool, typer.Option("--rows", help="With --format jsonl: the values of rows too. They may be secrets.")
    ] = False,
    format: Annotated[  # noqa: A002 - the name of the option
        StreamFormat, typer.Option("--format", help="jsonl: one change or finding a line, as they come.")
    ] = StreamFormat.text,
) -> None:
    """Watch what the links carry, live, and tell of every leak. This detects: a row seen may be applied already.

    Without --for, --until and --until-caught-up it goes on until Ctrl-C, and then gives its verdict.
    """
    _refuse(
        (bool(for_ and until_caught_up), "--for and --until-caught-up exclude each other"),
        (bool(until and (for_ or until_caught_up)), "--until excludes --for and --until-caught-up"),
        (rows and format is not StreamFormat.jsonl, "--rows goes with --format jsonl"),
        (
            pending and bool(for_ or until or since or freeze or checkpoint or on_leak is OnLeak.pause),
            "--pending takes no --for, --since, --until, --freeze, --checkpoint and no --on-leak",
        ),
        (on_leak is OnLeak.pause and not yes and not sys.stdin.isatty(), "--on-leak pause may stop links: add --yes"),
        (publication and not yes and not sys.stdin.isatty(), "--publication makes one on a server: add --yes"),
    )
    duration = seconds(for_) if for_ else None if until_caught_up else float("inf")
    asked = _Asked(
        duration=duration,
        since=tuple(since or ["now"]),
        until=tuple(until or ()),
        server_ids=frozenset(server_id or ()),
        domains=frozenset(gtid_domain or ()),
        freeze=freeze,
        publication=publication,
        pause=on_leak is OnLeak.pause,
        checkpoint=checkpoint,
        patience=seconds(patience),
        rows=rows,
    )
    shown = Format.text if format is StreamFormat.text else Format.json
    common = replace(common, format=shown)
    lines = Lines(rows=rows) if format is StreamFormat.jsonl else None
    body = _pending if pending else _watch
    if not pending and (asked.pause or asked.publication) and not yes:
        body = _confirmed
    run("watch", common, lambda session: body(session, asked, lines), lines.close if lines else None)


def _refuse(*rules: tuple[bool, str]) -> None:
    for wrong, words in rules:
        if wrong:
            raise typer.BadParameter(words)


def _watch(session: Session, asked: _Asked, lines: Lines | None) -> Report:
    from replguard.watch import moments  # noqa: PLC0415 - not needed for --help

    moments.refuse_nonsense("--since", asked.since)
    moments.refuse_nonsense("--until", asked.until)
    stop = threading.Event()
    clusters = session.clusters
    options = _options(session, asked, lines)
    with session.interruptible(stop), _seen(session, lines) as tell:
        return clusters.watch(replace(options, stopped=stop.is_set, on_progress=tell))


def _seen(session: Session, lines: Lines | None) -> AbstractContextManager[Callable[[Progress], None]]:
    """Whoever looks on sees how it goes; findings are printed above the view. Lines on a terminal are view enough."""
    from replguard.cli.live import following  # noqa: PLC0415 - not needed for --help

    live = sys.stderr.isatty() and not (lines and sys.stdout.isatty())
    return following(session.errors, quiet=session.common.quiet, live=live)


def _confirmed(session: Session, asked: _Asked, lines: Lines | None) -> Report:
    """Ask on a terminal, having shown what a leak would make it run."""
    ours, _ = session.clusters.links()
    lines_shown = [f"on a leak: {line}" for line in session.clusters.breaker().preview(ours) if asked.pause]
    if asked.publication:
        lines_shown.append("where there is no test_decoding: CREATE PUBLICATION replguard_..., dropped at the end")
    for line in lines_shown:
        session.errors.print(line, markup=False, highlight=False, soft_wrap=True)
    if not typer.confirm("May this be run?", err=True):
        raise UsageError("nothing was done", remedy="watch without --on-leak pause and --publication, or say yes")
    return _watch(session, asked, lines)


def _pending(session: Session, asked: _Asked, lines: Lines | None) -> Report:
    from replguard.watch.options import Options  # noqa: PLC0415 - not needed for --help

    stop = threading.Event()
    options = replace(Options(), appetite=_appetite(asked, lines), on_told=lines.tell if lines else _silent)
    with session.interruptible(stop):
        return session.clusters.pending(replace(options, stopped=stop.is_set))


def _silent(_told: Told) -> None:
    """The report tells it."""


def _options(session: Session, asked: _Asked, lines: Lines | None) -> Options:
    from replguard.watch import moments  # noqa: PLC0415 - not needed for --help
    from replguard.watch.options import Options  # noqa: PLC0415
    from replguard.watch.window import Window  # noqa: PLC0415

    clusters = session.clusters
    read = moments.clusters_read(clusters.pair, clusters.links()[0], freeze=asked.freeze)
    since, begins = moments.beginning(asked.since, clusters.pair, read, clusters.receipt)
    until, ends = moments.ending(asked.until, clusters.pair, read)
    return Options(
        seconds=_seconds_to(ends) if ends else asked.duration,
        since=since,
        until=until,
        window=Window(begins, ends, asked.server_ids, asked.domains),
        freeze=asked.freeze,
        publish=asked.publication,
        appetite=_appetite(asked, lines),
        patience=asked.patience,
        checkpoint=clusters.checkpoint(asked.checkpoint) if asked.checkpoint else None,
        breaker=clusters.breaker(session.say) if asked.pause else None,
        on_told=lines.tell if lines else _follow(session),
        say=session.say,
    )


def _seconds_to(moment: datetime) -> float:
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _appetite(asked: _Asked, lines: Lines | None) -> Appetite:
    from replguard.model.changes import Interest  # noqa: PLC0415 - not needed for --help
    from replguard.watch.wanted import Appetite  # noqa: PLC0415

    config = Interest.keyed if lines or asked.freeze else Interest.counted
    return Appetite(config, rows=asked.rows, every=lines is not None, freeze=asked.freeze)


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
