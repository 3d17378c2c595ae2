"""Fuzzers over everything that takes bytes or texts from a server, with what real servers wrote as the seed.

Whatever comes in: only the documented exceptions come out, it ends, and memory stays bounded. The seeds lie in
``corpus/``; ``python -m tests.adversarial.remake`` makes them anew.
"""

from __future__ import annotations

import os
import re
import signal
import tracemalloc
import zlib
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replguard.engines.binlog import statements
from replguard.engines.binlog.events import Damage, NotUnderstood
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet, mysql_tagged_gtid
from replguard.engines.binlog.tokens import tokens
from replguard.engines.postgresql import test_decoding
from replguard.engines.postgresql.pgoutput import Decoder, MalformedMessage
from replguard.model.changes import Change, TransactionEnd, Trouble
from tests.adversarial.mutations import changed, laid, parsed, without
from tests.adversarial.reading import HEAD, WANTED, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.adversarial.mutations import Event

FOLDER = Path(__file__).parent / "corpus"
BINLOGS = sorted(FOLDER.glob("*.bin"))
MESSAGES = sorted(FOLDER.glob("*.hex"))
LINES = (FOLDER / "test_decoding.txt").read_text().splitlines()
TEXTS = [
    text
    for path in sorted((Path(__file__).parents[1] / "corpus/ddl").glob("*.sql"))
    for text in path.read_text().split("\n\n")
]
LONG = bool(os.environ.get("REPLGUARD_LONG"))
PATIENCE = 60
_UNPACKED = 150 << 20
fuzzed = settings(
    max_examples=5_000 if LONG else 60,
    deadline=None,
    derandomize=not LONG,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
flavours = st.sampled_from(["mysql", "mariadb"])
asked = st.sampled_from(sorted(WANTED))


@contextmanager
def ends() -> Iterator[None]:
    """Stop what would go on for ever."""

    def too_long(*_: object) -> None:
        raise AssertionError(f"still at it after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@cache
def _events(path: Path) -> tuple[Event, ...]:
    return tuple(parsed(path.read_bytes()))


def _flavour(path: Path) -> str:
    return path.name.partition("-")[0]


def _name(data: bytes) -> str:
    """The name by which the file's last event, a rotate, calls the next one, less one."""
    number = re.search(rb"binlog\.(\d{6})", data[-40:])
    return f"binlog.{int(number[1]) - 1:06}" if number else "binlog.000001"


def _read(flavour: str, data: bytes, wanted: str) -> Any:
    with ends():
        answer = read(flavour, [(_name(data), data)], wanted=WANTED[wanted])
    assert all(isinstance(item, Change | Trouble | TransactionEnd) for item in answer.items)
    return answer


@st.composite
def edits(draw: Any, data: bytes) -> bytes:
    """The bytes with some of them changed, left out, doubled, or numbers at the edges put in."""
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(out) - 1, 0)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            out[at : at + 1] = bytes([draw(st.integers(0, 255))])
        elif kind == 1:
            del out[at : at + draw(st.integers(1, 9))]
        elif kind == 2:
            out[at:at] = out[at : at + draw(st.integers(1, 40))]
        elif kind == 3:
            edge = draw(st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xfc\xff\xff", b"\xfe" + b"\xff" * 8, b"\x7f" * 4]))
            out[at : at + len(edge)] = edge
        else:
            out[at:at] = draw(st.binary(max_size=20))
    return bytes(out)


@fuzzed
@given(flavours, st.binary(max_size=2000), asked)
def test_any_bytes_for_a_binlog(flavour: str, data: bytes, wanted: str) -> None:
    assert _read(flavour, b"\xfebin" + data, wanted).troubles or len(data) < 1


@fuzzed
@given(st.data(), st.sampled_from(BINLOGS), asked)
def test_a_file_of_a_real_server_with_edits(data: Any, path: Path, wanted: str) -> None:
    _read(_flavour(path), path.read_bytes()[:HEAD] + data.draw(edits(path.read_bytes()[HEAD:])), wanted)


@fuzzed
@given(st.data(), st.sampled_from(BINLOGS), st.sampled_from(["named", "keyed", "whole"]))
def test_a_body_with_edits_whose_checksum_and_place_are_right(data: Any, path: Path, wanted: str) -> None:
    """What gets past framing: the decoders themselves."""
    found = _events(path)
    index = data.draw(st.integers(0, len(found) - 1))
    forged = changed(found, index, body=data.draw(edits(found[index].body)))
    if data.draw(st.booleans()):
        forged = without(forged, data.draw(st.integers(0, len(forged) - 1)))
    if data.draw(st.booleans()):
        other = data.draw(st.integers(0, len(forged) - 1))
        forged = changed(forged, other, type=data.draw(st.sampled_from([*range(1, 45), *range(160, 172)])))
    _read(_flavour(path), laid(forged), wanted)


@fuzzed
@given(st.data(), st.sampled_from([path for path in BINLOGS if path.name.startswith("mysql-")]))
def test_a_payload_with_edits_inside(data: Any, path: Path) -> None:
    found = _events(path)
    inside = b"".join(event.but(crc=False).at(0).raw for event in found[2:])
    plain = data.draw(edits(inside))
    packed = zstandard.ZstdCompressor().compress(plain)
    size = len(packed).to_bytes(8, "little")
    body = b"\x02\x01\0\x03\x09\xfe" + len(plain).to_bytes(8, "little") + b"\x01\x09\xfe" + size + b"\0" + packed
    head, gtid = found[:2], next(event for event in found if event.type in (33, 34, 42))
    forged = laid([*head, gtid, gtid.but(type=40, body=data.draw(st.sampled_from([body, body[:-3], body + b"x"])))])
    _read("mysql", forged, "keyed")


@pytest.mark.parametrize("path", BINLOGS, ids=lambda path: path.stem)
def test_every_seed_is_sound(path: Path) -> None:
    for wanted in WANTED:
        answer = _read(_flavour(path), path.read_bytes(), wanted)
        assert not answer.troubles, answer.troubles
        assert answer.changes or answer.tally.changes


@pytest.mark.parametrize("flavour", ["mariadb", "mysql"])
def test_what_unpacks_to_far_more_takes_little_memory(flavour: str) -> None:
    """A compressed query (MariaDB) or transaction (MySQL) of a megabyte and less."""
    found = _events(FOLDER / f"{flavour}-compressed.bin")
    kind = 165 if flavour == "mariadb" else 40
    index = next(number for number, event in enumerate(found) if event.type == kind)
    body = found[index].body
    if flavour == "mariadb":
        data = zlib.compress(b" " * _UNPACKED, 1)
        bomb = _until_text(body) + bytes([0x84]) + _UNPACKED.to_bytes(4, "big") + data
    else:
        data = zstandard.ZstdCompressor().compress(b"\0" * _UNPACKED)
        bomb = b"\x02\x01\0\x03\x09\xfe" + _UNPACKED.to_bytes(8, "little")
        bomb += b"\x01\x09\xfe" + len(data).to_bytes(8, "little") + b"\0" + data
    forged = laid(changed(found, index, body=bomb))
    tracemalloc.start()
    try:
        answer = _read(flavour, forged, "keyed")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.troubles
    assert peak < 100 << 20


def _until_text(body: bytes) -> bytes:
    """A query event's body up to where its text begins."""
    schema, status = body[8], int.from_bytes(body[11:13], "little")
    return body[: 13 + status + schema + 1]


texts = st.one_of(
    st.text(max_size=300),
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS).flatmap(
        lambda text: edits(text.encode()).map(lambda data: data.decode("utf-8", "surrogateescape"))
    ),
)
modes = st.builds(statements.Mode, st.booleans(), st.booleans())


@fuzzed
@given(texts, modes)
def test_any_statement(text: str, mode: statements.Mode) -> None:
    with ends():
        statements.operation(text, mode)
        statements.transaction_effect(text)
        statements.references(text, "st", mode)
        list(tokens(text))


@pytest.mark.parametrize(
    "unit", ["`", "'", '"', "/*", "/*!", "(", "a.", ",", "\\", "--", "*/", "`a`.", "/*!50000 (", "'\\"]
)
def test_long_statements_end(unit: str) -> None:
    text = "ALTER TABLE " + unit * (30_000 // len(unit))
    with ends():
        statements.operation(text)
        statements.references(text, "st")


@fuzzed
@given(st.binary(max_size=200), st.text(max_size=60))
def test_any_gtids(data: bytes, text: str) -> None:
    for decode in (MySQLGtidSet.decode, MariaDBGtidState.decode, mysql_tagged_gtid):
        with ends():
            try:
                decode(data)
            except (Damage, NotUnderstood):
                continue
    for parse in (MySQLGtidSet.parse, MariaDBGtidState.parse):
        try:
            parse(text)
        except ValueError:
            continue


_numbers = st.tuples(st.integers(1, 2**62), st.integers(0, 50)).map(lambda pair: (pair[0], pair[0] + pair[1]))
_sources = st.tuples(st.uuids().map(str), st.sampled_from(["", ":tag", ":other"])).map("".join)


@fuzzed
@given(st.lists(st.tuples(_sources, _numbers), max_size=20))
def test_sets_come_back_as_they_went(members: list[tuple[str, tuple[int, int]]]) -> None:
    made = MySQLGtidSet()
    for source, (first, last) in members:
        made.extend(source, first, last)
    assert str(MySQLGtidSet.parse(str(made))) == str(made)
    assert str(MySQLGtidSet.decode(made.encode())) == str(made)
    assert made.covers(MySQLGtidSet.parse(str(made)))


def test_wrong_gtids_of_a_user_are_a_value_error() -> None:
    uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
    for text in (f"{uuid}:0", f"{uuid}:5-3", f"{uuid}:-1", f"{uuid}:1-", uuid[:-1], "0-1", "0-1-2-3", "a-b-c"):
        for parse in (MySQLGtidSet.parse, MariaDBGtidState.parse):
            with pytest.raises(ValueError, match=r"\w"):
                parse(text)


@cache
def _messages(path: Path) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(line) for line in path.read_text().split())


def _decoder(path: Path) -> Decoder:
    # A slot that decodes prepared transactions sends them whatever version was asked for.
    version = max(int(path.stem.split("-")[1]), 3)
    return Decoder(version, parallel=version == 4)


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_every_message_of_a_real_server_is_read(path: Path) -> None:
    decoder = _decoder(path)
    kinds = {type(decoder.decode(message)).__name__ for message in _messages(path)}
    assert {"RelationMessage", "RowChange", "Truncate", "Begin", "Commit", "LogicalMessage"} <= kinds


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_every_message_cut_short_or_run_on_is_refused(path: Path) -> None:
    """At every byte; only a relation known before keeps a row readable, so all stand before each."""
    messages = _messages(path)
    for number, message in enumerate(messages):
        sizes = range(len(message)) if LONG else {*range(min(len(message), 12)), len(message) - 1}
        for part in [*(message[:size] for size in sizes), message + b"x"]:
            decoder = _decoder(path)
            for before in messages[:number] if LONG else [one for one in messages[:number] if one[:1] in b"RSEYB"]:
                decoder.decode(before)
            with pytest.raises(MalformedMessage):
                decoder.decode(part)


@fuzzed
@given(st.data(), st.sampled_from(MESSAGES))
def test_messages_with_edits(data: Any, path: Path) -> None:
    decoder = _decoder(path)
    messages = _messages(path)
    spoiled = data.draw(st.integers(0, len(messages) - 1))
    with ends():
        for number, message in enumerate(messages):
            try:
                decoder.decode(data.draw(edits(message)) if number == spoiled else message)
            except MalformedMessage:
                continue


@fuzzed
@given(st.binary(max_size=300), st.integers(1, 4), st.booleans())
def test_any_message(message: bytes, version: int, parallel: bool) -> None:
    with ends():
        try:
            Decoder(version, parallel=parallel).decode(message)
        except MalformedMessage:
            return


def test_every_line_of_test_decoding_is_read() -> None:
    kinds = {type(test_decoding.parse(line)).__name__ for line in LINES}
    assert kinds == {"BeginText", "CommitText", "PreparedText", "RowText", "TruncateText", "MessageText"}


lines = st.one_of(
    st.text(max_size=200),
    st.sampled_from(LINES).flatmap(
        lambda line: edits(line.encode()).map(lambda data: data.decode("utf-8", "surrogateescape"))
    ),
)


@fuzzed
@given(lines)
def test_any_line_of_test_decoding(line: str) -> None:
    with ends():
        try:
            test_decoding.parse(line)
        except test_decoding.Unreadable:
            return


@pytest.mark.parametrize("unit", ['"', "'", "a[b]:'", "''", '""', "[", "]:", "a[b[]]:1 ", ".", " "])
def test_long_lines_end(unit: str) -> None:
    with ends():
        for head in ("table public.t: INSERT: ", "table ", "BEGIN ", 'table "', "table public.t: UPDATE: old-key: "):
            try:
                test_decoding.parse(head + unit * (20_000 // len(unit)))
            except test_decoding.Unreadable:
                continue
