"""Is another program, or another operator of replguard, about to interfere?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.tools import Does, TellsTools, Tool
from replguard.errors import Unsupported
from replguard.gates.activity import UNSEEN, severity, unseen
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.base import Server
    from replguard.gates.base import Context

_GHOSTS = re.compile(r"^_.+_(?:gho|ghc)$")
_TRIGGERS = re.compile(r"^pt_osc_|^repack_trigger$")
_CODES = {Does.acts: "tool.acts", Does.manages: "tool.manages", Does.reads: "tool.reads"}


class OtherTools(Gate):
    id = "tools.others"
    title = "no other tool is about to interfere"
    purpose = (
        "A program that fails over, rewrites a table or repairs rows does to a pair what replguard cannot foresee: it "
        "turns replication round, or writes on the side that is meant to be still."
    )
    reads = (
        "sessions and what programs say of themselves; the locks of MaxScale and MHA, replication groups and Galera "
        "(MySQL, MariaDB); extensions and slots (PostgreSQL); tables and triggers that gh-ost, pt-online-schema-change "
        "and pg_repack leave"
    )
    remedy = "let it end, or hold it for the time of the move"
    limits = (
        "A program is known by what it says of itself, or by the account that its documents propose. One that only "
        "wakes up during the move is not seen. Programs that manage replication warn: a site that has one knows how it "
        "is held."
    )
    codes = ("tool.acts", "tool.manages", "tool.reads", UNSEEN)

    def run(self, context: Context) -> Outcome:
        findings = [finding for server in context.pair for finding in _on(context, server)]
        return Outcome((Check(self.id, "sessions, locks, slots, and what such tools leave", tuple(findings)),))


def _on(context: Context, server: Server) -> Iterator[Finding]:
    if not isinstance(server, TellsTools):
        raise Unsupported(f"{server.identity.engine} does not tell which tools are at work", cluster=server.name)
    found = server.tools([link for link in context.links if link.source == server.name])
    severities = {Does.acts: severity(context), Does.manages: Severity.warn, Does.reads: Severity.info}
    for tool in (*found.seen, *_left(context, server)):
        what = f"{server.name}: {tool.what}"
        yield Finding(_CODES[tool.does], severities[tool.does], what, server.name, remedy=tool.remedy)
    yield from unseen(server, found.unseen)


def _left(context: Context, server: Server) -> Iterator[Tool]:
    """What a tool that is at work, or died, has made."""
    for name, table in sorted(context.tables.on(server.name).items()):
        if _GHOSTS.match(name.name):
            remedy = f"see whether gh-ost runs; where it does not, drop {name}"
            yield Tool(Does.acts, f"gh-ost has made {name}", remedy)
        for trigger in table.triggers:
            if _TRIGGERS.match(trigger.name):
                what = f"the trigger {trigger.name} on {name} is of a tool that rewrites tables"
                yield Tool(Does.acts, what, "wait until it has ended; where it died, drop the trigger")


class Operators(Gate):
    id = "tools.operators"
    title = "no other operator of replguard is at work, and nothing was left unfinished"
    purpose = (
        "Two who pause, resume or set filters at once undo one another's work; what died half-way must be finished."
    )
    reads = "the operators' lock on both servers, and the journal of this pair in the state folder"
    remedy = "wait until the other one is done; finish what was begun with the command that the finding names"
    limits = "The journal is that of this state folder: what another host has begun is seen while it holds the lock."
    codes = ("tool.operator", "journal.unfinished")

    def run(self, context: Context) -> Outcome:
        findings = [
            Finding(
                "tool.operator",
                severity(context),
                f"{cluster}: another operator is at work: {who}",
                cluster,
                remedy="wait until that has ended; the lock ends with the connection that holds it",
            )
            for cluster, who in context.control.operators(context.pair)
        ]
        findings += [
            Finding("journal.unfinished", severity(context), what, remedy=remedy)
            for what, remedy in context.control.unfinished()
        ]
        return Outcome((Check(self.id, f"{len(findings)} at work or unfinished", tuple(findings)),))
