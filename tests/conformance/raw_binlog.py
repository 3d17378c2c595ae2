"""Events of a real server's binlog as they are, and the row images in them, for tests of what decodes these."""

from __future__ import annotations

import struct

import pymysql

from replguard.engines.binlog.events import Format, Header, MySQLEvent, body_of, event_type
from replguard.engines.binlog.payloads import Payload
from replguard.engines.binlog.rowimages import RowDecoder
from replguard.engines.binlog.tablemaps import ROW_EVENTS, MappedTable
from replguard.model.changes import Interest

_DUMP, _NON_BLOCKING, _SERVER_ID = 0x12, 1, 4_000_000_001


def connection(side):
    return pymysql.connect(
        host=side.host,
        port=side.port,
        user=side.user,
        password=side.password,
        database=side.database,
        autocommit=True,
        charset="utf8mb4",
    )


def place(side):
    """File and offset of the present end."""
    status = "SHOW BINARY LOG STATUS" if side.engine == "mysql" else "SHOW MASTER STATUS"
    return side.sql(status)[0][:2]


def events(side, start):
    """Type and body of every event from ``start`` on to the end, compressed transactions unpacked; and the format."""
    file, offset = start
    found, form = [], None
    with connection(side) as raw:
        with raw.cursor() as cursor:
            cursor.execute("SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32'")
            cursor.execute("SET @mariadb_slave_capability = 4")
        raw._execute_command(_DUMP, struct.pack("<IHI", offset, _NON_BLOCKING, _SERVER_ID) + file.encode())
        while (packet := raw._read_packet())._data[:1] == b"\0":
            event = packet._data[1:]
            header = Header.of(event)
            if header.type == MySQLEvent.FORMAT_DESCRIPTION:
                form = Format.of(event)
            elif form is not None:
                found += unpacked(side, header, body_of(event, checksum=True))
    return found, form


def unpacked(side, header, body):
    kind = event_type(side.engine, header.type)
    if kind is not MySQLEvent.TRANSACTION_PAYLOAD:
        return [(kind, body)]
    payload = Payload()
    inner = [*payload.take(body), *payload.end()]
    return [(event_type(side.engine, header.type), data) for header, data, _ in inner]


def row_events(side, *statements):
    """The table map, kind and body of each row event that these statements write, and the format."""
    start = place(side)
    with connection(side) as raw, raw.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    written, form = events(side, start)
    maps, found = {}, []
    for kind, body in written:
        if kind is MySQLEvent.TABLE_MAP:
            mapped = MappedTable.of(body, form, side.engine)
            maps[mapped.table_id] = mapped
        elif kind in ROW_EVENTS:
            found.append((maps[int.from_bytes(body[:6], "little")], kind, body))
    return found, form


def images(side, shapes, *statements, interest=Interest.whole):
    """The row images that these statements write, each with the bare name of its table."""
    found, form = row_events(side, *statements)
    return [
        (mapped.name.name, image)
        for mapped, kind, body in found
        for image in RowDecoder(mapped, interest, shapes.get(mapped.name), side.engine).rows(kind, body, form)
    ]
