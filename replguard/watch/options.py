"""How to watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from replguard.watch.recovery import PATIENCE
from replguard.watch.wanted import JUDGED
from replguard.watch.window import EVERYTHING, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from replguard.model.findings import Finding
    from replguard.model.links import Link
    from replguard.model.positions import Position
    from replguard.watch.checkpoint import Checkpoint
    from replguard.watch.progress import Progress
    from replguard.watch.readings import Told
    from replguard.watch.wanted import Appetite

    Breaker = Callable[[Link, Finding], tuple[Finding, ...]]
    """Called with the first leak of a link, at once; says what it did about the link."""


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Options:
    """``seconds`` is how long to watch; None: until what was there at the start is read.

    ``since`` is where to begin: for all streams alike, or positions by cluster (the others begin at the present end).
    ``until`` holds positions by cluster at which to stop. ``window`` restricts what is judged. ``audit`` looks at
    catalog and filters too. ``freeze`` tells of changes of config tables, with expected differences as of ``today``.
    ``publish`` allows a publication of inserts and truncates on a target that shows them in no other way.
    ``patience`` is for how many seconds a server may stay away. ``breaker`` is called with the first leak of a link.
    ``returned`` tells of links that run although they are said to be paused; it is asked now and then.
    ``on_told`` is called with every change, trouble and end of a transaction, and what was found by it.
    """

    seconds: float | None = None
    since: Literal["now", "start"] | Mapping[str, Position] = "now"
    until: Mapping[str, Position] = field(default_factory=dict)
    window: Window = EVERYTHING
    audit: bool = True
    freeze: bool = False
    publish: bool = False
    today: date = field(default_factory=_today)
    appetite: Appetite = JUDGED
    patience: float = PATIENCE
    checkpoint: Checkpoint | None = None
    breaker: Breaker | None = None
    returned: Callable[[], tuple[Finding, ...]] = field(default=tuple)
    on_told: Callable[[Told], None] = field(default=lambda _told: None)
    on_progress: Callable[[Progress], None] = field(default=lambda _progress: None)
    say: Callable[[str], None] = field(default=lambda _line: None)
    stopped: Callable[[], bool] = field(default=lambda: False)
