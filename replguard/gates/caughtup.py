"""Has the target applied what its source has by now, and does it keep up?"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from replguard.engines.health import Marks
from replguard.errors import ControlError, PrivilegeError
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.model.links import LinkState
from replguard.model.tables import TableName

if TYPE_CHECKING:
    from replguard.gates.base import Context
    from replguard.gates.base import Options as GateOptions
    from replguard.model.links import Link

SAMPLES = 3
"""So often the source's end is read and awaited: once reached may be luck."""
BETWEEN_SECONDS = 0.1


class CaughtUp(Gate):
    id = "replication.caught_up"
    title = "targets have applied what their sources had a moment ago"
    purpose = (
        "A lag of seconds is a guess by clocks, and says zero while nothing is received. That a position which was "
        "read just now is applied needs no clock."
    )
    reads = (
        f"the end of each source's stream, {SAMPLES} times one after the other, each awaited on the target for as "
        "long as `--until` allows; with `--marker` also a token, written into the table of `gate.marker` on the source"
    )
    remedy = (
        "wait until the load is less, or find out what the applier waits for: a lock, a long transaction, a slow disk"
    )
    limits = "What the source writes after the last look is not part of it: the pause drains that."
    codes = ("replication.behind", "replication.no_marker")

    def takes(self, options: GateOptions) -> float:
        return options.settle * (SAMPLES + 1)

    def run(self, context: Context) -> Outcome:
        running = [link for link in context.links if link.state is LinkState.running]
        if not running:
            return Outcome((Check(self.id, "no link runs", applicable=False),))
        waited = [(link, _waited(context, link)) for link in running]
        if context.options.marker:
            waited += [(link, _marked(context, link)) for link in running]
        findings = tuple(found for _, found in waited if isinstance(found, Finding))
        words = [f"{link.label} within {found:.1f} s" for link, found in waited if isinstance(found, float)]
        return Outcome((Check(self.id, ", ".join(words) or "not caught up", findings),))


def _waited(context: Context, link: Link) -> float | Finding:
    """The longest that a position had to be awaited, in seconds; a finding where it was not reached in time."""
    source, target = context.pair.server(str(link.source)), context.pair.server(link.target)
    longest = 0.0
    for number in range(SAMPLES):
        if number:
            time.sleep(BETWEEN_SECONDS)
        position = source.replication.position()
        began = time.monotonic()
        try:
            reached = target.replication.wait_applied(link, source, position, context.options.settle)
        except ControlError as error:
            return _behind(link, f"cannot get to {position}: {error.message}", error.remedy)
        if not reached:
            return _behind(link, f"has not applied {position} within {context.options.settle:.0f} s")
        longest = max(longest, time.monotonic() - began)
    return longest


def _marked(context: Context, link: Link) -> float | Finding:
    """How long a token took from the source to the target, in seconds; a finding where it did not come."""
    source, target = context.pair.server(str(link.source)), context.pair.server(link.target)
    named = context.config.gate.marker
    if named is None or not isinstance(source, Marks) or not isinstance(target, Marks):
        remedy = (
            "make one with the columns id (integer, primary key) and token (text), let it replicate, and name it in "
            "the config: gate.marker: schema.table"
        )
        return _unmarked(link, "there is no table that a marker could be written to", remedy)
    table, token = TableName(*named.split(".", 1)), secrets.token_hex(16)
    began = time.monotonic()
    try:
        with context.control.marking(source.name, source.mark_statement(table, token)):
            source.mark(table, token)
    except PrivilegeError as error:
        remedy = f"on {source.name}: grant the user INSERT, UPDATE and DELETE on {named}, and SELECT on both sides"
        return _unmarked(link, f"the marker could not be written: {error.message}", remedy)
    while target.marked(table) != token:
        if time.monotonic() - began > context.options.settle:
            return _behind(link, f"does not have the marker within {context.options.settle:.0f} s")
        time.sleep(BETWEEN_SECONDS / 2)
    return time.monotonic() - began


def _unmarked(link: Link, words: str, remedy: str) -> Finding:
    return Finding(
        "replication.no_marker",
        Severity.unknown,
        f"{link.label}: {words}",
        cluster=link.source,
        link=link.label,
        remedy=remedy,
    )


def _behind(link: Link, words: str, remedy: str | None = None) -> Finding:
    return Finding(
        "replication.behind",
        Severity.fail,
        f"{link.target} {words}, which {link.source} had a moment ago",
        cluster=link.target,
        link=link.label,
        remedy=remedy
        or "wait until it has caught up, or find out what the applier waits for; --until gives it more time",
    )
