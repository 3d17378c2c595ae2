"""How long a server keeps the binlog that a stopped link needs: by the age of its files, by their size, by the disk.

A server removes a file when it was written last so and so long ago (``binlog_expire_logs_seconds``), or, oldest first,
when all of them are too large together (``max_binlog_total_size``, MariaDB from 11.4). When a file was written last no
statement tells; it was when the next one was begun, and that stands at the head of that one. How much room is left on
the disk only MariaDB tells, where its plugin DISKS is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from replguard.engines.binlog import places
from replguard.engines.binlog.files import order
from replguard.engines.binlog.gtid import MariaDBGtidState, MySQLGtidSet, covers
from replguard.engines.binlog.places import as_text
from replguard.engines.controls import Kept
from replguard.errors import PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from replguard.engines.binlog.places import GtidSet
    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link

_DAY = 86_400
_LONG_ENOUGH = 600.0
"""Seconds that the files must reach back for a rate to be worth telling."""


@dataclass(frozen=True, slots=True)
class _Files:
    """Binlog files with their sizes, oldest first."""

    names: tuple[str, ...]
    sizes: tuple[int, ...]

    @property
    def size(self) -> int:
        return sum(self.sizes)

    def since(self, file: str) -> _Files:
        first = next((place for place, name in enumerate(self.names) if order(name) >= order(file)), len(self.names))
        return _Files(self.names[first:], self.sizes[first:])


def kept(server: BinlogServer, target: BinlogServer, link: Link, begun: Callable[[str], float | None]) -> Kept:
    """See :class:`replguard.engines.controls.Keeps`; ``begun`` tells when a file was begun, in seconds since 1970."""
    rows = server.run("stream_files")
    files = _Files(tuple(as_text(row["Log_name"]) for row in rows), tuple(int(row["File_size"]) for row in rows))
    if lost := _lost(server, target, link, files):
        return Kept(files.size, lost=lost)
    clock = server.clock()
    settings = {as_text(row["Variable_name"]): as_text(row["Value"]) for row in server.run("log_kept")}
    needed = _needed(link, files)
    seconds, age_limit, age_unknown = _age(settings, needed, clock, begun)
    disk, no_disk = _disk(server, settings.get("log_bin_basename", ""))
    free, limit, room_unknown = _room(disk, settings, needed)
    return Kept(
        written=files.size,
        bytes_kept=max(needed.size - _offset(link, needed), 0) if needed else None,
        bytes_free=free,
        limit=limit,
        seconds=seconds,
        age_limit=age_limit,
        mean=_mean(files, clock, begun),
        unknown=(*age_unknown, *room_unknown),
        no_disk=no_disk,
    )


def _lost(server: BinlogServer, target: BinlogServer, link: Link, files: _Files) -> str | None:
    """Why the link can no longer be had: by GTIDs where it asks by them, else by the file that it stands in."""
    applied = places.applied(server, target, link)
    if not link.detail.get("auto_position"):
        file = str(link.detail.get("source_file") or "")
        gone = file and files.names and order(file) < order(files.names[0])
        return f"{server.name} has removed {file}, in which {link.target} stands" if gone else None
    removed = _removed(server, files)
    if removed is None or applied.gtids is None or covers(applied.gtids, removed):
        return None
    return f"{server.name} has removed binlog files that {link.target} needs: it has applied {applied.gtids} alone"


def _removed(server: BinlogServer, files: _Files) -> GtidSet | None:
    """What stands in no file any more; None where the server does not count by GTIDs."""
    if server.flavour == "mysql":
        return MySQLGtidSet.parse(as_text(server.run("stream_purged")[0]["purged"]))
    gtids = server.run("snapshot_gtids", files.names[0], 4)[0]["gtids"] if files.names else None
    return None if gtids is None else MariaDBGtidState.parse(as_text(gtids))


def _needed(link: Link, files: _Files) -> _Files | None:
    """The files from the one on in which the link stands; None where the target does not tell it.

    One that is applied to its end is not needed any more.
    """
    file = link.detail.get("source_file")
    if not file:
        return None
    found = files.since(str(file))
    if len(found.names) > 1 and found.names[0] == file and int(link.detail["source_pos"] or 0) >= found.sizes[0]:
        return found.since(found.names[1])
    return found


def _offset(link: Link, needed: _Files) -> int:
    stands = needed.names and needed.names[0] == link.detail.get("source_file")
    return int(link.detail["source_pos"] or 0) if stands else 0


def _age(
    settings: Mapping[str, str], needed: _Files | None, clock: float, begun: Callable[[str], float | None]
) -> tuple[float | None, str, tuple[str, ...]]:
    """How long until the oldest file that is needed is old enough, by which setting, and what is not known.

    The file that is being written has all of the time before it.
    """
    expire = expires(settings)
    if not expire:
        return None, "", ()
    limit = f"files are removed {_days(expire)} after they were written last"
    if not needed or not needed.names:
        return None, limit, (f"which binlog file is needed, while {limit}",)
    if len(needed.names) == 1:
        return expire, limit, ()
    closed = begun(needed.names[1])
    if closed is None:
        return None, limit, (f"when {needed.names[0]} was written last, while {limit}",)
    return max(expire - (clock - closed), 0.0), limit, ()


def expires(settings: Mapping[str, str]) -> float:
    """Seconds; 0 where files are not removed by age."""
    if settings.get("binlog_expire_logs_auto_purge", "ON").upper() in {"OFF", "0"}:
        return 0.0
    return float(settings.get("binlog_expire_logs_seconds") or 0) or _DAY * float(settings.get("expire_logs_days") or 0)


def _days(seconds: float) -> str:
    """A setting in words.

    >>> _days(2592000), _days(90)
    ('30 days', '90 s')
    """
    return f"{seconds / _DAY:g} days" if seconds >= _DAY else f"{seconds:g} s"


def _room(
    disk: int | None, settings: Mapping[str, str], needed: _Files | None
) -> tuple[int | None, str, tuple[str, ...]]:
    """How much may be written before files are removed or the disk is full, which of these, and what is not known."""
    unknown: tuple[str, ...] = ()
    most = int(settings.get("max_binlog_total_size") or 0)
    rooms = [] if disk is None else [(disk, "free disk")]
    if most and needed:
        rooms.append((max(most - needed.size, 0), f"max_binlog_total_size = {most}"))
    elif most:
        unknown = (f"which binlog file is needed, while max_binlog_total_size is {most}",)
    free, limit = min(rooms, default=(None, ""))
    return free, limit, unknown


def _disk(server: BinlogServer, base: str) -> tuple[int | None, str | None]:
    """The room on the disk of the binlog, or why it is not known."""
    room = "how much room is left on the disk of the binlog"
    if server.flavour != "mariadb":
        return None, f"{room}, which MySQL does not tell"
    if not server.run("disks_active")[0]["active"]:
        return None, f"{room} (after INSTALL SONAME 'disks' MariaDB tells it)"
    try:
        rows = server.run("disks")
    except PrivilegeError:
        return None, f"{room} (with the privilege FILE MariaDB tells it)"
    found = on_disk({as_text(row["path"]): int(row["available"]) * 1024 for row in rows}, base)
    return found, None if found is not None else f"{room}: MariaDB does not tell of the one that {base} is on"


def on_disk(disks: Mapping[str, int], base: str) -> int | None:
    """The room where a path lies, by the longest mount point above it.

    >>> on_disk({"/": 1, "/var/lib": 2, "/var/l": 3}, "/var/lib/mysql/binlog"), on_disk({"/data": 1}, "/var/lib")
    (2, None)
    """
    above = [path for path in disks if PurePosixPath(base).is_relative_to(path)]
    return disks[max(above, key=len)] if above else None


def _mean(files: _Files, clock: float, begun: Callable[[str], float | None]) -> float | None:
    """Bytes a second, as far back as the files go."""
    since = begun(files.names[0]) if files.names else None
    if since is None or clock - since < _LONG_ENOUGH:
        return None
    return files.size / (clock - since)
