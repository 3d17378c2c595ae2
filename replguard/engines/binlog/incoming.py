"""A large event on its way in: from a file or from several packets, and unpacked as it comes where it is compressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.events import Damage, NotUnderstood
from replguard.engines.binlog.large import LargeEvent
from replguard.engines.binlog.payloads import Payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.engines.binlog.events import Format, Header
    from replguard.engines.binlog.large import Packets
    from replguard.engines.binlog.payloads import Inner

    Read = Callable[[Iterator[Inner], Format], None]


class Incoming:
    """``form`` is the file's, where one is known; ``read`` takes the events of a compressed transaction as they come
    out, and None means that the event is none.
    """

    def __init__(self, header: Header, form: Format | None, packets: Packets | None, read: Read | None) -> None:
        self._form = form
        self._packets = packets
        self._read = read
        self._payload = Payload()
        self._wrong: Damage | NotUnderstood | None = None
        sink = self._unpack if read is not None and form is not None else None
        self.event = LargeEvent(header, checksum=form.checksum if form else False, sink=sink)

    @property
    def compressed(self) -> bool:
        return self._read is not None

    def take(self, data: bytes, at: int) -> tuple[int, bool]:
        """Give the event its next bytes; return where they end, and whether the event does too."""
        if self._packets is not None:
            return self._packets.take(data, at, self.event)
        part = memoryview(data)[at : at + self.event.missing]
        self.event.take(part)
        return at + len(part), not self.event.missing

    def _unpack(self, part: memoryview) -> None:
        """What turns out to be wrong is told when all has come."""
        if self._wrong is None:
            self._guarded(self._payload.take(part))

    def _guarded(self, inside: Iterator[Inner]) -> None:
        if self._read is None or self._form is None:
            return
        try:
            self._read(inside, self._form)
        except (Damage, NotUnderstood) as wrong:
            self._wrong = wrong

    def end_inside(self) -> None:
        """All of a compressed transaction has come. Raises Damage and NotUnderstood."""
        if self._wrong is None:
            self._guarded(self._payload.end())
        if self._wrong is not None:
            raise self._wrong
