"""Edits of rows of MariaDB and MySQL that a comparison must see, and pairs of edits that cancel in weak checksums."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from itertools import combinations

from tests.conformance.test_mysql_mariadb_rows import NEIGHBOURS, ONLY


@dataclass(frozen=True, slots=True)
class Mutation:
    """Some rows before and after an edit: each maps columns to literals."""

    name: str
    before: tuple[dict[str, str], ...]
    after: tuple[dict[str, str], ...]


def colliding(table, length=12, bits=32):
    """Two unlike strings of equal length with one checksum: apart by a difference that the checksum maps to 0."""
    zero = table(bytes(length))
    rows = [[table(bytes(n // 8 == i and 1 << n % 8 for i in range(length))) ^ zero, 1 << n] for n in range(length * 8)]
    for bit in range(bits):
        pivot = next((row for row in rows if row[0] >> bit & 1), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        for row in rows:
            if row[0] >> bit & 1:
                row[0] ^= pivot[0]
                row[1] ^= pivot[1]
    difference = next(combined for left, combined in rows if left == 0).to_bytes(length, "little")
    one = b"twelve bytes"[:length]
    return one, bytes(a ^ b for a, b in zip(one, difference, strict=True))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def _hex(data):
    return f"x'{data.hex()}'"


LONG = "REPEAT('x', 70000)"
MORE = {
    "smallint": ["NULL", "-32768", "0", "1", "32767"],
    "mediumint unsigned": ["NULL", "0", "1", "16777215"],
    "int": ["NULL", "-2147483648", "-1", "0", "1", "10", "2147483647"],
    "boolean": ["NULL", "0", "1", "2"],
    "decimal(6,2) ": ["NULL", "0", "0.01", "-0.01", "1", "10", "-9999.99", "9999.99"],
    "decimal(12,4) unsigned zerofill": ["NULL", "0", "1", "1.0001"],
    "double(9,2)": ["NULL", "0", "1.01", "1.02"],
    "tinytext": ["NULL", "''", "'N'", "'0'", "'1.0'", "'1.00'", "'1'", "'null'", "' '", "'  '"],
    "mediumtext": ["NULL", "''", LONG, "CONCAT(REPEAT('x', 69999), 'y')", "SHA2(REPEAT('x', 70000), 256)"],
    "text": ["NULL", "''", "'a'", "'a '", "'A'", "'a\\t'", "'a\\0'", "'\\0'", "'#'", "','", "';'"],
    "varchar(30) collate utf8mb4_bin": ["'plumless'", "'buckeroo'", "'PLUMLESS'", "'plumless '"],
    "varchar(20) character set utf8mb3": ["NULL", "''", "'a'", "'ä'", "'a\u0308'", "'Ä'", "'ß'", "'ss'"],
    "varchar(20) character set ascii": ["NULL", "''", "'a'", "'A'", "'?'", "'a '"],
    "varchar(20) character set latin2": ["NULL", "''", "'ł'", "'l'", "'Ł'", "'?'"],
    "varchar(20) character set cp1251": ["NULL", "''", "'ж'", "'Ж'", "'?'"],
    "varchar(20) character set gbk": ["NULL", "''", "'中'", "'国'", "'?'"],
    "varchar(20) character set cp932": ["NULL", "''", "'ソ'", "'表'", "'?'"],
    "varchar(20) character set utf32": ["NULL", "''", "'a'", "'😀'", "'?'"],
    "varchar(20) character set utf16le": ["NULL", "''", "'a'", "'愀'", "'?'"],
    "char(9) character set latin1": ["NULL", "''", "'é'", "'e'", "'E'", "'Ã©'"],
    "char(1)": ["NULL", "''", "'N'", "'0'", "'n'"],
    "binary(2)": ["NULL", "''", "x'0001'", "x'fe'", "x'ff'", "x'feff'"],
    "tinyblob": ["NULL", "''", "x'fe'", "x'ff'", "x'30ff'", "x'fd'", "'0'"],
    "mediumblob": ["NULL", "''", "x'fe'", LONG, "CONCAT(REPEAT('x', 69999), x'00')", "SHA2(REPEAT('x', 70000), 256)"],
    "longblob": ["NULL", "''", "x'00'", "REPEAT('x', 65535)", "REPEAT('x', 65536)", "REPEAT('x', 65537)"],
    "varbinary(40)": [
        *("NULL", "''", "x'fe'", "x'ff'", "x'feff'", "x'fffe'", "'0'", "'N'"),
        *(_hex(data) for data in (*colliding(zlib.crc32), *colliding(crc32c)[1:])),
    ],
    "date ": ["NULL", "'2026-03-29'", "'2026-03-30'", "'1970-01-01'"],
    "datetime(3)": ["NULL", "'2026-01-01 00:00:00'", "'2026-01-01 01:00:00'", "'2026-01-01 00:00:00.001'"],
    "timestamp(3) null": ["NULL", "'2026-10-25 00:30:00'", "'2026-10-25 01:30:00'", "'2038-01-19 03:14:07.999'"],
    "time(6)": ["NULL", "'00:00:00'", "'24:00:00'", "'00:00:00.000001'", "'-00:00:00.000001'"],
    "enum('N','n0','0','1')": ["NULL", "1", "2", "3", "4"],
    "enum('é','e') character set latin1": ["NULL", "0", "1", "2"],
    "set('a','b','c') ": ["NULL", "0", "1", "2", "3", "7"],
    "linestring": ["NULL", "ST_GeomFromText('LINESTRING(0 0,1 1)')", "ST_GeomFromText('LINESTRING(1 1,0 0)')"],
    "polygon": [
        *("NULL", "ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')", "ST_GeomFromText('POLYGON((0 0,1 1,1 0,0 0))')"),
    ],
    "multipoint": ["NULL", "ST_GeomFromText('MULTIPOINT(0 0,1 1)')", "ST_GeomFromText('MULTIPOINT(1 1,0 0)')"],
    "multilinestring": ["NULL", "ST_GeomFromText('MULTILINESTRING((0 0,1 1))')"],
    "multipolygon": ["NULL", "ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')"],
    "geometrycollection": ["NULL", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(0 0))')"],
}
MORE_ONLY = {
    "mariadb": {"json  ": ['\'{"a": 1, "b": 2}\'', '\'{"b": 2, "a": 1}\'', '\'{"a": 1,"b": 2}\'', "'1.00'"]},
    "mysql": {
        "varchar(20) character set gb18030": ["NULL", "''", "'中'", "'😀'", "'?'"],
        "json  ": ["'[1, 2]'", "'[2, 1]'", "'[12]'", "'{\"a\": 1}'", "'{\"A\": 1}'", "'\"\"'", "'\" \"'", "'false'"],
    },
}
UNHASHED = "varchar(20) character set ucs2"
"""What the servers cannot hash: see the conformance tests."""
SAME = {
    "mariadb": {"double": [("1.0", "1.00"), ("1e1", "10")], "decimal(6,2) ": [("1.0", "1.00")]},
    "mysql": {
        "double": [("1.0", "1.00"), ("1e1", "10")],
        "decimal(6,2) ": [("1.0", "1.00")],
        "json": [('\'{"a": 1, "b": 2}\'', '\'{"b": 2, "a":1}\''), ("'[1.0]'", "'[1.00]'")],
    },
}
"""Two ways to write one value."""


def types(engine):
    """Every type of column, with literals of values that all differ."""
    found = {**NEIGHBOURS, **ONLY[engine], **MORE, **MORE_ONLY[engine]}
    del found[UNHASHED]
    if engine == "mysql":
        found["year"] = [text for text in found["year"] if text != "0"] + ["'0000'"]
    return {kind: [text for text in literals if "NOW()" not in text] for kind, literals in found.items()}


def columns(engine):
    """Two columns of every type, by their names, and one beside them that tells rows apart."""
    pairs = [(f"{twin}{n}", kind) for n, kind in enumerate(types(engine)) for twin in "vw"]
    return {"beside": "int", **dict(pairs)}


def mutations(engine):
    """All edits, each of some rows."""
    return [
        mutation
        for n, (kind, literals) in enumerate(types(engine).items())
        for mutation in _of_type(kind, f"v{n}", f"w{n}", literals)
    ]


def _of_type(kind, column, twin, literals):
    edits = [
        Mutation(f"{kind}: {one} becomes {other}", ({column: one},), ({column: other},))
        for one, other in combinations(literals, 2)
    ]
    one, other = [text for text in literals if text != "NULL"][-1], literals[0]
    swapped = ({"beside": "1", column: one}, {"beside": "2", column: other})
    back = ({"beside": "1", column: other}, {"beside": "2", column: one})
    both = ({"beside": "1", column: one}, {"beside": "2", column: one})
    turned = ({"beside": "1", column: other}, {"beside": "2", column: other})
    return [
        *edits,
        Mutation(f"{kind}: swapped between rows", swapped, back),
        Mutation(f"{kind}: the same edit twice", both, turned),
        Mutation(f"{kind}: swapped between columns", ({column: one, twin: other},), ({column: other, twin: one},)),
        Mutation(f"{kind}: moved to the next column", ({column: one, twin: "NULL"},), ({column: "NULL", twin: one},)),
        Mutation(f"{kind}: a row less", ({column: one}, {column: one}), ({column: one},)),
        Mutation(f"{kind}: two rows more", ({column: other},), ({column: other}, {column: one}, {column: one})),
    ]


def shifts(engine):
    """Values that run into the next column, in every type of text and bytes, and ones that mimic the encoding."""
    found = []
    for n, kind in enumerate(types(engine)):
        if not kind.startswith(
            (
                "varchar(20)",
                "varchar(30)",
                "text",
                "tinytext",
                "mediumtext",
                "longtext",
                "varbinary",
                "blob",
                "tinyblob",
                "longblob",
                "mediumblob",
            )
        ):
            continue
        one, two = f"v{n}", f"w{n}"
        pairs = [("a", "bc", "ab", "c"), ("", "a", "a", ""), ("1", "2", "12", ""), ("a,", "b", "a", ",b")]
        pairs += [("a", "NULL", "aNULL", ""), ("0", "0", "00", "")]
        found += [
            Mutation(f"{kind}: {pair}", ({one: f"'{a}'", two: f"'{b}'"},), ({one: f"'{c}'", two: f"'{d}'"},))
            for pair in pairs
            for a, b, c, d in [pair]
        ]
        if "binary" in kind or "blob" in kind:
            raw = [
                (b"", b"1\xffa", b"0\xff1\xffa", b""),
                (b"\xff", b"", b"", b"\xff"),
                (b"a\xff", b"b", b"a", b"\xffb"),
            ]
            found += [
                Mutation(f"{kind}: {each}", ({one: _hex(a), two: _hex(b)},), ({one: _hex(c), two: _hex(d)},))
                for each in raw
                for a, b, c, d in [each]
            ]
        if kind.startswith("varchar(30)"):
            flipped = ({"beside": "1", one: "'ab'"}, {"beside": "2", one: "'xy'"})
            back = ({"beside": "1", one: "'aB'"}, {"beside": "2", one: "'xY'"})
            found.append(Mutation(f"{kind}: one bit at one place in two rows", flipped, back))
    return found


def unchanged(engine):
    """The same rows before and after, some of them written in another way."""
    found = []
    for n, (kind, literals) in enumerate(types(engine).items()):
        found += [Mutation(f"{kind}: {text}", ({f"v{n}": text},), ({f"v{n}": text},)) for text in literals]
        found += [
            Mutation(f"{kind}: {one} as {other}", ({f"v{n}": one},), ({f"v{n}": other},))
            for one, other in SAME[engine].get(kind, [])
        ]
    return found
