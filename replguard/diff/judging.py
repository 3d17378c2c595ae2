"""What a row that is not the same on both sides means under the policy: nothing, an expected difference, or drift."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from replguard.diff import relax, result
from replguard.diff.relax import Outcome

if TYPE_CHECKING:
    from datetime import date

    from replguard.audit.tables import PairedTable
    from replguard.diff.jobs import Job
    from replguard.diff.relax import Relaxed, Unusable
    from replguard.diff.result import Difference
    from replguard.engines.base import Row
    from replguard.model.findings import TableRelaxation
    from replguard.policy import ExpectedDifference, Policy


@dataclass(slots=True)
class Judge:
    """The rules of one table. ``excused`` counts by rule the differences that it had a part in excusing."""

    job: Job
    policy: Policy
    today: date
    relaxed: Relaxed | None
    expected: tuple[ExpectedDifference, ...]
    excused: Counter[Any] = field(default_factory=Counter)

    @classmethod
    def of(cls, job: Job, policy: Policy, today: date) -> Judge:
        half = job.halves[0]
        found = relax.rules_for(policy, half.table, half.columns, today, job.width)
        return cls(job, policy, today, found, expected(policy, job.paired, today))

    @property
    def needed(self) -> bool:
        """Whether each differing row must be read whole, since a rule may excuse it."""
        return bool(self.relaxed or self.expected)

    def judge(self, left: Row | None, right: Row | None) -> Difference | None:
        """The difference that these states of a row are; None where they are none."""
        if left == right:
            return None
        doubtful: tuple[str, ...] = ()
        relaxed: tuple[str, ...] = ()
        if self.relaxed:
            found = self.relaxed.judge(left, right)
            if found.excused:
                self.excused.update(found.rules)
                return None
            doubtful = found.columns if found.outcome is Outcome.indeterminate else ()
            relaxed = found.relaxed
        difference = replace(result.of_rows(left, right), doubtful=doubtful, relaxed=relaxed)
        rule = result.expected_by(self.expected, self.job.display, difference) if self.expected else None
        if rule:
            self.excused[rule] += 1
        return replace(difference, expected=rule)

    def excuses(self, left: Row | None, right: Row | None) -> bool:
        """Whether a rule says of a row that is not the same that it is no difference."""
        found = self.relaxed.judge(left, right) if self.relaxed else None
        if found is None or not found.excused:
            return False
        self.excused.update(found.rules)
        return True

    def form(self, row: Row) -> Row | None:
        """A row as it counts where rows have no key; None where it does not count."""
        if self.relaxed is None:
            return row
        if self.relaxed.excluded(row, None):
            self.excused.update(self.relaxed.filters)
            return None
        return self.relaxed.form(row)

    @property
    def unusable(self) -> tuple[Unusable, ...]:
        """Rules that cannot be applied to this table."""
        return self.relaxed.unusable if self.relaxed else ()

    def described(self) -> tuple[TableRelaxation, ...]:
        """Everything by which the comparison was less than exact."""
        return relax.described(self.job.halves[0].table, self.policy, self.today, self.relaxed, self.excused)


def expected(policy: Policy, table: PairedTable, today: date) -> tuple[ExpectedDifference, ...]:
    """The differences that the policy expects of a table today."""
    return tuple(rule for rule in policy.expected_for(table.name) if rule.valid_on(today))
