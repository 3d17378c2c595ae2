"""The parser of test_decoding's text: every message kind, hostile names and values, and nothing that is not one."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replguard.engines.postgresql.test_decoding import (
    HEAD,
    UNCHANGED,
    BeginText,
    CommitText,
    MessageText,
    PreparedText,
    RowText,
    TruncateText,
    Unreadable,
    parse,
    table_of,
)
from replguard.model.tables import TableName

EVENT = TableName("st", "event")
TEXTS = [
    "BEGIN 733",
    "COMMIT 733 (at 2026-11-21 12:44:41.699675+00)",
    (
        "table st.event: INSERT: id[integer]:1 v[character varying]:'it''s' n[numeric]:NaN b[boolean]:true "
        "x[bit]:B'01' z[text]:null"
    ),
    "table st.event: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 v[text]:unchanged-toast-datum",
    "table st.event: UPDATE: id[integer]:2 v[text]:'new-tuple: a[text]:''x'''",
    "table st.event: DELETE: id[integer]:1",
    "table st.event: DELETE: (no-tuple-data)",
    "table st.event: INSERT: (no-tuple-data)",
    'table st.event, public."O""r: d": TRUNCATE: (no-flags)',
    "table st.event: TRUNCATE: restart_seqs cascade",
    "message: transactional: 1 prefix: a, sz: 3 content:x\ny",
    "PREPARE TRANSACTION 'g''i', txid 9 (at 2026-11-21 12:44:41+00)",
    "COMMIT PREPARED 'gi', txid 9",
]


def row(text):
    found = parse(text)
    assert isinstance(found, RowText)
    return found.operation, found.table, found.old, found.new


def test_rows():
    values = {"id": 1, "v": "it's", "n": "NaN", "b": "true", "x": "01", "z": None}
    assert row(TEXTS[2]) == ("insert", EVENT, None, values)
    assert row(TEXTS[3]) == ("update", EVENT, {"id": 1}, {"id": 2, "v": UNCHANGED})
    assert row(TEXTS[4]) == ("update", EVENT, None, {"id": 2, "v": "new-tuple: a[text]:'x'"})
    assert row(TEXTS[5]) == ("delete", EVENT, {"id": 1}, None)
    assert row(TEXTS[6]) == ("delete", EVENT, None, None)
    assert row(TEXTS[7]) == ("insert", EVENT, None, None)
    assert row("table st.event: INSERT:") == ("insert", EVENT, None, {})


def test_others():
    assert parse(TEXTS[0]) == BeginText(733)
    assert parse(TEXTS[1]) == CommitText(733, datetime(2026, 11, 21, 12, 44, 41, 699675, UTC))
    assert parse("COMMIT 733") == CommitText(733, None)
    assert parse(TEXTS[8]) == TruncateText((EVENT, TableName("public", 'O"r: d')), cascade=False)
    assert parse(TEXTS[9]) == TruncateText((EVENT,), cascade=True)
    assert parse(TEXTS[10]) == MessageText()
    assert parse(TEXTS[11]) == PreparedText("PREPARE TRANSACTION", 9, datetime(2026, 11, 21, 12, 44, 41, tzinfo=UTC))
    assert parse(TEXTS[12]) == PreparedText("COMMIT PREPARED", 9, None)


@pytest.mark.parametrize("text", TEXTS[:10] + TEXTS[11:])
def test_what_is_cut_never_names_another_table(text):
    """The text has no end of its own, so a row may be cut to one with fewer or shorter values: the wire frames it."""
    whole = parse(text)
    for end in range(len(text)):
        with suppress(Unreadable):
            part = parse(text[:end])
            assert isinstance(part, type(whole))
            if isinstance(whole, RowText) and isinstance(part, RowText):
                assert (part.operation, part.table) == (whole.operation, whole.table)
            if isinstance(whole, TruncateText) and isinstance(part, TruncateText):
                assert part.tables == whole.tables


@pytest.mark.parametrize(
    "text",
    [
        "",
        "table st.event: INSERT: id[integer]:1 ",
        "table st.event: INSERT: id[integer]:1 v",
        "table st.event: INSERT: id[integer]:x",
        "table st.event: INSERT: id[integer]:--1",
        "table st.event: INSERT: v[text]:'a'b",
        "table st.event: INSERT: id[integer]:1 id[integer]:2",
        "table st.event: UPDATE: old-key: id[integer]:1",
        "table st.event: MERGE: id[integer]:1",
        "table event: INSERT: id[integer]:1",
        "table st.Event: INSERT: id[integer]:1",
        "table st.event: TRUNCATE:",
        "opening a streamed block for transaction",
        "begin 1",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(Unreadable):
        parse(text)


NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8
) | st.sampled_from(["id", 'a"b', "x]:'", ": INSERT: a[integer]:1", "new-tuple:", "null", "[]", "é"])
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20) | st.none()


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


@given(NAMES, NAMES, st.dictionaries(NAMES, st.tuples(NAMES, VALUES), max_size=5))
def test_what_the_plugin_would_write_is_read_back(schema, table, columns):
    def shown(value):
        return "null" if value is None else "'" + value.replace("'", "''") + "'"

    text = f"table {quoted(schema)}.{quoted(table)}: INSERT:" + "".join(
        f" {quoted(name)}[{quoted(of)}[]]:{shown(value)}" for name, (of, value) in columns.items()
    )
    assert row(text) == (
        "insert",
        TableName(schema, table),
        None,
        {name: value for name, (_, value) in columns.items()},
    )
    head = HEAD.match(text.encode())
    assert head is not None
    assert table_of(head[1], "utf-8") == TableName(schema, table)


@given(st.text(max_size=80))
def test_no_text_raises_anything_else(text):
    for whole in (text, f"table st.event: INSERT:{text}", f"table {text}"):
        with suppress(Unreadable):
            parse(whole)
