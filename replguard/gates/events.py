"""Does the passive side run jobs of its own that write configuration?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.settings import TellsSettings
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import NOT_RUN, Check, Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from replguard.gates.base import Context
    from replguard.model.tables import ScheduledEvent, TableName

_APART = (TableClass.must_not_sync, TableClass.local)


class Events(Gate):
    id = "passive.events"
    title = "no job of the passive side writes configuration"
    purpose = (
        "A job that runs on both sides does its work twice: once itself, once replicated. On the passive side it "
        "writes what the active one knows nothing of."
    )
    reads = (
        "the scheduled events of the passive side (MySQL, MariaDB); the libraries that run jobs there, and pgAgent and "
        "pg_timetable by the names of their sessions (PostgreSQL)"
    )
    remedy = "disable the job on the passive side, and enable it after the switchover on the one that is active then"
    limits = (
        "cron, systemd timers and schedulers of the application are no part of a database, nor is a scheduler that is "
        "not connected now or goes by another name: see `commands`."
    )
    codes = ("events.run", "events.opaque", "events.unseen")

    def run(self, context: Context) -> Outcome:
        passive = context.roles.passive
        if passive is None:
            return Outcome((Check(self.id, "no side is passive", applicable=False),))
        events = context.tables.events.get(passive, ())
        findings = [finding for event in events for finding in _event(context, passive, event)]
        if passive in context.tables.hidden_events:
            why, remedy = context.tables.hidden_events[passive]
            findings.append(Finding(NOT_RUN, Severity.unknown, why, cluster=passive, remedy=remedy))
        findings += _schedulers(context, passive)
        return Outcome((Check(self.id, f"{len(events)} events run on {passive}", tuple(findings)),))


def _event(context: Context, passive: str, event: ScheduledEvent) -> Iterator[Finding]:
    name = f"{event.schema}.{event.name}"
    remedy = f"on {passive}: ALTER EVENT {name} DISABLE, and enable it there after the switchover"
    if written := _config(context, event.writes):
        words = f"the event {name}, which {passive} runs by itself, writes {', '.join(map(str, written))}"
        yield Finding("events.run", Severity.fail, words, cluster=passive, schema=event.schema, remedy=remedy)
    elif event.opaque or _config(context, event.may_write):
        words = f"the event {name}, which {passive} runs by itself, may write configuration: its text does not tell"
        yield Finding("events.opaque", Severity.unknown, words, cluster=passive, schema=event.schema, remedy=remedy)


def _config(context: Context, names: Iterable[TableName]) -> list[TableName]:
    return [name for name in names if context.tables.classify(name).table_class not in _APART]


def _schedulers(context: Context, passive: str) -> Iterator[Finding]:
    server = context.pair.server(passive)
    if not isinstance(server, TellsSettings):
        raise TypeError(f"{passive} does not tell what runs jobs")
    for words in server.schedulers():
        yield Finding(
            "events.unseen",
            Severity.unknown,
            f"{passive}: {words}",
            cluster=passive,
            remedy="look at its jobs yourself, disable those that write configuration, and waive this finding",
        )
