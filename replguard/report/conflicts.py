"""The conflict report of resume as text: what changed while the links stood, by what becomes of it, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from replguard.model.findings import Finding

CHECK = "resume.changes"
SHOWN = 20
"""Rows of each kind that are shown; all of them stand in the JSON."""
LINES = 60
"""Lines of statements that are shown; the file has all of them."""
_KINDS = (
    ("will_flow", "changed on one side only, will flow", "magenta", "--accept-changes lets it flow; else take it back"),
    (
        "will_not_flow",
        "changed on one side only, will NOT flow: no link carries it",
        "yellow",
        "take it back, or do the same on the other side; --accept-changes leaves the difference",
    ),
    ("both", "CONFLICT: changed on both sides", "red", "--accept-changes=NAME says which side wins"),
)


def shows(check: str, finding: Finding) -> bool:
    """Whether the lists have this finding, so that it need not be told by itself."""
    return check == CHECK and finding.evidence.get("kind") in ("will_flow", "will_not_flow", "has_flowed", "conflict")


def render(found: Mapping[str, Any], console: Console) -> None:
    """Print the lists that are not empty, and the statements that one side's victory means for the other."""
    for kind, words, style, remedy in _KINDS:
        rows = found[kind]
        if rows:
            _line(console, f"{words} ({len(rows)}):", 6, style)
            for text in _rows(kind, rows[:SHOWN]):
                _line(console, text, 10, "")
            if not found["accepted"]["winner" if kind == "both" else "changes"]:
                _line(console, f"-> {remedy}", 10, "dim")
        if len(rows) > SHOWN:
            _line(console, f"{len(rows) - SHOWN} more: --format json shows them", 10, "dim")
    settlement = found.get("settlement")
    if settlement and settlement["sql"]:
        lines = settlement["sql"].splitlines()
        whose = f"so that {settlement['winner']} wins, to be run on {settlement['loser']} ({settlement['file']}):"
        _line(console, whose, 6, "bold")
        for text in lines[:LINES]:
            _line(console, text, 10, "cyan")
        if len(lines) > LINES:
            _line(console, f"{len(lines) - LINES} more lines stand in the file", 10, "dim")


def _rows(kind: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        name = f"{row['schema']}.{row['table']} {_key(row['key'])}"
        if kind == "both":
            yield f"{name}   " + "   ".join(f"{cluster}: {_done(one)}" for cluster, one in row["changes"].items())
        else:
            over = f" over {', '.join(row['links'])}" if row["links"] else ""
            yield f"{name}   {row['cluster']}: {_done(row)}{over}"


def _key(key: Mapping[str, Any] | None) -> str:
    return " ".join(f"{name}={value}" for name, value in key.items()) if key else "(the table as a whole)"


def _done(change: Mapping[str, Any]) -> str:
    columns = f" of {', '.join(change['columns'])}" if change["columns"] else ""
    when = f" at {change['committed_at']}" if change["committed_at"] else ""
    what = ", ".join(f"{word}{columns if word == 'update' else ''}" for word in change["operations"])
    return f"{what}{when}"


def _line(console: Console, text: str, indent: int, style: str) -> None:
    """A line as it is: statements are to be copied, so nothing is cut or wrapped."""
    console.print(Text(f"{' ' * indent}{text}", style=style), soft_wrap=True)
