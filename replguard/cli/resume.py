"""``replguard resume``: every link started again, where nothing speaks against it, and seen to carry data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperCommand

from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from typing import Any

    from replguard.control.resume import Options
    from replguard.model.findings import Report

EPILOG = (
    "Examples: replguard resume; replguard resume --accept-changes; replguard resume --accept-changes=blue; "
    "replguard resume --format json"
)
_ACCEPT = "--accept-changes"


class COMMAND(TyperCommand):
    """An option whose value may be left out: ``--accept-changes`` alone is one with an empty value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f"{word}=" if word == _ACCEPT else word for word in args])


@command
def resume(
    common: Common,
    *,
    timeout: Annotated[str, typer.Option("--timeout", metavar="TIME", help="How long catching up may take.")] = "60s",
    accept_changes: Annotated[
        str | None,
        typer.Option(
            _ACCEPT,
            metavar="[=NAME]",
            help="Start although config tables changed meanwhile, on one side; with =NAME also where both sides "
            "changed the same row: that cluster wins, and what this means for the other is written, not run.",
        ),
    ] = None,
    accept_unknown: Annotated[
        bool, typer.Option("--accept-unknown", help="Start although something could not be judged.")
    ] = False,
    accept_upgrade: Annotated[
        bool,
        typer.Option(
            "--accept-upgrade", help="Start although schema, versions or identities of servers are not what they were."
        ),
    ] = False,
) -> None:
    """Resume all links, both directions, and verify that data flows. Resuming what runs is no error.

    Nothing is started where a link does not find what it needs next, config tables changed since the pause, the filters
    would leak, schema, versions or servers are not what they were, or any of this cannot be judged.
    """
    asked = _Asked(seconds(timeout), accept_changes, accept_unknown, accept_upgrade)
    run("resume", common, lambda session: _resume(session, asked))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the options say; nothing that they mean is imported before the command runs."""

    timeout: float
    accept_changes: str | None
    accept_unknown: bool
    accept_upgrade: bool

    def options(self, session: Session) -> Options:
        from replguard.control.resume import Options  # noqa: PLC0415
        from replguard.errors import UsageError  # noqa: PLC0415

        winner = self.accept_changes or None
        names = [endpoint.name for endpoint in session.config.endpoints]
        if winner is not None and winner not in names:
            raise UsageError(f"there is no cluster {winner!r} that could win", remedy=f"name {' or '.join(names)}")
        return Options(
            timeout=self.timeout,
            show=session.say,
            accept_changes=self.accept_changes is not None,
            winner=winner,
            accept_unknown=self.accept_unknown,
            accept_upgrade=self.accept_upgrade,
        )


def _resume(session: Session, asked: _Asked) -> Report:
    options = asked.options(session)
    return session.clusters.resume(options)
