"""``replguard demo``: an embedded replicating pair, planted trouble, the whole story."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

EPILOG = "Examples: replguard demo; replguard demo --keep; replguard demo --engine mariadb"


class DemoEngine(StrEnum):
    postgresql = "postgresql"
    mariadb = "mariadb"
    mysql = "mysql"


def demo(
    engine: Annotated[DemoEngine, typer.Option("--engine", help="Which servers to start.")] = DemoEngine.postgresql,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the pair running, with a replguard.yaml to play with.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour (as does NO_COLOR).")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Start an embedded replicating pair, plant trouble, and tell the whole story with real commands."""
    from replguard.demo.story import tell  # noqa: PLC0415 - nothing else needs servers

    raise typer.Exit(tell(engine.value, keep=keep, color=not no_color, debug=debug))
