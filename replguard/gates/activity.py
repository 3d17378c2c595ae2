"""Is something under way that a pause would wait for, cut in two, or run into?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.activity import TellsActivity
from replguard.errors import Unsupported
from replguard.gates.base import Gate, Outcome, Purpose
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.engines.activity import Activity, Session, Unseen
    from replguard.engines.base import Server
    from replguard.gates.base import Context

UNSEEN = "activity.unseen"
_MOVES = frozenset({Purpose.switchover, Purpose.cutover})


def severity(context: Context) -> Severity:
    """What is in the way of a move only warns where none is near."""
    return Severity.fail if context.purpose in _MOVES else Severity.warn


def telling(server: Server) -> TellsActivity:
    """The server as it tells what goes on. Unsupported where it does not."""
    if not isinstance(server, TellsActivity):
        raise Unsupported(f"{server.identity.engine} does not tell what goes on", cluster=server.name)
    return server


def unseen(server: Server, hidden: Iterable[Unseen]) -> Iterator[Finding]:
    """What could not be seen, which is never taken for nothing."""
    for one in hidden:
        severe = Severity.unknown if one.needed else Severity.info
        yield Finding(UNSEEN, severe, f"{server.name} does not show {one.what}", server.name, remedy=one.remedy)


class Transactions(Gate):
    id = "activity.transactions"
    title = "no long transaction, no DDL and no lock stands in the way"
    purpose = (
        "What is open when replication is paused is committed after it, on one side alone. DDL and locks make a pause "
        "wait, and keep changes from being applied."
    )
    reads = (
        "all sessions of both servers and the workers of replication: how long their transactions are open, whether "
        "these have written or locked rows, which DDL runs, who holds or waits for a lock on a table. Texts of "
        "statements are never shown."
    )
    remedy = (
        "wait until it has ended, or end the session with the statement that the finding names; transactions may be "
        "open for `gate.long_transaction` seconds"
    )
    limits = (
        "One look: what begins after it is not seen. On MariaDB locks that nobody waits for are shown where the plugin "
        "`metadata_lock_info` is installed. What the account of replguard only reads is taken for replguard's own."
    )
    codes = ("activity.transaction", "activity.ddl", "activity.lock", UNSEEN)

    def run(self, context: Context) -> Outcome:
        seen = {server.name: (server, telling(server).activity()) for server in context.pair}
        findings = [
            finding
            for server, activity in seen.values()
            for finding in (*unseen(server, activity.unseen), *_all(context, server, activity))
        ]
        least = context.config.gate.long_transaction
        return Outcome((Check(self.id, f"transactions of {least:g} s and more, DDL, locks", tuple(findings)),))


def _all(context: Context, server: Server, seen: Activity) -> Iterator[Finding]:
    for session in seen.sessions:
        yield from _of(context, server, session)


def _of(context: Context, server: Server, session: Session) -> Iterator[Finding]:
    severe, least = severity(context), context.config.gate.long_transaction
    remedy = f"wait until it has ended, or run {session.end!r} on {server.name}" if session.end else "wait for it"
    if session.seconds is not None and session.seconds >= least:
        written = "has written or locked rows" if session.writes else "has only read"
        what = f"{session.label} is in a transaction since {session.seconds:.0f} s, which {written}"
        yield _finding("activity.transaction", severe if session.writes else Severity.warn, server, what, remedy)
    if session.ddl:
        yield _finding("activity.ddl", severe, server, f"{session.label} runs {session.ddl}", remedy)
    if session.locks:
        yield _finding("activity.lock", severe, server, f"{session.label} holds {', '.join(session.locks)}", remedy)
    if session.waits:
        help_ = "end what it waits for; see the other findings, and the server's list of sessions"
        yield _finding("activity.lock", severe, server, f"{session.label} is {session.waits}", help_)


def _finding(code: str, severe: Severity, server: Server, what: str, remedy: str) -> Finding:
    return Finding(code, severe, f"{server.name}: {what}", server.name, remedy=remedy)


class PreparedTransactions(Gate):
    id = "activity.prepared"
    title = "no transaction is prepared"
    purpose = (
        "A prepared transaction (XA, two-phase) may be committed at any time, by anybody, even after a restart: on one "
        "side after the move, or on both. Until then it holds its locks."
    )
    reads = "XA RECOVER of both servers (MySQL, MariaDB), pg_prepared_xacts (PostgreSQL)"
    remedy = "let the transaction manager end it, or roll it back with the statement that the finding names"
    codes = ("activity.in_doubt",)

    def run(self, context: Context) -> Outcome:
        findings = []
        for server in context.pair:
            for one in telling(server).prepared():
                since = "" if one.seconds is None else f" since {one.seconds:.0f} s"
                remedy = f"ask its transaction manager, or run {one.end} on {server.name}"
                what = f"transaction {one.name} is prepared{since}"
                findings.append(_finding("activity.in_doubt", severity(context), server, what, remedy))
        return Outcome((Check(self.id, f"{len(findings)} prepared", tuple(findings)),))


class Backups(Gate):
    id = "activity.backups"
    title = "no backup runs"
    purpose = (
        "A backup holds locks that keep changes from being applied and a pause from ending, or long views, and what it "
        "takes while the direction is turned round cannot be told from what it was begun with."
    )
    reads = (
        "who holds the global read lock or the backup lock, runs a statement of a dump, or clones the server (MySQL, "
        "MariaDB); base backups and the names of programs (PostgreSQL)"
    )
    remedy = "wait for its end, and see that none begins by a schedule during the move"
    limits = (
        "A copy of files that takes no lock is not seen. On MariaDB locks that nobody waits for are shown where the "
        "plugin `metadata_lock_info` is installed."
    )
    codes = ("activity.backup", UNSEEN)

    def run(self, context: Context) -> Outcome:
        findings = [finding for server in context.pair for finding in _backups(context, server)]
        return Outcome((Check(self.id, "backups on both servers", tuple(findings)),))


def _backups(context: Context, server: Server) -> Iterator[Finding]:
    seen = telling(server).activity()
    yield from unseen(server, seen.unseen)
    for session in seen.sessions:
        if session.backup:
            remedy = f"wait for its end, or run {session.end!r} on {server.name}" if session.end else "wait for its end"
            what = f"{session.label} takes a backup: {session.backup}"
            yield _finding("activity.backup", severity(context), server, what, remedy)
    for text in seen.backups:
        what = f"a backup runs: {text}"
        yield _finding("activity.backup", severity(context), server, what, "wait for its end")
