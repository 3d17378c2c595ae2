"""The trend of the last runs as SVG that stands within a page: what each told, and its verdict."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.history.store import Run

RUNS = 30
"""So many of the last runs are drawn."""
_SEVERITIES = (("fail", "--fail"), ("unknown", "--open"), ("warn", "--quiet"))
_COLOURS = {"pass": "--pass", "fail": "--fail", "inconclusive": "--open"}
_WIDTH, _TALL, _LEFT, _BELOW, _ABOVE = 640, 180, 36, 34, 24


def draw(points: Sequence[tuple[Run, Mapping[str, int]]]) -> str:
    """A bar a run, the oldest first: findings that fail, are unknown or warn, one upon the other. A description in
    words stands in it for who does not see it.
    """
    if not points:
        return ""
    most = max(1, *(sum(counts.get(name, 0) for name, _ in _SEVERITIES) for _, counts in points))
    words = _described(points)
    parts = [
        *_axis(most),
        *_legend(),
        *(line for place, (run, counts) in enumerate(points) for line in _bar(place, len(points), run, counts, most)),
    ]
    head = (
        f'<svg viewBox="0 0 {_WIDTH} {_TALL}" role="img" aria-label="{escape(words)}" '
        'xmlns="http://www.w3.org/2000/svg">'
    )
    return "\n".join([head, f"<title>{escape(words)}</title>", *parts, "</svg>"])


def _described(points: Sequence[tuple[Run, Mapping[str, int]]]) -> str:
    run, counts = points[-1]
    passed = sum(one.verdict == "pass" for one, _ in points)
    last = ", ".join(f"{counts.get(name, 0)} {name}" for name, _ in _SEVERITIES)
    return f"{len(points)} runs, {passed} of them passed. The last, on {_day(run)}: {run.verdict}, with {last}."


def _axis(most: int) -> Iterator[str]:
    floor = _TALL - _BELOW
    yield f'<line x1="{_LEFT}" y1="{floor}" x2="{_WIDTH}" y2="{floor}" stroke="var(--line)"/>'
    for value, height in ((most, _ABOVE), (0, floor)):
        place = f'x="{_LEFT - 6}" y="{height + 4}" text-anchor="end"'
        yield f'<text {place} font-size="12" fill="var(--quiet)">{value}</text>'


def _legend() -> Iterator[str]:
    for place, (name, colour) in enumerate(_SEVERITIES):
        left = _LEFT + 90 * place
        yield f'<rect x="{left}" y="2" width="10" height="10" fill="var({colour})"/>'
        yield f'<text x="{left + 15}" y="12" font-size="12" fill="var(--fg)">{name}</text>'


def _bar(place: int, count: int, run: Run, counts: Mapping[str, int], most: int) -> Iterator[str]:
    step = (_WIDTH - _LEFT) / max(count, 8)
    left, wide = _LEFT + place * step + step * 0.15, step * 0.7
    floor, room = float(_TALL - _BELOW), _TALL - _BELOW - _ABOVE
    told = f"run {run.id}, {_day(run)}: {run.verdict}"
    yield f"<g><title>{escape(told)}</title>"
    for name, colour in _SEVERITIES:
        tall = room * counts.get(name, 0) / most
        floor -= tall
        if tall:
            yield f'<rect x="{left:.1f}" y="{floor:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="var({colour})"/>'
    middle = left + wide / 2
    verdict = _COLOURS.get(run.verdict, "--quiet")
    yield f'<circle cx="{middle:.1f}" cy="{_TALL - _BELOW + 10}" r="4" fill="var({verdict})"/>'
    if place % max(1, count // 6) == 0:
        yield (
            f'<text x="{middle:.1f}" y="{_TALL - 6}" text-anchor="middle" font-size="11" fill="var(--quiet)">'
            f"{datetime.fromisoformat(run.started_at):%m-%d}</text>"
        )
    yield "</g>"


def _day(run: Run) -> str:
    return f"{datetime.fromisoformat(run.started_at):%Y-%m-%d %H:%M}"
