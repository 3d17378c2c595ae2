"""``replguard report``: the nightly run: gate and diff, stored, and held against the run before."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
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
from replguard.cli.telling import VARIABLE, Telling, When
from replguard.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.history.store import History
    from replguard.model.findings import Report

EPILOG = (
    "Examples: replguard report; replguard report --html /var/www/replguard.html --history postgresql://dba@db/ops; "
    "replguard report --notify 'mailtos://${MAIL_USER}:${MAIL_PASSWORD}@example.org?to=dba@example.org'"
)


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
        Path | None, typer.Option("--mail", metavar="FILE", help="Also write text for a mail; - instead of the report.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="FILE", help="Also write Markdown for chat; - instead of the report."),
    ] = None,
    notify: Annotated[
        list[str] | None,
        typer.Option(
            "--notify",
            metavar="URL",
            help="Send it to this apprise URL (mailtos://, slack://, msteams://, ...), may be given again; ${NAME} is "
            f"taken from the environment [default: ${VARIABLE}, else `notify:` of the config].",
        ),
    ] = None,
    notify_when: Annotated[
        When, typer.Option("--notify-when", help="change: something is new or resolved, or the verdict is another.")
    ] = When.change,
) -> None:
    """Run gate and diff, store the run, and tell what is new, persists or is resolved since the run before."""
    given = {
        "window": seconds(window),
        "settle": seconds(settle),
        "deadline": seconds(deadline),
        "mask": mask,
    }
    patience = seconds(trace_for)
    telling = Telling(html, mail, markdown, tuple(notify or ()), notify_when)
    shown = (telling.printed or partial(_show, common=common)) if common.format == Format.text else None
    run("report", common, lambda session: _report(session, given, patience, history, telling), shown)


def _report(session: Session, given: dict[str, Any], patience: float, history: str | None, telling: Telling) -> Report:
    from replguard.report import nightly  # noqa: PLC0415 - not needed for --help

    telling.check(json=session.common.format is Format.json)
    urls = telling.urls(session)
    with _opened(history_url(session, history)) as kept:
        scope = nightly.scope(session.config, masked=given["mask"])
        found = nightly.of(_looked(session, given, patience), scope)
        return telling.tell(nightly.keep(found, kept), urls, None if isinstance(kept, ServerError) else kept)


@contextmanager
def _opened(url: str) -> Iterator[History | ServerError]:
    """The history, or why it cannot be used: what the servers say tonight is worth telling without it."""
    from replguard.history.store import History  # noqa: PLC0415 - not needed for --help

    with ExitStack() as stack:
        try:
            kept: History | ServerError = stack.enter_context(History(url))
        except ServerError as error:
            kept = error
        yield kept


def _looked(session: Session, given: dict[str, Any], patience: float) -> Report:
    """What the gate says; where it cannot even begin, that is what the night has to tell."""
    from replguard.cli import checklist  # noqa: PLC0415 - not needed for --help
    from replguard.diff.trace import Tracing  # noqa: PLC0415
    from replguard.gates import base  # noqa: PLC0415
    from replguard.gates.run import asked  # noqa: PLC0415

    tracing = Tracing(seconds=patience) if patience else None
    options = base.Options(datetime.now(UTC).date(), trace=tracing, **given)
    what = base.Purpose.nightly
    try:
        clusters = session.clusters
        with checklist.following(session, asked(what, options)) as shown:
            return clusters.gate(what, replace(options, progress=shown.progress), shown.on_check)
    except ServerError as error:
        return session.failure(error)


def _show(told: Report, common: Common) -> None:
    show(told, common)
    if "history" in told.data:
        from replguard.report import nightly  # noqa: PLC0415

        console(common).print(nightly.summary(told), markup=False, highlight=False, soft_wrap=True)
