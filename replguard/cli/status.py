"""``replguard status``: the links, their state, positions and lag."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Check, Report

EPILOG = "Example: replguard status -c replguard.yaml"


@command
def status(common: Common) -> None:
    """Show the links between the clusters: direction, state, positions, lag."""
    run("status", common, _status)


def _status(session: Session) -> Report:
    from replguard.audit import links as audit_links  # noqa: PLC0415

    _, found = session.links()
    check = audit_links.check(found, session.config)
    facts = tuple(audit_links.facts(link) for link in found)
    return session.report((check, *_begun(session)), links=facts, data=_held(session))


def _held(session: Session) -> dict[str, object]:
    """The receipt of the pause that holds, where there is one."""
    from replguard.control import receipt  # noqa: PLC0415

    return {"receipt": receipt.load(receipt.state_folder(session.config, session.pair))}


def _begun(session: Session) -> tuple[Check, ...]:
    """What was begun and not finished by a process that died."""
    from replguard.control import receipt  # noqa: PLC0415
    from replguard.journal import Journal  # noqa: PLC0415
    from replguard.model.findings import Check, Finding, Severity  # noqa: PLC0415

    entries = Journal(receipt.state_folder(session.config, session.pair)).unfinished()
    findings = tuple(
        Finding(
            "journal.unfinished",
            Severity.warn,
            f"a {entry.data['action']} begun at {entry.data['begun_at']} by {entry.data['by']} was not finished",
            remedy="run `replguard pause` or `replguard resume`, whichever is wanted now",
            evidence={"steps": entry.data["steps"]},
        )
        for entry in entries
    )
    return (Check("journal", f"{len(entries)} unfinished", findings),) if entries else ()
