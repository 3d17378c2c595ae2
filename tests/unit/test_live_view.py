"""The live view as text: what stands in it, on terminals of any width."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from replguard.cli.live import PLAIN_EVERY, Rates, following, line, view
from replguard.watch.progress import Progress, StreamProgress

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def progress(seconds: float, events: int = 0, **parts: object) -> Progress:
    tables = {f"st.t{number}": number for number in range(20)}
    first = StreamProgress(
        "sent blue->green", "blue", "0/10", events, events * 100, tables, NOW - timedelta(seconds=2), True, 0.1
    )
    second = StreamProgress("own green", "green", None, 0, 0, {}, None, False, None)
    given = {"found": {"fail": 3, "unknown": 1}, "leaks": {"st.event": 3}, "suspected": 2, **parts}
    return Progress(seconds, (first, second), **given)  # type: ignore[arg-type]


def exported(shown: Progress, rates: Rates, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, record=True, force_terminal=True)
    console.print(view(shown, rates.take(shown), NOW))
    return console.export_text()


def test_the_view_shows_both_sides_their_rates_and_the_leaks() -> None:
    rates = Rates()
    rates.take(progress(1.0, 1000))
    text = exported(progress(2.0, 3000), rates, 120)
    assert "3 leaks" in text
    assert "leak: st.event 3" in text
    assert "2 suspected, not committed" in text
    assert "1 unknown" in text
    (row,) = [one for one in text.splitlines() if one.startswith("sent blue->green ")]
    assert [word in row for word in ("2,000", "200.0 kB", "3,000", "2.0 s ago", "live")] == [True] * 5
    assert "own green" in text
    assert "lost, trying again" in text
    assert "st.t19 19, st.t18 18" in text
    assert "14 more" in text


@pytest.mark.parametrize("width", [1, 5, 20, 40, 80, 300])
def test_no_width_breaks_it(width: int) -> None:
    text = exported(progress(1.0), Rates(), width)
    assert all(len(one) <= width for one in text.splitlines())


def test_rates_are_those_of_the_last_seconds() -> None:
    rates = Rates()
    for second in range(10):
        found = rates.take(progress(float(second), 1000 if second > 4 else 0))
    assert found["sent blue->green"] == (0.0, 0.0)


def test_elsewhere_a_line_comes_now_and_then() -> None:
    console = Console(file=io.StringIO(), width=300)
    with following(console, quiet=False, live=False) as tell:
        for second in range(int(PLAIN_EVERY * 2) + 1):
            tell(progress(float(second)))
    printed = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(printed) == 2
    assert printed[0].startswith("watching for 10 s: 3 leaks; sent blue->green")
    assert "own green 0 events/s, lost" in line(progress(1.0), {})


def test_quiet_is_quiet_and_a_terminal_is_left_clean() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    with following(console, quiet=True, live=True) as tell:
        tell(progress(1.0))
    assert console.file.getvalue() == ""  # type: ignore[attr-defined]
    with following(console, quiet=False, live=True) as tell:
        tell(progress(1.0))
        console.print("fail leak.sent: said above the view")
    assert "said above the view" in console.file.getvalue()  # type: ignore[attr-defined]
