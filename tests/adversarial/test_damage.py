"""Files of real servers, damaged by chance and by hand: the reader never passes damage as clean.

After each mutation the reader tells a trouble, or everything that it tells means what it meant before. What a forger
who mends checksums may change unnoticed stands in :mod:`tests.adversarial.forgery`, and nothing else may be.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import zstandard

from replguard.model.changes import TroubleKind
from tests.adversarial.forgery import SKIP_REPLICATION, WITHOUT_MEANING, may_become, may_move
from tests.adversarial.mutations import changed, doubled, flipped, laid, parsed, swapped, without, written
from tests.adversarial.reading import HEAD, WANTED, read, read_by_event
from tests.adversarial.scenes import WITH_TROUBLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.adversarial.mutations import Event
    from tests.adversarial.reading import Answer
    from tests.adversarial.recording import Corpus, Log

pytestmark = pytest.mark.engines("mariadb", "mysql")

_IN_USE = (HEAD + 17) * 8
"""The mark of a file that is written to: the one bit that no checksum covers."""
_SMALL = 8000
_TOLD_WITHOUT_CHECKSUM, _PASSED_WITHOUT_CHECKSUM = 0.15, 0.3
_PAYLOAD = 40


class Case:
    """One sound file and what the reader tells of it."""

    def __init__(self, corpus: Corpus, log: Log, wanted: str = "named") -> None:
        self.wanted = wanted
        self.flavour = corpus.flavour
        self.log = log
        self.events = parsed(log.data)
        self.sound = self.read(log.data)

    def read(self, data: bytes) -> Answer:
        return read(self.flavour, [(self.log.name, data)], wanted=WANTED[self.wanted])

    def passes(self, data: bytes) -> bool:
        """Whether damage passes as clean."""
        answer = self.read(data)
        if answer.troubles:
            return False
        return answer.meaning != self.sound.meaning or answer.tally.changes != self.sound.tally.changes

    def __repr__(self) -> str:
        return f"{self.flavour} {self.log.scene} {self.wanted}"


def _cases(
    corpus: Corpus, scenes: Iterable[str] = (), below: int = _SMALL, *, thorough: bool = False
) -> Iterator[Case]:
    """Each file by the paths of the reader: rows only counted, rows told; in the sample by one of them in turn."""
    for number, log in enumerate(corpus.logs):
        if log.scene != WITH_TROUBLE and (not scenes or log.scene in scenes) and len(log.data) < below:
            paths = ("counted", "named", "keyed")
            yield from (Case(corpus, log, wanted) for wanted in (paths if thorough else (paths[number % 2],)))


def _some(things: Sequence, count: int, *, thorough: bool) -> Sequence:
    """A seeded sample, twenty times as large in the long run."""
    count *= 20 if thorough else 1
    return things if len(things) <= count else random.Random(len(things)).sample(things, count)


def _named(corpus: Corpus) -> list[tuple[str, bytes]]:
    return [(log.name, log.data) for log in corpus.logs]


def test_what_the_servers_wrote_is_clean_but_for_the_incident(corpus: Corpus) -> None:
    incident = corpus.of(WITH_TROUBLE)
    answer = read(corpus.flavour, _named(corpus))
    assert {(trouble.kind, trouble.evidence["file"]) for trouble in answer.troubles} == {
        (TroubleKind.gap, incident.name)
    }
    assert len(answer.changes) > 70
    assert {log.data[:HEAD] for log in corpus.logs} == {b"\xfebin"}


@pytest.mark.parametrize("wanted", sorted(WANTED))
def test_portions_of_every_size_and_single_events_tell_the_same(corpus: Corpus, wanted: str, thorough: bool) -> None:
    files, asked = _named(corpus), WANTED[wanted]
    whole = read(corpus.flavour, files, wanted=asked)
    one_by_one = read_by_event(corpus.flavour, files, wanted=asked)
    assert (one_by_one.items, one_by_one.counts) == (whole.items, whole.counts)
    for portion in (7, 101, 4096) if not thorough else (1, 2, 3, 7, 19, 23, 101, 1021, 4096, 65537):
        answer = read(corpus.flavour, files, portion=portion, wanted=asked)
        assert (answer.items, answer.counts) == (whole.items, whole.counts), portion
    little = [(corpus.of("little").name, corpus.of("little").data)]
    assert (
        read(corpus.flavour, little, portion=1, wanted=asked).items == read(corpus.flavour, little, wanted=asked).items
    )
    assert {table.name for table in whole.tally.changes} >= {"account", "event", "child"}


def test_no_bit_flips_unseen_under_a_checksum(corpus: Corpus, thorough: bool) -> None:
    for case in _cases(corpus, thorough=thorough):
        data = case.log.data
        if not case.events[-1].crc:
            continue
        bits = range(HEAD * 8, len(data) * 8)
        whole = thorough and case.log.scene == "little"
        for bit in bits if whole else _some(bits, 80, thorough=thorough):
            if bit != _IN_USE:
                assert case.read(flipped(data, bit)).troubles, (case, bit)


def test_what_a_bit_flip_does_without_checksum_is_measured(corpus: Corpus, thorough: bool, record_property) -> None:
    """Names, texts and numbers of transactions have nothing to be checked against; what frames them has."""
    case = Case(corpus, corpus.of("plain"))
    assert not case.events[-1].crc
    bits = _some(_small_events(case.events), 600, thorough=thorough)
    told = silent = 0
    for bit in bits:
        answer = case.read(flipped(case.log.data, bit))
        told += bool(answer.troubles)
        silent += not answer.troubles and answer.meaning != case.sound.meaning
    rates = {"told": told / len(bits), "other content": silent / len(bits)}
    record_property("flips", {"bits": len(bits), **rates})
    print(f"{case}: of {len(bits)} bits {rates['told']:.1%} told, {rates['other content']:.1%} told as other content")
    assert rates["told"] > _TOLD_WITHOUT_CHECKSUM
    assert rates["other content"] < _PASSED_WITHOUT_CHECKSUM


def _small_events(found: Sequence[Event]) -> list[int]:
    """The bits of all events behind the first that hold no long value: there a flip mostly changes data alone."""
    bits: list[int] = []
    at = HEAD
    for event in found:
        if at > HEAD and event.length < 400:
            bits += range(at * 8, (at + event.length) * 8)
        at += event.length
    return bits


def test_every_event_left_out_doubled_or_moved_is_seen(corpus: Corpus, thorough: bool) -> None:
    for case in _cases(corpus, below=30_000, thorough=thorough):
        for index, event in enumerate(case.events):
            neighbour = (index + 1) % len(case.events)
            for files in (without(case.events, index), doubled(case.events, index)):
                assert not case.passes(written(files)), (case, index, event)
            assert not case.passes(written(swapped(case.events, index, neighbour))), (case, index, event)


@pytest.mark.parametrize("wanted", ["counted", "named"])
def test_what_is_left_out_is_seen_at_once_and_not_only_by_the_file_s_end(corpus: Corpus, wanted: str) -> None:
    """A file that is still written to, and a live stream, have no end that is always looked at with care."""
    for scene in ("little", "images", "plain"):
        found = parsed(corpus.of(scene).data)
        begins = [index for index, event in enumerate(found) if event.type in (33, 162)]
        still_open = found[: begins[-1]]
        for begin, end in pairwise(begins[1:]):
            spoiled = flipped(written([*still_open[:begin], *still_open[end:]]), _IN_USE)
            case = Case(corpus, corpus.of(scene), wanted)
            assert case.read(spoiled).troubles or end == len(still_open), (scene, begin)
        assert not Case(corpus, corpus.of(scene), wanted).read(flipped(written(still_open), _IN_USE)).troubles


def test_the_large_forger_is_seen_where_structure_is_hurt(corpus: Corpus, thorough: bool) -> None:
    """Table maps, GTIDs, ends of statements and of transactions cannot be taken away however well the rest fits."""
    for case in _cases(corpus, below=30_000, thorough=thorough):
        found = case.events
        for index, event in enumerate(found):
            neighbour = (index + 1) % len(found)
            if not may_move(found, index):
                assert not case.passes(laid(without(found, index))), (case, index, event)
                assert not case.passes(laid(doubled(found, index))), (case, index, event)
                if not may_move(found, neighbour):
                    assert not case.passes(laid(swapped(found, index, neighbour))), (case, index, event)


def test_every_type_turned_into_every_other_is_seen(corpus: Corpus, thorough: bool) -> None:
    for case in _cases(corpus, below=30_000, thorough=thorough):
        for index, event in enumerate(case.events):
            others = [kind for kind in range(256) if kind != event.type]
            for kind in {*_some(others, 2, thorough=thorough), *_some(sorted(WITHOUT_MEANING), 1, thorough=thorough)}:
                forged = written(changed(case.events, index, type=kind))
                assert may_become(case.events, index, kind) or not case.passes(forged), (case, index, event.type, kind)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("timestamp", (0, 1, 0xFFFFFFFF)),
        ("size", (0, 1, 18, 19, 23, 0x7FFFFFFF, 0xFFFFFFFF)),
        ("end_pos", (1, 4, 0x7FFFFFFF, 0xFFFFFFFF)),
        ("flags", tuple(1 << bit for bit in range(16))),
    ],
)
def test_a_forged_header_is_seen_or_means_nothing(
    corpus: Corpus, field: str, values: tuple[int, ...], thorough: bool
) -> None:
    for case in _cases(corpus, ("little", "compressed", "more"), thorough=thorough):
        for index, event in enumerate(case.events):
            for value in values:
                now = getattr(event, field) ^ value if field == "flags" else value
                if now == getattr(event, field) or (field, value) == ("flags", SKIP_REPLICATION):
                    continue
                forged = written(changed(case.events, index, **{field: now}))
                assert not case.passes(forged), (case, index, event, now)


def test_another_server_id_is_told_as_another_origin(corpus: Corpus, thorough: bool) -> None:
    """It is content: who forges it makes up an origin, and hides no change."""
    for case in _cases(corpus, ("rows", "compressed"), thorough=thorough):
        for index, event in enumerate(case.events):
            answer = case.read(written(changed(case.events, index, server_id=event.server_id ^ 3)))
            assert answer.troubles or len(answer.changes) == len(case.sound.changes), (case, index)


def test_no_truncation_is_passed_as_a_whole(corpus: Corpus, thorough: bool) -> None:
    """At every byte of a small file; at the end of a transaction the file was either still written to, or hurt."""
    case = Case(corpus, corpus.of("little"))
    data = case.log.data
    complete = _complete_ends(case.events)
    for size in range(HEAD, len(data)):
        answer = case.read(data[:size])
        assert answer.troubles or size in complete or size == HEAD, size
    for other in _cases(corpus, thorough=thorough):
        ends = _complete_ends(other.events)
        sizes = range(HEAD + 1, len(other.log.data))
        for size in _some(sizes, 60, thorough=thorough):
            assert other.read(other.log.data[:size]).troubles or size in ends, (other, size)


def _complete_ends(found: Sequence[Event]) -> set[int]:
    """Where a file may end without anything being open."""
    ends, at, open_ = set(), HEAD, False
    for event in found:
        at += event.length
        if event.type in (33, 34, 42, 162):
            open_ = True
        ended = (
            event.type in (16, 38, _PAYLOAD)
            or (event.type in (2, 165) and event.body.endswith((b"COMMIT", b"ROLLBACK")))
            or (event.type in (2, 165, 18) and b"BEGIN" not in event.body[-8:])
        )
        open_ = open_ and not ended
        if not open_:
            ends.add(at)
    return ends


@pytest.mark.engines("mariadb")
def test_a_closed_file_without_its_end_is_hurt(corpus: Corpus, thorough: bool) -> None:
    """MariaDB takes the mark of a file in use away when it closes it, and writes a rotate or stop event before."""
    for case in _cases(corpus, thorough=thorough):
        assert case.read(written(case.events[:-1])).troubles, case


def test_a_checksum_mode_that_the_format_description_lies_about_is_seen(corpus: Corpus, thorough: bool) -> None:
    for case in _cases(corpus, below=30_000, thorough=thorough):
        first = case.events[0]
        lie = bytes([first.body[-1] ^ 1])
        assert case.read(written(changed(case.events, 0, body=first.body[:-1] + lie))).troubles, case
        for body in (first.body[:40], b"\3" + first.body[1:], first.body[:-1] + b"\2"):
            assert case.read(laid(changed(case.events, 0, body=body))).troubles, (case, body)
        assert case.read(laid(case.events[1:])).troubles, case


@pytest.mark.engines("mysql")
def test_a_compressed_transaction_damaged_inside_and_compressed_again_is_seen(corpus: Corpus) -> None:
    case = Case(corpus, corpus.of("compressed"))
    seen = 0
    for index, event in enumerate(case.events):
        if event.type != _PAYLOAD:
            continue
        for number, inner in enumerate(_unpacked(event.body)):
            for spoiled in _spoiled_inside(inner):
                parts = list(_unpacked(event.body))
                parts[number] = spoiled
                forged = laid(changed(case.events, index, body=_packed(parts)))
                assert not case.passes(forged), (index, number, spoiled)
                seen += 1
        assert case.read(laid(changed(case.events, index, body=_packed(list(_unpacked(event.body)))))).items
    assert seen > 20


def _unpacked(body: bytes) -> Iterator[bytes]:
    data = zstandard.ZstdDecompressor().decompressobj().decompress(body[body.index(b"\x28\xb5\x2f\xfd") :])
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at + 9 : at + 13], "little")
        yield data[at : at + size]
        at += size


def _packed(parts: Sequence[bytes]) -> bytes:
    """As the server writes it: algorithm, uncompressed size, size, end, and the data."""
    plain = b"".join(parts)
    data = zstandard.ZstdCompressor().compress(plain)
    fields = [(2, b"\0"), (3, _long(len(plain))), (1, _long(len(data)))]
    return b"".join(bytes([kind, len(value)]) + value for kind, value in fields) + b"\0" + data


def _long(number: int) -> bytes:
    return b"\xfd" + number.to_bytes(3, "little")


def _spoiled_inside(inner: bytes) -> Iterator[bytes]:
    yield b""
    yield inner[:-1]
    yield inner[:4] + b"\x63" + inner[5:]
    yield inner[:9] + (len(inner) + 1).to_bytes(4, "little") + inner[13:]
    yield inner[:4] + b"\x1d" + inner[5:]
