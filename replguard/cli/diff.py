"""``replguard diff``: the config tables of both clusters, schema and rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = "Examples: replguard diff; replguard diff --tables 'account*' --format json; replguard diff --mask"


@command
def diff(
    common: Common,
    tables: Annotated[str | None, typer.Option("--tables", metavar="GLOB", help="Only these config tables.")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Differences listed a table; never changes the verdict.")
    ] = 1000,
    settle: Annotated[
        str, typer.Option("--settle", metavar="TIME", help="How long rows on their way are given to arrive.")
    ] = "30s",
    mask: Annotated[bool, typer.Option("--mask", help="Show lengths and hashes instead of values.")] = False,
) -> None:
    """Compare schema and data of the config tables. Stops nothing, locks nothing, changes nothing."""
    given = seconds(settle)
    run("diff", common, lambda session: _diff(session, tables, limit, given, mask=mask))


def _diff(session: Session, tables: str | None, limit: int, settle: float, *, mask: bool) -> Report:
    from replguard.audit import links as audit_links  # noqa: PLC0415
    from replguard.audit.filters import unclassified  # noqa: PLC0415
    from replguard.diff.run import Options, diff  # noqa: PLC0415
    from replguard.model.findings import Check, Severity  # noqa: PLC0415

    known = session.tables()
    links, found = session.links()
    with session.progress("comparing") as progress:
        options = Options(datetime.now(UTC).date(), tables, limit, mask, settle, progress)
        compared = diff(session.pair, known, links, options)
    state = audit_links.check(found, session.config, needed=False)
    told = tuple(item for item in state.findings if item.code == "link.missing" or item.severity is Severity.info)
    named = Check("policy.tables", f"{len(known.tables)} tables", tuple(unclassified(known) if tables is None else ()))
    checks = (*compared.checks, named, Check(state.id, state.summary, told, applicable=state.applicable))
    return session.report(
        checks, coverage=compared.coverage, strength=compared.strength, links=tuple(map(audit_links.facts, found))
    )
