"""Where the values of a row image lie.

Which columns an image has is told once an event, which of them are NULL once a row. For each pattern of NULLs the way
through a row is worked out once: runs of columns with a fixed size are passed over in one step, so that reading a key
costs as much as there are columns of variable size, and no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from replguard.engines.binlog.columntypes import Wire
    from replguard.engines.binlog.rowvalues import Bytes

_MOST_WALKS = 256
"""Beyond so many patterns of NULLs the ways are worked out anew."""


class Walk:
    """The way through rows with one pattern of NULLs.

    A row is cut into stretches, each of which ends with a value of variable size. ``spots`` tells of each column that
    is not NULL in which stretch it lies, how many bytes after that stretch's begin, the bytes of its length (0 where
    its size is fixed), and that size; ``stretches_of`` lists the columns of each stretch.
    """

    __slots__ = ("_steps", "_tail", "spots", "stretches_of")

    def __init__(self, columns: Sequence[int], wires: Sequence[Wire]) -> None:
        self.spots: dict[int, tuple[int, int, int, int]] = {}
        steps: list[tuple[int, int]] = []
        offset = 0
        for place in columns:
            wire = wires[place]
            self.spots[place] = (len(steps), offset, wire.prefix, wire.size)
            if wire.prefix:
                steps.append((offset, wire.prefix))
                offset = 0
            else:
                offset += wire.size
        count = len(steps) + bool(offset)
        self.stretches_of = tuple(tuple(p for p in columns if self.spots[p][0] == number) for number in range(count))
        self._steps = tuple(steps)
        self._tail = offset

    def stretches(self, data: Bytes, at: int) -> list[int]:
        """Where each stretch begins, and as the last where the row ends: beyond the data if these end too early."""
        size = len(data)
        begins = [at]
        for offset, prefix in self._steps:
            at += offset
            if at + prefix > size:
                return [*begins, size + 1]
            if prefix == 1:
                at += 1 + data[at]
            elif prefix == 2:
                at += 2 + data[at] + (data[at + 1] << 8)
            else:
                at += prefix + int.from_bytes(data[at : at + prefix], "little")
            begins.append(at)
        if self._tail:
            begins.append(at + self._tail)
        return begins

    def bounds(self, place: int, begins: Sequence[int], end: int) -> tuple[int, int]:
        """Where the value of a column that is not NULL begins and ends: beyond ``end`` if it is not there."""
        stretch, offset, prefix, size = self.spots[place]
        if stretch >= len(begins):
            return 0, end + 1
        start = begins[stretch] + offset
        if not prefix:
            return start, start + size
        return start + prefix, begins[stretch + 1] if stretch + 1 < len(begins) else end + 1


class Image:
    """One kind of row image: which columns it has. ``walk`` gives the way through a row and where its values begin."""

    __slots__ = ("_null_size", "_walks", "_wires", "has", "places")

    def __init__(self, bitmap: bytes, wires: Sequence[Wire]) -> None:
        self._wires = wires
        self.places = tuple(place for place in range(len(wires)) if bitmap[place // 8] >> place % 8 & 1)
        self.has = frozenset(self.places)
        self._null_size = (len(self.places) + 7) // 8
        self._walks: dict[bytes, Walk] = {}

    def walk(self, data: Bytes, at: int) -> tuple[Walk | None, int]:
        """The way through the row at ``at``, or None where not even its NULLs are there; and where its values begin."""
        begin = at + self._null_size
        nulls = bytes(data[at:begin])
        if len(nulls) < self._null_size:
            return None, begin
        found = self._walks.get(nulls)
        return (found or self._worked_out(nulls)), begin

    def _worked_out(self, nulls: bytes) -> Walk:
        there = [place for number, place in enumerate(self.places) if not nulls[number // 8] >> number % 8 & 1]
        if len(self._walks) >= _MOST_WALKS:
            self._walks.clear()
        self._walks[nulls] = found = Walk(there, self._wires)
        return found
