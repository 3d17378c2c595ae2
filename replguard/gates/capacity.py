"""Is there room for what comes, may this user do it, and can the direction be turned round again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.capacity import TellsCapacity
from replguard.errors import Unsupported
from replguard.gates.activity import severity
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.base import Server
    from replguard.engines.capacity import Hindrance
    from replguard.gates.base import Context
    from replguard.model.links import Link


def _telling(server: Server) -> TellsCapacity:
    if not isinstance(server, TellsCapacity):
        raise Unsupported(f"{server.identity.engine} does not tell how much room it has", cluster=server.name)
    return server


class FreePlaces(Gate):
    id = "capacity.free"
    title = "slots, senders, workers and connections are free"
    purpose = (
        "A pause makes a slot, a watch copies one, a link that leads back needs one; each of them needs connections. "
        "Limits are met at the worst time, and most can be raised by a restart alone."
    )
    reads = (
        "open sessions and their limits, also those of the account, role and database; on PostgreSQL replication "
        "slots, WAL senders and logical replication workers too"
    )
    remedy = "end what is not needed any more (old slots first), or raise the limit that the finding names"
    limits = "One look: what others take after it is not seen."
    codes = ("capacity.full",)

    def run(self, context: Context) -> Outcome:
        findings = [finding for server in context.pair for finding in _full(context, server)]
        return Outcome((Check(self.id, "slots, senders, workers, connections", tuple(findings)),))


def _full(context: Context, server: Server) -> Iterator[Finding]:
    for one in _telling(server).places():
        if one.free < one.least:
            what = (
                f"{server.name}: {one.free} {one.what} are free ({one.used} of {one.most} are taken, {one.setting}), "
                f"and {one.least} are needed"
            )
            remedy = f"end what is not needed any more, or {one.raised_by}"
            yield Finding("capacity.full", severity(context), what, server.name, remedy=remedy)


class Privileges(Gate):
    id = "capacity.privileges"
    title = "the user in use may do every later step"
    purpose = (
        "A right that is missing shows when a step is taken: in the middle of a switchover, with nobody at hand who "
        "could grant it."
    )
    reads = (
        "the grants of the user in use: REPLICATION SLAVE and REPLICATION SLAVE ADMIN (MySQL, MariaDB); REPLICATION, "
        "and membership in the owners of subscriptions, publications and config tables (PostgreSQL). Nothing is tried."
    )
    remedy = "run the statement that the finding names as an administrator; see the page of grants"
    limits = (
        "What the gate itself and a comparison read is asked by the checks that read it. A nightly gate is rightly run "
        "with less, so it warns there."
    )
    codes = ("privilege.missing",)

    def run(self, context: Context) -> Outcome:
        findings = [finding for server in context.pair for finding in _lacks(context, server)]
        return Outcome((Check(self.id, "pause, resume, watch, filter apply", tuple(findings)),))


def _lacks(context: Context, server: Server) -> Iterator[Finding]:
    sides = (table.sides.get(server.name) for table in context.tables.of(TableClass.config))
    tables = [side.name for side in sides if side]
    for lack in _telling(server).lacks(context.links, tables):
        severe = severity(context) if lack.moves else Severity.warn
        what = f"{server.name}: {lack.what}, needed for {lack.steps}"
        yield Finding("privilege.missing", severe, what, server.name, remedy=lack.remedy)


class WayBack(Gate):
    id = "capacity.way_back"
    title = "a link that leads back can be set up after a move"
    purpose = (
        "After a switchover the side that served becomes the replica. Where the new side keeps no log, or lets nobody "
        "read it, there is no way back but a copy."
    )
    reads = (
        "on the side that links lead to: whether its changes are logged (`log_bin`, `log_replica_updates`, "
        "`wal_level`), how long, and which databases never (`binlog_do_db`, `binlog_ignore_db`), which accounts a "
        "replica can log in by, and what is published (PostgreSQL)"
    )
    remedy = "set what the finding names before the move: most of it takes a restart"
    limits = (
        "Whether the other side may reach that account over the network, and knows its password, shows when the link "
        "is made. Filters of a link that is not there yet cannot be audited: run `replguard filter plan` before it is "
        "started. Errant transactions, keys and slots are asked by checks of their own."
    )
    codes = (
        "back.impossible",
        "back.fragile",
        "back.retention",
        "back.account",
        "back.position",
        "back.filters",
        "back.unseen",
    )

    def run(self, context: Context) -> Outcome:
        ways = {(link.source, link.target) for link in context.links}
        one_way = [link for link in context.links if (link.target, link.source) not in ways]
        if not one_way:
            why = "links lead both ways already" if context.links else "no link leads anywhere"
            return Outcome((Check(self.id, why, applicable=False),))
        findings = [finding for link in one_way for finding in _back(context, link)]
        return Outcome((Check(self.id, f"from {one_way[0].target}", tuple(findings)),))


def _back(context: Context, link: Link) -> Iterator[Finding]:
    pause = context.config.gate.pause if context.options.pause is None else context.options.pause
    sides = (table.sides.get(link.target) for table in context.tables.of(TableClass.must_not_sync))
    forbidden = [side.name for side in sides if side]
    for one in _telling(context.pair.server(link.target)).way_back(link, pause, forbidden):
        yield _finding(context, link, one)


def _finding(context: Context, link: Link, one: Hindrance) -> Finding:
    severe = severity(context) if one.severity is Severity.fail else one.severity
    return Finding(one.code, severe, f"{link.target}: {one.what}", link.target, remedy=one.remedy)
