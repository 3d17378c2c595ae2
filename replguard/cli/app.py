"""The command line: which commands there are. What each does stands in the module of its name."""

from __future__ import annotations

from typing import Annotated

import typer

from replguard._version import __version__
from replguard.cli import diff, filter_, gate, init, pause, policy, resume, status, watch

app = typer.Typer(
    name="replguard",
    help="Proves that two replicated clusters are identical where they must be and separate where they must be.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
app.command("diff", epilog=diff.EPILOG)(diff.diff)
app.command("pause", epilog=pause.EPILOG)(pause.pause)
app.command("resume", epilog=resume.EPILOG)(resume.resume)
app.command("gate", epilog=gate.EPILOG)(gate.gate)
