"""What the comparison of one table gave, and how it is told as findings and coverage."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from replguard.diff.traced import Traced
from replguard.diff.values import Display
from replguard.model.findings import Finding, Severity, TableCoverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.join import Differences, MultisetDifferences
    from replguard.diff.relax import Unusable
    from replguard.diff.settled import Explanation
    from replguard.engines.base import Row
    from replguard.errors import ReplguardError
    from replguard.model.findings import TableRelaxation
    from replguard.model.tables import TableName
    from replguard.policy import ExpectedDifference

    Kind = Literal["missing", "extra", "differs"]
    Identity = Row | bytes
    """What names a differing row between two readings: its key, or the digest of a row without key."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not the same, as seen from the second cluster; ``count`` is above 1 only without a key.

    Both rows are None where they are not kept: then only the kind is known. ``expected`` is the rule of the policy by
    which the row may differ. ``doubtful`` names the columns that differ where no others do and nobody can say
    whether these mean the same; ``relaxed`` those that differ and that a rule excuses.
    """

    kind: Kind
    left: Row | None
    right: Row | None
    count: int = 1
    expected: ExpectedDifference | None = None
    doubtful: tuple[str, ...] = ()
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableResult:
    """One table's comparison. ``total`` counts all differences, ``differences`` holds as many as may be kept.

    ``function`` is what its rows were hashed with, or says that they were compared whole; ``sum`` is the sum of the
    hashes, where both sides have the same. ``unusable`` are rules of the policy that could not be applied. Where rows
    were paired by a natural key ``parents`` are the tables that their references were followed into, else None: such a
    result is not keyed by the table's own key.
    """

    table: PairedTable
    columns: tuple[str, ...] = ()
    width: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    differences: Mapping[Identity, Difference] = field(default_factory=dict)
    total: int = 0
    problem: Finding | None = None
    function: str | None = None
    sum: str | None = None
    relaxed: tuple[TableRelaxation, ...] = ()
    unusable: tuple[Unusable, ...] = ()
    parents: tuple[TableName, ...] | None = None

    @property
    def listed(self) -> int:
        return sum(difference.count for difference in self.differences.values())


def keyed(found: Differences) -> dict[Identity, Difference]:
    """The differences of a join by key."""
    differences: dict[Identity, Difference] = {
        key: Difference("differs", left, right) for key, (left, right) in found.differing.items()
    }
    differences |= {key: Difference("missing", row, None) for key, row in found.only[0].items()}
    return differences | {key: Difference("extra", None, row) for key, row in found.only[1].items()}


def multiset(found: MultisetDifferences, examples: Mapping[bytes, Row]) -> dict[Identity, Difference]:
    """The differences of a comparison as multisets; ``examples`` holds the rows that are listed."""
    differences: dict[Identity, Difference] = {}
    for digest, row in sorted(examples.items()):
        surplus = found.surplus[digest]
        differences[digest] = (
            Difference("missing", row, None, surplus) if surplus > 0 else Difference("extra", None, row, -surplus)
        )
    return differences


def of_rows(left: Row | None, right: Row | None) -> Difference:
    """How a row stands that is not the same on both sides."""
    if left is not None and right is not None:
        return Difference("differs", left, right)
    return Difference("missing" if right is None else "extra", left, right)


def has_rows(difference: Difference) -> bool:
    """Whether the rows themselves are kept."""
    return difference.left is not None or difference.right is not None


def without_rows(difference: Difference) -> Difference:
    return replace(difference, left=None, right=None)


def expected_by(
    rules: Iterable[ExpectedDifference], display: Display, difference: Difference
) -> ExpectedDifference | None:
    """The rule that all states of the row satisfy, where there is one."""
    states = [display.texts(row) for row in (difference.left, difference.right) if row is not None]
    for item in rules:
        if states and all(item.where.columns <= state.keys() and item.where.holds(state) for state in states):
            return item
    return None


def problem_of(table: PairedTable, error: ReplguardError) -> Finding:
    """That a table could not be compared, and why."""
    return _problem(table, error.message, error.remedy)


def not_compared(table: PairedTable, why: str, remedy: str | None = None) -> TableResult:
    """The table whose rows could not be compared; that is never a pass."""
    return TableResult(table, problem=_problem(table, why, remedy))


def _problem(table: PairedTable, why: str, remedy: str | None) -> Finding:
    return Finding(
        "table.not_compared",
        Severity.unknown,
        f"the rows of {table.name} could not be compared: {why}",
        schema=table.name.schema,
        table=table.name.name,
        remedy=remedy or "mend the cause and run the comparison again",
    )


class Teller:
    """Turns differences into findings; knows the clusters, what is expected to differ, and whether values are masked.

    ``used`` collects the expected differences that were met.
    """

    def __init__(
        self, tables: TableMap, expected: Mapping[TableName, tuple[ExpectedDifference, ...]], *, mask: bool
    ) -> None:
        self.first, self.second = tables.clusters
        self.expected = expected
        self.mask = mask
        self.used: set[int] = set()
        self.traced = Traced()

    def drift(self, result: TableResult, identities: Iterable[Identity]) -> list[Finding]:
        """A finding for each of these differences."""
        return [self.difference(result, identity) for identity in identities]

    def failing(self, result: TableResult, identities: Iterable[Identity]) -> tuple[Identity, ...]:
        """Those of these differences that are drift for certain: no rule of the policy expects them, nor makes them
        doubtful. Rules that are met count as used.
        """
        display = self._display(result)
        rules = {identity: self._expected(result, result.differences[identity], display) for identity in identities}
        self.used |= {id(rule) for rule in rules.values() if rule}
        return tuple(
            identity for identity, rule in rules.items() if not rule and not result.differences[identity].doubtful
        )

    def is_open(self, result: TableResult, identity: Identity) -> bool:
        """Whether nobody can say whether this difference is one."""
        difference = result.differences[identity]
        return bool(difference.doubtful) and not self._expected(result, difference, self._display(result))

    def moved(self, result: TableResult, identity: Identity, why: Explanation) -> Finding:
        """A difference that a change on its way explained."""
        key = self._display(result).key(identity) if isinstance(identity, tuple) else None
        what = f"transaction {why.transaction}" if why.transaction else "a change"
        at = f" at {why.position}" if why.position else ""
        return Finding(
            "row.in_flight",
            Severity.info,
            f"a row of {result.table.name} differed while {what}{at} was on its way, and is equal",
            cluster=self.second,
            link=why.link,
            schema=result.table.name.schema,
            table=result.table.name.name,
            key=key,
            evidence={
                "transaction": why.transaction,
                "position": why.position or None,
                "committed_at": why.committed_at.isoformat() if why.committed_at else None,
                "origin": why.origin,
            },
        )

    def open(self, result: TableResult, why: str) -> Finding:
        """A table of which nobody can say as a whole whether it is the same."""
        return Finding(
            "row.unsettled",
            Severity.unknown,
            f"{result.table.name} was not at rest as a whole: {why}",
            cluster=self.second,
            schema=result.table.name.schema,
            table=result.table.name.name,
            remedy="let replication catch up, or give it more time with --until, and compare again",
        )

    def unsettled(self, result: TableResult, identity: Identity, why: str) -> Finding:
        """A row of which nobody can say whether it is the same."""
        key = self._display(result).key(identity) if isinstance(identity, tuple) else None
        differs = (
            "moved, and may be drift"
            if identity not in result.differences
            else ("differs, which may be drift or a change on its way")
        )
        return Finding(
            "row.unsettled",
            Severity.unknown,
            f"a row of {result.table.name} {differs}: {why}",
            cluster=self.second,
            schema=result.table.name.schema,
            table=result.table.name.name,
            key=key,
            remedy="let replication catch up, or give it more time with --until, and compare again",
        )

    def _display(self, result: TableResult) -> Display:
        side = result.table.sides[self.first]
        return Display(side, result.columns, mask=self.mask)

    def difference(self, result: TableResult, identity: Identity) -> Finding:
        """One difference that is drift, or expected."""
        difference = result.differences[identity]
        display = self._display(result)
        key = display.key(identity) if isinstance(identity, tuple) else None
        expected = self._expected(result, difference, display)
        where = f"{result.table.name}" + (f" {_key_text(key)}" if key else "")
        if difference.doubtful and not expected:
            return self._doubtful(result, difference, display, key)
        reason = f"; expected: {expected.reason}" if expected else ""
        return Finding(
            f"row.{difference.kind}",
            Severity.info if expected else Severity.fail,
            f"{where} {self._words(result, difference, keyless=key is None)}{reason}",
            cluster=self.second,
            schema=result.table.name.schema,
            table=result.table.name.name,
            key=key,
            remedy=None if expected else "find out which side is right and mend the other",
            evidence={
                **self._evidence(difference, display, keyless=key is None, expected=expected),
                **self.traced.of(result.table.name, identity),
            },
        )

    def _doubtful(
        self, result: TableResult, difference: Difference, display: Display, key: dict[str, Any] | None
    ) -> Finding:
        """A row that differs in values alone of which nobody can say whether they mean the same."""
        named = f" {_key_text(key)}" if key else ""
        return Finding(
            "row.indeterminate",
            Severity.unknown,
            f"{result.table.name}{named} differs in {', '.join(difference.doubtful)}, where unlike bytes may mean the "
            "same",
            cluster=self.second,
            schema=result.table.name.schema,
            table=result.table.name.name,
            key=key,
            remedy="compare what they mean by other means, or copy the value from one side to the other",
            evidence=self._evidence(difference, display, keyless=key is None, expected=None),
        )

    def _words(self, result: TableResult, difference: Difference, *, keyless: bool) -> str:
        times = f" {difference.count} times" if difference.count > 1 else ""
        if difference.kind == "missing":
            more = "more often " if keyless else ""
            return f"stands {more}on {self.first}{times} and not on {self.second}"
        if difference.kind == "extra":
            more = "more often " if keyless else ""
            return f"stands {more}on {self.second}{times} and not on {self.first}"
        if difference.left is None or difference.right is None:
            return "differs"
        names = self._display(result).differing(difference.left, difference.right).keys() - set(difference.relaxed)
        within = f", and within the policy in {', '.join(difference.relaxed)}" if difference.relaxed else ""
        return f"differs in {', '.join(name for name in result.columns if name in names)}{within}"

    def _evidence(
        self, difference: Difference, display: Display, *, keyless: bool, expected: ExpectedDifference | None
    ) -> dict[str, Any]:
        evidence: dict[str, Any] = {}
        if difference.left is not None and difference.right is not None:
            values = display.differing(difference.left, difference.right)
            evidence["columns"] = {name: both for name, both in values.items() if name not in difference.relaxed}
            if difference.relaxed:
                evidence["relaxed"] = list(difference.relaxed)
        elif keyless:
            evidence["row"] = display.row(difference.left or difference.right or ())
            evidence["count"] = difference.count
        if expected:
            evidence["expected"] = {"where": expected.where.text, "reason": expected.reason}
        return evidence

    def _expected(self, result: TableResult, difference: Difference, display: Display) -> ExpectedDifference | None:
        """The rule by which the row may differ, where there is one."""
        return difference.expected or expected_by(self.expected.get(result.table.name, ()), display, difference)

    def unlisted(self, result: TableResult, unlisted: int, severity: Severity) -> Finding:
        """How many differences are not listed."""
        return Finding(
            "row.differs",
            severity,
            f"{unlisted} more differences of {result.table.name} are not listed",
            cluster=self.second,
            schema=result.table.name.schema,
            table=result.table.name.name,
            remedy="compare this table alone with --tables and a higher --limit",
            evidence={"not_listed": unlisted, "total": result.total},
        )


def unusable(result: TableResult) -> list[Finding]:
    """Rules of the policy that could not be applied to this table, which was compared without them."""
    return [
        Finding(
            "policy.unusable",
            Severity.warn if item.named else Severity.info,
            f"{item.rule} was not applied to {result.table.name}: {item.why}",
            schema=result.table.name.schema,
            table=result.table.name.name,
            remedy="name other columns; where the key itself is written differently on both sides, name a natural key",
        )
        for item in result.unusable
    ]


def coverage(result: TableResult, positions: dict[str, str]) -> TableCoverage:
    """What was done about a table that was to be compared, within views at these positions."""
    name = result.table.name
    return TableCoverage(
        name.schema,
        name.name,
        result.table.table_class.value,
        compared=result.problem is None,
        rows=result.rows,
        columns=result.columns,
        note=result.problem.message if result.problem else None,
        function=result.function,
        sum=result.sum,
        positions=positions if result.problem is None else {},
        relaxed=result.relaxed,
    )


def _key_text(key: Mapping[str, Any]) -> str:
    return "(" + ", ".join(f"{name}={value}" for name, value in key.items()) + ")"
