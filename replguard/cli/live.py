"""The live view of a watch on a terminal, and plain lines of progress elsewhere.

The view is drawn from :class:`replguard.watch.progress.Progress` alone, so that it can be exported as text.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table as Grid
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

    from replguard.watch.progress import Progress, StreamProgress

SHOWN_TABLES = 6
PLAIN_EVERY = 10.0
"""Seconds between two lines where there is no terminal."""
_SILENT = 5.0
"""Seconds after which a stream that says nothing, not even a heartbeat, is called silent."""
_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


class Rates:
    """Events and bytes a second of each stream, over the last few looks."""

    def __init__(self, over: float = 3.0) -> None:
        self._over = over
        self._seen: dict[str, list[tuple[float, int, int]]] = {}

    def take(self, progress: Progress) -> dict[str, tuple[float, float]]:
        """Take note of a look; the rates by the stream's name."""
        return {stream.name: self._rate(progress.seconds, stream) for stream in progress.streams}

    def _rate(self, now: float, stream: StreamProgress) -> tuple[float, float]:
        seen = self._seen.setdefault(stream.name, [])
        seen.append((now, stream.events, stream.bytes))
        while len(seen) > 2 and now - seen[0][0] > self._over:
            seen.pop(0)
        begun, events, size = seen[0]
        span = now - begun
        return ((stream.events - events) / span, (stream.bytes - size) / span) if span > 0 else (0.0, 0.0)


def view(progress: Progress, rates: dict[str, tuple[float, float]], now: datetime) -> RenderableType:
    """What is shown at one moment."""
    grid = Grid(box=None, pad_edge=False, header_style="bold", expand=False)
    for heading in ("stream", "events/s", "bytes/s", "events", "last commit", "state"):
        grid.add_column(heading, overflow="ellipsis", no_wrap=True)
    for stream in progress.streams:
        events, size = rates.get(stream.name, (0.0, 0.0))
        state, style = _state(stream)
        grid.add_row(
            Text(stream.name),
            f"{events:,.0f}",
            _size(size),
            f"{stream.events:,}",
            _lag(stream, now),
            Text(state, style=style),
        )
    return Group(_head(progress), grid, *_tables(progress))


def _head(progress: Progress) -> Text:
    leaks = sum(progress.leaks.values())
    head = Text(f"watching for {progress.seconds:.0f} s   ")
    head.append(f"{leaks} leak{'s' * (leaks != 1)}", style="bold red" if leaks else "green")
    if progress.suspected:
        head.append(f"   {progress.suspected} suspected, not committed", style="yellow")
    if unknown := progress.found.get("unknown", 0):
        head.append(f"   {unknown} unknown", style="yellow")
    for table, count in sorted(progress.leaks.items())[:SHOWN_TABLES]:
        head.append(f"\n  leak: {table} {count}", style="red")
    return head


def _tables(progress: Progress) -> list[Text]:
    """Changes by table, the busiest first, of each stream."""
    shown = []
    for stream in progress.streams:
        busiest = sorted(stream.tables.items(), key=lambda item: -item[1])[:SHOWN_TABLES]
        if busiest:
            words = ", ".join(f"{name} {count:,}" for name, count in busiest)
            more = len(stream.tables) - len(busiest)
            shown.append(Text(f"{stream.name}: {words}" + (f", {more} more" if more > 0 else ""), style="dim"))
    return shown


def _state(stream: StreamProgress) -> tuple[str, str]:
    if stream.heard_seconds is None:
        return "lost, trying again", "bold red"
    if stream.heard_seconds > _SILENT:
        return f"silent for {stream.heard_seconds:.0f} s", "yellow"
    return ("live", "green") if stream.caught_up else ("catching up", "yellow")


def _lag(stream: StreamProgress, now: datetime) -> str:
    if stream.last_commit is None:
        return "-"
    return f"{max((now - stream.last_commit).total_seconds(), 0.0):.1f} s ago"


def _size(count: float) -> str:
    """A number of bytes, short.

    >>> _size(12), _size(2_500_000)
    ('12 B', '2.5 MB')
    """
    for least, unit in _UNITS:
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{count:.0f} B"


def line(progress: Progress, rates: dict[str, tuple[float, float]]) -> str:
    """One plain line."""
    streams = "; ".join(
        f"{stream.name} {rates.get(stream.name, (0.0, 0.0))[0]:,.0f} events/s, {_state(stream)[0]}"
        for stream in progress.streams
    )
    return f"watching for {progress.seconds:.0f} s: {sum(progress.leaks.values())} leaks; {streams}"


@contextmanager
def following(console: Console, *, quiet: bool, live: bool) -> Iterator[Callable[[Progress], None]]:
    """What is called with each look: draws the view on a terminal, prints a line now and then elsewhere."""
    rates = Rates()
    if quiet:
        yield lambda _progress: None
        return
    if not live:
        printed = [0.0]

        def tell(progress: Progress) -> None:
            found = rates.take(progress)
            if progress.seconds - printed[0] >= PLAIN_EVERY:
                printed[0] = progress.seconds
                console.print(line(progress, found), markup=False, highlight=False, soft_wrap=True)

        yield tell
        return
    from rich.live import Live  # noqa: PLC0415 - only where there is a terminal

    view_of = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
    with view_of as shown:
        drawn = [0.0]

        def draw(progress: Progress) -> None:
            found = rates.take(progress)
            if time.monotonic() - drawn[0] >= 0.25:
                drawn[0] = time.monotonic()
                shown.update(view(progress, found, datetime.now(UTC)), refresh=True)

        yield draw
