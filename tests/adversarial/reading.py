"""Reads files with the product's reader, and says what of its answer is meaning.

Two answers mean the same when a guard would judge them alike: operation, tables, transaction, origin, rows, key, text
and default database of every change, in order. Positions and times are told beside that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.engines.base import NAMES, Wanted
from replguard.engines.binlog.events import HEADER, HEADER_SIZE
from replguard.engines.binlog.reader import BinlogReader
from replguard.model.changes import Change, Interest, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from replguard.engines.base import Tally
    from replguard.model.changes import StreamItem

HEAD = 4
Named = tuple[str, bytes]
WANTED = {
    "counted": Wanted(lambda _name: Interest.counted),
    "named": NAMES,
    "keyed": Wanted(lambda _name: Interest.keyed),
    "whole": Wanted(lambda _name: Interest.whole),
}
"""What a reader may be asked for: the less, the more of it is done by its quick path."""


@dataclass(frozen=True)
class Answer:
    """What the reader told of one or some files."""

    items: tuple[StreamItem, ...]
    tally: Tally

    @property
    def counts(self) -> tuple[Any, ...]:
        """What was read, whether it was handed out or not."""
        return self.tally.events, self.tally.bytes, self.tally.transactions, self.tally.changes

    @property
    def troubles(self) -> list[Trouble]:
        return [item for item in self.items if isinstance(item, Trouble)]

    @property
    def changes(self) -> list[Change]:
        return [item for item in self.items if isinstance(item, Change)]

    @property
    def meaning(self) -> list[tuple[Any, ...]]:
        return [meaning(change) for change in self.changes]


def meaning(change: Change) -> tuple[Any, ...]:
    skipped = change.detail.get("skip_replication", False)
    return (
        change.operation,
        change.tables,
        change.transaction,
        change.origin,
        change.detail.get("server_id"),
        change.rows,
        sorted(change.key.items(), key=str) if change.key else None,
        change.changed,
        change.statement,
        change.default_schema,
        skipped,
    )


def read(flavour: Any, files: Sequence[Named], *, portion: int | None = None, wanted: Wanted = NAMES) -> Answer:
    """The files one after the other, as whoever reads a folder of logs does; bytes in portions of this size."""
    items: list[StreamItem] = []
    reader = BinlogReader(flavour, files[0][0], wanted=wanted)
    for number, (name, data) in enumerate(files):
        if number:
            items += reader.next_file(name)
        body = data[HEAD:]
        size = portion or len(body) or 1
        for start in range(0, len(body), size):
            items += reader.take(body[start : start + size])
    items += reader.end()
    return Answer(tuple(items), reader.tally)


def read_by_event(flavour: Any, files: Sequence[Named], *, wanted: Wanted = NAMES) -> Answer:
    """The same, handed over event by event, as a live stream is."""
    items: list[StreamItem] = []
    reader = BinlogReader(flavour, files[0][0], wanted=wanted)
    for number, (name, data) in enumerate(files):
        if number:
            items += reader.next_file(name)
        for raw in events(data):
            items += reader.feed(raw)
    items += reader.end()
    return Answer(tuple(items), reader.tally)


def events(data: bytes) -> Iterator[bytes]:
    """Cut a sound file into its events; a torn rest comes as it is."""
    at = HEAD
    while at < len(data):
        whole = at + HEADER_SIZE <= len(data)
        size = HEADER.unpack_from(data, at)[3] if whole else len(data) - at
        end = at + size if HEADER_SIZE <= size <= len(data) - at else len(data)
        yield data[at:end]
        at = end
