"""pytest fixtures of replicating pairs.

- ``pair``, ``two_way_pair``: a pair of each engine in turn, started once a session
- ``db``, ``two_way_db``: a database of the test's own on it (:class:`tests.servers.workspace.Workspace`)
- ``make_pair``: starts pairs of the test's own, with options and a direction of its own

``@pytest.mark.engines("mariadb", "postgresql-18")`` and ``--engine`` choose; ``--require-engines`` lets a missing
engine fail. Without it a missing engine is skipped, and the summary says so loudly.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from replguard.demo.servers import Direction, NotOurs, Pair, ServersNotFound
from replguard.demo.servers.keeping import keeper
from tests.servers.choices import Choice, choices, in_sample, open_choice, version
from tests.servers.workspace import Workspace, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MISSING = pytest.StashKey[Counter[tuple[str, str]]]()
_MEMORY = 5 << 30
_TWO_WAY = {"two_way_pair", "two_way_db"}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("servers", "database servers")
    group.addoption(
        "--engine", action="append", default=[], help="only this engine: mariadb, postgresql-18 (repeatable)"
    )
    group.addoption("--require-engines", action="store_true", help="a missing engine fails instead of skipping")


def pytest_configure(config: pytest.Config) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts background work deaf to Ctrl-C, and every process that a test interrupts inherits it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    keeper.base = in_memory()
    config.addinivalue_line("markers", "engines(*names): run on these engines only")
    config.stash[_MISSING] = Counter()
    known = {name for choice in choices() for name in (choice.id, choice.engine)}
    unknown = set(config.getoption("engine")) - known
    if unknown:
        raise pytest.UsageError(f"--engine: {', '.join(sorted(unknown))} is none of {', '.join(sorted(known))}")


def in_memory() -> Path | None:
    """Where servers' data lies in memory, if this machine has plenty: a database is made of hundreds of files, and of
    tests that ask for one there are many.
    """
    memory, told = Path("/dev/shm"), Path("/proc/meminfo")
    if not (memory.is_dir() and os.access(memory, os.W_OK | os.X_OK) and told.is_file()):
        return None
    lines = told.read_text().splitlines()
    available = next((int(line.split()[1]) for line in lines if line.startswith("MemAvailable")), 0)
    plenty = shutil.disk_usage(memory).free >= _MEMORY and available * 1024 >= 2 * _MEMORY
    return memory if plenty else None


def pytest_report_header(config: pytest.Config) -> list[str]:
    servers = ", ".join(f"{choice.id} {version(choice) or 'MISSING'}" for choice in choices())
    return [f"servers: {servers}; data in {'memory' if keeper.base else 'temporary files'}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for (engine, remedy), count in sorted(config.stash[_MISSING].items()):
        terminalreporter.write_line(
            f"NOT TESTED: {engine} is missing, {count} tests skipped: {remedy}", red=True, bold=True
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine_choice" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("engines")
    marked, asked = tuple(marker.args) if marker else (), tuple(metafunc.config.getoption("engine"))
    wanted = [choice for choice in choices() if choice.named(marked) and choice.named(asked)]
    if not marked and not asked and not _TWO_WAY & set(metafunc.fixturenames):
        wanted = [choice for choice in wanted if in_sample(choice, metafunc.definition.nodeid)]
    if _TWO_WAY & set(metafunc.fixturenames):
        wanted = [choice for choice in wanted if choice.two_way]
    metafunc.parametrize("engine_choice", wanted, ids=[choice.id for choice in wanted], indirect=True, scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that stops servers cannot run where the servers are not ours."""
    try:
        yield
    except NotOurs as error:
        pytest.skip(str(error))


class Pairs:
    """The pairs of one engine that are up, by direction."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self._open: dict[Direction, Pair] = {}
        self._own: list[Pair] = []
        self._failed: dict[Direction, Exception] = {}

    def get(self, direction: Direction) -> Pair:
        if direction in self._failed:
            raise self._failed[direction]
        if direction not in self._open:
            try:
                self._open[direction] = open_choice(self.choice, direction)
            except Exception as error:
                self._failed[direction] = error
                raise
        return self._open[direction]

    def make(self, direction: Direction, options: tuple[str, ...]) -> Pair:
        self._own.append(open_choice(self.choice, direction, options))
        return self._own[-1]

    def discard(self, pair: Pair) -> None:
        """Give up a pair that could not be put right: the next test gets a new one."""
        self._open = {direction: other for direction, other in self._open.items() if other is not pair}
        pair.close()

    def close_own(self) -> None:
        while self._own:
            self._own.pop().close()

    def close(self) -> None:
        self.close_own()
        for pair in self._open.values():
            pair.close()


@pytest.fixture(scope="session")
def engine_choice(request: pytest.FixtureRequest) -> Choice:
    """The engine of this round of tests."""
    choice: Choice = request.param
    return choice


@pytest.fixture(scope="session")
def pairs(engine_choice: Choice) -> Iterator[Pairs]:
    mine = Pairs(engine_choice)
    yield mine
    mine.close()


@contextlib.contextmanager
def _or_skip(config: pytest.Config, choice: Choice) -> Iterator[None]:
    try:
        yield
    except ServersNotFound as error:
        if config.getoption("require_engines"):
            pytest.fail(f"--require-engines: {error}: {error.remedy}", pytrace=False)
        config.stash[_MISSING][choice.id, str(error.remedy)] += 1
        pytest.skip(str(error))


@pytest.fixture
def pair(pairs: Pairs, request: pytest.FixtureRequest) -> Pair:
    """A pair that replicates from blue to green."""
    with _or_skip(request.config, pairs.choice):
        return pairs.get("one-way")


@pytest.fixture
def two_way_pair(pairs: Pairs, request: pytest.FixtureRequest) -> Pair:
    """A pair that replicates in both directions."""
    with _or_skip(request.config, pairs.choice):
        return pairs.get("two-way")


@pytest.fixture
def thorough() -> bool:
    """Whether a campaign runs whole (``make test-long``) or as a seeded sample."""
    return bool(os.environ.get("REPLGUARD_LONG"))


@pytest.fixture
def db(pair: Pair, pairs: Pairs) -> Iterator[Workspace]:
    """A database of this test's own on ``pair``."""
    yield from _workspace(pair, pairs)


@pytest.fixture
def two_way_db(two_way_pair: Pair, pairs: Pairs) -> Iterator[Workspace]:
    """A database of this test's own on ``two_way_pair``."""
    yield from _workspace(two_way_pair, pairs)


def _workspace(pair: Pair, pairs: Pairs) -> Iterator[Workspace]:
    try:
        with workspace(pair) as mine:
            yield mine
    except Exception:
        pairs.discard(pair)
        raise


@pytest.fixture
def make_pair(pairs: Pairs, request: pytest.FixtureRequest) -> Iterator[Callable[..., Pair]]:
    """``make_pair(direction="one-way", options=("--log-slave-updates=OFF",))`` starts a pair for this test alone."""

    def make(direction: Direction = "one-way", options: tuple[str, ...] = ()) -> Pair:
        with _or_skip(request.config, pairs.choice):
            return pairs.make(direction, options)
        raise AssertionError("unreachable")

    yield make
    pairs.close_own()
