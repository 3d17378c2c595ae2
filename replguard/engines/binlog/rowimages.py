"""Row images: the key of each row that an event changes, which columns differ, and the values where they are wanted.

Only what is asked for is decoded; the rest is passed over by its length. A row must end where the event ends: what does
not fit is Damage, so that a table map that does not belong to an event is noticed.

Source: the servers' public descriptions of the row events. Version 2 has a block of extra data before the columns;
MySQL's partial update has a list of JSON columns of which only differences are written; MariaDB's compressed events
have everything behind the columns compressed.
"""

from __future__ import annotations

import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from replguard.engines.binlog.columntypes import TypeCode
from replguard.engines.binlog.events import Damage, EventType, Fields, Format, MariaDBEvent, MySQLEvent, NotUnderstood
from replguard.engines.binlog.rowlayout import layout
from replguard.engines.binlog.rowvalues import Untold
from replguard.engines.binlog.rowwalks import Image
from replguard.engines.binlog.tablemaps import ROW_EVENTS, id_size
from replguard.model.changes import Interest, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replguard.engines.binlog.events import Flavour
    from replguard.engines.binlog.rowvalues import Bytes
    from replguard.engines.binlog.rowwalks import Walk
    from replguard.engines.binlog.tablemaps import MappedTable
    from replguard.model.tables import Table

    Values = Mapping[str, Any]

MOST_UNCOMPRESSED = 16 * 1024 * 1024
"""Of a compressed event so much is unpacked, which bounds memory: enough for every event but that of one huge row."""
_HAS_EXTRA = frozenset(
    {
        *(MySQLEvent.WRITE_ROWS, MySQLEvent.UPDATE_ROWS, MySQLEvent.DELETE_ROWS, MySQLEvent.PARTIAL_UPDATE_ROWS),
        *(MariaDBEvent.WRITE_ROWS_COMPRESSED, MariaDBEvent.UPDATE_ROWS_COMPRESSED, MariaDBEvent.DELETE_ROWS_COMPRESSED),
    }
)
_COMPRESSED = frozenset(kind for kind in ROW_EVENTS if isinstance(kind, MariaDBEvent))
_PARTIAL_JSON = 1
_HEAD = 16
_NO_PLACES: frozenset[int] = frozenset()


class RowImage(NamedTuple):
    """One row of an event.

    ``key`` maps the key's columns to their values, as reports show them but never shortened; None where it cannot be
    told. ``old_key`` is there only where an update moved the key. ``changed`` names the columns of an update whose
    bytes differ, None where the images cannot tell. ``before`` and ``after`` hold, where they were asked for, the
    values that the image has; what cannot be told exactly is left out.
    """

    key: Values | None = None
    old_key: Values | None = None
    changed: frozenset[str] | None = None
    before: Values | None = None
    after: Values | None = None


class _Row(NamedTuple):
    """Where one row of one image lies: the way through it, and where its stretches begin; the last is the row's end."""

    image: Image
    walk: Walk
    begins: list[int]


class _Cut(Exception):  # noqa: N818 - raised where the data ends; the caller knows whether it may
    def __init__(self, row: _Row | None = None) -> None:
        self.row = row


class _Opened(NamedTuple):
    """An event behind its head: which images each row has, and their bytes."""

    before: Image | None
    after: Image | None
    data: Bytes
    whole: bool
    partial: bool


class RowDecoder:
    """Decodes the row events of one table map. The same map means the same rows: keep a decoder by the map's bytes.

    ``cut`` says of the last event that it was too large to be unpacked whole, so that rows after the last one told may
    be missing. Making one raises NotUnderstood for a table map whose columns have sizes that nobody here knows.
    """

    def __init__(self, table_map: MappedTable, interest: Interest, shape: Table | None, flavour: Flavour) -> None:
        found = layout(table_map, shape, flavour)
        self.cut = False
        self._layout = found
        self._images: dict[bytes, Image] = {}
        self._compares = interest >= Interest.keyed and bool(found.names)
        self._values = interest >= Interest.whole and bool(found.names)
        places = (found.key or ()) if interest >= Interest.keyed else ()
        self._key = tuple((found.names[place], place, found.decoders[place]) for place in places)
        self._head_size = 9 + 2 * ((len(found.wires) + 7) // 8)
        self._json = tuple(place for place, wire in enumerate(found.wires) if wire.code is TypeCode.JSON)

    def rows(self, kind: EventType, body: Bytes, form: Format, *, whole: bool = True) -> Iterator[RowImage]:
        """The rows of one event; ``body`` is what follows its header, without a checksum.

        With ``whole=False`` the body is the first part of a larger one: rows are told as far as they are there, and the
        last with its key if that is there (of an update the key that it had before); at least one row in any case.
        Raises Damage and NotUnderstood.
        """
        opened = self._opened(kind, body, form, whole=whole)
        data, at = opened.data, 0
        size = len(data)
        if not size:
            yield self._empty(opened)
        read = self._update if opened.before and opened.after else self._single
        while at < size:
            try:
                row, end = read(opened, at)
            except _Cut as cut:
                if opened.whole:
                    raise Damage("the last row of an event ends too early") from None
                yield RowImage(self._key_of(data, cut.row) if cut.row else None)
                return
            yield row
            if end == at:
                return
            at = end

    @staticmethod
    def _empty(opened: _Opened) -> RowImage:
        """An image of no columns takes no bytes: then there is a row of which nothing is known."""
        if opened.whole and any(image.places for image in (opened.before, opened.after) if image):
            raise Damage("a row event without a row")
        return RowImage()

    def _opened(self, kind: EventType, body: Bytes, form: Format, *, whole: bool) -> _Opened:
        """Read the head of an event, up to its rows."""
        fields = Fields(bytes(body[:_HEAD]))
        fields.take(id_size(form, kind) + 2)
        if kind in _HAS_EXTRA:
            extra = fields.number(2) - 2
            if extra < 0:
                raise Damage("a row event says that its extra data is shorter than nothing")
            fields.at += extra
        fields = Fields(bytes(body[: fields.at + self._head_size]), fields.at)
        if fields.packed() != len(self._layout.wires):
            raise Damage("a row event has not as many columns as its table map")
        operation = ROW_EVENTS[kind]
        before = self._image(fields) if operation is not Operation.insert else None
        after = self._image(fields) if operation is not Operation.delete else None
        data = body[fields.at :]
        self.cut = False
        if kind in _COMPRESSED:
            data, self.cut = _inflated(data, whole=whole)
        return _Opened(before, after, data, whole and not self.cut, kind is MySQLEvent.PARTIAL_UPDATE_ROWS)

    def _image(self, fields: Fields) -> Image:
        bitmap = fields.take((len(self._layout.wires) + 7) // 8)
        found = self._images.get(bitmap)
        if found is None:
            found = self._images[bitmap] = Image(bitmap, self._layout.wires)
        return found

    def _single(self, opened: _Opened, at: int) -> tuple[RowImage, int]:
        data = opened.data
        row = _placed(opened.before or opened.after, data, at)
        key = self._key_of(data, row)
        if not self._values:
            return RowImage(key), row.begins[-1]
        values = self._values_of(data, row)
        return RowImage(key, None, None, *((values, None) if opened.before else (None, values))), row.begins[-1]

    def _update(self, opened: _Opened, at: int) -> tuple[RowImage, int]:
        data = opened.data
        before = _placed(opened.before, data, at)
        old = self._key_of(data, before)
        at = before.begins[-1]
        try:
            at, differing = self._differences(data, at) if opened.partial else (at, _NO_PLACES)
            after = _placed(opened.after, data, at)
        except _Cut:
            raise _Cut(before) from None
        key = self._key_of(data, after, before)
        changed = self._changed(data, before, after, differing) if self._compares else None
        told = RowImage(key, old if old != key else None, changed)
        if self._values:
            values = self._values_of(data, before), self._values_of(data, after, differing)
            told = told._replace(before=values[0], after=values[1])
        return told, after.begins[-1]

    def _differences(self, data: Bytes, at: int) -> tuple[int, frozenset[int]]:
        """Which JSON columns of the row hold differences instead of values: a bit for each of the table."""
        options, at = _packed(data, at)
        if options & ~_PARTIAL_JSON:
            raise NotUnderstood(f"value options {options} of a row")
        if not options:
            return at, _NO_PLACES
        end = at + (len(self._json) + 7) // 8
        bits = int.from_bytes(data[at:end], "little")
        return end, frozenset(place for number, place in enumerate(self._json) if bits >> number & 1)

    def _key_of(self, data: Bytes, row: _Row, other: _Row | None = None) -> Values | None:
        """The key; what the row's image has not got is taken from the other one, where it is as it was."""
        if not self._key:
            return None
        key: dict[str, Any] = {}
        size = len(data)
        for name, place, decode in self._key:
            walk, begins = row.walk, row.begins
            if place not in walk.spots:
                if other is None or place in row.image.has or place not in other.walk.spots:
                    return None
                walk, begins = other.walk, other.begins
            start, end = walk.bounds(place, begins, size)
            if end > size:
                return None
            try:
                key[name] = decode(data, start, end)
            except Untold:
                return None
        return key

    def _values_of(self, data: Bytes, row: _Row, differing: frozenset[int] = frozenset()) -> Values:
        names, decoders = self._layout.names, self._layout.decoders
        values: dict[str, Any] = {}
        for place in row.image.places:
            if place not in row.walk.spots:
                values[names[place]] = None
            elif place not in differing:
                with suppress(Untold):
                    values[names[place]] = decoders[place](data, *row.walk.bounds(place, row.begins, len(data)))
        return values

    def _changed(self, data: Bytes, before: _Row, after: _Row, differing: frozenset[int]) -> frozenset[str] | None:
        """The columns whose bytes differ. A column that only the new image has was set, perhaps to what it was."""
        if not after.image.has <= before.image.has | differing:
            return None
        if before.walk is after.walk and not differing:
            places = _unlike_stretches(data, after.walk, before.begins, after.begins)
        else:
            places = list(after.image.places)
        names = self._layout.names
        return frozenset(names[place] for place in places if _differs(data, before, after, place, differing))


def _placed(image: Image | None, data: Bytes, at: int) -> _Row:
    """Where a row lies; Cut with what is there of it, where the data ends before it does."""
    assert image is not None  # noqa: S101 - an event has the images of its kind
    walk, at = image.walk(data, at)
    if walk is None:
        raise _Cut
    row = _Row(image, walk, walk.stretches(data, at))
    if row.begins[-1] > len(data):
        raise _Cut(row)
    return row


def _unlike_stretches(data: Bytes, walk: Walk, ours: list[int], theirs: list[int]) -> list[int]:
    """The columns of those stretches of two rows that are not the same bytes."""
    places: list[int] = []
    for number, columns in enumerate(walk.stretches_of):
        if data[ours[number] : ours[number + 1]] != data[theirs[number] : theirs[number + 1]]:
            places += columns
    return places


def _differs(data: Bytes, before: _Row, after: _Row, place: int, differing: frozenset[int]) -> bool:
    if place not in after.walk.spots:
        return place in before.walk.spots
    start, end = after.walk.bounds(place, after.begins, len(data))
    if place in differing:
        return end > start
    if place not in before.walk.spots:
        return True
    old_start, old_end = before.walk.bounds(place, before.begins, len(data))
    return data[start:end] != data[old_start:old_end]


def _packed(data: Bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer, and where it ends."""
    fields = Fields(bytes(data[at : at + 9]))
    try:
        return fields.packed(), at + fields.at
    except Damage:
        if len(data) - at < 9:
            raise _Cut from None
        raise


def _inflated(data: Bytes, *, whole: bool) -> tuple[bytes, bool]:
    """The rows of a compressed event, and whether only the first part of them was unpacked."""
    head = bytes(data[:8])
    size = head[0] & 7 if head else 0
    if head and head[0] >> 4 & 7:
        raise NotUnderstood(f"compression algorithm {head[0] >> 4 & 7} of rows")
    if not 1 <= size <= 4 or len(head) <= size:
        raise Damage("a compressed row event does not say how long it is")
    length = int.from_bytes(head[1 : 1 + size], "big")
    unpacker = zlib.decompressobj()
    try:
        rows = unpacker.decompress(data[1 + size :], min(length, MOST_UNCOMPRESSED) + 1)
    except zlib.error:
        raise Damage("a compressed row event does not decompress") from None
    if length > MOST_UNCOMPRESSED:
        return rows, True
    if whole and (len(rows) != length or not unpacker.eof):
        raise Damage("a compressed row event has not the length that it says")
    return rows, False
