"""Which transactions a snapshot shows, by the text of ``pg_current_snapshot()``.

It counts transactions with 64 bits, of which a stream tells the lower 32: what is meant is the one that lies nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

_WRAP = 1 << 32


@dataclass(frozen=True, slots=True)
class Visible:
    """All below ``least`` have ended, in between those that are not ``open``; from ``beyond`` on none is seen."""

    least: int
    beyond: int
    open: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Visible:
        """ValueError for what is no snapshot."""
        least, beyond, among = text.split(":")
        return cls(int(least), int(beyond), frozenset(map(int, filter(None, among.split(",")))))

    def ended(self, transaction: int) -> bool:
        """Whether the transaction (64 bits) had ended: what it committed is seen."""
        return transaction < self.least or (transaction < self.beyond and transaction not in self.open)

    def shows(self, transaction: int) -> bool:
        """The same by the 32 bits of a stream.

        >>> seen = Visible.parse("4294967290:4294967300:4294967290,4294967297")
        >>> seen.shows(4294967289), seen.shows(0), seen.shows(1), seen.shows(4), seen.shows(4294967290)
        (True, True, False, False, False)
        """
        return self.ended(self.whole(transaction))

    def whole(self, transaction: int) -> int:
        """All 64 bits of a transaction by its lower 32."""
        near = self.beyond - self.beyond % _WRAP + transaction
        return min((near - _WRAP, near, near + _WRAP), key=lambda one: abs(one - self.beyond))
