"""``replguard policy show``: which table falls into which class by which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from replguard.cli.options import Common, Format, command
from replguard.cli.session import Session, console, run

if TYPE_CHECKING:
    from replguard.audit.tables import PairedTable, TableMap
    from replguard.model.findings import Check, Report

app = typer.Typer(help="The policy and the tables it names.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def policy() -> None:
    """The policy and the tables it names."""


@app.command("show", epilog="Example: replguard policy show -c replguard.yaml")
@command
def show(common: Common) -> None:
    """Show which existing table is in which class by which rule, on both sides, and rules that match nothing."""
    run("policy show", common, _show)


def _show(session: Session) -> Report:
    tables = session.tables()
    if session.common.format == Format.text:
        _print(tables, session)
    data = {"tables": [_row(table) for table in tables], "presets": session.config.policy.title}
    return session.report((_check(tables),), data=data)


def _row(table: PairedTable) -> dict[str, Any]:
    found = table.classification
    return {
        "schema": table.name.schema,
        "table": table.name.name,
        "class": table.table_class.value,
        "rule": found.rule.pattern if found.rule else None,
        "origin": found.rule.origin if found.rule else None,
        "group": found.rule.group if found.rule else None,
        "via": str(found.via) if found.via else None,
        "lookalike": found.lookalike,
        "clusters": sorted(table.sides),
    }


def _check(tables: TableMap) -> Check:
    from replguard.audit.filters import unclassified  # noqa: PLC0415
    from replguard.model.findings import Check, Finding, Severity  # noqa: PLC0415

    unmatched = [
        Finding(
            "policy.unmatched",
            Severity.info,
            f"{rule} matches no table on either side",
            remedy="correct its spelling, or take it out if this site has no such table",
            evidence={"rule": rule.pattern, "origin": rule.origin},
        )
        for rule in tables.policy.unmatched_rules(side.name for table in tables for side in table.sides.values())
    ]
    findings = (*unclassified(tables), *unmatched, *_no_table(tables))
    return Check("policy.tables", f"{len(tables.tables)} tables, {len(unmatched)} rules match nothing", findings)


def _no_table(tables: TableMap) -> tuple[Any, ...]:
    from replguard.model.findings import Finding, Severity  # noqa: PLC0415

    if tables.tables:
        return ()
    return (
        Finding(
            "check.not_run",
            Severity.unknown,
            "neither cluster has a table in its scope",
            remedy="check the database of the URLs, and `schemas:`",
        ),
    )


def _print(tables: TableMap, session: Session) -> None:
    from rich.table import Table as Grid  # noqa: PLC0415

    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for heading in ("table", "class", "rule", "from", "on"):
        grid.add_column(heading, overflow="fold")
    for row in map(_row, tables):
        origin = f"{row['origin'] or ''}{' [' + row['group'] + ']' if row['group'] else ''}".replace("[", "\\[")
        via = f" via {row['via']}" if row["via"] else ""
        rule = row["rule"] or (f"looks like {row['lookalike']}" if row["lookalike"] else "no rule")
        grid.add_row(f"{row['schema']}.{row['table']}", row["class"], rule + via, origin, ", ".join(row["clusters"]))
    console(session.common).print(grid)
