"""The reader over events made by hand: nothing is passed over in silence."""

from __future__ import annotations

import struct

import pytest
import zstandard

from replguard.engines.binlog.gtid import MySQLGtidSet
from replguard.engines.binlog.reader import BinlogReader
from replguard.model.changes import Change, Operation, Trouble, TroubleKind
from tests.unit.binlog_events import SOURCE, Writer


def read(events, *, flavour="mysql", **options):
    reader = BinlogReader(flavour, **options)
    found = [thing for event in events for thing in reader.feed(event)]
    return reader, found


def troubles(found):
    return [thing.kind for thing in found if isinstance(thing, Trouble)]


def changes(found):
    return [
        (thing.operation.value, [str(table) for table in thing.tables]) for thing in found if isinstance(thing, Change)
    ]


@pytest.mark.parametrize("checksum", [True, False])
def test_a_row_change_is_told_with_its_transaction_and_place(checksum):
    writer = Writer(checksum=checksum)
    reader, found = read([*writer.start(), *writer.insert(7)])
    (change,) = found
    assert changes(found) == [("insert", ["st.event"])]
    assert change.transaction == f"{SOURCE}:7"
    assert change.origin == str(SOURCE)
    assert change.detail["server_id"] == 1
    assert str(change.position) == f"b.000001:{4 + len(Writer(checksum=checksum).format())}"
    assert change.detail["offset"] > 4
    assert str(reader.position) == f"b.000001:{writer.at}"


def test_a_known_set_grows_with_each_commit_and_not_before():
    writer = Writer()
    reader = BinlogReader("mysql", gtids=MySQLGtidSet.parse(f"{SOURCE}:1-3"))
    events = [*writer.start(), *writer.insert(4)]
    for event in events[:-1]:
        reader.feed(event)
    assert str(reader.position) == f"{SOURCE}:1-3"
    reader.feed(events[-1])
    assert str(reader.position) == f"{SOURCE}:1-4"


@pytest.mark.parametrize("flavour", ["mysql", "mariadb"])
def test_every_flipped_bit_is_seen(flavour):
    writer = Writer(mariadb=flavour == "mariadb")
    events = [*writer.start(), *writer.insert()]
    for index, event in enumerate(events):
        if index == 0:
            continue  # the artificial rotate stands in no file: there is nothing to check it against
        for bit in range(len(event) * 8):
            damaged = bytearray(event)
            damaged[bit // 8] ^= 1 << bit % 8
            _, found = read([*events[:index], bytes(damaged), *events[index + 1 :]], flavour=flavour)
            # The mark of a file in use is left out of the checksum, by design of the format.
            in_use = index == 1 and bit == 17 * 8
            assert troubles(found) or in_use, f"bit {bit} of event {index}"


def test_every_torn_event_is_seen():
    writer = Writer()
    events = [*writer.start(), *writer.insert()]
    for index in range(1, len(events)):
        for size in range(len(events[index])):
            _, found = read([*events[:index], events[index][:size], *events[index + 1 :]])
            assert TroubleKind.corrupt in troubles(found)


def test_every_dropped_event_is_seen():
    writer = Writer()
    events = [*writer.start(), *writer.insert(1), *writer.insert(2)]
    for index in range(2, len(events) - 1):
        _, found = read([*events[:index], *events[index + 1 :]])
        assert TroubleKind.gap in troubles(found), index


def test_where_transactions_may_be_left_out_events_may_not():
    writer = Writer()
    start, one, two, three = writer.start(), writer.insert(1), writer.insert(2), writer.insert(3)
    _, found = read([*start, *one, *three], contiguous=False, gtids=MySQLGtidSet())
    assert (troubles(found), len(changes(found))) == ([], 2)
    for index in range(len(two)):
        rest = [*two[:index], *two[index + 1 :], *three]
        _, found = read([*start, *one, *rest], contiguous=False, gtids=MySQLGtidSet())
        assert troubles(found), index


@pytest.mark.parametrize(
    ("kind", "flavour"),
    [(172, "mariadb"), (164, "mariadb"), (40, "mariadb"), (43, "mysql"), (160, "mysql"), (1, "mysql")],
)
def test_an_unknown_event_trips_unless_it_is_marked_ignorable(kind, flavour):
    writer = Writer(mariadb=flavour == "mariadb")
    events = [*writer.start(), writer.event(kind, b"?"), *writer.insert()]
    _, found = read(events, flavour=flavour)
    assert troubles(found) == [TroubleKind.unknown]
    assert found[0].evidence["file"] == "b.000001"
    assert changes(found) == [("insert", ["st.event"])]
    writer = Writer(mariadb=flavour == "mariadb")
    _, found = read([*writer.start(), writer.event(kind, b"?", flags=0x80), *writer.insert()], flavour=flavour)
    assert troubles(found) == []


def test_rows_without_a_table_map_are_damage():
    writer = Writer()
    _, found = read([*writer.start(), writer.gtid(), writer.query("BEGIN"), writer.rows(), writer.xid()])
    assert troubles(found) == [TroubleKind.corrupt]


def test_the_dummy_row_event_only_ends_a_statement():
    writer = Writer()
    begin = [*writer.start(), writer.gtid(), writer.query("BEGIN")]
    rows = [writer.table_map(), writer.rows(ends=False), writer.rows(number=0xFFFFFF), writer.xid()]
    _, found = read([*begin, *rows])
    assert (troubles(found), len(changes(found))) == ([], 1)


def test_a_statement_that_does_not_end_is_a_gap():
    writer = Writer()
    begin = [*writer.start(), writer.gtid(), writer.query("BEGIN")]
    _, found = read([*begin, writer.table_map(), writer.rows(ends=False), writer.xid()])
    assert troubles(found) == [TroubleKind.gap]


@pytest.mark.parametrize("kind", [*range(23, 26), *range(30, 33), 39])
def test_every_row_event_is_told(kind):
    writer = Writer()
    begin = [*writer.start(), writer.gtid(), writer.query("BEGIN")]
    _, found = read([*begin, writer.table_map(), writer.rows(kind), writer.xid()])
    assert troubles(found) == []
    assert len(changes(found)) == 1


@pytest.mark.parametrize("kind", range(166, 172))
def test_every_compressed_row_event_is_told(kind):
    writer = Writer(mariadb=True)
    _, found = read(
        [*writer.start(), writer.gtid(), writer.table_map(), writer.rows(kind), writer.xid()], flavour="mariadb"
    )
    assert len(changes(found)) == 1


def test_compressed_queries():
    writer = Writer(mariadb=True)
    torn = Writer.query_body(bytes([0x84]) + struct.pack(">I", 3) + b"xxxx")
    begin = [*writer.start(), writer.gtid(1, flags=1)]
    events = [*begin, writer.query("DROP TABLE event", kind=165, compressed=True), writer.event(165, torn)]
    _, found = read(events, flavour="mariadb")
    assert changes(found) == [("ddl", ["st.event"])]
    assert troubles(found) == [TroubleKind.corrupt]


def payload(events, *, size=None, compression=0):
    data = zstandard.ZstdCompressor().compress(b"".join(events))
    length = len(data) if size is None else size
    fields = bytes([2, 1, compression]) + bytes([1, 3, 252]) + struct.pack("<H", length) + b"\0"
    return fields + data


def inner(writer):
    begin = writer.inner(2, Writer.query_body(b"BEGIN"))
    rows = [writer.inner(19, Writer.map_body()), writer.inner(32, Writer.rows_body())]
    return [begin, *rows, writer.inner(16, bytes(8))]


def test_a_compressed_transaction_is_read():
    writer = Writer()
    events = [*writer.start(), writer.gtid(5), writer.event(40, payload(inner(writer)))]
    reader, found = read(events, gtids=MySQLGtidSet())
    assert (troubles(found), changes(found)) == ([], [("delete", ["st.event"])])
    assert str(reader.position) == f"{SOURCE}:5"


def test_a_damaged_compressed_transaction_is_not_passed_over():
    sound = payload(inner(Writer()))
    for body in (sound[:-3], payload(inner(Writer()), size=3), payload([*inner(Writer())[:-1], b"x" * 7])):
        writer = Writer()
        _, found = read([*writer.start(), writer.gtid(), writer.event(40, body)])
        assert TroubleKind.corrupt in troubles(found)
    writer = Writer()
    _, found = read([*writer.start(), writer.gtid(), writer.event(40, payload(inner(writer), compression=9))])
    assert troubles(found) == [TroubleKind.unknown]


def test_an_unknown_event_in_a_compressed_transaction_trips():
    writer = Writer()
    begin, *rest = inner(writer)
    _, found = read([*writer.start(), writer.gtid(), writer.event(40, payload([begin, writer.inner(99), *rest]))])
    assert troubles(found) == [TroubleKind.unknown]


def test_an_incident_is_a_gap():
    writer = Writer()
    _, found = read([*writer.start(), writer.event(26, struct.pack("<HB", 1, 4) + b"lost")])
    assert troubles(found) == [TroubleKind.gap]
    assert "lost" in found[0].message


def test_a_missing_file_is_a_gap():
    writer = Writer()
    events = [*writer.start(), writer.rotate("b.000002", artificial=False)]
    following = [writer.rotate("b.000002"), writer.format(), *writer.insert()]
    assert troubles(read([*events, *following])[1]) == []
    writer = Writer()
    skipped = [*writer.start(), writer.rotate("b.000003")]
    assert troubles(read(skipped)[1]) == [TroubleKind.gap]


def test_the_checksum_mode_may_change_from_file_to_file():
    first, second = Writer(checksum=True), Writer(checksum=False)
    one = [*first.start(), *first.insert(1), first.rotate("b.000002", artificial=False)]
    two = [second.rotate("b.000002"), second.format(), *second.insert(2)]
    _, found = read([*one, *two])
    assert (troubles(found), len(changes(found))) == ([], 2)


def test_statements_carry_their_text_mode_and_database():
    writer = Writer()
    status = b"\1" + struct.pack("<Q", 4) + b"\4" + struct.pack("<HHH", 8, 8, 8)
    text = 'DROP TABLE "événement"'
    _, found = read([*writer.start(), writer.gtid(), writer.query(text.encode("cp1252"), status=status)])
    assert changes(found) == [("ddl", ["st.événement"])]
    assert (found[0].statement, found[0].default_schema, found[0].detail["sql_mode"]) == (text, "st", 4)
    assert found[0].operation is Operation.ddl


def test_a_text_that_is_not_in_its_charset_is_not_lost():
    writer = Writer()
    _, found = read([*writer.start(), writer.gtid(), writer.query(b"DROP TABLE `\xff`, event")])
    assert "st.event" in changes(found)[0][1]


@pytest.mark.parametrize(
    ("text", "collation", "name"),
    [
        ("DROP TABLE `表`, event".encode("cp932"), 95, "表"),
        ("DROP TABLE `誠`, event".encode("gbk"), 28, "誠"),
        ("DROP TABLE `été\x81`, event".encode("latin1"), 8, "été\x81"),
        ("DROP TABLE `日`, event".encode(), 2304, "日"),
        ("DROP TABLE `日`, event".encode(), 1057, "日"),
    ],
)
def test_names_are_read_in_the_charset_of_the_client(text, collation, name):
    """In some of them a letter ends with the byte of a backslash."""
    assert in_charset(text, collation) == [("ddl", [f"st.{name}", "st.event"])]


def in_charset(text, collation):
    writer = Writer()
    status = b"\4" + struct.pack("<HHH", collation, 8, 8)
    _, found = read([*writer.start(), writer.gtid(), writer.query(text, status=status)])
    return changes(found)


@pytest.mark.parametrize(
    ("text", "collation"), [(b"DROP TABLE \xff", 33), (b"DROP TABLE \xe1", 92), (b"DROP TABLE `\x95\\`", 13)]
)
def test_a_name_that_cannot_be_decoded_exactly_is_opaque(text, collation):
    assert [operation for operation, _ in in_charset(text, collation)] == ["statement"]


def test_a_text_that_need_not_be_decoded_exactly_is_no_less_judged():
    for codec, collation in (("sjis", 13), ("euc_jp", 12), ("big5", 1)):
        written = "CREATE TABLE event (id INT) COMMENT='表' /* 許 */".encode(codec, "ignore")
        assert in_charset(written, collation) == [("ddl", ["st.event"])]


@pytest.mark.parametrize("collation", [10, 35, 54, 56, 60, 160])
def test_a_charset_without_ascii_is_not_understood(collation):
    writer = Writer()
    status = b"\4" + struct.pack("<HHH", collation, 8, 8)
    _, found = read([*writer.start(), writer.gtid(), writer.query(b"DROP TABLE x", status=status)])
    assert TroubleKind.unknown in troubles(found)


def test_a_name_that_may_be_something_else_is_marked():
    writer = Writer()
    text = "CREATE PROCEDURE p() BEGIN PREPARE s FROM 'DROP TABLE event'; SELECT 1 FROM account; END"
    _, found = read([*writer.start(), writer.gtid(), writer.query(text)])
    guessed = {str(name) for name in found[0].detail["guessed"]}
    assert {str(name) for name in found[0].tables} - guessed == {"st.account"}
    assert "st.event" in guessed


def test_mariadb_counts_by_domain():
    writer = Writer(mariadb=True)
    start = writer.start()
    known = writer.event(163, struct.pack("<I", 1) + struct.pack("<IIQ", 3, 9, 40))
    reader, found = read([*start, known, *writer.insert(11)], flavour="mariadb")
    assert (found[0].transaction, found[0].origin, found[0].detail["domain_id"]) == ("7-1-11", "1", 7)
    assert str(reader.position) == "3-9-40,7-1-11"


@pytest.mark.parametrize(
    ("flavour", "kind", "body"),
    [("mariadb", 163, struct.pack("<IIIQ", 1, 3, 9, 40)), ("mysql", 35, bytes(8))],
)
def test_the_head_of_a_file_within_a_transaction_is_damage(flavour, kind, body):
    writer = Writer(mariadb=flavour == "mariadb")
    _, found = read([*writer.start(), writer.gtid(), writer.event(kind, body)], flavour=flavour)
    assert TroubleKind.corrupt in troubles(found)


def test_tagged_sets_travel_both_ways():
    text = f"{SOURCE}:1-3:5:blue:7-9"
    known = MySQLGtidSet.parse(text)
    assert str(MySQLGtidSet.decode(known.encode())) == text
    assert known.covers(MySQLGtidSet.parse(f"{SOURCE}:2-3"))
    assert not known.covers(MySQLGtidSet.parse(f"{SOURCE}:green:7"))
