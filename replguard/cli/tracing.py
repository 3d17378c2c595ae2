"""``--trace``: from where on streams are read for who changed rows last, as a user writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from replguard.cli.durations import seconds
from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.cli.session import Session
    from replguard.diff.trace import Tracing

OPTION = "--trace"
FORMS = "start, a duration as 2h, receipt, the path of a receipt, a time as 2026-03-01T12:00:00+01:00, CLUSTER=POSITION"


def refuse_nonsense(texts: Sequence[str]) -> None:
    """UsageError for what can be no place to begin at, before any server is asked."""
    from replguard.watch import moments  # noqa: PLC0415 - not needed for --help

    if "now" in (text.strip() for text in texts):
        raise UsageError(f"{OPTION} now reads nothing", remedy=f"write one of: {FORMS}")
    try:
        moments.refuse_nonsense(OPTION, [text for text in texts if duration(text) is None])
    except UsageError as error:
        raise UsageError(error.message, remedy=f"write one of: {FORMS}") from None


def tracing(session: Session, texts: Sequence[str], patience: float) -> Tracing | None:
    """What was asked for; None for nothing. Raises UsageError."""
    from replguard.diff.trace import Tracing  # noqa: PLC0415 - not needed for --help
    from replguard.watch import moments  # noqa: PLC0415

    if not texts:
        return None
    refuse_nonsense(texts)
    clusters = session.clusters
    names = [server.name for server in clusters.pair]
    since, begins = moments.beginning([_time(text) for text in texts], clusters.pair, names, clusters.receipt, OPTION)
    if since == "now":
        raise UsageError(f"{OPTION} now reads nothing", remedy=f"write one of: {FORMS}")
    return Tracing(since, begins, patience)


def duration(text: str) -> float | None:
    """Seconds of a duration with its unit; None for anything else.

    >>> duration("2h"), duration("0-1-7"), duration("7")
    (7200.0, None, None)
    """
    try:
        return seconds(text) if text.strip()[-1:].isalpha() else None
    except typer.BadParameter:
        return None


def _time(text: str) -> str:
    """A duration back from now as the time that was then."""
    back = duration(text)
    return text if back is None else (datetime.now(UTC) - timedelta(seconds=back)).isoformat()
