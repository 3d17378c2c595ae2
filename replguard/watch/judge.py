"""One change against policy and filters: a leak, an open question, or nothing. Pure but for the filters it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from replguard.model.changes import Operation
from replguard.model.findings import Finding, Severity
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.audit.tables import TableMap
    from replguard.engines.base import LinkFilters
    from replguard.model.changes import Change, Trouble
    from replguard.model.links import Link
    from replguard.model.tables import TableName

LONGEST_STATEMENT = 200


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the changes of one link's stream (``link`` and ``filters`` given), as its target would take them.

    Without a link it judges what stands in a log, as a replica with these filters would take it. ``waits`` says that
    the changes have not been carried yet, because the link is paused.
    """

    tables: TableMap
    link: Link | None
    filters: LinkFilters
    waits: bool = False

    @property
    def source(self) -> str:
        return str(self.link.source) if self.link else ""

    @property
    def _target(self) -> str:
        return self.link.target if self.link else ""

    @property
    def _label(self) -> str | None:
        return self.link.label if self.link else None

    @property
    def _cluster(self) -> str | None:
        return self.source or None

    @property
    def _travels(self) -> str:
        if self.link is None:
            return "stands in the log"
        return f"{'waits in' if self.waits else 'travels over'} {self.link.label}"

    def _applied(self, *, certain: bool) -> str:
        """What becomes of it at the other end."""
        if self.link is None:
            return f"a replica {'would' if certain else 'might'} apply it"
        if self.waits:
            return f"{'will' if certain else 'may'} be applied when that is resumed"
        return f"{'is' if certain else 'may be'} applied there"

    def sent(self, change: Change) -> tuple[Finding, ...]:
        """What a change in the link's stream means."""
        landing = self.tables.landing(self._target, self.filters, change.tables)
        if not landing and self._outside(change, self.source):
            return ()
        if change.operation is Operation.statement:
            return self._statement(change)
        found: list[Finding] = []
        for name in landing:
            if self._class(self._target, name) is TableClass.must_not_sync:
                found += self._forbidden(change, name)
        for name in self._meant(self.source, change):
            table_class = self._class(self.source, name)
            if table_class is TableClass.must_not_sync:
                found += self._forbidden(change, name)
            elif table_class is TableClass.unclassified and self._a_table(change, name):
                found += self._unclassified(change, name)
        return tuple(found)

    def applied(self, change: Change, foreign: frozenset[str]) -> tuple[Finding, ...]:
        """What a change in the target's own stream means; ``foreign`` are the identities of the other cluster."""
        target = self._target
        own = change.origin is not None and change.origin not in foreign
        if own or self._outside(change, target):
            return ()
        came = f"came from {self.source}" if change.origin else "it is not known from where it came"
        return tuple(
            Finding(
                "leak.applied",
                Severity.fail if change.origin and name not in change.detail.get("guessed", ()) else Severity.unknown,
                f"{what(change)} {name}{key_text(change)}, which must not sync, was applied on {target} and {came}",
                cluster=target,
                link=self._label,
                schema=name.schema,
                table=name.name,
                key=dict(change.key) if change.key else None,
                remedy=f"close the leak with `replguard filter audit`, then remove these rows from {target}",
                evidence=evidence_of(change),
            )
            for name in self._meant(target, change)
            if self._class(target, name) is TableClass.must_not_sync
        )

    def trouble(self, trouble: Trouble, cluster: str | None) -> Finding:
        """A part of a stream that could not be judged makes the verdict inconclusive."""
        return Finding(
            trouble.kind.value,
            Severity.unknown,
            trouble.message,
            cluster=cluster,
            link=self._label,
            remedy="look at this position of the stream by hand, or watch again from after it",
            evidence={"position": trouble.position.text if trouble.position else None, **trouble.evidence},
        )

    def _outside(self, change: Change, cluster: str) -> bool:
        """Whether nothing of the change lies in the cluster's scope; what names no schema may lie anywhere."""
        schemas = {name.schema for name in change.tables}
        if change.default_schema:
            schemas.add(change.default_schema)
        return bool(schemas) and not any(self.tables.in_scope(cluster, schema) for schema in schemas)

    def _class(self, cluster: str, name: TableName) -> TableClass | None:
        if not self.tables.in_scope(cluster, name.schema):
            return None
        return self.tables.classify(name).table_class

    def _meant(self, cluster: str, change: Change) -> list[TableName]:
        return [name for written in change.tables for name in self.tables.meant(cluster, written)]

    def _a_table(self, change: Change, name: TableName) -> bool:
        """Whether the name is a table; what DDL names may as well be a column or an index."""
        return change.operation is not Operation.ddl or self.tables.is_table(self.source, name)

    def _forbidden(self, change: Change, name: TableName) -> Iterable[Finding]:
        crossing = self.filters.applies(change)
        if crossing.crosses is False:
            return
        if name in change.detail.get("guessed", ()):
            yield self._opaque(change, f"DDL that is not understood names {name}, which must not sync, and")
            return
        certain = crossing.crosses is True
        yield Finding(
            "leak.sent",
            Severity.fail if certain else Severity.unknown,
            f"{what(change)} {name}{key_text(change)}, which must not sync, {self._travels} and "
            f"{self._applied(certain=certain)}: {crossing.why}",
            cluster=self._cluster,
            link=self._label,
            schema=name.schema,
            table=name.name,
            key=dict(change.key) if change.key else None,
            remedy=f"keep {name} out of what {self.link.label} applies: `replguard filter audit` tells where"
            if self.link
            else f"let the filters of its replicas drop {name}",
            evidence=evidence_of(change),
        )

    def _statement(self, change: Change) -> tuple[Finding, ...]:
        crossing = self.filters.applies(change)
        if crossing.crosses is False:
            return ()
        return (self._opaque(change, "a statement"),)

    def _opaque(self, change: Change, subject: str) -> Finding:
        ddl = change.operation is Operation.ddl
        return Finding(
            "stream.opaque",
            Severity.unknown,
            f"{subject} {self._travels} as text and can {'change' if ddl else 'write'} more tables than it names",
            cluster=self._cluster,
            link=self._label,
            remedy="look at the statement by hand" if ddl else "set binlog_format=ROW on the source, for all sessions",
            evidence=evidence_of(change),
        )

    def _unclassified(self, change: Change, name: TableName) -> Iterable[Finding]:
        if self.filters.applies(change).crosses is False:
            return
        yield Finding(
            "table.unclassified",
            Severity.unknown,
            f"{what(change)} {name} {self._travels}, and no rule says whether it may",
            cluster=self._cluster,
            link=self._label,
            schema=name.schema,
            table=name.name,
            remedy="name it in the policy under must_not_sync, local or config",
            evidence=evidence_of(change),
        )


def what(change: Change) -> str:
    """What a change is, before the name of its table: ``an insert of``, ``DDL that names``."""
    words = {Operation.ddl: "DDL that names", Operation.truncate: "a TRUNCATE of"}
    return words.get(change.operation, f"an {change.operation.value} of".replace("an delete", "a delete"))


def key_text(change: Change) -> str:
    """The key behind the name of its table, where there is one: `` (id=7)``."""
    return " (" + ", ".join(f"{name}={value}" for name, value in change.key.items()) + ")" if change.key else ""


def evidence_of(change: Change) -> dict[str, Any]:
    """Where, when and by whom a change was made. ``at`` is its own place, where its position is its transaction's."""
    evidence: dict[str, Any] = {
        "operation": change.operation.value,
        "position": change.position.text,
        "transaction": change.transaction,
        "committed_at": change.committed_at.isoformat() if change.committed_at else None,
        "origin": change.origin,
    }
    if "offset" in change.detail:
        evidence["at"] = f"{change.detail.get('file')}:{change.detail['offset']}"
    if change.statement:
        evidence["statement"] = change.statement[:LONGEST_STATEMENT]
    return {name: value for name, value in evidence.items() if value is not None}
