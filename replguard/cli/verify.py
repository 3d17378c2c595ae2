"""``replguard verify``: is a folder of evidence as it was written?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.options import Common, command
from replguard.cli.session import Session, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

EPILOG = "Examples: replguard verify evidence/CHG-4711; replguard verify evidence/CHG-4711 --key replguard.pub"


@command
def verify(
    common: Common,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `gate --evidence DIR` has written.")],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="The public Ed25519 key that must have signed it.")
    ] = None,
) -> None:
    """Check a folder of evidence against its manifest and signature. Needs no server and no config."""
    run("verify", common, lambda session: _verify(session, folder, key))


def _verify(session: Session, folder: Path, key: Path | None) -> Report:
    from replguard.report import signing, verifying  # noqa: PLC0415 - not needed for --help

    return session.report(verifying.verify(folder, signing.read_public(key) if key else None))
