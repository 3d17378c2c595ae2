"""Writers that note what they committed: afterwards every row must stand once on each side, and none besides."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Self

    from replguard.demo.servers import Side
    from tests.servers.workspace import Workspace

TABLES = ("ledger", "book")
"""PostgreSQL: each travels over a link of its own."""
PAUSE = 0.02


@dataclass(slots=True)
class Notes:
    """Numbers that were committed, and those of which the server's answer was lost."""

    committed: set[int] = field(default_factory=set)
    unsure: set[int] = field(default_factory=set)


class Writer:
    """Writes rows on one side until it is told to stop, over a new connection wherever the old one was lost."""

    def __init__(self, db: Workspace, side: Side) -> None:
        self._db = db
        self.side: Side = side
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"writer on {side}", daemon=True)
        self.notes = {table: Notes() for table in TABLES}
        self._number = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(30)

    @property
    def count(self) -> int:
        return sum(len(notes.committed) for notes in self.notes.values())

    def _run(self) -> None:
        while not self._stop.is_set():
            table = TABLES[self._number % len(TABLES)]
            try:
                with self._db.pair.server(self.side).connect(self._db.name) as connection:
                    for _ in range(10):
                        self._write(connection, table)
                        if self._stop.wait(PAUSE):
                            return
            except Exception:  # noqa: BLE001 - whatever a driver says of a server that goes away
                self._stop.wait(PAUSE)

    def _write(self, connection: Any, table: str) -> None:
        self._number += 1
        number, notes = self._number, self.notes[table]
        notes.unsure.add(number)
        connection.run(f"INSERT INTO {table} VALUES ({number}, '{self.side}')")
        notes.unsure.discard(number)
        notes.committed.add(number)


def balance(db: Workspace, writers: list[Writer]) -> list[str]:
    """What is lost, doubled or not the same on both sides; to be asked when both have caught up."""
    wrong = []
    for table in TABLES:
        stands = {side: _rows(db, side, table) for side in ("blue", "green")}
        if stands["blue"] != stands["green"]:
            apart = (stands["blue"] - stands["green"]) + (stands["green"] - stands["blue"])
            wrong.append(f"{table} is not the same on both sides: {sorted(apart.items())[:10]} of {len(apart)}")
        for side, rows in stands.items():
            doubled = [row for row, count in rows.items() if count > 1]
            lost = [
                (number, writer.side)
                for writer in writers
                for number in writer.notes[table].committed
                if (number, writer.side) not in rows
            ]
            wrong += [f"{table} on {side}: {len(doubled)} rows are doubled: {doubled[:5]}"] if doubled else []
            wrong += [f"{table} on {side}: {len(lost)} rows are lost: {sorted(lost)[:5]}"] if lost else []
    return wrong


def _rows(db: Workspace, side: Any, table: str) -> Counter[tuple[int, str]]:
    return Counter((int(number), str(by)) for number, by in db.query(side, f"SELECT n, written_by FROM {table}"))
