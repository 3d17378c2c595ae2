"""``replguard policy show``: which table falls into which class by which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from replguard.cli.options import Common, Format, command
from replguard.cli.session import Session, console, run

if TYPE_CHECKING:
    from replguard.model.findings import Report

app = typer.Typer(
    help="The policy and the tables it names.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)


@app.callback()
def policy() -> None:
    """The policy and the tables it names."""


@app.command("show", epilog="Example: replguard policy show -c replguard.yaml")
@command
def show(common: Common) -> None:
    """Show which existing table is in which class by which rule, on both sides, and rules that match nothing."""
    run("policy show", common, _show)


def _show(session: Session) -> Report:
    report = session.clusters.classify()
    if session.common.format == Format.text:
        _print(report.data["tables"], session)
    return report


def _print(tables: list[dict[str, Any]], session: Session) -> None:
    from rich.markup import escape  # noqa: PLC0415
    from rich.table import Table as Grid  # noqa: PLC0415

    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for heading in ("table", "class", "rule", "from", "on"):
        grid.add_column(heading, overflow="fold")
    for row in tables:
        origin = " ".join(filter(None, (row["origin"], row["group"] and f"[{row['group']}]")))
        rule = row["rule"] or (f"looks like {row['lookalike']}" if row["lookalike"] else "no rule")
        via = f" via {row['via']}" if row["via"] else ""
        cells = (f"{row['schema']}.{row['table']}", row["class"], rule + via, origin, ", ".join(row["clusters"]))
        grid.add_row(*map(escape, cells))
    console(session.common).print(grid)
