"""``replguard resume``: every link started again and seen to carry data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = "Example: replguard resume -c replguard.yaml"


@command
def resume(
    common: Common,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long catching up may take.")] = "60s",
) -> None:
    """Resume all links, both directions, and verify that data flows. Resuming what runs is no error."""
    given = seconds(timeout)
    run("resume", common, lambda session: _resume(session, given))


def _resume(session: Session, timeout: float) -> Report:
    from replguard.control.pause import Options  # noqa: PLC0415

    return session.clusters.resume(Options(timeout=timeout, show=session.say))
