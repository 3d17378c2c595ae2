"""The breaker: stops a link at once when a watch sees a leak in it. Nothing is drained.

This limits the damage and does not prevent it: the change that was seen may be applied already. The order is that of
every action: what will run is shown, a journal entry is written, the link is stopped and looked at again, a receipt is
left, the entry is closed. A process that dies in between leaves the entry open; ``pause`` or ``resume`` then bring the
pair to the wanted state, and calling this again on a link that stands does nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from replguard.audit.links import between
from replguard.control import durable, receipt
from replguard.errors import ConnectionLost, ReplguardError, ServerError
from replguard.journal import Journal
from replguard.model.findings import Finding, Severity
from replguard.model.links import LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.links import Link

ACTION = "stop on leak"
CODE = "pause.on_leak"


@dataclass(frozen=True, slots=True)
class Breaker:
    """Call it with a link and the leak that was seen in it; it says what it did. ``folder`` is the pair's state."""

    pair: Pair
    folder: Path
    show: Callable[[str], None] = field(default=lambda _line: None)

    def preview(self, links: tuple[Link, ...]) -> list[str]:
        """What a leak in each of these links would make it run."""
        lines = [line for link in links for line in self._statements(link)]
        return lines + durable.statements(self.pair, links)

    def __call__(self, link: Link, leak: Finding) -> tuple[Finding, ...]:
        """Stop the link and write it down. Never raises: what could not be done is a finding that fails."""
        try:
            now = self._look(link)
            if now.state is LinkState.paused:
                return (_told(link, leak, "stood already when the leak was seen", Severity.info),)
            fragile = self._stop(now, leak)
        except ReplguardError as error:
            return (_failed(link, error),)
        return (_told(link, leak, f"was stopped by watch --on-leak {_where(leak)}", Severity.warn), *fragile)

    def _stop(self, link: Link, leak: Finding) -> list[Finding]:
        """What was told of links that could not be kept stopped over a restart."""
        for line in self._statements(link):
            self.show(line)
        undo = {"cluster": link.target, "link": link.name, "action": "start"}
        entry = Journal(self.folder).begin(ACTION, [undo], reason=_reason(link, leak))
        entry.note(f"stop {link.label} at once")
        replication = self.pair.server(link.target).replication
        try:
            # First what applies: where one worker does both, it says so, and ends with the receiver.
            replication.stop_applier(link)
        except ServerError:
            entry.note(f"stop the receiver of {link.label} first")
        replication.stop_receiver(link)
        replication.stop_applier(link)
        fragile = self._leave_receipt(link, leak, entry)
        entry.close("stopped")
        return fragile

    def _leave_receipt(self, link: Link, leak: Finding, entry: Entry) -> list[Finding]:
        standing = [one for one in between(self.pair.links(), self._clusters) if one.state is LinkState.paused]
        left = receipt.Left(held=durable.kept(receipt.load(self.folder), ()))
        for line in durable.statements(self.pair, standing):
            self.show(line)
        fragile = durable.hold(self.pair, standing, entry, left.held)
        made = receipt.Receipt.make(self.pair, tuple(standing), reason=_reason(link, leak), left=left)
        detail = {"stopped_by": "watch --on-leak", "link": link.label, "code": leak.code, "message": leak.message}
        receipt.store(self.folder, replace(made, detail={**detail, "position": leak.evidence.get("position")}))
        return fragile

    def _look(self, link: Link) -> Link:
        """The link as it is now, over a new connection where the old one was lost."""
        try:
            return self._find(link)
        except ConnectionLost:
            for name in self._clusters:
                self.pair.reconnect(name)
            return self._find(link)

    def _find(self, link: Link) -> Link:
        found = (one for one in self.pair.links() if (one.target, one.name) == (link.target, link.name))
        return next(found, link)

    def _statements(self, link: Link) -> list[str]:
        replication = self.pair.server(link.target).replication
        return [f"{link.target}: {line}" for line in replication.statements(link, "pause")]

    @property
    def _clusters(self) -> tuple[str, str]:
        return self.pair.first.name, self.pair.second.name


def of_receipt(held: Mapping[str, Any] | None) -> tuple[Finding, ...]:
    """What the receipt of such a stop has to say as long as it holds."""
    detail = (held or {}).get("detail") or {}
    if held is None or detail.get("stopped_by") != "watch --on-leak":
        return ()
    return (
        Finding(
            CODE,
            Severity.warn,
            str(held["reason"]),
            link=detail.get("link"),
            remedy=_REMEDY,
            evidence={"at": held["paused_at"], "by": held["by"], "position": detail.get("position")},
        ),
    )


_REMEDY = (
    "close the leak with `replguard filter audit`, look at what waits with `replguard watch --pending`, remove what "
    "was applied, then `replguard resume`"
)


def _reason(link: Link, leak: Finding) -> str:
    return f"{link.label} was stopped by watch --on-leak {_where(leak)}"


def _where(leak: Finding) -> str:
    table = f" of {leak.schema}.{leak.table}" if leak.table else ""
    return f"at {leak.evidence.get('position')}, by {leak.code}{table}"


def _told(link: Link, leak: Finding, words: str, severity: Severity) -> Finding:
    return Finding(
        CODE,
        severity,
        f"{link.label} {words}; the change that was seen may be applied already",
        cluster=link.target,
        link=link.label,
        schema=leak.schema,
        table=leak.table,
        remedy=_REMEDY,
        evidence={"position": leak.evidence.get("position"), "leak": leak.code},
    )


def _failed(link: Link, error: ReplguardError) -> Finding:
    return Finding(
        "pause.not_verified",
        Severity.fail,
        f"{link.label} could not be stopped after a leak was seen: {error.message}",
        cluster=link.target,
        link=link.label,
        remedy=error.remedy or "run `replguard pause --immediate`, and look at `replguard status`",
    )
