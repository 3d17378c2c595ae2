"""A picture of the two clusters, the links between them and the verdict, as SVG that stands within a page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from replguard.model.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.model.findings import LinkFacts, Report

_WIDTH, _BOX, _TALL, _STEP = 520, 168, 92, 54
_COLOURS = {"running": "--pass", "paused": "--open", "broken": "--fail", "unknown": "--open"}
_VERDICTS = {Verdict.passed: "--pass", Verdict.failed: "--fail", Verdict.inconclusive: "--open"}
_LONGEST = 22


def draw(report: Report) -> str:
    """The picture; empty where the report is about no clusters."""
    names = list(report.clusters)
    if len(names) != 2:
        return ""
    links = [link for link in report.links if {link.source, link.target} == set(names)]
    tall = max(_TALL, _STEP * len(links) + 40)
    parts = [
        *_defined(),
        *_box(report, names[0], 0, tall),
        *_box(report, names[1], _WIDTH - _BOX, tall),
        *(line for place, link in enumerate(links) for line in _arrow(link, names, place, len(links), tall)),
        *([] if links else [_text(_WIDTH / 2, tall / 2, "no link", "--quiet", anchor="middle")]),
    ]
    words = _described(report, names, links)
    head = f'<svg viewBox="0 0 {_WIDTH} {tall}" role="img" aria-label="{escape(words)}" xmlns="http://www.w3.org/2000/svg">'
    return "\n".join([head, f"<title>{escape(words)}</title>", *parts, "</svg>"])


def _described(report: Report, names: list[str], links: list[LinkFacts]) -> str:
    states = "; ".join(f"{link.link} is {link.state}" for link in links) or "no link joins them"
    return f"Clusters {names[0]} and {names[1]}: {states}. Verdict: {report.verdict.value}."


def _defined() -> Iterator[str]:
    for state, colour in _COLOURS.items():
        yield (
            f'<defs><marker id="to-{state}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
            f'orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" fill="var({colour})"/></marker></defs>'
        )


def _box(report: Report, name: str, left: int, tall: int) -> Iterator[str]:
    facts, roles = report.clusters[name], report.data.get("roles") or {}
    role = "active" if roles.get("active") == name else "takes over" if roles.get("passive") == name else ""
    colour = _VERDICTS[report.verdict]
    yield (
        f'<rect x="{left + 1}" y="1" width="{_BOX - 2}" height="{tall - 2}" rx="10" fill="var(--panel)" '
        f'stroke="var({colour})" stroke-width="2"/>'
    )
    middle = left + _BOX / 2
    yield _text(middle, tall / 2 - 14, name, "--fg", anchor="middle", bold=True)
    yield _text(middle, tall / 2 + 8, f"{facts.engine} {facts.version}", "--quiet", anchor="middle")
    yield _text(middle, tall / 2 + 28, role, "--fg", anchor="middle")


def _arrow(link: LinkFacts, names: list[str], place: int, count: int, tall: int) -> Iterator[str]:
    height = tall / 2 + (place - (count - 1) / 2) * _STEP
    first, last = _BOX + 6, _WIDTH - _BOX - 6
    begin, end = (first, last) if link.source == names[0] else (last, first)
    dashes = "" if link.state == "running" else ' stroke-dasharray="7 5"'
    yield (
        f'<line x1="{begin}" y1="{height:.0f}" x2="{end}" y2="{height:.0f}" stroke="var({_COLOURS[link.state]})" '
        f'stroke-width="3"{dashes} marker-end="url(#to-{link.state})"/>'
    )
    lag = "" if link.lag_seconds is None else f", {link.lag_seconds:.1f} s behind"
    yield _text(_WIDTH / 2, height - 12, f"{link.state}{lag}", _COLOURS[link.state], anchor="middle")
    if link.name:
        yield _text(_WIDTH / 2, height + 18, link.name, "--quiet", anchor="middle")


def _text(left: float, top: float, words: str, colour: str, *, anchor: str, bold: bool = False) -> str:
    shown = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{left:.0f}" y="{top:.0f}" text-anchor="{anchor}" font-size="15"{weight} fill="var({colour})">'
        f"{escape(shown)}</text>"
    )
