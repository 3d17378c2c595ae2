"""A manifest of a file or a tree: every name with its size and hash, so that trees of two hosts can be compared.

Hashes are SHA-256, or HMAC-SHA-256 where a key is given: a keyed one tells nothing of a secret file's content to who
does not have the key, not even by trying. Links are listed by where they lead and not followed. What cannot be read, or
changes while it is read, is listed as a problem, never passed over.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMA = "replguard.manifest/1"
_CHUNK = 1 << 20
_KEY_NAME = b"replguard manifest key"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name below the root, with slashes; '' is the root where that is a file. ``hash`` is None for folders."""

    path: str
    kind: str
    size: int | None = None
    hash: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """``key`` names the key without telling it, None for plain hashes. ``problems`` say what could not be listed."""

    root: str
    host: str
    made_at: datetime
    key: str | None
    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "root": self.root,
            "host": self.host,
            "made_at": self.made_at.isoformat(timespec="seconds"),
            "key": self.key,
            "entries": [[one.path, one.kind, one.size, one.hash] for one in self.entries],
            "problems": list(self.problems),
        }

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """ValueError for what is no manifest."""
        try:
            found = json.loads(data)
            if found["schema"] != SCHEMA:
                raise ValueError(f"it is {found['schema']!r}, not {SCHEMA!r}")
            entries = tuple(Entry(str(path), str(kind), size, hashed) for path, kind, size, hashed in found["entries"])
            made = datetime.fromisoformat(found["made_at"])
            problems = tuple(map(str, found["problems"]))
            return cls(str(found["root"]), str(found["host"]), made, found["key"], entries, problems)
        except (KeyError, TypeError, UnicodeDecodeError) as error:
            raise ValueError(f"it is no manifest ({error})") from None


def name_of(key: bytes) -> str:
    """A name by which two hosts see that they used the same key."""
    return hmac.new(key, _KEY_NAME, hashlib.sha256).hexdigest()[:16]


def make(place: str, key: bytes | None = None) -> Manifest:
    """List a path of this host, or a URL of fsspec. UsageError where there is nothing."""
    problems: list[str] = []
    walk = _of_url(place, key, problems) if "://" in place else _of_path(Path(place), key, problems)
    entries = tuple(sorted(walk, key=lambda entry: entry.path))
    made = datetime.now(UTC)
    return Manifest(place, socket.gethostname(), made, name_of(key) if key else None, entries, tuple(sorted(problems)))


def _hasher(key: bytes | None) -> Any:
    return hmac.new(key, digestmod=hashlib.sha256) if key else hashlib.sha256()


def _of_path(root: Path, key: bytes | None, problems: list[str]) -> Iterator[Entry]:
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise UsageError(f"{root} cannot be read: {error.strerror}", remedy="name a file or a folder") from None
    if stat.S_ISDIR(mode):
        yield from _folder(root, "", key, problems)
    else:
        yield from _entry(root, "", key, problems, follow=True)


def _folder(folder: Path, below: str, key: bytes | None, problems: list[str]) -> Iterator[Entry]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        problems.append(f"{_shown(below) or '.'}: {error.strerror}")
        return
    for name in names:
        path = folder / name
        yield from _entry(path, f"{below}/{name}" if below else name, key, problems)


def _entry(path: Path, name: str, key: bytes | None, problems: list[str], *, follow: bool = False) -> Iterator[Entry]:
    shown = _shown(name)
    try:
        before = path.stat(follow_symlinks=follow)
        if stat.S_ISDIR(before.st_mode):
            yield Entry(shown, "folder")
            yield from _folder(path, name, key, problems)
        elif stat.S_ISLNK(before.st_mode):
            hasher = _hasher(key)
            hasher.update(os.fsencode(path.readlink()))
            yield Entry(shown, "link", None, hasher.hexdigest())
        elif stat.S_ISREG(before.st_mode):
            with open(path, "rb", opener=_not_through_links(follow=follow)) as file:
                size, hashed = _read(file.read, key)
            after = path.stat(follow_symlinks=follow)
            if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
                problems.append(f"{shown or path.name}: changed while it was read")
            yield Entry(shown, "file", size, hashed)
        else:
            problems.append(f"{shown}: is neither file nor folder nor link")
    except OSError as error:
        problems.append(f"{shown or path.name}: {error.strerror}")


def _not_through_links(*, follow: bool) -> Callable[[str, int], int]:
    """A file that became a link meanwhile is not opened."""
    return lambda path, flags: os.open(path, flags if follow else flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _read(read: Callable[[int], bytes], key: bytes | None) -> tuple[int, str]:
    hasher, size = _hasher(key), 0
    while chunk := read(_CHUNK):
        hasher.update(chunk)
        size += len(chunk)
    return size, hasher.hexdigest()


def _of_url(place: str, key: bytes | None, problems: list[str]) -> Iterator[Entry]:
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError(
            "a URL needs fsspec, which is not installed", remedy="pip install 'replguard[files]'"
        ) from None
    try:
        system, root = url_to_fs(place)
        paths = system.find(root)
    except Exception as error:  # noqa: BLE001 - each kind of storage raises its own
        raise UsageError(f"{_without_secret(place)} cannot be read: {type(error).__name__}") from None
    if not paths:
        raise UsageError(f"{_without_secret(place)} holds no file", remedy="name a file or a folder that is there")
    for path in paths:
        name = path[len(root) :].lstrip("/") if path != root else ""
        try:
            with system.open(path, "rb") as file:
                size, hashed = _read(file.read, key)
            yield Entry(name, "file", size, hashed)
        except Exception as error:  # noqa: BLE001 - as above
            problems.append(f"{name}: {type(error).__name__}")


def load(place: str) -> bytes:
    """The bytes of a path or URL of fsspec. OSError where it cannot be read, whatever the storage."""
    if "://" not in place:
        return Path(place).read_bytes()
    try:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - an extra
    except ImportError:
        raise OSError(0, "a URL needs fsspec: pip install 'replguard[files]'") from None
    try:
        system, path = url_to_fs(place)
        data: bytes = system.cat_file(path)
    except Exception as error:  # noqa: BLE001 - each kind of storage raises its own
        raise OSError(0, type(error).__name__) from None
    return data


def _without_secret(place: str) -> str:
    scheme, _, rest = place.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def _shown(name: str) -> str:
    r"""A name as text: bytes that are no UTF-8 are escaped.

    >>> _shown("a\udcff")
    'a\\xff'
    """
    return os.fsencode(name).decode("utf-8", "backslashreplace")
