"""Does the passive side refuse writes where it should, and does nobody write there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.activity import UNSEEN, severity, telling, unseen
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.activity import ReadOnly, Session
    from replguard.engines.base import Server
    from replguard.gates.base import Context


class PassiveReadOnly(Gate):
    id = "passive.read_only"
    title = "the passive side refuses writes, the active side takes them"
    purpose = (
        "What refuses writes cannot drift. Where `gate.read_only: true` stands in the config, the passive side must do "
        "so; the side that serves must not."
    )
    reads = (
        "`super_read_only` and `read_only` (MySQL), `read_only` (MariaDB), `default_transaction_read_only` of the "
        "database (PostgreSQL); who is connected to the passive side and may write all the same"
    )
    remedy = "set the passive side read-only with the statement that the finding names, and take that back at the move"
    limits = (
        "PostgreSQL's setting is a default that every session may change for itself. MySQL and MariaDB tell which "
        "accounts are exempt to users with SELECT on the database `mysql` alone."
    )
    codes = ("passive.writable", "passive.exempt", "passive.refuses", UNSEEN)

    def run(self, context: Context) -> Outcome:
        if not context.config.gate.read_only:
            summary = "the config does not ask for a passive side that is read-only (gate.read_only)"
            return Outcome((Check(self.id, summary, applicable=False),))
        active, passive = context.roles.active, context.roles.passive
        if active is None or passive is None:
            return Outcome((_no_roles(self.id, context),))
        waits, serves = context.pair.server(passive), context.pair.server(active)
        found = telling(waits).read_only()
        findings = (*_passive(waits, found), *_active(serves))
        but = f"; {found.bypass} may write all the same" if found.on and found.bypass else ""
        return Outcome((Check(self.id, f"{passive} is to refuse writes, {active} to take them{but}", findings),))


def _no_roles(check: str, context: Context) -> Check:
    return Check.not_run(
        check, f"which side is passive is not known: {context.roles.why}", "set gate.active in the config"
    )


def _passive(server: Server, found: ReadOnly) -> Iterator[Finding]:
    if not found.on:
        what = f"{server.name} is passive and takes writes: {found.setting} is off"
        help_ = f"run {found.set_by} on {server.name}" + (f"; {found.keep}" if found.keep else "")
        yield Finding("passive.writable", Severity.fail, what, server.name, remedy=help_)
        return
    for who in found.exempt:
        what = f"{server.name} is read-only, and {who} may write there all the same"
        help_ = "disconnect it, or take the privilege or setting from it"
        yield Finding("passive.exempt", Severity.warn, what, server.name, remedy=help_)
    yield from unseen(server, found.unseen)


def _active(server: Server) -> Iterator[Finding]:
    found = telling(server).read_only()
    if found.on:
        what = f"{server.name} is active and refuses writes: {found.setting} is on"
        help_ = f"set {found.setting} off on {server.name}, or correct gate.active in the config"
        yield Finding("passive.refuses", Severity.fail, what, server.name, remedy=help_)


class PassiveWriters(Gate):
    id = "passive.writers"
    title = "nobody writes configuration on the passive side"
    purpose = (
        "Whoever writes on the passive side, mostly an administrator who may write everywhere, makes the sides differ: "
        "what was written there is overwritten, or stops replication, or comes up at the move."
    )
    reads = (
        "sessions of the passive side whose transaction has written or locked rows, and the tables that these are in; "
        "what replication applies is left out"
    )
    remedy = "end the session with the statement that the finding names, and find out what it was for"
    limits = (
        "One look: what was committed before is told by `errant.writes`. MariaDB tells tables where the plugin "
        "`metadata_lock_info` is installed; else writers are told, and do not fail the gate."
    )
    codes = ("passive.writer", UNSEEN)

    def run(self, context: Context) -> Outcome:
        name = context.roles.passive
        if name is None:
            return Outcome((Check(self.id, f"no side is passive: {context.roles.why}", applicable=False),))
        server = context.pair.server(name)
        seen = telling(server).activity()
        writers = [session for session in seen.sessions if session.writes and not session.replicates]
        findings = [found for session in writers if (found := _writer(context, server, session))]
        findings += unseen(server, seen.unseen)
        return Outcome((Check(self.id, f"{len(writers)} sessions write on {name}", tuple(findings)),))


def _writer(context: Context, server: Server, session: Session) -> Finding | None:
    """None for one that writes to tables only that need not be identical."""
    wanted = context.config.gate.read_only
    compared = {side.name for table in context.tables.of(TableClass.config) for side in table.sides.values()}
    what = f"{session.label} writes on {server.name}, which is passive"
    if session.privileged:
        what += ", as a superuser"
    severe = severity(context)
    if session.tables is not None:
        config = [str(name) for name in session.tables if name in compared]
        if not config and not wanted:
            return None
        what += f": {', '.join(config or map(str, session.tables))}"
    elif not wanted:
        severe = Severity.warn
        what += "; to which tables this server does not tell"
    help_ = f"find out what it is for, or run {session.end!r} on {server.name}"
    return Finding("passive.writer", severe, what, server.name, remedy=help_)
