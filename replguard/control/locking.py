"""One operator at a time: a lock on both servers of the pair, held by a connection to each.

Its name comes from who the servers are, so that operators meet whatever their configs call them and wherever they keep
their state. It ends with its connections: an owner that was killed blocks nobody. Nobody waits for it.
"""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from typing import TYPE_CHECKING

from replguard.engines.controls import LockHeld, Locks
from replguard.errors import ControlError, Unsupported
from replguard.journal import by_whom

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from replguard.engines.base import Server
    from replguard.engines.controls import Holder
    from replguard.engines.pair import Pair


class OperatorLock:
    """The lock for one command. A context manager: entering it raises ControlError where another operator has it.

    Call :meth:`still` before each change.
    """

    def __init__(self, pair: Pair, command: str) -> None:
        self._pair = pair
        self._who = f"{command} by {by_whom()}"
        self._name = name_of(pair)
        self._stack = ExitStack()
        self._kept: dict[str, Callable[[], bool]] = {}
        self._lost: set[str] = set()

    def __enter__(self) -> Self:
        try:
            # In the same order for everybody, so that of two that come at once one gets it.
            for server in sorted(self._pair, key=lambda server: server.identity.text):
                self._take(server)
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def still(self) -> None:
        """ControlError once the lock was lost, as with its connection: somebody else may have been at work since.

        Whoever calls it again after that, to take back what was done, has it if it could be taken again.
        """
        for name in self._lost.copy():
            self._take(self._pair.server(name))
            self._lost.discard(name)
        lost = {name for name, kept in self._kept.items() if not kept()}
        self._lost |= lost
        if lost:
            where = " and ".join(sorted(lost))
            raise ControlError(
                f"the connection to {where} that held the operators' lock was lost",
                remedy="look at `replguard status`, then run the command again",
                cluster=min(lost),
            )

    def _take(self, server: Server) -> None:
        if not isinstance(server, Locks):
            raise Unsupported(f"no lock can be taken on {server.name}", cluster=server.name)
        try:
            self._kept[server.name] = self._stack.enter_context(server.lock(self._name, self._who))
        except LockHeld as held:
            raise ControlError(
                f"another operator is at work on {server.name}: {_words(held.holder)}",
                remedy="wait until that has ended; the lock ends with the connection that holds it",
                cluster=server.name,
            ) from None


def holders(pair: Pair) -> list[tuple[str, str]]:
    """The clusters on which an operator has the lock, with who it is. Takes no lock itself."""
    name = name_of(pair)
    found = []
    for server in pair:
        if not isinstance(server, Locks):
            raise Unsupported(f"no lock can be looked for on {server.name}", cluster=server.name)
        if holder := server.lock_holder(name):
            found.append((server.name, _words(holder)))
    return found


def _words(holder: Holder) -> str:
    return holder.who + (f" since {holder.since:%Y-%m-%d %H:%M:%S %Z}" if holder.since else "")


def name_of(pair: Pair) -> str:
    """The lock's name: the same for all who mean these two servers."""
    text = "\n".join(sorted(server.identity.text for server in pair))
    return f"replguard.operator.{hashlib.blake2b(text.encode(), digest_size=10).hexdigest()}"
