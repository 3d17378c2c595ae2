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
    from replguard.engines.binlog.rowvalues import Bytes, Decode

    KeySpot = tuple[str, Decode, int, int, int]
    """A column of the key: its name, what tells it, its stretch, the bytes before its value there, and its size."""

_MOST_WALKS = 256
"""Beyond so many patterns of NULLs the ways are worked out anew."""


class Walk:
    """The way through the rows of an image with one pattern of NULLs.

    A row is cut into stretches, each of which ends with a value of variable size. ``spots`` tells of each column that
    is not NULL in which stretch it lies, how many bytes after that stretch's begin, the bytes of its length (0 where
    its size is fixed), and that size; ``columns`` lists the columns of each stretch. ``image`` holds all columns that
    the image has, NULL or not. ``key`` is for who decodes, to note where the key lies.
    """

    __slots__ = ("_steps", "_tail", "columns", "image", "key", "spots")

    def __init__(self, image: frozenset[int], columns: Sequence[int], wires: Sequence[Wire]) -> None:
        self.image = image
        self.key: tuple[KeySpot, ...] | None = None
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
        self.columns = tuple(tuple(p for p in columns if self.spots[p][0] == number) for number in range(count))
        self._steps = tuple(steps)
        self._tail = offset

    def stretches(self, data: Bytes, at: int) -> list[int]:
        """Where each stretch begins, and as the last where the row ends: beyond the data if these end too early."""
        begins = [at]
        try:
            for offset, prefix in self._steps:
                at += offset
                if prefix == 1:
                    at += 1 + data[at]
                elif prefix == 2:
                    at += 2 + data[at] + (data[at + 1] << 8)
                else:
                    length = data[at : at + prefix]
                    at += prefix + int.from_bytes(length, "little")
                begins.append(at)
        except IndexError:
            return [*begins, len(data) + 1]
        if self._tail:
            begins.append(at + self._tail)
        return begins

    def bounds(self, place: int, begins: Sequence[int], size: int) -> tuple[int, int]:
        """Where the value of a column that is not NULL begins and ends: beyond ``size`` if it is not there."""
        stretch, offset, prefix, fixed = self.spots[place]
        if stretch >= len(begins):
            return 0, size + 1
        start = begins[stretch] + offset + prefix
        if not prefix:
            return start, start + fixed
        return start, begins[stretch + 1] if stretch + 1 < len(begins) else size + 1


class Image:
    """One kind of row image: which columns it has, and the ways through its rows by the bytes that tell of NULLs."""

    __slots__ = ("_wires", "null_size", "places", "walks")

    def __init__(self, bitmap: bytes, wires: Sequence[Wire]) -> None:
        self._wires = wires
        self.places = tuple(place for place in range(len(wires)) if bitmap[place // 8] >> place % 8 & 1)
        self.null_size = (len(self.places) + 7) // 8
        self.walks: dict[Bytes, Walk] = {}

    def walk(self, nulls: Bytes) -> Walk | None:
        """The way through a row; None where not even what tells of NULLs is there."""
        found = self.walks.get(nulls)
        if found is not None or len(nulls) < self.null_size:
            return found
        there = [place for number, place in enumerate(self.places) if not nulls[number // 8] >> number % 8 & 1]
        if len(self.walks) >= _MOST_WALKS:
            self.walks.clear()
        self.walks[bytes(nulls)] = found = Walk(frozenset(self.places), there, self._wires)
        return found
