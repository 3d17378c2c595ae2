"""One row to be put right, and what stands around the statements for some of them: values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from replguard.model.tables import Table

    Row = tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One row of ``table``, as the side has it that is changed: put in, changed or taken out.

    ``before`` and ``after`` hold the values of ``columns`` in canonical form; the first ``width`` columns are the key,
    none where the table has none. Then the row is put in or taken out ``times`` times, and ``standing`` is how often it
    is there before.
    """

    kind: Literal["insert", "update", "delete"]
    table: Table
    columns: tuple[str, ...]
    width: int
    before: Row | None
    after: Row | None
    times: int = 1
    standing: int = 0

    def value(self, column: str, *, after: bool) -> bytes | None:
        """What the column holds before or after; None also where the row is not there then, or not read."""
        row = self.after if after else self.before
        if row is None or column not in self.columns:
            return None
        return row[self.columns.index(column)]

    def changes(self, columns: tuple[str, ...]) -> bool:
        """Whether one of these columns has another value afterwards."""
        return any(self.value(name, after=False) != self.value(name, after=True) for name in columns)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a file of repairs begins and ends with, and what its reader must know, a line each."""

    notes: tuple[str, ...]
    head: str
    foot: str
