"""``replguard gate``: every check, one verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = (
    "Examples: replguard gate; replguard gate --for switchover --to green; replguard gate --for cutover --to green "
    "--format json; replguard gate --window 30s"
)


class Purpose(StrEnum):
    setup = "setup"
    nightly = "nightly"
    switchover = "switchover"
    cutover = "cutover"


@command
def gate(
    common: Common,
    *,
    for_: Annotated[
        Purpose,
        typer.Option(
            "--for", help="switchover: before the pause; cutover: after it, links paused and the comparison exact."
        ),
    ] = Purpose.nightly,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="CLUSTER", help="Where traffic is to be moved [default: the target of the link]."),
    ] = None,
    window: Annotated[str, typer.Option("--window", metavar="TIME", help="How long the streams are watched.")] = "5s",
    settle: Annotated[
        str,
        typer.Option("--until", "--settle", metavar="TIME", help="How long rows that move are given to come to rest."),
    ] = "30s",
    deadline: Annotated[
        str, typer.Option("--deadline", metavar="TIME", help="The longest that a check may take beyond its own time.")
    ] = "60s",
    mask: Annotated[bool, typer.Option("--mask", help="Show lengths and hashes instead of values.")] = False,
) -> None:
    """Run every check and give one verdict: may we switch? Stops nothing, changes nothing."""
    given = {
        "to": to,
        "window": seconds(window),
        "settle": seconds(settle),
        "deadline": seconds(deadline),
        "mask": mask,
    }
    run("gate", common, lambda session: _gate(session, for_, given))


def _gate(session: Session, purpose: Purpose, given: dict[str, Any]) -> Report:
    from replguard.cli import checklist  # noqa: PLC0415 - not needed for --help
    from replguard.gates import base  # noqa: PLC0415
    from replguard.gates.run import asked  # noqa: PLC0415

    clusters = session.clusters
    options = base.Options(datetime.now(UTC).date(), **given)
    wanted = base.Purpose(purpose.value)
    with checklist.following(session, asked(wanted, options)) as shown:
        return clusters.gate(wanted, replace(options, progress=shown.progress), shown.on_check)
