"""Where the reader stands between transactions."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from replguard.engines.binlog import gtid as gtids
from replguard.engines.binlog.events import HEADER, HEADER_SIZE, EventType, Flavour, MariaDBEvent, MySQLEvent

if TYPE_CHECKING:
    from replguard.engines.binlog.gtid import Gtid

Told = tuple[str | None, str | None, int | None, int | None]
"""Text, origin, domain and time of commit in microseconds."""
NO_GTID: Final[Told] = (None, None, None, None)
_MARIADB = struct.Struct("<5xI10xQI")
_MYSQL = struct.Struct("<20x16sQB")


@lru_cache(maxsize=64)
def _uuid(source: bytes) -> str:
    return str(UUID(bytes=source))


class Transaction:
    """``open``: between its begin and its commit; ``expected``: its GTID came, and nothing else yet.

    ``plain`` holds a GTID event (header and body) that the quick path has judged and nobody has decoded yet; reading
    :attr:`gtid` decodes it. ``pending``: its changes are prepared first and
    decided on later (XA). MariaDB's GTID says so, of MySQL the statement that begins it.
    ``label`` names one that has no GTID.
    """

    __slots__ = ("_flavour", "_gtid", "expected", "label", "open", "pending", "plain")

    def __init__(self, flavour: Flavour) -> None:
        self._flavour = flavour
        self._gtid: Gtid | None = None
        self.plain: bytes | None = None
        self.open = False
        self.expected = False
        self.pending = False
        self.label: str | None = None

    @property
    def gtid(self) -> Gtid | None:
        if self._gtid is None and self.plain is not None:
            self._gtid = decoded(self._flavour, self.plain)
        return self._gtid

    @property
    def identity(self) -> object:
        """The same object for as long as the transaction is the same."""
        return self.plain or self._gtid

    @property
    def has_gtid(self) -> bool:
        return self._gtid is not None or self.plain is not None

    def told(self) -> Told:
        """What changes tell of it, without making a :class:`Gtid` where there is none yet."""
        if self._gtid is None and self.plain is not None and self._flavour == "mariadb":
            server_id, sequence, domain = _MARIADB.unpack_from(self.plain)
            return f"{domain}-{server_id}-{sequence}", str(server_id), domain, None
        if self._gtid is None and self.plain is not None and self.plain[4] == MySQLEvent.GTID:
            source, number, kind_of_times = _MYSQL.unpack_from(self.plain)
            timed = kind_of_times == gtids.COMMIT_TIMES and len(self.plain) >= HEADER_SIZE + gtids.COMMIT_TIME.stop
            times = self.plain[HEADER_SIZE:][gtids.COMMIT_TIME] if timed else None
            origin = _uuid(source)
            return f"{origin}:{number}", origin, None, gtids.micros(times) if times else None
        gtid = self.gtid
        if gtid is None:
            return self.label, None, None, None
        return gtid.text or self.label, gtid.origin, gtid.domain_id, gtid.commit_micros

    @property
    def name(self) -> str:
        return (self.gtid and self.gtid.text) or "without GTID"

    def hold(self, event: bytes) -> None:
        """Keep a plain GTID event undecoded."""
        self.plain, self._gtid = event, None

    def begin(self, gtid: Gtid) -> None:
        """A GTID came. MariaDB's says itself that a transaction begins; MySQL's is followed by BEGIN, or by DDL."""
        self.reset()
        self._gtid = gtid
        self.expected = True
        self.open = gtid.domain_id is not None and not gtid.standalone
        self.pending = gtid.prepared

    def end(self) -> str | None:
        """It is committed: its identifier, where it has one."""
        executed = self.gtid.text if self.has_gtid and self.gtid else None
        self.reset()
        return executed

    def reset(self) -> None:
        self._gtid, self.plain, self.label = None, None, None
        self.open = self.expected = self.pending = False


def decoded(flavour: Flavour, event: bytes) -> Gtid:
    """The GTID of an event that the quick path took in: header and body, without checksum."""
    head, body = HEADER.unpack_from(event), event[HEADER_SIZE:]
    if flavour == "mariadb":
        return gtids.mariadb_gtid(body, head[2])
    return gtids.mysql_gtid(body, anonymous=head[1] == MySQLEvent.ANONYMOUS_GTID)


def of_event(kind: EventType, body: bytes, server_id: int) -> Gtid | None:
    """The GTID that an event carries; ``None`` for other events. Raises Damage and NotUnderstood."""
    if kind in (MySQLEvent.GTID, MySQLEvent.ANONYMOUS_GTID):
        return gtids.mysql_gtid(body, anonymous=kind is MySQLEvent.ANONYMOUS_GTID)
    if kind is MySQLEvent.GTID_TAGGED:
        return gtids.mysql_tagged_gtid(body)
    return gtids.mariadb_gtid(body, server_id) if kind is MariaDBEvent.GTID else None
