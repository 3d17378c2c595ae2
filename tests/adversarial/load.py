"""A writer that never rests: about so many row changes a second on one side, for as long as it is wanted."""

from __future__ import annotations

import time
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Self

    from replguard.demo.servers.access import Connection
    from replguard.demo.servers.pair import Side
    from tests.servers.workspace import Workspace

RATE = 2_000
FIRST = 1_000
"""Keys below are left alone."""
_SHIFT = 10_000_000
_BATCH = 20


class Load:
    """A context manager. Rows of ``account`` above :data:`FIRST` come, change, get new keys and go again, in batches;
    those of ``setting``, whose key has two columns, change in single statements. ``rows`` counts what was changed.
    """

    def __init__(self, db: Workspace, side: Side = "blue", *, rate: int = RATE) -> None:
        self._db = db
        self._side: Side = side
        self._rate = rate
        self._stop = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="load", daemon=True)
        self.rows = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(30)
        if self._error is not None:
            raise self._error

    def wait_for(self, rows: int) -> None:
        """Until so many rows more were changed."""
        wanted = self.rows + rows
        while self.rows < wanted and self._error is None:
            time.sleep(0.01)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            with self._db.pair.server(self._side).connect(self._db.name) as connection:
                began, number = time.monotonic(), 0
                while not self._stop.is_set():
                    self._batch(connection, FIRST + number * _BATCH)
                    self._setting(connection, number)
                    number += 1
                    ahead = self.rows / self._rate - (time.monotonic() - began)
                    if ahead > 0:
                        self._stop.wait(ahead)
        except BaseException as error:  # noqa: BLE001 - it is raised where the load ends
            self._error = error

    def _batch(self, connection: Connection, first: int) -> None:
        """One transaction: insert, update, change the keys of some, and delete what is older."""
        values = ", ".join(f"({key}, 'new', NULL)" for key in range(first, first + _BATCH))
        old = first - 5 * _BATCH
        connection.run("BEGIN")
        connection.run(f"INSERT INTO account VALUES {values}")
        connection.run(f"UPDATE account SET name = 'n{first}' WHERE id BETWEEN {first - 30} AND {first - 11}")
        connection.run(f"UPDATE account SET id = id + {_SHIFT} WHERE id BETWEEN {first - 60} AND {first - 51}")
        if old >= FIRST:
            connection.run(f"DELETE FROM account WHERE id BETWEEN {old} AND {old + _BATCH - 1}")
        connection.run(f"DELETE FROM account WHERE id BETWEEN {old + _SHIFT} AND {old + _SHIFT + _BATCH - 1}")
        connection.run("COMMIT")
        self.rows += 3 * _BATCH + 10

    def _setting(self, connection: Connection, number: int) -> None:
        node = f"n{number % 40}"
        connection.run(f"DELETE FROM setting WHERE name = 'load' AND node = '{node}'")
        connection.run(f"INSERT INTO setting VALUES ('load', '{node}', 'v{number}')")
        self.rows += 2
