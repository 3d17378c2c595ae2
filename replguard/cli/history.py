"""``replguard history``: the runs that ``replguard report`` has stored. Needs no server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replguard.cli.options import Common, Format, command
from replguard.cli.places import HISTORY, history_url
from replguard.cli.session import Session, console, run
from replguard.errors import UsageError
from replguard.model.findings import Check

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from replguard.history.store import History
    from replguard.model.findings import Report

app = typer.Typer(
    help="The runs that `replguard report` has stored.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
RUN = Annotated[int | None, typer.Argument(metavar="[RUN]", help="Number of the run [default: the newest].")]
CHECK = "history"


@app.callback()
def history() -> None:
    """The runs that `replguard report` has stored. Needs no server and no config."""


@app.command("list", epilog="Examples: replguard history list; replguard history list --limit 100 --format json")
@command
def list_(
    common: Common,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many runs, the newest first.")] = 30,
    history: HISTORY = None,
) -> None:
    """List the runs, the newest first."""

    def body(kept: History) -> dict[str, Any]:
        runs = kept.runs(limit)
        fields = ("id", "clusters", "started_at", "finished_at", "seconds", "verdict")
        return {"runs": [{name: getattr(one, name) for name in fields} for one in runs]}

    _run("history list", common, history, body, _print_list)


@app.command("show", epilog="Examples: replguard history show; replguard history show 17 --format json")
@command
def show(common: Common, number: RUN = None, history: HISTORY = None) -> None:
    """Show one run: its verdict, and its findings with their state and since when they stand."""

    def body(kept: History) -> dict[str, Any]:
        one = kept.run(number)
        findings = [_seen(seen) for seen in one.findings]
        return {"run": one.id, "clusters": one.clusters, "findings": findings, "report": one.document}

    _run("history show", common, history, body, _print_run)


@app.command("compare", epilog="Examples: replguard history compare 12 17; replguard history compare 12")
@command
def compare(
    common: Common,
    first: Annotated[int, typer.Argument(metavar="RUN", help="The earlier run.")],
    second: Annotated[int | None, typer.Argument(metavar="[RUN]", help="The later one [default: the newest].")] = None,
    history: HISTORY = None,
) -> None:
    """Tell what is new, persists or is resolved between two runs of a pair."""

    def body(kept: History) -> dict[str, Any]:
        from replguard.history.compare import compare as held_against  # noqa: PLC0415 - not needed for --help

        before, after = kept.run(first), kept.run(second)
        if before.pair != after.pair:
            raise UsageError(
                f"runs {before.id} and {after.id} are of different pairs", remedy="compare runs of one pair"
            )
        now, gone = held_against(after.document, before.findings, after.started_at)
        return {"first": before.id, "second": after.id, "findings": [_seen(seen) for seen in (*now, *gone)]}

    _run("history compare", common, history, body, _print_compared)


@app.command("prune", epilog="Examples: replguard history prune --keep 90; replguard history prune --older-than 365")
@command
def prune(
    common: Common,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="Keep so many runs of each pair.")] = None,
    older_than: Annotated[
        int | None, typer.Option("--older-than", min=1, metavar="DAYS", help="Remove runs older than so many days.")
    ] = None,
    history: HISTORY = None,
) -> None:
    """Remove old runs. The newest run of each pair always stays."""
    if keep is None and older_than is None:
        raise typer.BadParameter("say what is to go: --keep RUNS or --older-than DAYS")
    before = (datetime.now(UTC) - timedelta(days=older_than)).isoformat() if older_than else None
    _run(
        "history prune",
        common,
        history,
        lambda kept: {"removed": kept.prune(keep=keep, before=before)},
        lambda data, screen: screen.print(f"{data['removed']} runs removed"),
    )


def _run(
    name: str,
    common: Common,
    url: str | None,
    body: Callable[[History], dict[str, Any]],
    printed: Callable[[dict[str, Any], Console], None],
) -> None:
    def work(session: Session) -> Report:
        from replguard.history.store import History  # noqa: PLC0415 - not needed for --help

        with History(history_url(session, url, needs_config=False)) as kept:
            data = body(kept)
            return session.report((Check(CHECK, kept.name),), data=data)

    shown = partial(_text, common=common, printed=printed) if common.format == Format.text else None
    run(name, common, work, shown)


def _text(report: Report, common: Common, printed: Callable[[dict[str, Any], Console], None]) -> None:
    if report.data:
        printed(report.data, console(common))


def _seen(seen: Any) -> dict[str, Any]:
    return {
        "state": seen.state,
        "since": seen.since_at,
        "since_run": seen.since_run,
        "check": seen.check,
        **seen.finding,
    }


def _print_list(data: dict[str, Any], screen: Console) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    if not data["runs"]:
        screen.print("no run is stored yet: `replguard report` stores one")
        return
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("run", "began", "took", "clusters", "verdict"):
        grid.add_column(heading)
    for one in data["runs"]:
        began = _when(one["started_at"])
        grid.add_row(*map(Text, (str(one["id"]), began, f"{one['seconds']:.1f} s", one["clusters"], one["verdict"])))
    screen.print(grid)


def _print_run(data: dict[str, Any], screen: Console) -> None:
    found = data["report"]
    _line(screen, f"run {data['run']} of {data['clusters']}, {_when(found['started_at'])}: {found['verdict'].upper()}")
    for check in found["checks"]:
        _line(screen, f"{check['verdict']:12}  {check['id']}  {check['summary']}")
    _print_findings(data["findings"], screen)


def _print_compared(data: dict[str, Any], screen: Console) -> None:
    _line(screen, f"from run {data['first']} to run {data['second']}:")
    _print_findings(data["findings"], screen)


def _print_findings(findings: list[dict[str, Any]], screen: Console) -> None:
    for one in findings:
        key = f" {one['key']}" if one.get("key") else ""
        since = "" if one["state"] == "new" else f" (since {_when(one['since'])})"
        _line(screen, f"  {one['state']:10} {one['severity']:7} {one['code']}  {one['message']}{key}{since}")
    if not findings:
        _line(screen, "  no findings")


def _line(screen: Console, text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)


def _when(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
