"""The command line: which commands there are. What each does stands in the module of its name."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import Annotated

import typer

from replguard._version import __version__
from replguard.cli import diff, filter_, gate, init, pause, policy, resume, scan, status, watch
from replguard.cli.options import Common
from replguard.cli.session import INTERRUPTED, Session
from replguard.errors import UsageError

app = typer.Typer(
    name="replguard",
    help="Proves that two replicated clusters are identical where they must be and separate where they must be.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def start(arguments: list[str]) -> int:
    """Run the command line and return its exit code; what cannot be parsed is told as every other error is."""
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except typer.Abort:
        typer.echo("interrupted", err=True)
        return INTERRUPTED
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


app.command("init", epilog=init.EPILOG)(init.init)
app.add_typer(policy.app, name="policy")
app.command("status", epilog=status.EPILOG)(status.status)
app.add_typer(filter_.app, name="filter")
app.command("watch", epilog=watch.EPILOG)(watch.watch)
app.command("scan", epilog=scan.EPILOG)(scan.scan)
app.command("diff", epilog=diff.EPILOG)(diff.diff)
app.command("pause", epilog=pause.EPILOG)(pause.pause)
app.command("resume", epilog=resume.EPILOG)(resume.resume)
app.command("gate", epilog=gate.EPILOG)(gate.gate)
