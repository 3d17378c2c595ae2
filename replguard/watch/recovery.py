"""Streams that break off: opened again where they stood, with growing pauses, for as long as patience lasts.

A lost connection, a killed dump thread and a restarted server look alike from here, and all are met in the same way. On
each new connection the server's identity is compared with what it was. What stays away too long is told as unknown.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from replguard.errors import AuthError, ConnectionLost, PrivilegeError, ReplguardError, ServerError, Unsupported
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.engines.pair import Pair
    from replguard.watch.readings import Reading

PATIENCE = 60.0
"""Seconds for which a server may stay away."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0
_SOUND_AFTER = 10.0
"""Seconds without an error, or any event, after which a stream that was opened again counts as mended."""
_HOPELESS = (Unsupported, PrivilegeError, AuthError)


@dataclass(slots=True)
class _Loss:
    """One stream that broke off: since when, why, and when it is tried again."""

    since: float
    error: ServerError
    next_try: float
    pause: float = _FIRST_PAUSE
    opened: float | None = None


@dataclass(slots=True)
class Recovery:
    """Keeps the losses of all readings. ``say`` is told what happens, for whoever looks on."""

    pair: Pair
    patience: float = PATIENCE
    say: Callable[[str], None] = field(default=lambda _line: None)
    losses: dict[str, _Loss] = field(default_factory=dict)
    mended: dict[str, int] = field(default_factory=dict)

    def lost(self, reading: Reading, error: ServerError) -> bool:
        """Take note that a stream cannot be read on; False where trying again is of no use."""
        hopeless = reading.gap or isinstance(error, _HOPELESS)
        moved = reading.progressed
        reading.close()
        now = time.monotonic()
        loss = self.losses.get(reading.name)
        if loss is None or _is_sound(loss, moved=moved):
            self.say(f"{reading.name}: {error.message}; reading on from {reading.position}")
            loss = self.losses[reading.name] = _Loss(now, error, now)
        loss.error, loss.opened = error, None
        return not hopeless and self._wait(loss, now)

    def _wait(self, loss: _Loss, now: float) -> bool:
        loss.next_try = now + loss.pause
        loss.pause = min(loss.pause * 2, _LONGEST_PAUSE)
        return now - loss.since < self.patience

    def retry(self, reading: Reading) -> bool:
        """Try to open a lost stream again, if it is time to; False once patience is at its end."""
        loss = self.losses[reading.name]
        now = time.monotonic()
        if now < loss.next_try:
            return True
        try:
            self._reach(reading)
            reading.open(reading.position or "now")
        except ServerError as error:
            loss.error = error
            return not isinstance(error, _HOPELESS) and self._wait(loss, time.monotonic())
        loss.opened = time.monotonic()
        self.mended[reading.name] = self.mended.get(reading.name, 0) + 1
        return True

    def _reach(self, reading: Reading) -> None:
        """See that the servers that the stream needs answer; connect anew to one that does not."""
        names = {reading.cluster, reading.link.target} if reading.link else {reading.cluster}
        for name in sorted(names):
            try:
                self.pair.server(name).replication.position()
            except ConnectionLost:
                self.pair.reconnect(name)

    def given_up(self, reading: Reading) -> Finding:
        """What could not be read on: nobody knows what it holds from there."""
        error = self.losses[reading.name].error
        return Finding(
            "check.not_run",
            Severity.unknown,
            f"the stream of {reading.cluster} broke off at {reading.position} and could not be read on: "
            f"{error.message}",
            cluster=reading.cluster,
            link=reading.label,
            remedy=error.remedy or "see that the server is up, then watch again from this position with --since",
            evidence={"position": reading.position.text if reading.position else None},
        )

    def reopened(self) -> list[Finding]:
        """That streams broke off and were read on without a gap."""
        return [
            Finding(
                "stream.reopened",
                Severity.info,
                f"{name} broke off {count} time{'s' * (count != 1)} and was opened again at its last position",
                evidence={"times": count},
            )
            for name, count in self.mended.items()
        ]


def unreadable(label: str, cluster: str | None, error: ReplguardError) -> Finding:
    """A stream that could not be opened at all."""
    return Finding(
        "check.not_run",
        Severity.unknown,
        f"{label} cannot be watched: {error.message}",
        cluster=cluster,
        link=label if "->" in label else None,
        remedy=error.remedy,
    )


def _is_sound(loss: _Loss, *, moved: bool) -> bool:
    """Whether the stream was well again since this loss, so that the next one is a new one."""
    return loss.opened is not None and (moved or time.monotonic() - loss.opened > _SOUND_AFTER)
