"""``replguard filter audit``: the policy against the filters as they are set."""

from __future__ import annotations

import typer

from replguard.cli.options import Common, command
from replguard.cli.session import run

app = typer.Typer(
    help="Filters, publications and subscriptions.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@app.callback()
def filters() -> None:
    """Filters, publications and subscriptions."""


@app.command("audit", epilog="Example: replguard filter audit -c replguard.yaml --format json")
@command
def audit(common: Common) -> None:
    """Tell which must_not_sync table would cross a link as it is set, and which config table would not."""
    run("filter audit", common, lambda session: session.clusters.audit())
