"""One run of a command: its config, its servers, what it prints, and its exit code.

A command's body gets a :class:`Session`, calls the library, and returns a report. Everything that can go wrong ends
here: one clear error with its remedy, the exit code of the contract, no traceback unless asked for, no secret.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from replguard._version import __version__
from replguard.cli.options import Common, Format
from replguard.errors import ConfigError, ReplguardError, UsageError
from replguard.model.findings import Check, Finding, Report, Severity

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from rich.console import Console

    from replguard.api import Clusters
    from replguard.config import Config

INTERRUPTED = 3


class Session:
    """A command's run. A context manager that closes what it opened."""

    def __init__(self, command: str, common: Common) -> None:
        self.command = command
        self.common = common
        self.started_at = datetime.now(UTC)
        self._stack = ExitStack()
        self._config: Config | None = None
        self._clusters: Clusters | None = None
        self._errors: Console | None = None
        self.recorder: Callable[[str, str], None] | None = None
        """Called with cluster and text of every statement, by any thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def config(self) -> Config:
        """What the options or the config file say."""
        if self._config is None:
            self._config = _load(self.common)
        return self._config

    def use(self, config: Config) -> None:
        """Go on with another config than the one that was loaded."""
        self._config = config

    @property
    def clusters(self) -> Clusters:
        """Both servers, connected on first use."""
        if self._clusters is None:
            from replguard.api import connect  # noqa: PLC0415 - only commands with servers pay for it

            self._clusters = self._stack.enter_context(connect(self.config, self.on_statement))
        return self._clusters

    def on_statement(self, cluster: str, statement: str) -> None:
        """Print a statement before it is sent, where asked to."""
        if self.recorder:
            self.recorder(cluster, statement)
        if self.common.show_sql:
            self.errors.print(f"-- {cluster}\n{statement};", markup=False, highlight=False, soft_wrap=True)

    def say(self, line: str) -> None:
        """A line for whoever looks on; never on standard output."""
        if not self.common.quiet:
            self.errors.print(line, markup=False, highlight=False, soft_wrap=True)

    @property
    def errors(self) -> Console:
        """Standard error."""
        if self._errors is None:
            self._errors = console(self.common, stderr=True)
        return self._errors

    @contextmanager
    def interruptible(self, stop: threading.Event) -> Iterator[None]:
        """Let the first Ctrl-C end the work in good order; a second one interrupts it."""

        def end(_signal: int, _frame: object) -> None:
            stop.set()
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, end)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[str, int, int], None]]:
        """A progress bar on a terminal; a call that does nothing elsewhere."""
        if self.common.quiet or not sys.stderr.isatty():
            yield lambda _name, _done, _all: None
            return
        from rich.progress import Progress  # noqa: PLC0415

        with Progress(console=self.errors, transient=True) as bar:

            def advance(name: str, done: int, total: int) -> None:
                task = bar.task_ids[0] if bar.task_ids else bar.add_task(what)
                bar.update(task, completed=done, total=total, description=f"{what} {name}", visible=done < total)

            yield advance

    def report(self, checks: tuple[Check, ...], **parts: Any) -> Report:
        """A report of this run that says nothing about clusters; ``parts`` are further fields of :class:`Report`."""
        return Report(self.command, __version__, self.started_at, datetime.now(UTC), checks=checks, **parts)

    def failure(self, error: BaseException) -> Report:
        """A report that says that the command could not do its work, and why."""
        remedy = error.remedy if isinstance(error, ReplguardError) else "run again with --debug and report this"
        where = error.cluster if isinstance(error, ReplguardError) else None
        finding = Finding("check.not_run", Severity.unknown, _words(error), cluster=where, remedy=remedy)
        check = Check(self.command, "could not be done", (finding,))
        return self.report((check,))


def console(common: Common, *, stderr: bool = False) -> Console:
    """A console on standard output or error that follows --no-color and NO_COLOR."""
    from rich.console import Console  # noqa: PLC0415 - not needed for --help

    plain = common.no_color or "NO_COLOR" in os.environ
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 140
    return Console(stderr=stderr, no_color=plain, highlight=False, width=width)


def run(
    command: str,
    common: Common,
    body: Callable[[Session], Report],
    shown: Callable[[Report], None] | None = None,
    code_of: Callable[[Report], int] | None = None,
) -> None:
    """Run a command's body, print its report (by ``shown``, where it has a form of its own), exit with its code.

    ``code_of`` gives another exit code than that of the contract, where another program wants its own.
    """
    with Session(command, common) as session:
        try:
            report = body(session)
        except KeyboardInterrupt:
            session.errors.print("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _leave_quietly()
        except Exception as error:  # noqa: BLE001 - the last place where a fault can still be told
            _fail(session, error, shown, code_of)
        else:
            try:
                (shown or partial(show, common=common))(report)
                sys.stdout.flush()
            except BrokenPipeError:
                _leave_quietly()
            code = code_of(report) if code_of else report.exit_code
            if report.data.get("abandoned"):
                # A thread of a check that was given up may hang for ever, and Python would wait for it.
                sys.stderr.flush()
                os._exit(code)
            raise typer.Exit(code)


def _leave_quietly() -> NoReturn:
    """Nobody reads standard output any more, as behind `| head`: that is no error to tell of."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise typer.Exit(INTERRUPTED) from None


def show(report: Report, common: Common) -> None:
    """Print a report to standard output in the format that was asked for."""
    if common.format == Format.text:
        from replguard.report.text import render  # noqa: PLC0415

        render(report, console(common), verbose=common.verbose)
    else:
        from replguard.report.document import dumps  # noqa: PLC0415

        sys.stdout.write(dumps(report) + "\n")


def _fail(
    session: Session,
    error: Exception,
    shown: Callable[[Report], None] | None,
    code_of: Callable[[Report], int] | None,
) -> None:
    """One clear error; a document on standard output where one was asked for."""
    if session.common.debug:
        traceback.print_exception(error)
    session.errors.print(f"error: {_words(error)}", markup=False, soft_wrap=True)
    if isinstance(error, ReplguardError) and error.remedy:
        session.errors.print(f"  -> {error.remedy}", markup=False, soft_wrap=True)
    if shown:
        shown(session.failure(error))
    elif session.common.format != Format.text:
        show(session.failure(error), session.common)
    code = error.exit_code if isinstance(error, ReplguardError) else 3
    raise typer.Exit(code_of(session.failure(error)) if code_of else code) from None


def _words(error: BaseException) -> str:
    if isinstance(error, ReplguardError):
        return error.message
    return f"replguard failed: {type(error).__name__}: {error}"


def with_option_files(session: Session, given: list[str] | None) -> None:
    """Take notice of ``--option-file NAME=PATH`` before the servers are asked."""
    from replguard import config  # noqa: PLC0415 - pydantic is not needed for --help

    session.use(config.with_option_files(session.config, given or ()))


def _load(common: Common) -> Config:
    from replguard import config  # noqa: PLC0415 - pydantic is not needed for --help

    given = tuple(common.must_not_sync or ())
    if common.cluster:
        if common.config:
            raise UsageError("-c and --cluster exclude each other", remedy="give one of them")
        return config.from_options(clusters_of(common.cluster), common.preset, given)
    if common.preset:
        raise UsageError("--preset goes with --cluster", remedy="write `preset:` into the config file")
    path = common.config or Path(os.environ.get("REPLGUARD_CONFIG") or config.DEFAULT_FILE)
    return config.with_rules(config.load(path), given)


def clusters_of(pairs: list[str]) -> dict[str, str]:
    """NAME=URL twice, as a mapping; ConfigError for anything else, and for a password that all users could read."""
    from replguard.endpoint import has_literal_password  # noqa: PLC0415

    parts = [pair.partition("=") for pair in pairs]
    clusters = {name: url for name, _, url in parts}
    if len(clusters) != 2 or len(pairs) != 2 or not all(clusters.values()) or not all(clusters):
        raise ConfigError(
            "--cluster must be given exactly twice, each as NAME=URL with a name of its own",
            remedy="--cluster 'blue=mariadb://user:${BLUE_PASSWORD}@host/db' --cluster 'green=...'",
        )
    for name, url in clusters.items():
        if has_literal_password(url):
            raise ConfigError(
                f"the password of cluster {name!r} stands on the command line, where every user of this machine can "
                "read it",
                remedy=f"export {name.upper()}_PASSWORD and write ${{{name.upper()}_PASSWORD}} in single quotes",
            )
    return clusters
