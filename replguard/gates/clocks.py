"""Do the clocks agree? Shown, and used by no check."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from replguard.engines.health import TellsTime
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from replguard.engines.base import Server
    from replguard.gates.base import Context

MOST_SECONDS = 5.0
"""Applications notice more than that: sessions, tokens, schedules."""


class Clocks(Gate):
    id = "clusters.clocks"
    title = "the clocks of both servers agree"
    purpose = (
        "Applications compare times that different servers wrote; lags are told by clocks. No check of the gate goes"
        " by one, so a wrong clock warns and fails nothing."
    )
    reads = "the time of both servers, beside this machine's, and how long the answer took"
    remedy = "let all servers follow the same time service (chrony, systemd-timesyncd)"
    limits = "The difference is known to half of the time that an answer takes."
    codes = ("clock.skew",)

    def run(self, context: Context) -> Outcome:
        first, second = context.pair
        (one, doubt), (other, more) = _ahead(first), _ahead(second)
        skew, within = other - one, (doubt + more) / 2
        side = "ahead of" if skew >= 0 else "behind"
        words = f"{second.name} is {abs(skew):.2f} s {side} {first.name}, give or take {within:.2f} s"
        findings: tuple[Finding, ...] = ()
        if abs(skew) - within > MOST_SECONDS:
            findings = (
                Finding(
                    "clock.skew",
                    Severity.warn,
                    words,
                    remedy="let both servers follow the same time service",
                    evidence={"seconds": round(skew, 3), "within": round(within, 3)},
                ),
            )
        return Outcome((Check(self.id, words, findings),))


def _ahead(server: Server) -> tuple[float, float]:
    """By how much the server's clock is ahead of this machine's, and how long the answer took, in seconds."""
    if not isinstance(server, TellsTime):
        raise TypeError(f"{server.name} does not tell the time")
    asked, began = time.time(), time.monotonic()
    told = server.clock()
    took = time.monotonic() - began
    return told - (asked + took / 2), took
