"""``replguard pause``: every link drained, stopped, verified, with a receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = (
    "Examples: replguard pause --reason CHG-4711; replguard pause --timeout 5m; replguard pause --free-disk blue=20GB"
)


@command
def pause(
    common: Common,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long draining may take.")] = "60s",
    immediate: Annotated[
        bool, typer.Option("--immediate", help="Stop without waiting for what is on its way.")
    ] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; it stands in the receipt.")] = None,
    free_disk: Annotated[
        list[str] | None,
        typer.Option("--free-disk", metavar="CLUSTER=SIZE", help="What is free for a cluster's log, such as 20GB."),
    ] = None,
) -> None:
    """Pause all links, both directions: drained, stopped, verified on the servers, with a receipt.

    What fails or takes too long is put back as it was. Pausing what is paused is no error.
    """
    given = seconds(timeout)
    free = free_disk or []
    run("pause", common, lambda session: _pause(session, given, free, drain=not immediate, reason=reason))


def _pause(session: Session, timeout: float, free_disk: list[str], *, drain: bool, reason: str | None) -> Report:
    from replguard.cli.sizes import by_cluster  # noqa: PLC0415
    from replguard.control.pause import Options  # noqa: PLC0415

    free = by_cluster(free_disk, [endpoint.name for endpoint in session.config.endpoints])
    options = Options(timeout=timeout, drain=drain, reason=reason, show=session.say, free_disk=free)
    report = session.clusters.pause(options)
    if receipt := report.data["receipt"]:
        session.say(f"receipt: {session.clusters.receipt_path}")
        for line in (receipt.get("budget") or {}).get("words", ()):
            session.say(line)
    return report
