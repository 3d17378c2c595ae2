"""The progress bar of a comparison: rows and tables, with an estimate of what is left."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.cli.session import Session
    from replguard.diff.progress import Progress


@contextmanager
def bar(session: Session) -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal; a call that does nothing elsewhere."""
    if session.common.quiet or not sys.stderr.isatty():
        yield lambda _progress: None
        return
    from rich import progress as shown  # noqa: PLC0415 - only on a terminal

    columns = (
        shown.TextColumn("comparing {task.fields[table]}"),
        shown.BarColumn(),
        shown.TextColumn("{task.fields[tables]}"),
        shown.TextColumn("{task.completed:,.0f} of about {task.total:,.0f} rows"),
        shown.TimeRemainingColumn(),
    )
    with shown.Progress(*columns, console=session.errors, transient=True) as display:
        task = display.add_task("", total=None, visible=False, table="", tables="")

        def advance(now: Progress) -> None:
            display.update(
                task,
                completed=now.rows,
                total=now.all_rows,
                visible=now.tables < now.all_tables,
                table=now.table,
                tables=f"{now.tables} of {now.all_tables} tables",
            )

        yield advance
