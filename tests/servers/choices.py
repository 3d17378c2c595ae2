"""Which engines the tests run on, and where a pair of each comes from: an address given, local programs, Docker.

An address is given in the environment as the admins' URLs of a pair that already replicates:
``REPLGUARD_TEST_MARIADB=mariadb://root:...@host:3306/mysql,mariadb://...``, ``REPLGUARD_TEST_POSTGRESQL_18=...``;
a pair that replicates both ways as ``REPLGUARD_TEST_MARIADB_TWO_WAY``.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass

from replguard.demo.servers import Direction, Pair, Server, ServersNotFound, find, found, open_pair
from replguard.demo.servers.access import Access
from replguard.endpoint import endpoint
from tests.servers import containers

ALWAYS = ("mariadb", "mysql", "postgresql-16", "postgresql-18")


@dataclass(frozen=True)
class Choice:
    """An engine, for PostgreSQL with its major version: what a test is parametrised with."""

    id: str

    @property
    def engine(self) -> str:
        return self.id.partition("-")[0]

    @property
    def major(self) -> str | None:
        return self.id.partition("-")[2] or None

    def named(self, names: tuple[str, ...]) -> bool:
        return not names or self.id in names or self.engine in names

    @property
    def two_way(self) -> bool:
        """Whether the engine can tell its own changes from those that came from elsewhere."""
        return self.major is None or int(self.major) >= 16


def choices() -> list[Choice]:
    """What the tests must cover, and what else is on this machine."""
    more = {installation.name for installation in found("postgresql")}
    return [Choice(name) for name in sorted({*ALWAYS, *more})]


def versions() -> tuple[str, ...]:
    """The versions of PostgreSQL for tests of what all versions share: the oldest and the newest there is, or all of
    them in the long run. Of the tests that all engines share, :func:`in_sample` takes some.
    """
    if os.environ.get("REPLGUARD_LONG"):
        return ("postgresql",)
    found_here = sorted((one for one in choices() if one.major), key=lambda one: int(one.major or 0))
    return tuple({one.id: None for one in (found_here[0], found_here[-1])})


def in_sample(choice: Choice, test: str) -> bool:
    """Whether a test of all engines runs on this one: in the long run always, and always on the newest version; else
    one test of two on the oldest, and one of four on those between.
    """
    if choice.major is None or os.environ.get("REPLGUARD_LONG"):
        return True
    oldest, *_, newest = versions() * 2
    every = {newest: 1, oldest: 2}.get(choice.id, 4)
    return zlib.crc32(test.encode()) % every == 0


def in_turn(choice: Choice, case: str, engines: tuple[str, ...]) -> bool:
    """Whether a case of a campaign, which ``engines`` have (empty: all), is this one's: in the long run always; else
    that of every other engine of those that have it, and of one at least. Of older versions one case of four.
    """
    if os.environ.get("REPLGUARD_LONG"):
        return choice.named(engines)
    newest = versions()[-1]
    having = [one for one in ("mariadb", "mysql", newest) if Choice(one).named(engines)]
    number = zlib.crc32(case.encode())
    if choice.id not in having:
        return choice.named(engines) and number % 4 == 0
    return len(having) == 1 or (having.index(choice.id) + number) % 2 == 0


def open_choice(choice: Choice, direction: Direction, options: tuple[str, ...] = ()) -> Pair:
    """A pair to be closed by the caller. Raises ServersNotFound."""
    given = None if options else os.environ.get(_variable(choice, direction))
    if given:
        return _given(given, direction)
    try:
        return open_pair(find(choice.engine, choice.major), direction, options)
    except ServersNotFound:
        if not containers.docker_answers():
            raise
    return containers.open_pair(choice.engine, choice.major, direction, options)


def version(choice: Choice) -> str | None:
    """What would be used, in words; ``None`` if there is nothing."""
    if os.environ.get(_variable(choice, "one-way")):
        return "as given"
    try:
        installation = find(choice.engine, choice.major)
    except ServersNotFound:
        return "in Docker" if containers.docker_answers() else None
    return f"{installation.version} ({installation.origin})"


def _variable(choice: Choice, direction: Direction) -> str:
    end = "_TWO_WAY" if direction == "two-way" else ""
    return f"REPLGUARD_TEST_{choice.id.upper().replace('-', '_')}{end}"


def _given(urls: str, direction: Direction) -> Pair:
    blue, green = (_given_server(name, url) for name, url in zip(("blue", "green"), urls.split(","), strict=True))
    return Pair(blue, green, direction)


def _given_server(name: str, url: str) -> Server:
    place = endpoint(name, url)
    default = 5432 if place.engine == "postgresql" else 3306
    access = Access(
        place.engine, place.host or "127.0.0.1", place.port or default, place.user or "", place.password or ""
    )
    return Server(name, access, access, containers.asked_version(access))
