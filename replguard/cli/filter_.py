"""``replguard filter audit``: the policy against the filters as they are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

app = typer.Typer(help="Filters, publications and subscriptions.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def filters() -> None:
    """Filters, publications and subscriptions."""


@app.command("audit", epilog="Example: replguard filter audit -c replguard.yaml --format json")
@command
def audit(common: Common) -> None:
    """Tell which must_not_sync table would cross a link as it is set, and which config table would not."""
    run("filter audit", common, _audit)


def _audit(session: Session) -> Report:
    from replguard.audit.filters import audit  # noqa: PLC0415
    from replguard.audit.links import check, facts  # noqa: PLC0415
    from replguard.model.findings import Severity  # noqa: PLC0415

    links, found = session.links()
    pair = session.pair
    rules = {link: pair.server(link.target).filters.of(link, pair.server(str(link.source))) for link in links}
    judged = audit(
        session.tables(),
        rules,
        applier_cascades=pair.first.capabilities.applier_cascades,
        links_wanted=session.config.links != "none",
    )
    state = check(found, session.config, needed=False)
    unknown = tuple(finding for finding in state.findings if finding.severity is Severity.unknown)
    checks = (judged, *((state,) if unknown else ()))
    data = {"filters": {link.label: dict(found.describe()) for link, found in rules.items()}}
    return session.report(checks, links=tuple(map(facts, found)), data=data)
