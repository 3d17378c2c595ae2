"""What was measured, held against its target."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Line:
    """One figure beside another. ``ratio`` is ours to the other's, or the other's to ours where it is to be slower."""

    engine: str
    work: str
    seconds: float | None
    memory: float | None = None
    beside: str = ""
    other: float | None = None
    target: str = ""
    ratio: float | None = None
    met: bool | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.met is None:
            return self.note
        return "met" if self.met else f"not met{f': {self.note}' if self.note else ''}"


@dataclass(slots=True)
class Results:
    """All lines, in the order in which they were measured."""

    lines: list[Line] = field(default_factory=list)

    def plain(self, engine: str, work: str, seconds: float | None, memory: float | None = None, note: str = "") -> None:
        """A figure without a target, or the reason why there is none."""
        self._add(Line(engine, work, seconds, memory, note=note))

    def at_most(
        self, engine: str, work: str, ours: tuple[float, float], beside: tuple[str, float], most: float
    ) -> None:
        """Ours (seconds, MB) takes at most ``most`` times the other."""
        ratio = ours[0] / beside[1]
        note = "" if ratio <= most else f"{(ratio - most) * beside[1]:.2f} s too long"
        self._add(Line(engine, work, *ours, *beside, f"at most {most:g}x", ratio, ratio <= most, note))

    def faster(
        self, engine: str, work: str, ours: tuple[float, float], beside: tuple[str, float], least: float
    ) -> None:
        """The other takes at least ``least`` times as long as ours (seconds, MB)."""
        ratio = beside[1] / ours[0]
        note = "" if ratio >= least else f"{ours[0] - beside[1] / least:.2f} s too long"
        self._add(Line(engine, work, *ours, *beside, f"at least {least:g}x faster", ratio, ratio >= least, note))

    def within(self, engine: str, work: str, ours: tuple[float, float], most: float) -> None:
        """Ours (seconds, MB) takes less than so many seconds."""
        note = "" if ours[0] < most else f"{ours[0] - most:.2f} s too long"
        self._add(Line(engine, work, *ours, target=f"under {most:g} s", met=ours[0] < most, note=note))

    def small(self, engine: str, work: str, ours: tuple[float, float], most: float) -> None:
        """Ours (seconds, MB) holds less than so many MB."""
        note = "" if ours[1] < most else f"{ours[1] - most:.0f} MB too much"
        self._add(Line(engine, work, *ours, target=f"under {most:g} MB", met=ours[1] < most, note=note))

    def table(self) -> str:
        """Markdown."""
        heads = ("engine", "work", "time", "peak memory", "beside", "its time", "ratio", "target", "")
        rows = [heads, tuple("---" for _ in heads), *map(_cells, self.lines)]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def data(self) -> list[dict[str, Any]]:
        return [asdict(line) for line in self.lines]

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        print("  ".join(filter(None, _cells(line))), flush=True)


def _cells(line: Line) -> tuple[str, ...]:
    return (
        line.engine,
        line.work,
        "" if line.seconds is None else f"{line.seconds:.2f} s",
        "" if line.memory is None else f"{line.memory:.0f} MB",
        line.beside,
        "" if line.other is None else f"{line.other:.2f} s",
        "" if line.ratio is None else f"{line.ratio:.2f}",
        line.target,
        line.verdict,
    )
