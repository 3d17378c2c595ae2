"""What the comparison of one table gave, and how it is told as findings and coverage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from replguard.diff.trace import Traced
from replguard.diff.values import Display
from replguard.model.findings import Finding, Severity, TableCoverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from replguard.audit.tables import PairedTable, TableMap
    from replguard.diff.join import Differences, MultisetDifferences
    from replguard.engines.base import Row
    from replguard.model.tables import TableName
    from replguard.policy import ExpectedDifference

    Kind = Literal["missing", "extra", "differs"]
    Identity = Row | bytes
    """What names a differing row between two readings: its key, or the digest of a row without key."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not the same, as seen from the second cluster; ``count`` is above 1 only without a key."""

    kind: Kind
    left: Row | None
    right: Row | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class TableResult:
    """One table's comparison. ``total`` counts all differences, ``differences`` holds the first of them."""

    table: PairedTable
    columns: tuple[str, ...] = ()
    width: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    differences: Mapping[Identity, Difference] = field(default_factory=dict)
    total: int = 0
    problem: Finding | None = None

    @property
    def listed(self) -> int:
        return sum(difference.count for difference in self.differences.values())


def keyed(
    table: PairedTable, columns: tuple[str, ...], width: int, found: Differences, clusters: tuple[str, str]
) -> TableResult:
    """The result of a join by key."""
    differences: dict[Identity, Difference] = {
        key: Difference("differs", left, right) for key, (left, right) in found.differing.items()
    }
    differences |= {key: Difference("missing", row, None) for key, row in found.only[0].items()}
    differences |= {key: Difference("extra", None, row) for key, row in found.only[1].items()}
    rows = dict(zip(clusters, found.rows, strict=True))
    return TableResult(table, columns, width, rows, differences, found.total)


def keyless(
    table: PairedTable,
    columns: tuple[str, ...],
    found: MultisetDifferences,
    examples: Mapping[bytes, Row],
    clusters: tuple[str, str],
) -> TableResult:
    """The result of a comparison as multisets; ``examples`` holds the rows that are listed."""
    differences: dict[Identity, Difference] = {}
    for digest, row in sorted(examples.items()):
        surplus = found.surplus[digest]
        differences[digest] = (
            Difference("missing", row, None, surplus) if surplus > 0 else Difference("extra", None, row, -surplus)
        )
    rows = dict(zip(clusters, found.rows, strict=True))
    return TableResult(table, columns, 0, rows, differences, found.missing + found.extra)


def not_compared(table: PairedTable, why: str, remedy: str | None = None) -> TableResult:
    """The table whose rows could not be compared; that is never a pass."""
    problem = Finding(
        "table.not_compared",
        Severity.unknown,
        f"the rows of {table.name} could not be compared: {why}",
        schema=table.name.schema,
        table=table.name.name,
        remedy=remedy or "mend the cause and run the comparison again",
    )
    return TableResult(table, problem=problem)


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
        return [self._difference(result, identity) for identity in identities]

    def failing(self, result: TableResult, identities: Iterable[Identity]) -> tuple[Identity, ...]:
        """Those of these differences that no rule of the policy expects."""
        display = self._display(result)
        return tuple(
            identity for identity in identities if not self._expected(result, result.differences[identity], display)
        )

    def moved(self, result: TableResult, identity: Identity, position: str) -> Finding:
        """A difference that a change on its way explained."""
        key = self._display(result).key(identity) if isinstance(identity, tuple) else None
        return Finding(
            "row.in_flight",
            Severity.info,
            f"a row of {result.table.name} differed and was equal when it was read again",
            cluster=self.second,
            schema=result.table.name.schema,
            table=result.table.name.name,
            key=key,
            evidence={"position": position or None},
        )

    def unsettled(self, result: TableResult, identity: Identity, why: str) -> Finding:
        """A difference of which nobody can say whether it is drift."""
        key = self._display(result).key(identity) if isinstance(identity, tuple) else None
        return Finding(
            "row.unsettled",
            Severity.unknown,
            f"a row of {result.table.name} differs, which may be drift or a change on its way: {why}",
            cluster=self.second,
            schema=result.table.name.schema,
            table=result.table.name.name,
            key=key,
            remedy="let replication catch up, or give it more time with --settle, and compare again",
        )

    def _display(self, result: TableResult) -> Display:
        side = result.table.sides[self.first]
        return Display(side, result.columns, mask=self.mask)

    def _difference(self, result: TableResult, identity: Identity) -> Finding:
        difference = result.differences[identity]
        display = self._display(result)
        key = display.key(identity) if isinstance(identity, tuple) else None
        expected = self._expected(result, difference, display)
        where = f"{result.table.name}" + (f" {_key_text(key)}" if key else "")
        return Finding(
            f"row.{difference.kind}",
            Severity.info if expected else Severity.fail,
            f"{where} {self._words(result, difference)}" + (f"; expected: {expected.reason}" if expected else ""),
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

    def _words(self, result: TableResult, difference: Difference) -> str:
        times = f" {difference.count} times" if difference.count > 1 else ""
        if difference.kind == "missing":
            more = "more often " if not result.width else ""
            return f"stands {more}on {self.first}{times} and not on {self.second}"
        if difference.kind == "extra":
            more = "more often " if not result.width else ""
            return f"stands {more}on {self.second}{times} and not on {self.first}"
        names = self._display(result).differing(difference.left or (), difference.right or ())
        return f"differs in {', '.join(names)}"

    def _evidence(
        self, difference: Difference, display: Display, *, keyless: bool, expected: ExpectedDifference | None
    ) -> dict[str, Any]:
        evidence: dict[str, Any] = {}
        if difference.left is not None and difference.right is not None:
            evidence["columns"] = display.differing(difference.left, difference.right)
        elif keyless:
            row = difference.left or difference.right or ()
            evidence["row"] = display.row(row)
            evidence["count"] = difference.count
        if expected:
            evidence["expected"] = {"where": expected.where.text, "reason": expected.reason}
        return evidence

    def _expected(self, result: TableResult, difference: Difference, display: Display) -> ExpectedDifference | None:
        """The rule that both states of the row satisfy, where there is one."""
        states = [display.texts(row) for row in (difference.left, difference.right) if row is not None]
        for item in self.expected.get(result.table.name, ()):
            if all(item.where.columns <= state.keys() and item.where.holds(state) for state in states):
                self.used.add(id(item))
                return item
        return None

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


def coverage(result: TableResult) -> TableCoverage:
    """What was done about a table that was to be compared."""
    name = result.table.name
    return TableCoverage(
        name.schema,
        name.name,
        result.table.table_class.value,
        compared=result.problem is None,
        rows=result.rows,
        columns=result.columns,
        note=result.problem.message if result.problem else None,
    )


def _key_text(key: Mapping[str, Any]) -> str:
    return "(" + ", ".join(f"{name}={value}" for name, value in key.items()) + ")"
