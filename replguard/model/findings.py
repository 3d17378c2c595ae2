"""Findings, checks and reports: what replguard has to say, as data.

A verdict is never set by hand: it follows from the findings (a check) and from the checks (a report), so that nothing
can be called a pass that was not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - resolved when the JSON schema is generated
from enum import StrEnum
from typing import Any, Literal

SCHEMA = "replguard.report/1"
NOT_RUN = "check.not_run"


class Severity(StrEnum):
    fail = "fail"
    warn = "warn"
    unknown = "unknown"
    info = "info"


class Verdict(StrEnum):
    passed = "pass"
    failed = "fail"
    inconclusive = "inconclusive"


class Strength(StrEnum):
    """How strongly a comparison proves what it says."""

    exact = "exact"
    """No change of a config table lay between the two snapshots."""
    settled = "settled"
    """Rows moved meanwhile, and each was explained by the link's stream."""
    unaligned = "unaligned"
    """No stream could be read, and differences were re-read over time; or some rows did not come to rest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth telling, with a stable ``code``, where it is, why, and what to do about it."""

    code: str
    severity: Severity
    message: str
    cluster: str | None = None
    link: str | None = None
    schema: str | None = None
    table: str | None = None
    key: dict[str, Any] | None = None
    remedy: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One question and what was found.

    ``applicable`` is false where the site does not use what the check looks at; such a check has no findings that
    count and stands in the report all the same.
    """

    id: str
    summary: str
    findings: tuple[Finding, ...] = ()
    applicable: bool = True

    @property
    def verdict(self) -> Verdict:
        """Fail if one finding fails, else inconclusive if one is unknown, else pass."""
        severities = {finding.severity for finding in self.findings}
        if Severity.fail in severities:
            return Verdict.failed
        return Verdict.inconclusive if Severity.unknown in severities else Verdict.passed

    @classmethod
    def not_run(cls, check_id: str, why: str, remedy: str | None = None, cluster: str | None = None) -> Check:
        """The check that could not run: one unknown finding, never a pass."""
        finding = Finding(NOT_RUN, Severity.unknown, why, cluster=cluster, remedy=remedy)
        return cls(check_id, "could not be checked", (finding,))


@dataclass(frozen=True, slots=True)
class TableRelaxation:
    """A rule of the policy by which the comparison of a table is less than exact.

    ``kind`` is the key of the policy that holds it, ``rule`` what it says, ``columns`` those that it reaches. ``rows``
    counts the differences that it had a part in excusing, null where what it leaves out is not looked at.
    """

    kind: str
    rule: str
    columns: tuple[str, ...] = ()
    reason: str | None = None
    until: str | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class TableCoverage:
    """What was done about one table; ``rows`` counts by cluster, where they were counted.

    ``function`` is what its rows were hashed with and ``sum`` the sum of these hashes, where both sides gave the same;
    null where rows were compared otherwise, or differ. ``positions`` are by cluster the positions at which it was read.
    ``relaxed`` lists all rules by which it was compared less than exactly.
    """

    schema: str
    table: str
    class_: str
    compared: bool
    rows: dict[str, int] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    note: str | None = None
    function: str | None = None
    sum: str | None = None
    positions: dict[str, str] = field(default_factory=dict)
    relaxed: tuple[TableRelaxation, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamCoverage:
    """What was read of one stream, and what this way of watching cannot see.

    ``changes`` and ``tables`` (by ``schema.table``) count all row changes, statements and DDL, judged or not.
    """

    cluster: str
    link: str | None
    kind: str
    from_position: str | None
    to_position: str | None
    changes: int
    cannot_see: tuple[str, ...] = ()
    events: int = 0
    bytes: int = 0
    tables: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coverage:
    tables: tuple[TableCoverage, ...] = ()
    streams: tuple[StreamCoverage, ...] = ()


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """A cluster as the report names it; ``position`` is the end of its stream when it was asked."""

    engine: str
    version: str
    identity: str
    position: str | None = None


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """A link as the report shows it; a value that is not known is null, never zero."""

    link: str
    name: str
    source: str | None
    target: str
    state: Literal["running", "paused", "broken", "unknown"]
    received: str | None = None
    applied: str | None = None
    lag_seconds: float | None = None
    errors: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What a command that judges has to say."""

    command: str
    version: str
    started_at: datetime
    finished_at: datetime
    clusters: dict[str, ClusterFacts] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    links: tuple[LinkFacts, ...] = ()
    strength: Strength | None = None
    data: dict[str, Any] = field(default_factory=dict)
    """What a command has to show beside its findings: the classes of `policy show`, the receipt of `pause`."""

    @property
    def verdict(self) -> Verdict:
        """Fail if one check fails; inconclusive if one is, or if nothing at all was checked; else pass."""
        verdicts = {check.verdict for check in self.checks}
        if Verdict.failed in verdicts:
            return Verdict.failed
        if Verdict.inconclusive in verdicts or not any(check.applicable for check in self.checks):
            return Verdict.inconclusive
        return Verdict.passed

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 inconclusive."""
        return {Verdict.passed: 0, Verdict.failed: 1, Verdict.inconclusive: 3}[self.verdict]
