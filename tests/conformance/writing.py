"""An application that writes while something is looked at."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from replguard.demo.servers import until

if TYPE_CHECKING:
    from tests.conformance.application import Application


class writing:  # noqa: N801 - reads as what it does
    """Run statements on blue over and over while the block runs; each ``{number}`` counts up."""

    def __init__(self, app: Application, text: str, *, start: int = 1, pause: float = 0.05) -> None:
        self.app, self.text, self.start, self.pause = app, text, start, pause
        self.ended = threading.Event()
        self.count = 0
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self.thread.start()
        until(lambda: self.count > 2 or self.error is not None, "the first writes")
        return self

    def __exit__(self, *exc: object) -> None:
        self.ended.set()
        self.thread.join()
        assert self.error is None, self.error

    def _write(self) -> None:
        try:
            with self.app.db.pair.blue.connect(self.app.db.name) as connection:
                while not self.ended.wait(self.pause):
                    connection.run(self.text.format(number=self.start + self.count))
                    self.count += 1
        except Exception as error:  # noqa: BLE001 - told by the thread that waits
            self.error = error
