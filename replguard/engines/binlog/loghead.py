"""What a log file says of itself at its head: whose it is, what kind, and what came before it.

Source: the servers' public descriptions of the binlog format. A file is four bytes of magic, a format description, and
what was executed before (PREVIOUS_GTIDS, GTID_LIST). A relay log's own events carry a flag that the source's have not.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.events import (
    CRC_SIZE,
    FLAG_IN_USE,
    FLAG_RELAY,
    HEADER,
    HEADER_SIZE,
    Damage,
    Flavour,
    Format,
    Header,
    MariaDBEvent,
    MySQLEvent,
    NotUnderstood,
    body_of,
)
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet
from replguard.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

MAGIC = b"\xfebin"
MAGIC_SIZE = len(MAGIC)
MYSQL_ENCRYPTED = b"\xfdbin"
MARIADB_PAGES = b"\xfe\xfe\x0d\x01"
"""The magic of MariaDB 12.3's binlogs inside InnoDB (``.ibb``)."""

_VERSION_AT = MAGIC_SIZE + HEADER_SIZE + 2
_VERSION_SIZE = 50
_FIXED_PART = 57
_TYPES_OF_MARIADB = MariaDBEvent.GTID.value
_LARGEST_LIST = 64 << 20
_LONGEST_ROTATE = HEADER_SIZE + 8 + 512 + CRC_SIZE


@dataclass(frozen=True, slots=True)
class Head:
    """One log file, as it was when it was opened.

    ``server_id`` is that of the server which wrote the file, ``before`` what it had executed (a relay log: received)
    before its first event. ``next_file`` is what its last event names, where that is a rotate; ``stopped`` says that
    the server was shut down. ``unreadable`` says why the file cannot be read here, though it is a log file.
    """

    path: Path
    size: int
    server_version: str = ""
    server_id: int = 0
    relay: bool = False
    in_use: bool = False
    checksum: bool = False
    before: MySQLGtidSet | MariaDBGtidState | None = None
    next_file: str | None = None
    stopped: bool = False
    unreadable: str | None = None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def closed(self) -> bool:
        """Whether the server that wrote it ended it in good order."""
        return self.next_file is not None or self.stopped

    @property
    def unfinished(self) -> bool:
        """Whether it was being written to; a relay log that is carries no mark."""
        return self.in_use or (self.relay and not self.closed)


def flavour_of(head: bytes) -> Flavour | None:
    """Which server writes files that begin like this; None where it is none of the two.

    MariaDB says its name in its version; where that was changed (``version=`` in its options), it still has event types
    that MySQL has not.
    """
    if head.startswith(MYSQL_ENCRYPTED):
        return "mysql"
    if head.startswith(MARIADB_PAGES):
        return "mariadb"
    if not head.startswith(MAGIC) or len(head) < _VERSION_AT:
        return None
    header = HEADER.unpack_from(head, MAGIC_SIZE)
    if header[1] != MySQLEvent.FORMAT_DESCRIPTION:
        return None
    return _flavour(head[_VERSION_AT : _VERSION_AT + _VERSION_SIZE], header[3] - HEADER_SIZE - _FIXED_PART)


def flavour_of_format(body: bytes) -> Flavour:
    """Which server wrote a format description, by its body."""
    return _flavour(body[2 : 2 + _VERSION_SIZE], len(body) - _FIXED_PART)


def _flavour(version: bytes, types: int) -> Flavour:
    return "mariadb" if b"mariadb" in version.lower() or types > _TYPES_OF_MARIADB else "mysql"


def read(path: Path, flavour: Flavour) -> Head:
    """Read a file's head. UsageError where it cannot be opened; damage is told when the file is read."""
    try:
        with path.open("rb") as file:
            return _read(path, file, os.fstat(file.fileno()).st_size, flavour)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="name a file that you may read") from error


def _read(path: Path, file: BinaryIO, size: int, flavour: Flavour) -> Head:
    magic = file.read(MAGIC_SIZE)
    if magic == MYSQL_ENCRYPTED:
        return Head(path, size, unreadable=_ENCRYPTED_MYSQL)
    if magic == MARIADB_PAGES:
        return Head(path, size, unreadable=_PAGES)
    try:
        raw, form = _format(file)
    except (Damage, NotUnderstood):
        return Head(path, size)
    header = Header.of(raw)
    relay = bool(header.flags & FLAG_RELAY)
    following = _event(file)
    encrypted = flavour == "mariadb" and following[4:5] == bytes([MariaDBEvent.START_ENCRYPTION])
    return Head(
        path,
        size,
        form.server_version,
        header.server_id,
        relay,
        bool(header.flags & FLAG_IN_USE),
        form.checksum,
        None if encrypted else _before(following, form, flavour),
        *_last_words(file, size, checksum=form.checksum),
        _ENCRYPTED_MARIADB if encrypted else None,
    )


def _format(file: BinaryIO) -> tuple[bytes, Format]:
    raw = _event(file)
    return raw, Format.of(raw)


def _event(file: BinaryIO) -> bytes:
    """The next event, as much of it as is there."""
    head = file.read(HEADER_SIZE)
    if len(head) < HEADER_SIZE:
        return head
    size = HEADER.unpack(head)[3]
    return head + file.read(max(0, min(size, _LARGEST_LIST) - HEADER_SIZE))


def _before(raw: bytes, form: Format, flavour: Flavour) -> MySQLGtidSet | MariaDBGtidState | None:
    """What was executed before the file, where its second event tells; damage in it is told when it is read."""
    kinds = {"mysql": MySQLEvent.PREVIOUS_GTIDS, "mariadb": MariaDBEvent.GTID_LIST}
    try:
        if Header.of(raw).type != kinds[flavour]:
            return None
        body = body_of(raw, checksum=form.checksum)
        return MySQLGtidSet.decode(body) if flavour == "mysql" else MariaDBGtidState.decode(body)
    except (Damage, NotUnderstood):
        return None


def _last_words(file: BinaryIO, size: int, *, checksum: bool) -> tuple[str | None, bool]:
    """What the server that wrote the file said last: the name of the next file, or that it stopped."""
    begins = max(MAGIC_SIZE, size - _LONGEST_ROTATE)
    file.seek(begins)
    tail = file.read(size - begins)
    crc = CRC_SIZE if checksum else 0
    for at in range(len(tail) - HEADER_SIZE, -1, -1):
        _, kind, _, length, end_pos, _ = HEADER.unpack_from(tail, at)
        if length != len(tail) - at or end_pos != size % (1 << 32):
            continue
        if kind == MySQLEvent.STOP and length == HEADER_SIZE + crc:
            return None, True
        if kind == MySQLEvent.ROTATE and length > HEADER_SIZE + 8 + crc:
            return tail[at + HEADER_SIZE + 8 : len(tail) - crc].decode("utf-8", "replace"), False
    return None, False


_ENCRYPTED_MYSQL = (
    "it is encrypted (binlog_encryption), and its key is not to be had from here: fetch it in the clear with "
    "`mysqlbinlog --read-from-remote-server --raw`, or read the stream with `replguard watch --since`"
)
_ENCRYPTED_MARIADB = (
    "it is encrypted (encrypt_binlog), and its key is not to be had from here: fetch it in the clear with "
    "`mariadb-binlog --read-from-remote-server --raw`, or read the stream with `replguard watch --since`"
)
_PAGES = (
    "it is a binlog inside InnoDB (binlog_storage_engine), which is no file of events: read the stream with "
    "`replguard watch --since`"
)
