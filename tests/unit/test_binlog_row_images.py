"""Row images made by hand: damage, first parts of large events, and what real servers do not write on demand."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replguard.engines.binlog.binaryjson import json_text
from replguard.engines.binlog.columntypes import TypeCode
from replguard.engines.binlog.events import Damage, Format, MariaDBEvent, MySQLEvent, NotUnderstood
from replguard.engines.binlog.rowimages import MOST_UNCOMPRESSED, RowDecoder
from replguard.engines.binlog.rowvalues import Untold
from replguard.engines.binlog.tablemaps import MappedTable
from replguard.model.changes import Interest
from replguard.model.tables import Column, Table, TableName

FORM = Format("9.7.4", checksum=False, head_lengths=bytes([13] * 18 + [8] + [10] * 150))
SHAPE = Table(
    TableName("st", "t"),
    (
        Column("id", "int", nullable=False),
        Column("v", "varchar(40)", collation="utf8mb4_bin"),
        Column("b", "longblob"),
    ),
    key=("id",),
)


def table_map(types=(TypeCode.LONG, TypeCode.VARCHAR, TypeCode.BLOB), metadata=b"\xa0\0\4", *, more=b""):
    nulls = bytes([0b110])
    return (
        struct.pack("<IHH", 5, 0, 1)
        + b"\2st\0\1t\0"
        + bytes([len(types), *types, len(metadata)])
        + metadata
        + nulls
        + more
    )


def row(number, text="x", blob=b""):
    data = text.encode()
    return b"\0" + struct.pack("<i", number) + bytes([len(data)]) + data + struct.pack("<I", len(blob)) + blob


def event(*rows, bitmaps=b"\7", extra=b"\2\0"):
    return struct.pack("<IHH", 5, 0, 1) + extra + b"\3" + bitmaps + b"".join(rows)


def decoder(interest=Interest.keyed, shape=SHAPE, mapped=None, flavour="mysql"):
    return RowDecoder(MappedTable.of(mapped or table_map(), FORM, flavour), interest, shape, flavour)


def rows(body, kind=MySQLEvent.WRITE_ROWS, **options):
    return list(decoder().rows(kind, body, FORM, **options))


def test_a_torn_event_is_damage_wherever_it_is_torn():
    body = event(row(1, "one", b"123"), row(2))
    assert [image.key for image in rows(body)] == [{"id": 1}, {"id": 2}]
    ends = {len(body), len(event(row(1, "one", b"123")))}
    for size in set(range(len(body))) - ends:
        with pytest.raises(Damage):
            rows(body[:size])


def test_the_first_part_of_a_large_event_tells_the_keys_that_are_in_it():
    body = event(row(1, "one", b"1" * 300), row(2))
    head = len(event())
    whole_first = len(event(row(1, "one", b"1" * 300)))
    for size in range(head, len(body) + 1):
        told = [image.key for image in rows(body[:size], whole=False)]
        first = {"id": 1} if size >= head + 5 else None
        if size <= whole_first:
            assert told == [first]
        else:
            assert told == [first, {"id": 2} if size >= whole_first + 5 else None]


def test_the_first_part_of_an_update_tells_the_key_that_the_row_had():
    body = event(row(1, "one", b"1" * 300), row(7, "two"), bitmaps=b"\7\7")
    (image,) = rows(body, MySQLEvent.UPDATE_ROWS)
    assert (image.key, image.old_key, image.changed) == ({"id": 7}, {"id": 1}, {"id", "v", "b"})
    (image,) = rows(body[:-1], MySQLEvent.UPDATE_ROWS, whole=False)
    assert (image.key, image.old_key, image.changed) == ({"id": 1}, None, None)


def test_a_view_of_bytes_is_as_good_as_bytes():
    body = event(row(1, "é", b"123"))
    whole = decoder(Interest.whole)
    for data in (body, memoryview(body), memoryview(bytearray(body))):
        (image,) = whole.rows(MySQLEvent.WRITE_ROWS, data, FORM)
        assert image.after == {"id": 1, "v": "é", "b": "0x313233"}


def test_extra_data_before_the_columns_is_passed_over():
    assert rows(event(row(4), extra=b"\7\0\1abcd"))[0].key == {"id": 4}
    with pytest.raises(Damage):
        rows(event(row(4), extra=b"\1\0"))


def test_another_number_of_columns_than_the_table_map_has_is_damage():
    body = bytearray(event(row(1)))
    body[10] = 4
    with pytest.raises(Damage, match="not as many columns"):
        rows(bytes(body))


def test_a_row_without_a_column_is_told_and_a_missing_row_is_damage():
    assert [image.key for image in rows(event(bitmaps=b"\0"))] == [None]
    with pytest.raises(Damage, match="without a row"):
        rows(event())
    with pytest.raises(Damage, match="without columns"):
        rows(event(b"more", bitmaps=b"\0"))


def compressed(body):
    return bytes([0x84]) + struct.pack(">I", len(body)) + zlib.compress(body)


def compressed_event(body):
    return struct.pack("<IHH", 5, 0, 1) + b"\3\7" + body


def read_compressed(body, **options):
    reader = decoder(flavour="mariadb")
    told = list(reader.rows(MariaDBEvent.WRITE_ROWS_COMPRESSED_V1, compressed_event(body), FORM, **options))
    return [image.key for image in told], reader.cut


def test_a_compressed_event_of_one_huge_row_is_not_unpacked_whole():
    assert read_compressed(compressed(row(1) + row(2))) == ([{"id": 1}, {"id": 2}], False)
    huge = compressed(row(3, "x", bytes(MOST_UNCOMPRESSED)))
    assert read_compressed(huge) == ([{"id": 3}], True)
    assert read_compressed(huge[:9000], whole=False) == ([{"id": 3}], True)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (compressed(row(1))[:-1], Damage),
        (b"\x84\0\0\0\1" + compressed(row(1))[5:], Damage),
        (b"\x84\0\1\0\0" + compressed(row(1))[5:], Damage),
        (b"\x80" + compressed(row(1))[1:], Damage),
        (b"\xf4" + compressed(row(1))[1:], NotUnderstood),
        (b"", Damage),
    ],
)
def test_a_compressed_event_that_is_not_what_it_says_is_told(body, problem):
    with pytest.raises(problem):
        read_compressed(body)


def test_what_is_not_known_in_a_table_map_is_not_guessed():
    with pytest.raises(NotUnderstood, match="column type 20"):
        decoder(mapped=table_map((TypeCode.LONG, 20, TypeCode.BLOB), b"\4"))
    with pytest.raises(NotUnderstood, match="format before MariaDB"):
        decoder(mapped=table_map((TypeCode.OLD_DATETIME,), b""), shape=None, flavour="mariadb")
    unknown = b"\xc8\3abc"
    (image,) = decoder(mapped=table_map(more=unknown)).rows(MySQLEvent.WRITE_ROWS, event(row(1)), FORM)
    assert image.key == {"id": 1}


def test_the_names_in_the_table_map_count_more_than_the_catalog():
    more = b"\1\1\0" + b"\4\6\1a\1b\1c" + b"\x08\1\0"
    (image,) = decoder(mapped=table_map(more=more)).rows(MySQLEvent.WRITE_ROWS, event(row(1)), FORM)
    assert image.key == {"a": 1}


def test_json_whose_parts_overlap_without_end_is_not_told():
    inside_itself = b"\2" + struct.pack("<HH", 9, 31) + b"\2\0\0" * 9
    with pytest.raises(Untold):
        json_text(inside_itself, 0, len(inside_itself))
    assert json_text(b"\2\1\0\7\0\4\1\0", 0, 8) == "[true]"


@given(st.binary(max_size=60))
def test_any_bytes_as_json_give_a_text_or_none(data):
    with suppress(Untold):
        assert isinstance(json_text(data, 0, len(data)), str)


@given(st.data())
def test_flipped_bytes_give_damage_or_rows_and_nothing_else(data):
    kind, body = data.draw(
        st.sampled_from(
            [
                (MySQLEvent.WRITE_ROWS, event(row(1, "one", b"123"), row(2))),
                (MySQLEvent.UPDATE_ROWS, event(row(1, "one"), row(2, "two"), bitmaps=b"\7\3")),
                (MySQLEvent.PARTIAL_UPDATE_ROWS, event(row(1), b"\0", row(2), bitmaps=b"\7\7")),
                (MariaDBEvent.WRITE_ROWS_COMPRESSED_V1, compressed_event(compressed(row(1)))),
            ]
        )
    )
    places = data.draw(st.lists(st.tuples(st.integers(0, len(body) - 1), st.integers(0, 255)), max_size=4))
    changed = bytearray(body)
    for place, value in places:
        changed[place] = value
    whole = data.draw(st.booleans())
    cut = data.draw(st.integers(0, len(body)))
    try:
        told = list(decoder(Interest.whole).rows(kind, bytes(changed[:cut]), FORM, whole=whole))
    except (Damage, NotUnderstood):
        return
    assert told


@given(st.binary(max_size=80))
def test_any_bytes_as_a_table_map_give_damage_or_a_table(data):
    try:
        mapped = MappedTable.of(table_map()[:15] + data, FORM, "mysql")
    except (Damage, NotUnderstood):
        return
    assert mapped.name == SHAPE.name
