"""The command line: which commands there are. What each does stands in the module of its name."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, cast

import typer
from typer.main import get_command

from replguard._version import __version__
from replguard.cli.commands import Commands, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS = {
    "init": Place("replguard.cli.init", "Ask the two servers and write a config with every table classified."),
    "policy": Place("replguard.cli.policy", "The policy and the tables it names."),
    "status": Place("replguard.cli.status", "Show the links between the clusters: direction, state, positions, lag."),
    "filter": Place("replguard.cli.filter_", "Filters, publications and subscriptions."),
    "watch": Place("replguard.cli.watch", "Watch what the links carry, live, and tell of every leak."),
    "scan": Place("replguard.cli.scan", "Tell of every change in log files that must not be replicated."),
    "diff": Place("replguard.cli.diff", "Compare schema and data of the config tables."),
    "pause": Place(
        "replguard.cli.pause", "Pause all links, both directions: drained, stopped, verified on the servers."
    ),
    "resume": Place("replguard.cli.resume", "Resume all links, both directions, and verify that data flows."),
    "gate": Place("replguard.cli.gate", "Run every check and give one verdict: may we switch?"),
    "report": Place(
        "replguard.cli.report", "Run gate and diff, store the run, and tell what is new, persists or is resolved."
    ),
    "history": Place("replguard.cli.history", "The runs that `replguard report` has stored."),
    "manifest": Place(
        "replguard.cli.manifest", "List a file or tree with sizes and hashes, so that hosts can be compared"
    ),
    "verify": Place("replguard.cli.verify", "Check a folder of evidence against its manifest and signature."),
}

app = typer.Typer(
    cls=Commands,
    name="replguard",
    help="Proves that two replicated clusters are identical where they must be and separate where they must be.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def start(arguments: list[str], more: Mapping[str, Place]) -> int:
    """Run the command line and return its exit code; what cannot be parsed is told as every other error is.

    ``more`` are commands that stand above this package.
    """
    group = cast("Commands", get_command(app))
    group.put({**COMMANDS, **more})
    try:
        return int(group.main(arguments, standalone_mode=False) or 0)
    except typer.Abort:
        typer.echo("interrupted", err=True)
        return 3
    except Exception as error:
        # The parser's own error type has no public name: typer carries click with it, or not, by its version.
        if not hasattr(error, "format_message"):
            raise
        error.show()  # type: ignore[attr-defined]
        _document(arguments, error.format_message())
        return 2


def _document(arguments: list[str], message: str) -> None:
    """Standard output holds one document where JSON was asked for, also when nothing could be begun."""
    if "--format=json" not in arguments and ("--format", "json") not in pairwise(arguments):
        return
    from replguard.cli.options import Common  # noqa: PLC0415 - only refusals pay for these
    from replguard.cli.session import Session  # noqa: PLC0415
    from replguard.errors import UsageError  # noqa: PLC0415
    from replguard.report.document import dumps  # noqa: PLC0415

    words = [word for word in arguments[:2] if word.isalpha()]
    report = Session(" ".join(words), Common()).failure(UsageError(message, remedy="see --help"))
    sys.stdout.write(dumps(report) + "\n")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"replguard {__version__}")
        raise typer.Exit


@app.callback(epilog="Exit codes: 0 pass, 1 fail, 2 wrong options or config, 3 inconclusive.")
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Proves that two replicated clusters are identical where they must be and separate where they must be."""
