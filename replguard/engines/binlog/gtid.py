"""Global transaction identifiers of both flavours: sets as the servers print them, and as they travel.

MySQL counts transactions by server UUID (and tag); a set is intervals. MariaDB has one sequence a domain; a state is
the last identifier of each domain.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from itertools import pairwise
from uuid import UUID

from replguard.engines.binlog.events import Damage, Fields, NotUnderstood

_INTERVAL = re.compile(r"([0-9]+)(?:-([0-9]+))?")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")
_TAGGED = 1
_PREPARED = 0x40
COMMIT_TIMES = 2
COMMIT_TIME = slice(42, 49)
"""Where in the body of a GTID event the time of commit stands, if the kind of its times is the above."""
_MARIADB = struct.Struct("<QIB")


@dataclass(slots=True)
class MySQLGtidSet:
    """Intervals by UUID and tag (``"uuid"`` or ``"uuid:tag"``), both ends inclusive, sorted and apart."""

    intervals: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> MySQLGtidSet:
        """Read what @@gtid_executed prints. Raises ValueError.

        >>> str(MySQLGtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-3:5:blue:7"))
        '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-3:5:blue:7'
        """
        found = cls()
        for block in filter(None, "".join(text.split()).split(",")):
            first_part, *parts = block.split(":")
            uuid = source = str(UUID(first_part))
            for part in parts:
                if interval := _INTERVAL.fullmatch(part):
                    first, last = int(interval[1]), int(interval[2] or interval[1])
                    if not 0 < first <= last:
                        raise ValueError(f"{part} is no interval of a GTID set")
                    found._insert(source, first, last)
                elif _TAG.fullmatch(part):
                    source = f"{uuid}:{part.lower()}"
                else:
                    raise ValueError(f"{part!r} is neither an interval nor a tag of a GTID set")
        return found

    @classmethod
    def decode(cls, data: bytes) -> MySQLGtidSet:
        """Read the body of PREVIOUS_GTIDS. Raises Damage, and NotUnderstood for a newer encoding."""
        fields, found = Fields(data), cls()
        head = fields.number(8)
        encoding = head >> 56
        if encoding not in (0, _TAGGED):
            raise NotUnderstood(f"encoding {encoding} of a GTID set")
        for _ in range(head >> 8 & 0xFFFFFFFFFFFF if encoding == _TAGGED else head):
            source = str(UUID(bytes=fields.take(16)))
            if encoding == _TAGGED:
                tag = fields.text(fields.varint())
                source += f":{tag}" if tag else ""
            for _ in range(fields.number(8)):
                first, after = fields.number(8), fields.number(8)
                found._insert(source, first, after - 1)
        return found

    def encode(self) -> bytes:
        """The set as COM_BINLOG_DUMP_GTID carries it; with the newer encoding only where there is a tag."""
        tagged = any(":" in source for source in self.intervals)
        count = len(self.intervals)
        data = bytearray((_TAGGED << 56 | count << 8 | _TAGGED if tagged else count).to_bytes(8, "little"))
        for source, intervals in sorted(self.intervals.items()):
            uuid, _, tag = source.partition(":")
            data += UUID(uuid).bytes
            if tagged:
                data += bytes([len(tag) << 1]) + tag.encode("ascii")
            data += len(intervals).to_bytes(8, "little")
            for first, last in intervals:
                data += first.to_bytes(8, "little") + (last + 1).to_bytes(8, "little")
        return bytes(data)

    def add(self, gtid: str) -> None:
        """Add one ``uuid[:tag]:number``."""
        source, _, number = gtid.rpartition(":")
        self._insert(source, int(number), int(number))

    def extend(self, source: str, first: int, last: int) -> None:
        """Add a run of one source's transactions."""
        self._insert(source, first, last)

    def covers(self, other: MySQLGtidSet) -> bool:
        """Whether every transaction of ``other`` is in this set."""
        return all(
            any(first <= start and end <= last for first, last in self.intervals.get(source, ()))
            for source, intervals in other.intervals.items()
            for start, end in intervals
        )

    def holds(self, gtid: str) -> bool:
        """Whether one ``uuid[:tag]:number`` is in the set.

        >>> some = MySQLGtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-3:blue:7")
        >>> some.holds("3e11fa47-71ca-11e1-9e33-c80aa9429562:3"), some.holds("3e11fa47-71ca-11e1-9e33-c80aa9429562:7")
        (True, False)
        """
        source, _, number = gtid.rpartition(":")
        return any(first <= int(number) <= last for first, last in self.intervals.get(source, ()))

    def intersection(self, other: MySQLGtidSet) -> MySQLGtidSet:
        """What is in both sets.

        >>> some = MySQLGtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:8-9")
        >>> str(some.intersection(MySQLGtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:4-8")))
        '3e11fa47-71ca-11e1-9e33-c80aa9429562:4-5:8'
        """
        found = MySQLGtidSet()
        for source, intervals in self.intervals.items():
            for first, last in intervals:
                for start, end in other.intervals.get(source, ()):
                    if max(first, start) <= min(last, end):
                        found._insert(source, max(first, start), min(last, end))
        return found

    def without(self, other: MySQLGtidSet) -> MySQLGtidSet:
        """What is in this set and not in the other.

        >>> some = MySQLGtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9:blue:7")
        >>> str(some.without(MySQLGtidSet.parse("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-3:5:9-12")))
        '3e11fa47-71ca-11e1-9e33-c80aa9429562:4:6-8:blue:7'
        """
        found = MySQLGtidSet()
        for source, intervals in self.intervals.items():
            for first, last in intervals:
                begin = first
                for start, end in other.intervals.get(source, ()):
                    if start > begin:
                        found._keep(source, begin, min(last, start - 1))
                    begin = max(begin, end + 1)
                found._keep(source, begin, last)
        return found

    @property
    def covers_anything(self) -> bool:
        return bool(self.intervals)

    def _keep(self, source: str, first: int, last: int) -> None:
        if first <= last:
            self._insert(source, first, last)

    def _insert(self, source: str, first: int, last: int) -> None:
        if not 0 < first <= last:
            raise Damage(f"{first}-{last} is no interval of a GTID set")
        intervals = self.intervals.setdefault(source, [])
        if intervals and intervals[-1][1] + 1 == first:
            intervals[-1] = (intervals[-1][0], last)
            return
        merged: list[tuple[int, int]] = []
        for start, end in sorted([*intervals, (first, last)]):
            if merged and start <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        self.intervals[source] = merged

    def __str__(self) -> str:
        blocks: dict[str, str] = {}
        for source, intervals in sorted(self.intervals.items()):
            uuid, _, tag = source.partition(":")
            ranges = ":".join(str(first) if first == last else f"{first}-{last}" for first, last in intervals)
            blocks[uuid] = blocks.get(uuid, uuid) + (f":{tag}" if tag else "") + f":{ranges}"
        return ",".join(blocks.values())


@dataclass(slots=True)
class MariaDBGtidState:
    """The last identifier of each domain: server id and sequence number by domain."""

    last: dict[int, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> MariaDBGtidState:
        """Read what @@gtid_binlog_pos or @@gtid_slave_pos prints. Raises ValueError.

        >>> str(MariaDBGtidState.parse("1-2-9,0-1-7"))
        '0-1-7,1-2-9'
        """
        found = cls()
        for gtid in filter(None, "".join(text.split()).split(",")):
            found.add(gtid)
        return found

    @classmethod
    def decode(cls, data: bytes) -> MariaDBGtidState:
        """Read the body of GTID_LIST, in which the last entry of a domain is the newest."""
        fields, found = Fields(data), cls()
        for _ in range(fields.number(4) & 0x0FFFFFFF):
            domain, server_id, sequence = fields.number(4), fields.number(4), fields.number(8)
            found.last[domain] = (server_id, sequence)
        return found

    def add(self, gtid: str) -> None:
        domain, server_id, sequence = (int(part) for part in gtid.split("-"))
        self.last[domain] = (server_id, sequence)

    @property
    def covers_anything(self) -> bool:
        return bool(self.last)

    def holds(self, gtid: str) -> bool:
        """Whether the domain has come at least as far as this ``domain-server-number``.

        >>> MariaDBGtidState.parse("1-1-7").holds("1-1-7"), MariaDBGtidState.parse("1-1-7").holds("2-1-1")
        (True, False)
        """
        domain, _, number = (int(part) for part in gtid.split("-"))
        return self.last.get(domain, (0, -1))[1] >= number

    def lowest(self, other: MariaDBGtidState) -> MariaDBGtidState:
        """How far both have come, in the domains that both have.

        >>> str(MariaDBGtidState.parse("0-1-7,1-1-3").lowest(MariaDBGtidState.parse("0-1-5,2-1-1")))
        '0-1-5'
        """
        both = self.last.keys() & other.last.keys()
        return MariaDBGtidState(
            {domain: min(self.last[domain], other.last[domain], key=lambda gtid: gtid[1]) for domain in both}
        )

    def covers(self, other: MariaDBGtidState) -> bool:
        """Whether every domain of ``other`` has come at least as far here."""
        return all(self.last.get(domain, (0, 0))[1] >= sequence for domain, (_, sequence) in other.last.items())

    def __str__(self) -> str:
        return ",".join(f"{domain}-{server}-{number}" for domain, (server, number) in sorted(self.last.items()))


def covers(one: MySQLGtidSet | MariaDBGtidState, other: MySQLGtidSet | MariaDBGtidState) -> bool:
    """Whether all of ``other`` is in ``one``; false for sets of unlike servers."""
    if isinstance(one, MySQLGtidSet) and isinstance(other, MySQLGtidSet):
        return one.covers(other)
    return isinstance(one, MariaDBGtidState) and isinstance(other, MariaDBGtidState) and one.covers(other)


@dataclass(frozen=True, slots=True)
class Gtid:
    """One transaction's identifier as its event tells it; ``commit_micros`` is MySQL's immediate commit timestamp,
    ``prepared`` is said of MariaDB's XA transactions.
    """

    text: str | None
    origin: str | None = None
    commit_micros: int | None = None
    domain_id: int | None = None
    standalone: bool = False
    prepared: bool = False


def micros(data: bytes) -> int:
    """MySQL's immediate commit timestamp: 7 bytes, of which the highest bit says that another time follows."""
    return int.from_bytes(data, "little") & ~(1 << 55)


def mysql_gtid(body: bytes, *, anonymous: bool) -> Gtid:
    """Read GTID and ANONYMOUS_GTID."""
    fields = Fields(body, 1)
    uuid, number = str(UUID(bytes=fields.take(16))), fields.number(8)
    timed = len(body) >= COMMIT_TIME.stop and body[25] == COMMIT_TIMES
    committed = micros(body[COMMIT_TIME]) if timed else None
    return Gtid(None if anonymous else f"{uuid}:{number}", None if anonymous else uuid, committed)


def mysql_tagged_gtid(body: bytes) -> Gtid:
    """Read GTID_TAGGED: a serialised message of numbered fields, of which those up to the commit time matter here."""
    fields = Fields(body)
    version, _size, _last_needed = fields.varint(), fields.varint(), fields.varint()
    if version != 1:
        raise NotUnderstood(f"serialisation version {version} of a tagged GTID")
    found: dict[int, int | bytes] = {}
    while not fields.ended and 6 not in found:
        number = fields.varint()
        if number == 1:
            found[1] = bytes(fields.varint() & 0xFF for _ in range(16))
        elif number == 3:
            found[3] = fields.take(fields.varint())
        elif number in (2, 4, 5):
            found[number] = fields.signed_varint()
        else:
            found[number] = fields.varint()
    uuid, sequence, tag, micros = (found.get(key) for key in (1, 2, 3, 6))
    if not isinstance(uuid, bytes) or not isinstance(sequence, int):
        raise Damage("a tagged GTID event without UUID or number")
    origin = str(UUID(bytes=uuid))
    label = f":{tag.decode('ascii', 'replace')}" if isinstance(tag, bytes) and tag else ""
    return Gtid(f"{origin}{label}:{sequence}", origin, micros if isinstance(micros, int) else None)


def mariadb_gtid(body: bytes, server_id: int) -> Gtid:
    """Read MariaDB's GTID; the server id stands in the header."""
    if len(body) < _MARIADB.size:
        raise Damage("a GTID event ends too early")
    sequence, domain, flags = _MARIADB.unpack_from(body)
    text = f"{domain}-{server_id}-{sequence}"
    return Gtid(text, str(server_id), domain_id=domain, standalone=bool(flags & 1), prepared=bool(flags & _PREPARED))


def owned_set(owned: str) -> str:
    """The GTIDs of ``gtid_owned``, which names after each the thread that owns it, and parts sources by nothing.

    What is of no source stays, for the server to refuse: an upper bound must not be without it.

    >>> owned_set("aaaaaaaa-0000-0000-0000-000000000001:5#12:7#1333333333-0000-0000-0000-000000000001:2#4")
    'aaaaaaaa-0000-0000-0000-000000000001:5:7,33333333-0000-0000-0000-000000000001:2'
    >>> owned_set(""), owned_set("5#12aaaaaaaa-0000-0000-0000-000000000001:7#13")
    ('', '5,aaaaaaaa-0000-0000-0000-000000000001:7')
    """
    starts = [found.start() for found in _UUID.finditer(owned)]
    parts = (owned[start:end] for start, end in pairwise([0, *starts, len(owned)]))
    return ",".join(filter(None, ("".join(re.sub(r"#\d+", "", part).split()).strip(",") for part in parts)))
