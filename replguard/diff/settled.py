"""What becomes of one table's differences, and what settling needs from those who read tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from replguard.audit.tables import PairedTable
    from replguard.diff.result import Difference, Identity, TableResult
    from replguard.engines.base import Row, Snapshot


@dataclass(frozen=True, slots=True)
class Explanation:
    """What explains that a row differed for a while: the last change of it, as far as a stream told it.

    Without a stream there is only the position up to which its links had brought everything.
    """

    position: str = ""
    transaction: str | None = None
    committed_at: datetime | None = None
    origin: str | None = None
    link: str | None = None


@dataclass(slots=True)
class Settled:
    """One table after settling.

    ``drift`` and those of ``unsettled`` that differ are keys of ``result.differences``, as they were read last; a key
    of ``unsettled`` that is not there was equal when it was read last, but a change of it lay between the two sides.
    ``unsettled`` says why. ``in_flight`` differed once and is equal now. ``unlisted`` counts differences beyond the
    list, of which single rows cannot be followed: they are drift if ``open`` is None. ``open`` says why the table as a
    whole is not settled. ``moved`` counts the rows that moved while they were compared, and were settled.
    """

    result: TableResult
    drift: list[Identity] = field(default_factory=list)
    in_flight: dict[Identity, Explanation] = field(default_factory=dict)
    unsettled: dict[Identity, str] = field(default_factory=dict)
    unlisted: int = 0
    open: str | None = None
    moved: int = 0


class Reader(Protocol):
    """Reads tables again within the views of a later round, by cluster."""

    def reread(
        self, views: Mapping[str, Snapshot], table: PairedTable, keys: Sequence[Row]
    ) -> Mapping[Row, Difference]:
        """Those of these rows that differ now, by the rules of the comparison; what is not there is equal.

        Only for results that are keyed by the table's own key. Raises ServerError.
        """
        ...

    def again(self, views: Mapping[str, Snapshot], before: Sequence[TableResult]) -> list[TableResult]:
        """Tables that differed: those rows again where all of them are known, else the tables as a whole."""
        ...

    def recompare(self, views: Mapping[str, Snapshot], paired: Sequence[PairedTable]) -> list[TableResult]:
        """These tables compared whole again, in their order."""
        ...
