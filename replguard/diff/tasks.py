"""Questions to one side's snapshot as tasks: values that can be pickled and carried by any ``concurrent.futures``
executor, and the function that answers them wherever it is run.

In this process a task finds the snapshot that was opened for it. In any other one it opens its own, once, which it
keeps until that process ends; where that one stands in the stream comes back with every answer, so that the window in
which rows may have moved takes it in.
"""

from __future__ import annotations

import atexit
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from replguard.engines import connect
from replguard.errors import ConnectError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from concurrent.futures import Executor, Future
    from typing import Self

    from replguard.endpoint import Endpoint
    from replguard.engines.base import Server, Snapshot

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Station:
    """One side's snapshot, named so that a task finds it, or can open one like it. Holds the endpoint's password."""

    token: str
    endpoint: Endpoint
    identity: str
    statement_timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a task found. ``elsewhere`` says that it was another snapshot than the one that was opened here."""

    value: T
    elsewhere: bool = False


@dataclass(slots=True)
class _Held:
    view: Snapshot
    foreign: bool = False
    lock: Lock = field(default_factory=Lock)


_held: dict[str, _Held] = {}
_opened = ExitStack()
_opening = Lock()
atexit.register(_opened.close)


@contextmanager
def station(server: Server, view: Snapshot, statement_timeout: float | None = None) -> Iterator[Station]:
    """The name of a snapshot of this process, for as long as it is open."""
    made = Station(secrets.token_hex(8), server.endpoint, server.identity.text, statement_timeout)
    _held[made.token] = _Held(view)
    try:
        yield made
    finally:
        del _held[made.token]


def renew(place: Station, view: Snapshot) -> None:
    """Let the station stand for another snapshot, which nothing has been asked of yet."""
    _held[place.token] = _Held(view)


def interrupt(place: Station) -> None:
    """End what is being asked of the station's snapshot, where something is."""
    held = _held.get(place.token)
    if held and held.lock.locked():
        held.view.interrupt()


def perform(place: Station, question: Callable[..., T], *arguments: Any) -> Answer[T]:
    """Ask the station's snapshot: ``question`` is a function of a module, called with it and the arguments.

    Raises ServerError and its children, ConnectError where this process reaches another server than was meant.
    """
    held = _held.get(place.token) or _open(place)
    with held.lock:
        return Answer(question(held.view, *arguments), elsewhere=held.foreign)


def _open(place: Station) -> _Held:
    """A snapshot of this process's own."""
    with _opening:
        if place.token in _held:
            return _held[place.token]
        server = connect(place.endpoint, lambda _cluster, _statement: None)
        _opened.callback(server.close)
        if server.identity.text != place.identity:
            raise ConnectError(
                f"a worker reached {server.identity.text} instead of {place.identity}",
                remedy="name the server itself in the URL, not a proxy",
                cluster=place.endpoint.name,
            )
        view = _opened.enter_context(server.rows.snapshot(place.statement_timeout))
        held = _held[place.token] = _Held(view, foreign=True)
        return held


class Carrier:
    """Takes questions to the stations of both sides, each side's in the order in which they were asked.

    Without an executor each side has a thread of its own, since a snapshot answers one question at a time. A context
    manager; leaving it drops what was not begun.
    """

    def __init__(self, stations: Mapping[str, Station], executor: Executor | None = None) -> None:
        self.stations = stations
        self.elsewhere = False
        """Whether some answer came from a snapshot that was not opened here."""
        self._own = [] if executor else [ThreadPoolExecutor(1, name) for name in stations]
        self._executors = dict(zip(stations, self._own, strict=True)) if self._own else {}
        self._executor = executor

    def ask(self, cluster: str, question: Callable[..., T], *arguments: Any) -> Future[Answer[T]]:
        """A question to one side; the answer is read with :meth:`of`."""
        executor = self._executor or self._executors[cluster]
        return executor.submit(perform, self.stations[cluster], question, *arguments)

    def of(self, asked: Future[Answer[T]]) -> T:
        """What came back. Raises what the question raised."""
        answer = asked.result()
        self.elsewhere = self.elsewhere or answer.elsewhere
        return answer.value

    def both(self, question: Callable[..., T], arguments: Mapping[str, tuple[Any, ...]]) -> list[T]:
        """The answers of both sides, asked at the same time."""
        asked = [self.ask(name, question, *arguments[name]) for name in self.stations]
        failed = [future.exception() for future in asked]
        for error in failed:
            if error is not None:
                raise error
        return [self.of(future) for future in asked]

    def renew(self, views: Mapping[str, Snapshot]) -> None:
        """Let the stations stand for other snapshots of this process."""
        for name, place in self.stations.items():
            renew(place, views[name])

    def interrupt(self) -> None:
        """End the statements that run: nobody waits for them any more."""
        for place in self.stations.values():
            interrupt(place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if kind is not None:
            self.interrupt()
        for executor in self._own:
            executor.shutdown(wait=True, cancel_futures=True)
