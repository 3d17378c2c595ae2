"""``replguard filter``: the policy against the filters as they are set, a plan that makes them fit, its application."""

from __future__ import annotations

import sys
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.cli.durations import seconds
from replguard.cli.options import Common, Format, command
from replguard.cli.session import Session, console, run, show, with_option_files
from replguard.errors import UsageError

if TYPE_CHECKING:
    from replguard.control.filterapply import Options
    from replguard.model.findings import Report

app = typer.Typer(
    help="Filters, publications and subscriptions.", no_args_is_help=True, rich_markup_mode=None, add_completion=False
)
PLAN_EXAMPLE = "Examples: replguard filter plan; replguard filter plan -o filters.plan"
EXPORT_EXAMPLE = "Examples: replguard filter export --for mycnf; replguard filter export --for debezium"
APPLY_EXAMPLE = "Examples: replguard filter apply filters.plan; replguard filter apply --undo --yes"


@app.callback()
def filters() -> None:
    """Filters, publications and subscriptions."""


@app.command("audit", epilog="Example: replguard filter audit -c replguard.yaml --format json")
@command
def audit(
    common: Common,
    option_file: Annotated[
        list[str] | None,
        typer.Option(
            "--option-file",
            help="A server's my.cnf, or a copy: tells what its filters are after a restart (MySQL, MariaDB). "
            "May be given again.",
            metavar="NAME=PATH",
        ),
    ] = None,
) -> None:
    """Tell which must_not_sync table would cross a link, now or after a restart, and which config table would not."""

    def body(session: Session) -> Report:
        with_option_files(session, option_file)
        return session.clusters.audit()

    run("filter audit", common, body)


@app.command("plan", epilog=PLAN_EXAMPLE)
@command
def plan(
    common: Common,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="Write the plan here, and its SQL beside it (FILE.sql)."),
    ] = None,
) -> None:
    """Plan what must be run so that every link lets through what the policy says. Nothing is changed.

    Without -o the plan is only shown.
    """
    run("filter plan", common, lambda session: _plan(session, output), lambda report: _show(report, common, output))


@app.command("apply", epilog=APPLY_EXAMPLE)
@command
def apply(
    common: Common,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="What `filter plan -o` has written.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where there is no terminal.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the plan back; without FILE the one that was not finished.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait for a link, or a lost server.")
    ] = "30s",
) -> None:
    """Apply a plan: shown first, journalled, only the links concerned stopped, audited; undone where it fails.

    A plan whose filters, tables or policy changed meanwhile is refused. What was interrupted is finished by the same
    command, or taken back by --undo.
    """
    given = seconds(timeout)
    run("filter apply", common, lambda session: _apply(session, file, given, yes=yes, undo=undo))


class Form(StrEnum):
    mycnf = "mycnf"
    sql = "sql"
    publication = "publication"
    debezium = "debezium"
    maxscale = "maxscale"


@app.command("export", epilog=EXPORT_EXAMPLE)
@command
def export(
    common: Common,
    form: Annotated[
        Form,
        typer.Option("--for", help="Option file lines, statements, CREATE PUBLICATION, or another tool's settings."),
    ],
) -> None:
    """Print the policy's rules for other tools, on standard output. Nothing is changed.

    mycnf and sql are for MySQL and MariaDB, sql and publication for PostgreSQL, one for each link; debezium is a
    table.exclude.list, maxscale a binlogfilter.
    """
    run("filter export", common, lambda session: session.clusters.export_filters(form.value), partial(_raw, common))


def _raw(common: Common, report: Report) -> None:
    """The lines as they are; what speaks against them goes to standard error."""
    exports = report.data.get("exports")
    if common.format != Format.text:
        show(report, common)
        return
    for one in exports or ():
        for line in one["lines"]:
            sys.stdout.write(f"{line}\n")
    if exports is not None and (not exports or report.exit_code):
        from replguard.report.text import render  # noqa: PLC0415 - only where there is something to say

        render(report, console(common, stderr=True), verbose=common.verbose)


def _plan(session: Session, output: Path | None) -> Report:
    from replguard.control import planfile  # noqa: PLC0415 - only who asks for a plan pays for it

    if output:
        planfile.check_writable(output)
    report = session.clusters.plan_filters(output)
    if output and report.data["plan"]:
        session.say(f"plan: {output}, as SQL: {output}.sql")
    return report


def _show(report: Report, common: Common, output: Path | None) -> None:
    """The plan as SQL before the report, where people read it and it is in no file."""
    if common.format == Format.text and "plan" not in report.data:
        return  # why there is none was told as an error
    document = report.data.get("plan")
    if document and common.format == Format.text and not output and not common.quiet:
        from replguard.control.planfile import parsed, sql  # noqa: PLC0415 - only who looks at a plan pays for it

        for line in sql(parsed(document)):
            console(common).print(line, markup=False, highlight=False, soft_wrap=True)
    show(report, common)


def _apply(session: Session, file: Path | None, timeout: float, *, yes: bool, undo: bool) -> Report:
    if file is None and not undo:
        raise UsageError("there is no plan to apply", remedy="name the file that `replguard filter plan -o FILE` wrote")
    from replguard.control import planfile  # noqa: PLC0415 - likewise

    if file:
        planfile.load(file)
    if not yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal on which to ask", remedy="look at the plan, then give --yes")
    options = _options(session, timeout, yes=yes)
    if undo or file is None:
        return session.clusters.undo_filters(file, options)
    report = session.clusters.apply_filters(file, options)
    for kept in report.data["persist"]:
        session.say(f"for the option file of {kept['cluster']}, so that it outlives a restart:")
        for line in kept["lines"]:
            session.say(f"  {line}")
    return report


def _options(session: Session, timeout: float, *, yes: bool) -> Options:
    from replguard.control.filterapply import Options  # noqa: PLC0415 - likewise

    def confirm() -> bool:
        return yes or typer.confirm("Run this?", default=False, err=True)

    return Options(show=session.say, confirm=confirm, timeout=timeout)
