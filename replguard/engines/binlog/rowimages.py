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
    from replguard.engines.binlog.rowwalks import KeySpot, Walk
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
_COPIED = 1024 * 1024
"""Up to this size a view of bytes is copied: bytes are read quicker."""
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


_image_of = RowImage._make
"""Twice as quick as calling the class."""
_Row = tuple["Walk", list[int]]
"""Where one row of one image lies: the way through it, and where its stretches begin; the last is the row's end."""


class _Cut(Exception):  # noqa: N818 - raised where the data ends; the caller knows whether it may
    def __init__(self, row: _Row | None = None) -> None:
        self.row = row


class _Head(NamedTuple):
    """What stands before an event's rows: its bytes behind number and flags, and which images each row has."""

    start: int
    end: int
    data: bytes
    before: Image | None
    after: Image | None


class RowDecoder:
    """Decodes the row events of one table map. The same map means the same rows: keep a decoder by the map's bytes.

    ``cut`` says of the last event that it was too large to be unpacked whole, so that rows after the last one told may
    be missing. Making one raises NotUnderstood for a table map whose columns have sizes that nobody here knows.
    """

    def __init__(self, table_map: MappedTable, interest: Interest, shape: Table | None, flavour: Flavour) -> None:
        found = layout(table_map, shape, flavour)
        self.cut = False
        self._layout = found
        self._bitmap_size = (len(found.wires) + 7) // 8
        self._heads: dict[EventType, _Head] = {}
        self._images: dict[bytes, Image] = {}
        self._names = found.names if interest >= Interest.keyed else ()
        self._values = interest >= Interest.whole and bool(found.names)
        places = (found.key or ()) if interest >= Interest.keyed else ()
        self._key = tuple((found.names[place], place, found.decoders[place]) for place in places)
        self._key_places = frozenset(places)
        self._json = tuple(place for place, wire in enumerate(found.wires) if wire.code is TypeCode.JSON)

    def rows(self, kind: EventType, body: Bytes, form: Format, *, whole: bool = True) -> Iterator[RowImage]:
        """The rows of one event; ``body`` is what follows its header, without a checksum.

        With ``whole=False`` the body is the first part of a larger one: rows are told as far as they are there, and the
        last with its key if that is there (of an update the key that it had before); at least one row in any case.
        Raises Damage and NotUnderstood.
        """
        head = self._heads.get(kind)
        if head is None or body[head.start : head.end] != head.data:
            head = self._heads[kind] = self._head(kind, body, form)
        _, at, _, before, after = head
        data = bytes(body) if len(body) <= _COPIED else body
        self.cut = False
        if kind in _COMPRESSED:
            data, self.cut = _inflated(data[at:], whole=whole)
            at, whole = 0, whole and not self.cut
        if at == len(data):
            return iter((_nothing(before, after, whole=whole),))
        if not (before and after):
            return self._singles(head, data, at, whole=whole)
        if kind is MySQLEvent.PARTIAL_UPDATE_ROWS:
            return self._updates(head, data, at, whole=whole, partial=True)
        return self._updates(head, data, at, whole=whole)

    def _last(self, data: Bytes, cut: _Cut, *, whole: bool) -> RowImage:
        """What is there of the row at which the data ends."""
        if whole:
            raise Damage("the last row of an event ends too early") from None
        return RowImage(self._key_of(data, cut.row) if cut.row else None)

    def _head(self, kind: EventType, body: Bytes, form: Format) -> _Head:
        """Read the head of an event, up to its rows. It is the same for most events of a table."""
        start = at = id_size(form, kind) + 2
        if kind in _HAS_EXTRA:
            extra = Fields(bytes(body[at : at + 2])).number(2)
            if extra < 2:
                raise Damage("a row event says that its extra data is shorter than nothing")
            at += extra
        fields = Fields(bytes(body[at : at + 9 + 2 * self._bitmap_size]))
        wires, operation = self._layout.wires, ROW_EVENTS[kind]
        if fields.packed() != len(wires):
            raise Damage("a row event has not as many columns as its table map")
        before = self._image(fields) if operation is not Operation.insert else None
        after = self._image(fields) if operation is not Operation.delete else None
        end = at + fields.at
        return _Head(start, end, bytes(body[start:end]), before, after)

    def _image(self, fields: Fields) -> Image:
        bitmap = fields.take(self._bitmap_size)
        if bitmap not in self._images:
            self._images[bitmap] = Image(bitmap, self._layout.wires)
        return self._images[bitmap]

    def _singles(self, head: _Head, data: Bytes, at: int, *, whole: bool) -> Iterator[RowImage]:
        """The rows of an insert or a delete."""
        image = head.before or head.after
        assert image is not None  # noqa: S101 - an event has the images of its kind
        size = len(data)
        while at < size:
            try:
                row = _placed(image, data, at)
            except _Cut as cut:
                yield self._last(data, cut, whole=whole)
                return
            if self._values:
                values = self._values_of(data, row, image)
                yield RowImage(
                    self._key_of(data, row), None, None, *((values, None) if head.before else (None, values))
                )
            else:
                yield _image_of((self._key_of(data, row), None, None, None, None))
            end = row[1][-1]
            if end == at:
                raise _behind_nothing()
            at = end

    def _updates(self, head: _Head, data: Bytes, at: int, *, whole: bool, partial: bool = False) -> Iterator[RowImage]:
        size = len(data)
        while at < size:
            try:
                old, new, differing = self._both(head, data, at, partial=partial)
            except _Cut as cut:
                yield self._last(data, cut, whole=whole)
                return
            places = _changed(data, old, new, differing) if self._names else None
            key = self._key_of(data, new, old)
            moved = places is None or not self._key_places.isdisjoint(places)
            old_key = self._key_of(data, old) if moved else key
            changed = None if places is None else frozenset([self._names[place] for place in places])
            told = _image_of((key, old_key if old_key != key else None, changed, None, None))
            if self._values and head.before and head.after:
                values = self._values_of(data, old, head.before), self._values_of(data, new, head.after, differing)
                told = told._replace(before=values[0], after=values[1])
            yield told
            end = new[1][-1]
            if end == at:
                raise _behind_nothing()
            at = end

    def _both(self, head: _Head, data: Bytes, at: int, *, partial: bool) -> tuple[_Row, _Row, frozenset[int]]:
        """Where the two images of an updated row lie, and which columns hold differences. Cut with the old one."""
        assert head.before is not None  # noqa: S101 - an update has both images
        assert head.after is not None  # noqa: S101
        old = _placed(head.before, data, at)
        middle, differing = old[1][-1], _NO_PLACES
        try:
            if partial:
                middle, differing = self._differences(data, middle)
            return old, _placed(head.after, data, middle), differing
        except _Cut:
            raise _Cut(old) from None

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
        walk, begins = row
        spots = walk.key
        if spots is None:
            spots = walk.key = self._key_spots(walk)
        if not spots or begins[-1] > len(data):
            return self._key_of_parts(data, row, other)
        key: dict[str, Any] = {}
        try:
            for name, decode, stretch, offset, size in spots:
                start = begins[stretch] + offset
                key[name] = decode(data, start, start + size if size else begins[stretch + 1])
        except Untold:
            return None
        return key

    def _key_spots(self, walk: Walk) -> tuple[KeySpot, ...]:
        """Where the key lies in rows of this way; empty where they have not all of it."""
        if any(place not in walk.spots for _, place, _ in self._key):
            return ()
        parts = ((name, decode, walk.spots[place]) for name, place, decode in self._key)
        return tuple((name, decode, spot[0], spot[1] + spot[2], spot[3]) for name, decode, spot in parts)

    def _key_of_parts(self, data: Bytes, row: _Row, other: _Row | None) -> Values | None:
        """The key of a row of which not all is there."""
        if not self._key:
            return None
        key: dict[str, Any] = {}
        size = len(data)
        for name, place, decode in self._key:
            walk, begins = row
            if place not in walk.spots:
                if other is None or place in walk.image or place not in other[0].spots:
                    return None
                walk, begins = other
            start, end = walk.bounds(place, begins, size)
            if end > size:
                return None
            try:
                key[name] = decode(data, start, end)
            except Untold:
                return None
        return key

    def _values_of(
        self, data: Bytes, row: _Row, image: Image, differing: frozenset[int] = _NO_PLACES
    ) -> dict[str, Any]:
        names, decoders = self._layout.names, self._layout.decoders
        walk, begins = row
        values: dict[str, Any] = {}
        for place in image.places:
            if place not in walk.spots:
                values[names[place]] = None
            elif place not in differing:
                with suppress(Untold):
                    values[names[place]] = decoders[place](data, *walk.bounds(place, begins, len(data)))
        return values


def _nothing(before: Image | None, after: Image | None, *, whole: bool) -> RowImage:
    """An image of no columns takes no bytes: then there is a row of which nothing is known."""
    if whole and any(image.places for image in (before, after) if image):
        raise Damage("a row event without a row")
    return RowImage()


def _behind_nothing() -> Damage:
    return Damage("bytes behind a row without columns")


def _placed(image: Image, data: Bytes, at: int) -> _Row:
    """Where a row lies; Cut with what is there of it, where the data ends before it does."""
    begin = at + image.null_size
    nulls = bytes(data[at:begin])
    walk = image.walks.get(nulls) or image.walk(nulls)
    if walk is None:
        raise _Cut
    begins = walk.stretches(data, begin)
    if begins[-1] > len(data):
        raise _Cut((walk, begins))
    return walk, begins


def _changed(data: Bytes, before: _Row, after: _Row, differing: frozenset[int]) -> list[int] | None:
    """The columns whose bytes differ. A column that only the new image has was set, perhaps to what it was: None."""
    (walk, begins), (old_walk, old_begins) = after, before
    if walk is old_walk and not differing:
        return _unlike(data, walk, old_begins, begins)
    if not walk.image <= old_walk.image | differing:
        return None
    return [place for place in walk.image if _differs(data, before, after, place, differing)]


def _unlike(data: Bytes, walk: Walk, ours: list[int], theirs: list[int]) -> list[int]:
    """The columns in which two rows with the same NULLs differ; only stretches that differ are looked into."""
    found: list[int] = []
    for number, columns in enumerate(walk.columns):
        a, b, end = ours[number], theirs[number], theirs[number + 1]
        if data[a : ours[number + 1]] == data[b:end]:
            continue
        for place in columns:
            _, offset, prefix, size = walk.spots[place]
            until = offset + size
            if prefix or data[a + offset : a + until] != data[b + offset : b + until]:
                found.append(place)
        if prefix and data[a + offset : ours[number + 1]] == data[b + offset : end]:
            found.pop()
    return found


def _differs(data: Bytes, before: _Row, after: _Row, place: int, differing: frozenset[int]) -> bool:
    (walk, begins), (old_walk, old_begins) = after, before
    if place not in walk.spots:
        return place in old_walk.spots
    start, end = walk.bounds(place, begins, len(data))
    if place in differing:
        return end > start
    if place not in old_walk.spots:
        return True
    old_start, old_end = old_walk.bounds(place, old_begins, len(data))
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
