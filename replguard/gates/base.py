"""What a check of the gate is, and what it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from replguard.diff.progress import Progress, silent
from replguard.model.findings import Coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date

    from replguard.audit.tables import TableMap
    from replguard.config import Config
    from replguard.diff.trace import Tracing
    from replguard.engines.pair import Pair
    from replguard.model.findings import Check, Finding, Severity, Strength
    from replguard.model.links import Link


class Purpose(StrEnum):
    """What the gate is asked for."""

    setup = "setup"
    nightly = "nightly"
    switchover = "switchover"
    cutover = "cutover"
    """After the pause: links must be paused and the comparison exact."""


ALWAYS = frozenset(Purpose)


@dataclass(frozen=True, slots=True)
class Options:
    """How to look: ``window`` seconds of watching, ``settle`` seconds for rows on their way; ``today`` for expiry.

    ``to`` names the cluster that traffic is to be moved to. ``deadline`` seconds is the longest that a check may take
    beyond its own time, ``only`` the ids of the gates that are asked (None: all), for who wants a part. ``trace`` asks
    who changed rows that differ. ``pause`` seconds is how long the pause is planned to last, None: as the config
    says. With ``marker`` a token is written into the table of ``gate.marker`` on the source of each running link:
    nothing else makes the gate write.
    """

    today: date
    window: float = 5.0
    settle: float = 30.0
    mask: bool = False
    progress: Callable[[Progress], None] = silent
    to: str | None = None
    deadline: float = 60.0
    only: frozenset[str] | None = None
    trace: Tracing | None = None
    marker: bool = False
    pause: float | None = None


@dataclass(frozen=True, slots=True)
class Roles:
    """Which cluster serves now and which waits, by their names; both None where it is not known, ``why`` says so."""

    active: str | None
    passive: str | None
    why: str


class Control(Protocol):
    """What a check may know of pauses; the room of control fills it in."""

    def receipt(self) -> Mapping[str, Any] | None:
        """The receipt of the pause that holds, None where none does."""
        ...

    def against_pause(self, pair: Pair) -> Sequence[str]:
        """What speaks against the pause holding as its receipt says, in clauses."""
        ...

    def marking(self, cluster: str, statement: str) -> AbstractContextManager[None]:
        """Show a statement that is about to be run on a cluster, and keep it in the journal until the context ends."""
        ...

    def attested(self) -> Mapping[str, Mapping[str, Any]]:
        """What people have attested, by name: ``by``, ``at``, and the fingerprint of the ``text``."""
        ...

    def operators(self, pair: Pair) -> Sequence[tuple[str, str]]:
        """Clusters on which somebody holds the operators' lock, each with who it is and since when."""
        ...

    def places(self, pair: Pair, links: Sequence[Link]) -> Check:
        """Whether each link finds on its source what it needs next, as a resume would ask."""
        ...

    def retention(
        self, pair: Pair, links: Sequence[Link], pause: float, sample: float, severity: Severity
    ) -> Sequence[Finding]:
        """How long each log is kept that a pause of ``pause`` seconds needs; ``severity`` for one that is too short.

        A rate is measured over ``sample`` seconds where a server knows none.
        """
        ...

    def unfinished(self) -> Sequence[tuple[str, str]]:
        """What was begun and not finished, in sentences, each with what finishes it."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a check may look at. ``links`` are those between the two clusters, ``all_links`` any others too.

    Both were read when the gate began, as were ``tables``. ``pair`` belongs to this check alone as long as it runs:
    other checks run at the same time on connections of their own. ``earlier`` are the checks of the gates in ``after``.
    """

    pair: Pair
    config: Config
    tables: TableMap
    links: tuple[Link, ...]
    all_links: tuple[Link, ...]
    purpose: Purpose
    options: Options
    roles: Roles
    control: Control
    earlier: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a gate has to say: one check or more, and what it covered."""

    checks: tuple[Check, ...]
    coverage: Coverage = field(default_factory=Coverage)
    strength: Strength | None = None


class Gate(ABC):
    """One question that the gate asks. The texts make its page in the documents; they are Markdown.

    ``id`` names its check, ``title`` is a clause that holds where it passes; ``purpose`` says why one wants to know,
    ``reads`` what is read of which server, ``remedy`` what helps where it does not pass, ``limits`` what a pass does
    not prove. ``codes`` are the finding codes that it may give (beside ``check.not_run``), ``when`` the purposes it is
    asked for. It runs when the gates in ``after`` are done. ``takes`` says how many seconds it may take by what was
    asked, beyond :attr:`Options.deadline`.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    purpose: ClassVar[str]
    reads: ClassVar[str]
    remedy: ClassVar[str]
    limits: ClassVar[str] = ""
    codes: ClassVar[tuple[str, ...]]
    when: ClassVar[frozenset[Purpose]] = ALWAYS
    after: ClassVar[tuple[str, ...]] = ()

    def takes(self, options: Options) -> float:  # noqa: ARG002 - most take no time of their own
        return 0.0

    @abstractmethod
    def run(self, context: Context) -> Outcome:
        """Look, and say what was found. ServerError where the servers do not let it look."""
