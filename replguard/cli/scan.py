"""``replguard scan``: the judgement of a watch over binlog and relay-log files."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.lines import Lines
from replguard.cli.options import Common, Format, StreamFormat, command
from replguard.cli.session import Session, run
from replguard.errors import ServerError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.api import Clusters
    from replguard.model.findings import Report
    from replguard.policy import Policy
    from replguard.watch.scan import Options

EPILOG = (
    "Examples: replguard scan --must-not-sync EVENT binlog.000001 binlog.000002; "
    "replguard scan --preset zato --filters green.yaml binlog.0000*; "
    "replguard scan -c replguard.yaml green-relay-bin.00001*; "
    "replguard scan --must-not-sync EVENT --since 2026-03-01T12:00 --format jsonl binlog.000007"
)


@command
def scan(  # noqa: PLR0917 - one parameter an option
    common: Common,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Binlog or relay-log files of one server, none left out.")
    ],
    filters: Annotated[
        Path | None,
        typer.Option(
            "--filters",
            metavar="FILE",
            help="The replica's filters: YAML, or what `filter audit --format json` wrote. No server is asked then.",
        ),
    ] = None,
    link: Annotated[
        str | None, typer.Option("--link", metavar="NAME", help="Whose filters to take, where there are several links.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME|FILE:OFFSET|GTIDS", help="Leave out what came before.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME|FILE:OFFSET|GTIDS", help="Leave out what came after.")
    ] = None,
    server_id: Annotated[
        list[int] | None,
        typer.Option("--server-id", metavar="N", help="Only what this server wrote; may be given again."),
    ] = None,
    gtid_domain: Annotated[
        list[int] | None,
        typer.Option("--gtid-domain", metavar="N", help="Only this domain (MariaDB); may be given again."),
    ] = None,
    rows: Annotated[bool, typer.Option("--rows", help="With jsonl: the values of changed rows too.")] = False,
    format: Annotated[  # noqa: A002 - the name of the option
        StreamFormat, typer.Option("--format", help="jsonl: one change or finding a line, as they are read.")
    ] = StreamFormat.text,
) -> None:
    """Tell of every change in log files that must not be replicated, and of what cannot be judged.

    No server and no config is needed: name the tables with --must-not-sync or --preset. Then any replica without
    filters is judged; --filters FILE judges by filters. With -c FILE the policy, the tables and the filters of the link
    are those of the config's clusters, which are asked (with --filters they are not). A relay log shows what its server
    received and has not applied yet: see docs/scanning.md for how that prevents a leak.
    """
    shown = Format.text if format is StreamFormat.text else Format.json
    common = Common(**{**{name: getattr(common, name) for name in Common.__slots__}, "format": shown})
    lines = Lines(rows=rows) if format is StreamFormat.jsonl else None
    part = _Part(since, until, tuple(server_id or ()), tuple(gtid_domain or ()))
    asked = _Asked(tuple(files), filters, link, part, rows, lines)
    run("scan", common, lambda session: _scan(session, asked), lines.close if lines else None)


@dataclass(frozen=True, slots=True)
class _Part:
    """Which part of the files is judged."""

    since: str | None
    until: str | None
    server_ids: tuple[int, ...]
    domains: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for on the command line."""

    files: tuple[Path, ...]
    filters: Path | None
    link: str | None
    part: _Part
    rows: bool
    lines: Lines | None


def _scan(session: Session, asked: _Asked) -> Report:
    from replguard import api  # noqa: PLC0415 - only runs pay for it

    stop = threading.Event()
    with session.progress("scanning") as progress, session.interruptible(stop):
        options = _options(asked, progress, stop.is_set)
        if not _has_clusters(session.common):
            return api.scan(asked.files, _policy(session), options)
        if options.filters is not None:
            return api.scan(asked.files, session.config.policy, options)
        return _by_clusters(session).scan(asked.files, options, asked.link)


def _by_clusters(session: Session) -> Clusters:
    try:
        return session.clusters
    except ServerError as error:
        without = "or name the filters of the link in a file, with --filters FILE: then no server is asked"
        error.remedy = f"{error.remedy}; {without}" if error.remedy else without
        raise


def _has_clusters(common: Common) -> bool:
    """Whether a config is to be used: one is named, or nothing else says what must not sync."""
    if common.config or common.cluster:
        return True
    if common.preset or common.must_not_sync:
        return False
    if not os.environ.get("REPLGUARD_CONFIG") and not Path("replguard.yaml").exists():
        raise UsageError(
            "nothing says which tables must not sync",
            remedy="name them with --must-not-sync GLOB or --preset NAME, or a config with -c FILE",
        )
    return True


def _policy(session: Session) -> Policy:
    from replguard.config import policy_of  # noqa: PLC0415 - pydantic is not needed for --help

    common = session.common
    return policy_of(common.preset, tuple(common.must_not_sync or ()))


def _options(asked: _Asked, progress: Callable[[str, int, int], None], stopped: Callable[[], bool]) -> Options:
    from replguard.watch import described, window  # noqa: PLC0415 - only runs pay for it
    from replguard.watch.scan import Options  # noqa: PLC0415

    part = asked.part
    since, until = (window.moment(text) if text else None for text in (part.since, part.until))
    return Options(
        filters=described.read(asked.filters, asked.link) if asked.filters else None,
        since=None if since else part.since,
        until=None if until else part.until,
        window=window.Window(since, until, frozenset(part.server_ids), frozenset(part.domains)),
        keys=asked.lines is not None,
        rows=asked.rows,
        on_told=asked.lines.tell if asked.lines else lambda _told: None,
        on_progress=progress,
        stopped=stopped,
    )
