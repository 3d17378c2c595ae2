"""``replguard gate``: every check, one verdict."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.comparing import bar
from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.gates.base import Gate, Outcome
    from replguard.model.findings import Report

EPILOG = "Examples: replguard gate; replguard gate --for cutover --format json; replguard gate --window 30s"


class Purpose(StrEnum):
    setup = "setup"
    nightly = "nightly"
    switchover = "switchover"
    cutover = "cutover"


@command
def gate(
    common: Common,
    for_: Annotated[
        Purpose, typer.Option("--for", help="cutover: links must be paused and the comparison exact.")
    ] = Purpose.nightly,
    window: Annotated[str, typer.Option("--window", metavar="TIME", help="How long the streams are watched.")] = "5s",
    settle: Annotated[
        str,
        typer.Option("--until", "--settle", metavar="TIME", help="How long rows that move are given to come to rest."),
    ] = "30s",
    mask: Annotated[bool, typer.Option("--mask", help="Show lengths and hashes instead of values.")] = False,
) -> None:
    """Run every check and give one verdict: may we switch? Stops nothing, changes nothing."""
    times = (seconds(window), seconds(settle))
    run("gate", common, lambda session: _gate(session, for_, times, mask=mask))


def _gate(session: Session, purpose: Purpose, times: tuple[float, float], *, mask: bool) -> Report:
    from replguard.gates import base  # noqa: PLC0415

    clusters = session.clusters
    with bar(session) as progress:
        options = base.Options(datetime.now(UTC).date(), *times, mask, progress)
        return clusters.gate(base.Purpose(purpose.value), options, lambda gate, done: _tell(session, gate, done))


def _tell(session: Session, gate: Gate, done: Outcome | None) -> None:
    """The checklist, as it is worked through."""
    if done is None:
        session.say(f"... {gate.title}")
    else:
        worst = [check.verdict.value for check in done.checks]
        session.say(f"    {', '.join(sorted(set(worst)))}")
