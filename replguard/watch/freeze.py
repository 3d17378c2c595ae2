"""Changes of config tables while they should not change, on either side.

What a running link brings is told where it was written, and not again where it arrives. A change that only touched
columns the policy ignores, or a row that the policy expects to differ, is information. Where the stream does not tell
which columns differ, the row is read on both sides by its key: equal but for those columns is information too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.model.changes import Operation
from replguard.model.findings import Finding, Severity
from replguard.model.links import LinkState
from replguard.policy import TableClass
from replguard.watch import harmless
from replguard.watch.judge import evidence_of, key_text, what

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from replguard.engines.pair import Pair
    from replguard.model.changes import Change
    from replguard.model.tables import TableName
    from replguard.watch.known import Known

CODE = "freeze.changed"
_SEVERITY = {True: Severity.info, False: Severity.fail}


class Freezer:
    """Judges changes of either cluster's own stream during a freeze; ``today`` decides which expectations hold."""

    def __init__(self, known: Known, today: date) -> None:
        self._known = known
        self._today = today
        links = [rules.link for rules in known.rules.values()]
        self._fed = {
            link.target: _foreign(known.pair, link.target) for link in links if link.state is not LinkState.paused
        }

    def judge(self, cluster: str, change: Change) -> tuple[Finding, ...]:
        """What a change on ``cluster`` means."""
        brought = cluster in self._fed and change.origin is not None and change.origin in self._fed[cluster]
        if brought or not self._in_scope(cluster, change):
            return ()
        if change.operation is Operation.statement:
            return (self._opaque(cluster, change),)
        return tuple(self._judged(cluster, change))

    def _judged(self, cluster: str, change: Change) -> Iterator[Finding]:
        tables = self._known.tables
        for written in change.tables:
            for name in tables.meant(cluster, written):
                if tables.in_scope(cluster, name.schema) and tables.classify(name).table_class is TableClass.config:
                    yield (
                        self._ddl(cluster, change, name)
                        if change.operation is Operation.ddl
                        else self._rows(cluster, change, name)
                    )

    def _in_scope(self, cluster: str, change: Change) -> bool:
        schemas = {name.schema for name in change.tables} | ({change.default_schema} - {None, ""})
        return not schemas or any(self._known.tables.in_scope(cluster, str(schema)) for schema in schemas)

    def _ddl(self, cluster: str, change: Change, name: TableName) -> Finding:
        """What DDL names need not be a table; what no catalog has (any more) may have been one."""
        known = any(self._known.tables.is_table(side, name) for side in self._known.tables.clusters)
        certain = known and name not in change.detail.get("guessed", ())
        severity = Severity.fail if certain else Severity.unknown
        words = "a config table, was run" if certain else "which may be meant for a config table, was run"
        return self._finding(cluster, change, name, severity, words)

    def _rows(self, cluster: str, change: Change, name: TableName) -> Finding:
        if reason := self.harmless(cluster, change, name):
            return self._finding(cluster, change, name, Severity.info, f"a config table, was made: {reason}")
        unsure = cluster in self._fed and change.origin is None
        words = "a config table, was made" + (
            ", here or by replication: the stream does not tell" if unsure else " while it should not change"
        )
        return self._finding(cluster, change, name, Severity.unknown if unsure else Severity.fail, words)

    def _finding(self, cluster: str, change: Change, name: TableName, severity: Severity, words: str) -> Finding:
        key = dict(change.key) if change.key else None
        changed = {"changed": sorted(change.changed)} if change.changed is not None else {}
        return Finding(
            CODE,
            severity,
            f"{what(change)} {name}{key_text(change)} on {cluster}, {words}",
            cluster=cluster,
            schema=name.schema,
            table=name.name,
            key=key,
            remedy=None
            if severity is Severity.info
            else "find out who changed it, take it back or do the same on the other side, then compare with "
            "`replguard diff`",
            evidence={**evidence_of(change), **changed},
        )

    def _opaque(self, cluster: str, change: Change) -> Finding:
        return Finding(
            "stream.opaque",
            Severity.unknown,
            f"a statement on {cluster} stands in the log as text and can have changed config tables that it does not "
            "name",
            cluster=cluster,
            remedy="set binlog_format=ROW, for all sessions",
            evidence=evidence_of(change),
        )

    def harmless(self, cluster: str, change: Change, name: TableName) -> str | None:
        """Why a row change of a config table need not trouble anybody, None where it must."""
        policy = self._known.tables.policy
        touched = harmless.only_ignored(policy, change, name)
        if touched:
            return harmless.IGNORED
        if touched is None and self._is_equal(cluster, change, name):
            return harmless.EQUAL
        expected = harmless.expected(policy, self._today, change, name)
        return f"the policy expects it to differ: {expected.reason}" if expected else None

    def _is_equal(self, cluster: str, change: Change, name: TableName) -> bool:
        """Whether the row stands on both sides and is the same but for the ignored columns."""
        tables = self._known.tables
        twins = tables.twins(cluster, name)
        values = twins[cluster].key_values(change.key or {}) if twins else None
        if values is None:
            return False
        ignored = tables.policy.ignored_columns(name)
        return values in harmless.equal_rows(self._known.pair, twins, ignored, [values])


def _foreign(pair: Pair, cluster: str) -> frozenset[str]:
    """The identities under which changes come to this cluster from the other."""
    source, target = pair.other(cluster).identity, pair.server(cluster).identity
    return (source.past | source.origins) - target.origins
