"""A snapshot of tables that lie in memory, in an order of its own: for tests of what is made of a server's answers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.diff.tasks import Answer, Carrier
from replguard.errors import DeadlineError
from replguard.model.chunks import WHOLE, Function, KeyRange, Portion, Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor
    from contextlib import ExitStack
    from typing import Any

    from replguard.engines.base import Row
    from replguard.model.tables import Table

SHA = Function("sha")


@dataclass
class View:
    """Rows by table; ``order`` is how this server compares keys. ``too_large`` rows have no hash with that function."""

    rows: dict[str, list[Row]]
    order: Callable[[Row], Any] = lambda key: key
    offered: tuple[Function, ...] = (SHA,)
    too_large: tuple[str, Callable[[Row], bool]] = ("", lambda _row: False)
    most: int | None = None
    """More rows than this in one portion take too long."""
    gold: bytes = b"gold"
    asked: list[str] = field(default_factory=list)

    def functions(self, table: Table, columns: Sequence[str]) -> tuple[Function, ...]:
        return self.offered

    def golden(self, function: Function) -> bytes:
        return self.gold

    def has_ranges(self, table: Table) -> bool:
        return bool(table.key)

    def sums(self, portions: Sequence[Portion]) -> list[Sum]:
        self.asked.append(f"sums {len(portions)}")
        return [self._sum(portion) for portion in portions]

    def _sum(self, portion: Portion) -> Sum:
        rows = self._within(portion.table, portion.within)
        if self.most is not None and len(rows) > self.most:
            raise DeadlineError("too long")
        name, large = self.too_large
        hashed = [row for row in rows if not (name == portion.function and large(row))]
        return Sum(len(rows), len(hashed), sum(hash_of(portion.function, row) for row in hashed))

    def words(self, portion: Portion) -> list[bytes]:
        width = 0 if portion.within.nulls else len(portion.table.key)
        return [
            b":".join([*(value.hex().encode() for value in row[:width] if value is not None), b"%x" % digest])
            for row in self._within(portion.table, portion.within)
            for digest in [hash_of(portion.function, row)]
        ]

    def key_of_word(self, table: Table, word: bytes) -> Row:
        return tuple(bytes.fromhex(part.decode()) for part in word.split(b":")[:-1])

    def boundary(self, table: Table, lower: Row | None, rows: int) -> Row | None:
        keys = self._keys(table, KeyRange(lower, None))
        return keys[rows] if rows < len(keys) else None

    def highest(self, table: Table) -> Row | None:
        keys = self._keys(table, WHOLE)
        return keys[-1] if keys else None

    def read(self, table: Table, columns: Sequence[str], within: KeyRange = WHOLE) -> Iterator[Row]:
        return iter(self._within(table, within))

    def read_keys(self, table: Table, columns: Sequence[str], keys: Sequence[Row]) -> Iterator[Row]:
        wanted, width = set(keys), len(table.key)
        return (row for row in self.rows[table.name.name] if row[:width] in wanted)

    def _keys(self, table: Table, within: KeyRange) -> list[Row]:
        width = len(table.key)
        return sorted((row[:width] for row in self._within(table, within)), key=self.order)

    def _within(self, table: Table, within: KeyRange) -> list[Row]:
        width = len(table.key)
        rows = self.rows[table.name.name]
        if not width:
            return rows
        if within.nulls:
            return [row for row in rows if None in row[:width]]
        return [
            row
            for row in rows
            if None not in row[:width]
            and (within.lower is None or self.order(row[:width]) >= self.order(within.lower))
            and (within.upper is None or self.order(row[:width]) < self.order(within.upper))
        ]


def hash_of(function: str, row: Row) -> int:
    return int.from_bytes(hashlib.blake2b(repr((function, row)).encode(), digest_size=8).digest(), "big")


class Direct(Carrier):
    """Carries questions to views that have no server, in threads of its own."""

    def __init__(self, blue: View, green: View, executor: Executor | None = None) -> None:
        self._views = {"blue": blue, "green": green}
        super().__init__(dict.fromkeys(self._views), executor)  # type: ignore[arg-type]

    def ask(self, cluster: str, question: Any, *arguments: Any) -> Any:
        executor = self._executor or self._executors[cluster]
        return executor.submit(lambda: Answer(question(self._views[cluster], *arguments)))

    def interrupt(self) -> None:
        """Nothing runs long."""


def carrier(stack: ExitStack, blue: View, green: View) -> Direct:
    return stack.enter_context(Direct(blue, green))
