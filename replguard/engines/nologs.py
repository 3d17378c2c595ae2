"""Files that are no engine's log: what they are instead, as far as it shows, and what to do about it."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from replguard.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip -k"),
    b"BZh": ("bzip2", "bunzip2 -k"),
    b"\xfd7zXZ\x00": ("xz", "unxz -k"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -d"),
    b"\x04\x22\x4d\x18": ("lz4", "lz4 -d"),
    b"PK\x03\x04": ("zip", "unzip"),
}
_PRINTED = (b"# The proper term is pseudo_replica_mode", b"/*!50530 SET", b"/*!50700 SET", b"DELIMITER /*!*/")
_LOG = b"\xfebin"


def head_of(path: Path, size: int) -> bytes:
    """The first bytes of a file. UsageError where it is no file that can be read, or empty."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{path} is a folder", remedy="name the log files in it")
        if not stat.S_ISREG(mode):
            raise UsageError(f"{path} is no plain file", remedy="save what it gives to a file, and name that")
        with path.open("rb") as file:
            head = file.read(size)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="name a file that you may read") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is no file's name: {error}") from error
    if not head:
        raise UsageError(f"{path} is empty", remedy="name a log file; a copy that failed leaves an empty one")
    return head


def refusal(path: Path, head: bytes) -> UsageError:
    """The error for a file that no engine recognises."""
    for magic, (name, command) in _PACKED.items():
        if head.startswith(magic):
            return UsageError(f"{path} is compressed with {name}", remedy=f"decompress it first: {command} {path}")
    if any(words in head for words in _PRINTED):
        return UsageError(
            f"{path} is the output of mysqlbinlog", remedy="name the log file itself, as the server wrote it"
        )
    if path.name.endswith(".index"):
        return UsageError(f"{path} is the server's list of its log files", remedy="name the files, without the list")
    if head.startswith(_LOG):
        return UsageError(
            f"{path} begins as a binlog and has no format description",
            remedy="copy it again: the beginning of the file is missing or damaged",
        )
    return UsageError(
        f"{path} is no log file that can be read here", remedy="name a binlog or relay-log file of MySQL or MariaDB"
    )
