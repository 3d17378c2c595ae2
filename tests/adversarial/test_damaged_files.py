"""Several files of one real server as ``scan`` reads them: what is missing between or within them is told."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import replguard
from tests.adversarial.mutations import flipped, laid, parsed
from tests.adversarial.reading import HEAD
from tests.adversarial.scenes import WITH_TROUBLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.adversarial.mutations import Event
    from tests.adversarial.recording import Corpus, Log

pytestmark = pytest.mark.engines("mariadb", "mysql")

_DAMAGE = {"stream.gap", "stream.corrupt", "stream.unknown", "check.not_run"}
_GTIDS = (33, 42, 162)
_WITHOUT_CHAIN = ("anonymous",)
"""No file lists transactions without a GTID, so none misses them."""


class Folder:
    """The files of a corpus as they lie in a folder, some of them spoiled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def damage(self, files: Sequence[tuple[str, bytes]]) -> set[str]:
        """The codes by which a scan says that something is not as it should be."""
        paths = [self.folder / name for name, _ in files]
        for path, (_, data) in zip(paths, files, strict=True):
            path.write_bytes(data)
        report = replguard.scan(paths, replguard.load_policy(must_not_sync=["nothing_of_this"]))
        return {finding.code for check in report.checks for finding in check.findings} & _DAMAGE


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def _named(corpus: Corpus) -> list[tuple[str, bytes]]:
    return [(log.name, log.data) for log in corpus.logs if log.scene != WITH_TROUBLE]


def _neighbours(corpus: Corpus) -> list[tuple[Log, Log]]:
    """A file with transactions that have GTIDs, and the next one, which lists them."""
    apart = {WITH_TROUBLE, *_WITHOUT_CHAIN}
    return [
        (log, after)
        for log, after in pairwise(corpus.logs)
        if not {log.scene, after.scene} & apart and _transactions(parsed(log.data))
    ]


def _transactions(found: Sequence[Event]) -> list[tuple[int, int]]:
    begins = [index for index, event in enumerate(found) if event.type in _GTIDS]
    return list(pairwise([*begins, len(found) - 1])) if begins else []


def test_the_files_as_they_are_are_sound(corpus: Corpus, folder: Folder) -> None:
    assert folder.damage(_named(corpus)) == set()
    for log, after in _neighbours(corpus):
        assert folder.damage([(log.name, log.data), (after.name, after.data)]) == set(), log.scene


def test_a_file_left_out_or_in_the_place_of_another_is_told(corpus: Corpus, folder: Folder) -> None:
    files = _named(corpus)
    for index in range(1, len(files) - 1):
        assert folder.damage([*files[:index], *files[index + 1 :]]), files[index][0]
    for one, other in pairwise(range(len(files))):
        names = [name for name, _ in files]
        names[one], names[other] = names[other], names[one]
        order = [(name, data) for name, (_, data) in zip(names, files, strict=True)]
        assert folder.damage(order), (names[one], names[other])


def test_a_transaction_cut_out_or_a_tail_cut_off_is_missed_by_the_next_file(
    corpus: Corpus, folder: Folder, thorough: bool
) -> None:
    """The last one of MariaDB, whose list tells the last of each domain alone: what is missing before it is a limit."""
    for log, after in _neighbours(corpus):
        found = parsed(log.data)
        every = _transactions(found)
        chosen = every if thorough else random.Random(len(every)).sample(every, min(3, len(every)))
        for begin, end in chosen if corpus.flavour == "mysql" else every[-1:]:
            whole = laid([*found[:begin], *found[end:]])
            assert folder.damage([(log.name, whole), (after.name, after.data)]), (log.scene, begin)
        for begin, _ in chosen:
            size = HEAD + sum(event.length for event in found[:begin])
            assert folder.damage([(log.name, log.data[:size]), (after.name, after.data)]), (log.scene, size)


def test_no_flip_and_no_torn_end_passes_a_scan(corpus: Corpus, folder: Folder, thorough: bool) -> None:
    log = corpus.of("little")
    chance = random.Random(7)
    rounds = 400 if thorough else 25
    for bit in chance.sample(range(len(log.data) * 8), rounds):
        if bit != (HEAD + 17) * 8:  # the mark of a file in use is no part of the checksum
            try:
                assert folder.damage([(log.name, flipped(log.data, bit))]), bit
            except replguard.errors.UsageError:
                assert bit < (HEAD + parsed(log.data)[0].length) * 8, "what is no binlog, or has no head, is refused"
    for size in chance.sample(range(len(log.data)), rounds):
        try:
            told = folder.damage([(log.name, log.data[:size])])
        except replguard.errors.UsageError:
            assert size < HEAD + parsed(log.data)[0].length
            continue
        assert told or _ends_a_transaction(log, size), size


def _ends_a_transaction(log: Log, size: int) -> bool:
    at = HEAD
    for event in parsed(log.data):
        if at == size:
            return event.type in (*_GTIDS, 4)
        at += event.length
    return False
