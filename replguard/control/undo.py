"""What was done to the servers taken back, step by step from the last, as a journal entry has it written down.

The steps are data, so that another process than the one that began can take them back. Each names its ``action``; what
an action means stands here. A step that was not done, or was taken back before, is no error.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from replguard.audit.links import between
from replguard.control import durable, guard
from replguard.errors import ConnectionLost, ControlError, ReplguardError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.links import Link

    Undo = Callable[[Pair, Mapping[str, Any]], None]

SECONDS = 10.0
"""How long a link that is started again may take until it runs."""
POLL = 0.1


def starting(link: Link) -> dict[str, str]:
    """The step that starts this link again."""
    return {"action": "start", "cluster": link.target, "link": link.name, "label": link.label}


def put_back(pair: Pair, entry: Entry) -> list[str]:
    """Take back what the entry says was begun; returns what could not be. The entry is closed if all could."""
    reach(pair, SECONDS)
    with suppress(ControlError):
        entry.still()  # a lock that went with its connection is told once, and taken again by the next call
    problems: list[str] = []
    for step in reversed(entry.data["undo"]):
        try:
            entry.note(f"undo: {_words(step)}")
            _ACTIONS[step["action"]](pair, step)
        except ReplguardError as error:
            problems.append(f"{step.get('label') or step['cluster']}: {_words(step)} failed: {error.message}")
    if not problems:
        entry.close("undone")
    return problems


def reach(pair: Pair, seconds: float = 0.0) -> None:
    """Connect again to servers whose connection was lost meanwhile, as when they restart.

    One that is away for longer than ``seconds`` is found so by what comes next.
    """
    deadline = time.monotonic() + seconds
    for server in tuple(pair):
        try:
            server.replication.position()
        except ConnectionLost:
            _reconnect(pair, server.name, deadline)
        except ReplguardError:
            continue


def _reconnect(pair: Pair, name: str, deadline: float) -> None:
    while True:
        try:
            pair.reconnect(name)
        except ReplguardError:
            if time.monotonic() >= deadline:
                return
            time.sleep(POLL)
        else:
            return


def _words(step: Mapping[str, Any]) -> str:
    return " ".join(str(step[part]) for part in ("action", "label", "name") if step.get(part))


def _start(pair: Pair, step: Mapping[str, Any]) -> None:
    """Start the link and see it run. One that runs, as it may not be stopped, is not to be started either."""
    link = _find(pair, step)
    replication, source = pair.server(link.target).replication, pair.server(str(link.source))
    if not replication.problems(link, "running", source):
        return
    replication.start(link)
    deadline = time.monotonic() + SECONDS
    while problems := replication.problems(link, "running", source):
        if time.monotonic() >= deadline:
            raise ControlError(f"{link.label} was started and does not run: {'; '.join(problems)}", cluster=link.target)
        time.sleep(POLL)


def _find(pair: Pair, step: Mapping[str, Any]) -> Link:
    ours = between(pair.links(), (pair.first.name, pair.second.name))
    found = next((link for link in ours if (link.target, link.name) == (step["cluster"], step["link"])), None)
    if found is None:
        raise ControlError(f"{step.get('label', step['link'])} is no longer there", cluster=step["cluster"])
    return found


def _release(pair: Pair, step: Mapping[str, Any]) -> None:
    durable.release_one(pair, step["step"])


_ACTIONS: dict[str, Undo] = {"start": _start, "drop guard": guard.take_back, durable.ACTION: _release}
