"""``replguard report``: the nightly run: gate and diff, stored, and held against the run before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, Format, command
from replguard.cli.places import HISTORY, history_url
from replguard.cli.session import Session, console, run, show

if TYPE_CHECKING:
    from replguard.history.store import History
    from replguard.model.findings import Report

EPILOG = (
    "Examples: replguard report; replguard report --html /var/www/replguard.html --history postgresql://dba@db/ops; "
    "replguard report --notify '${REPLGUARD_NOTIFY}' --notify-when always"
)


class When(StrEnum):
    change = "change"
    always = "always"
    never = "never"


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
    mail: Annotated[
        Path | None, typer.Option("--mail", metavar="FILE", help="Also write the text of a mail, with its subject.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Also write Markdown, as chats show it.")
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            "--notify",
            metavar="URL",
            help="Tell by mail, Slack, Teams, ...: a URL of apprise, ${NAME} is taken from the environment; may be "
            "given again [default: `notify:` of the config].",
        ),
    ] = None,
    notify_when: Annotated[
        When, typer.Option("--notify-when", help="change: where anything is new, resolved or could not be looked at.")
    ] = When.change,
) -> None:
    """Run gate and diff, store the run, and tell what is new, persists or is resolved since the run before."""
    given = {
        "window": seconds(window),
        "settle": seconds(settle),
        "deadline": seconds(deadline),
        "mask": mask,
    }
    wanted = _Wanted(seconds(trace_for), history, html, mail, markdown, tuple(notify or ()), notify_when)
    shown = partial(_show, common=common) if common.format == Format.text else None
    run("report", common, lambda session: _report(session, given, wanted), shown)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is asked for beside the gate."""

    patience: float
    history: str | None
    html: Path | None
    mail: Path | None
    markdown: Path | None
    notify: tuple[str, ...]
    when: When

    def urls(self, session: Session) -> list[str]:
        """Who is to be told. UsageError and ConfigError before any server is asked."""
        if self.when is When.never:
            return []
        from replguard.endpoint import expand  # noqa: PLC0415 - not needed for --help

        urls = [expand(text, "a notification URL") for text in self.notify or session.config.notify]
        if urls:
            from replguard.report import notify  # noqa: PLC0415 - only who sends pays for it

            notify.check(urls)
        return urls

    def check(self) -> None:
        from replguard.cli.wholefile import check_writable  # noqa: PLC0415 - not needed for --help

        for path in (self.html, self.mail, self.markdown):
            if path:
                check_writable(path)


def _report(session: Session, given: dict[str, Any], wanted: _Wanted) -> Report:
    from replguard.cli import checklist  # noqa: PLC0415 - not needed for --help
    from replguard.diff.trace import Tracing  # noqa: PLC0415
    from replguard.gates import base  # noqa: PLC0415
    from replguard.gates.run import asked  # noqa: PLC0415
    from replguard.history.store import History  # noqa: PLC0415
    from replguard.report import nightly  # noqa: PLC0415

    wanted.check()
    urls = wanted.urls(session)
    tracing = Tracing(seconds=wanted.patience) if wanted.patience else None
    options = base.Options(datetime.now(UTC).date(), trace=tracing, **given)
    what = base.Purpose.nightly
    with History(history_url(session, wanted.history)) as kept:
        clusters = session.clusters
        with checklist.following(session, asked(what, options)) as shown:
            found = clusters.gate(what, replace(options, progress=shown.progress), shown.on_check)
        told = nightly.keep(found, kept)
        _write(wanted, told, kept)
    if urls and (wanted.when is When.always or nightly.changed(told)):
        from replguard.report import notify  # noqa: PLC0415

        told = replace(told, checks=(*told.checks, notify.send(told, urls)))
    return told


def _write(wanted: _Wanted, told: Report, kept: History) -> None:
    from replguard.cli.wholefile import write_whole  # noqa: PLC0415 - not needed for --help
    from replguard.model.plain import encodable  # noqa: PLC0415
    from replguard.report import message  # noqa: PLC0415

    if wanted.html:
        write_whole(wanted.html, encodable(_page(told, kept)))
    if wanted.mail:
        write_whole(wanted.mail, encodable(f"Subject: {message.mail(told)}"))
    if wanted.markdown:
        write_whole(wanted.markdown, encodable(message.markdown(told)))


def _page(told: Report, kept: History) -> str:
    from replguard.history.store import pair_of  # noqa: PLC0415 - not needed for --help
    from replguard.report import trend  # noqa: PLC0415
    from replguard.report.document import document  # noqa: PLC0415
    from replguard.report.html import render  # noqa: PLC0415

    points = kept.counts(pair_of(document(told)), trend.RUNS)
    return render(told, [("Trend", trend.draw(points))])


def _show(told: Report, common: Common) -> None:
    show(told, common)
    if "history" in told.data:
        from replguard.report import nightly  # noqa: PLC0415

        console(common).print(nightly.summary(told), markup=False, highlight=False, soft_wrap=True)
